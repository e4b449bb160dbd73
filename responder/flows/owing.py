"""Turns wishes into drafts: journal "written" and "drafting" in one transaction -> APPEND -> journal "drafted".

A wish is done once: the draft's intent and the wish's end are committed together, and a lost line or a killed process
is mended as for every draft (`drafting.resolve_intents`). Of an order and a matter there is one draft, ever.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_hex

from sqlalchemy import Connection

from responder.config import Settings
from responder.core import remarks
from responder.core.cancels import is_counting
from responder.core.compose import draft_bytes
from responder.core.goods import kept_of
from responder.core.notes import Told
from responder.core.order_data import placed_on
from responder.core.owed import wish_from_json
from responder.core.owed.around import Perk
from responder.core.owed.fits import affected
from responder.core.owed.letter import SITUATION
from responder.core.report.goods import LOOKS_BACK, STOCK_MATTERS, again
from responder.edges.journal import cases, clocks, drafts, facts, mails, owed, perks
from responder.edges.journal.owed import Owed
from responder.errors import OrdersUnavailable
from responder.flows.calling import ask_for_call
from responder.flows.deadlines import clocked, deadline_of
from responder.flows.desk import Desk, is_untouched
from responder.flows.drafting import append_drafts, remove_own_draft
from responder.flows.notices import Notice, notice, party_of_order
from responder.flows.planning import IN_PLAY, read_again
from responder.flows.proofreading import read_before_pasting
from responder.flows.remarking import cost_of_stock_out
from responder.flows.tell import tell
from responder.flows.understanding import Unpacked
from responder.model import Case, Draft, Mail, Order, Reason, order_key

AT_ONCE = 40
ORDERS_TOLD = 60
ARTICLES_TOLD = 10
MONTH = timedelta(days=30)


@dataclass(slots=True)
class Errand:
    """One wish on its way: its notice or why there is none, and the case it belongs to."""

    wished: Owed
    outcome: Notice | Reason
    case: Case | None = None
    is_new_case: bool = False
    root: str = ""
    message_id: str = ""
    raw: bytes = b""
    retire: Draft | None = None
    answers: tuple[int, ...] = ()
    draft_id: int = 0
    address: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The open case of an order: its draft if there is one, and its mails that nobody has answered."""

    case: Case | None = None
    draft: Draft | None = None
    waiting: tuple[Mail, ...] = field(default=())


def write_owed(desk: Desk, now: datetime, *, each: Callable[[], None] = lambda: None) -> None:
    """Write the drafts of all wishes of this account that still wait; `each` is called for every one that is done.

    Order files are looked at first: whoever changed one and asks at once must not be answered out of the old one.
    Raises: OrdersUnavailable: nothing is known of the orders, the wishes go on waiting.
    """
    with desk.journal.reading() as tx:
        if not owed.any_waiting(tx, desk.name):
            return
    desk.orders.refresh()  # What is wrong with the files, the daemon tells staff at its own looks.
    while not (desk.append_not_before is not None and now < desk.append_not_before):
        with desk.journal.reading() as tx:
            if not owed.any_waiting(tx, desk.name):
                return
            some = owed.waiting(tx, desk.name, most=AT_ONCE)
        keys = [order_key(one.order_id) for one in some]
        # One order, one case: what else it is owed has its turn after this.
        some = [one for n, one in enumerate(some) if order_key(one.order_id) not in keys[:n]]
        known = {order_key(order.order_id): order for order in desk.orders.find([one.order_id for one in some])}
        given: list[tuple[str, str]] = []
        _carry_out(desk, [_plan(desk, one, known.get(one.order_key), given, now) for one in some], now)
        for _ in some:
            each()


def _plan(desk: Desk, wished: Owed, order: Order | None, given: list[tuple[str, str]], now: datetime) -> Errand:
    """What is to be done about one wish. `given` are the perks of this group so far, with their buyers."""
    wish = wish_from_json(wished.order_id, wished.matter, wished.wish)
    root = desk.mint_id()
    address = order.buyer_mail.casefold() if order is not None else ""

    def may_have(perk: Perk) -> bool:
        return _may_have(desk, perk, wished.order_key, address, given, now)

    first = notice(wish, order, desk.settings, desk.account, now=now, root=root, may_have=may_have)
    if isinstance(first, Reason) or order is None:
        return Errand(wished, first)
    buyer = party_of_order(order, first.channel, first.way)
    found = _open_case(desk, buyer, order)
    refusal = _in_the_way(desk, found, wish.matter, is_told=wished.source == "folder")
    if refusal is not None:
        return Errand(wished, refusal)
    answered = _newest(desk, found)
    outcome = first
    if answered is not None:
        answer = notice(
            wish, order, desk.settings, desk.account, now=now, root=root, mail=answered.message, may_have=may_have
        )
        if isinstance(answer, Reason):
            return Errand(wished, answer)
        outcome = answer
    errand = Errand(wished, outcome, found.case, root=root, message_id=desk.mint_id(), retire=found.draft)
    errand.answers = tuple(mail.id for mail in found.waiting)
    if errand.case is None:
        errand.case, errand.is_new_case = _new_case(desk, buyer, order, outcome, now), True
    letter = outcome.draftable.letter
    errand.address = address
    if outcome.perk is not None:
        given.append((address, outcome.perk.name))
    errand.raw = draft_bytes(letter, message_id=errand.message_id, case_token=errand.case.id, now=now)
    return errand


def _may_have(
    desk: Desk, perk: Perk, order_key: str, address: str, given: Sequence[tuple[str, str]], now: datetime
) -> bool:
    """True if this order and this buyer still get what the policy grants, the ceiling not being reached."""
    if address and any(buyer == address for buyer, _ in given):
        return False
    most = perk.most_a_month
    with desk.journal.reading() as tx:
        return perks.may_have(
            tx,
            order_key,
            address,
            perk.name,
            buyer_since=None if perk.once_in_days is None else now - timedelta(days=perk.once_in_days),
            month_since=now - MONTH,
            most_a_month=None if most is None else most - sum(name == perk.name for _, name in given),
        )


def _open_case(desk: Desk, buyer: str, order: Order) -> Found:
    """The buyer's open case about this very order, with what still waits in it."""
    key = order_key(order.order_id)
    with desk.journal.reading() as tx:
        for case in cases.open_of_buyer(tx, desk.name, buyer):
            if case.order_id is None or order_key(case.order_id) != key:
                continue
            draft = next((one for one in drafts.of_case(tx, case.id) if one.state in IN_PLAY), None)
            if draft is not None and draft.state == "sent":
                continue
            waiting = [one for one in mails.of_case(tx, case.id) if not one.answered and one.action != "silence"]
            return Found(case, draft, tuple(waiting))
    return Found()


def _in_the_way(desk: Desk, found: Found, matter: str, *, is_told: bool) -> Reason | None:
    """Why the notice must not take the place of what the case holds. `is_told`: staff have read the mail itself.

    Of two notices only "still checking" makes room for the next, and each for the one that says both.
    """
    waits = found.draft.situation if found.draft is not None else ""
    if waits.startswith(SITUATION) and waits != f"{SITUATION}checking" and matter != "combined":
        return Reason.of("owed_other_notice", situation=waits)
    if not is_told and any((mail.situation or "").startswith("cancel_") for mail in found.waiting):
        return Reason.of("owed_buyer_cancels")
    if found.draft is not None and not is_untouched(desk, found.draft):
        return Reason.of("owed_draft_in_hand")
    return None


def _newest(desk: Desk, found: Found) -> Unpacked | None:
    """The buyer's newest mail of the case, which the notice answers; None where it is gone or there is none."""
    again = read_again(desk, found.waiting)
    return again[-1] if again else None


def _new_case(desk: Desk, buyer: str, order: Order, outcome: Notice, now: datetime) -> Case:
    case = Case(
        id=token_hex(10),
        account=desk.name,
        state="open",
        outcome=None,
        buyer=buyer,
        channel=outcome.channel.name,
        order_id=order.order_id,
        language=outcome.draftable.letter.language,
        opened_at=now,
        deadline_at=deadline_of(desk.settings, outcome.channel, now),
    )
    return clocked(case, desk.settings)


def _carry_out(desk: Desk, errands: Sequence[Errand], now: datetime) -> None:
    """Commit the group, put its drafts into Drafts, take away what they replace."""
    done: list[Errand] = []
    with desk.journal.durable() as tx:
        for errand in errands:
            if _commit(desk, tx, errand, now):
                done.append(errand)
        _tell_of_batches(desk, tx, {errand.wished.batch for errand in errands}, now)
    if done:
        append_drafts(desk, [(errand.draft_id, errand.raw) for errand in done], now)
    for errand in done:
        if errand.retire is not None:
            remove_own_draft(desk, errand.retire)
    for errand in errands:
        result = errand.outcome.code if isinstance(errand.outcome, Reason) else "written"
        desk.say("owed", wish=errand.wished.id, matter=errand.wished.matter, result=result)


def _commit(desk: Desk, tx: Connection, errand: Errand, now: datetime) -> bool:
    wished, outcome, case = errand.wished, errand.outcome, errand.case
    if isinstance(outcome, Reason) or case is None:
        why = outcome if isinstance(outcome, Reason) else Reason.of("owed_no_order", found=wished.order_id)
        owed.refused(tx, wished.id, why, now=now)
        return False
    letter, decision = outcome.draftable.letter, outcome.draftable.decision
    if not owed.take(tx, wished.id, now=now):
        return False
    if errand.is_new_case:
        cases.open_cases(tx, [case])
    else:
        cases.learn(tx, case.id, order_id=decision.order_id, language=letter.language)
        clocks.look_again(tx, case.id, now)
    if outcome.perk is not None:
        perks.give(tx, desk.name, wished.order_key, errand.address, outcome.perk.name, now=now)
    owed.written(tx, wished.id, case.id, _told(outcome, desk.settings))
    cases.tie(tx, desk.name, dict.fromkeys((errand.root, errand.message_id), case.id))
    if errand.retire is not None:
        drafts.end(tx, errand.retire.id, "stale", now=now)
    intent = drafts.Intent.of(
        decision,
        letter,
        case_id=case.id,
        account=desk.name,
        message_id=errand.message_id,
        raw=errand.raw,
        answers=errand.answers,
    )
    errand.draft_id = drafts.begin(tx, [intent], now=now)[errand.message_id]
    detail = {"owed": wished.id, "matter": wished.matter, "source": wished.source, "draft": errand.draft_id}
    detail |= _counted(wished, decision.order, outcome)
    cases.record(tx, desk.name, "owed_written", now=now, case_id=case.id, **detail)
    wish = wish_from_json(wished.order_id, wished.matter, wished.wish)
    if decision.order is not None:
        thread = letter.in_reply_to or next(iter(letter.references), None)
        ask_for_call(desk, tx, wish, decision.order, outcome.channel, case_id=case.id, in_reply_to=thread, now=now)
    return True


def _counted(wished: Owed, order: Order | None, outcome: Notice) -> dict[str, object]:
    """What a report counts of a notice: the goods it is about and why, the channel, and whether the shop cancels."""
    if order is None:
        return {}
    wish = wish_from_json(wished.order_id, wished.matter, wished.wish)
    return {
        "on": placed_on(order, outcome.channel.name),
        "cancels": "cancel_in_admin" in (outcome.draftable.decision.note or "").split("\n"),
        "causes": list(wish.causes),
        "items": kept_of(order.items[n] for n in affected(wish, order)),
        "ordered": order.ordered_at.isoformat() if order.ordered_at is not None else None,
    }


# --- what staff are told --------------------------------------------------------------------------------------------


def _told(outcome: Notice, settings: Settings) -> Reason:
    """What staff have to know of one draft, kept until all that came in together are written."""
    channel, way, draftable = outcome.channel, outcome.way, outcome.draftable
    how = "paste" if way.mode == "admin_only" else "relay" if way.is_closed else ""
    first = [*remarks.to_do(draftable.decision, channel, settings.templates.refunds)]
    if how:
        first.append(
            Reason.of(f"owe_{how}", order=draftable.decision.order_id, channel=channel.name, page=channel.admin_page)
        )
        first += read_before_pasting(draftable.letter, draftable.decision, channel, settings)
    to_do = json.dumps([[one.code, dict(one.args)] for one in first], ensure_ascii=False)
    on = placed_on(draftable.decision.order, channel.name)
    return Reason.of("owed_written", to_do=to_do, blanks="\n".join(draftable.letter.blanks), placed_on=on)


def _tell_of_batches(desk: Desk, tx: Connection, batches: set[str], now: datetime) -> None:
    """One note for all that came in together, once the last of it is done: what to do before approving, what was not
    written and why."""
    language, wording = desk.settings.shop.language, desk.settings.wording
    for batch in sorted(batches):
        some = owed.of_batch(tx, batch)
        if any(one.state == "wished" for one in some):
            continue
        written = [one for one in some if one.state == "written"]
        refused = [(one.order_id, one.why) for one in some if one.state == "refused" and one.why is not None]
        to_do = _to_do(desk, written)
        is_dropped = some[0].source == "folder"
        again_out = _again(desk, tx, written, now)
        if not to_do and not refused and not is_dropped and not again_out:
            continue
        note = Reason.of(
            "owed_batch" if written else "owed_none",
            situation=f"{SITUATION}{some[0].matter}",
            count=len(written),
            orders=_listed([one.order_id for one in written or some]),
        )
        reasons = [
            Reason.of("owed_refused", order=order, text=wording.reason(why, language))
            for order, why in refused[:ORDERS_TOLD]
        ]
        key = _key(batch, some, now)
        about = str(some[0].wish.get("about", "")) or None
        told = Told(to_do=tuple(to_do), to_know=(*_cost(desk, written, now), *again_out))
        tell(desk, tx, f"owed:{batch}:{key}", note, now=now, in_reply_to=about, reasons=reasons, told=told)


def _key(batch: str, some: Sequence[Owed], now: datetime) -> str:
    """What a note is told once for: a file that is read again with the same rows says nothing new."""
    if some[0].source != "file":
        return f"owed:{batch}:{max((one.done_at or now for one in some), default=now).isoformat()}"
    told = sorted((one.order_key, one.matter, one.state, one.why.code if one.why is not None else "") for one in some)
    return f"owed:{hashlib.sha256(repr(told).encode()).hexdigest()[:40]}"


def _cost(desk: Desk, written: Sequence[Owed], now: datetime) -> list[str]:
    """What the marketplaces make of the cancels that these drafts tell of."""
    counting = {one.name for one in desk.settings.channels if is_counting(one)}
    cancelled = [one.order_id for one in written if _asks_to_cancel(one) and _placed_on(one) in counting]
    try:
        found = cost_of_stock_out(desk, desk.orders.find(cancelled), now) if cancelled else ()
    except OrdersUnavailable:
        found = ()
    return remarks.lines(found, desk.settings.wording, desk.settings.shop.language)


def _again(desk: Desk, tx: Connection, written: Sequence[Owed], now: datetime) -> list[str]:
    """What is to be done about articles that run out again and again, or are still sold."""
    if all(one.matter not in STOCK_MATTERS for one in written):
        return []
    events = facts.notices(tx, desk.name, now - LOOKS_BACK)
    found = again(events, {one.id for one in written}, desk.settings.shop.timezone)
    return remarks.lines(found[:ARTICLES_TOLD], desk.settings.wording, desk.settings.shop.language)


def _placed_on(one: Owed) -> str:
    return dict(one.why.args).get("placed_on", "") if one.why is not None else ""


def _asks_to_cancel(one: Owed) -> bool:
    told = json.loads(dict(one.why.args).get("to_do", "[]")) if one.why is not None else []
    return any(code == "cancel_in_admin" for code, _ in told)


def _to_do(desk: Desk, written: Sequence[Owed]) -> list[str]:
    """What staff have to do before they approve, each once with the orders it is about."""
    language, wording = desk.settings.shop.language, desk.settings.wording
    titles = {channel.name: channel.title_in(language) for channel in desk.settings.channels}
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
    for one in written:
        for code, args in json.loads(dict(one.why.args).get("to_do", "[]")) if one.why is not None else ():
            shared = tuple((name, value) for name, value in args.items() if name != "order")
            groups.setdefault((code, shared), []).append(one.order_id)
    found: list[str] = []
    for (code, shared), orders in groups.items():
        args = dict(shared)
        if "channel" in args:
            args["channel"] = titles.get(args["channel"], args["channel"])
        args |= {"order": _listed(orders), "sent": desk.located.sent or ""}
        (line,) = remarks.lines([Reason.of(code, **args)], wording, language)
        names_them = "{order}" in (wording.template(f"note.{code}", language) or "")
        found.append(line if names_them or len(orders) == len(written) else f"{line} ({_listed(orders)})")
    return found


def _listed(orders: Sequence[str]) -> str:
    return ", ".join(orders[:ORDERS_TOLD]) + (" ..." if len(orders) > ORDERS_TOLD else "")
