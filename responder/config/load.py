"""From files to Settings: find responder.toml, check everything, put it together.

Reads files only; fetches no secret and opens no connection. A mistake anywhere means no Settings at all.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from responder.config import checks, source
from responder.config.channels import read_channels
from responder.config.file import (
    WEEKDAYS,
    AccountTable,
    OrdersTable,
    ParcelStopTable,
    RelayTable,
    ResponderFile,
    ServerTable,
    ShopTable,
)
from responder.config.layouts import load_layouts
from responder.config.order_checks import sql_url
from responder.config.pack import data_dir, default_pack_dir, read_pack
from responder.config.settings import (
    AccountSettings,
    AnyOrdersSettings,
    HttpOrdersSettings,
    OrdersSettings,
    ParcelStopSettings,
    Relay,
    ReportWeekly,
    Settings,
    ShopSettings,
    SqlOrdersSettings,
)
from responder.config.validate import validate
from responder.core.auto_reply import AutoReply
from responder.core.clocks import Clocks, asking
from responder.core.facts import load as load_facts
from responder.core.owed.around import Incident, Perk
from responder.core.owed.calls import Calls
from responder.core.positions import Path as KeyPath
from responder.core.wording import Catalog
from responder.edges import secrets
from responder.errors import ConfigError, Mistake
from responder.model import Identity, Language, OrderLayout, Server

FILE = "responder.toml"
APPROVED = {"ja": "承認", "en": "Approved", "zh": "已批准"}
_PORTS = {("imap", "implicit"): 993, ("imap", "starttls"): 143, ("imap", "none"): 143}
_PORTS |= {("smtp", "implicit"): 465, ("smtp", "starttls"): 587, ("smtp", "none"): 25}
_SPANS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def places(directory: Path | None, env: Mapping[str, str]) -> tuple[Path, ...]:
    """Where responder.toml is looked for, first come first served."""
    if directory is not None:
        return (_file_in(directory),)
    if env.get("RESPONDER_CONFIG"):
        return (_file_in(Path(env["RESPONDER_CONFIG"]).expanduser()),)
    home = Path(env["HOME"]) if env.get("HOME") else Path("~").expanduser()
    user = Path(env["XDG_CONFIG_HOME"]) if env.get("XDG_CONFIG_HOME") else home / ".config"
    return (Path(FILE), user / "responder" / FILE, Path("/etc/responder") / FILE)


def config_file(directory: Path | None, env: Mapping[str, str]) -> Path:
    """The responder.toml in use. `directory` may also be the file itself.

    Raises: ConfigError if there is none.
    """
    searched = places(directory, env)
    for path in searched:
        if path.is_file():
            return path
    args = (("searched", ", ".join(map(str, searched))),)
    raise ConfigError((Mistake(str(searched[0]), 0, "", "config_not_found", args),))


def load(directory: Path | None, *, env: Mapping[str, str]) -> Settings:
    """The complete Settings of a shop.

    Raises: ConfigError with every mistake in responder.toml, the rules, the templates and the channels.
    """
    read = source.read(config_file(directory, env))
    folder = read.path.parent.resolve()
    file, found = validate(read)
    more, warnings = checks.check(read)
    mistakes = [*found, *more]
    pack = channels = layouts = None
    wording = Catalog.load(data_dir() / "messages")
    try:
        pack = read_pack(folder, timezone=ZoneInfo(file.shop.timezone) if file else UTC, wording=wording)
    except ConfigError as exc:
        mistakes += exc.mistakes
    try:
        channels = read_channels(folder)
    except ConfigError as exc:
        mistakes += exc.mistakes
    try:
        layouts = load_layouts(folder / "data" / "orders")
    except ConfigError as exc:
        mistakes += exc.mistakes
    if channels is not None:
        mistakes += checks.relays(read, channels)
    if pack is not None:
        mistakes += checks.auto_reply(read, [rule.id for rule in pack.rulebook.rules])
    if mistakes or file is None or pack is None or channels is None or layouts is None:
        raise ConfigError(_told_once(mistakes))
    shop = _shop(file.shop)
    return Settings(
        directory=folder,
        shop=shop,
        state_url=checks.state_url(file.state.url, folder) or "",
        accounts=tuple(_account(read, folder, i, table, file, env) for i, table in enumerate(file.account)),
        orders=tuple(_orders(read, folder, i, table, shop, layouts, env) for i, table in enumerate(file.orders)),
        rulebook=pack.rulebook,
        templates=pack.templates,
        channels=channels,
        proofreader=pack.proofreader,
        keep_bodies_days=file.state.keep_bodies_days,
        warn_only=frozenset(file.wording.warn_only),
        wording=wording,
        file=read.path,
        parcel_stop=None if file.parcel_stop is None else _parcel_stop(file.parcel_stop, folder),
        calls=_calls(file),
        report_weekly=_report_weekly(file),
        incidents=_incidents(file),
        perks=_perks(file),
        clocks=_clocks(file),
        owe_file=None if file.owe.file is None else folder / Path(file.owe.file).expanduser(),
        pack_paths=pack.paths,
        warnings=(*warnings, *pack.warnings),
    )


def load_pack(settings: Settings) -> Settings:
    """`settings` with the rules, templates and channels as they are on disk now.

    Raises: ConfigError with every mistake; the given settings stay valid.
    """
    mistakes: list[Mistake] = []
    pack = channels = None
    try:
        pack = read_pack(settings.directory, timezone=settings.shop.timezone, wording=settings.wording)
    except ConfigError as exc:
        mistakes += exc.mistakes
    try:
        channels = read_channels(settings.directory)
    except ConfigError as exc:
        mistakes += exc.mistakes
    file = None
    if settings.file is not None:
        # Of responder.toml only what is switched on and off from day to day is taken over.
        read = source.read(settings.file)
        file, found = validate(read)
        mistakes += found
        if pack is not None:
            mistakes += checks.auto_reply(read, [rule.id for rule in pack.rulebook.rules])
    if pack is None or channels is None or mistakes:
        raise ConfigError(_told_once(mistakes))
    kept = tuple(warning for warning in settings.warnings if warning.file == str(settings.file))
    return replace(
        settings,
        rulebook=pack.rulebook,
        templates=pack.templates,
        channels=channels,
        proofreader=pack.proofreader,
        pack_paths=pack.paths,
        warnings=(*kept, *pack.warnings),
        calls=settings.calls if file is None else _calls(file),
        report_weekly=settings.report_weekly if file is None else _report_weekly(file),
        incidents=settings.incidents if file is None else _incidents(file),
        perks=settings.perks if file is None else _perks(file),
        clocks=settings.clocks if file is None else _clocks(file),
    )


def bare(directory: Path | None = None, *, name: str = "") -> Settings:
    """Settings without a responder.toml: the rules and templates of `directory`, else the product's; no accounts.

    Raises: ConfigError as `load`.
    """
    folder = (directory or default_pack_dir()).resolve()
    shop = ShopSettings(name=name, language="ja", timezone=ZoneInfo("Asia/Tokyo"))
    wording = Catalog.load(data_dir() / "messages")
    pack = read_pack(folder, timezone=shop.timezone, wording=wording)
    return Settings(
        directory=folder,
        shop=shop,
        state_url=f"sqlite:///{folder / 'state' / 'responder.db'}",
        accounts=(),
        orders=(),
        rulebook=pack.rulebook,
        templates=pack.templates,
        channels=read_channels(folder),
        proofreader=pack.proofreader,
        wording=wording,
        pack_paths=pack.paths,
        warnings=pack.warnings,
    )


def one_file(settings: Settings, path: Path) -> OrdersSettings:
    """The order file named on the command line, read as the shop would read it.

    Raises: ConfigError for mistakes in the shop's layouts.
    """
    layouts = load_layouts(settings.directory / "data" / "orders")
    shop = settings.shop
    return OrdersSettings("csv", path, shop.timezone, currency=shop.currency, layouts=layouts)


def check_secrets(settings: Settings) -> tuple[Mistake, ...]:
    """Every secret that cannot be fetched now, each told at its key."""
    mistakes: list[Mistake] = []
    for account in settings.accounts:
        for secret in (account.imap_secret, account.smtp_secret, *(relay.smtp_secret for relay in account.relays)):
            try:
                secret()
            except ConfigError as exc:
                mistakes += exc.mistakes
    for orders in settings.orders:
        if not isinstance(orders, OrdersSettings):
            try:
                orders.secret()
            except ConfigError as exc:
                mistakes += exc.mistakes
    return tuple(mistakes)


def _file_in(path: Path) -> Path:
    return path if path.is_file() or path.suffix == ".toml" else path / FILE


def _told_once(mistakes: Sequence[Mistake]) -> tuple[Mistake, ...]:
    """Each mistake once, sorted by file and line."""
    return tuple(sorted(dict.fromkeys(mistakes), key=lambda m: (m.file, m.line, m.key)))


def _shop(table: ShopTable) -> ShopSettings:
    policy = dict(table.policy)
    calendar = {
        "closed_weekdays": None if table.closed_weekdays is None else ", ".join(table.closed_weekdays),
        "public_holidays": None if table.public_holidays is None else ("on" if table.public_holidays else "off"),
        "closed_days": None if table.closed_days is None else ", ".join(d.isoformat() for d in table.closed_days),
        "open_days": None if table.open_days is None else ", ".join(d.isoformat() for d in table.open_days),
        "business_hours": table.business_hours,
    }
    policy |= {key: value for key, value in calendar.items() if value is not None}
    zone = ZoneInfo(table.timezone)
    return ShopSettings(
        table.name,
        table.language,
        zone,
        table.signature.strip(),
        names=table.names,
        signatures={language: text.strip() for language, text in table.signatures.items()},
        policy=policy,
        currency=table.currency,
        alert_to=tuple(dict.fromkeys(table.alert_to)),
    )


def _account(
    read: source.Source, folder: Path, index: int, table: AccountTable, file: ResponderFile, env: Mapping[str, str]
) -> AccountSettings:
    where: KeyPath = ("account", index)
    display_name = file.shop.name if table.display_name is None else table.display_name
    folders = table.folders
    relays = tuple(
        _relay(read, folder, (*where, "relay", i), relay, table.address, display_name, env)
        for i, relay in enumerate(table.relay)
    )
    # What is registered at a marketplace is the shop's own address too: mail from it is never a buyer's.
    registered = [mail for relay in relays for mail in (relay.identity.address, relay.envelope_from)]
    aliases = dict.fromkeys(mail for mail in (*table.aliases, *registered) if mail != table.address)
    return AccountSettings(
        name=table.name,
        identity=Identity(table.address, tuple(aliases), display_name),
        relays=relays,
        imap=_server("imap", table.imap, folder),
        imap_secret=partial(secrets.fetch, _secret(read, folder, (*where, "imap"), table.imap), env),
        smtp=None if table.smtp is None else _server("smtp", table.smtp, folder),
        smtp_secret=partial(secrets.fetch, _secret(read, folder, (*where, "smtp"), table.smtp), env),
        authserv_id=table.authserv_id,
        watch=tuple(dict.fromkeys(folders.watch)),
        approved=folders.approved or APPROVED[file.shop.language],
        notes=folders.notes,
        commands=_commands(folders.notes, file.shop.language, dict(folders.commands)),
        drafts=folders.drafts,
        sent=folders.sent,
        trash=folders.trash,
        quiet_s=table.quiet_s,
        since=None if table.since is None else _span(table.since),
        poll_s=table.poll_s,
        staff_poll_s=table.staff_poll_s,
        drafts_per_sender_day=table.drafts_per_sender_day,
        sends_per_minute=table.sends_per_minute,
        sends_per_day=table.sends_per_day,
        approve_by_flag=table.approve_by_flag,
        flag_quiet_s=table.flag_quiet_s,
        default_language=table.language or file.shop.language,
        files_sent=table.files_sent,
    )


def _by_reader(words: Mapping[Any, str]) -> dict[str, str]:
    return {str(reader): text for reader, text in words.items()}


def _calls(file: ResponderFile) -> Calls:
    usual, table = Calls(), file.calls
    own = {currency.upper(): Decimal(str(amount)) for currency, amount in (table.high_value or {}).items()}
    return Calls(
        enabled=table.enabled,
        high_value=usual.high_value if table.high_value is None else own,
        no_answer_days=usual.no_answer_days if table.no_answer_days is None else table.no_answer_days,
    )


def _report_weekly(file: ResponderFile) -> ReportWeekly | None:
    table = file.report
    if table.weekly is None:
        return None
    return ReportWeekly(WEEKDAYS.index(table.weekly), dt.time.fromisoformat(table.at.zfill(5)))


def _incidents(file: ResponderFile) -> tuple[Incident, ...]:
    return tuple(
        Incident(one.until, one.kind or "", _by_reader(one.region), tuple(one.areas), _by_reader(one.text))
        for one in file.incident
    )


def _perks(file: ResponderFile) -> tuple[Perk, ...]:
    return tuple(
        Perk(
            one.name,
            _by_reader(one.gives),
            tuple(one.matters),
            tuple(one.causes),
            tuple(one.channels),
            one.buyer,
            one.once_in_days,
            one.most_a_month,
        )
        for one in file.perk
    )


def _clocks(file: ResponderFile) -> Clocks:
    table, auto = file.time, file.auto_reply
    return Clocks(
        digest_at=dt.time.fromisoformat(table.digest_at.zfill(5)) if table.digest_at else None,
        remind_after=tuple(sorted({_span(age) for age in table.remind_after})),
        before_deadline=_span(table.before_deadline),
        holding=table.holding,
        nudge_after=timedelta(days=table.nudge_after_days) if table.nudge_after_days else None,
        care_after=timedelta(days=table.care_after_days) if table.care_after_days else None,
        asks=asking() | set(table.asks),
        auto=None if auto is None else AutoReply(frozenset(auto.rules), auto.at, auto.once_in_days, auto.most_a_day),
    )


def _commands(notes: str, language: Language, own: Mapping[Any, str]) -> dict[str, str]:
    """The command folders by matter: the shop's own names, else those of its language."""
    names = {matter: own.get(matter, words[language]).strip() for matter, words in load_facts("commands").items()}
    return {matter: f"{notes}/{name}" for matter, name in names.items() if name}


def _relay(
    read: source.Source,
    folder: Path,
    where: KeyPath,
    table: RelayTable,
    address: str,
    display_name: str,
    env: Mapping[str, str],
) -> Relay:
    address = table.address or address
    return Relay(
        channel=table.channel,
        identity=Identity(address, (), display_name if table.display_name is None else table.display_name),
        envelope_from=table.envelope_from or address,
        smtp=None if table.smtp is None else _server("smtp", table.smtp, folder),
        smtp_secret=partial(secrets.fetch, _secret(read, folder, (*where, "smtp"), table.smtp), env),
    )


def _parcel_stop(table: ParcelStopTable, folder: Path) -> ParcelStopSettings:
    csv = None if table.csv is None else folder / Path(table.csv).expanduser()
    return ParcelStopSettings(table.mail, table.webhook, csv)


def _span(text: str) -> timedelta:
    number, unit = re.sub(r"\s", "", text)[:-1], text[-1]
    return int(number) * _SPANS[unit]


def _server(role: str, table: ServerTable, folder: Path) -> Server:
    return Server(
        host=table.host,
        port=table.port or _PORTS[role, table.tls],
        tls=table.tls,
        username=table.username or "",
        auth=table.auth,
        ca_file=None if table.ca_file is None else str(folder / Path(table.ca_file).expanduser()),
    )


def _secret(
    read: source.Source, folder: Path, where: KeyPath, table: ServerTable | OrdersTable | None
) -> secrets.Secret:
    if table is None:
        return secrets.Secret("none")
    found: tuple[str, secrets.SecretKind, tuple[str, ...]]
    if isinstance(table, ServerTable) and table.auth == "xoauth2":
        found = ("oauth2_token_command", "command", tuple(table.oauth2_token_command or ()))
    elif table.password_command is not None:
        found = ("password_command", "command", tuple(table.password_command))
    elif table.password_env is not None:
        found = ("password_env", "env", (table.password_env,))
    elif table.password_file is not None:
        found = ("password_file", "file", (table.password_file,))
    elif table.password is not None:
        found = ("password", "plain", (table.password,))
    else:
        return secrets.Secret("none")
    name, kind, words = found
    told = read.mistake((*where, name), "")
    return secrets.Secret(kind, words, folder, told.file, told.line, told.key)


def _orders(
    read: source.Source,
    folder: Path,
    index: int,
    table: OrdersTable,
    shop: ShopSettings,
    layouts: tuple[OrderLayout, ...],
    env: Mapping[str, str],
) -> AnyOrdersSettings:
    common: dict[str, Any] = {
        "timezone": shop.timezone if table.timezone is None else ZoneInfo(table.timezone),
        "columns": table.columns,
        "status_words": table.status_words,
        "channel": table.channel or "",
        "currency": table.currency or shop.currency,
        "day_first": table.day_first,
    }
    if table.type == "csv":
        return OrdersSettings(
            type="csv",
            path=folder / Path(table.path or "").expanduser(),
            encoding=table.encoding,
            delimiter=table.delimiter,
            layouts=layouts,
            **common,
        )
    common["secret"] = partial(secrets.fetch, _secret(read, folder, ("orders", index), table), env)
    common["timeout_s"] = table.timeout_s
    if table.remember_s is not None:
        common["remember_s"] = table.remember_s
    if table.type == "sql":
        url = sql_url(table.url or "", folder)
        return SqlOrdersSettings("sql", url, table.query or "", buyer_query=table.buyer_query, **common)
    return HttpOrdersSettings(
        "http",
        table.url or "",
        buyer_url=table.buyer_url,
        orders_at=table.orders_at or "",
        username=table.username or "",
        header=table.header or "",
        ca_file=None if table.ca_file is None else str(folder / Path(table.ca_file).expanduser()),
        **common,
    )
