"""The figures as tables in words: what the page and the CSV files show alike."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from responder.core.report.figures import Figures, Outcomes, Standing, StockRow
from responder.core.rewording import DAY, FACT, LINK, MAIL, NAME, NUMBER
from responder.core.wording import Catalog
from responder.model import Language

Kind = Literal["text", "count", "hours", "percent", "day"]
Cell = str | int | float | date | None
_MARKS = {NAME: "name", NUMBER: "number", DAY: "day", LINK: "link", MAIL: "mail", FACT: "fact"}
_LISTED = 6
_OUTCOMES = ("as_is", "edited", "refused", "own")
# Some spreadsheets take these, in either width and after blanks, for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "|", "%")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: its name, its columns with what they hold, and its rows."""

    name: str
    columns: tuple[tuple[str, Kind], ...]
    rows: tuple[tuple[Cell, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """The report's words in one language, and what channels are called."""

    wording: Catalog
    language: Language
    channels: Mapping[str, str] = field(default_factory=dict)

    def text(self, code: str, **args: object) -> str:
        """The words for a code of the report."""
        return self.wording.text(f"report.{code}", self.language, **args)

    def has(self, code: str) -> bool:
        """True if the report has words for the code."""
        return self.wording.has(f"report.{code}")

    def channel(self, name: str) -> str:
        """What people call the channel."""
        return self.channels.get(name, name)

    def template(self, name: str) -> str:
        """What a template is for, and the name of its file."""
        if not name:
            return self.text("no_draft")
        for code in (f"report.template_{name}", f"label.situation_{name}"):
            if self.wording.has(code):
                return self.text("template", title=self.wording.text(code, self.language), name=name)
        return name

    def listed(self, some: Sequence[str]) -> str:
        """The first few of several."""
        first = self.text("and").join(some[:_LISTED])
        return first if len(some) <= _LISTED else self.text("and_more", list=first, count=len(some) - _LISTED)

    def matter(self, name: str) -> str:
        """What a notice is about."""
        return self.wording.label(f"situation_owe_{name}", self.language)

    def cause(self, name: str) -> str:
        """Why something was sold out."""
        return self.text(f"cause_{name or 'none'}")

    def marked(self, text: str | None) -> str:
        """A changed sentence, its marks in words; None: changed in different ways."""
        if text is None:
            return self.text("reworded_variously")
        for mark, name in _MARKS.items():
            text = text.replace(mark, f"〔{self.text(f'mark_{name}')}〕")
        return text or self.text("reworded_nothing")

    def standing(self, one: Standing | None) -> str:
        """Where the shop stands against a channel's limit, in a sentence; "" where there is none."""
        if one is None:
            return ""
        about = {"count": one.count, "limit": f"{one.limit:g}", "days": one.days}
        if one.points is not None:
            state = "over" if one.is_over else "near" if one.is_near else "fine"
            return self.text(f"standing_points_{state}", **about, points=one.points, sum=one.count * one.points)
        if one.days is None:
            return self.text("standing_no_window", **about)
        if one.reached is None:
            return self.text("standing_unknown", **about)
        state = "over" if one.is_over else "near" if one.is_near else "fine"
        return self.text(f"standing_{state}", **about, orders=one.orders, percent=f"{one.reached:.1f}")

    def warnings(self, row: StockRow) -> tuple[str, ...]:
        """What to do about an article that was sold out."""
        found = [self.text("warn_bait", count=row.sold_after)] if row.sold_after else []
        if row.often:
            found.append(self.text("warn_safety_stock"))
        return tuple(found)


def sheets(figures: Figures, words: Words) -> tuple[Sheet, ...]:
    """Every table that has something in it, in the order of the page."""
    found = (
        _templates(figures, words),
        _over_time(figures),
        _answers(figures, words),
        _cancels(figures, words),
        _apologies(figures, words),
        _stock_outs(figures, words),
        _rewordings(figures, words),
        _left_over(figures),
        Sheet("perks", (("perk", "text"), ("times", "count")), figures.perks),
    )
    return tuple(sheet for sheet in found if sheet.rows)


def _counts(outcomes: Outcomes) -> tuple[int, ...]:
    return outcomes.as_is, outcomes.edited, outcomes.refused, outcomes.own, outcomes.replaced


def _templates(figures: Figures, words: Words) -> Sheet:
    kinds: list[tuple[str, Kind]] = [("template", "text"), ("written", "count")]
    kinds += [(name, "count") for name in (*_OUTCOMES, "replaced", "complaints")]
    rows: list[tuple[Cell, ...]] = [
        (words.template(row.template), row.written, *_counts(row.outcomes), row.complaints) for row in figures.templates
    ]
    return Sheet("templates", tuple(kinds), tuple(rows))


def _over_time(figures: Figures) -> Sheet:
    rows: list[tuple[Cell, ...]] = [(one.begins, *_counts(one.outcomes)[:4]) for one in figures.buckets]
    some = any(one.outcomes.decided for one in figures.buckets)
    return Sheet("over_time", (("from", "day"), *((name, "count") for name in _OUTCOMES)), tuple(rows) if some else ())


def _answers(figures: Figures, words: Words) -> Sheet:
    rows = [
        (words.channel(r.channel), r.answered, r.median_h, r.p90_h, r.share, r.waiting, r.late, r.unanswered)
        for r in figures.answers
    ]
    return Sheet(
        "answers",
        (
            ("channel", "text"),
            ("answered", "count"),
            ("median", "hours"),
            ("p90", "hours"),
            ("within_a_day", "percent"),
            ("waiting", "count"),
            ("late", "count"),
            ("unanswered", "count"),
        ),
        tuple(rows),
    )


def _cancels(figures: Figures, words: Words) -> Sheet:
    rows = [
        (words.channel(r.channel), r.buyer, r.after_notice, r.shop, words.standing(r.standing)) for r in figures.cancels
    ]
    kinds: tuple[tuple[str, Kind], ...] = (
        ("channel", "text"),
        ("by_buyer", "count"),
        ("after_notice", "count"),
        ("by_shop", "count"),
        ("standing", "text"),
    )
    return Sheet("cancels", kinds, tuple(rows))


def _apologies(figures: Figures, words: Words) -> Sheet:
    rows = [(words.matter(matter), count) for matter, count in figures.apologies]
    return Sheet("apologies", (("matter", "text"), ("sent", "count")), tuple(rows))


def _stock_outs(figures: Figures, words: Words) -> Sheet:
    rows = [
        (
            row.item,
            row.orders,
            row.pieces,
            row.days,
            ", ".join(f"{words.cause(cause)} {count}" for cause, count in row.causes),
            " ".join(words.warnings(row)),
        )
        for row in figures.stock_outs
    ]
    kinds: tuple[tuple[str, Kind], ...] = (
        ("item", "text"),
        ("orders", "count"),
        ("pieces", "count"),
        ("days", "count"),
        ("causes", "text"),
        ("warnings", "text"),
    )
    return Sheet("stock_outs", kinds, tuple(rows))


def _rewordings(figures: Figures, words: Words) -> Sheet:
    rows = [
        (words.template(row.template), words.marked(row.gone), words.marked(row.came), row.buyers)
        for row in figures.rewordings
    ]
    kinds: tuple[tuple[str, Kind], ...] = (
        ("template", "text"),
        ("gone", "text"),
        ("came", "text"),
        ("buyers", "count"),
    )
    return Sheet("rewordings", kinds, tuple(rows))


def _left_over(figures: Figures) -> Sheet:
    rows = [(row.item, row.orders, row.pieces, row.prepared) for row in figures.left_over]
    kinds: tuple[tuple[str, Kind], ...] = (
        ("item", "text"),
        ("orders", "count"),
        ("pieces", "count"),
        ("prepared", "count"),
    )
    return Sheet("left_over", kinds, tuple(rows))


def shown(cell: Cell, kind: Kind, words: Words) -> str:
    """A cell as people read it; "-" where nothing is known."""
    match cell:
        case None:
            return "-"
        case int() | float() if kind == "percent":
            return f"{cell:.0%}"
        case int() | float() if kind == "hours":
            return (
                words.text("hours", hours=f"{cell:.1f}") if cell < 72 else words.text("days", days=f"{cell / 24:.1f}")
            )
        case date():
            return cell.isoformat()
    return str(cell)


def csv_bytes(sheet: Sheet, words: Words) -> bytes:
    """The table as CSV (UTF-8 with its mark, CR LF), no cell of which a spreadsheet takes for a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([harmless(words.text(f"column_{name}")) for name, _ in sheet.columns])
    for row in sheet.rows:
        writer.writerow([_plain(cell, kind) for cell, (_, kind) in zip(row, sheet.columns, strict=True)])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace")


def _plain(cell: Cell, kind: Kind) -> str:
    match cell:
        case None:
            return ""
        case float():
            return f"{cell:.4g}" if kind == "percent" else f"{cell:.2f}"
        case int():
            return str(cell)
    return harmless(str(cell))


def harmless(cell: str) -> str:
    """The cell with an apostrophe before it where a spreadsheet might take it for a formula."""
    begins = cell.lstrip().startswith(_FORMULA) or cell[:1] in ("\t", "\r", "\n")
    return f"'{cell}" if begins else cell


def headings(sheet: Sheet, words: Words) -> Iterable[str]:
    """What the columns are called."""
    return [words.text(f"column_{name}") for name, _ in sheet.columns]


def find(name: str, some: Sequence[Sheet]) -> Sheet | None:
    """The table of that name, None where it is empty."""
    return next((one for one in some if one.name == name), None)
