"""`responder check`: files, secrets, logins and folders."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from responder.cli.common import (
    CONFIG,
    EX_CONFIG,
    EX_NOPERM,
    EX_OK,
    JSON,
    catalog,
    failure_words,
    load_settings,
    say_account_failure,
    say_mistakes,
    staff_language,
)
from responder.cli.mails import messages_in

if TYPE_CHECKING:
    from responder.config import AccountSettings, Settings
    from responder.core.wording import Catalog
    from responder.model import Language


@click.command()
@CONFIG
@JSON
@click.option("--offline", is_flag=True, help="Check the files only, ask no server.")
@click.option("--sample", metavar="PATH", multiple=True, help="Mails of the shop: warn of phrases that hit too many.")
def check(config: str | None, as_json: bool, offline: bool, sample: tuple[str, ...]) -> None:
    """Check files, secrets, logins and folders; tell every mistake at once (exit 78), refused logins with 77.

    Warnings (rules that can never decide, too common phrases, missing templates) do not change the exit code.
    """
    from responder.config import check_secrets
    from responder.config.lint import rule_warnings
    from responder.edges.imap import Session, locate, spell
    from responder.edges.orders import open_book
    from responder.errors import FolderMissing, LoginRefused, ResponderError

    settings = load_settings(config, as_json=as_json)
    words, language = catalog(), staff_language(settings.shop.language)
    sources = [one for one in settings.orders if not offline or one.type == "csv"]
    orders = open_book(sources, index=settings.orders_index, is_kept=False)
    mistakes = (*check_secrets(settings), *orders.refresh())
    warnings = (*settings.warnings, *rule_warnings(settings, messages_in(sample, settings)))
    say_mistakes(mistakes, as_json=as_json, warnings=warnings)
    code = EX_CONFIG if mistakes else EX_OK
    for name, layout, count in orders.files():
        if as_json:
            click.echo(
                json.dumps({"kind": "orders", "file": name, "layout": layout, "orders": count}, ensure_ascii=False)
            )
        else:
            click.echo(words.text("cli.check_orders_file", language, file=name, layout=layout, orders=count))
    for account in settings.accounts if not offline and not mistakes else ():
        entry: dict[str, Any] = {"kind": "account", "account": account.name, "ok": True}
        try:
            with Session.connect(account.imap, account.imap_secret) as session:
                folders = session.folders()
                roles = {"drafts": account.drafts, "sent": account.sent, "trash": account.trash}
                found = locate(folders, {role: name for role, name in roles.items() if name})
                for watched in account.watch:
                    if watched.upper() != "INBOX" and spell(watched, folders) not in {f.name for f in folders}:
                        raise FolderMissing(watched)
            entry |= {"drafts": found.drafts, "sent": found.sent, "trash": found.trash}
            values = {"drafts": found.drafts, "sent": found.sent or "-", "trash": found.trash or "-"}
            line = words.text("cli.check_account_ok", language, account=account.name, **values)
            if not as_json:
                click.echo(line)
        except ResponderError as exc:
            entry |= {"ok": False, "text": failure_words(settings, account.name, exc, words, language)}
            if not as_json:
                say_account_failure(settings, account.name, exc)
            code = max(code, EX_NOPERM if isinstance(exc, LoginRefused) else EX_CONFIG)
        if as_json:
            click.echo(json.dumps(entry, ensure_ascii=False))
        code = max(code, _check_sending(settings, account, words, language, as_json=as_json))
    if code == EX_OK and not as_json:
        key = "cli.check_offline" if offline else "cli.check_ok"
        counts = {"accounts": len(settings.accounts), "rules": len(settings.rulebook.rules)}
        counts |= {"templates": len(settings.templates.names("en")), "orders": len(orders)}
        click.echo(words.text(key, language, **counts))
    sys.exit(code)


def _check_sending(
    settings: Settings, account: AccountSettings, words: Catalog, language: Language, *, as_json: bool
) -> int:
    """Log in on every server that replies of the account leave through; returns the exit code."""
    from responder.edges.smtp import try_login
    from responder.errors import LoginRefused, ResponderError

    ways = [("", account.smtp, account.smtp_secret)]
    ways += [(relay.channel, relay.smtp, relay.smtp_secret) for relay in account.relays]
    code = EX_OK
    for channel, server, secret in ways:
        if server is None:
            continue
        entry: dict[str, Any] = {"kind": "sending", "account": account.name, "channel": channel or None, "ok": True}
        name = f"{account.name} ({channel})" if channel else account.name
        try:
            try_login(server, secret, local_hostname=account.identity.address.rpartition("@")[2])
            line = words.text("cli.check_sending_ok", language, account=name, host=server.host)
        except ResponderError as exc:
            why = failure_words(settings, account.name, exc, words, language, host=server.host)
            line = words.text("cli.check_account_failed", language, account=name, reason=why)
            entry |= {"ok": False, "text": why}
            code = max(code, EX_NOPERM if isinstance(exc, LoginRefused) else EX_CONFIG)
        if as_json:
            click.echo(json.dumps(entry, ensure_ascii=False))
        else:
            click.echo(line, err=not entry["ok"])
    return code
