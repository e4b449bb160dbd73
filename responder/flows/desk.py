"""What the flows of one account share: its session, its journal, the settings of this turn, and what was seen last."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from responder.config import AccountSettings, Settings
from responder.core.approval import Papers, read_papers
from responder.core.mime import header_block
from responder.edges.imap import Located, Session, Status
from responder.edges.journal import Journal
from responder.edges.journal.auto_replies import Receipt
from responder.edges.orders import OrderBook
from responder.model import Cursor, Draft, Order, Outcome, Parcel, ParcelWord, Place

log = logging.getLogger("responder")

PAPERS_FIELDS = (
    "MESSAGE-ID",
    "IN-REPLY-TO",
    "REFERENCES",
    "FROM",
    "TO",
    "CC",
    "BCC",
    "RECEIVED",
    "DELIVERED-TO",
    "X-RESPONDER-CASE",
)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A mail seen in a staff mailbox: its papers and its flags in lower case."""

    place: Place
    papers: Papers
    flags: frozenset[str]


@dataclass(slots=True)
class Desk:
    """One account at work. Owned by one thread at a time; `settings` is swapped between turns, never within one.

    `statuses`, `ahead` (how mailboxes looked a moment ago) and `papers` only spare the server work: losing them
    costs a scan, never correctness. `first_seen` is when a mail in Approved was first noticed there: its quiet time
    starts anew after a restart. `tried` are the mails this process has taken in hand: if one of them is still
    undecided, it did not kill us. `outbox` holds what is claimed and waits for the sending thread, `in_flight` the
    drafts that are in there or being sent at this moment; `words` are what the warehouse is to be told, `saying`
    those in the sending thread's hands; `owed` are answers of the SMTP server that the journal does not know yet
    (both threads may settle them). `own_copies` is where we filed the Sent copy of a draft, `copies_tried` the
    drafts for which that was begun, and `sent_here` those this process has sent. `orders_are_silent` and
    `notes_are_refused` are true at the start, too: a former run may have told so. `receipts` are to be sent without
    an approval, none before `receipts_after`, `replying` those in the sending thread's hands. `clocks_begun` is when
    the clocks of this account first ran, `digest_due` when its next morning mail is due, None until the journal was
    asked.
    `steady` counts seconds whatever happens to the clock; `times` is what both said at the last turn.
    """

    account: AccountSettings
    settings: Settings
    journal: Journal
    orders: OrderBook
    session: Session
    located: Located
    clock: Callable[[], datetime]
    steady: Callable[[], float] | None = None
    times: tuple[datetime, float] | None = None
    statuses: dict[str, Status] = field(default_factory=dict)
    ahead: dict[str, Status] = field(default_factory=dict)
    papers: dict[str, dict[Place, Papers]] = field(default_factory=dict)
    first_seen: dict[Place, datetime] = field(default_factory=dict)
    views: dict[str, dict[Place, Sighting]] = field(default_factory=dict)
    starred_since: dict[Place, datetime] = field(default_factory=dict)
    not_approvals: set[Place] = field(default_factory=set)
    tried: set[int] = field(default_factory=set)
    in_flight: set[int] = field(default_factory=set)
    outbox: list[Parcel] = field(default_factory=list)
    owed: dict[str, tuple[Parcel, Outcome | None]] = field(default_factory=dict)
    words: list[ParcelWord] = field(default_factory=list)
    saying: set[int] = field(default_factory=set)
    owed_lock: Lock = field(default_factory=Lock)
    in_trash: set[int] = field(default_factory=set)
    own_copies: dict[int, Place] = field(default_factory=dict)
    sent_here: set[int] = field(default_factory=set)
    copies_tried: set[int] = field(default_factory=set)
    read_up_to: dict[str, Cursor] = field(default_factory=dict)
    next_wake: datetime | None = None
    last_full_look: datetime | None = None
    some_are_gone: bool = False
    troubled: bool = False
    orders_are_silent: bool = True
    notes_are_refused: bool = True
    append_not_before: datetime | None = None
    reported: str = ""
    report_not_before: datetime | None = None
    looked_for_silence: datetime | None = None
    receipts: list[Receipt] = field(default_factory=list)
    replying: set[int] = field(default_factory=set)
    receipts_after: datetime | None = None
    clocks_begun: datetime | None = None
    digest_due: datetime | None = None

    def staff_mailboxes(self) -> tuple[str, ...]:
        """The mailboxes in which staff act on drafts, in the order in which evidence counts."""
        found = (self.located.drafts, self.account.approved, self.located.sent, self.located.trash)
        return tuple(dict.fromkeys(mailbox for mailbox in found if mailbox))

    @property
    def commands(self) -> dict[str, str]:
        """The command folders, with the matter that each stands for."""
        return {mailbox: matter for matter, mailbox in self.account.commands.items()}

    @property
    def name(self) -> str:
        """The account's name in the journal and the log."""
        return self.account.name

    def wake_at(self, when: datetime) -> None:
        """Come back at this time at the latest."""
        if self.next_wake is None or when < self.next_wake:
            self.next_wake = when

    def mint_id(self) -> str:
        """A new Message-ID of ours (RFC 5322 3.6.4): random on the left, the shop's domain on the right."""
        return f"<{secrets.token_hex(12)}.r@{self.account.identity.address.rpartition('@')[2]}>"

    def changed(self, mailbox: str) -> bool:
        """True if the mailbox looks different from the last time this was asked; remembers how it looks now."""
        status = self.ahead.pop(mailbox, None) or self.session.status(mailbox)
        before = self.statuses.get(mailbox)
        self.statuses[mailbox] = status
        if before is not None and before.uidvalidity != status.uidvalidity:
            self.papers.pop(mailbox, None)
        return before != status

    def look_ahead(self, mailboxes: Collection[str]) -> None:
        """Ask how these look, all at once where the server can: the next question about each is answered by that."""
        self.ahead = dict(self.session.statuses(mailboxes))

    def forget_status(self, *mailboxes: str) -> None:
        """Look again at these mailboxes: something of ours is under way there."""
        for mailbox in mailboxes:
            self.statuses.pop(mailbox, None)
            self.ahead.pop(mailbox, None)
            self.views.pop(mailbox, None)

    def forget_everything_seen(self) -> None:
        """After a lost line: what we remember of the mailboxes may be wrong, so all are read again."""
        self.last_full_look = None
        self.statuses.clear()
        self.ahead.clear()
        self.views.clear()
        self.papers.clear()
        self.read_up_to.clear()

    def read_papers(self, mailbox: str, uidvalidity: int, uids: tuple[int, ...]) -> Mapping[Place, Papers]:
        """The papers of these mails in the selected mailbox; only unknown ones are fetched."""
        before = self.papers.get(mailbox, {})
        places = {uid: Place(mailbox, uidvalidity, uid) for uid in uids}
        missing = [uid for uid, place in places.items() if place not in before]
        now = {place: before[place] for place in places.values() if place in before}
        for fetched in self.session.fetch(missing, fields=PAPERS_FIELDS):
            if fetched.uid in places:
                now[places[fetched.uid]] = read_papers(header_block(fetched.raw))
        self.papers[mailbox] = now
        return now

    def find_order(self, order_id: str) -> Order | None:
        """The order with this id as the shop's data has it now, or None."""
        found = self.orders.find([order_id])
        return found[0] if len(found) == 1 else None

    def say(self, action: str, *, level: int = logging.INFO, **detail: object) -> None:
        """One line in the log: ids, codes and numbers only."""
        log.log(level, action, extra={"action": action, "account": self.name, **detail})


def is_untouched(desk: Desk, draft: Draft) -> bool:
    """True if the draft lies where we know it, nobody has opened it, and its bytes are those we wrote.

    Selects the draft's mailbox. Clients set `\\Seen` on opening and save an edit as a new mail (RFC 9051 2.3.2).
    """
    if draft.touched or draft.place is None or draft.state != "drafted":
        return False
    selected = desk.session.select(draft.place.mailbox)
    if selected.uidvalidity != draft.place.uidvalidity:
        return False
    found = list(desk.session.fetch([draft.place.uid], first_bytes=len(draft.raw) + 1024))
    if len(found) != 1:
        return False
    flags = {flag.lower() for flag in found[0].flags}
    return "\\seen" not in flags and "\\deleted" not in flags and same_bytes(found[0].raw, draft.raw)


def same_bytes(a: bytes, b: bytes) -> bool:
    """Equal but for line ends: servers store CRLF whatever they are given."""
    return a.replace(b"\r\n", b"\n").rstrip(b"\n") == b.replace(b"\r\n", b"\n").rstrip(b"\n")
