"""The command line: parse, call, print. Heavy parts are imported by the command that needs them."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from responder import __version__

if TYPE_CHECKING:
    from responder.config import Settings
    from responder.core.wording import Catalog
    from responder.edges.orders import OrderBook
    from responder.errors import ConfigError, Mistake
    from responder.flows.replay import Replayed
    from responder.model import Language, Message

EX_OK, EX_FINDINGS, EX_USAGE, EX_TEMPFAIL, EX_NOPERM, EX_CONFIG, EX_INTERRUPTED = 0, 1, 2, 75, 77, 78, 130


def staff_language(default: str = "en") -> Language:
    """The language to speak to whoever sits at this terminal, by the locale."""
    for name in ("RESPONDER_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value and value not in ("C", "POSIX") and not value.startswith("C."):
            short = value[:2].lower()
            return "ja" if short == "ja" else "zh" if short == "zh" else "en"
    return "ja" if default == "ja" else "zh" if default == "zh" else "en"


def _words() -> Catalog:
    from responder.core.wording import Catalog

    return Catalog.load()


def _say_mistakes(mistakes: tuple[Mistake, ...], *, as_json: bool, warnings: tuple[Mistake, ...] = ()) -> None:
    words, language = _words(), staff_language()
    for kind, entries in (("mistake", mistakes), ("warning", warnings)):
        for m in entries:
            if as_json:
                line = {"kind": kind, "file": m.file, "line": m.line, "key": m.key, "rule": m.rule, "code": m.code}
                line |= {"suggestion": m.suggestion, "text": words.mistake(m, language)}
                click.echo(json.dumps(line, ensure_ascii=False))
            else:
                click.echo(words.mistake(m, language), err=True)


def _load(config: str | None, *, as_json: bool = False) -> Settings:
    """The configuration, or every mistake in it and exit 78."""
    from responder.config import load
    from responder.errors import ConfigError

    try:
        return load(Path(config) if config else None, env=os.environ)
    except ConfigError as exc:
        _give_up(exc, as_json=as_json)


def _give_up(exc: ConfigError, *, as_json: bool) -> NoReturn:
    _say_mistakes(exc.mistakes, as_json=as_json)
    if not as_json:
        click.echo(_words().text("cli.exit_config", staff_language()), err=True)
    sys.exit(EX_CONFIG)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="responder")
def cli() -> None:
    """Reads a shop's mailbox, puts finished replies into Drafts, and sends what staff approve."""


_CONFIG = click.option("--config", metavar="DIR", help="Folder of responder.toml (or the file itself).")
_JSON = click.option("--json", "as_json", is_flag=True, help="Output for programs: one JSON object a line.")
_DRY = click.option("-n", "--dry-run", is_flag=True, help="Only show what would be done; write nothing.")


@cli.command()
@_CONFIG
@_DRY
@_JSON
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def run(config: str | None, dry_run: bool, as_json: bool, verbose: bool) -> None:
    """Watch the mailboxes until stopped (TERM or INT ends in order, HUP reloads the files)."""
    from responder import logs
    from responder.config import check_secrets, load_pack
    from responder.edges.orders import open_book

    settings = _load(config, as_json=as_json)
    logs.set_up(as_json=True if as_json else None, verbose=verbose)
    missing = check_secrets(settings)
    if missing:
        _say_mistakes(missing, as_json=as_json)
        sys.exit(EX_CONFIG)
    orders = open_book(settings.orders)
    _say_mistakes(orders.refresh(), as_json=as_json)
    if dry_run:
        sys.exit(_dry_run(settings, orders, as_json=as_json))

    from responder.daemon import AlreadyRunning, Daemon

    daemon = Daemon(settings, orders, reload_settings=load_pack)
    daemon.install_signals()
    words, language = _words(), staff_language(settings.shop.language)
    if not as_json and sys.stderr.isatty():
        click.echo(words.text("cli.started", language, accounts=len(settings.accounts)), err=True)
    try:
        code = daemon.run()
    except AlreadyRunning as exc:
        click.echo(words.text("cli.already_running", language, file=str(exc)), err=True)
        sys.exit(EX_TEMPFAIL)
    if code:
        for name, failure in daemon.failures.items():
            _say_account_failure(settings, name, failure)
    if daemon.left_sending:
        # The journal says "sending": the next start looks into Sent and asks a person.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _say_account_failure(settings: Settings, name: str, failure: Exception, *, language: Language | None = None) -> str:
    words = _words()
    language = language or staff_language(settings.shop.language)
    text = _failure_words(settings, name, failure, words, language)
    line = words.text("cli.check_account_failed", language, account=name, reason=text)
    click.echo(line, err=True)
    return line


def _failure_words(settings: Settings, name: str, failure: Exception, words: Catalog, language: Language) -> str:
    from responder.errors import CertificateRefused, ConfigError, FolderMissing, LoginRefused, OrdersUnavailable

    account = settings.account(name)
    host = account.imap.host if account is not None else ""
    match failure:
        case LoginRefused():
            return words.text("cli.login_refused", language, host=host)
        case CertificateRefused():
            return words.text("cli.certificate_refused", language, host=host)
        case FolderMissing(role=role, candidates=candidates) if len(candidates) > 1:
            return words.text("cli.folder_ambiguous", language, role=role, candidates=", ".join(candidates))
        case FolderMissing(role=role, candidates=candidates):
            return words.text("cli.folder_missing", language, role=role, candidates=", ".join(candidates) or "-")
        case OrdersUnavailable():
            return words.text("note.orders_unavailable", language)
        case ConfigError(mistakes=mistakes):
            return "; ".join(words.mistake(m, language) for m in mistakes)
        case _:
            return words.text("cli.connection_failed", language, host=host)


def _dry_run(settings: Settings, orders: OrderBook, *, as_json: bool) -> int:
    """Explain the mails that the next turn would look at; opens mailboxes read-only."""
    from responder.edges.imap import Session, spell
    from responder.errors import ResponderError
    from responder.flows.explain import as_json as explained
    from responder.flows.explain import explain_mail

    words, language = _words(), staff_language(settings.shop.language)
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
            _say_account_failure(settings, account.name, exc)
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


@cli.command()
@_CONFIG
@_JSON
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

    settings = _load(config, as_json=as_json)
    words, language = _words(), staff_language(settings.shop.language)
    orders = open_book(settings.orders)
    mistakes = (*check_secrets(settings), *orders.refresh())
    warnings = (*settings.warnings, *rule_warnings(settings, _messages_in(sample, settings)))
    _say_mistakes(mistakes, as_json=as_json, warnings=warnings)
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
            entry |= {"ok": False, "text": _failure_words(settings, account.name, exc, words, language)}
            if not as_json:
                _say_account_failure(settings, account.name, exc)
            code = max(code, EX_NOPERM if isinstance(exc, LoginRefused) else EX_CONFIG)
        if as_json:
            click.echo(json.dumps(entry, ensure_ascii=False))
    if code == EX_OK and not as_json:
        key = "cli.check_offline" if offline else "cli.check_ok"
        counts = {"accounts": len(settings.accounts), "rules": len(settings.rulebook.rules)}
        counts |= {"templates": len(settings.templates.names("en")), "orders": len(orders)}
        click.echo(words.text(key, language, **counts))
    sys.exit(code)


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE|DIR|-...")
@_CONFIG
@_JSON
@click.option("--orders", "orders_file", metavar="FILE", help="Orders as CSV; else those of responder.toml.")
@click.option("--now", metavar="ISO", help="Take this as the present time (2026-11-20T12:00+09:00).")
@click.option("--rules", metavar="DIR", help="Folder with rules.toml and templates/ to try instead.")
def explain(
    paths: tuple[str, ...],
    config: str | None,
    as_json: bool,
    orders_file: str | None,
    now: str | None,
    rules: str | None,
) -> None:
    """Show what would happen to mails (.eml, mbox, folders, - for standard input), and why. Writes nothing."""
    from responder.config import OrdersSettings
    from responder.edges.orders import open_book
    from responder.errors import ConfigError, OrdersUnavailable
    from responder.flows.explain import as_json as explained
    from responder.flows.explain import explain_mail

    try:
        settings = _settings_or_bare(config, as_json=as_json)
        settings = _tried(settings, rules) if rules is not None else settings
    except ConfigError as exc:
        _give_up(exc, as_json=as_json)
    sources = (OrdersSettings("csv", Path(orders_file), settings.shop.timezone),) if orders_file else settings.orders
    orders = open_book(sources)
    _say_mistakes(orders.refresh(), as_json=False)
    language = staff_language(settings.shop.language)
    moment = _moment(now, settings)
    count = 0
    for name, raw in _mails_in(paths):
        try:
            explanation = explain_mail(raw, file=name, settings=settings, orders=orders, now=moment)
        except OrdersUnavailable:
            # The mistakes told above say which file could not be read.
            click.echo(_words().text("note.orders_unavailable_subject", language), err=True)
            sys.exit(EX_TEMPFAIL)
        count += 1
        if as_json:
            click.echo(json.dumps(explained(explanation, settings, language), ensure_ascii=False))
        else:
            from responder.flows.show import show_explanation

            show_explanation(explanation, settings, language)
    if not count:
        click.echo(_words().text("cli.nothing_to_explain", language, path=", ".join(paths)), err=True)
        sys.exit(EX_FINDINGS)


def _moment(text: str | None, settings: Settings) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r}: 2026-11-20T12:00+09:00", param_hint="--now") from None
    return moment.replace(tzinfo=settings.shop.timezone) if moment.tzinfo is None else moment


def _mails_in(paths: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every mail in the given files and folders, in order; a folder's by name."""
    for path in paths:
        if path == "-":
            yield from _mails_of("-", sys.stdin.buffer.read())
            continue
        place = Path(path)
        if place.is_dir():
            for file in sorted(f for f in place.rglob("*") if f.is_file() and not f.name.startswith(".")):
                if file.suffix in (".eml", ".mbox") or file.parent.name in ("cur", "new"):
                    yield from _mails_of(str(file), file.read_bytes())
        elif place.is_file():
            yield from _mails_of(path, place.read_bytes())
        else:
            raise click.BadParameter(f"{path}: no such file or folder", param_hint="FILE|DIR")


def _messages_in(paths: tuple[str, ...], settings: Settings) -> Iterator[Message]:
    """The mails in files and folders, read as the daemon reads them; what cannot be read is left out."""
    from responder.core.mime import read
    from responder.errors import MessageError
    from responder.flows.understanding import unpack

    for _name, raw in _mails_in(paths):
        try:
            yield unpack(read(raw), settings)[0]
        except MessageError:
            continue


def _mails_of(name: str, raw: bytes) -> Iterator[tuple[str, bytes]]:
    """One mail, or each mail of an mbox (RFC 4155)."""
    if not raw.startswith(b"From "):
        yield name, raw
        return
    normal = b"\n" + raw.replace(b"\r\n", b"\n")
    for number, part in enumerate(normal.split(b"\nFrom ")[1:], 1):
        body = part.partition(b"\n")[2].replace(b"\n>From ", b"\nFrom ")
        yield f"{name}#{number}", body


@cli.command()
@click.argument("paths", nargs=-1, metavar="[FILE|DIR|-]...")
@_CONFIG
@_JSON
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
    from responder.config import OrdersSettings
    from responder.edges.orders import open_book
    from responder.errors import ConfigError, ConnectionLost, LoginRefused, OrdersUnavailable, ResponderError
    from responder.flows.replay import Tally, Trial, row_json, summary_json
    from responder.flows.show_replay import progress, show_replay

    if paths and mailboxes:
        raise click.UsageError("--folder names a mailbox of an account; leave it out with files.")
    if sent_paths and not paths:
        raise click.UsageError("--sent goes with files; an account's answers are found in its Sent mailbox.")
    try:
        active = _settings_or_bare(config, as_json=as_json) if paths else _load(config, as_json=as_json)
        settings = _tried(active, rules) if rules is not None else active
    except ConfigError as exc:
        _give_up(exc, as_json=as_json)
    accounts = [a for a in settings.accounts if account_name in (None, a.name)]
    if account_name is not None and not accounts:
        known = ", ".join(a.name for a in settings.accounts) or "-"
        raise click.BadParameter(f"{account_name!r}: {known}", param_hint="--account")
    sources = (OrdersSettings("csv", Path(orders_file), settings.shop.timezone),) if orders_file else settings.orders
    orders = open_book(sources)
    _say_mistakes(orders.refresh(), as_json=False)
    words, language = _words(), staff_language(settings.shop.language)
    begin = datetime.now(UTC) - _span(since or "30d")
    fixed_now, compared = now is not None, rules is not None
    trial = Trial(settings, orders, _moment(now, settings), fixed_now, active if compared else None)
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
                mails, sent = _mails_in(paths), _mails_in(sent_paths)
                look(trial.of_files(mails, sent, since=begin if since else None, limit=limit, account=mine))
                accounts = []
            for account in accounts:
                try:
                    look(trial.of_account(account, since=begin, mailboxes=mailboxes, limit=limit, expect=bar.expect))
                except OrdersUnavailable:
                    raise
                except ResponderError as exc:
                    _say_account_failure(settings, account.name, exc)
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


def _settings_or_bare(config: str | None, *, as_json: bool) -> Settings:
    """The configuration if there is one, else the product's own rules without accounts. Raises: ConfigError."""
    from responder.config import bare, config_file
    from responder.errors import ConfigError

    try:
        config_file(Path(config) if config else None, os.environ)
    except ConfigError:
        if config:
            raise
        return bare()
    return _load(config, as_json=as_json)


def _tried(active: Settings, rules: str) -> Settings:
    """The settings with the rules and templates of another folder. Raises: ConfigError."""
    from dataclasses import replace

    from responder.config import load_pack

    folder = Path(rules)
    if not (folder / "rules.toml").is_file() and not (folder / "templates").is_dir():
        raise click.BadParameter(f"{rules}: no rules.toml or templates/ in there", param_hint="--rules")
    return load_pack(replace(active, directory=folder.resolve()))


def _span(text: str) -> timedelta:
    match = re.fullmatch(r"\s*(\d{1,4})\s*([mhdw])\s*", text)
    if match is None:
        raise click.BadParameter(f"{text!r}: 30d, 2w, 12h", param_hint="--since")
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    return timedelta(**{units[match[2]]: int(match[1])})


@cli.command()
@_CONFIG
@_JSON
def status(config: str | None, as_json: bool) -> None:
    """What is open, waiting, in doubt or sent, by account."""
    from responder.edges.journal import Journal, JournalUnavailable, cases, drafts, mails, notes

    settings = _load(config, as_json=as_json)
    words, language = _words(), staff_language(settings.shop.language)
    journal = Journal(settings.state_url, create=False)
    entries: list[dict[str, Any]] = []
    try:
        with journal.reading() as tx:
            for account in settings.accounts:
                state = notes.find_fact(tx, account.name, "state") or {"state": "never", "error": None}
                entries.append(
                    {
                        "account": account.name,
                        "connection": state["state"],
                        "error": state["error"],
                        "open_cases": cases.count_open(tx, account.name),
                        "drafts": drafts.count_by_state(tx, account.name),
                        "mails": mails.count_by_action(tx, account.name),
                    }
                )
    except JournalUnavailable:
        entries = [
            {"account": a.name, "connection": "never", "error": None, "open_cases": 0, "drafts": {}, "mails": {}}
            for a in settings.accounts
        ]
    finally:
        journal.close()
    if as_json:
        for entry in entries:
            click.echo(json.dumps(entry, ensure_ascii=False))
        return
    click.echo(words.text("cli.status_title", language, cases=sum(e["open_cases"] for e in entries)))
    for entry in entries:
        error = f" ({entry['error']})" if entry["error"] else ""
        click.echo(f"  {entry['account']}: {entry['connection']}{error}")
        for name in ("mails", "drafts"):
            counts = ", ".join(f"{key} {count}" for key, count in sorted(entry[name].items())) or "-"
            click.echo(f"    {name}: {counts}")


@cli.command()
@click.argument("what", type=click.Choice(["rules", "config"]), default="rules")
def schema(what: str) -> None:
    """Print the JSON Schema of rules.toml (or responder.toml), for editors that complete and check."""
    if what == "rules":
        from responder.core.rules import json_schema
    else:
        from responder.config import json_schema
    click.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2))


@cli.command()
@click.option("--stay", is_flag=True, help="Keep the servers up and print how to connect a mail client.")
@click.option("--imap-port", type=int, default=0, help="Port for --stay (0: any free one).")
@click.option("--smtp-port", type=int, default=0, help="Port for --stay (0: any free one).")
@_JSON
def demo(stay: bool, imap_port: int, smtp_port: int, as_json: bool) -> None:
    """Play a shop's day on embedded servers, and check that they hold what the closing table says."""
    from responder.demo.play import play

    sys.exit(play(stay=stay, imap_port=imap_port, smtp_port=smtp_port, as_json=as_json, language=staff_language()))


def main() -> None:
    """The entry point."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as exc:
        sys.exit(exc.exit_code)
    except click.ClickException as exc:
        exc.show()
        sys.exit(EX_USAGE)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(EX_INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EX_FINDINGS)
