"""What is to be done about one mail: read, guarded, matched to its case and order, decided, and written.

Reads the journal, the orders and, for earlier mails of the case, the mailbox. Commits and sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from secrets import token_hex

from responder.core import guards
from responder.core.cancels import effect_of
from responder.core.channels import MOST, Channel, wanted_order_ids
from responder.core.compose import draft_bytes
from responder.core.mime import combine, read
from responder.core.notes import Told
from responder.core.owed.answers import ASKED, says_wait
from responder.core.owed.letter import SITUATION
from responder.core.parcels import is_taken_back, is_to_be_stopped
from responder.core.remarks import lines
from responder.edges.journal import cases, drafts, lookups, mails
from responder.errors import MessageError
from responder.flows import parcels
from responder.flows.deadlines import clocked, deadline_of
from responder.flows.desk import Desk, is_untouched
from responder.flows.proofreading import read_before_pasting
from responder.flows.remarking import cost_of_cancelling, told_of
from responder.flows.understanding import Unpacked, judge, unpack, why_silent, write
from responder.flows.ways import Way, way_to
from responder.model import (
    OPEN_DRAFT_STATES,
    Case,
    Decision,
    Draft,
    Fetched,
    Letter,
    Mail,
    Message,
    Place,
    Reason,
    order_key,
)

WHOLE_MAIL_BYTES = 2_000_000
EARLIER_MAILS = 10
THREAD_IDS = 50
MOST_FAILED_LOOKUPS = 20
WAITS = "owe_wait"
IN_PLAY = OPEN_DRAFT_STATES | {"sent"}


@dataclass(slots=True)
class Plan:
    """What is to be done about one mail, before anything is committed."""

    mail_id: int
    place: Place
    own: Message
    decision: Decision
    buyer: str
    case: Case | None = None
    letter: Letter | None = None
    draft_message_id: str = ""
    draft_raw: bytes = b""
    draft_id: int = 0
    answers: tuple[int, ...] = ()
    retire: Draft | None = None
    note: tuple[str, Reason] | None = None
    told: Told = field(default_factory=Told)
    """What a note about this mail tells beside that."""
    stops: bool = False
    """The buyer asks to cancel what has not left."""
    takes_back: bool = False
    """The newest mail by itself takes a cancel back."""
    bounced: tuple[str, ...] = ()
    known_before: bool = False
    excerpt: str = ""
    is_new_case: bool = False
    arrived_at: datetime | None = None
    aliases: int = 1
    """From how many addresses the mails came that the reply answers: a relay may name each message's."""
    failed_before: int = 0
    """How many order numbers this sender has named in vain within a day, before this mail."""
    named: tuple[str, ...] = ()
    of_others: frozenset[str] = frozenset()
    """Ids the mail names that belong to somebody else's case: they lead neither here nor there."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Every message id the mail names, its own first: what finds its case again."""
        return tuple(one for one in self.named if one not in self.of_others)


def ids_named(message: Message) -> tuple[str, ...]:
    """Every message id a mail names, its own first."""
    own = (message.message_id,) if message.message_id else ()
    return tuple(dict.fromkeys((*own, *message.in_reply_to, *reversed(message.references))))[:THREAD_IDS]


def read_incoming(desk: Desk, place: Place, fetched: Fetched) -> Unpacked:
    """Read one mail and find its channel. Raises MessageError for a mail that cannot be read."""
    return _unpack(desk, _read_whole(desk, place, fetched))


def _unpack(desk: Desk, message: Message) -> Unpacked:
    return unpack(message, desk.settings, desk.account.identity, desk.account.authserv_id)


@dataclass(slots=True)
class Known:
    """What the journal may have met before: what is not in here need not be asked for, mail by mail."""

    contents: set[str] = field(default_factory=set)
    buyers: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    failed: dict[str, int] = field(default_factory=dict)
    """How many order numbers a sender has named in vain within a day."""

    def look_up(self, desk: Desk, incoming: Sequence[Unpacked], now: datetime) -> None:
        """Ask the journal about these mails, all at once."""
        with desk.journal.reading() as tx:
            senders = list({one.party for one in incoming if one.party})
            self.failed |= lookups.failed_since(tx, desk.name, senders, now - timedelta(days=1))
            self.contents |= mails.known_contents(tx, desk.name, [one.message.content_sha256 for one in incoming])
            self.buyers |= cases.known_buyers(tx, desk.name, [one.party for one in incoming])
            self.ids.update(cases.by_keys(tx, desk.name, [i for one in incoming for i in ids_named(one.message)]))

    def has(self, incoming: Unpacked) -> bool:
        """True if the journal may know this mail, its thread or its buyer."""
        if incoming.message.content_sha256 in self.contents or incoming.party in self.buyers:
            return True
        return not self.ids.isdisjoint(ids_named(incoming.message))

    def add(self, group: Sequence[Plan]) -> None:
        """These plans have been carried out."""
        self.contents.update(plan.own.content_sha256 for plan in group)
        self.buyers.update(plan.buyer for plan in group)
        self.ids.update(one for plan in group for one in plan.keys)
        for plan in group:
            if plan.decision.failed_lookups:
                self.failed[plan.buyer] = self.failed.get(plan.buyer, 0) + plan.decision.failed_lookups


def plan_mail(
    desk: Desk,
    mail_id: int,
    place: Place,
    incoming: Unpacked,
    known: Known,
    group: Sequence[Plan],
    *,
    arrived_at: datetime,
    now: datetime,
) -> Plan | None:
    """What to do about one mail, or None if a mail in `group` must be carried out before this can be said."""
    message, channel, buyer = incoming.message, incoming.channel, incoming.party
    ids = ids_named(message)
    ids_set = set(ids)
    if any(p.buyer == buyer or p.own.content_sha256 == message.content_sha256 for p in group):
        return None
    if any(not ids_set.isdisjoint(p.named) for p in group):
        return None
    plan = Plan(
        mail_id,
        place,
        message,
        silence(desk, "machine"),
        buyer,
        excerpt=message.new_text,
        named=ids,
        arrived_at=arrived_at,
    )
    before = None
    if message.content_sha256 in known.contents:
        with desk.journal.reading() as tx:
            before = mails.with_content(tx, desk.name, message.content_sha256)
    if before is not None and before.id != mail_id:
        plan.decision = silence(desk, "same_mail_again", before.situation or "other")
        plan.known_before = True
        return plan
    if guards.is_bounce(message):
        plan.bounced = guards.bounced_ids(message)
    machine = why_silent(message, channel, desk.account.identity)
    if machine is not None:
        plan.decision = machine
        return plan
    if not known.ids.isdisjoint(ids):
        plan.of_others = _ids_of_others(desk, ids, buyer)
    plan.failed_before = known.failed.get(buyer, 0)
    return _plan_answer(desk, plan, incoming, now, is_known=buyer in known.buyers)


def _ids_of_others(desk: Desk, ids: Sequence[str], buyer: str) -> frozenset[str]:
    """Those of the ids that name a case of somebody else: anybody can quote what he was sent or has guessed."""
    with desk.journal.reading() as tx:
        case_of_id = cases.by_keys(tx, desk.name, ids)
        others = {i for i in set(case_of_id.values()) if (case := cases.find(tx, i)) is None or case.buyer != buyer}
    return frozenset(one for one, case_id in case_of_id.items() if case_id in others)


def plan_again(desk: Desk, draft: Draft, now: datetime) -> Plan | None:
    """A plan for a draft's case as things stand now, with today's order. None if no unanswered mail is left, and for a
    notice: a reply to a mail says something else."""
    if draft.situation.startswith(SITUATION):
        return None
    with desk.journal.reading() as tx:
        case = cases.find(tx, draft.case_id)
        waiting = [m for m in mails.of_case(tx, draft.case_id) if not m.answered and m.action != "silence"]
    if case is None or not waiting:
        return None
    found = read_again(desk, waiting)
    if not found:
        return None
    newest = found[-1].message
    ids = ids_named(newest)
    plan = Plan(waiting[-1].id, waiting[-1].place, newest, silence(desk, "machine"), case.buyer, case=case, named=ids)
    plan.of_others = _ids_of_others(desk, ids, case.buyer)
    return _write(desk, plan, found, tuple(m.id for m in waiting), now)


def silence(desk: Desk, code: str, situation: str = "other") -> Decision:
    """No reply is owed, for one plain reason."""
    return Decision("silence", situation, None, desk.account.default_language, "own", reasons=(Reason.of(code),))


def unreadable(desk: Desk, mail_id: int, place: Place, why: str) -> Plan:
    """A mail that cannot be read is held with its reason."""
    reasons = (Reason.of("unreadable", why=why),)
    decision = Decision("hold", "other", None, desk.account.default_language, "own", reasons=reasons)
    note = (f"hold:{mail_id}", Reason.of("held", situation="other", order="-"))
    return Plan(mail_id, place, _NOTHING, decision, "", note=note)


_NOTHING = Message.blank("ja")


def read_mail(desk: Desk, fetched: Fetched) -> Message | None:
    """The mail's value, or None where it cannot be read."""
    try:
        return read(fetched.raw, size_bytes=fetched.size_bytes, default_language=desk.account.default_language)
    except MessageError:
        return None


def _read_whole(desk: Desk, place: Place, fetched: Fetched) -> Message:
    language = desk.account.default_language
    message = read(fetched.raw, size_bytes=fetched.size_bytes, default_language=language)
    if "truncated" in message.problems and fetched.size_bytes > len(fetched.raw):
        # Only here is more asked for than the first window: the text itself was cut.
        desk.session.select(place.mailbox)
        whole = desk.session.fetch_whole(place.uid, max_bytes=WHOLE_MAIL_BYTES)
        message = read(whole.raw, size_bytes=whole.size_bytes, default_language=language)
    return message


def _plan_answer(desk: Desk, plan: Plan, incoming: Unpacked, now: datetime, *, is_known: bool) -> Plan:
    """Understand a person's mail together with what its case already holds, and write the reply if there is one.

    `is_known` is False for a buyer who never had a case.
    """
    case, draft, earlier = _find_case(desk, plan, incoming.channel) if is_known else (None, None, [])
    if draft is not None and draft.state in ("sending", "sent"):
        case, draft, earlier = None, None, []
    plan.case = case
    is_notice = draft is not None and draft.situation.startswith(SITUATION)
    if draft is not None and (is_notice or not is_untouched(desk, draft)):
        # Staff have this draft in hand, or the shop owes what it says: it is never touched, they are told what is new,
        # and it is not sent unseen.
        decision = _decide(desk, plan, plan.own, incoming, now, is_known=is_known)
        reasons = (Reason.of("notice_waits" if is_notice else "draft_in_hand"), *decision.reasons)
        plan.decision = replace(decision, action="hold", template=None, reasons=reasons)
        code = "new_mail_beside_notice" if is_notice else "new_mail_in_case"
        plan.note = (f"new-mail:{plan.mail_id}", Reason.of(code, order=_order_words(decision)))
        plan.stops, plan.takes_back = _stops(desk, decision), is_taken_back(decision)
        plan.told = Told(to_know=_about_parcel(desk, plan))
        return plan
    plan.retire = draft
    together = [*read_again(desk, earlier), incoming]
    answers = (*(m.id for m in earlier), plan.mail_id)
    plan = _write(desk, plan, together, answers, now, is_known=is_known)
    if earlier and _is_withdrawal(plan.decision):
        plan.takes_back = is_taken_back(_decide(desk, plan, plan.own, incoming, now, is_known=is_known))
    else:
        plan.takes_back = is_taken_back(plan.decision)
    plan.told = replace(plan.told, to_know=(*_about_parcel(desk, plan), *plan.told.to_know))
    plan.note = _note(desk, plan, incoming.channel, draft)
    return plan


def _write(
    desk: Desk,
    plan: Plan,
    mails_of_case: Sequence[Unpacked],
    answers: tuple[int, ...],
    now: datetime,
    *,
    is_known: bool = True,
) -> Plan:
    """Decide on all unanswered mails of a case at once and write the reply if there is one."""
    newest = mails_of_case[-1]
    together = combine([one.message for one in mails_of_case])
    plan.answers = answers
    plan.aliases = len({one.message.sender.key for one in mails_of_case if one.message.sender is not None})
    plan.excerpt = together.new_text
    decision = _decide(desk, plan, together, newest, now, is_known=is_known)
    if decision.action == "draft" and plan.case is None and is_known:
        decision = _within_limits(desk, decision, plan.buyer, now)
    plan.decision, plan.letter = write(
        decision,
        together,
        newest.channel,
        settings=desk.settings,
        identity=_way(desk, newest.message, newest.channel).identity,
        now=now,
    )
    plan.told = told_of(
        plan.decision,
        plan.letter,
        together,
        newest.channel,
        settings=desk.settings,
        identity=_way(desk, newest.message, newest.channel).identity,
        now=now,
        more=cost_of_cancelling(desk, plan.decision, newest.channel, now) if plan.letter is not None else (),
        warehouse_knows=desk.settings.parcel_stop is not None,
    )
    if plan.letter is not None and _is_pasted(desk, plan.letter, newest.channel):
        found = read_before_pasting(plan.letter, plan.decision, newest.channel, desk.settings)
        first = lines(found, desk.settings.wording, desk.settings.shop.language)
        plan.told = replace(plan.told, to_do=(*first, *plan.told.to_do))
    if plan.decision.action == "hold" and newest.channel.reply_mode == "admin_only" and desk.located.sent:
        there = Reason.of("answer_in_page", page=newest.channel.admin_page, sent=desk.located.sent)
        more = lines((there,), desk.settings.wording, desk.settings.shop.language)
        plan.told = replace(plan.told, to_know=(*more, *plan.told.to_know))
    plan.stops = _stops(desk, plan.decision)
    if plan.case is None and plan.decision.action != "silence" and plan.buyer:
        plan.case, plan.is_new_case = _new_case(desk, plan, newest.channel, now), True
    if plan.letter is not None and plan.case is not None:
        plan.letter = _without_ids(plan.letter, plan.of_others)
        plan.draft_message_id = desk.mint_id()
        plan.draft_raw = draft_bytes(plan.letter, message_id=plan.draft_message_id, case_token=plan.case.id, now=now)
    return plan


def _is_pasted(desk: Desk, letter: Letter, channel: Channel) -> bool:
    """True if no mail of ours can carry this reply: staff paste it, and no check before sending will see it."""
    way = way_to(letter.to.mail, channel.name, desk.account, desk.settings.channels)
    return way.mode == "admin_only" or way.is_closed


def _stops(desk: Desk, decision: Decision) -> bool:
    return desk.settings.parcel_stop is not None and is_to_be_stopped(decision)


def _is_withdrawal(decision: Decision) -> bool:
    return any(reason.code == "cancel_withdrawn" for reason in decision.reasons)


def _about_parcel(desk: Desk, plan: Plan) -> tuple[str, ...]:
    """What the note about this mail tells of a parcel that is, or is to be, held back."""
    if plan.case is None or desk.settings.parcel_stop is None:
        return ()
    order = plan.decision.order
    order_id = order.order_id if order is not None else None
    effect = effect_of(plan.decision.situation, plan.decision.template)
    found = parcels.remarks(desk, plan.case.id, order_id, stops=plan.stops, taken_back=plan.takes_back, effect=effect)
    return tuple(lines(found, desk.settings.wording, desk.settings.shop.language))


def _way(desk: Desk, message: Message, channel: Channel) -> Way:
    recipient = message.sender.mail if message.sender is not None else ""
    return way_to(recipient, channel.name, desk.account, desk.settings.channels)


def _without_ids(letter: Letter, ids: frozenset[str]) -> Letter:
    """The letter without the ids of other cases: a draft is found again by the ids it names."""
    parent = None if letter.in_reply_to in ids else letter.in_reply_to
    return replace(letter, in_reply_to=parent, references=tuple(one for one in letter.references if one not in ids))


def _new_case(desk: Desk, plan: Plan, channel: Channel, now: datetime) -> Case:
    decision = plan.decision
    case = Case(
        id=token_hex(10),
        account=desk.name,
        state="open",
        outcome=None,
        buyer=plan.buyer,
        channel=decision.channel,
        order_id=decision.order_id,
        language=decision.language,
        opened_at=now,
        deadline_at=deadline_of(desk.settings, channel, plan.arrived_at or now, decision.deadline_h),
    )
    return clocked(case, desk.settings)


def _note(desk: Desk, plan: Plan, channel: Channel, draft: Draft | None) -> tuple[str, Reason] | None:
    decision, order = plan.decision, _order_words(plan.decision)
    match decision.action:
        case "hold":
            return f"hold:{plan.mail_id}", Reason.of("held", situation=decision.situation, order=order)
        case "silence" if decision.situation == WAITS:
            return f"waits:{plan.mail_id}", Reason.of("buyer_waits", order=order)
        case "silence" if draft is not None:
            return f"withdrawn:{plan.mail_id}", Reason.of("draft_withdrawn", order=order)
        case "draft":
            note = _draft_note(desk, plan, channel)
            return (f"draft:{plan.mail_id}", note) if note is not None else None
        case _:
            return None


def _draft_note(desk: Desk, plan: Plan, channel: Channel) -> Reason | None:
    """What staff have to know of a draft before they approve it: above all that mail is not its way. None where there
    is nothing."""
    decision, order = plan.decision, _order_words(plan.decision)
    if plan.letter is not None:
        way = way_to(plan.letter.to.mail, channel.name, desk.account, desk.settings.channels)
        told = {"order": order, "channel": channel.name, "page": channel.admin_page or channel.name}
        if way.mode == "admin_only":
            told |= {"sent": desk.located.sent or "", "approved": desk.account.approved}
            return Reason.of("paste_draft", **told)
        if way.is_closed:
            return Reason.of("relay_draft", **told)
        if plan.aliases > 1:
            return Reason.of("draft_to_newest", **told, count=plan.aliases - 1)
    if plan.told.to_do:
        return Reason.of("draft_note", order=order)
    if plan.told.gloss:
        words, shop = desk.settings.wording, desk.settings.shop
        language = words.text(f"label.language_{decision.language}", shop.language)
        return Reason.of("draft_gloss", order=order, language=language)
    return None


def _order_words(decision: Decision) -> str:
    return decision.order_id or "-"


def _find_case(desk: Desk, plan: Plan, channel: Channel) -> tuple[Case | None, Draft | None, list[Mail]]:
    """The open case this mail belongs to, its open draft, and its mails nobody has answered yet.

    By the thread's ids, else by the buyer: someone who writes again unthreaded still means the same matter, unless
    he names another order. Marketplaces thread nothing: there it is always the alias and the order. Only mail from the
    case's own buyer joins it: ids can be guessed and quoted.
    """
    named = _named_orders(desk, plan, channel)
    with desk.journal.reading() as tx:
        threaded = set(cases.by_keys(tx, desk.name, plan.keys).values())
        candidates = [c for c in (cases.find(tx, case_id) for case_id in sorted(threaded)) if c is not None]
        candidates += cases.open_of_buyer(tx, desk.name, plan.buyer)
        for case in candidates:
            elsewhere = bool(named) and case.order_id is not None and order_key(case.order_id) not in named
            if case.state == "open" and case.buyer == plan.buyer and (case.id in threaded or not elsewhere):
                draft = next((d for d in drafts.of_case(tx, case.id) if d.state in IN_PLAY), None)
                waiting = [m for m in mails.of_case(tx, case.id) if not m.answered and m.action != "silence"]
                return case, draft, waiting
    return None, None, []


def _named_orders(desk: Desk, plan: Plan, channel: Channel) -> set[str]:
    """The orders a mail names, in the form ids are compared in: certain ids, and words that are a known order's."""
    wanted = wanted_order_ids(plan.own, channel, desk.settings.channels)
    may_look = plan.failed_before < MOST_FAILED_LOOKUPS
    known = desk.orders.find((*wanted.by_pattern, *wanted.tokens)) if may_look else ()
    return {order_key(i) for i in wanted.by_pattern} | {order_key(order.order_id) for order in known}


def read_again(desk: Desk, earlier: Sequence[Mail]) -> list[Unpacked]:
    """The case's earlier mails, fetched again: the journal keeps no bodies. One that is gone is left out."""
    found: list[Unpacked] = []
    for mail in earlier[-EARLIER_MAILS:]:
        selected = desk.session.select(mail.place.mailbox)
        if selected.uidvalidity == mail.place.uidvalidity:
            for fetched in desk.session.fetch([mail.place.uid]):
                message = read_mail(desk, fetched)
                if message is not None:
                    found.append(_unpack(desk, message))
    return found


def _decide(desk: Desk, plan: Plan, message: Message, incoming: Unpacked, now: datetime, *, is_known: bool) -> Decision:
    """The decision on `message`: the new mail itself (`incoming`), or it together with the case's earlier ones.

    Who has named too many numbers in vain has none looked up any more, and a person sees his mails.
    """
    sent_before: Mapping[str, frozenset[str]] = {}
    if is_known and plan.buyer:
        with desk.journal.reading() as tx:
            sent_before = drafts.sent_to(tx, desk.name, plan.buyer)
    left = max(0, MOST_FAILED_LOOKUPS - plan.failed_before)
    decision = judge(
        message,
        incoming.channel,
        settings=desk.settings,
        orders=desk.orders,
        trusted=incoming.trusted,
        now=now,
        most_lookups=min(MOST, left),
        sent_before=sent_before,
    )
    if decision.failed_lookups and message is not incoming.message:
        # What earlier mails named was counted when they came.
        wanted = wanted_order_ids(incoming.message, incoming.channel, desk.settings.channels)
        new = min(decision.failed_lookups, len(wanted.by_pattern) + len(wanted.tokens))
        decision = replace(decision, failed_lookups=new)
    waits_for = _waits_for(decision, incoming.message, sent_before)
    if waits_for is not None and message is not incoming.message and decision.situation.startswith("cancel_"):
        # He asked to cancel before, and now says that he waits.
        reasons = (Reason.of("answers_wait", order=waits_for), *decision.reasons)
        return replace(decision, action="hold", template=None, reasons=reasons)
    if waits_for is not None and message is incoming.message:
        reasons = (Reason.of("answers_wait", order=waits_for),)
        return replace(
            decision, action="silence", situation=WAITS, template=None, note=None, order_id=waits_for, reasons=reasons
        )
    if left or decision.action == "silence":
        return decision
    reason = Reason.of("too_many_lookups", count=plan.failed_before)
    return replace(decision, action="hold", template=None, reasons=(reason, *decision.reasons))


def _waits_for(decision: Decision, message: Message, sent_before: Mapping[str, frozenset[str]]) -> str | None:
    """The order of which this buyer was asked to wait or to cancel, if his mail says no more than that he waits."""
    asked = {order_key(order): order for name in ASKED for order in sent_before.get(name, ()) if order}
    if not asked or not says_wait(message.new_text):
        return None
    if decision.order_id is not None:
        return asked.get(order_key(decision.order_id))
    return next(iter(asked.values())) if len(asked) == 1 else None


def _within_limits(desk: Desk, decision: Decision, buyer: str, now: datetime) -> Decision:
    """Hold instead of writing to one address again and again: whatever loops, this ends it."""
    with desk.journal.reading() as tx:
        count = drafts.count_recent(tx, desk.name, buyer, now - timedelta(days=1), now)
    if count < desk.account.drafts_per_sender_day:
        return decision
    reason = Reason.of("too_many_drafts", count=count)
    return replace(decision, action="hold", template=None, reasons=(*decision.reasons, reason))
