"""The report as one HTML page that needs nothing else: no network, no script, no other file. Every value is escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from responder.core.report import charts
from responder.core.report.charts import Chart
from responder.core.report.figures import Figures, Outcomes
from responder.core.report.sheets import Sheet, Words, headings, sheets, shown

_DATA = Path(__file__).resolve().parents[2] / "data" / "report"
_DRAWN_ROWS = 8
_OFTEN_REFUSED = 5


@cache
def _template() -> Any:
    source = (_DATA / "page.html").read_text(encoding="utf-8")
    return Environment(autoescape=True).from_string(source)


def page_html(figures: Figures, words: Words, *, shop: str, zone: tzinfo) -> str:
    """The page."""
    last = (figures.until - timedelta(microseconds=1)).astimezone(zone).date()
    began = figures.began_at
    empty = words.text("never_ran") if began is None else words.text("nothing") if figures.is_empty else ""
    return str(
        _template().render(
            lang=words.language,
            style=Markup((_DATA / "style.css").read_text(encoding="utf-8")),  # noqa: S704 - the package's own file
            title=words.text("title", shop=shop),
            period=words.text("period", first=figures.since.astimezone(zone).date(), last=last),
            made=_made(figures, words, zone),
            empty=empty,
            glance=words.text("glance"),
            tiles=_tiles(figures, words),
            todo_title=words.text("to_do"),
            todo=to_do(figures, words),
            parts=[_part(sheet, figures, words) for sheet in sheets(figures, words)],
            foot=words.text("foot"),
        )
    )


def _made(figures: Figures, words: Words, zone: tzinfo) -> list[str]:
    found = [words.text("made", moment=f"{figures.made_at.astimezone(zone):%Y-%m-%d %H:%M}")]
    if figures.began_at is not None and figures.began_at > figures.since:
        found.append(words.text("began", day=figures.began_at.astimezone(zone).date()))
    return found


def _tiles(figures: Figures, words: Words) -> list[dict[str, str]]:
    mails, sent = figures.mails, figures.outcomes
    answered = sum(row.counted for row in figures.answers)
    in_time = sum(row.in_time for row in figures.answers)
    decided = sent.as_is + sent.edited
    tiles = [
        ("mails", str(mails.received), words.text("tile_mails_more", drafted=mails.drafted, held=mails.held)),
        ("sent", str(decided), words.text("tile_sent_more", share=_share(sent.as_is, decided))),
        ("in_time", _share(in_time, answered), words.text("tile_in_time_more", count=in_time, counted=answered)),
        (
            "cancels",
            str(sum(row.shop for row in figures.cancels)),
            words.text("tile_cancels_more", count=sum(row.buyer for row in figures.cancels)),
        ),
        ("apologies", str(sum(count for _, count in figures.apologies)), ""),
        ("open", str(figures.drafts_open), words.text("tile_open_more", count=figures.overdue)),
    ]
    if figures.undelivered:
        tiles.append(("undelivered", str(figures.undelivered), ""))
    return [{"name": words.text(f"tile_{name}"), "value": value, "more": more} for name, value, more in tiles]


def _share(some: int, of: int) -> str:
    return f"{some / of:.0%}" if of else "-"


def to_do(figures: Figures, words: Words) -> list[str]:
    """What the shop should change, the dearest first."""
    found: list[str] = []
    for row in figures.cancels:
        if row.standing is not None and (row.standing.is_over or row.standing.is_near):
            found.append(
                words.text("do_limit", channel=words.channel(row.channel), standing=words.standing(row.standing))
            )
    found += [
        words.text("do_bait", item=row.item, count=row.sold_after) for row in figures.stock_outs if row.sold_after
    ]
    often = [words.text("counted", name=row.item, count=row.orders) for row in figures.stock_outs if row.often]
    found += [words.text("do_safety_stock", items=words.listed(often))] if often else []
    late = sum(row.late for row in figures.answers)
    if late:
        found.append(words.text("do_late", count=late))
    reworded = Counter(row.template for row in figures.rewordings)
    usual = [words.text("counted", name=words.template(name), count=n) for name, n in reworded.most_common()]
    found += [words.text("do_reword", templates=words.listed(usual))] if usual else []
    for one in figures.templates:
        unwanted = one.outcomes.refused + one.outcomes.own
        if one.template and one.outcomes.decided >= _OFTEN_REFUSED and 2 * unwanted >= one.outcomes.decided:
            about = {"count": unwanted, "of": one.outcomes.decided}
            found.append(words.text("do_template", template=words.template(one.template), **about))
    return found


def _part(sheet: Sheet, figures: Figures, words: Words) -> dict[str, Any]:
    names = list(headings(sheet, words))
    kinds = [kind for _, kind in sheet.columns]
    chart = _chart(sheet, figures, words)
    return {
        "name": sheet.name.replace("_", "-"),
        "title": words.text(f"part_{sheet.name}"),
        "about": words.text(f"about_{sheet.name}") if words.has(f"about_{sheet.name}") else "",
        "columns": list(zip(names, kinds, strict=True)),
        "rows": [
            [
                {"name": name, "kind": kind, "text": shown(cell, kind, words), "is_zero": cell == 0}
                for cell, kind, name in zip(row, kinds, names, strict=True)
            ]
            for row in sheet.rows
        ],
        "chart": Markup(chart.svg) if chart is not None else "",  # noqa: S704 - of our figures; its labels are escaped
        "legend": chart.legend if chart is not None and len(chart.legend) > 1 else (),
    }


def _chart(sheet: Sheet, figures: Figures, words: Words) -> Chart | None:
    title = words.text(f"part_{sheet.name}")
    match sheet.name:
        case "over_time":
            days = [f"{one.begins.month}/{one.begins.day}" for one in figures.buckets]
            return charts.columns(title, days, _outcome_series([one.outcomes for one in figures.buckets], words))
        case "answers":
            known = [row for row in figures.answers if row.share is not None][:_DRAWN_ROWS]
            shares = [round(100 * (row.share or 0)) for row in known]
            names = [words.channel(row.channel) for row in known]
            series = [(words.text("column_within_a_day"), shares)]
            return charts.rows(title, names, series, most=100, shown=_percent)
        case "cancels":
            some = [row for row in figures.cancels if row.buyer or row.shop][:_DRAWN_ROWS]
            series = [
                (words.text("column_by_buyer"), [row.buyer for row in some]),
                (words.text("column_by_shop"), [row.shop for row in some]),
            ]
            return charts.rows(title, [words.channel(row.channel) for row in some], series)
        case "stock_outs":
            worst = figures.stock_outs[:_DRAWN_ROWS]
            causes = Counter[str]()
            for one in worst:
                causes.update(dict(one.causes))
            series = [
                (words.cause(cause), [dict(one.causes).get(cause, 0) for one in worst])
                for cause, _ in causes.most_common(8)
            ]
            return charts.rows(title, [one.item for one in worst], series)
    return None


def _percent(value: float) -> str:
    return f"{value:.0f}%"


def _outcome_series(some: Sequence[Outcomes], words: Words) -> list[tuple[str, list[int]]]:
    read: list[tuple[str, Callable[[Outcomes], int]]] = [
        ("as_is", lambda one: one.as_is),
        ("edited", lambda one: one.edited),
        ("refused", lambda one: one.refused),
        ("own", lambda one: one.own),
    ]
    return [(words.text(f"column_{name}"), [of(one) for one in some]) for name, of in read]
