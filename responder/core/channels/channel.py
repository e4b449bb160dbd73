"""What a channel is: the values of one data file. Patterns in it are RE2, linear on any text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import re2

from responder.model import Message, Order

ReplyMode = Literal["mail", "relay_smtp", "admin_only"]
Kind = Literal["buyer", "inquiry", "notice", "form"]
OWN = "own"
BODY_CHARS = 20_000
PASTE_DOMAIN = ".paste.invalid"
"""The end of addresses that no mail can reach (RFC 2606): what is to be pasted into a page goes to one of them."""

FORBIDDEN = (
    "link",  # a web address
    "mail_addresses",
    "phone",
    "postal_address",
    "social_id",  # LINE, Instagram ...
    "coupon",
    "advertising",
    "review_request",  # asks for a review
    "review_bait",  # rewards or steers one
    "other_shop",  # leads to another shop or off the mall
    "unsolicited_offer",  # goods the buyer did not ask for
    "ask_to_cancel",  # asks the buyer to cancel where the shop cannot deliver
    "emoji",
)
"""What a channel may forbid in a reply; `core.proof` finds each of them."""
MUST_CONTAIN = ("order_id",)


@dataclass(frozen=True, slots=True)
class Route:
    """One kind of mail of a channel; every list that is given must have a pattern that hits.

    `kind`: `buyer` is written by a buyer, `inquiry` tells of a buyer's words that are answered elsewhere, `notice`
    is the system's own, `form` a contact form. `senders` see the From address in lower case. `official_cancel`: such a
    mail is the channel's formal request to cancel, not a buyer's plain words.
    """

    kind: Kind = "buyer"
    reply_mode: ReplyMode | None = None
    senders: Any = None
    subjects: Any = None
    bodies: Any = None
    official_cancel: bool = False

    def fits(self, message: Message) -> bool:
        """True if the subject and the text of a mail by one of the `senders` are those of this route."""
        if self.subjects is not None and not self.subjects.search(message.subject[:998]):
            return False
        return self.bodies is None or bool(self.bodies.search(message.text[:BODY_CHARS]))


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """One way buyers reach the shop. `kind`, `reply_mode` and `is_formal_cancel` are those of the mail it was
    recognised by. A channel equals only itself.

    `clock_h` is within how many hours an answer is due, None for no clock; `clock_weekends`: days off count too.
    `order_ids` finds ids in mails of this channel, `certain_ids` in any mail. `frame` are the lines between which
    the buyer's words stand, `subject_frames` what it writes into a subject; `labels` the form's labels by field,
    folded; `form_senders` are addresses that send filled-in forms, those `at_home` only where they are of the domain
    the mail went to. `forbidden` and
    `must_contain` name what a reply may not hold and what it must; `link_hosts` are the hosts that links may lead to
    all the same, `@carriers` standing for the carriers' tracking pages. `cancel_limit_percent` of the orders of
    `cancel_limit_days` may be cancelled by the shop; or each such cancel costs `cancel_points` of `cancel_points_limit`
    a year. `unofficial_cancel_counts`: a cancel that the buyer asked for in plain words counts as the shop's. The
    `official_cancel_columns` (TRUE) and `official_cancel_words` (a status word) of the order data tell that the buyer
    has filed a formal request. `admin_page` is the page to open where a reply must be pasted, `order_page` the
    one where orders are cancelled and changed, where that is another.
    `allows_care`: the shop may write of itself to a buyer whose order is over. `allows_calls`: it may telephone him.
    `urgent_mark` stands before the subject of a mail the order cannot be completed without, by language.
    """

    name: str
    title: Mapping[str, str] = field(default_factory=dict)
    kind: Kind = "buyer"
    reply_mode: ReplyMode = "mail"
    routes: tuple[Route, ...] = ()
    order_ids: Any = None
    certain_ids: Any = None
    frame: tuple[Any, Any] | None = None
    subject_frames: Any = None
    labels: Mapping[str, str] = field(default_factory=dict)
    form_ends: Any = None
    form_senders: Any = None
    form_senders_at_home: Any = None
    clock_h: float | None = None
    clock_weekends: bool = False
    quote_original: bool = True
    allows_links: bool = True
    allows_care: bool = True
    allows_calls: bool = True
    urgent_mark: Mapping[str, str] = field(default_factory=dict)
    forbidden: tuple[str, ...] = ()
    must_contain: tuple[str, ...] = ()
    link_hosts: tuple[str, ...] = ()
    is_formal_cancel: bool = False
    official_cancel_columns: tuple[str, ...] = ()
    official_cancel_words: tuple[str, ...] = ()
    unofficial_cancel_counts: bool = False
    cancel_limit_percent: float | None = None
    cancel_limit_days: int | None = None
    cancel_points: int | None = None
    cancel_points_limit: int | None = None
    admin_page: str = ""
    order_page: str = ""

    @property
    def is_marketplace(self) -> bool:
        """True for mail that goes through somebody else's system."""
        return self.name != OWN and self.kind != "form"

    def title_in(self, language: str) -> str:
        """What people call the channel."""
        return self.title.get(language) or self.title.get("en") or self.name

    @property
    def paste_address(self) -> str:
        """Where a reply that must be pasted is addressed to: nowhere, so that nobody can send it by mistake."""
        label = "".join(char for char in self.name.lower() if char.isascii() and char.isalnum()) or "channel"
        return f"paste@{label[:60]}{PASTE_DOMAIN}"

    @property
    def is_notice(self) -> bool:
        """True for a mail that the channel's system wrote by itself and that no buyer waits on."""
        return self.kind == "notice"

    def is_official_cancel(self, order: Order | None) -> bool:
        """True if the mail is the channel's formal request to cancel, or the order data say that there is one."""
        if self.is_formal_cancel or order is None:
            return self.is_formal_cancel
        if order.channel not in ("", self.name):
            return False
        if order.cancel_asked and self.is_marketplace:
            return True
        if self.official_cancel_columns:
            columns = {_folded(name): value for name, value in order.extra.items()}
            if any(_folded(columns.get(_folded(name), "")) in _TRUE for name in self.official_cancel_columns):
                return True
        words = self.official_cancel_words
        return bool(words) and _folded(order.status_word) in {_folded(word) for word in words}


_TRUE = frozenset({"true", "1", "yes", "y", "はい"})


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def compiled(pattern: str) -> Any:
    """The compiled RE2 pattern, blind to case.

    Raises: ValueError if it is not one.
    """
    options = _options()
    options.max_mem = 4 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error as exc:
        raise ValueError(str(exc.args[0] if exc.args else exc)) from exc


def compiled_set(patterns: Iterable[str]) -> Any:
    """Patterns that `compiled` takes as one RE2 set: `Match` gives the numbers of those that a text holds."""
    found = re2.Set.SearchSet(_options())
    for pattern in patterns:
        found.Add(pattern)
    found.Compile()
    return found


def _options() -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return options
