"""Wishes out of the rows of a file that staff keep: one line an order, the words of their own language."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, TypeVar

from responder.core.facts import load
from responder.core.owed.when import when_from
from responder.core.owed.wish import CAUSES, MATTERS, Wish, alternative_from

_DAYS = ("restock", "ship", "answer_by")

Word = TypeVar("Word", bound=str)


@dataclass(frozen=True, slots=True)
class Wrong:
    """One cell that cannot be taken: its column, what is wrong in words' codes, and the nearest right word."""

    column: str
    code: str
    args: tuple[tuple[str, str], ...] = ()
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One wish of a file. `order_id` is "" where all open orders with the item are meant, `account` "" for any."""

    wish: Wish
    account: str


def columns_of(titles: Sequence[str]) -> Mapping[int, str] | None:
    """The field of each column, by its place; None where the order or the matter has no column."""
    known = {_folded(word): field for field, words in load("owed")["columns"].items() for word in (field, *words)}
    found = {place: known[_folded(title)] for place, title in enumerate(titles) if _folded(title) in known}
    return found if {"order_id", "matter"} <= set(found.values()) else None


def wish_from_cells(cells: Mapping[str, str], today: date) -> Line | tuple[Wrong, ...]:
    """The wish that a row says, or all that is wrong with it."""
    wrong: list[Wrong] = []
    matter = _choice(cells, "matter", "matter_words", MATTERS, wrong)
    causes = tuple(
        cause
        for word in _parts(cells.get("cause", ""))
        if (cause := _word(word, "cause", "cause_words", CAUSES, wrong))
    )
    days: dict[str, str] = {}
    for name in _DAYS:
        said = cells.get(name, "").strip()
        when = when_from(said, today) if said else None
        if said and when is None:
            wrong.append(Wrong(name, "owe_no_day", (("found", said[:40]),)))
        days[name] = when.text if when is not None else ""
    order_id, items = cells.get("order_id", "").strip(), tuple(_parts(cells.get("item", "")))
    if not order_id and not items:
        wrong.append(Wrong("order_id", "owe_names_nothing"))
    rest = _choice(cells, "rest", "rest_words", ("ship", "wait"), wrong)
    language = _choice(cells, "language", "", ("ja", "en", "zh"), wrong)
    business = _choice(cells, "business", "yes_words", ("yes", "no"), wrong)
    if wrong or not matter:
        return tuple(wrong) or (Wrong("matter", "bad_choice", (("found", ""), ("expected", ", ".join(MATTERS)))),)
    known: dict[str, Any] = {**days, "rest": rest, "language": language}
    wish = Wish(
        order_id,
        matter,
        causes=causes,
        alternatives=tuple(
            one for text in _parts(cells.get("alternative", "")) if (one := alternative_from(text)) is not None
        ),
        items=items,
        business=None if not business else business == "yes",
        **known,
    )
    return Line(wish, cells.get("account", "").strip())


def _choice(
    cells: Mapping[str, str], column: str, table: str, known: Sequence[Word], wrong: list[Wrong]
) -> Word | None:
    said = cells.get(column, "").strip()
    return _word(said, column, table, known, wrong) if said else None


def _word(said: str, column: str, table: str, known: Sequence[Word], wrong: list[Wrong]) -> Word | None:
    words = {**_words(table), **{_folded(word): word for word in known}}
    found = words.get(_folded(said))
    for one in known:
        if one == found:
            return one
    near = difflib.get_close_matches(_folded(said), list(words), n=1, cutoff=0.6)
    args = (("found", said[:40]), ("expected", ", ".join(known)))
    wrong.append(Wrong(column, "bad_choice", args, near[0] if near else None))
    return None


@cache
def _words(table: str) -> Mapping[str, str]:
    """Words of staff by what they mean."""
    if not table:
        return {}
    return {_folded(word): name for name, words in load("owed")[table].items() for word in words}


def _parts(cell: str) -> list[str]:
    """What stands in a cell, one after the other: parted by semicolons or line breaks."""
    return [part.strip() for part in cell.replace("；", ";").replace("\n", ";").split(";") if part.strip()]


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().replace("_", " ").replace("-", " ").split())
