"""What the servers hold when the month is over, held against what the play knows was owed.

Nothing here asks the journal: mailboxes, flags and what the SMTP servers accepted are counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from click.testing import CliRunner

from bench.month.letters import OF_THE_CLOCK, Mail, matter_of
from bench.month.orders import Order
from bench.month.place import APPROVED, DRAFTS, NOTES, SENT, TRASH
from bench.month.play import NO_CARE, Month, Wish
from bench.month.staff import FILLED, SIGNED
from responder.cli import cli
from responder.core.owed import MATTERS
from responder.demo.servers import Stored
from tests.journeys.shop import header_of, subject_of, text_of

NO_LINKS = frozenset({"amazon", "ebay", "yahoo", "rakuten"})
_PASTE = "paste@"
_SHORT = frozenset({"sold_out", "restock", "combined"})
_APOLOGIES = _SHORT | {"delay"}
_CLOCK = ("期限を過ぎています", "返信をお待ちのお客様がいます", "本日の確認")


@dataclass(frozen=True)
class Seen:
    """One mail of the shop's as it lies somewhere: about which order and matter, and what it answers."""

    where: str
    raw: bytes
    order: str
    matter: str
    names: frozenset[str]
    at: datetime | None = None

    @property
    def message_id(self) -> str:
        return header_of(self.raw, "Message-ID")


@dataclass
class Books:
    """The count. `wrong` are things that must not be: each a sentence."""

    notices: Counter[str] = field(default_factory=Counter)
    replies: Counter[str] = field(default_factory=Counter)
    deadlines: Counter[str] = field(default_factory=Counter)
    clock: Counter[str] = field(default_factory=Counter)
    report: list[tuple[str, int, int]] = field(default_factory=list)
    """Figures of `responder report`: their name, what it says, what the servers hold."""
    figures: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def close_the_books(month: Month) -> Books:
    """Count everything once."""
    shop, books = month.stage.shop, Books()
    orders = {order.order_id: order for order in month.played.orders}
    boxes = shop.boxes()
    lying = {name: [m for m in mails if "\\Deleted" not in m.flags] for name, mails in boxes.items()}
    out = [_seen("sent", mail.raw, orders, at) for at, mail in month.stage.taken]
    pasted = [_seen("pasted", m.raw, orders) for m in lying[SENT] if _PASTE in header_of(m.raw, "To")]
    waiting = [_seen("waiting", m.raw, orders) for name in (DRAFTS, APPROVED) for m in lying[name]]
    refused = [_seen("discarded", m.raw, orders) for m in lying[TRASH] if "\\Draft" in m.flags]
    notes = [
        (subject_of(m.raw), text_of(m.raw), m.raw) for name in (NOTES, SENT) for m in lying[name] if _is_note(m.raw)
    ]
    everything = [*out, *pasted, *waiting, *refused]
    _notices(month.played.wishes, everything, notes, books)
    _of_the_clock(month, everything, books)
    answered = {header_of(m.raw, "Message-ID") for m in lying["INBOX"] if "\\Answered" in m.flags}
    _replies(month, everything, answered, notes, books)
    _forbidden(month, out, notes, orders, books)
    _folders(month, lying, out, books)
    _report(month, lying, everything, books)
    books.figures |= {
        "orders": len(orders),
        "mails of buyers": len(month.played.mails),
        "turns of the daemon": month.stage.turns,
        "approved by staff": month.staff.approvals,
        "accepted by SMTP": len(out),
        "notes": len(notes),
    }
    return books


# --- notices ----------------------------------------------------------------------------------------------------------


def _notices(wishes: Iterable[Wish], everything: list[Seen], notes: list[tuple[str, str, bytes]], books: Books) -> None:
    for wish in wishes:
        found = [one for one in everything if (one.order, one.matter) == (wish.order.order_id, wish.matter)]
        others = {one.matter for one in everything if one.order == wish.order.order_id} - {""}
        told = any(_tells_why_not(text, wish.order.order_id) for subject, text, _ in notes)
        what = f"{wish.matter} for {wish.order.order_id} ({wish.order.channel})"
        if len(found) > 1:
            books.wrong.append(f"doubled: {what}: {sorted(one.where for one in found)}")
        elif wish.forbidden:
            books.notices["forbidden, not written" if not found else "forbidden"] += 1
            if found:
                books.wrong.append(f"forbidden: {what}")
            if not told:
                books.wrong.append(f"nobody was told why not: {what}")
        elif found:
            books.notices[found[0].where] += 1
        elif wish.matter in ("restock", "checking", "delay") and others & {"combined", "restock"}:
            books.notices["made room for another notice"] += 1
        elif told:
            books.notices["refused, with a note"] += 1
        else:
            books.wrong.append(f"missing: {what}")

    wished = {(wish.order.order_id, wish.matter) for wish in wishes}
    for one in everything:
        if one.matter in MATTERS and one.matter != "care" and one.order and (one.order, one.matter) not in wished:
            books.wrong.append(f"nobody wished: {one.matter} for {one.order} ({one.where})")


def _of_the_clock(month: Month, everything: list[Seen], books: Books) -> None:
    """Holding replies and questions asked again: one for each mail. A care mail: one for each order, a week after its
    stock-out, unless the buyer has written or the channel forbids it."""
    told = {one.order for one in everything if one.matter == "sold_out"}
    cared = {one.order for one in everything if one.matter == "care"}
    for one in everything:
        order = next((w.order for w in month.played.wishes if w.order.order_id == one.order), None)
        if one.matter != "sold_out" or one.at is None or order is None or order.channel in NO_CARE:
            continue
        at = one.at
        wrote = any(mail.order is order and mail.arrived_at > at for mail in month.played.mails)
        if not wrote and at + timedelta(days=7, hours=6) < month.stage.now and one.order not in cared:
            books.wrong.append(f"no care mail: {one.order}")
    counts: Counter[tuple[str, str]] = Counter()
    for one in everything:
        if one.matter in OF_THE_CLOCK:
            counts[one.matter, header_of(one.raw, "In-Reply-To")] += 1
        elif one.matter == "care":
            counts[one.matter, one.order] += 1
            if one.order not in told:
                books.wrong.append(f"care without a stock-out: {one.order}")
        else:
            continue
        books.clock[f"{one.matter}, {one.where}"] += 1
    books.wrong += [f"doubled: {matter} for {about}" for (matter, about), count in counts.items() if count > 1]


def _tells_why_not(text: str, order_id: str) -> bool:
    return any(line.startswith("- ") and order_id in line for line in text.splitlines())


# --- replies ----------------------------------------------------------------------------------------------------------


def _replies(
    month: Month, everything: list[Seen], answered: set[str], notes: list[tuple[str, str, bytes]], books: Books
) -> None:
    held = {header_of(raw, "In-Reply-To") for _, _, raw in notes}
    for mail in month.played.mails:
        about = [one for one in everything if mail.message_id in one.names]
        about = [one for one in about if one.matter not in OF_THE_CLOCK]
        direct = [one for one in about if header_of(one.raw, "In-Reply-To") == mail.message_id]
        what = f"{mail.kind} of {mail.order.order_id if mail.order else '-'} ({mail.message_id})"
        if not mail.owed:
            books.replies["silence"] += 1
            before = [
                m for m in month.played.mails if m.order is mail.order and m.owed and m.arrived_at < mail.arrived_at
            ]
            if direct and not before:  # else the reply answers what he asked before
                books.wrong.append(f"a reply nobody is owed: {what}: {[one.where for one in direct]}")
            continue
        gone_out = [one for one in direct if one.where in ("sent", "pasted")]
        if len(gone_out) > 1:
            books.wrong.append(f"answered twice: {what}")
        if mail.message_id in answered:
            books.replies["answered"] += 1
        elif any(one.where == "waiting" for one in about):
            books.replies["a draft waits"] += 1
        elif any(one.where == "discarded" for one in about):
            books.replies["refused by staff"] += 1
        elif mail.message_id in held:
            books.replies["a person was told"] += 1
        else:
            books.wrong.append(f"lost: {what}")
        later = [
            one.at
            for one in everything
            if mail.order is not None and one.order == mail.order.order_id and one.at is not None
            if one.at >= mail.arrived_at and one.matter not in OF_THE_CLOCK
        ]
        is_refused = any(one.where == "discarded" for one in about)
        _deadline(month, mail, later, is_refused or mail.message_id in answered, notes, books)


def _deadline(
    month: Month,
    mail: Mail,
    out: list[datetime],
    is_closed: bool,
    notes: list[tuple[str, str, bytes]],
    books: Books,
) -> None:
    """Met by what went out about the order, or by what staff did; else a note has named it while it waited."""
    assert mail.due_at is not None
    assert mail.order is not None
    done = min(
        [*out, *([month.staff.closed[mail.message_id]] if mail.message_id in month.staff.closed else [])], default=None
    )
    if done is not None and done <= mail.due_at + timedelta(minutes=2):
        books.deadlines["met"] += 1
        return
    until = done or month.stage.now
    told = any(
        subject.startswith(_CLOCK) and (mail.order.order_id in text or mail.order.writes_from in text)
        and mail.arrived_at <= parsedate_to_datetime(header_of(raw, "Date")) <= until
        for subject, text, raw in notes
    )  # fmt: skip
    what = "late" if done is not None else "open" if not is_closed else "refused by staff"
    if done is None and mail.due_at > until:
        books.deadlines["not due yet"] += 1
    elif told or what == "refused by staff":
        books.deadlines["no answer wanted by staff" if is_closed and done is None else f"{what}, staff were told"] += 1
    else:
        books.wrong.append(
            f"{what} and nobody was told: {mail.kind} of {mail.order.order_id}, {mail.arrived_at:%m-%d %H:%M}, due {mail.due_at:%m-%d %H:%M}, done {done}"
        )


# --- what must not be -------------------------------------------------------------------------------------------------


def _forbidden(
    month: Month, out: list[Seen], notes: list[tuple[str, str, bytes]], orders: dict[str, Order], books: Books
) -> None:
    own = set(month.staff.own)
    for one in out:
        order = orders.get(one.order)
        if _PASTE in header_of(one.raw, "To"):
            books.wrong.append(f"a text to paste was mailed: {one.order}")
        if order is None or one.message_id in own:
            continue
        words = "\n".join(line for line in text_of(one.raw).splitlines() if not line.startswith(">"))
        if order.channel != "own" and "クーポン" in words:
            books.wrong.append(f"a coupon on {order.channel}: {one.order}")
        links = re.findall(r"https?://[^/\s]+", words)
        if order.channel in NO_LINKS and any("yamato" not in link for link in links):
            books.wrong.append(f"a link on {order.channel}: {one.order}: {links}")
        if one.matter in ("care", "restock_notice") and order.channel in NO_CARE:
            books.wrong.append(f"{one.matter} on {order.channel}: {one.order}")
    calls: Counter[tuple[str, str]] = Counter()
    for subject, text, _ in notes:
        if subject.startswith("お電話のお願い"):
            order_id = next((o for o in orders if o in subject), "")
            matter = next((line for line in text.splitlines() if line.startswith("用件: ")), "")
            calls[order_id, matter] += 1
            if orders[order_id].channel in ("amazon", "ebay"):
                books.wrong.append(f"a call where calls are forbidden: {order_id}")
    books.figures["calls asked for"] = sum(calls.values())
    books.wrong += [f"asked twice to call: {key}" for key, count in calls.items() if count > 1]


def _folders(month: Month, lying: dict[str, list[Stored]], out: list[Seen], books: Books) -> None:
    """What SMTP took lies in Sent once; nothing is left in the command folders; what was dropped is back."""
    copies = Counter(header_of(m.raw, "Message-ID") for m in lying[SENT])
    for one in out:
        if copies[one.message_id] != 1:
            books.wrong.append(f"{copies[one.message_id]} copies in Sent of a mail about {one.order}")
    left = {name: len(mails) for name, mails in lying.items() if name.startswith(f"{NOTES}/") and mails}
    if left:
        books.wrong.append(f"left in command folders: {left}")
    home = sum("新しい注文" in subject_of(m.raw) for m in lying["INBOX"])
    if home != month.played.dropped:
        books.wrong.append(f"{home} of {month.played.dropped} dropped mails are back")
    books.figures["approvals that came back (facts had changed)"] = (
        month.staff.approvals + len(month.staff.own) - len(out)
    )


# --- the report -------------------------------------------------------------------------------------------------------


def _report(month: Month, lying: dict[str, list[Stored]], everything: list[Seen], books: Books) -> None:
    """What `responder report` says, beside what the servers hold."""
    month.stage.write_orders()
    words = ["report", "--config", str(month.stage.shop.folder), "--json", "--from", "2025-12-01", "--to", "2026-05-31"]
    done = CliRunner().invoke(cli, [*words, "--now", month.stage.now.isoformat()], catch_exceptions=False)
    said = json.loads(done.output)
    outcomes: Counter[str] = Counter()
    elsewhere = sum(row["outcomes"]["own"] for row in said["templates"] if not row["template"])
    for row in said["templates"]:
        outcomes.update(row["outcomes"])
    own = set(month.staff.own)
    by_us = [one for one in everything if one.where == "sent" and one.message_id not in own]
    pasted = [one for one in everything if one.where == "pasted"]
    apologies = [one for one in (*by_us, *pasted) if one.matter in _APOLOGIES]
    changed = [one for one in by_us if SIGNED in text_of(one.raw) or any(words in text_of(one.raw) for words in FILLED)]
    # Who refuses a draft and then settles the matter elsewhere has ended it once, and the report calls it refused; who
    # closes two notes on one order at one sitting has given one answer.
    refused = {one.order for one in everything if one.where == "discarded"}
    closed = [m.raw for m in lying[SENT] if subject_of(m.raw).startswith("ご対応をお願いします")]
    settled = {
        (subject_of(raw).partition("（注文 ")[2] or raw, month.staff.closed[header_of(raw, "In-Reply-To")])
        for raw in closed
        if not any(f"注文 {order}）" in subject_of(raw) for order in refused)
    }
    short = {(one.order, one.matter) for one in everything if one.matter in _SHORT and one.where != "discarded"}
    books.report += [
        ("mails of buyers", said["mails"]["received"], len(lying["INBOX"])),
        ("sent as written or with changes", outcomes["as_is"] + outcomes["edited"], len(by_us) + len(pasted)),
        ("of these with changes", outcomes["edited"], len(changed)),
        ("answered instead of the draft", outcomes["own"] - elsewhere, len(own)),
        ("settled without a draft", elsewhere, len(settled)),
        ("drafts refused", outcomes["refused"], sum(one.where == "discarded" for one in everything)),
        ("drafts that wait", said["drafts_open"], sum(one.where == "waiting" for one in everything)),
        ("mails of apology", sum(count for _, count in said["apologies"]), len(apologies)),
        ("orders sold out", sum(row["orders"] for row in said["stock_outs"]), len({order for order, _ in short})),
    ]
    books.wrong += [
        f"the report says {says} {name}, the servers hold {hold}" for name, says, hold in books.report if says != hold
    ]


# --- reading ----------------------------------------------------------------------------------------------------------


def _seen(where: str, raw: bytes, orders: dict[str, Order], at: datetime | None = None) -> Seen:
    subject = subject_of(raw)
    text = f"{subject}\n{text_of(raw)}"
    named = next((o for o in orders if o in subject), None) or next((o for o in orders if o in text), "")
    ids = frozenset(f"{header_of(raw, 'In-Reply-To')} {header_of(raw, 'References')}".split())
    return Seen(where, raw, named, matter_of(subject), ids, at)


def _is_note(raw: bytes) -> bool:
    return header_of(raw, "From").startswith("responder ") or "responder" in header_of(raw, "From").split("<")[0]
