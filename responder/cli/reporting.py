"""`responder report`: what went wrong, what staff did, and what to change, as a page and as tables."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from responder.cli.common import (
    CONFIG,
    EX_OK,
    EX_TEMPFAIL,
    JSON,
    catalog,
    load_settings,
    moment_of,
    say_account_failure,
    staff_language,
)

if TYPE_CHECKING:
    from responder.config import Settings
    from responder.core.report import Figures
    from responder.model import Language

DAYS = 30


@click.command()
@CONFIG
@JSON
@click.option("--from", "first", metavar="DAY", help="First day, 2026-11-01; else 30 days before the last one.")
@click.option("--to", "last", metavar="DAY", help="Last day, it included; else today.")
@click.option("--out", metavar="DIR|FILE", help="Where the page goes; else responder-report-FIRST-LAST.html here.")
@click.option("--csv", "with_csv", is_flag=True, help="Write each table as a CSV file beside the page, too.")
@click.option("--mail", "by_mail", is_flag=True, help="Put the report into the notes folder of the first account.")
@click.option("--language", type=click.Choice(["ja", "en", "zh"]), help="Else the shop's.")
@click.option("--now", metavar="ISO", help="What counts as now, for what still waits.")
def report(
    config: str | None,
    as_json: bool,
    first: str | None,
    last: str | None,
    out: str | None,
    with_csv: bool,
    by_mail: bool,
    language: Language | None,
    now: str | None,
) -> None:
    """Figures of a time as one HTML page: drafts, answers, cancels, stock-outs, what staff changed.

    Everything is counted from responder's own journal; no buyer's text, name or address is in it.
    """
    from responder.core.report.page import page_html
    from responder.edges.journal import Journal, JournalUnavailable
    from responder.edges.orders import open_book
    from responder.errors import OrdersUnavailable
    from responder.flows.report import figures_of, words_of

    settings = load_settings(config, as_json=as_json)
    moment = moment_of(now, settings).astimezone(UTC)
    since, until = _span(first, last, settings, moment)
    journal = Journal(settings.state_url, create=False)
    book = open_book(settings.orders, index=settings.orders_index, is_kept=False)
    try:
        book.refresh()
        if journal.file is not None and journal.file.exists() and not journal.is_taken():
            journal.upgrade()  # of an older version, and nobody at work who would have done so
        figures = figures_of(journal, book, settings, since=since, until=until, now=moment)
    except JournalUnavailable as exc:
        if journal.file is None or journal.file.exists():
            _give_up("report_no_journal", error=str(exc))
        from responder.core.report import Figures

        figures = Figures(since, until, moment)
    except OrdersUnavailable:
        _give_up("report_no_orders")
    finally:
        journal.close()
        book.close()
    if as_json:
        click.echo(json.dumps(_plain(figures), ensure_ascii=False, default=str))
        if out is None and not with_csv:
            sys.exit(EX_OK)
    if by_mail:
        _mail(settings, figures, moment)
        if out is None and not with_csv:
            sys.exit(EX_OK)
    words = words_of(settings, language or settings.shop.language)
    zone = settings.shop.timezone
    page = page_html(figures, words, shop=settings.shop.name, zone=zone)
    file = _page_file(out, since.astimezone(zone).date(), (until - timedelta(seconds=1)).astimezone(zone).date())
    written = [(file, page.encode("utf-8", "replace"))]
    if with_csv:
        from responder.core.report.sheets import csv_bytes, sheets

        some = sheets(figures, words)
        written += [(file.with_name(f"{file.stem}-{one.name}.csv"), csv_bytes(one, words)) for one in some]
    for path, raw in written:
        _write(path, raw)
        if not as_json:
            code = "report_written_csv" if path.suffix == ".csv" else "report_written"
            click.echo(catalog().text(f"cli.{code}", staff_language(settings.shop.language), file=path))
    sys.exit(EX_OK)


def _span(first: str | None, last: str | None, settings: Settings, now: datetime) -> tuple[datetime, datetime]:
    """From the beginning of the first day to the end of the last one, in the shop's time."""
    zone = settings.shop.timezone
    last_day = _day(last, "--to") or now.astimezone(zone).date()
    first_day = _day(first, "--from") or last_day - timedelta(days=DAYS - 1)
    if first_day > last_day:
        raise click.BadParameter(f"{first_day} > {last_day}", param_hint="--from")
    begins, ends = (
        datetime.combine(day, datetime.min.time(), zone) for day in (first_day, last_day + timedelta(days=1))
    )
    return begins.astimezone(UTC), ends.astimezone(UTC)


def _day(text: str | None, option: str) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r}: 2026-11-01", param_hint=option) from None


def _page_file(out: str | None, first: date, last: date) -> Path:
    name = f"responder-report-{first}-{last}.html"
    if out is None:
        return Path(name)
    path = Path(out)
    return path / name if path.is_dir() or not path.suffix else path


def _write(path: Path, raw: bytes) -> None:
    """Whole or not at all. A mistake is told in one line."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(raw)
        temporary.replace(path)
    except OSError as exc:
        raise click.ClickException(f"{path}: {exc.strerror}") from exc


def _mail(settings: Settings, figures: Figures, now: datetime) -> None:
    """The report as a note: by the daemon where one runs, else by ourselves."""
    from responder.edges.journal import Journal, JournalInUse, JournalUnavailable
    from responder.edges.orders import open_book
    from responder.errors import ResponderError
    from responder.flows.tell import deliver_notes
    from responder.flows.turn import open_desk
    from responder.flows.weekly import intend

    account = settings.accounts[0]
    words, language = catalog(), staff_language(settings.shop.language)
    journal = Journal(settings.state_url)
    try:
        try:
            alone = journal.take()
        except JournalInUse:
            alone = False
        journal.upgrade()
        with journal.durable() as tx:
            intend(tx, settings, account, figures, f"report-asked:{now.isoformat()}", now)
        if alone:
            desk = open_desk(account, settings, journal, open_book(()), lambda: now, None)
            try:
                deliver_notes(desk, after_restart=True)
            finally:
                desk.session.logout()
        click.echo(
            words.text("cli.report_mailed" if alone else "cli.report_soon", language, folder=account.notes), err=True
        )
    except JournalUnavailable as exc:
        _give_up("report_no_journal", error=str(exc))
    except ResponderError as exc:
        say_account_failure(settings, account.name, exc)
        _give_up("report_later", folder=account.notes)
    finally:
        journal.close()


def _plain(figures: Figures) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(figures)


def _give_up(code: str, **args: object) -> NoReturn:
    click.echo(catalog().text(f"cli.{code}", staff_language(), **args), err=True)
    sys.exit(EX_TEMPFAIL)
