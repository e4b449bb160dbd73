"""`responder run`: the daemon, or with -n what its next turn would look at."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import click

from responder.cli.common import (
    CONFIG,
    DRY,
    EX_CONFIG,
    EX_FINDINGS,
    EX_OK,
    EX_TEMPFAIL,
    JSON,
    catalog,
    load_settings,
    say_account_failure,
    say_mistakes,
    staff_language,
)

if TYPE_CHECKING:
    from responder.config import Settings
    from responder.core.wording import Catalog
    from responder.edges.journal import JournalUnavailable
    from responder.edges.orders import OrderBook
    from responder.model import Language


@click.command()
@CONFIG
@DRY
@JSON
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def run(config: str | None, dry_run: bool, as_json: bool, verbose: bool) -> None:
    """Watch the mailboxes until stopped (TERM or INT ends in order, HUP reloads the files)."""
    from responder import logs
    from responder.config import check_secrets, load_pack
    from responder.edges.orders import open_book

    with _told_to_the_supervisor():
        settings = load_settings(config, as_json=as_json)
        logs.set_up(as_json=True if as_json else None, verbose=verbose)
        missing = check_secrets(settings)
        if missing:
            say_mistakes(missing, as_json=as_json)
            sys.exit(EX_CONFIG)
    orders = open_book(settings.orders, index=settings.orders_index, is_kept=not dry_run)
    say_mistakes(orders.refresh(), as_json=as_json)
    if dry_run:
        sys.exit(_dry_run(settings, orders, as_json=as_json))

    from responder.daemon import Daemon
    from responder.edges.journal import JournalInUse, JournalUnavailable
    from responder.edges.supervisor import Supervisor

    words, language = catalog(), staff_language(settings.shop.language)
    try:
        daemon = Daemon(settings, orders, reload_settings=load_pack, supervisor=Supervisor())
    except JournalUnavailable as exc:
        _end_without_journal(settings, exc, words, language)
    daemon.install_signals()
    if not as_json and sys.stderr.isatty():
        click.echo(words.text("cli.started", language, accounts=len(settings.accounts)), err=True)
    try:
        code = daemon.run()
    except JournalInUse as exc:
        click.echo(words.text("cli.already_running", language, file=str(exc)), err=True)
        sys.exit(EX_TEMPFAIL)
    except JournalUnavailable as exc:
        _end_without_journal(settings, exc, words, language)
    if code:
        for name, failure in daemon.failures.items():
            say_account_failure(settings, name, failure)
    if daemon.left_sending:
        # The journal says "sending": the next start looks into Sent and asks a person.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


@contextmanager
def _told_to_the_supervisor() -> Iterator[None]:
    """Whom else to tell, and how, stands in the very files that are wrong."""
    try:
        yield
    except SystemExit as exc:
        if exc.code == EX_CONFIG:
            from responder.edges.supervisor import Supervisor

            Supervisor().status(catalog().text("cli.not_started", staff_language()))
        raise


def _end_without_journal(settings: Settings, exc: JournalUnavailable, words: Catalog, language: Language) -> NoReturn:
    """Nothing is done without the journal: whoever started us tries again later."""
    parts = urlsplit(settings.state_url)  # without the password of a database server
    file = f"{parts.hostname or ''}/{parts.path.lstrip('/')}"
    click.echo(words.text("cli.no_journal", language, file=file, why=str(exc)), err=True)
    sys.exit(EX_TEMPFAIL)


def _dry_run(settings: Settings, orders: OrderBook, *, as_json: bool) -> int:
    """Explain the mails that the next turn would look at; opens mailboxes read-only."""
    from responder.edges.imap import Session, spell
    from responder.errors import ResponderError
    from responder.flows.explain import as_json as explained
    from responder.flows.explain import explain_mail

    words, language = catalog(), staff_language(settings.shop.language)
    code = EX_OK
    for account in settings.accounts:
        try:
            with Session.connect(account.imap, account.imap_secret) as session:
                folders = session.folders()
                count = 0
                for watched in account.watch:
                    mailbox = spell(watched, folders)
                    selected = session.select(mailbox, readonly=True)
                    since = datetime.now(UTC) - account.since if account.since is not None else None
                    last = _last_uid(settings, account.name, mailbox, selected.uidvalidity, selected.uidnext)
                    uids = session.uids_since(since.date()) if since is not None else session.uids_from(last + 1)
                    for fetched in session.fetch(uids):
                        explanation = explain_mail(
                            fetched.raw,
                            file=f"{mailbox}/{fetched.uid}",
                            settings=settings,
                            orders=orders,
                            now=datetime.now(UTC),
                            account=account,
                        )
                        count += 1
                        _print_explained(explained(explanation, settings, language), as_json=as_json)
                if not as_json:
                    click.echo(words.text("cli.would_do", language, account=account.name, count=count))
        except ResponderError as exc:
            say_account_failure(settings, account.name, exc)
            code = EX_FINDINGS
    return code


def _last_uid(settings: Settings, account: str, mailbox: str, uidvalidity: int, uidnext: int) -> int:
    """Where a run would begin, read from the journal if there is one."""
    from responder.edges.journal import Journal, JournalUnavailable, mails

    journal = Journal(settings.state_url, create=False)
    try:
        with journal.reading() as tx:
            cursor = mails.find_cursor(tx, account, mailbox)
    except JournalUnavailable:
        return uidnext - 1
    finally:
        journal.close()
    return cursor.last_uid if cursor is not None and cursor.uidvalidity == uidvalidity else uidnext - 1


def _print_explained(entry: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(entry, ensure_ascii=False))
    else:
        order = f"  {entry['order_id']}" if entry["order_id"] else ""
        click.echo(f"{entry['file']}: {entry['action']} / {entry['situation']}{order}")
