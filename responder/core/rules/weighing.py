"""How much the likeness to examples counts for and against a reply: the numbers of `data/weighing.toml`, checked.

They are facts that were measured, not settings: nothing outside the package changes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, NewType, get_type_hints

from responder.core.data_files import DATA
from responder.core.facts import load
from responder.core.rules.findings import Findings

Share = NewType("Share", float)
"""A part of a whole, 0 to 1."""
Lead = NewType("Lead", float)
"""How many times as much, 1 or more."""
Count = NewType("Count", int)
"""How many pieces, examples or characters."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What makes a mail a letter, and how much a letter must be like a topic of which a wrong draft is worst: to be
    about it at all, and to be about it where its words are doubted."""

    pieces: Count
    share: Share
    doubted: Share
    ordered: Share

    def is_unsure(self, pieces: int, share: float, *, doubted: bool = False) -> bool:
        """True for a letter, of so many pieces, with too small a share of such a topic."""
        return pieces >= self.pieces and share < (self.doubted if doubted else self.share)


@dataclass(frozen=True, slots=True)
class AtLength:
    """How much must be said of a topic whose share alone is too small."""

    pieces: Count
    share: Share
    lead: Lead


@dataclass(frozen=True, slots=True)
class Dear:
    """What makes a mail surely one on a topic of which a wrong draft is worst."""

    pieces: Count
    share: Share
    surely: Share
    wish: Share
    hardly: Share
    talk: Share
    brief: Count
    briefly: Share


@dataclass(frozen=True, slots=True)
class Besides:
    """What makes a matter that single words name none of a mail that is surely about another."""

    share: Share
    alone: Share


@dataclass(frozen=True, slots=True)
class Rambling:
    """What makes a mail so long that its share must be borne out by what it wishes."""

    pieces: Count
    share: Share
    wish: Share


@dataclass(frozen=True, slots=True)
class ForProposal:
    """What it takes to propose a reply that no words ask for."""

    lead: Lead
    unasked: Share
    against_words: Share
    in_place: Share
    decided: Share
    told_around: Share
    told: Share
    at_length: AtLength
    dear: Dear
    besides: Besides
    rambling: Rambling


@dataclass(frozen=True, slots=True)
class Begged:
    """What makes a sentence that begs for something a second matter."""

    pieces: Count
    share: Share
    of_mail: Share


@dataclass(frozen=True, slots=True)
class Talk:
    """What makes a mail on which a wrong draft is worst one that only talks of the matter."""

    share: Share
    lead: Lead
    clearly: Share


@dataclass(frozen=True, slots=True)
class Brief:
    """What makes a mail too short to look like something else for sure."""

    pieces: Count
    share: Share
    ordered: Count


@dataclass(frozen=True, slots=True)
class ForDoubt:
    """What it takes to doubt a reply that words ask for."""

    other: Share
    own: Share
    dear_part: Share
    unlike: Share
    person: Share
    person_part: Share
    grievance: Share
    nothing_else: Share
    addition: Share
    paying_part: Share
    begged: Begged
    talk: Talk
    brief: Brief


@dataclass(frozen=True, slots=True)
class InPassing:
    """What makes a matter one that is only spoken of in passing."""

    alone: Share
    part: Share
    hardly: Share
    told: Share


@dataclass(frozen=True, slots=True)
class ForThanks:
    """What makes a mail one of thanks and nothing else."""

    whatever: Share
    arrived: Share
    arrived_lead: Lead
    greeting_chars: Count


@dataclass(frozen=True, slots=True)
class Weighing:
    """All the numbers by which likeness is judged; what each one means stands beside it in the file."""

    sure: Share
    certain: Share
    clear: Share
    few_pieces: Count
    few_examples: Count
    letter: Letter
    proposal: ForProposal
    doubt: ForDoubt
    passing: InPassing
    thanks: ForThanks


@cache
def shipped_weighing() -> Weighing:
    """The numbers that ship with the product, read once.

    Raises: ConfigError with every mistake in the file.
    """
    return read_weighing(load("weighing"))


def read_weighing(data: Mapping[str, object]) -> Weighing:
    """The numbers of a table such as `weighing.toml`.

    Raises: ConfigError with every key that is missing, unknown or out of its range.
    """
    findings = Findings(lambda key: (str(DATA / "weighing.toml"), 0))
    read: Weighing = _table(data, Weighing, "", findings)
    findings.raise_if_any()
    return read


def _table(data: Mapping[str, object], kind: Any, key: str, findings: Findings) -> Any:
    """A dataclass of numbers from the table of the same keys; mistakes go to `findings`."""
    names = [each.name for each in fields(kind)]
    findings.keys(data, names, key)
    kinds = get_type_hints(kind)
    read: dict[str, Any] = {}
    for name in names:
        at = f"{key}.{name}" if key else name
        of = kinds[name]
        if name not in data:
            findings.add(at, "missing_key", missing=name)
        elif is_dataclass(of):
            read[name] = _table(findings.table(data[name], at), of, at, findings)
        else:
            read[name] = _number(data[name], of, at, findings)
    return kind(**{name: read.get(name) for name in names})


def _number(value: object, kind: object, key: str, findings: Findings) -> float:
    number = findings.number(value, key)
    if kind is Count and (not isinstance(value, int) or number < 1):
        findings.add(key, "type_wrong", want="whole number from 1", got=value)
    elif kind is Share and not 0 <= number <= 1:
        findings.add(key, "type_wrong", want="number from 0 to 1", got=value)
    elif kind is Lead and number < 1:
        findings.add(key, "type_wrong", want="number from 1", got=value)
    return int(number) if kind is Count else number
