"""Carries plans out: journal "drafting" -> APPEND -> journal "drafted", and takes replaced drafts away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from responder.core.cancels import effect_of, is_shops
from responder.core.goods import kept_of
from responder.core.order_data import placed_on
from responder.edges.imap import Session
from responder.edges.journal import cases, clocks, drafts, lookups, mails, notes
from responder.errors import CommandRefused, ResponderError
from responder.flows import parcels
from responder.flows.desk import Desk, is_untouched
from responder.flows.places import find_as_written, find_rewritten
from responder.flows.planning import Plan
from responder.flows.tell import tell
from responder.model import Draft, Place, Reason

INTENT_MAX_AGE = timedelta(hours=1)
REFUSED_PAUSE = timedelta(minutes=1)
OWN_LINE_FROM = 100
DRAFT = ("\\Draft",)

Uid = tuple[int, int]
"""Where the server put a mail: uidvalidity and uid."""


def carry_out(desk: Desk, group: Sequence[Plan], now: datetime) -> None:
    """Commit what was decided, then put the drafts into Drafts, then commit that they are there."""
    Scribe(desk, now).carry_out(group)


@contextmanager
def opened_scribe(desk: Desk, mails: int, now: datetime) -> Iterator[Scribe]:
    """A scribe for about so many mails; many are worth a line of its own, if the server grants one."""
    line = _own_line(desk) if mails >= OWN_LINE_FROM else None
    if line is None:
        yield Scribe(desk, now)
        return
    with line, ThreadPoolExecutor(1, "append") as hand:
        scribe = Scribe(desk, now, line, hand)
        yield scribe
        scribe.settle()


def _own_line(desk: Desk) -> Session | None:
    try:
        line = Session.connect(desk.account.imap, desk.account.imap_secret)
        line.select(desk.located.drafts)  # Dovecot stores faster into the mailbox that is open
    except ResponderError as exc:
        desk.say("no_second_line", error=type(exc).__name__)
        return None
    return line


@dataclass(slots=True)
class Scribe:
    """Carries out groups of plans, one after the other.

    APPEND is the slowest step of all, and most of it is the server's: with a `line` of its own the scribe lets another
    `hand` put the drafts of one group into Drafts while the next group is being planned. At most one group is under
    way, and only the calling thread writes the journal. If a line breaks, the intents tell what must be looked for.
    """

    desk: Desk
    now: datetime
    line: Session | None = None
    hand: Executor | None = None
    under_way: tuple[Sequence[Plan], Future[tuple[Uid | None, ...]]] | None = None

    def carry_out(self, group: Sequence[Plan]) -> None:
        """Commit what was decided and see to it that the drafts get into Drafts."""
        if not group:
            return
        with self.desk.journal.durable() as tx:
            _commit(self.desk, tx, group, self.now)
        self.settle()
        raws = [plan.draft_raw for plan in group if plan.letter is not None]
        if raws and self.line is not None and self.hand is not None:
            mailbox = self.desk.located.drafts
            self.under_way = group, self.hand.submit(self.line.append_many, mailbox, raws, flags=DRAFT)
            return
        if raws:
            append_drafts(self.desk, _written(group), self.now)
        _finish(self.desk, group)

    def settle(self) -> None:
        """Wait until all drafts so far are where they belong, and commit that."""
        if self.under_way is None:
            return
        (group, places), self.under_way = self.under_way, None
        _commit_places(self.desk, _written(group), places.result, self.now)
        _finish(self.desk, group)


def _written(group: Sequence[Plan]) -> list[tuple[int, bytes]]:
    return [(plan.draft_id, plan.draft_raw) for plan in group if plan.letter is not None]


def _finish(desk: Desk, group: Sequence[Plan]) -> None:
    for plan in group:
        if plan.retire is not None:
            remove_own_draft(desk, plan.retire)
        desk.tried.discard(plan.mail_id)
        desk.say(
            "mail_decided",
            mail=plan.mail_id,
            result=plan.decision.action,
            situation=plan.decision.situation,
            rule=plan.decision.rule,
            case=plan.case.id if plan.case else None,
        )


def _commit(desk: Desk, tx: Connection, group: Sequence[Plan], now: datetime) -> None:
    """Everything that was decided, table by table: one statement serves the whole group."""
    keys: dict[str, str] = {}
    cases.open_cases(tx, [plan.case for plan in group if plan.case is not None and plan.is_new_case])
    for plan in group:
        if plan.case is None:
            continue
        if not plan.is_new_case and plan.decision.action != "silence":
            cases.learn(tx, plan.case.id, order_id=plan.decision.order_id, language=plan.decision.language)
            clocks.look_again(tx, plan.case.id, now)
        keys |= dict.fromkeys(plan.keys, plan.case.id)
        if plan.letter is not None:
            keys[plan.draft_message_id] = plan.case.id
    cases.tie(tx, desk.name, keys)
    mails.decide(tx, [_verdict(plan) for plan in group])
    for plan in group:
        if plan.retire is not None:
            drafts.end(tx, plan.retire.id, "stale" if plan.letter is not None else "withdrawn", now=now)
    draft_ids = drafts.begin(tx, [intent for plan in group if (intent := _intent(desk, plan)) is not None], now=now)
    for plan in group:
        plan.draft_id = draft_ids.get(plan.draft_message_id, 0)
        _commit_bounce(desk, tx, plan, now)
        _commit_parcel(desk, tx, plan, now)
        _commit_note(desk, tx, plan, now)
    lookups.count(tx, desk.name, _failed_lookups(group), now=now)
    cases.record_all(tx, desk.name, [_event(desk, plan) for plan in group], now=now)


def _failed_lookups(group: Sequence[Plan]) -> dict[str, int]:
    failed: dict[str, int] = {}
    for plan in group:
        if plan.decision.failed_lookups and plan.buyer:
            failed[plan.buyer] = failed.get(plan.buyer, 0) + plan.decision.failed_lookups
    return failed


def _verdict(plan: Plan) -> mails.Verdict:
    return mails.Verdict(
        plan.mail_id,
        plan.decision,
        case_id=plan.case.id if plan.case is not None else None,
        message_id=plan.own.message_id,
        content_sha256=plan.own.content_sha256,
        sender=plan.buyer,
    )


def _intent(desk: Desk, plan: Plan) -> drafts.Intent | None:
    letter, case, decision = plan.letter, plan.case, plan.decision
    if letter is None or case is None:
        return None
    return drafts.Intent.of(
        decision,
        letter,
        case_id=case.id,
        account=desk.name,
        message_id=plan.draft_message_id,
        raw=plan.draft_raw,
        answers=plan.answers,
    )


def _event(desk: Desk, plan: Plan) -> tuple[str, str | None, dict[str, object]]:
    decision = plan.decision
    detail: dict[str, object] = {"mail": plan.mail_id, "situation": decision.situation, "rule": decision.rule}
    if decision.is_formal:
        detail["formal"] = True
    if decision.is_angry:
        detail["angry"] = True
    if plan.draft_id:
        detail["draft"] = plan.draft_id
        detail |= _cancelling(desk, plan)
    return f"mail_{decision.action}", plan.case.id if plan.case is not None else None, detail


def _cancelling(desk: Desk, plan: Plan) -> dict[str, object]:
    """What a report counts of a cancel that this draft accepts: whose it is, on which channel, and of which goods."""
    decision, order = plan.decision, plan.decision.order
    if order is None or effect_of(decision.situation, decision.template) != "accepts":
        return {}
    on = placed_on(order, decision.channel)
    channel = next((one for one in desk.settings.channels if one.name == on), None)
    side = "shop" if channel is not None and is_shops(decision, channel) else "buyer"
    return {"cancel": side, "on": on, "status": order.status, "items": kept_of(order.items)}


def _commit_parcel(desk: Desk, tx: Connection, plan: Plan, now: datetime) -> None:
    """The warehouse is to hold a parcel back at once, or not any longer."""
    order, case = plan.decision.order, plan.case
    if case is None:
        return
    if plan.stops and order is not None:
        channel = placed_on(order, plan.decision.channel)
        parcels.stop(desk, tx, case.id, order_id=order.order_id, channel=channel, now=now)
    elif plan.takes_back:
        parcels.over(desk, tx, case.id, None, "release", "withdrawn_by_buyer", now)


def _commit_note(desk: Desk, tx: Connection, plan: Plan, now: datetime) -> None:
    if plan.note is not None:
        key, note = plan.note
        tell(
            desk,
            tx,
            key,
            note,
            now=now,
            in_reply_to=plan.own.message_id,
            references=plan.own.references,
            reasons=_reasons(plan),
            excerpt=plan.excerpt,
            told=plan.told,
        )


def _reasons(plan: Plan) -> tuple[Reason, ...]:
    """Why it was decided so; how old the order data are is told once."""
    if not plan.told.to_know:
        return plan.decision.reasons
    return tuple(reason for reason in plan.decision.reasons if reason.code != "order_data_age")


def _commit_bounce(desk: Desk, tx: Connection, plan: Plan, now: datetime) -> None:
    """A bounce of a mail of ours: its case was not delivered, and a person should know."""
    if not plan.bounced:
        return
    parcels.bounced(desk, tx, plan.bounced, now)
    for draft in {d.id: d for d in drafts.by_message_ids(tx, desk.name, plan.bounced).values()}.values():
        cases.record(tx, desk.name, "undelivered", now=now, case_id=draft.case_id, draft=draft.id)
        tell(desk, tx, f"undelivered:{draft.id}", Reason.of("undelivered", order=draft.order_id or "-"), now=now)


def append_drafts(desk: Desk, written: Sequence[tuple[int, bytes]], now: datetime) -> None:
    r"""Put drafts into Drafts with `\Draft` and without `\Seen`, and commit where they lie.

    Refused by the server (quota): they stay intended, staff are told once, a later turn tries again.
    """
    mailbox, raws = desk.located.drafts, [raw for _, raw in written]
    _commit_places(desk, written, lambda: desk.session.append_many(mailbox, raws, flags=DRAFT), now)


def _commit_places(
    desk: Desk, written: Sequence[tuple[int, bytes]], append: Callable[[], tuple[Uid | None, ...]], now: datetime
) -> None:
    mailbox = desk.located.drafts
    try:
        places = append()
    except CommandRefused as exc:
        desk.say("append_refused", level=40, code=exc.code)
        desk.append_not_before = now + REFUSED_PAUSE
        with desk.journal.durable() as tx:
            note = Reason.of("append_refused", folder=mailbox, text=exc.text or exc.code)
            tell(desk, tx, "append-refused", note, now=now)
        return
    with desk.journal.durable() as tx:
        if notes.was_told(tx, desk.name, "append-refused"):
            notes.forget(tx, desk.name, "append-refused")
            tell(desk, tx, f"append-works:{now.isoformat()}", Reason.of("append_works_again", folder=mailbox), now=now)
        found = [Place(mailbox, *place) if place is not None else None for place in places]
        drafts.drafted(tx, dict(zip([draft_id for draft_id, _ in written], found, strict=True)))
    desk.say("drafts_appended", count=len(written))


def remove_own_draft(desk: Desk, draft: Draft) -> None:
    """Take an ended draft of ours out of Drafts if it still is as we wrote it; one staff touched is theirs."""
    if draft.place is not None and is_untouched(desk, replace(draft, state="drafted")):
        desk.session.remove(draft.place.uid)
        desk.forget_status(draft.place.mailbox)
    with desk.journal.light() as tx:
        drafts.finish(tx, draft.id, removed=True)


def resolve_intents(desk: Desk, now: datetime) -> None:
    """Drafts that were intended and never confirmed: look where they are before anything is written again."""
    if desk.append_not_before is not None and now < desk.append_not_before:
        desk.wake_at(desk.append_not_before)
        return
    desk.append_not_before = None
    with desk.journal.reading() as tx:
        intended = drafts.intended(tx, desk.name)
        leftovers = drafts.leftover(tx, desk.name)
    for draft in leftovers:
        remove_own_draft(desk, draft)
    missing: list[Draft] = []
    for draft in intended:
        found, place = _look_for(desk, draft)
        if not found:
            missing.append(draft)
            continue
        with desk.journal.durable() as tx:
            drafts.drafted(tx, {draft.id: place})
        desk.say("intent_found", draft=draft.id)
    with desk.journal.reading() as tx:
        refused = notes.was_told(tx, desk.name, "append-refused")
    young = [d for d in missing if refused or now - d.created_at <= INTENT_MAX_AGE]
    if young:
        append_drafts(desk, [(d.id, d.raw) for d in young], now)
    for draft in missing:
        if draft not in young:
            with desk.journal.durable() as tx:
                drafts.end(tx, draft.id, "withdrawn", now=now)
                drafts.finish(tx, draft.id, removed=True)
                note = Reason.of("draft_lost", order=draft.order_id or "-")
                tell(desk, tx, f"draft-lost:{draft.id}", note, now=now, in_reply_to=draft.in_reply_to)


def _look_for(desk: Desk, draft: Draft) -> tuple[bool, Place | None]:
    """Whether an intended draft was put into Drafts, and where it lies if it is still as we wrote it.

    Staff may have had it in hand since: saved anew under another id, sent, or thrown away. Of two copies of ours in
    Drafts the older one counts, the other is removed.
    """
    mailboxes = desk.staff_mailboxes()
    for mailbox in mailboxes:
        places = find_as_written(desk, draft, mailbox)
        if places:
            if mailbox == desk.located.drafts:
                for double in places[1:]:
                    desk.session.remove(double.uid)
            return True, places[0]
    return any(find_rewritten(desk, draft, mailbox) for mailbox in mailboxes), None
