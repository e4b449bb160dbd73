"""From the data of rules.toml to a Rulebook, or to every mistake in it at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

import tomli

from responder.core.normal import fold
from responder.core.rules.evidence import shipped_scales
from responder.core.rules.examples import STORY, Likes, Proposer
from responder.core.rules.findings import Findings, Where, nearest
from responder.core.rules.pack import SITUATIONS, Group, Rule, Topic
from responder.core.rules.phrases import Matcher, Phrase, PhraseError, parse
from responder.core.rules.reading import Reader, Target
from responder.core.rules.rulebook import Rulebook
from responder.core.rules.shipped import WORD_KINDS, flattened, shipped, spread
from responder.core.rules.spelling import Spelling
from responder.core.rules.weighing import shipped_weighing
from responder.core.rules.when import WhenReader
from responder.core.sentences import language_of, speech
from responder.model import LANGUAGES, Action, Language

TOP_KEYS = ("words", "topic", "examples", "rule")
TOPIC_KEYS = ("kind", "proposed", "matter", "asked_by", "voids", "ja", "en", "zh")
TOPIC_LANGUAGE_KEYS = ("asks", "names", "objects", "examples", "vetoes", "elsewhere")
RULE_KEYS = (
    "id", "situation", "priority", "when", "unless", "reply", "hold", "silence", "deadline", "note", "covers",
    "needs_order", "fresh", "doubt",
)  # fmt: skip

_ID = re.compile(r"^[\w][\w.-]{0,79}$")
_SITUATION = re.compile(r"^[a-z][a-z0-9_]{0,59}$")
_DEADLINE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(h|d|時間|日|hours?|days?)\s*$")

# The share of likeness to examples that proposes a topic, and one that none can reach.
LEAST = 0.4
NEVER = 2.0
ASKED_BY = {
    "request": frozenset({"request", "wish", "closing", "may_i"}),
    "report": frozenset({"request", "may_i", "question"}),
}
VOIDS = {
    "request": frozenset(
        {"negated", "withdrawn", "conditional", "policy_question", "past", "done", "settled", "thanked", "undecided"}
    ),
    "report": frozenset({"conditional", "settled", "thanked"}),
}


def compile_pack(data: Mapping[str, object], *, where: Where | None = None, timezone: tzinfo = UTC) -> Rulebook:
    """The rule book of a pack, ready to judge mails.

    `where` gives (file, line) of a dotted key for mistakes; `timezone` is the shop's, for `time`, `weekday` and days.

    Raises: ConfigError with every mistake.
    """
    findings = Findings(where)
    findings.keys(data, TOP_KEYS, "")
    return _Compiler(findings, timezone).run(data)


@lru_cache(maxsize=1)
def _english() -> tuple[frozenset[str], frozenset[str]]:
    """The words that slips of the finger become, and those that are words themselves."""
    data = tomli.loads(files("responder.data").joinpath("words.toml").read_text(encoding="utf-8"))
    mend, real = (frozenset(word for words in data[key] for word in words.split()) for key in ("mend", "real"))
    return mend, real


@lru_cache(maxsize=4)
def proposers(topics: tuple[Topic, ...]) -> Mapping[Language, Proposer]:
    """What the examples of all topics propose, per language; counted once for the same examples."""
    found: dict[Language, list[tuple[str, str]]] = {}
    for topic in topics:
        for language, text in topic.examples:
            found.setdefault(language, []).append((topic.name, text))
    return {language: Proposer(examples, language) for language, examples in found.items()}


def _for_proposing(topics: Iterable[Topic]) -> tuple[Topic, ...]:
    return tuple(topic for topic in topics if topic.examples and topic.name != STORY)


def _for_telling(topics: Iterable[Topic]) -> tuple[Topic, ...]:
    """What only tells, against what is dear to get wrong."""
    return tuple(topic for topic in topics if topic.examples and (topic.name == STORY or topic.is_dear))


class _Compiler:
    def __init__(self, findings: Findings, timezone: tzinfo) -> None:
        self.findings = findings
        self.timezone = timezone
        self.matcher = Matcher()
        self.targets: list[list[Target]] = []
        self.numbers: dict[Phrase, int] = {}
        self.acts = frozenset(act.name for act in speech())
        self.words: dict[str, dict[str, list[str]]] = {}
        self.flat: dict[str | None, dict[str, Sequence[str]]] = {}
        self.scopes: set[str] = set()
        self.lists = 0

    def run(self, data: Mapping[str, object]) -> Rulebook:
        base = shipped()
        self._words(base.words, data.get("words", {}))
        for phrase in base.blockers:
            self.matcher.block(phrase)
        for phrase, target in base.phrases:
            self._add(phrase, target)
        topics = self._topics(base.topics, data.get("topic", {}))
        like = self._examples(data.get("examples", {}))
        rules = self._rules(data.get("rule", []), topics, {name for name, _, _, _ in like})
        self.findings.raise_if_any()
        matcher = self.matcher.ready()
        mend, real = _english()
        reader = Reader(
            matcher,
            tuple(tuple(each) for each in self.targets),
            topics,
            proposers(_for_proposing(topics.values())),
            proposers(_for_telling(topics.values())),
            Likes(like),
            Spelling(mend, matcher.words | real),
            frozenset(self.scopes),
        )
        return Rulebook(rules, topics, reader, self.timezone, shipped_weighing(), shipped_scales())

    # --- words, topics, examples ---

    def _words(self, base: Mapping[str, Mapping[str, Sequence[str]]], value: object) -> None:
        self.words = {name: {lang: list(listed) for lang, listed in lists.items()} for name, lists in base.items()}
        for name, inner in self.findings.table(value, "words").items():
            key = f"words.{name}"
            if isinstance(inner, Mapping):
                self.findings.keys(inner, (*LANGUAGES, "all"), key)
                lists = {lang: self.findings.texts(v, f"{key}.{lang}") for lang, v in inner.items()}
            else:
                lists = {"all": self.findings.texts(inner, key)}
            for lang, listed in lists.items():
                self.words.setdefault(name, {}).setdefault(lang, []).extend(listed)
        self.flat = {language: flattened(self.words, language) for language in (None, *LANGUAGES)}

    def _topics(self, base: Mapping[str, Mapping[str, Any]], value: object) -> dict[str, Topic]:
        own = self.findings.table(value, "topic")
        topics: dict[str, Topic] = {}
        for name in dict.fromkeys((*base, *own)):
            key = f"topic.{name}"
            table = self.findings.table(own[name], key) if name in own else {}
            self.findings.keys(table, TOPIC_KEYS, key)
            given = {**base.get(name, {}), **table}
            examples = [
                (language, text)
                for language in LANGUAGES
                for text in base.get(name, {}).get(language, {}).get("examples", ())
            ]
            objects = self._objects(base.get(name, {}), table, key)
            for language in LANGUAGES:
                if language in table:
                    examples += self._topic_words(name, language, table[language], f"{key}.{language}")
            topics[name] = replace(self._topic(name, given, tuple(examples), key), objects=objects)
        return topics

    def _objects(
        self, base: Mapping[str, Any], own: Mapping[str, Any], key: str
    ) -> tuple[tuple[Language, tuple[str, ...]], ...]:
        found: list[tuple[Language, tuple[str, ...]]] = []
        for language in LANGUAGES:
            listed = list(base.get(language, {}).get("objects", ()))
            given = own.get(language, {})
            if isinstance(given, Mapping) and "objects" in given:
                listed += self.findings.texts(given["objects"], f"{key}.{language}.objects")
            if listed:
                found.append((language, tuple(fold(each, kana=language == "ja").strip() for each in listed)))
        return tuple(found)

    def _topic(
        self, name: str, given: Mapping[str, object], examples: tuple[tuple[Language, str], ...], key: str
    ) -> Topic:
        kind = str(given.get("kind", "request"))
        if kind not in ASKED_BY:
            self.findings.unknown(f"{key}.kind", "topic_kind_unknown", kind, tuple(ASKED_BY))
            kind = "request"
        asked_by = self._act_names(given, "asked_by", ASKED_BY[kind], key)
        voids = self._act_names(given, "voids", VOIDS[kind], key)
        for act in (*asked_by, *voids):
            if act not in self.acts:
                self.findings.unknown(key, "act_unknown", act, self.acts)
        return Topic(
            name,
            "report" if kind == "report" else "request",
            asked_by,
            voids,
            self._least(given.get("proposed", True), f"{key}.proposed"),
            self.findings.flag(given.get("matter", True), f"{key}.matter"),
            examples=examples,
        )

    def _least(self, value: object, key: str) -> float:
        """The share of likeness that proposes a topic: `true`, `false` (never) or a number from 0 to 1."""
        if isinstance(value, bool):
            return LEAST if value else NEVER
        least = self.findings.number(value, key)
        if not 0 <= least <= 1:
            self.findings.add(key, "share_wrong", got=str(value))
        return least

    def _act_names(self, given: Mapping[str, object], name: str, usual: frozenset[str], key: str) -> frozenset[str]:
        """The acts that a topic names under `name`; an empty list means none at all."""
        if name not in given:
            return usual
        return frozenset(self.findings.texts(given[name], f"{key}.{name}") if given[name] != [] else ())

    def _topic_words(self, topic: str, language: Language, value: object, key: str) -> list[tuple[Language, str]]:
        table = self.findings.table(value, key)
        self.findings.keys(table, TOPIC_LANGUAGE_KEYS, key)
        for name, kind in WORD_KINDS:
            if name in table:
                for i, text in enumerate(self.findings.texts(table[name], f"{key}.{name}")):
                    self._phrase(text, language, Target(kind, topic, language), f"{key}.{name}[{i}]")
        if "examples" not in table:
            return []
        return [(language, text) for text in self.findings.texts(table["examples"], f"{key}.examples")]

    def _examples(self, value: object) -> list[tuple[str, str, str, Language]]:
        found: list[tuple[str, str, str, Language]] = []
        for name, inner in self.findings.table(value, "examples").items():
            key = f"examples.{name}"
            lists = inner.items() if isinstance(inner, Mapping) else [("", inner)]
            for language, texts in lists:
                if language and language not in LANGUAGES:
                    self.findings.unknown(f"{key}.{language}", "language_unknown", language, LANGUAGES)
                for text in self.findings.texts(texts, f"{key}.{language}" if language else key):
                    of = cast(Language, language) if language in LANGUAGES else language_of(text, "ja")
                    found.append((name, text, fold(text, kana=of == "ja"), of))
        return found

    def _phrase(self, text: str, language: Language | None, target: Target, key: str) -> None:
        words = self.flat[language]
        for each in spread(text, words):
            try:
                self._add(parse(each, words, language), target)
            except PhraseError as exc:
                args = dict(exc.args_)
                suggestion = nearest(args["name"], self.words) if exc.code == "word_list_unknown" else None
                self.findings.add(key, exc.code, suggestion, **args)

    def _add(self, phrase: Phrase, target: Target) -> None:
        number = self.numbers.get(phrase)
        if number is None:
            number = self.numbers[phrase] = self.matcher.add(phrase)
            self.targets.append([])
        if target not in self.targets[number]:
            self.targets[number].append(target)

    def _says(self, value: object, scope: str, key: str) -> str:
        """Registers the phrases of a `says`, plain or by language; gives back what `Reading.said` will hold."""
        self.lists += 1
        self.scopes.add(scope)
        name = str(self.lists)
        if isinstance(value, Mapping):
            self.findings.keys(value, LANGUAGES, key)
            groups = [(cast(Language, lang), v) for lang, v in value.items() if lang in LANGUAGES]
        else:
            groups = [(cast(Language, None), value)]
        for language, texts in groups:
            for i, text in enumerate(self.findings.texts(texts, f"{key}.{language}" if language else key)):
                at = f"{key}.{language}[{i}]" if language else key
                self._phrase(text, language, Target("says", name, language), at)
        return f"{scope}:{name}"

    # --- rules ---

    def _rules(self, value: object, topics: Mapping[str, Topic], examples: set[str]) -> tuple[Rule, ...]:
        if not isinstance(value, Sequence) or isinstance(value, str):
            self.findings.add("rule", "type_wrong", want="[[rule]]", got="table")
            return ()
        rules: list[Rule] = []
        seen: dict[str, int] = {}
        for number, inner in enumerate(value):
            key = f"rule[{number}]"
            table = self.findings.table(inner, key)
            rule_id = table.get("id")
            self.findings.rule = rule_id if isinstance(rule_id, str) else None
            when = WhenReader(self.findings, topics, self.acts, examples, self._says, self.words)
            rule = self._rule(table, number, key, when)
            if rule.id in seen:
                self.findings.add(f"{key}.id", "rule_id_twice", id=rule.id, first=str(seen[rule.id] + 1))
            seen.setdefault(rule.id, number)
            rules.append(rule)
        self.findings.rule = None
        return tuple(sorted(rules, key=lambda rule: (-rule.priority, rule.number)))

    def _rule(self, table: Mapping[str, object], number: int, key: str, when: WhenReader) -> Rule:
        findings = self.findings
        findings.keys(table, RULE_KEYS, key)
        rule_id = findings.text(table.get("id"), f"{key}.id") if "id" in table else ""
        if "id" not in table:
            findings.add(key, "rule_without_id")
        elif rule_id and not _ID.match(rule_id):
            findings.add(f"{key}.id", "rule_id_wrong", id=rule_id)
        situation = self._situation(table, key)
        condition = when.read(table["when"], f"{key}.when") if "when" in table else Group("all", ())
        if "when" not in table:
            findings.add(key, "rule_without_when")
        asks, statuses, names_found = frozenset(when.asks), frozenset(when.statuses), when.names_found
        unless = when.read(table["unless"], f"{key}.unless") if "unless" in table else None
        action, template, hold = self._outcome(table, key)
        covers = findings.texts(table["covers"], f"{key}.covers") if "covers" in table else []
        for topic in covers:
            if topic not in when.topics:
                findings.unknown(f"{key}.covers", "topic_unknown", topic, when.topics)
        priority = table.get("priority", 0)
        needs_order = table.get("needs_order", not names_found)
        return Rule(
            id=rule_id,
            number=number,
            situation=situation,
            action=action,
            when=condition,
            unless=unless,
            template=template,
            hold=hold,
            priority=int(findings.number(priority, f"{key}.priority")),
            deadline_h=self._span(table["deadline"], f"{key}.deadline", "deadline_wrong")
            if "deadline" in table
            else None,
            note=findings.text(table["note"], f"{key}.note") if "note" in table else None,
            covers=frozenset(covers),
            needs_order=findings.flag(needs_order, f"{key}.needs_order"),
            doubt=findings.flag(table.get("doubt", False), f"{key}.doubt"),
            fresh_h=self._span(table["fresh"], f"{key}.fresh", "fresh_wrong") if "fresh" in table else None,
            asks=asks,
            statuses=statuses,
        )

    def _situation(self, table: Mapping[str, object], key: str) -> str:
        if "situation" not in table:
            self.findings.add(key, "rule_without_situation")
            return "other"
        name = self.findings.text(table["situation"], f"{key}.situation")
        if not name or name in SITUATIONS:
            return name
        close = [s for s in SITUATIONS if _distance_small(s, name)]
        if not _SITUATION.match(name) or close:
            self.findings.unknown(f"{key}.situation", "situation_wrong", name, SITUATIONS)
        return name

    def _outcome(self, table: Mapping[str, object], key: str) -> tuple[Action, str | None, str | None]:
        given = [name for name in ("reply", "hold", "silence") if name in table]
        if len(given) != 1:
            self.findings.add(key, "outcome_not_one", given=", ".join(given) or "-")
            return "hold", None, None
        match given[0]:
            case "reply":
                return "draft", self.findings.text(table["reply"], f"{key}.reply"), None
            case "hold":
                return "hold", None, self.findings.text(table["hold"], f"{key}.hold")
            case _:
                if not self.findings.flag(table["silence"], f"{key}.silence"):
                    self.findings.add(f"{key}.silence", "silence_false")
                return "silence", None, None

    def _span(self, value: object, key: str, code: str) -> float | None:
        """Hours, from a number or from `24h`, `2d` ..."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        match = _DEADLINE.match(value) if isinstance(value, str) else None
        if match is None:
            self.findings.add(key, code, got=str(value)[:40])
            return None
        return float(match.group(1)) * (24 if match.group(2)[0] in "d日" else 1)


def _distance_small(known: str, name: str) -> bool:
    """True if `name` is a slip of the finger away from `known`."""
    return nearest(name, (known,)) is not None and abs(len(known) - len(name)) <= 2 and known[:3] == name[:3]
