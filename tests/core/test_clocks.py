"""What falls due in a case, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from responder.core.clocks import Clocks, asking, first_look, look, waits_for
from responder.core.due import Reader, all_due, digest
from responder.core.wording import Catalog
from responder.model import Case, CaseFile, DraftLine, MailLine

OPENED = datetime(2026, 11, 16, 1, tzinfo=UTC)
DEADLINE = OPENED + timedelta(hours=24)
CLOCKS = Clocks()
LONG_AGO = OPENED - timedelta(days=30)


def case(**changes: object) -> Case:
    usual = Case("c1", "main", "open", None, "hanako@mail.example", "own", "1042", "ja", OPENED, DEADLINE)
    return replace(usual, **changes)


def mail(number: int = 1, action: str = "hold", *, answered: bool = False) -> MailLine:
    return MailLine(number, action, "other", None, answered, OPENED)


def draft(state: str = "drafted", situation: str = "where_is_order", **changes: object) -> DraftLine:
    usual = DraftLine(1, state, situation, situation, "1042", OPENED, None, None)
    return replace(usual, **changes)


HELD = CaseFile(case(), (mail(),))
DRAFTED = CaseFile(case(), (mail(action="draft"),), (draft(),))


def after(hours: float) -> datetime:
    return OPENED + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (HELD, "person"),
        (DRAFTED, "draft"),
        (CaseFile(case(), (mail(answered=True),)), "nothing"),
        (CaseFile(case(), (mail(), mail(2, "silence"))), "nothing"),  # he took it back
        (CaseFile(case(), (mail(action="draft"),), (draft("withdrawn"),)), "person"),
        (CaseFile(case(), (mail(),), (draft("vanished"),)), "draft"),
        (CaseFile(case(), (mail(),), (draft("approved"),)), "leaving"),
        (CaseFile(case(), (), (draft("drafted", "owe_restock"),)), "draft"),
        (CaseFile(case(), (mail(),), (draft("drafted", "holding"),)), "draft"),
        (CaseFile(case(), (mail(),), (draft("filed", "holding"),)), "person"),
        (CaseFile(case(state="closed"), (mail(),)), "nothing"),
    ],
)
def test_for_whom_a_case_waits(file: CaseFile, expected: str) -> None:
    assert waits_for(file) == expected


def seen(file: CaseFile, now: datetime) -> str:
    found = look(file, CLOCKS, now, begun=LONG_AGO)
    flags = {"late": found.is_late, "close": found.is_close, "holding": found.wants_holding}
    return " ".join(name for name, is_so in flags.items() if is_so)


@pytest.mark.parametrize(
    ("file", "hours", "expected"),
    [
        (HELD, 19.9, ""),
        (HELD, 20, "close holding"),
        (HELD, 24, "late close holding"),  # the machine was off in between
        (HELD, 24 * 3, "late close holding"),
        (DRAFTED, 3.9, ""),
        (DRAFTED, 4, "close"),
        (DRAFTED, 24, "late close"),
        (CaseFile(case(), (mail(),), (draft("discarded", "holding"),)), 21, "close"),  # refused once: never again
        (CaseFile(case(), (mail(),), (draft("stale", "holding"),)), 21, "close holding"),
        (CaseFile(case(), (mail(),), (draft("approved"),)), 21, ""),
        (CaseFile(case(), (mail(),), (draft("approved"),)), 25, "late"),
        (CaseFile(case(looked_at=after(20)), (mail(),)), 23, ""),
        (CaseFile(case(looked_at=after(20)), (mail(),)), 24, "late"),
        (CaseFile(case(looked_at=after(24)), (mail(),)), 24 * 9, ""),
        (CaseFile(case(deadline_at=None), (mail(),)), 24 * 9, ""),
        (CaseFile(case(deadline_at=after(-2)), (mail(),)), 0, "late"),  # it came while we were away
        (CaseFile(case(deadline_at=after(2)), (mail(),)), 1, "close holding"),  # of a short time the half
    ],
)
def test_each_thing_falls_due_once(file: CaseFile, hours: float, expected: str) -> None:
    assert seen(file, after(hours)) == expected


def test_looks_at_every_quarter_of_an_hour_do_each_thing_once() -> None:
    for file, expected in ((HELD, ["close holding", "late"]), (DRAFTED, ["close", "close", "late"])):
        found, current = [], file
        for quarter in range(4 * 24 * 5):
            now = after(quarter / 4)
            if said := seen(current, now):
                found.append(said)
            current = replace(current, case=replace(current.case, looked_at=now))
        assert found == expected


def test_looking_only_when_something_is_to_come_misses_nothing() -> None:
    for file in (HELD, DRAFTED):
        at: datetime | None = first_look(OPENED, DEADLINE, CLOCKS)
        found, current = [], file
        while at is not None:
            if said := seen(current, at):
                found.append(said)
            following = look(current, CLOCKS, at, begun=LONG_AGO).next_at
            current = replace(current, case=replace(current.case, looked_at=at))
            at = following
        assert found[-1] == "late"
        assert len(found) == (2 if file is HELD else 3)


def test_what_was_over_before_there_were_clocks_is_not_late_now() -> None:
    """The first start with `since` finds months of mail."""
    file = CaseFile(case(deadline_at=after(-100)), (mail(),))
    assert not look(file, CLOCKS, OPENED, begun=OPENED).is_told


def test_a_look_by_a_clock_that_was_wrong_hides_nothing_of_what_is_to_come() -> None:
    file = replace(HELD, case=case(looked_at=after(24 * 400)))
    assert seen(file, after(20)) == "close holding"
    assert seen(file, after(22)) == ""


def closed(template: str, **changes: object) -> CaseFile:
    sent = draft("filed", template, sent_at=after(1), **changes)
    return CaseFile(case(state="closed", outcome="sent", looked_at=after(2)), (mail(answered=True),), (sent,))


@pytest.mark.parametrize("template", sorted(asking()))
def test_our_question_is_asked_again_after_three_days(template: str) -> None:
    file = closed(template)
    assert look(file, CLOCKS, after(2), begun=LONG_AGO).next_at == after(73)
    assert look(file, CLOCKS, after(73), begun=LONG_AGO).nudge == file.drafts[0]
    later = replace(file, case=replace(file.case, looked_at=after(73)))
    assert look(later, CLOCKS, after(200), begun=LONG_AGO).nudge is None
    assert look(file, replace(CLOCKS, nudge_after=None), after(73), begun=LONG_AGO).nudge is None


def test_what_asks_nothing_is_not_asked_again() -> None:
    for template in ("where_is_order", "cancel_before_ship", "owe_delay", "cancel_offer_to_keep", "nudge"):
        found = look(closed(template), CLOCKS, after(500), begun=LONG_AGO)
        assert (found.nudge, found.cares, found.next_at) == (None, None, None)


def test_a_week_after_a_sold_out_notice_the_shop_may_care() -> None:
    file = closed("owe_sold_out")
    assert look(file, CLOCKS, after(100), begun=LONG_AGO).next_at == after(1 + 24 * 7)
    assert look(file, CLOCKS, after(1 + 24 * 7), begun=LONG_AGO).cares == file.drafts[0]


def test_the_morning_mail_names_each_case_once() -> None:
    files = [
        HELD,
        replace(DRAFTED, case=case(id="c2", order_id="1043", deadline_at=after(60))),
        CaseFile(case(id="c3", order_id=None, channel="rakuten", deadline_at=after(-1)), (mail(),)),
        CaseFile(case(id="c4", order_id="1045", deadline_at=after(60)), (mail(),)),
        CaseFile(case(id="c5", state="closed"), (mail(answered=True),)),
    ]
    read = Reader(Catalog.load(), "ja", UTC, OPENED, {"rakuten": "楽天市場"})
    lines, counts = digest(all_due(files), read, after(24))
    assert counts == {"late": 1, "today": 1, "drafts": 1, "held": 3}
    text = "\n".join(lines)
    assert text.index("期限を過ぎて") < text.index("hanako@mail.example（楽天市場）") < text.index("今日のうちに")
    for order in ("1042", "1043", "1045"):
        assert text.count(order) == 1
    assert digest([], read, after(24))[0] == []
