"""Mails that staff drop into a command folder: each becomes a wish, and goes back where it was.

    command folder -> read -> the order it is about -> journal: wish, mail, note -> the mail goes home

What is dropped there is never lost: it is moved, and only what is equal to it, byte by byte, is put into Trash. The
mail's text only chooses an order; whom the notice goes to is told by the order's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex

from sqlalchemy import Connection

from responder.core.channels import wanted_order_ids
from responder.core.commanded import order_meant
from responder.edges.journal import cases, drafts, mails, notes, owed
from responder.errors import MessageError
from responder.flows.deadlines import clocked, deadline_of
from responder.flows.desk import Desk
from responder.flows.notices import channel_of_order, party_of_order
from responder.flows.planning import ids_named, read_incoming
from responder.flows.tell import tell
from responder.flows.understanding import Unpacked
from responder.flows.ways import way_to
from responder.model import Case, Decision, Fetched, Mail, Order, Place, Reason, order_key

SOURCE = "folder"
AT_ONCE = 50
_WENT_OUT = frozenset({"sent", "filed", "sent_by_staff"})


@dataclass(slots=True)
class Dropped:
    """A mail in a command folder: what it is, where it is at home, and what is to be told of it."""

    place: Place
    fetched: Fetched
    incoming: Unpacked | None
    home: str
    known: Mail | None = None
    note: Reason | None = None

    @property
    def message_id(self) -> str | None:
        """Its Message-ID, None where it has none or cannot be read."""
        return self.incoming.message.message_id if self.incoming is not None else None


def on_commands(desk: Desk, now: datetime) -> None:
    """Take up everything that lies in the command folders, and send it home.

    Raises: OrdersUnavailable: the mails wait where they are.
    """
    desk.look_ahead(desk.commands)
    for mailbox, matter in desk.commands.items():
        if not desk.changed(mailbox):
            continue
        selected = desk.session.select(mailbox)
        flags = desk.session.flags(desk.session.all_uids())
        uids = [uid for uid, marks in flags.items() if "\\deleted" not in {mark.lower() for mark in marks}]
        for fetched in list(desk.session.fetch(uids[:AT_ONCE])):
            place = Place(mailbox, selected.uidvalidity, fetched.uid)
            try:
                _take_up(desk, place, fetched, matter, now)
            except BaseException:  # goes on its way: the mail lies there still and must be seen again
                desk.forget_status(mailbox)
                raise
        if uids:
            desk.forget_status(mailbox)


def _take_up(desk: Desk, place: Place, fetched: Fetched, matter: str, now: datetime) -> None:
    dropped = _look_at(desk, place, fetched)
    order = None
    if dropped.note is None and dropped.incoming is not None:
        order = _order_of(desk, dropped, dropped.incoming)
    with desk.journal.durable() as tx:
        if order is not None and dropped.incoming is not None:
            _note_wish(desk, tx, dropped, dropped.incoming, order, matter, now)
        elif dropped.incoming is not None and dropped.known is None and dropped.home in desk.account.watch:
            _remember(desk, tx, dropped, dropped.incoming, now)
        if dropped.note is not None:
            key = f"command:{place.mailbox}:{place.uidvalidity}:{place.uid}"
            tell(desk, tx, key, dropped.note, now=now, in_reply_to=dropped.message_id)
        record = {"matter": matter, "order": order.order_id if order is not None else None}
        cases.record(tx, desk.name, "command_dropped", now=now, **record)
    _send_home(desk, dropped)
    desk.say("command_dropped", matter=matter, result=dropped.note.code if dropped.note is not None else "wished")


def _look_at(desk: Desk, place: Place, fetched: Fetched) -> Dropped:
    """What the mail is and where it is at home. One that is no command says why in its note."""
    inbox = desk.account.watch[0]
    try:
        incoming = read_incoming(desk, place, fetched)
    except MessageError:
        return Dropped(place, fetched, None, inbox, note=Reason.of("command_unreadable", folder=inbox))
    message = incoming.message
    desk.session.select(place.mailbox)
    with desk.journal.reading() as tx:
        minted = drafts.by_message_ids(tx, desk.name, [message.message_id] if message.message_id else [])
        is_note = message.message_id is not None and notes.is_ours(tx, desk.name, message.message_id)
        known = mails.with_content(tx, desk.name, message.content_sha256)
        if known is None and message.message_id is not None:
            known = next(iter(mails.with_message_id(tx, desk.name, message.message_id)), None)
    if any(draft.state in _WENT_OUT for draft in minted.values()):
        return Dropped(place, fetched, incoming, desk.located.sent or inbox)
    if minted or "\\draft" in {flag.lower() for flag in fetched.flags}:
        home = desk.located.drafts
        return Dropped(place, fetched, incoming, home, note=Reason.of("command_is_draft", folder=home))
    if is_note:
        return Dropped(place, fetched, incoming, desk.account.notes)
    home = known.place.mailbox if known is not None and known.place.mailbox not in desk.commands else inbox
    return Dropped(place, fetched, incoming, home, known)


def _order_of(desk: Desk, dropped: Dropped, incoming: Unpacked) -> Order | None:
    """The order that is meant: that of the mail's case, else what the mail names. None with a note where that is not
    one. Raises: OrdersUnavailable."""
    message = incoming.message
    with desk.journal.reading() as tx:
        ids = set(cases.by_keys(tx, desk.name, ids_named(message)).values())
        if dropped.known is not None and dropped.known.case_id is not None:
            ids = {dropped.known.case_id}
        told = {case.order_id for one in sorted(ids) if (case := cases.find(tx, one)) is not None and case.order_id}
    if len(told) == 1 and (order := desk.find_order(told.pop())) is not None:
        return order
    wanted = wanted_order_ids(message, incoming.channel, desk.settings.channels)
    sender = message.sender.mail if message.sender is not None else ""
    is_ours = desk.account.identity.owns(sender)
    found = order_meant(
        desk.orders.find((*wanted.by_pattern, *wanted.tokens)),
        wanted.by_pattern,
        () if is_ours or not sender else desk.orders.of_buyer(sender),
        f"{sender}\n{message.text}",
    )
    if len(found) == 1:
        return found[0]
    if found:
        orders = ", ".join(order.order_id for order in found[:10])
        dropped.note = Reason.of("command_many_orders", folder=dropped.home, orders=orders)
    else:
        dropped.note = Reason.of("command_no_order", folder=dropped.home)
    return None


def _note_wish(
    desk: Desk, tx: Connection, dropped: Dropped, incoming: Unpacked, order: Order, matter: str, now: datetime
) -> None:
    """Note the wish. The mail waits for the notice if the order's buyer wrote it, else it is known from now on."""
    row = owed.Wished(
        desk.name,
        order_key(order.order_id),
        matter,
        order.order_id,
        {"about": dropped.message_id} if dropped.message_id else {},
        SOURCE,
        token_hex(8),
    )
    _, there = owed.wish(tx, [row], now=now)
    if there and there[0].state == "written":
        day = (there[0].done_at or now).astimezone(desk.settings.shop.timezone).date().isoformat()
        dropped.note = Reason.of(
            "command_again", order=order.order_id, situation=f"owe_{matter}", day=day, folder=dropped.home
        )
    channel = channel_of_order(order, desk.settings.channels)
    way = way_to(order.buyer_mail, channel.name, desk.account, desk.settings.channels)
    buyer = party_of_order(order, channel, way)
    if not there and buyer == incoming.party and not (dropped.known is not None and dropped.known.answered):
        _wait_for_notice(desk, tx, dropped, incoming, order, buyer, now)
    elif dropped.known is None and dropped.home in desk.account.watch:
        _remember(desk, tx, dropped, incoming, now)


def _wait_for_notice(
    desk: Desk, tx: Connection, dropped: Dropped, incoming: Unpacked, order: Order, buyer: str, now: datetime
) -> None:
    """The buyer's mail is held in a case of the order, so that the notice answers it in its thread."""
    message, known = incoming.message, dropped.known
    case = cases.find(tx, known.case_id) if known is not None and known.case_id is not None else None
    if case is None or case.state != "open":
        case = Case(
            id=token_hex(10),
            account=desk.name,
            state="open",
            outcome=None,
            buyer=buyer,
            channel=incoming.channel.name,
            order_id=order.order_id,
            language=message.language,
            opened_at=now,
            deadline_at=deadline_of(desk.settings, incoming.channel, dropped.fetched.internaldate or now),
        )
        cases.open_cases(tx, [clocked(case, desk.settings)])
    cases.learn(tx, case.id, order_id=order.order_id, language=message.language)
    cases.tie(tx, desk.name, dict.fromkeys(ids_named(message), case.id))
    situation = known.situation if known is not None and known.situation else "other"
    decision = Decision(
        "hold", situation, None, message.language, incoming.channel.name, order_id=order.order_id,
        reasons=(Reason.of("commanded"),),
    )  # fmt: skip
    mail_id = known.id if known is not None else _note_place(desk, tx, dropped, now)
    _decide(tx, mail_id, decision, incoming, case.id)
    if known is None:
        dropped.known = mails.by_ids(tx, [mail_id])[0]


def _remember(desk: Desk, tx: Connection, dropped: Dropped, incoming: Unpacked, now: datetime) -> None:
    """A mail we have never seen: once it is back in the inbox it is not to be read as a new one."""
    mail_id = _note_place(desk, tx, dropped, now)
    message = incoming.message
    decision = Decision(
        "silence", "other", None, message.language, incoming.channel.name, reasons=(Reason.of("commanded"),)
    )
    _decide(tx, mail_id, decision, incoming, None)
    dropped.known = mails.by_ids(tx, [mail_id])[0]


def _note_place(desk: Desk, tx: Connection, dropped: Dropped, now: datetime) -> int:
    ids = mails.note_new(tx, desk.name, [(dropped.place, dropped.fetched.internaldate or now)], now=now)
    return ids[dropped.place.uid]


def _decide(tx: Connection, mail_id: int, decision: Decision, incoming: Unpacked, case_id: str | None) -> None:
    message = incoming.message
    verdict = mails.Verdict(mail_id, decision, case_id, message.message_id, message.content_sha256, incoming.party)
    mails.decide(tx, [verdict])


# --- home again -----------------------------------------------------------------------------------------------------


def _send_home(desk: Desk, dropped: Dropped) -> None:
    """Back where it was. What lies there already makes way for it and goes to Trash: it was copied, or the mail client
    removes the original later (Claws a moment, NeoMutt hours), and what came back is what no client means to remove."""
    place, known = dropped.place, dropped.known
    twin = _twin(desk, dropped)
    desk.session.select(place.mailbox)
    moved = desk.session.move(place.uid, dropped.home)
    new = Place(dropped.home, *moved) if moved is not None else _found(desk, dropped)
    if twin is not None and new is not None and new != twin:  # equal: a server where mailboxes are labels
        desk.session.select(twin.mailbox)
        if desk.located.trash:
            desk.session.move(twin.uid, desk.located.trash)
        else:
            desk.session.remove(twin.uid)
    if known is not None and new is not None and new != known.place:
        with desk.journal.light() as tx:
            mails.move(tx, known.id, new)
    desk.forget_status(place.mailbox, dropped.home)


def _twin(desk: Desk, dropped: Dropped) -> Place | None:
    """The same mail, byte by byte as far as we read, still lying at its home; None if it has left."""
    known = dropped.known
    found = known.place if known is not None and known.place.mailbox == dropped.home else None
    for place in dict.fromkeys(one for one in (found, _found(desk, dropped)) if one is not None):
        selected = desk.session.select(place.mailbox)
        if selected.uidvalidity != place.uidvalidity:
            continue
        for fetched in desk.session.fetch([place.uid]):
            if fetched.size_bytes == dropped.fetched.size_bytes and fetched.raw == dropped.fetched.raw:
                return place
    return None


def _found(desk: Desk, dropped: Dropped) -> Place | None:
    """The mail in its home mailbox, by its Message-ID."""
    if dropped.message_id is None:
        return None
    selected = desk.session.select(dropped.home)
    uids: Sequence[int] = desk.session.find_message_id(dropped.message_id)
    sizes = desk.session.sizes(uids) if uids else {}
    same = [uid for uid in uids if sizes.get(uid) == dropped.fetched.size_bytes]
    return Place(dropped.home, selected.uidvalidity, max(same)) if same else None
