"""Phrases of a shop that stand in more of its mails than a phrase can that means something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from responder.core.normal import fold_all
from responder.core.rules.lint import Warned
from responder.core.rules.phrases import Matcher, PhraseError, parse
from responder.core.rules.shipped import flattened, shipped, spread
from responder.core.sentences import language_of, split
from responder.model import LANGUAGES, Language, Message

MOST_SHARE = 0.3
LEAST_HITS = 3
_MAX_CHARS = 12_000


@dataclass(frozen=True, slots=True)
class Written:
    """A phrase as the shop wrote it, where, and for which language (None: all)."""

    key: str
    text: str
    language: Language | None
    rule: str | None = None


def too_common(data: Mapping[str, object], mails: Iterable[Message], *, most: float = MOST_SHARE) -> tuple[Warned, ...]:
    """The phrases of `asks` and `says` in rules.toml that stand in more than this share of the mails in their
    language. Few mails prove nothing: at least `LEAST_HITS` must hold one."""
    phrases = tuple(_written(data))
    if not phrases:
        return ()
    matcher, numbers = _matcher(data, phrases)
    hits = [0] * len(phrases)
    totals: dict[Language | None, int] = {}
    for mail in mails:
        totals[None] = totals.get(None, 0) + 1
        totals[mail.language] = totals.get(mail.language, 0) + 1
        for place in _found(matcher, numbers, phrases, mail):
            hits[place] += 1
    told = []
    for phrase, count in zip(phrases, hits, strict=True):
        total = totals.get(phrase.language, 0)
        if count >= LEAST_HITS and count > most * total:
            args = (
                ("phrase", phrase.text),
                ("hits", str(count)),
                ("mails", str(total)),
                ("share", f"{count / total:.0%}"),
            )
            told.append(Warned(phrase.key, "phrase_hits_much", args, rule=phrase.rule))
    return tuple(told)


def _written(data: Mapping[str, object]) -> Iterator[Written]:
    for name, topic in _table(data.get("topic")).items():
        for language in LANGUAGES:
            asks = _table(_table(topic).get(language)).get("asks")
            for number, text in enumerate(_texts(asks)):
                yield Written(f"topic.{name}.{language}.asks[{number}]", text, language)
    rules = data.get("rule")
    for number, rule in enumerate(rules if isinstance(rules, Sequence) else ()):
        table = _table(rule)
        rule_id = table.get("id")
        for phrase in _said(table.get("when"), f"rule[{number}].when"):
            yield Written(phrase.key, phrase.text, phrase.language, rule_id if isinstance(rule_id, str) else None)


def _said(when: object, key: str) -> Iterator[Written]:
    table = _table(when)
    says = table.get("says")
    for language, texts in says.items() if isinstance(says, Mapping) else [(None, says)]:
        for text in _texts(texts):
            known = cast("Language | None", language if language in LANGUAGES else None)
            yield Written(f"{key}.says", text, known)
    for kind in ("all", "any"):
        inner = table.get(kind, ())
        members = inner if isinstance(inner, Sequence) and not isinstance(inner, str) else (inner,)
        for number, each in enumerate(members):
            yield from _said(each, f"{key}.{kind}[{number}]")


def _matcher(data: Mapping[str, object], phrases: Sequence[Written]) -> tuple[Matcher, list[int]]:
    """A matcher of these phrases alone, and for each of its numbers the place of the phrase it belongs to."""
    lists: dict[str, dict[str, list[str]]] = {
        name: {language: list(listed) for language, listed in by.items()} for name, by in shipped().words.items()
    }
    for name, inner in _table(data.get("words")).items():
        for language, texts in inner.items() if isinstance(inner, Mapping) else [("all", inner)]:
            lists.setdefault(name, {}).setdefault(str(language), []).extend(_texts(texts))
    words = {language: flattened(lists, language) for language in (None, *LANGUAGES)}
    matcher = Matcher()
    numbers: list[int] = []
    for place, phrase in enumerate(phrases):
        for each in spread(phrase.text, words[phrase.language]):
            try:
                matcher.add(parse(each, words[phrase.language], phrase.language))
            except PhraseError:
                continue  # a mistake, told where the pack is compiled
            numbers.append(place)
    return matcher.ready(), numbers


def _found(matcher: Matcher, numbers: Sequence[int], phrases: Sequence[Written], mail: Message) -> set[int]:
    rows = [mail.subject[:300], *split(mail.new_text[:_MAX_CHARS])]
    found: set[int] = set()
    for kana in (True, False):
        chosen = [row for row in rows if row and (language_of(row, mail.language) == "ja") is kana]
        for row, hits in zip(chosen, matcher.scan(fold_all(chosen, kana=kana), chosen), strict=True):
            places = {numbers[hit.phrase] for hit in hits}
            languages = (None, language_of(row, mail.language))
            found |= {place for place in places if phrases[place].language in languages}
    return found


def _table(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, Sequence) else []
