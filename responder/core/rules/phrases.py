"""The little language of phrases, and the matcher that finds thousands of them in one pass.

A phrase is what a person would write, matched after folding (width, case, kana, scripts):

    cancel my order            the words, next to each other
    cancel ... order           a gap: anything inside the same sentence
    cancel .. order            a small gap: a word or two
    (cancel|void) the order    one of these; an empty one makes it optional: cancel (my|) order
    cancel*                    any ending: cancels, cancelled, cancelling
    @order_words ... 届        any word of a named list
    ^thanks    ok$             at the start / the end of the sentence
    re:\\d{4}号                 an RE2 pattern on the normalised sentence

Cost: one Aho-Corasick pass over the text, whatever the number of phrases; gaps are looked at only where the rarest
part of a phrase was found.
"""

from __future__ import annotations

import functools
import itertools
import operator
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple

import ahocorasick
import re2

from responder.core.normal import CJK, fold_all, normalise
from responder.model import Language

MAX_GAP = 60
MAX_NEAR = 8
MAX_NEAR_LATIN = 22
MAX_VARIANTS = 600
MAX_PRODUCT = 40
MAX_HITS = 6000
MAX_SPANS = 20
_SAMPLED = 16

_GAP = re.compile(r"\.{2,}|…")
_PIECE = re.compile(r"\(([^()]*)\)|@([^\W\d][\w-]*)")
_CJK = re.compile(f"[{CJK}]")
_KANA = re.compile("[\u3041-\u30fa]")
# Folding takes commas off both ends; in Chinese a phrase may say that one stands there.
_COMMAS = (",", "，", "、")


class PhraseError(ValueError):
    """This phrase cannot be read. `code` and `args` are those of a Mistake."""

    def __init__(self, code: str, **args: str) -> None:
        self.code = code
        self.args_ = tuple(args.items())
        super().__init__(code)


Link = Literal["gap", "near", "joined"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase read: its parts in order, each as the literals that can stand there.

    `links[i]` says what may stand between part i and the next: a gap, a small one, or nothing but the rest of a word
    that part i leaves open. `pattern` is the source of an RE2 phrase instead.
    """

    parts: tuple[frozenset[str], ...] = ()
    links: tuple[Link, ...] = ()
    pattern: str | None = None


def parse(text: str, words: Mapping[str, Sequence[str]], language: Language | None = None) -> Phrase:
    """The phrase that `text` writes; `words` are the named lists it may use.

    Raises: PhraseError.
    """
    return parse_all((text,), words, language)[0]


def parse_all(texts: Sequence[str], words: Mapping[str, Sequence[str]], language: Language | None) -> list[Phrase]:
    """`parse` of each text, at the price of folding them in one call.

    Raises: PhraseError for the first that cannot be read.
    """
    read = [_read(text, words) for text in texts]
    variants = {variant for chunks in read for pieces, _ in chunks for each in pieces for variant in each}
    literals: dict[str, str] = {}
    for kana in (True, False):
        chosen = [each for each in variants if _is_kana(each, language) is kana]
        folded = fold_all([_bare(each) for each in chosen], kana=kana)
        literals.update((each, _literal(each, bare, language)) for each, bare in zip(chosen, folded, strict=True))
    return [_phrase(text, chunks, literals) for text, chunks in zip(texts, read, strict=True)]


_Chunks = list[tuple[list[list[str]], Link]]
"""Per chunk between gaps its pieces, each as all its variants, and the gap behind it."""


def _read(text: str, words: Mapping[str, Sequence[str]]) -> _Chunks:
    if text.startswith("re:"):
        return []
    if not text.strip():
        raise PhraseError("phrase_empty")
    return [(_pieces(chunk, words), mark) for chunk, mark in _chunks(text)]


def _phrase(text: str, chunks: _Chunks, literals: Mapping[str, str]) -> Phrase:
    if text.startswith("re:"):
        return Phrase(pattern=_checked(text[3:].strip()))
    parts: list[frozenset[str]] = []
    links: list[Link] = []
    joined: Link = "joined"
    for pieces, mark in chunks:
        found = [frozenset(map(literals.__getitem__, variants)) - {"", " "} for variants in pieces]
        if not found or not all(found):
            raise PhraseError("phrase_empty_part", phrase=text)
        parts += found
        links += [*([joined] * (len(found) - 1)), mark]
    return Phrase(tuple(parts), tuple(links[:-1]))


def _chunks(text: str) -> Iterable[tuple[str, Link]]:
    """The texts between gaps, each with the gap behind it."""
    pieces = _GAP.split(text)
    marks = _GAP.findall(text)
    for piece, mark in zip(pieces, [*marks, "..."], strict=True):
        yield piece, "near" if mark == ".." else "gap"


def _checked(pattern: str) -> str:
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as exc:
        first = exc.args[0] if exc.args else ""
        why = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
        raise PhraseError("pattern_wrong", pattern=pattern, why=why) from exc
    return pattern


def _pieces(chunk: str, words: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The parts of a chunk without gaps: what stands side by side, multiplied out while that stays small.

    A new part begins after a stem, and where the product would grow beyond bounds at the edge of a word.
    """
    pieces: list[list[str]] = []
    current = [""]
    for options in _groups(chunk, words):
        product = len(current) * len(options)
        if product > MAX_PRODUCT and all(v.strip() for v in current) and _edge(current, options):
            pieces.append(current)
            current = list(options)
        elif product > MAX_VARIANTS:
            raise PhraseError("phrase_too_many", phrase=chunk.strip(), limit=str(MAX_VARIANTS))
        else:
            current = [a + b for a in current for b in options]
        if any(v.endswith("*") for v in options):
            pieces.append(current)
            current = [""]
    # What may be missing at the end asks for nothing.
    if all(v.strip() for v in current) or (not pieces and any(v.strip() for v in current)):
        pieces.append(current)
    return pieces


def _groups(chunk: str, words: Mapping[str, Sequence[str]]) -> Iterable[Sequence[str]]:
    """Fixed text and alternatives of a chunk, in order; fixed text is cut behind each stem."""
    at = 0
    while (piece := _PIECE.search(chunk, at)) is not None:
        yield from _fixed(chunk[at : piece.start()])
        at = piece.end()
        if piece.group(2) is None:
            yield [each for option in piece.group(1).split("|") for each in _option(option, words)]
            continue
        # Japanese goes on without a blank: `@cancelしたい` uses the list `cancel`.
        written = piece.group(2)
        name = next((written[:n] for n in range(len(written), 0, -1) if written[:n] in words), None)
        if name is None:
            raise PhraseError("word_list_unknown", name=written)
        at -= len(written) - len(name)
        yield _plain(words[name])
    yield from _fixed(chunk[at:])


def _option(option: str, words: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """One alternative between brackets, which may be a whole list: `(my order|@number)`, `(@which |)`."""
    if not option.startswith("@"):
        return [option]
    name = option[1:].rstrip(" ")
    if name not in words:
        raise PhraseError("word_list_unknown", name=name)
    behind = option[1 + len(name) :]
    return [each + behind for each in _plain(words[name])]


def _plain(words: Sequence[str]) -> Sequence[str]:
    return [each for each in words if "(" not in each and ".." not in each] or [""]


def _fixed(text: str) -> Iterable[Sequence[str]]:
    if any(c in "()|" for c in text):
        raise PhraseError("phrase_brackets", phrase=text.strip())
    for piece in re.findall(r"[^*]*\*|[^*]+", text):
        yield [piece]


def _edge(left: Sequence[str], right: Sequence[str]) -> bool:
    """True if no word is cut between the variants of `left` and `right`."""
    return all(v[-1] == " " or _CJK.match(v[-1]) for v in left) or all(
        not v or v[0] == " " or _CJK.match(v[0]) for v in right
    )


def _bare(variant: str) -> str:
    """The words of a variant without the marks for its start, its end and any ending."""
    return variant.strip().removeprefix("^").removesuffix("$").rstrip("*")


def _is_kana(variant: str, language: Language | None) -> bool:
    return language == "ja" or (language is None and _KANA.search(variant) is not None)


def _literal(variant: str, folded: str, language: Language | None) -> str:
    """The words of `variant`, folded, with the edges that keep Latin words whole."""
    literal = folded.strip(" ")
    variant = variant.strip()
    open_end = variant.endswith("*")
    start, end = variant.startswith("^"), variant.endswith("$")
    bare = _bare(variant)
    if literal and language == "zh":
        literal = f"{', ' * bare.startswith(_COMMAS)}{literal}{' ,' * bare.endswith(_COMMAS)}"
    if not literal:
        return " \n" if end else "\n " if start else ""
    if not _CJK.match(literal[0]):
        literal = " " + literal
    if not open_end and not _CJK.match(literal[-1]):
        literal += " "
    if start:
        literal = "\n" + literal if literal[0] == " " else "\n " + literal
    if end:
        literal = literal + "\n" if literal[-1] == " " else literal + " \n"
    return literal


# --- matching -------------------------------------------------------------------------------------------------------


class Hit(NamedTuple):
    """Phrase number `phrase` was found from `start` to `end` (offsets in the folded sentence).

    `inner` is where its first part ends, `gaps` what lies between its parts; without gaps a hit is solid.
    """

    phrase: int
    start: int
    end: int
    inner: int
    gaps: tuple[tuple[int, int], ...] = ()


class _Literal(NamedTuple):
    """What the automaton gives for a literal.

    `alone` are the phrases that are nothing but this literal, `anchored` those looked at because their rarest part can
    be it; `mask` has the bits of all parts that it can be and that phrases of several parts need.
    """

    length: int
    alone: tuple[int, ...]
    anchored: tuple[int, ...]
    words: str
    mask: int
    is_blocker: bool


_Seen = Sequence[tuple[int, _Literal]]
"""Literals found, each with the offset behind it."""
_Places = dict[str, list[tuple[int, int]]]

# Bits of a mask of parts: enough to tell most apart, few enough that numbers of them stay small.
_BITS = 1021


def _set(patterns: Iterable[str]) -> re2.Set:
    options = re2.Options()
    options.log_errors = False
    found = re2.Set.SearchSet(options)
    for pattern in patterns:
        found.Add(pattern)
    found.Compile()
    return found


def _union(masks: Iterable[int]) -> int:
    return functools.reduce(operator.or_, masks, 0)


_hit = partial(tuple.__new__, Hit)


@dataclass
class Matcher:
    """Every phrase of a pack as one automaton. Build with `add`, close with `ready`, then `scan` as often as wanted."""

    parts: dict[frozenset[str], int] = field(default_factory=dict)
    phrases: list[tuple[tuple[int, ...], tuple[Link, ...]]] = field(default_factory=list)
    blockers: set[str] = field(default_factory=set)
    patterns: list[tuple[int, str]] = field(default_factory=list)

    def add(self, phrase: Phrase) -> int:
        """The number of `phrase` in this matcher."""
        number = len(self.phrases)
        ids = tuple(self.parts.setdefault(part, len(self.parts)) for part in phrase.parts)
        self.phrases.append((ids, phrase.links))
        if phrase.pattern is not None:
            self.patterns.append((number, phrase.pattern))
        return number

    def block(self, phrase: Phrase) -> None:
        """From now on nothing is found inside the words of `phrase` (which has no gap)."""
        for part in phrase.parts[:1]:
            self.blockers |= part

    def ready(self) -> Matcher:
        """The matcher, closed: literals in one automaton, patterns in one RE2 set."""
        literals: dict[str, list[int]] = {literal: [] for literal in self.blockers}
        for part, part_id in self.parts.items():
            for literal in part:
                literals.setdefault(literal, []).append(part_id)
        self.words_of = tuple(self.parts)
        # Per part: the phrases that are that part alone, and those looked at because their rarest part it is.
        alone: list[list[int]] = [[] for _ in self.parts]
        anchored: list[list[int]] = [[] for _ in self.parts]
        self.automaton = ahocorasick.Automaton()
        for number, literal in enumerate(literals):
            self.automaton.add_word(literal, number)
        if literals:
            self.automaton.make_automaton()
        common = self._common(literals)
        together = {part_id for numbers, _ in self.phrases if len(numbers) > 1 for part_id in numbers}
        # A few bits for many parts: two that share one are told apart later.
        bits = {part_id: 1 << (place % _BITS) for place, part_id in enumerate(sorted(together))}
        self.needs = [_union(bits.get(part_id, 0) for part_id in numbers) for numbers, _ in self.phrases]
        for number, (numbers, _) in enumerate(self.phrases):
            if len(numbers) == 1:
                alone[numbers[0]].append(number)
            elif numbers:
                anchored[min(numbers, key=common.__getitem__)].append(number)
        # What many literals mean alike is one value, which the processor has at hand.
        same: dict[object, Any] = {}
        for literal, ids in literals.items():
            told = (
                tuple(number for part_id in ids for number in alone[part_id]),
                tuple(number for part_id in ids for number in anchored[part_id]),
                _union(bits.get(part_id, 0) for part_id in ids),
            )
            phrases, wanted, mask = (same.setdefault(each, each) for each in told)
            meaning = _Literal(len(literal), phrases, wanted, literal, mask, literal in self.blockers)
            self.automaton.add_word(literal, meaning)
        if literals:
            self.automaton.make_automaton()
        self.words = frozenset(w for literal in literals for w in literal.split() if w.isascii() and w.isalpha())
        patterns = [pattern for _, pattern in self.patterns]
        self.set = _set(patterns) if patterns else None
        # All sentences at once, line by line, tell for most mails that no pattern can be in any of them.
        is_by_line = not any("\\A" in pattern or "\\z" in pattern for pattern in patterns)
        self.anywhere = _set([f"(?m:{pattern})" for pattern in patterns]) if patterns and is_by_line else None
        return self

    def _common(self, literals: Mapping[str, Sequence[int]]) -> list[int]:
        """How common each part must be expected to be: as common as in a sample of the literals themselves."""
        common = [len(part) for part in self.parts]
        if literals:
            sample = "\n".join(itertools.islice(literals, None, None, _SAMPLED))
            ids = list(literals.values())
            for _, number in self.automaton.iter(sample):
                for part_id in ids[number]:
                    common[part_id] += _SAMPLED
        return common

    def scan(self, folded: Sequence[str], written: Sequence[str]) -> list[list[Hit]]:
        """The hits in each folded sentence, in order of their start; `written` is what RE2 patterns look at."""
        # Who says a thing again says the same.
        distinct = list(dict.fromkeys(folded))
        found = {
            sentence: self._hits(sentence, seen) if seen else []
            for sentence, seen in zip(distinct, self._literals(distinct), strict=True)
        }
        hits = [found[sentence].copy() for sentence in folded]
        if self.set is not None and (self.anywhere is None or self.anywhere.Match(normalise("\n".join(written)))):
            for row, sentence in enumerate(written):
                for index in self.set.Match(normalise(sentence)) or ():
                    number = self.patterns[index][0]
                    end = len(folded[row])
                    hits[row].append(Hit(number, 0, end, end, ((end, end),)))
        return hits

    def _literals(self, folded: Sequence[str]) -> list[_Seen]:
        """The literals in each folded sentence, in the order of their ends."""
        if not self.parts or not folded:
            return [()] * len(folded)
        text = "\n" + "\n".join(folded) + "\n"
        found = list(itertools.islice(self.automaton.iter(text), MAX_HITS))
        if len(folded) == 1:
            return [found]
        rows: list[_Seen] = []
        start = done = 0
        for sentence in folded:
            # A sentence ends with its line feed, which an end anchor needs.
            behind = bisect_left(found, (start + len(sentence) + 2,), done)
            rows.append([(last - start, literal) for last, literal in found[done:behind]] if start else found[:behind])
            start += len(sentence) + 1
            done = behind
        return rows

    def _hits(self, sentence: str, seen: _Seen) -> list[Hit]:
        hits: list[Hit] = []
        candidates: list[int] = []
        present = 0
        for end, (length, alone, anchored, _, mask, is_blocker) in seen:
            for number in alone:
                hits.append(_hit((number, end - length, end, end, ())))
            if anchored:
                candidates += anchored
            present |= mask
            if is_blocker:
                return self._hits(sentence, _outside(seen))
        needs = self.needs
        near_enough = {n for n in candidates if needs[n] | present == present}
        if near_enough:
            places = _places(seen)
            here = frozenset(places)
            for number in near_enough:
                hit = self._gapped(number, sentence, places, here)
                if hit is not None:
                    hits.append(hit)
        if len(hits) > 1:
            hits.sort(key=place)
        return hits

    def _gapped(self, number: int, sentence: str, places: _Places, here: frozenset[str]) -> Hit | None:
        """The first place where all parts stand in order, near enough to each other."""
        ids, links = self.phrases[number]
        columns = []
        for part_id in ids:
            found = self.words_of[part_id] & here
            if not found:
                return None
            spans = [span for words in found for span in places[words]]
            if len(found) > 1:
                spans.sort(key=_end)
            columns.append(spans[:MAX_SPANS])
        dead: set[tuple[int, int]] = set()
        for first in columns[0]:
            path = _follow(sentence, first[1], links, columns, 0, dead)
            if path is not None:
                spans = [first, *path]
                gaps = tuple((spans[i][1], spans[i + 1][0]) for i, link in enumerate(links) if link != "joined")
                return Hit(number, first[0], spans[-1][1], gaps[0][0] if gaps else spans[-1][1], gaps)
        return None


def _follow(
    sentence: str,
    end: int,
    links: Sequence[Link],
    columns: Sequence[Sequence[tuple[int, int]]],
    done: int,
    dead: set[tuple[int, int]],
) -> list[tuple[int, int]] | None:
    """Places for the parts after `done`, each where its link allows; None if there are none.

    `dead` collects (part, end) from which no way leads on, so that each is tried once.
    """
    if done == len(links):
        return []
    if (done, end) in dead:
        return None
    near = _FITS[links[done]]
    for span in columns[done + 1]:
        if near(sentence, end, span[0]):
            rest = _follow(sentence, span[1], links, columns, done + 1, dead)
            if rest is not None:
                return [span, *rest]
    dead.add((done, end))
    return None


def place(hit: Hit) -> tuple[int, int, int]:
    """What hits are in order of: their start, the longer first."""
    return hit[1], -hit[2], hit[0]


def _places(seen: _Seen) -> _Places:
    """Where each literal stands."""
    places: _Places = {}
    for end, (length, _, _, words, _, _) in seen:
        if words in places:
            places[words].append((end - length, end))
        else:
            places[words] = [(end - length, end)]
    return places


def _end(span: tuple[int, int]) -> tuple[int, int]:
    return span[1], span[0]


def _outside(seen: _Seen) -> _Seen:
    """What does not lie inside a blocked span that is longer."""
    blocked = [(end - literal.length, end) for end, literal in seen if literal.is_blocker]
    return [
        (end, literal._replace(is_blocker=False) if literal.is_blocker else literal)
        for end, literal in seen
        if not any(b[0] <= end - literal.length and end <= b[1] and b[1] - b[0] != literal.length for b in blocked)
    ]


def _joined(sentence: str, end: int, start: int) -> bool:
    """True if `start` follows at once, sharing a blank, or after the rest of a word left open (and the blank between
    Latin letters and others)."""
    if start == end or (start == end - 1 and sentence[start] == " "):
        return True
    if start < end or sentence[end - 1] == " ":
        return False
    between = sentence[end:start]
    rest = (between[:-1] if between[-1] == " " and _CJK.match(sentence[start]) else between).replace("-", "")
    return not rest or (rest.isalnum() and rest.isascii())


def _apart(sentence: str, end: int, start: int) -> bool:
    if start < end and not (start == end - 1 and sentence[start] == " "):
        return False
    return start - end <= MAX_GAP


def _close(sentence: str, end: int, start: int) -> bool:
    if not _apart(sentence, end, start):
        return False
    between = sentence[end:start]
    return start - end <= (MAX_NEAR_LATIN if between.isascii() else MAX_NEAR)


_FITS: dict[Link, Callable[[str, int, int], bool]] = {"gap": _apart, "near": _close, "joined": _joined}
