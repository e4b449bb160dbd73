"""`responder replay`: the rules against old mail."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from responder.cli.common import (
    CONFIG,
    EX_CONFIG,
    EX_FINDINGS,
    EX_NOPERM,
    EX_OK,
    EX_TEMPFAIL,
    JSON,
    catalog,
    give_up,
    load_settings,
    moment_of,
    say_account_failure,
    say_mistakes,
    settings_or_bare,
    staff_language,
    tried,
)
from responder.cli.mails import mails_in

if TYPE_CHECKING:
    from responder.flows.replay import Replayed


@click.command()
@click.argument("paths", nargs=-1, metavar="[FILE|DIR|-]...")
@CONFIG
@JSON
@click.option("--since", metavar="SPAN", help="How far to look back: 30d, 2w, 12h (accounts: 30d; files: all).")
@click.option("--account", "account_name", metavar="NAME", help="Only this account; else all.")
@click.option("--folder", "mailboxes", metavar="NAME", multiple=True, help="This mailbox; may be repeated.")
@click.option("--sent", "sent_paths", metavar="PATH", multiple=True, help="For files: what the shop answered.")
@click.option("--rules", metavar="DIR", help="Folder with rules.toml and templates/ to hold against the active ones.")
@click.option("--orders", "orders_file", metavar="FILE", help="Orders as CSV; else those of responder.toml.")
@click.option("--now", metavar="ISO", help="Judge all mails at this moment; else each at its arrival.")
@click.option(
    "--limit", type=click.IntRange(min=1), help="So many mails of each mailbox (the newest), or of the files."
)
def replay(
    paths: tuple[str, ...],
    config: str | None,
    as_json: bool,
    since: str | None,
    account_name: str | None,
    mailboxes: tuple[str, ...],
    sent_paths: tuple[str, ...],
    rules: str | None,
    orders_file: str | None,
    now: str | None,
    limit: int | None,
) -> None:
    """Run the rules over old mail, beside what staff really answered. Writes nothing and marks nothing.

    Looks into the configured accounts, or at mails in files (.eml, mbox, Maildir, folders of them).
    """
    from responder.config import one_file
    from responder.edges.orders import open_book
    from responder.errors import ConfigError, ConnectionLost, LoginRefused, OrdersUnavailable, ResponderError
    from responder.flows.replay import Tally, Trial, row_json, summary_json
    from responder.flows.show_replay import progress, show_replay

    if paths and mailboxes:
        raise click.UsageError("--folder names a mailbox of an account; leave it out with files.")
    if sent_paths and not paths:
        raise click.UsageError("--sent goes with files; an account's answers are found in its Sent mailbox.")
    try:
        active = settings_or_bare(config, as_json=as_json) if paths else load_settings(config, as_json=as_json)
        settings = tried(active, rules) if rules is not None else active
        sources = (one_file(settings, Path(orders_file)),) if orders_file else settings.orders
    except ConfigError as exc:
        give_up(exc, as_json=as_json)
    accounts = [a for a in settings.accounts if account_name in (None, a.name)]
    if account_name is not None and not accounts:
        known = ", ".join(a.name for a in settings.accounts) or "-"
        raise click.BadParameter(f"{account_name!r}: {known}", param_hint="--account")
    index = None if orders_file else settings.orders_index
    orders = open_book(sources, index=index, is_kept=False)
    say_mistakes(orders.refresh(), as_json=False)
    words, language = catalog(), staff_language(settings.shop.language)
    begin = datetime.now(UTC) - span_of(since or "30d")
    fixed_now, compared = now is not None, rules is not None
    trial = Trial(settings, orders, moment_of(now, settings), fixed_now, active if compared else None)
    tally, code = Tally(), EX_OK

    def look(rows: Iterator[Replayed]) -> None:
        for row in rows:
            tally.add(row)
            bar.step()
            if as_json:
                click.echo(json.dumps(row_json(row, settings, language), ensure_ascii=False))

    try:
        with progress(words.text("cli.replay_looking", language)) as bar:
            if paths:
                mine = accounts[0] if account_name is not None else None
                mails, sent = mails_in(paths), mails_in(sent_paths)
                look(trial.of_files(mails, sent, since=begin if since else None, limit=limit, account=mine))
                accounts = []
            for account in accounts:
                try:
                    look(trial.of_account(account, since=begin, mailboxes=mailboxes, limit=limit, expect=bar.expect))
                except OrdersUnavailable:
                    raise
                except ResponderError as exc:
                    say_account_failure(settings, account.name, exc)
                    failed = {LoginRefused: EX_NOPERM, ConnectionLost: EX_TEMPFAIL}.get(type(exc), EX_CONFIG)
                    code = max(code, failed)
    except OrdersUnavailable:
        # The mistakes told above say which file could not be read.
        click.echo(words.text("note.orders_unavailable_subject", language), err=True)
        sys.exit(EX_TEMPFAIL)
    if as_json:
        summary = summary_json(tally, compared=compared, fixed_now=fixed_now)
        click.echo(json.dumps(summary, ensure_ascii=False))
    elif tally.all.mails:
        show_replay(tally, settings, language, compared=compared, fixed_now=fixed_now)
    if not tally.all.mails and code == EX_OK:
        nothing = {"path": ", ".join(paths)} if paths else {"since": since or "30d"}
        click.echo(
            words.text(f"cli.{'nothing_to_explain' if paths else 'replay_nothing'}", language, **nothing), err=True
        )
        code = EX_FINDINGS
    sys.exit(code)


def span_of(text: str) -> timedelta:
    match = re.fullmatch(r"\s*(\d{1,4})\s*([mhdw])\s*", text)
    if match is None:
        raise click.BadParameter(f"{text!r}: 30d, 2w, 12h", param_hint="--since")
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    return timedelta(**{units[match[2]]: int(match[1])})
