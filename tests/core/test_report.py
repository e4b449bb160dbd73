"""The report's figures, counted from facts; its page and tables, whatever an article is called."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lxml import etree

from responder.core.report import Figures, Standing, count
from responder.core.report.figures import LeftRow, Outcomes, StockRow
from responder.core.report.goods import again
from responder.core.report.page import page_html, to_do
from responder.core.report.sheets import Sheet, Words, csv_bytes, harmless, sheets
from responder.core.rewording import key_of
from responder.core.wording import Catalog
from responder.model import LANGUAGES, CaseFact, DraftFact, EventFact, Facts, MailFact, Reason, Rewording

SINCE, UNTIL = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)
AT = SINCE + 5 * DAY
WORDS = Catalog.load()


def draft(number: int, state: str = "filed", *, template: str = "t", **changes: Any) -> DraftFact:
    done = changes.pop("done", AT + timedelta(hours=2))
    values: dict[str, Any] = {
        "id": number, "case_id": f"c{number}", "state": state, "template": template, "situation": "other",
        "order_id": f"O{number}", "channel": "own", "answers": (number,), "created_at": AT,
        "sent_at": done if state in ("sent", "filed") else None,
        "ended_at": None if state in ("drafted", "sent") else done,
    }  # fmt: skip
    return DraftFact(**values | changes)


def event(kind: str, number: int, *, at: datetime = AT, **detail: Any) -> EventFact:
    return EventFact(at, kind, f"c{number}", {"draft": number, **detail})


def case(number: int, channel: str = "own", *, is_open: bool = False) -> CaseFact:
    return CaseFact(f"c{number}", f"b{number}", channel, f"O{number}", is_open, AT + DAY)


def mail(number: int, action: str = "draft", *, at: datetime = AT, answered: bool = True) -> MailFact:
    return MailFact(number, f"c{number}", at, action, "other", "own", answered)


def counted(facts: Facts, *, since: datetime = SINCE, until: datetime = UNTIL, **more: Any) -> Figures:
    return count(replace(facts, began_at=SINCE - DAY), since=since, until=until, now=NOW, zone=UTC, **more)


def test_what_became_of_drafts() -> None:
    ends = ["filed", "filed", "filed", "discarded", "sent_by_staff", "sent_by_staff", "stale", "withdrawn", "drafted"]
    kept = {2: "same", 3: "edited", 5: "same", 6: "own"}
    events = [event("approved" if n < 4 else "sent_by_staff", n, kept=said) for n, said in kept.items()]
    events.append(EventFact(AT, "settled_by_staff", "c77", {"mail": 77}))
    found = counted(Facts(drafts=tuple(draft(n, e) for n, e in enumerate(ends, 1)), events=tuple(events)))
    (template, none) = found.templates
    assert template.outcomes == Outcomes(as_is=3, edited=1, refused=1, own=1, replaced=2)
    assert (template.written, found.drafts_open) == (9, 1)
    assert none.outcomes == Outcomes(own=1)
    assert sum(one.outcomes.decided for one in found.buckets) == 7


def test_each_thing_belongs_to_the_time_in_which_it_happened() -> None:
    facts = Facts(drafts=(draft(1, created_at=SINCE - DAY), draft(2, done=UNTIL + DAY), draft(3, done=UNTIL)))
    (row,) = counted(facts).templates
    assert (row.written, row.outcomes.as_is) == (2, 1)


@pytest.mark.parametrize(
    ("hours", "middle", "nine_of_ten", "in_time", "of"),
    [((1,), 1, 1, 1, 1), ((1, 3), 2, 3, 2, 2), (tuple(range(1, 11)), 5.5, 9, 10, 10), ((2, 30), 16, 30, 1, 2)],
)
def test_time_to_the_first_answer(
    hours: tuple[int, ...], middle: float, nine_of_ten: float, in_time: int, of: int
) -> None:
    some = list(enumerate(hours, 1))
    facts = Facts(
        mails=tuple(mail(n) for n, _ in some),
        cases=tuple(case(n) for n, _ in some),
        drafts=tuple(draft(n, done=AT + timedelta(hours=h)) for n, h in some),
    )
    (row,) = counted(facts).answers
    assert (row.median_h, row.p90_h, row.in_time, row.counted) == (middle, nine_of_ten, in_time, of)


def test_who_waits_counts_against_the_day_and_a_second_mail_does_not_begin_anew() -> None:
    facts = Facts(
        mails=(
            mail(1, answered=False),
            mail(2, at=NOW - timedelta(hours=2), answered=False),
            mail(3),
            replace(mail(4, at=AT + timedelta(hours=1)), case_id="c3"),
            mail(5, "silence"),
        ),
        cases=(case(1, is_open=True), case(2, is_open=True), case(3)),
        drafts=(draft(3, done=AT + timedelta(hours=3)), draft(1, "drafted"), draft(2, "drafted")),
    )
    found = counted(facts)
    (row,) = found.answers
    assert (row.answered, row.median_h, row.waiting, row.late, row.counted, row.in_time) == (1, 3, 2, 1, 2, 1)
    assert (found.mails.received, found.mails.silent, found.overdue) == (5, 1, 2)


def test_a_refused_draft_is_no_answer_and_what_staff_wrote_after_it_is() -> None:
    answer = EventFact(
        AT + 2 * DAY, "sent_by_staff", "c1", {"draft": None, "kept": "own", "at": (AT + DAY).isoformat()}
    )
    facts = Facts(
        mails=(mail(1), mail(2)), cases=(case(1), case(2)), drafts=(draft(1, "discarded"), draft(2, "discarded"))
    )
    (row,) = counted(facts).answers
    assert (row.answered, row.unanswered, row.waiting) == (0, 2, 0)
    found = counted(replace(facts, events=(answer,)))
    assert (found.answers[0].answered, found.answers[0].median_h) == (1, 24)
    assert found.outcomes == Outcomes(refused=2)


def cancelling(number: int, side: str, channel: str, **more: Any) -> EventFact:
    return event("mail_draft", number, cancel=side, on=channel, **more)


def owed(number: int, *, matter: str = "sold_out", at: datetime = AT, item: str = "Mug", **more: Any) -> EventFact:
    detail = {"matter": matter, "cancels": matter == "sold_out", "on": "amazon", "causes": ["inspection"]}
    return event("owed_written", number, at=at, **detail | {"items": [["", item, 2]]} | more)


def test_whose_cancels_they_are() -> None:
    drafts = (
        draft(1),
        draft(2),
        draft(3),
        draft(4, "discarded"),
        draft(5),
        draft(6, order_id="o5"),
        draft(7),
        draft(8),
    )
    events = (
        cancelling(1, "buyer", "own"), cancelling(2, "shop", "amazon"), owed(3), owed(4),
        owed(5, matter="restock", on="own"), cancelling(6, "buyer", "own"), cancelling(7, "buyer", "own"), owed(8),
    )  # fmt: skip
    drafts = (*drafts, draft(9, order_id="O8"))
    events = (*events, cancelling(9, "buyer", "amazon"))
    near = Standing("amazon", 2, 2.5, days=7, orders=100)
    rows = {row.channel: row for row in counted(Facts(drafts=drafts, events=events), standings=[near]).cancels}
    assert (rows["own"].buyer, rows["own"].after_notice, rows["own"].shop) == (3, 1, 0)
    assert (rows["amazon"].buyer, rows["amazon"].shop, rows["amazon"].standing) == (0, 3, near)


@pytest.mark.parametrize(
    ("standing", "reached", "near", "over"),
    [
        (Standing("a", 1, 2.5, days=7, orders=1000), 0.1, False, False),
        (Standing("a", 2, 2.5, days=7, orders=100), 2.0, True, False),
        (Standing("a", 3, 2.5, days=7, orders=100), 3.0, True, True),
        (Standing("a", 3, 2.5, days=7), None, False, False),
        (Standing("r", 0, 35, points=15), 0, False, False),
        (Standing("r", 2, 35, points=15), 30, True, False),
        (Standing("r", 3, 35, points=15), 45, True, True),
        (Standing("e", 1, 2.0), None, False, False),
    ],
)
def test_against_the_limit(standing: Standing, reached: float | None, near: bool, over: bool) -> None:
    assert (standing.reached, standing.is_near, standing.is_over) == (reached, near, over)


def test_stock_outs_by_article_and_cause_with_their_warnings() -> None:
    later = AT + 3 * DAY
    drafts = (*(draft(n) for n in (1, 2, 3, 5, 6)), draft(4, "discarded"))
    events = (
        owed(1), owed(2, causes=["double_sale"]), owed(3, at=later, ordered=(AT + DAY).isoformat()), owed(4),
        owed(5, item="Cup", ordered=(AT - DAY).isoformat()), owed(6, item="ｍｕｇ", matter="delay"),
    )  # fmt: skip
    mug, cup = counted(Facts(drafts=drafts, events=events)).stock_outs
    assert mug == StockRow("Mug", 3, 6, (("inspection", 2), ("double_sale", 1)), 2, sold_after=1, often=True)
    assert cup == StockRow("Cup", 1, 2, (("inspection", 1),), 1)


def test_the_note_tells_of_an_article_that_runs_out_again_or_is_still_sold() -> None:
    later = AT + 3 * DAY
    before = owed(1, owed=1)
    assert again([before], {1}, UTC) == []
    today = [owed(2, owed=2, at=later), owed(3, owed=3, at=later, item="Cup")]
    assert again([before, *today], {2, 3}, UTC) == [Reason.of("stock_out_often", item="Mug", count=2, days=2)]
    sold = owed(4, owed=4, at=AT, item="Mug", ordered=(AT + DAY).isoformat())
    assert again([before, sold], {4}, UTC) == [Reason.of("stock_out_bait", item="Mug", count=1)]


def test_goods_that_cancels_left_over() -> None:
    goods = {"items": [["M1", "Mug", 2]]}
    events = (
        cancelling(1, "buyer", "own", status="preparing", **goods), cancelling(2, "buyer", "own", status="paid", **goods),
        cancelling(3, "buyer", "own", status="out_of_stock", **goods), owed(4), cancelling(5, "buyer", "own", **goods),
    )  # fmt: skip
    drafts = (draft(1), draft(2), draft(3), draft(4, order_id="o5"), draft(5))
    assert counted(Facts(drafts=drafts, events=events)).left_over == (LeftRow("Mug (M1)", 2, 4, 2),)


def rewording(buyer: str, gone: str, came: str, *, purged: bool = False, at: datetime = AT) -> Rewording:
    keys = key_of(gone), key_of(came)
    return Rewording("t", buyer, at, *keys, "" if purged else gone, "" if purged else came)


def test_only_what_several_buyers_drafts_had_in_common_is_shown() -> None:
    changes = [
        *(rewording(f"b{n}", "soon", "today", purged=n > 0) for n in range(3)),
        *(rewording("b1", "please", "") for _ in range(5)),
        *(rewording(f"b{n}", "until", f"secret {n}") for n in range(3)),
        *(rewording(f"b{n}", "old", "gone", at=SINCE - DAY) for n in range(3)),
        *(rewording(f"b{n}", "lost", "words", purged=True) for n in range(3)),
    ]
    rows = counted(Facts(rewordings=tuple(changes))).rewordings
    assert {(row.gone, row.came, row.buyers) for row in rows} == {("soon", "today", 3), ("until", None, 3)}


def test_a_complaint_is_put_down_to_the_reply_before_it() -> None:
    angry = EventFact(AT + DAY, "mail_hold", "c9", {"angry": True})
    cases = (case(1), replace(case(9), buyer="b1"))
    (row,) = counted(Facts(drafts=(draft(1),), cases=cases, events=(angry,))).templates
    assert row.complaints == 1


# --- the page and the tables ----------------------------------------------------------------------------------------

HOSTILE = "</td><script>alert(1)</script>\"'&=1+1 ]]><!-- 急須\u202e {{ x }}"


def full() -> Figures:
    drafts = tuple(draft(n, done=AT + timedelta(hours=n)) for n in range(1, 9))
    events = (
        *(owed(n, item=HOSTILE) for n in range(1, 4)),
        cancelling(4, "buyer", "rakuten", status="preparing", items=[["=cmd|x", HOSTILE, 1]]),
        *(event("approved", n, kept="edited") for n in range(1, 6)),
    )
    facts = Facts(
        mails=tuple(mail(n) for n in range(1, 9)),
        cases=tuple(case(n) for n in range(1, 9)),
        drafts=drafts,
        events=events,
        rewordings=tuple(rewording(f"b{n}", HOSTILE, "=today") for n in range(3)),
        perks=(("free_shipping", AT),),
    )
    return counted(
        facts, standings=[Standing("amazon", 3, 2.5, days=7, orders=100), Standing("rakuten", 2, 35, points=15)]
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_needs_nothing_and_runs_nothing_whatever_an_article_is_called(language: Any) -> None:
    page = page_html(full(), Words(WORDS, language, {"rakuten": HOSTILE}), shop=f"店{HOSTILE}", zone=UTC)
    root = etree.HTML(page)
    assert root.xpath("//script|//link|//img|//iframe|//*[@onload or @onclick or @href or @src]") == []
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/)", page)
    assert root.get("lang") == language
    assert len(root.xpath("//figure/svg[@role='img'][@aria-label]")) == 4
    for figure in root.xpath("//figure"):
        assert figure.getparent().xpath(".//table//tr")
    for table in root.xpath("//table"):
        assert {len(row.xpath("./th|./td")) for row in table.xpath(".//tr")} == {len(table.xpath("./thead//th"))}
    text = "".join(root.xpath("//body//text()"))
    assert "急須" in text
    assert not re.search(r"report\.|column_|about_|\{\w+\}(?! x)", text.replace("{{ x }}", ""))


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_journal_says_so(language: Any) -> None:
    words = Words(WORDS, language)
    never = page_html(Figures(SINCE, UNTIL, NOW), words, shop="S", zone=UTC)
    quiet = page_html(Figures(SINCE, UNTIL, NOW, began_at=SINCE), words, shop="S", zone=UTC)
    assert words.text("never_ran") in never
    assert words.text("nothing") in quiet
    assert "<table" not in never


def test_what_is_to_be_looked_at() -> None:
    lines = to_do(full(), Words(WORDS, "en", {"amazon": "Amazon"}))
    assert lines[0].startswith("Cancels on Amazon: At or above the limit: 3 of 100")
    assert any("again and again" in line for line in lines)


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", False), ("+1", False), ("-1", False), ("@SUM", False), ("\t=1", False), ("\r=1", False), ("  =1", False),
        ("＝1+1", False), ("|cmd", False), ("Mug = good", True), ("急須", True), ("", True),
    ],
)  # fmt: skip
def test_no_cell_begins_a_formula(cell: str, safe: bool) -> None:
    assert harmless(cell) == (cell if safe else f"'{cell}")
    sheet = Sheet("left_over", (("item", "text"), ("pieces", "count")), ((cell, -3),))
    rows = list(csv.reader(io.StringIO(csv_bytes(sheet, Words(WORDS, "en")).decode("utf-8-sig"), newline="")))
    assert rows[1:] == [[cell if safe else f"'{cell}", "-3"]]


def test_every_cell_of_every_table_is_harmless() -> None:
    for sheet in sheets(full(), Words(WORDS, "ja")):
        for row in csv.reader(io.StringIO(csv_bytes(sheet, Words(WORDS, "ja")).decode("utf-8-sig"), newline="")):
            assert not [cell for cell in row if cell.lstrip().startswith(("=", "+", "-", "@", "|"))]
