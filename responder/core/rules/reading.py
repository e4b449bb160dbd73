"""What a mail says: its sentences, what each does, and which topics are really asked for.

The reading knows nothing of orders or rules; it turns phrase hits into statuses. A mention of a topic is `asked`, or
void because its sentence denies it, takes it back, makes it depend on something, asks about the policy or tells the
past, or merely `mentioned`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from responder.core.facts import load
from responder.core.normal import fold_all
from responder.core.rules.examples import STORY, Leaning, Likeness, Likes, Proposer
from responder.core.rules.objects import (
    comes_with,
    done_to,
    done_to_bare,
    may_be_named,
    named_among,
    some_named,
    speaks_of_parts,
)
from responder.core.rules.pack import Topic
from responder.core.rules.phrases import Hit, Matcher, place
from responder.core.rules.spelling import Spelling
from responder.core.sentences import Act, language_of, split
from responder.model import LANGUAGES, Language, Message, Sentence

# What is read of a mail: more than any buyer writes.
MAX_CHARS = 12_000
# What is read of a longer one, at both ends: nothing is drafted for it, so this only has to tell what it is about. Of
# a text that is not Latin half as much says the same.
MAX_BEGINNING = 800
MAX_END = 300
# An English body of so few words says nothing without its subject: a thank you and a name.
HARDLY = 4
# So many Latin letters tell as much as one character of Japanese or Chinese.
CHARACTER = 3
# Nearness for `like`.
NEAR = 0.5
# So far from the order's number a word is said of it, whatever else the sentence names, by characters: Latin, others.
BESIDE = (14, 6)
# So few words (Latin) or characters (others) with a number say no more than what they name.
FEW_WORDS = (6, 22)

_REPLY = re.compile(
    r"^\s*(?:re|aw|sv|fw|fwd|返信|回复|回覆|答复|答覆|转发|轉寄|轉發)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE
)
_OVERRIDE = ("withdrawn",)
# The acts of who wants something.
WISHES = frozenset({"request", "question", "may_i"})
# The acts of sentences that only give thanks.
COURTESY = frozenset({"thanks", "thanked", "settled"})


@dataclass(frozen=True, slots=True)
class Target:
    """What finding a phrase means: a marker of an act, a way to ask for or name a topic, a veto, a topic's word done
    to something `elsewhere`, or a rule's `says`."""

    kind: Literal["act", "asks", "names", "veto", "elsewhere", "says"]
    name: str
    language: Language | None = None
    act: Act | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """A topic spoken of in one sentence, and how: `asked`, `mentioned` or the act that voids it. It is `numbered` where
    the number of the buyer's own order stands beside it."""

    topic: str
    status: str
    sentence: int
    words: str
    likeness: Likeness | None = None
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """All that rules may ask about the words of a mail. `said` are the names of the `says` lists that were found,
    each as `scope:name`; `acts` holds `threat` as well as `cancel conditional`. `folded` is what its likeness is judged
    by, `wanted` the same without courtesies; `wishing` are the numbers of the sentences that ask or beg in so many
    words, `begging` of those that do so in the very words that name the matter (`please cancel it`). It `has_subject`
    where the first sentence is one of the buyer's own, and `is_of_part` where what it says of the order names some of
    its items, but not all."""

    sentences: tuple[Sentence, ...] = ()
    mentions: tuple[Mention, ...] = ()
    asked: Mapping[str, Mention] = field(default_factory=dict)
    mentioned: frozenset[str] = frozenset()
    acts: frozenset[str] = frozenset()
    said: Mapping[str, str] = field(default_factory=dict)
    like: Mapping[str, Likeness] = field(default_factory=dict)
    chars: int = 0
    too_long: bool = False
    folded: tuple[tuple[str, Language], ...] = ()
    wanted: tuple[tuple[str, Language], ...] = ()
    vetoed: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    wishing: frozenset[int] = frozenset()
    begging: frozenset[int] = frozenset()
    has_subject: bool = False
    is_of_part: bool = False
    _leanings: dict[str, Leaning | None] = field(default_factory=dict, compare=False, repr=False)

    def leaning(self, text: str, proposer: Proposer) -> Leaning | None:
        """What a text of this mail looks like to the proposer of its language; asked again, what was found then."""
        if text not in self._leanings:
            self._leanings[text] = proposer.lean(text)
        return self._leanings[text]


@dataclass(slots=True)
class _Row:
    """A sentence on its way through the reading: what was found in it, apart for acts, topics and rules."""

    text: str
    folded: str
    language: Language
    scope: str
    acting: list[tuple[Hit, Target]] = field(default_factory=list)
    speaking: list[tuple[Hit, Target]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    acts: set[str] = field(default_factory=set)
    markers: Sequence[tuple[Hit, Act]] = ()
    vetoes: Mapping[str, Sequence[tuple[int, int]] | None] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Named:
    """How a mail names the buyer's own order: its `number` folded, whether a sentence `is_alone` that number, and
    whether the body thanks for anything."""

    number: str
    is_alone: bool
    is_thanked: bool


@dataclass(frozen=True)
class Reader:
    """Everything needed to read a mail with one pack."""

    matcher: Matcher
    targets: tuple[tuple[Target, ...], ...]
    topics: Mapping[str, Topic]
    proposers: Mapping[Language, Proposer]
    tellers: Mapping[Language, Proposer]
    likes: Likes
    spelling: Spelling
    scopes: frozenset[str]

    @cached_property
    def by_language(self) -> Mapping[Language, Sequence[tuple[Target, ...]]]:
        """What each phrase means in a sentence of a language."""
        return {
            language: [tuple(t for t in each if t.language is None or t.language == language) for each in self.targets]
            for language in LANGUAGES
        }

    def read(self, message: Message, items: Sequence[str] = (), order_id: str = "") -> Reading:
        """The reading of a mail's new text and subject, and of other scopes where a rule looks at them.

        `items` are the names of what the buyer ordered, as the shop writes them, `order_id` is his order's number."""
        new_text = _read_of(message.new_text)
        rows = self._rows(message, new_text)
        self._find(rows)
        own = [row for row in rows if row.scope in ("new_text", "subject")]
        for row in own:
            _mark(row)
        number = fold_all((order_id,))[0].strip() if order_id else ""
        # `Cancellation` above and nothing but the number below is one sentence.
        is_alone = bool(number) and number in [row.folded.strip() for row in own]
        thanked = "thanks" in set[str]().union(*[row.acts for row in own if row.scope == "new_text"])
        named = _Named(number, is_alone, thanked)
        mentions = [m for i, row in enumerate(own) for m in self._mentions(i, row, items, named)]
        asked = self._asked(own, mentions)
        wishing = frozenset([i for i, row in enumerate(own) if not WISHES.isdisjoint(row.acts)])
        for mention in mentions:
            if mention.status == "asked" and mention.topic in asked and self.topics[mention.topic].kind == "request":
                own[mention.sentence].acts.add("request")
        leaning = _for_leaning(own, asked)
        return Reading(
            sentences=_shown(own, mentions),
            mentions=tuple(mentions),
            asked=asked,
            mentioned=frozenset([m.topic for m in mentions]),
            acts=frozenset[str]().union(
                *[row.acts for row in own],
                [f"{m.topic} {m.status}" for m in mentions if m.status not in ("asked", "mentioned")],
            ),
            said=_said(rows),
            like=self._like(own),
            chars=len(message.new_text.strip()),
            too_long=len(message.new_text) > MAX_CHARS,
            folded=tuple([(row.folded, row.language) for row in leaning]),
            wanted=tuple([(row.folded, row.language) for row in _without_courtesies(leaning, own, asked)]),
            vetoed=frozenset[str]().union(*[row.vetoes for row in own]),
            elsewhere=frozenset[str]().union(*[row.elsewhere for row in own]),
            wishing=wishing,
            begging=frozenset([n for n in {m.sentence for m in asked.values()} if _begs(own[n])]),
            has_subject=bool(own) and own[0].scope == "subject",
            is_of_part=len(items) > 1 and self._is_of_part(own, asked, items),
        )

    def _is_of_part(self, own: Sequence[_Row], asked: Mapping[str, Mention], items: Sequence[str]) -> bool:
        """True where the sentences that ask for something, or all if none does, name some of the items only."""
        asking = {mention.sentence for name, mention in asked.items() if self.topics[name].kind == "request"}
        rows = [row for i, row in enumerate(own) if not asking or i in asking]
        kana = any(row.language == "ja" for row in rows)
        names = fold_all(items, kana=kana)
        if not any(may_be_named(name, row.language) for name in names for row in rows):
            return any(speaks_of_parts(row.folded, row.language) for row in own)
        return some_named([row.folded for row in rows], names)

    def _rows(self, message: Message, new_text: str) -> list[_Row]:
        texts: list[tuple[str, str]] = []
        subject = message.said_above[:300].strip()
        if subject and not _REPLY.match(subject):
            texts.append((subject, "subject"))
        elif subject:
            texts.append((subject, "reply_subject"))
        texts += [(s, "new_text") for s in split(new_text)]
        if "quoted" in self.scopes:
            texts += [(s, "quoted") for s in split(message.quoted_text[:MAX_CHARS])]
        if "whole" in self.scopes:
            texts += [(s, "whole") for s in split(message.text[:MAX_CHARS])]
        rows = [_Row(text, "", language_of(text, message.language), scope) for text, scope in texts]
        for kana in (True, False):
            chosen = [row for row in rows if (row.language == "ja") is kana]
            for row, folded in zip(chosen, fold_all([r.text for r in chosen], kana=kana), strict=True):
                row.folded = self.spelling.corrected(folded)
        return rows

    def _find(self, rows: Sequence[_Row]) -> None:
        found = self.matcher.scan([row.folded for row in rows], [row.text for row in rows])
        for row, hits in zip(rows, found, strict=True):
            if not hits:
                continue
            targets = self.by_language[row.language]
            for hit in hits:
                for target in targets[hit.phrase]:
                    if target.act is not None:
                        row.acting.append((hit, target))
                    elif target.kind == "says":
                        row.said.append(target.name)
                    else:
                        row.speaking.append((hit, target))

    def _mentions(self, place: int, row: _Row, items: Sequence[str], named: _Named) -> list[Mention]:
        if not row.speaking:
            return []
        at = row.folded.find(f" {named.number} ") if named.number else -1
        alone = named.is_alone and row.scope == "subject"
        is_answer = named.is_thanked and row.scope == "subject"
        vetoes = row.vetoes = self._vetoes(row, items)
        vetoed = {name for name, spans in vetoes.items() if spans is None}
        best: dict[tuple[str, str], Mention] = {}
        for hit, target in row.speaking:
            if target.kind in _AGAINST:
                continue
            topic = self.topics[target.name]
            # `Take back the payment of 1042` is said of the payment, however near the number stands.
            near = at >= 0 and topic.is_dear and _beside(row, hit, at, at + len(named.number) + 2)
            numbered = near and target.name not in row.elsewhere and not _denied_itself(row, hit, topic)
            if not numbered:
                if target.name in vetoed:
                    if topic.kind == "request":
                        row.refused.add(target.name)
                    continue
                spans = vetoes.get(target.name)
                if spans and any(hit.start < end and start < hit.end for start, end in spans):
                    continue
            if numbered and not is_answer and _is_all(row, hit, named.number):
                status = "asked"
            else:
                status = _status(row, hit, topic, asks=target.kind == "asks")
            if (topic.name, status) not in best:
                words = row.folded[max(0, hit.start) : hit.end].strip()
                best[topic.name, status] = Mention(topic.name, status, place, words, None, numbered or alone)
        return list(best.values())

    def _vetoes(self, row: _Row, items: Sequence[str]) -> dict[str, list[tuple[int, int]] | None]:
        """Per topic None where a veto takes the whole sentence, or the spans of vetoes that name the topic's own words:
        those take only the words they hold (`my flight was cancelled, so cancel the order`)."""
        found: dict[str, list[tuple[int, int]] | None] = {}
        named: dict[str, list[Hit]] = {}
        for hit, target in row.speaking:
            if target.kind == "names":
                named.setdefault(target.name, []).append(hit)
        for name, hits in named.items():
            objects = dict(self.topics[name].objects).get(row.language)
            if objects is not None:
                bare = self.topics[name].is_dear
                others = [hit for hit in hits if not done_to(row.folded, hit, objects, row.language, bare=bare)]
                if others and items:
                    own = fold_all(items, kana=row.language == "ja")
                    others = [hit for hit in others if not named_among(row.folded, hit, own, row.language)]
                    if len(items) == 1 and not may_be_named(own[0], row.language):
                        # Nobody can tell what the shop's own words for it are.
                        others = [hit for hit in others if done_to_bare(row.folded, hit, objects, row.language)]
                foreign = [(hit.start, hit.end) for hit in others]
                if foreign:
                    found[name] = foreign
                    row.elsewhere.add(name)
        for hit, target in row.speaking:
            if target.kind == "elsewhere" and not comes_with(row.folded, hit):
                row.elsewhere.add(target.name)
                spans = found.setdefault(target.name, [])
                if spans is not None:
                    spans.append((hit.start, hit.end))
        for hit, target in row.speaking:
            if target.kind != "veto":
                continue
            overlaps = any(n.start < hit.end and hit.start < n.end for n in named.get(target.name, ()))
            spans = found.setdefault(target.name, [])
            if not overlaps or spans is None:
                found[target.name] = None
            else:
                spans.append((hit.start, hit.end))
        return found

    def lean(self, reading: Reading, only: int | None = None, *, thanks: bool = False) -> Leaning | None:
        """What the mail looks like by the examples in its main language, or `only` its sentence of this number; None
        where there are none. `thanks` counts what only thanks, also where something else is wanted."""
        if not reading.folded:
            return None
        main = _main_language(reading.folded)
        proposer = self.proposers.get(main)
        if proposer is None:
            return None
        if only is not None:
            return reading.leaning(fold_all([reading.sentences[only].text], kana=main == "ja")[0], proposer)
        return reading.leaning(_text_in(main, reading.folded if thanks else reading.wanted or reading.folded), proposer)

    def only_tells(self, reading: Reading) -> float:
        """How much the mail is like what only tells who writes and what he ordered (a share, 0 to 1), held against what
        is dear to get wrong; 0 where there are no examples."""
        main = _main_language(reading.folded) if reading.folded else None
        teller = self.tellers.get(main) if main is not None else None
        leaning = teller.lean(_text_in(main, reading.wanted or reading.folded)) if teller is not None and main else None
        return leaning.shares.get(STORY, 0.0) if leaning is not None else 0.0

    def lean_of(self, reading: Reading, numbers: Iterable[int]) -> Iterator[Leaning]:
        """What each of these sentences looks like by itself, but for those that look like nothing known."""
        return filter(None, (self.lean(reading, only=number) for number in numbers))

    def _like(self, own: Sequence[_Row]) -> dict[str, Likeness]:
        like: dict[str, Likeness] = {}
        if len(self.likes):
            for row in own:
                for name, likeness in self.likes.near(row.folded, row.language, NEAR).items():
                    if name not in like or like[name].score < likeness.score:
                        like[name] = likeness
        return like

    def _asked(self, own: Sequence[_Row], mentions: Sequence[Mention]) -> dict[str, Mention]:
        asked: dict[str, Mention] = {}
        denied = {
            m.topic for m in mentions if m.status not in ("asked", "mentioned") and own[m.sentence].scope != "subject"
        }
        overridden = {m.topic for m in mentions if m.status in _OVERRIDE}
        in_body = [m for m in mentions if own[m.sentence].scope == "new_text"]
        for mention in in_body:
            if mention.status == "asked" and mention.topic not in overridden:
                asked.setdefault(mention.topic, mention)
        # `Do not send it` over `do not send me advertising` is about the advertising.
        spoken = {m.topic for m in in_body}
        denied |= {name for row in own if row.scope == "new_text" for name in row.refused if name not in spoken}
        for mention in mentions:
            in_subject = own[mention.sentence].scope == "subject"
            if in_subject and mention.status == "asked" and mention.topic not in denied:
                asked.setdefault(mention.topic, mention)
        if asked:
            return asked
        # A name here, a request there: one short mail about one thing.
        body_acts = {a for row in own for a in row.acts if row.scope == "new_text"}
        named = [m for m in mentions if m.status == "mentioned" and m.topic not in denied]
        named = [m for m in named if self.topics[m.topic].kind == "request" and "thanks" not in own[m.sentence].acts]
        # What the body names only as another matter (`tell me when a cancelled one is free`) is none in the subject.
        told = {m.topic for m in mentions if own[m.sentence].scope == "new_text"}
        vetoes = [each for row in own if row.scope == "new_text" for each in row.vetoes.items()]
        vetoed = {name for name, spans in vetoes if spans is None or name not in told}
        named = [m for m in named if m.topic not in vetoed]
        topics = {m.topic for m in named}
        if len(topics) == 1 and not denied and self.topics[named[0].topic].asked_by & body_acts:
            asked[named[0].topic] = named[0]
        return asked


def _is_all(row: _Row, hit: Hit, number: str) -> bool:
    """True where a sentence is little more than the order's number and this word: `8251 cancel, thx`."""
    latin = row.language == "en"
    size = len(row.folded.split()) if latin else len(row.folded)
    if size > FEW_WORDS[not latin] or not row.acts <= _POLITE:
        return False
    if any(marker.start < hit.start and act.name in _TELLING for marker, act in row.markers):
        return False
    # Behind a stem the word has to end, too: `cancelled` is another one.
    behind = row.folded[hit.end - (row.folded[hit.end - 1 : hit.end] == " ") :]
    # `取消8251`; in English this may head anything (`cancellation 8251`).
    behind = behind if latin else behind.removeprefix(f" {number}")
    return behind.startswith((" ,", ",")) or not behind.strip()


def _begs(row: _Row) -> bool:
    """True where words that ask for a matter hold a wish themselves (`please cancel it`)."""
    wishes = [hit for hit, target in row.acting if target.name in WISHES]
    if not wishes:
        return False
    for ask, target in row.speaking:
        if target.kind == "asks":
            start, end = ask.start, ask.end
            for wish in wishes:
                if start <= wish.start and wish.end <= end:
                    return True
    return False


def _denied_itself(row: _Row, hit: Hit, topic: Topic) -> bool:
    """True if a veto of the topic names these very words."""
    vetoes = (veto for veto, target in row.speaking if target.kind in _AGAINST and target.name == topic.name)
    return any(veto.start < hit.end and hit.start < veto.end for veto in vetoes)


def _beside(row: _Row, hit: Hit, start: int, end: int) -> bool:
    """True if the words at `hit` stand beside those from `start` to `end`, with no other sentence's worth between."""
    first, last = min(hit.end, end), max(hit.start, start)
    between = row.folded[first:last]
    if last - first > BESIDE[row.language != "en"] and not _BETWEEN.issuperset(between.split()):
        return False
    # `Cancel this order (1042)`: a bracket is folded to a comma.
    before, found, _ = row.text.partition(row.folded[start:end].strip())
    is_bracketed = found and before.rstrip(" #").endswith(("(", "[", "（", "［"))
    return "," not in (between.rstrip(" ,") if is_bracketed else between)


def _main_language(folded: Sequence[tuple[str, Language]]) -> Language:
    """The language in which most is said."""
    if len({language for _, language in folded}) == 1:
        return folded[0][1]
    lengths = Counter[Language]()
    for text, language in folded:
        # A telephone number says nothing, and a character of Japanese or Chinese as much as some letters.
        lengths[language] += sum(map(str.isalpha, text)) * (1 if language == "en" else CHARACTER)
    return lengths.most_common(1)[0][0]


def _text_in(language: Language, rows: Sequence[tuple[str, Language]]) -> str:
    return " ".join(folded for folded, each in rows if each == language)


def _read_of(text: str) -> str:
    if len(text) <= MAX_CHARS:
        return text
    part = 1 if text[:MAX_BEGINNING].isascii() else 2
    return f"{text[: MAX_BEGINNING // part]}\n\n{text[-MAX_END // part :]}"


def _without_courtesies(rows: Sequence[_Row], own: Sequence[_Row], asked: Mapping[str, Mention]) -> Sequence[_Row]:
    """All but the sentences that only thank, where another one asks for something. (In Japanese they tell what.)"""
    asking = {id(own[mention.sentence]) for mention in asked.values()}
    if not asked or not rows or rows[0].language != "en" or all(WISHES.isdisjoint(row.acts) for row in rows):
        return rows
    return [row for row in rows if not row.acts or not row.acts <= COURTESY or id(row) in asking]


def _for_leaning(own: Sequence[_Row], asked: Mapping[str, Mention]) -> Sequence[_Row]:
    """The body; the subject, which a shop's forms fill in too, only where there is hardly anything else, or where all
    that is asked stands in it."""
    body = [row for row in own if row.scope == "new_text"]
    if asked and all(own[mention.sentence].scope == "subject" for mention in asked.values()):
        body = list(own)
    own = [row for row in own if not body or row.language == body[0].language]
    words = sum(len(row.folded.split()) if row.language == "en" else len(row.folded) for row in body)
    return body if words > HARDLY else own


def _said(rows: Sequence[_Row]) -> dict[str, str]:
    said: dict[str, str] = {}
    for row in rows:
        for name in row.said:
            scopes: tuple[str, ...] = ("subject",) if row.scope in ("subject", "reply_subject") else (row.scope,)
            if row.scope == "subject":
                scopes = ("subject", "new_text")
            for scope in scopes:
                said.setdefault(f"{scope}:{name}", row.text)
            if row.scope in ("subject", "reply_subject", "new_text"):
                said.setdefault(f"whole:{name}", row.text)
    return said


# Between a word and the order's number, these say no more than that it is one (`cancel the order with the number`).
_BETWEEN = frozenset(load("objects")["en"]["beside"])
_POLITE = frozenset({"thanks", "thanked", "settled", "request", "wish"})
# What finding a phrase can say of a topic.
_AGAINST = frozenset({"veto", "elsewhere"})
_NOTHING: tuple[list[int], list[int]] = ([], [])
# Acts that tell of what is over.
_OVER = frozenset({"settled", "thanked", "done", "past"})
# Acts that only tell how things stand: none of them hides another one inside it.
_TELLING = frozenset({"settled", "thanked", "thanks", "done"})


def _mark(row: _Row) -> None:
    """Sets the acts of a sentence: each marker that no longer marker or phrase swallows."""
    if row.acting:
        solid = [hit for hit, _ in row.acting if not hit.gaps]
        asking = [hit for hit, target in row.speaking if target.kind == "asks" and not hit.gaps] if solid else []
        over_all = over_telling = _NOTHING
        # One alone lies in no other.
        if len(solid) + len(asking) > 1:
            over_all = _chain(sorted((*solid, *asking), key=place) if asking else solid)
            over_telling = _chain([hit for hit, target in row.acting if target.name == "neutral" and not hit.gaps])
        markers = [
            (hit, target.act)
            for hit, target in row.acting
            if target.act is not None
            and (hit.gaps or not _inside(hit, over_telling if target.name in _TELLING else over_all))
        ]
        names = {act.name for _, act in markers}
        if "polite_condition" in names:
            markers = [(h, a) for h, a in markers if a.name != "conditional" or not _softened(h, markers)]
            names = {act.name for _, act in markers}
        row.markers = markers
        row.acts = names - {"neutral", "turn", "polite_condition"}
    if row.text.rstrip(" 」』）)\"'”　。.!！").endswith(("?", "？")):
        row.acts.add("question")


def _chain(hits: Iterable[Hit]) -> tuple[list[int], list[int]]:
    """Starts and ends of the hits that lie in no earlier one; both grow."""
    starts: list[int] = []
    ends: list[int] = []
    for hit in hits:
        if not ends or hit.end > ends[-1]:
            starts.append(hit.start)
            ends.append(hit.end)
    return starts, ends


def _inside(hit: Hit, chain: tuple[list[int], list[int]]) -> bool:
    """True if a longer hit of the chain holds this one."""
    starts, ends = chain
    place = bisect_right(starts, hit.start) - 1
    return place >= 0 and ends[place] >= hit.end and (starts[place], ends[place]) != (hit.start, hit.end)


def _softened(hit: Hit, markers: Sequence[tuple[Hit, Act]]) -> bool:
    """True if a polite form (`if possible`) spans this condition or touches it."""
    return any(
        act.name == "polite_condition" and polite.start - 2 <= hit.start and hit.end <= polite.end + 8
        for polite, act in markers
    )


def _status(row: _Row, hit: Hit, topic: Topic, *, asks: bool) -> str:
    if not row.markers and not row.acts:
        return "asked" if asks else "mentioned"
    turns = [h for h, act in row.markers if act.name == "turn"]
    paired = asks
    # `I need to cancel my order, I got the wrong size`: what is wished here and now is not told of the past.
    open_ = topic.voids - _OVER if _is_wished(row, hit) else topic.voids
    for marker, act in row.markers:
        name = act.name
        if name in open_ and _reaches(row, marker, act, hit, turns):
            return name
        if not paired and name in topic.asked_by and _reaches(row, marker, act, hit, None):
            paired = True
    if not paired and "question" in topic.asked_by and "question" in row.acts:
        paired = True
    return "asked" if paired else "mentioned"


def _is_wished(row: _Row, hit: Hit) -> bool:
    """True where words that wish something run into those at `hit` (`I need to cancel`, `please cancel`)."""
    for marker, act in row.markers:
        if act.name in WISHES and marker.start <= hit.start and marker.end >= hit.start - 1:
            return True
    return False


def _reaches(row: _Row, marker: Hit, act: Act, hit: Hit, turns: Sequence[Hit] | None) -> bool:
    """Whether a marker acts on the words at `hit`: on the right side and near enough; with `turns`, neither a turn
    (`but`, `而是`) nor a comma between."""
    if act.side in ("sentence", "mail"):
        return True
    if any(start <= marker.start and marker.end <= end for start, end in hit.gaps):
        return True
    if marker.start <= hit.start and hit.end <= marker.end:
        return True
    if act.side in ("after", "around") and marker.start >= hit.end - 2:
        return _near(row, min(hit.end, marker.start), marker.start, act.within, turns)
    if act.side in ("before", "around") and marker.start <= hit.start < marker.end:
        return True
    if act.side in ("before", "around") and marker.end <= hit.start + 2:
        return _near(row, marker.end, max(marker.end, hit.start), act.within, turns)
    return False


def _near(row: _Row, start: int, end: int, within: int, turns: Sequence[Hit] | None) -> bool:
    between = row.folded[start:end]
    distance = len(between.split()) if row.language == "en" else len(between)
    if distance > within:
        return False
    if turns is None:
        return True
    if "," in between and row.language != "ja":
        return False
    return not any(start - 1 <= turn.start and turn.end <= end + 1 for turn in turns)


def _shown(own: Sequence[_Row], mentions: Sequence[Mention]) -> tuple[Sentence, ...]:
    topics: list[list[str]] = [[] for _ in own]
    for mention in mentions:
        name = mention.topic if mention.status == "asked" else f"{mention.topic} ({mention.status})"
        if name not in topics[mention.sentence]:
            topics[mention.sentence].append(name)
    return tuple(
        Sentence(row.text, tuple(sorted(row.acts)), tuple(names)) for row, names in zip(own, topics, strict=True)
    )
