"""What the shop configured, as frozen values; made by `load`, never changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from responder.core.channels import Channel
from responder.core.clocks import Clocks
from responder.core.compose import Templates
from responder.core.owed.around import Incident, Perk
from responder.core.owed.calls import Calls
from responder.core.proof import Proofreader
from responder.core.rules import Rulebook
from responder.core.wording import Catalog
from responder.errors import Mistake
from responder.model import Identity, Language, OrderLayout, ParcelWay, Server


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """The shop itself. `names` and `signatures` are those for readers of another language. `policy` holds what it
    promises (`return_days = 8` ...) as text: `true` is "on", `false` is "off", lists are joined by ", "; its calendar
    stands there too (`closed_weekdays`, `closed_days` ...). `alert_to` are told by mail what no note can tell."""

    name: str
    language: Language
    timezone: ZoneInfo
    signature: str = ""
    names: Mapping[Language, str] = field(default_factory=dict)
    signatures: Mapping[Language, str] = field(default_factory=dict)
    policy: Mapping[str, str] = field(default_factory=dict)
    currency: str = "JPY"
    alert_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Relay:
    """How replies to one channel leave: `identity` is the one registered address they are from, `envelope_from` the
    envelope sender. `smtp` is None where they leave through the account's own server."""

    channel: str
    identity: Identity
    envelope_from: str
    smtp: Server | None = None
    smtp_secret: Callable[[], str] = field(repr=False, default=str)


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One login. `drafts`, `sent`, `trash` are None where the server's own marks shall be used.

    `commands` are the folders below `notes` into which staff drop a mail, by the matter of what its buyer is told.
    `since` is how far back the first start looks, None for "only what arrives from now on". `files_sent` is True
    where the server files sent mail by itself, None if that is to be found out. The secrets are fetched anew by each
    call and raise ConfigError if they are missing.
    """

    name: str
    identity: Identity
    imap: Server
    imap_secret: Callable[[], str] = field(repr=False)
    smtp: Server | None = None
    smtp_secret: Callable[[], str] = field(repr=False, default=str)
    authserv_id: str | None = None
    watch: tuple[str, ...] = ("INBOX",)
    approved: str = "Approved"
    notes: str = "Responder"
    commands: Mapping[str, str] = field(default_factory=dict)
    drafts: str | None = None
    sent: str | None = None
    trash: str | None = None
    quiet_s: float = 30.0
    since: timedelta | None = None
    poll_s: float = 60.0
    staff_poll_s: float = 5.0
    drafts_per_sender_day: int = 3
    sends_per_minute: int = 20
    sends_per_day: int = 1500
    approve_by_flag: bool = False
    flag_quiet_s: float = 120.0
    default_language: Language = "ja"
    files_sent: bool | None = None
    relays: tuple[Relay, ...] = ()

    def relay(self, channel: str) -> Relay | None:
        """How replies to that channel leave, or None if they leave like all others."""
        return next((relay for relay in self.relays if relay.channel == channel), None)

    def writes_as(self, channel: str) -> Identity:
        """Who the shop is on that channel: the registered address where there is one."""
        relay = self.relay(channel)
        return self.identity if relay is None else relay.identity


@dataclass(frozen=True, slots=True)
class OrdersSettings:
    """One source of order files. `columns` maps fields of the order to headers of the file; `status_words` the source's
    own words to states. `encoding`, `delimiter` and `day_first` are None where they shall be found out; `layouts` are
    the exports that are recognised by their headers."""

    type: Literal["csv"]
    path: Path
    timezone: ZoneInfo
    columns: Mapping[str, str] = field(default_factory=dict)
    status_words: Mapping[str, str] = field(default_factory=dict)
    channel: str = ""
    currency: str = ""
    encoding: str | None = None
    delimiter: str | None = None
    day_first: bool | None = None
    layouts: tuple[OrderLayout, ...] = ()


@dataclass(frozen=True, slots=True)
class SqlOrdersSettings:
    """A database of orders. `query` has `:order_ids` or `:order_id`, `buyer_query` `:buyer_mail`; `secret` is "" where
    the URL says all."""

    type: Literal["sql"]
    url: str
    query: str
    timezone: ZoneInfo
    secret: Callable[[], str]
    buyer_query: str | None = None
    timeout_s: float = 10.0
    remember_s: float = 5.0
    columns: Mapping[str, str] = field(default_factory=dict)
    status_words: Mapping[str, str] = field(default_factory=dict)
    channel: str = ""
    currency: str = ""
    day_first: bool | None = None


@dataclass(frozen=True, slots=True)
class HttpOrdersSettings:
    """A web service of orders. `columns` maps fields to paths in the JSON of one order (`customer.email`)."""

    type: Literal["http"]
    url: str
    timezone: ZoneInfo
    secret: Callable[[], str]
    buyer_url: str | None = None
    orders_at: str = ""
    username: str = ""
    header: str = ""
    ca_file: str | None = None
    timeout_s: float = 10.0
    remember_s: float = 60.0
    columns: Mapping[str, str] = field(default_factory=dict)
    status_words: Mapping[str, str] = field(default_factory=dict)
    channel: str = ""
    currency: str = ""
    day_first: bool | None = None


AnyOrdersSettings = OrdersSettings | SqlOrdersSettings | HttpOrdersSettings


@dataclass(frozen=True, slots=True)
class ParcelStopSettings:
    """How the warehouse is told to hold a parcel back: each way that is not None."""

    mail: str | None = None
    webhook: str | None = field(default=None, repr=False)
    csv: Path | None = None

    @property
    def ways(self) -> tuple[ParcelWay, ...]:
        """The ways by name."""
        known: tuple[tuple[ParcelWay, object], ...] = (
            ("mail", self.mail),
            ("webhook", self.webhook),
            ("csv", self.csv),
        )
        return tuple(way for way, value in known if value is not None)


@dataclass(frozen=True, slots=True)
class ReportWeekly:
    """When the weekly report is written: on which day (0 is Monday), from what time on."""

    weekday: int
    at: time


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that was configured. `file` is responder.toml (None if the shop has none), `directory` its folder.

    `state_url` is absolute; texts of finished drafts stay there for `keep_bodies_days`. `pack_paths` are the files and
    folders that rules, templates and channels may come from, existing or not: what a running daemon watches.
    `parcel_stop` is None where no warehouse is told. `warn_only` are findings of the check before sending that do not
    hold a mail. `warnings` do not stop anything; `check` shows them.
    """

    directory: Path
    shop: ShopSettings
    state_url: str
    accounts: tuple[AccountSettings, ...]
    orders: tuple[AnyOrdersSettings, ...]
    rulebook: Rulebook
    templates: Templates
    channels: tuple[Channel, ...]
    proofreader: Proofreader
    wording: Catalog
    file: Path | None = None
    parcel_stop: ParcelStopSettings | None = None
    owe_file: Path | None = None
    calls: Calls = field(default_factory=Calls)
    report_weekly: ReportWeekly | None = None
    incidents: tuple[Incident, ...] = ()
    perks: tuple[Perk, ...] = ()
    clocks: Clocks = field(default_factory=Clocks)
    keep_bodies_days: int = 30
    warn_only: frozenset[str] = frozenset()
    pack_paths: tuple[Path, ...] = ()
    warnings: tuple[Mistake, ...] = ()

    @property
    def order_paths(self) -> tuple[Path, ...]:
        """The files and folders that orders are read from."""
        return tuple(orders.path for orders in self.orders if isinstance(orders, OrdersSettings))

    @property
    def owe_paths(self) -> tuple[Path, ...]:
        """The files of what the shop owes, existing or not: beside responder.toml, among the order files, and the one
        that was configured."""
        folders = [path.parent if path.suffix else path for path in self.order_paths]
        found = [folder / "owe.csv" for folder in (self.directory, *folders)]
        return tuple(dict.fromkeys([*found, *([self.owe_file] if self.owe_file is not None else [])]))

    @property
    def orders_index(self) -> Path:
        """Where what was read of order files is kept: beside the journal, or in `state` where that is on a server."""
        scheme, _, path = self.state_url.partition("?")[0].partition(":///")
        journal = Path(path) if scheme.startswith("sqlite") and path else self.directory / "state" / "responder.db"
        return journal.with_name(f"{journal.stem}-orders.db")

    def account(self, name: str) -> AccountSettings | None:
        """The account of that name, or None."""
        return next((account for account in self.accounts if account.name == name), None)
