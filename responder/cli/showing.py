"""`responder status`, `schema` and `demo`: look, print, play."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from responder.cli.common import (
    CONFIG,
    EX_FINDINGS,
    EX_OK,
    JSON,
    catalog,
    load_settings,
    staff_language,
)

if TYPE_CHECKING:
    from responder.core.due import Due
    from responder.edges.journal.calls import Call


@click.command()
@CONFIG
@JSON
@click.option(
    "--health", is_flag=True, help="Exit 1 if responder is not running, or cannot fetch, send or write its journal."
)
def status(config: str | None, as_json: bool, health: bool) -> None:
    """What is open, waiting, in doubt or sent, by account, and what does not work."""
    from responder.core.due import all_due
    from responder.core.owed.letter import SITUATION
    from responder.edges.journal import Journal, JournalUnavailable, calls, cases, clocks, drafts, mails, notes
    from responder.edges.journal.aside import Aside
    from responder.flows.clocks import reader
    from responder.flows.troubles import open_troubles

    settings = load_settings(config, as_json=as_json)
    words, language = catalog(), staff_language(settings.shop.language)
    journal = Journal(settings.state_url, create=False)
    entries: list[dict[str, Any]] = []
    troubles: list[dict[str, Any]] = []
    to_call: list[tuple[str, Call]] = []
    due: dict[str, list[Due]] = {}
    try:
        with journal.reading() as tx:
            for trouble in open_troubles(tx):
                if trouble.calm_since is not None:
                    continue  # it seems to be over
                said = words.text(f"note.{trouble.note.code}_subject", language, **dict(trouble.note.args))
                begun, told = trouble.since.isoformat(), bool(trouble.told)
                about = {"trouble": trouble.kind, "account": trouble.account or None, "code": trouble.note.code}
                troubles.append(about | {"since": begun, "told": told, "text": said})
            for account in settings.accounts:
                due[account.name] = all_due(clocks.open_files(tx, account.name))
                state = notes.find_fact(tx, account.name, "state") or {"state": "never", "error": None}
                entries.append(
                    {
                        "account": account.name,
                        "connection": state["state"],
                        "error": state["error"],
                        "open_cases": cases.count_open(tx, account.name),
                        "drafts": drafts.count_by_state(tx, account.name),
                        "mails": mails.count_by_action(tx, account.name),
                        "due": [
                            {
                                "deadline": one.deadline_at.isoformat() if one.deadline_at is not None else None,
                                "case": one.case_id,
                                "order_id": one.order_id,
                                "channel": one.channel,
                                "situation": one.situation,
                                "waits": one.waits,
                            }
                            for one in due[account.name]
                        ],
                    }
                )
                since = datetime.now(UTC) - settings.calls.forgotten_after
                to_call += [(account.name, one) for one in calls.still_open(tx, account.name, since)]
    except JournalUnavailable:
        entries = [
            {
                "account": a.name,
                "connection": "never",
                "error": None,
                "open_cases": 0,
                "drafts": {},
                "mails": {},
                "due": [],
            }
            for a in settings.accounts
        ]
    finally:
        journal.close()
    if Aside(journal.file).read():
        said = words.text("note.journal_unwritable_subject", language)
        about = {"trouble": "journal", "account": None, "code": "journal_unwritable", "since": None}
        troubles.append(about | {"told": True, "text": said})
    # Mistakes in files are for staff: whoever watches the service must not start it anew for them.
    ill = any(trouble["trouble"] not in ("rules", "orders") for trouble in troubles)
    ill |= journal.is_taken() is False or any(entry["connection"] != "connected" for entry in entries)
    code = EX_FINDINGS if health and ill else EX_OK
    if as_json:
        listed = [
            {
                "call": one.order_id,
                "account": name,
                "matter": one.matter,
                "why": [reason.code for reason in one.why],
                "since": one.asked_at.isoformat(),
            }
            for name, one in to_call
        ]
        for entry in [*entries, *listed, *troubles]:
            click.echo(json.dumps(entry, ensure_ascii=False))
        sys.exit(code)
    read = replace(reader(settings, datetime.now(UTC)), language=language)
    click.echo(words.text("cli.status_title", language, cases=sum(e["open_cases"] for e in entries)))
    for entry in entries:
        error = f" ({entry['error']})" if entry["error"] else ""
        click.echo(f"  {entry['account']}: {entry['connection']}{error}")
        for name in ("mails", "drafts"):
            counts = ", ".join(f"{key} {count}" for key, count in sorted(entry[name].items())) or "-"
            click.echo(f"    {name}: {counts}")
        waiting = due.get(entry["account"], [])
        if waiting:
            late = sum(one.is_late(read.now) for one in waiting)
            title = words.text("cli.status_due", language, count=len(waiting), late=late)
            click.echo(f"    {title}")
        for each in waiting:
            click.echo(f"      {'! ' if each.is_late(read.now) else ''}{read.line(each)}")
    if to_call:
        click.echo("  " + words.text("cli.status_calls", language, count=len(to_call)))
    for _, one in to_call:
        day = one.asked_at.astimezone(settings.shop.timezone).date().isoformat()
        because = ", ".join(words.reason(reason, language) for reason in one.why)
        matter = f"{SITUATION}{one.matter}"
        line = words.text("cli.status_call", language, order=one.order_id, situation=matter, because=because, day=day)
        click.echo(f"    {line}")
    for about in troubles:
        click.echo(f"  ! {about['text']}" + (f" ({about['since']})" if about["since"] else ""))
    sys.exit(code)


@click.command()
@click.argument("what", type=click.Choice(["rules", "config"]), default="rules")
def schema(what: str) -> None:
    """Print the JSON Schema of rules.toml (or responder.toml), for editors that complete and check."""
    if what == "rules":
        from responder.core.rules import json_schema
    else:
        from responder.config import json_schema
    click.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2))


@click.command()
@click.option("--stay", is_flag=True, help="Keep the servers up and print how to connect a mail client.")
@click.option("--imap-port", type=int, default=0, help="Port for --stay (0: any free one).")
@click.option("--smtp-port", type=int, default=0, help="Port for --stay (0: any free one).")
@JSON
def demo(stay: bool, imap_port: int, smtp_port: int, as_json: bool) -> None:
    """Play a shop's day on embedded servers, and check that they hold what the closing table says."""
    from responder.demo.play import play

    sys.exit(play(stay=stay, imap_port=imap_port, smtp_port=smtp_port, as_json=as_json, language=staff_language()))
