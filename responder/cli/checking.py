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
    pass


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
    orders = open_book(settings.orders)
    mistakes = (*check_secrets(settings), *orders.refresh())
    warnings = (*settings.warnings, *rule_warnings(settings, messages_in(sample, settings)))
    say_mistakes(mistakes, as_json=as_json, warnings=warnings)
    code = EX_CONFIG if mistakes else EX_OK
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
    if code == EX_OK and not as_json:
        key = "cli.check_offline" if offline else "cli.check_ok"
        counts = {"accounts": len(settings.accounts), "rules": len(settings.rulebook.rules)}
        counts |= {"templates": len(settings.templates.names("en")), "orders": len(orders)}
        click.echo(words.text(key, language, **counts))
    sys.exit(code)
