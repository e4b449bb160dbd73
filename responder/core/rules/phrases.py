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

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import ahocorasick
import re2

from responder.core.normal import CJK, fold, normalise
from responder.model import Language

MAX_GAP = 60
MAX_NEAR = 8
MAX_NEAR_LATIN = 22
MAX_VARIANTS = 600
MAX_PRODUCT = 40
MAX_HITS = 6000
MAX_SPANS = 20
_BLOCKER = -1

_GAP = re.compile(r"\.{2,}|…")
_PIECE = re.compile(r"\(([^()]*)\)|@([^\W\d][\w-]*)")
_CJK = re.compile(f"[{CJK}]")


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
    if text.startswith("re:"):
        return Phrase(pattern=_checked(text[3:].strip()))
    if not text.strip():
        raise PhraseError("phrase_empty")
    parts: list[frozenset[str]] = []
    links: list[Link] = []
    joined: Link = "joined"
    for chunk, mark in _chunks(text):
        found = [{_literal(v, language) for v in variants} - {"", " "} for variants in _pieces(chunk, words)]
        if not found or not all(found):
            raise PhraseError("phrase_empty_part", phrase=text)
        parts += [frozenset(literals) for literals in found]
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
    """One alternative between brackets, which may be a whole list: `(my order|@number)`."""
    if not option.startswith("@"):
        return [option]
    if option[1:] not in words:
        raise PhraseError("word_list_unknown", name=option[1:])
    return _plain(words[option[1:]])


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


def _literal(variant: str, language: Language | None) -> str:
    """`variant` folded, with the edges that keep Latin words whole."""
    variant = variant.strip()
    open_end = variant.endswith("*")
    start, end = variant.startswith("^"), variant.endswith("$")
    variant = variant.removeprefix("^").removesuffix("$").rstrip("*")
    kana = language == "ja" or (language is None and re.search("[\u3041-\u30fa]", variant) is not None)
    literal = fold(variant, kana=kana).strip(" ")
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

    @property
    def solid(self) -> bool:
        """Its words stand side by side."""
        return not self.gaps


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
        literals: dict[str, list[int]] = {}
        for part, number in self.parts.items():
            for literal in part:
                literals.setdefault(literal, []).append(number)
        for literal in self.blockers:
            literals.setdefault(literal, []).append(_BLOCKER)
        self.automaton = ahocorasick.Automaton()
        for literal, numbers in literals.items():
            self.automaton.add_word(literal, (len(literal), tuple(numbers)))
        if literals:
            self.automaton.make_automaton()
        uses = [0] * len(self.parts)
        for ids, _ in self.phrases:
            for part_id in set(ids):
                uses[part_id] += 1
        # Per part: the phrases that are that part alone, and those looked at because their rarest part it is.
        alone: list[list[int]] = [[] for _ in self.parts]
        anchored: list[list[int]] = [[] for _ in self.parts]
        for number, (ids, _) in enumerate(self.phrases):
            if len(ids) == 1:
                alone[ids[0]].append(number)
            elif ids:
                anchored[min(ids, key=lambda i: uses[i])].append(number)
        self.leads = [(a, b) if a or b else None for a, b in zip(alone, anchored, strict=True)]
        self.words = frozenset(w for literal in literals for w in literal.split() if w.isascii() and w.isalpha())
        self.set = None
        if self.patterns:
            options = re2.Options()
            options.log_errors = False
            self.set = re2.Set.SearchSet(options)
            for _, pattern in self.patterns:
                self.set.Add(pattern)
            self.set.Compile()
        return self

    def scan(self, folded: Sequence[str], written: Sequence[str]) -> list[list[Hit]]:
        """The hits in each folded sentence, in order of their start; `written` is what RE2 patterns look at."""
        starts: list[int] = []
        ends: list[int] = []
        at = 1
        for sentence in folded:
            starts.append(at)
            at += len(sentence) + 1
            ends.append(at - 1)
        seen: list[dict[int, list[tuple[int, int]]]] = [{} for _ in folded]
        if self.parts and folded:
            text = "\n" + "\n".join(folded) + "\n"
            row = 0
            left = MAX_HITS
            found, start, end = seen[0], starts[0], ends[0]
            for last, (length, ids) in self.automaton.iter(text):
                # A sentence ends with its line feed, which an end anchor needs.
                while last > end:
                    row += 1
                    found, start, end = seen[row], starts[row], ends[row]
                span = (last + 1 - length - start, last + 1 - start)
                for part_id in ids:
                    spans = found.get(part_id)
                    if spans is None:
                        found[part_id] = [span]
                    elif len(spans) < MAX_SPANS:
                        spans.append(span)
                left -= 1
                if not left:
                    break
        for found in seen:
            blocked = found.pop(_BLOCKER, None)
            if blocked:
                _drop_inside(found, blocked)
        hits = [self._hits(sentence, found) for sentence, found in zip(folded, seen, strict=True)]
        if self.set is not None:
            for row, sentence in enumerate(written):
                for index in self.set.Match(normalise(sentence)) or ():
                    number = self.patterns[index][0]
                    end = len(folded[row])
                    hits[row].append(Hit(number, 0, end, end, ((end, end),)))
        return hits

    def _hits(self, sentence: str, seen: Mapping[int, list[tuple[int, int]]]) -> list[Hit]:
        hits: list[Hit] = []
        leads = self.leads
        for part_id, spans in seen.items():
            lead = leads[part_id]
            if lead is None:
                continue
            for number in lead[0]:
                for start, end in spans:
                    hits.append(Hit(number, start, end, end))
            for number in lead[1]:
                hit = self._gapped(number, sentence, seen)
                if hit is not None:
                    hits.append(hit)
        hits.sort(key=_place)
        return hits

    def _gapped(self, number: int, sentence: str, seen: Mapping[int, list[tuple[int, int]]]) -> Hit | None:
        """The first place where all parts stand in order, near enough to each other."""
        ids, links = self.phrases[number]
        columns = []
        for part_id in ids:
            spans = seen.get(part_id)
            if spans is None:
                return None
            columns.append(spans)
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


def _place(hit: Hit) -> tuple[int, int]:
    return hit.start, -hit.end


def _drop_inside(found: dict[int, list[tuple[int, int]]], blocked: Sequence[tuple[int, int]]) -> None:
    """Takes out every span that lies inside a blocked one and is shorter."""
    for part_id, spans in list(found.items()):
        kept = [s for s in spans if not any(b[0] <= s[0] and s[1] <= b[1] and s != b for b in blocked)]
        if kept:
            found[part_id] = kept
        else:
            del found[part_id]


def _joined(sentence: str, end: int, start: int) -> bool:
    """True if `start` follows at once, sharing a blank, or after the rest of a word left open."""
    if start == end or (start == end - 1 and sentence[start] == " "):
        return True
    between = sentence[end:start]
    return start > end and sentence[end - 1] != " " and between.isalpha() and between.isascii()


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
