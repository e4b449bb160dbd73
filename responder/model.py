"""The values every part of responder shares: frozen, without behaviour beyond reading themselves.

Nothing here does I/O, reads a clock or logs. Times are aware UTC datetimes; sizes are bytes; addresses are
addr-specs (RFC 5322 3.4.1) with the domain in lower-case A-labels.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from responder.errors import Mistake

Language = Literal["ja", "en", "zh"]
LANGUAGES: tuple[Language, ...] = ("ja", "en", "zh")
Action = Literal["draft", "hold", "silence"]


# --- mail -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox (RFC 5322): `name` decoded and cleaned of control and bidi characters, `mail` the addr-spec."""

    name: str
    mail: str

    @property
    def key(self) -> str:
        """The form addresses are compared in: case-folded."""
        return self.mail.casefold()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the mail's text. `name` is for display only and never becomes a path."""

    name: str
    content_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Message:
    """A received mail, read once; every later step looks at this value and never at the bytes.

    `message_id`, `in_reply_to`, `references` hold only well-formed ids with their angle brackets; a malformed one
    is absent. `headers` maps lower-case names to the decoded, unfolded values in order of appearance (topmost
    first). `text` is all visible text; `new_text` what the sender wrote now; `quoted_text` what he quotes;
    `signature` what closes the mail. `own_subject` is the subject without what a marketplace wrote into it, None where
    that is the whole subject. `return_path` is "" for the null path and None where the header is missing.
    `problems` are reading problems by code (`unknown_charset`, `truncated`, `two_from` ...), empty for a clean mail.
    `content_sha256` covers sender, date, subject, id and body but no trace headers: the same mail delivered twice
    has the same value.
    """

    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    sender: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    return_path: str | None
    subject: str
    date: datetime | None
    headers: Mapping[str, tuple[str, ...]]
    text: str
    new_text: str
    quoted_text: str
    signature: str
    attachments: tuple[Attachment, ...]
    content_sha256: str
    size_bytes: int
    language: Language
    problems: tuple[str, ...] = ()
    form: Mapping[str, str] = field(default_factory=dict)
    own_subject: str | None = None

    @property
    def said_above(self) -> str:
        """The subject as far as it is the writer's own."""
        return self.subject if self.own_subject is None else self.own_subject

    @classmethod
    def blank(cls, language: Language) -> Message:
        """A mail that nobody wrote: no sender, no words."""
        return cls(
            message_id=None,
            in_reply_to=(),
            references=(),
            sender=None,
            reply_to=(),
            to=(),
            cc=(),
            return_path=None,
            subject="",
            date=None,
            headers={},
            text="",
            new_text="",
            quoted_text="",
            signature="",
            attachments=(),
            content_sha256="",
            size_bytes=0,
            language=language,
        )

    def header(self, name: str) -> str:
        """The topmost value of a header, or an empty string."""
        values = self.headers.get(name.lower(), ())
        return values[0] if values else ""


# --- orders ---------------------------------------------------------------------------------------------------------

OrderStatus = Literal["unpaid", "paid", "preparing", "shipped", "delivered", "cancelled", "out_of_stock", "unknown"]
UNSHIPPED: frozenset[str] = frozenset({"unpaid", "paid", "preparing", "out_of_stock"})
SHIPPED: frozenset[str] = frozenset({"shipped", "delivered"})


_ORDER_DASHES = {ord(char): "-" for char in "‐‑‒–—―−─ー﹣－﹘⁃"}


def order_key(order_id: str) -> str:
    """The form in which order ids are compared: NFKC, upper case, one kind of dash, no spaces, no leading `#`."""
    if not order_id.isascii():
        order_id = unicodedata.normalize("NFKC", order_id).translate(_ORDER_DASHES)
    return "".join(order_id.split()).lstrip("#").upper()


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order."""

    name: str
    sku: str = ""
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a fact comes from: the file or query, its first row (1-based, 0 if none), and when that source was last
    known to be current."""

    source: str
    line: int
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class Order:
    """One order as the shop's data tells it. An empty string or None means the source does not say.

    `status` is one of OrderStatus; `status_word` is the source's own word. `cancel_asked`: the buyer has asked through
    the marketplace's own form. `extra` keeps unknown columns under their header as written. `source`, `line` and
    `as_of` say where the state comes from (see Origin); `origins` name the fields that come from elsewhere. `problems`
    are data mistakes by code, `doubts` the same with file, line and column: such an order holds.
    """

    order_id: str
    channel: str = ""
    status: OrderStatus = "unknown"
    status_word: str = ""
    buyer_name: str = ""
    buyer_mail: str = ""
    payment: str = ""
    total: Decimal | None = None
    currency: str = ""
    ordered_at: datetime | None = None
    paid_at: datetime | None = None
    ship_by: datetime | None = None
    shipped_at: datetime | None = None
    carrier: str = ""
    tracking_no: str = ""
    eta: datetime | None = None
    items: tuple[Item, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    line: int = 0
    as_of: datetime | None = None
    problems: tuple[str, ...] = ()
    cancel_asked: bool = False
    cancel_deadline: datetime | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict)
    doubts: tuple[Mistake, ...] = ()

    def origin(self, name: str) -> Origin:
        """Where that field comes from and how old it is."""
        return self.origins.get(name) or Origin(self.source, self.line, self.as_of)

    @property
    def is_shipped(self) -> bool:
        """The goods have left the shop."""
        return self.status in SHIPPED

    @property
    def is_unshipped(self) -> bool:
        """The goods are still with the shop and the order stands."""
        return self.status in UNSHIPPED


@dataclass(frozen=True, slots=True)
class Placed:
    """The orders that were placed on a channel since some time: how many, and those of them that are cancelled."""

    total: int
    cancelled: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True)
class StateColumn:
    """One look at an order's state: the states that words of that column mean. "" goes on to the next look,
    `unknown` ends it: the word says that nobody can tell. `filled` is what any other filled cell means."""

    column: str
    words: Mapping[str, str] = field(default_factory=dict)
    filled: str = ""


@dataclass(frozen=True, slots=True)
class OrderLayout:
    """One form of export, known by its headers. Headers are compared without width, case, spaces, `_` and `-`.

    `known_by`: any of these groups, all of it, makes a file one of this layout. `columns` maps a field to alternatives,
    each one header or several to be joined; the first that says something counts. `status` is the state of every order
    in such a file unless `states` tell it; `is_list`: the file lists all orders in that state, so one that is missing
    from the newest has left it. `total_of` are columns to be added up over the rows, `total_unless` those that make the
    sum untrue. `per_row` are fields that may differ from row to row. `cancel_asked` maps columns to the words that mark
    the buyer's request; `item_rows` columns to the words of rows that are goods; `not_items` are patterns of names that
    are none. `one_item_a_row`: an item's name is never a list. `quoted` False: quotation marks mean nothing.
    """

    name: str
    title: str
    known_by: tuple[tuple[str, ...], ...]
    columns: Mapping[str, tuple[tuple[str, ...], ...]]
    channel: str = ""
    currency: str = ""
    timezone: str = ""
    day_first: bool | None = None
    states: tuple[StateColumn, ...] = ()
    status: str = ""
    is_list: bool = False
    total_of: tuple[str, ...] = ()
    total_unless: tuple[str, ...] = ()
    per_row: tuple[str, ...] = ()
    cancel_asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    item_rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    not_items: tuple[str, ...] = ()
    one_item_a_row: bool = True
    quoted: bool = True


# --- deciding -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was decided: `code` names the text in `data/messages`, `args` fill it."""

    code: str
    args: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, code: str, **args: object) -> Reason:
        """A reason with its values turned to text."""
        return cls(code, tuple(zip(args, map(str, args.values()), strict=True)))


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the new text with what it does: its `acts` by name (request, negated, withdrawn, conditional,
    policy_question, past, thanks, threat, no_reply_needed ...) and the topics (`asks` names) it speaks of."""

    text: str
    acts: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """What one rule made of the mail: fired, vetoed or missed, and because of what."""

    rule: str
    outcome: Literal["fired", "vetoed", "missed", "shadowed"]
    because: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a mail. `template` is set for a draft only; `note` are names of notes for staff, or what a rule
    says itself, one a line; None where there is nothing to do.

    `asks` are the topics the buyer asks for; `is_angry` that he is upset; `is_formal` that the cancel was requested in
    the marketplace's own form.

    `order` is the one order the decision relies on. `deadline_h` is the rule's own deadline in hours, or None for
    the channel's clock. `failed_lookups` counts the numbers in the mail that were looked up and are no order of its
    sender's.
    """

    action: Action
    situation: str
    rule: str | None
    language: Language
    channel: str
    order: Order | None = None
    order_id: str | None = None
    template: str | None = None
    note: str | None = None
    deadline_h: float | None = None
    reasons: tuple[Reason, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    trace: tuple[RuleTrace, ...] = ()
    failed_lookups: int = 0
    asks: tuple[str, ...] = ()
    is_angry: bool = False
    is_formal: bool = False


# --- drafts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the shop is in an account: the addresses it may write from and the name it signs with."""

    address: str
    aliases: tuple[str, ...] = ()
    display_name: str = ""

    def owns(self, mail: str) -> bool:
        """True if `mail` is one of the shop's own addresses."""
        folded = mail.casefold()
        return folded == self.address.casefold() or any(folded == each.casefold() for each in self.aliases)


@dataclass(frozen=True, slots=True)
class Letter:
    """A written reply before it is bytes. `blanks` names the values that are missing and stand as 【要確認: ...】 in
    the text. `facts` are the order facts the text relies on, field to value as text: compared again before sending.
    `valid_until` is when the first day the text names as today or to come is over, None where it names none."""

    sender: Address
    to: Address
    subject: str
    text: str
    in_reply_to: str | None
    references: tuple[str, ...]
    blanks: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    template: str = ""
    language: Language = "ja"
    valid_until: datetime | None = None


# --- what lies on the server ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail lies now. A new `uidvalidity` voids every uid of that mailbox."""

    mailbox: str
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """One fetched mail. `raw` may be only its first bytes: compare with `size_bytes`. `internaldate` is the server's
    arrival time. `flags` are as the server spells them (`\\Seen`, `$label1`)."""

    uid: int
    raw: bytes
    size_bytes: int
    flags: frozenset[str]
    internaldate: datetime | None


# --- servers --------------------------------------------------------------------------------------------------------

Tls = Literal["implicit", "starttls", "none"]


@dataclass(frozen=True, slots=True)
class Server:
    """Where to log in. `auth` is `password` or `xoauth2`; `ca_file` replaces the system's certificate store.

    The secret itself is never in here: edges are given a callable that fetches it when it is needed.
    """

    host: str
    port: int
    tls: Tls
    username: str
    auth: Literal["password", "xoauth2"] = "password"
    ca_file: str | None = None


NULL_PATH = "<>"
"""The envelope sender of a mail that nothing is to answer (RFC 5321 4.5.5): named outright, an address that is missing
never means it."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One mail for one recipient on its way to SMTP. `key` is the journal's name for it; `by` is the channel whose own
    server takes it, "" for the account's server."""

    key: str
    envelope_from: str
    recipient: str
    raw: bytes
    by: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server answered 250 to the final dot."""

    reply: str


@dataclass(frozen=True, slots=True)
class Later:
    """Not accepted for sure (4xx, or the line was lost before the first body byte): may be tried again."""

    phase: str
    reply: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not accepted for good (5xx): shown to staff."""

    phase: str
    reply: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The body was on its way and no answer came (RFC 1047): a person decides."""

    phase: str
    reply: str


Outcome = Accepted | Later | Refused | Unknown


ParcelStep = Literal["stop", "release", "confirm"]
ParcelWay = Literal["mail", "webhook", "csv"]


@dataclass(frozen=True, slots=True)
class ParcelWord:
    """One word to the warehouse about one order's parcel: hold it back, it may leave, or it never will. `reason` is a
    code, `token` the same for all words of one stop, `at` when it was decided."""

    id: int
    step: ParcelStep
    way: ParcelWay
    reason: str
    order_id: str
    channel: str
    token: str
    at: datetime
    attempts: int


# --- what the journal remembers -------------------------------------------------------------------------------------

DraftState = Literal[
    "drafting",  # our Message-ID and bytes are stored; the draft may or may not lie in Drafts
    "drafted",  # the draft lies in Drafts (or was sent back there)
    "approved",  # staff said yes to one text; what will go out is stored
    "sending",  # the body was about to leave: until the answer is known nobody may send it again
    "sent",  # the server accepted it; filing is under way
    "filed",  # Sent copy, \Answered, draft removed: done
    "uncertain",  # no answer after the body began: a person decides
    "vanished",  # nowhere to be found; never sent, never written again, Sent is watched
    "withdrawn",  # taken back by us (answered otherwise, or a hold took its place)
    "stale",  # replaced by a newer draft of the case
    "discarded",  # deleted by staff
    "sent_by_staff",  # staff answered from their own mail client
]
OPEN_DRAFT_STATES: frozenset[str] = frozenset({"drafting", "drafted", "approved", "sending", "uncertain", "vanished"})


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a mailbox has been read. `started_at` is when we first looked: older mail is not ours to answer."""

    account: str
    mailbox: str
    uidvalidity: int
    last_uid: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """A received mail as the journal knows it. `state` is seen, decided or quarantined."""

    id: int
    account: str
    place: Place
    message_id: str | None
    content_sha256: str
    sender: str
    arrived_at: datetime
    state: str
    attempts: int
    action: str | None
    situation: str | None
    case_id: str | None
    answered: bool


@dataclass(frozen=True, slots=True)
class Case:
    """One buyer's matter. `buyer` is whose it is (`core.senders.party_of`): his address in most cases.

    `deadline_at` is by when an answer is due. The clock looks at the case at `look_at` (None: nothing is to come) and
    looked at it last at `looked_at`: what fell due in between is done once (`core.clocks`)."""

    id: str
    account: str
    state: Literal["open", "closed"]
    outcome: str | None
    buyer: str
    channel: str
    order_id: str | None
    language: Language
    opened_at: datetime
    deadline_at: datetime | None
    look_at: datetime | None = None
    looked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MailLine:
    """A mail of a case as the clock sees it."""

    id: int
    action: str | None
    situation: str | None
    rule: str | None
    answered: bool
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A draft of a case as the clock sees it, without its bytes."""

    id: int
    state: DraftState
    situation: str
    template: str
    order_id: str | None
    created_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with its mails and drafts, oldest first. `was_told`: its buyer had a receipt without an approval."""

    case: Case
    mails: tuple[MailLine, ...] = ()
    drafts: tuple[DraftLine, ...] = ()
    was_told: bool = False


@dataclass(frozen=True, slots=True)
class Approval:
    """What staff said yes to: where it lay, a hash of its bytes and of its text, and what goes out for it."""

    place: Place
    raw_sha256: str
    text_sha256: str
    outgoing_id: str
    outgoing_raw: bytes
    approved_at: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as the journal knows it. `raw` is what we wrote, `place` where it was last seen (None: not known),
    `touched` that staff opened or changed it. `told` holds the (text hash, reason) pairs staff have been shown."""

    id: int
    case_id: str
    account: str
    state: DraftState
    message_id: str
    raw: bytes
    place: Place | None
    touched: bool
    template: str
    situation: str
    order_id: str | None
    channel: str
    facts: Mapping[str, str]
    sender: str
    recipient: Address
    in_reply_to: str | None
    references: tuple[str, ...]
    answers: tuple[int, ...]
    approval: Approval | None
    told: frozenset[tuple[str, str]]
    attempts: int
    not_before: datetime | None
    first_attempt_at: datetime | None
    uncertain_since: datetime | None
    gone_since: datetime | None
    created_at: datetime
    sent_at: datetime | None
    copied: bool
    marked: bool
    removed: bool
    valid_until: datetime | None = None


# --- what is counted ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MailFact:
    """What a report counts of a received mail. `action` is draft, hold, silence, or "" while it is not decided."""

    id: int
    case_id: str | None
    arrived_at: datetime
    action: str
    situation: str
    channel: str
    answered: bool


@dataclass(frozen=True, slots=True)
class CaseFact:
    """What a report counts of a case. `buyer` only tells cases of one buyer from those of others."""

    id: str
    buyer: str
    channel: str
    order_id: str | None
    is_open: bool
    deadline_at: datetime | None


@dataclass(frozen=True, slots=True)
class DraftFact:
    """What a report counts of a draft. `ended_at` is None while it is open, and of one that was sent and not filed."""

    id: int
    case_id: str
    state: DraftState
    template: str
    situation: str
    order_id: str | None
    channel: str
    answers: tuple[int, ...]
    created_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class EventFact:
    """One line of a case's story: ids, codes and numbers."""

    at: datetime
    kind: str
    case_id: str | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rewording:
    """One change that staff made to a draft's words: `gone` of ours, `came` of theirs ("" for nothing), both without
    names, numbers and days. The keys stay where the words are forgotten. `buyer` only tells buyers apart."""

    template: str
    buyer: str
    at: datetime
    gone_key: str
    came_key: str
    gone: str
    came: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a report is counted from. `began_at` is when the journal first looked, None for an empty one."""

    began_at: datetime | None = None
    mails: tuple[MailFact, ...] = ()
    cases: tuple[CaseFact, ...] = ()
    drafts: tuple[DraftFact, ...] = ()
    events: tuple[EventFact, ...] = ()
    rewordings: tuple[Rewording, ...] = ()
    perks: tuple[tuple[str, datetime], ...] = ()
