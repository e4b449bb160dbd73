"""How long buyers waited for their first answer, by channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from statistics import median

from responder.core.report.drafts import Ending
from responder.core.report.figures import ANSWER_WITHIN_H, AnswerRow
from responder.model import Facts

_WITHIN = timedelta(hours=ANSWER_WITHIN_H)


def by_channel(
    facts: Facts, ended: Sequence[Ending], since: datetime, until: datetime, now: datetime
) -> tuple[AnswerRow, ...]:
    """A row for each channel on which a buyer began a matter within the time, the busiest first."""
    channel_of = {case.id: case.channel for case in facts.cases}
    began: dict[str, datetime] = {}
    waits: set[str] = set()
    for mail in facts.mails:
        if mail.case_id in channel_of and mail.action in ("draft", "hold"):
            began[mail.case_id] = min(mail.arrived_at, began.get(mail.case_id, mail.arrived_at))
            if not mail.answered:
                waits.add(mail.case_id)
    answered: dict[str, datetime] = {}
    for one in ended:
        if one.result in ("as_is", "edited", "own") and one.case_id in began and one.at >= began[one.case_id]:
            answered[one.case_id] = min(one.at, answered.get(one.case_id, one.at))
    rows: dict[str, list[str]] = {}
    for case_id, first in began.items():
        if since <= first < until:
            rows.setdefault(channel_of[case_id], []).append(case_id)
    found = [_row(channel, cases, began, answered, waits, now) for channel, cases in rows.items()]
    return tuple(sorted(found, key=lambda row: (-row.answered - row.waiting, row.channel)))


def _row(
    channel: str,
    cases: Sequence[str],
    began: dict[str, datetime],
    answered: dict[str, datetime],
    waits: set[str],
    now: datetime,
) -> AnswerRow:
    took = sorted(answered[one] - began[one] for one in cases if one in answered)
    hours = [one.total_seconds() / 3600 for one in took]
    waiting = [one for one in cases if one not in answered and one in waits]
    late = [one for one in waiting if now - began[one] > _WITHIN]
    return AnswerRow(
        channel=channel,
        answered=len(took),
        median_h=median(hours) if hours else None,
        p90_h=hours[ceil(0.9 * len(hours)) - 1] if hours else None,
        in_time=sum(one <= _WITHIN for one in took),
        counted=len(took) + len(late),
        waiting=len(waiting),
        late=len(late),
        unanswered=len(cases) - len(took) - len(waiting),
    )
