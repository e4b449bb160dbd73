"""The report: facts of the journal become figures, and figures a page and tables. Pure, and without anybody's text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, tzinfo

from responder.core.report import answers, drafts, goods
from responder.core.report.figures import SHARED_BY, Figures, Mails, RewordingRow, Standing
from responder.model import OPEN_DRAFT_STATES, Facts, Rewording

MOST_REWORDINGS = 40

__all__ = ["Figures", "Standing", "count"]


def count(
    facts: Facts,
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    zone: tzinfo,
    standings: Sequence[Standing] = (),
) -> Figures:
    """The figures from `since` to before `until`. `facts` may reach back further: what happened before is looked at
    where it tells what the time itself means. `standings` are those of now."""
    ended = drafts.endings(facts)
    perks = Counter(name for name, at in facts.perks if since <= at < until)
    return Figures(
        since=since,
        until=until,
        made_at=now,
        began_at=facts.began_at,
        mails=_mails(facts, since, until),
        templates=drafts.by_template(facts, ended, since, until),
        buckets=drafts.over_time(ended, since, min(until, max(now, since)), zone),
        answers=answers.by_channel(facts, ended, since, until, now),
        cancels=goods.cancels(facts, ended, since, until, standings),
        apologies=goods.apologies(facts, ended, since, until),
        stock_outs=goods.stock_outs(facts, ended, since, until, zone),
        rewordings=_rewordings(facts.rewordings, since, until),
        left_over=goods.left_over(facts, ended, since, until),
        perks=tuple(sorted(perks.items(), key=lambda entry: (-entry[1], entry[0]))),
        drafts_open=sum(one.state in OPEN_DRAFT_STATES for one in facts.drafts),
        overdue=sum(one.is_open and one.deadline_at is not None and one.deadline_at < now for one in facts.cases),
        undelivered=sum(one.kind == "undelivered" and since <= one.at < until for one in facts.events),
    )


def _mails(facts: Facts, since: datetime, until: datetime) -> Mails:
    actions = Counter(one.action for one in facts.mails if since <= one.arrived_at < until)
    known = {name: actions[name] for name in ("draft", "hold", "silence")}
    return Mails(
        received=actions.total(),
        drafted=known["draft"],
        held=known["hold"],
        silent=known["silence"],
        set_aside=actions.total() - sum(known.values()),
    )


def _rewordings(changes: Sequence[Rewording], since: datetime, until: datetime) -> tuple[RewordingRow, ...]:
    """The changes that the drafts of several buyers had in common, with one within the time, the most usual first. What
    fewer had is nobody's to read: it may tell of one buyer."""
    words: dict[str, str] = {"": ""}
    pairs: dict[tuple[str, str, str], set[str]] = {}
    sentences: dict[tuple[str, str], set[str]] = {}
    recent: set[tuple[str, str]] = set()
    for one in changes:
        words |= {key: text for key, text in ((one.gone_key, one.gone), (one.came_key, one.came)) if text}
        pairs.setdefault((one.template, one.gone_key, one.came_key), set()).add(one.buyer)
        if one.gone_key:
            sentences.setdefault((one.template, one.gone_key), set()).add(one.buyer)
        if since <= one.at < until:
            recent |= {(one.template, one.gone_key), (one.template, one.came_key)}
    rows: list[RewordingRow] = []
    shown: set[tuple[str, str]] = set()
    for (template, gone, came), buyers in pairs.items():
        if len(buyers) < SHARED_BY or gone not in words or came not in words:
            continue
        if (template, gone if gone else came) in recent:
            rows.append(RewordingRow(template, words[gone], words[came], len(buyers)))
            shown.add((template, gone))
    for (template, gone), buyers in sentences.items():
        is_new = (template, gone) not in shown and (template, gone) in recent
        if is_new and len(buyers) >= SHARED_BY and words.get(gone):
            rows.append(RewordingRow(template, words[gone], None, len(buyers)))
    rows.sort(key=lambda row: (-row.buyers, row.template, row.gone, row.came or ""))
    return tuple(rows[:MOST_REWORDINGS])
