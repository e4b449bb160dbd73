"""What became of the drafts, by template and over time, and the mails that staff answered without one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal

from responder.core.report.figures import Bucket, Outcomes, TemplateRow
from responder.model import DraftFact, EventFact, Facts

Result = Literal["as_is", "edited", "refused", "own", "replaced"]
_OF_KEPT: Mapping[str, Result] = {"same": "as_is", "edited": "edited", "own": "own"}
BY_STAFF = ("sent_by_staff", "pasted_by_staff", "settled_by_staff")
COMPLAINS_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of one draft, and when. `draft` None: staff answered where there was no draft; `is_second`: they had
    deleted one before."""

    result: Result
    at: datetime
    case_id: str | None
    draft: DraftFact | None = None
    is_second: bool = False

    @property
    def template(self) -> str:
        """Of the draft, "" for none."""
        return self.draft.template if self.draft is not None else ""

    @property
    def went_out(self) -> bool:
        """The buyer has our words, as they were or with changes."""
        return self.result in ("as_is", "edited")


def said_at(event: EventFact) -> datetime:
    """When staff answered: what the mail server says, else when it was noticed."""
    try:
        at = datetime.fromisoformat(str(event.detail.get("at", "")))
    except ValueError:
        return event.at
    return at if at.tzinfo is not None else event.at


def endings(facts: Facts) -> list[Ending]:
    """The end of every draft that has come to one, and of every matter that staff closed without a draft."""
    kept: dict[int, str] = {}
    for event in facts.events:
        if event.kind == "holding_sent" and "kept" not in event.detail:
            continue
        if event.kind in ("approved", "holding_sent", *BY_STAFF) and isinstance(event.detail.get("draft"), int):
            kept[event.detail["draft"]] = str(event.detail.get("kept", ""))
    found: list[Ending] = []
    for draft in facts.drafts:
        result = _result(draft, kept.get(draft.id, ""))
        at = draft.sent_at or draft.ended_at
        if result is not None and at is not None:
            found.append(Ending(result, at, draft.case_id, draft))
    refused = {draft.case_id for draft in facts.drafts if draft.state == "discarded"}
    for event in facts.events:
        if event.kind in BY_STAFF and not event.detail.get("draft"):
            found.append(Ending("own", said_at(event), event.case_id, is_second=event.case_id in refused))
    return found


def _result(draft: DraftFact, kept: str) -> Result | None:
    match draft.state:
        case "sent" | "filed":
            return "as_is" if kept in ("", "same") else "edited"
        case "sent_by_staff":
            return _OF_KEPT.get(kept, "own")
        case "discarded":
            return "refused"
        case "stale" | "withdrawn":
            return "replaced"
    return None


def by_template(facts: Facts, ended: Sequence[Ending], since: datetime, until: datetime) -> tuple[TemplateRow, ...]:
    """A row for each template of which a draft was written or decided on within the time, the busiest first."""
    written = Counter(one.template for one in facts.drafts if since <= one.created_at < until)
    results = Counter((one.template, one.result) for one in ended if since <= one.at < until and not one.is_second)
    complaints = _complaints(facts, ended, since, until)
    names = {*written, *(template for template, _ in results)}
    rows = [
        TemplateRow(name, written[name], _outcomes(results, name), complaints[name] if name else 0) for name in names
    ]
    return tuple(sorted(rows, key=lambda row: (not row.template, -row.outcomes.decided, -row.written, row.template)))


def _outcomes(results: Mapping[tuple[str, Result], int], template: str) -> Outcomes:
    return Outcomes(
        as_is=results.get((template, "as_is"), 0),
        edited=results.get((template, "edited"), 0),
        refused=results.get((template, "refused"), 0),
        own=results.get((template, "own"), 0),
        replaced=results.get((template, "replaced"), 0),
    )


def _complaints(facts: Facts, ended: Iterable[Ending], since: datetime, until: datetime) -> Counter[str]:
    """Upset mails by the template that their buyer had been sent last before."""
    buyer_of = {case.id: case.buyer for case in facts.cases}
    sent: dict[str, list[tuple[datetime, str]]] = {}
    for one in ended:
        if one.went_out and one.case_id in buyer_of:
            sent.setdefault(buyer_of[one.case_id], []).append((one.at, one.template))
    found: Counter[str] = Counter()
    for event in facts.events:
        if not event.detail.get("angry") or not since <= event.at < until or event.case_id not in buyer_of:
            continue
        before = [s for s in sent.get(buyer_of[event.case_id], ()) if event.at - COMPLAINS_WITHIN <= s[0] < event.at]
        if before:
            found[max(before)[1]] += 1
    return found


def over_time(ended: Sequence[Ending], since: datetime, until: datetime, zone: tzinfo) -> tuple[Bucket, ...]:
    """Days, weeks or months, whichever the eye can take in, those without anything too."""
    first, last = since.astimezone(zone).date(), (until - timedelta(microseconds=1)).astimezone(zone).date()
    span = (last - first).days + 1
    steps: list[date] = []
    day = _begin(first, span)
    while day <= last:
        steps.append(max(day, first))
        day = _next(day, span)
    results: Counter[tuple[date, Result]] = Counter()
    for one in ended:
        if since <= one.at < until and not one.is_second:
            results[max(_begin(one.at.astimezone(zone).date(), span), first), one.result] += 1
    return tuple(
        Bucket(
            day,
            Outcomes(
                results[day, "as_is"],
                results[day, "edited"],
                results[day, "refused"],
                results[day, "own"],
                results[day, "replaced"],
            ),
        )
        for day in steps
    )


def _begin(day: date, span: int) -> date:
    return day if span <= 14 else day - timedelta(days=day.weekday()) if span <= 120 else day.replace(day=1)


def _next(day: date, span: int) -> date:
    if span > 120:
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=1 if span <= 14 else 7)
