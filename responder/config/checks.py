"""What several keys of responder.toml must agree on: logins, secrets, folders, the journal's place, order sources.

Looks at the plain data and steps over what has the wrong type, so that these mistakes are told together with those.
Never opens a connection and never fetches a secret.
"""

from __future__ import annotations

import ipaddress
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from responder.config.order_checks import PASSWORD_KEYS, check_orders
from responder.config.order_checks import warnings as order_warnings
from responder.config.parcel_checks import check_parcel_stop
from responder.config.source import Source, nearest
from responder.core.channels import Channel
from responder.core.positions import Path as KeyPath
from responder.edges.secrets import mode_mistake
from responder.errors import Mistake

DEFAULT_STATE = "sqlite:///state/responder.db"


def check(source: Source) -> tuple[tuple[Mistake, ...], tuple[Mistake, ...]]:
    """The mistakes and the warnings."""
    accounts = list(_tables(source.data, "account"))
    mistakes = [*_state(source), *_names(source, accounts)]
    warnings: list[Mistake] = []
    for where, account in accounts:
        mistakes += _folders(source, where, account)
        for role in ("imap", "smtp"):
            server = account.get(role)
            if isinstance(server, dict):
                mistakes += _server(source, (*where, role), server)
                warnings += _server_warnings(source, (*where, role), server)
        for place, relay in _tables(account, "relay"):
            if isinstance(relay.get("smtp"), dict):
                mistakes += _server(source, (*where, *place, "smtp"), relay["smtp"])
                warnings += _server_warnings(source, (*where, *place, "smtp"), relay["smtp"])
        if "smtp" not in account:
            warnings.append(source.mistake(where, "smtp_missing"))
        if "authserv_id" not in account:
            warnings.append(source.mistake(where, "authserv_id_missing"))
    for where, orders in _tables(source.data, "orders"):
        mistakes += check_orders(source, where, orders)
        warnings += order_warnings(source, where, orders)
    mistakes += check_parcel_stop(source)
    if not source.data.get("orders"):
        warnings.append(source.mistake(("orders",), "orders_missing"))
    return tuple(mistakes), tuple(warnings)


def relays(source: Source, channels: Sequence[Channel]) -> Iterator[Mistake]:
    """What is wrong with the channels that relays are for."""
    known = {channel.name: channel for channel in channels}
    for where, account in _tables(source.data, "account"):
        seen: set[str] = set()
        for place, relay in _tables(account, "relay"):
            name, here = relay.get("channel"), (*where, *place)
            if not isinstance(name, str):
                continue
            if name not in known:
                best = nearest(name, known)
                expected = ", ".join(sorted(known))
                yield source.mistake((*here, "channel"), "bad_choice", suggestion=best, found=name, expected=expected)
                continue
            if name in seen:
                yield source.mistake((*here, "channel"), "relay_twice", found=name)
            seen.add(name)
            channel = known[name]
            modes = {route.reply_mode or channel.reply_mode for route in channel.routes} | {channel.reply_mode}
            if modes == {"admin_only"}:
                yield source.mistake((*here, "channel"), "relay_takes_no_mail", found=name)
            elif "relay_smtp" in modes and "smtp" not in relay:
                yield source.mistake(here, "relay_without_server", found=name)


def auto_reply(source: Source, rules: Sequence[str]) -> Iterator[Mistake]:
    """What is wrong with the mails that are to leave without an approval."""
    table = source.data.get("auto_reply")
    if not isinstance(table, dict):
        return
    named = table.get("rules")
    for name in named if isinstance(named, list) else ():
        if isinstance(name, str) and name != "*" and name not in rules:
            best = nearest(name, rules)
            yield source.mistake(("auto_reply", "rules"), "auto_reply_no_rule", suggestion=best, found=name)
    accounts = [account for _, account in _tables(source.data, "account")]
    if not any("authserv_id" in account and "smtp" in account for account in accounts):
        yield source.mistake(("auto_reply",), "auto_reply_unsafe")


def is_loopback(host: str) -> bool:
    """True if the host is this machine by its name or number, without asking DNS."""
    if host.casefold().rstrip(".") in ("localhost", "localhost.localdomain", "ip6-localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def state_url(url: str, directory: Path) -> str | None:
    """The absolute URL of the journal, a relative SQLite file starting at `directory`; None if it cannot be one."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return None
    if scheme.partition("+")[0] == "sqlite":
        path, mark, query = rest.removeprefix("/").partition("?")
        if not rest.startswith("/") or not path or path.startswith(":memory:"):
            return None
        return f"{scheme}:///{directory / path}{mark}{query}"
    if scheme.partition("+")[0] == "postgresql" and rest:
        return url if "+" in scheme else f"postgresql+psycopg://{rest}"
    return None


def _tables(data: Mapping[str, Any], name: str) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    found = data.get(name)
    for index, table in enumerate(found if isinstance(found, list) else ()):
        if isinstance(table, dict):
            yield (name, index), table


def _state(source: Source) -> Iterator[Mistake]:
    state = source.data.get("state")
    url = state.get("url") if isinstance(state, dict) else None
    place = state_url(url if isinstance(url, str) else DEFAULT_STATE, source.path.parent.resolve())
    if place is not None:
        yield from _exposed(source, place)
    if not isinstance(url, str) or place is not None:
        return
    scheme = url.partition("://")[0]
    best = nearest(scheme, ("sqlite", "postgresql"))
    yield source.mistake(("state", "url"), "bad_state_url", suggestion=best, found=re.sub("//[^@/]*@", "//***@", url))


def _exposed(source: Source, url: str) -> Iterator[Mistake]:
    """The journal holds buyers' addresses and, for a while, texts: nobody else on the machine may use it."""
    scheme, _, path = url.partition("?")[0].partition(":///")
    if not scheme.startswith("sqlite"):
        return
    file = Path(path)
    for one in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
        if mode := mode_mistake(one):
            yield source.mistake(("state", "url"), "journal_mode", name=str(one), mode=mode)
    try:
        mode_bits = file.parent.stat().st_mode
    except OSError:
        return
    if mode_bits & stat.S_IWOTH and not mode_bits & stat.S_ISVTX:
        name, mode = str(file.parent), f"{stat.S_IMODE(mode_bits):04o}"
        yield source.mistake(("state", "url"), "journal_folder_mode", name=name, mode=mode)


def _names(source: Source, accounts: list[tuple[KeyPath, dict[str, Any]]]) -> Iterator[Mistake]:
    seen: dict[str, int] = {}
    for where, account in accounts:
        name = account.get("name")
        if not isinstance(name, str):
            continue
        if name in seen:
            yield source.mistake((*where, "name"), "name_twice", found=name, first=str(seen[name]))
        seen.setdefault(name, source.lines.get((*where, "name"), 0))


def _folders(source: Source, where: KeyPath, account: Mapping[str, Any]) -> Iterator[Mistake]:
    folders = account.get("folders")
    if not isinstance(folders, dict):
        return
    watch = folders.get("watch", ["INBOX"])
    taken = {_folded(name): "watch" for name in watch if isinstance(name, str)} if isinstance(watch, list) else {}
    for role in ("approved", "notes", "drafts", "sent", "trash"):
        name = folders.get(role)
        if not isinstance(name, str):
            continue
        other = taken.setdefault(_folded(name), role)
        if other != role:
            yield source.mistake((*where, "folders", role), "folder_twice", found=name, other=other)


def _folded(folder: str) -> str:
    return "INBOX" if folder.upper() == "INBOX" else folder


def _server(source: Source, where: KeyPath, server: Mapping[str, Any]) -> Iterator[Mistake]:
    host = server.get("host")
    if server.get("tls") == "none" and isinstance(host, str) and not is_loopback(host):
        yield source.mistake((*where, "tls"), "tls_none_not_loopback", host=host)
    ca_file = server.get("ca_file")
    if isinstance(ca_file, str) and not (source.path.parent / Path(ca_file).expanduser()).is_file():
        yield source.mistake((*where, "ca_file"), "file_missing", found=ca_file)
    yield from _login(source, where, server)


def _login(source: Source, where: KeyPath, server: Mapping[str, Any]) -> Iterator[Mistake]:
    passwords = [key for key in PASSWORD_KEYS if key in server]
    tokens = [key for key in server if key.startswith("oauth2_")]
    if server.get("auth") == "xoauth2":
        if "oauth2_token_command" not in server:
            yield source.mistake(where, "oauth2_token_command_missing")
        if passwords:
            yield source.mistake((*where, passwords[0]), "password_beside_oauth2", found=passwords[0])
    else:
        if tokens:
            yield source.mistake((*where, tokens[0]), "oauth2_without_auth", found=tokens[0])
        if len(passwords) > 1:
            yield source.mistake((*where, passwords[1]), "secret_twice", found=", ".join(passwords))
        if not passwords and not needs_no_login(where, server):
            yield source.mistake(where, "secret_missing", known=", ".join(PASSWORD_KEYS[:3]))
    if "username" not in server and not needs_no_login(where, server):
        yield source.mistake((*where, "username"), "missing_key", missing="username")
    if isinstance(server.get("password"), str) and (mode := mode_mistake(source.path)):
        yield source.mistake((*where, "password"), "secret_file_mode", name=str(source.path), mode=mode)


def needs_no_login(where: KeyPath, server: Mapping[str, Any]) -> bool:
    """True for a mail server on this machine that is given neither user nor secret."""
    host = server.get("host")
    bare = not any(key in server for key in (*PASSWORD_KEYS, "username", "auth"))
    return bare and where[-1] == "smtp" and isinstance(host, str) and is_loopback(host)


def _server_warnings(source: Source, where: KeyPath, server: Mapping[str, Any]) -> Iterator[Mistake]:
    if "password" in server:
        yield source.mistake((*where, "password"), "plain_password")
