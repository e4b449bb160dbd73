"""`responder explain`: what would happen to a mail, and why."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from responder.cli.common import (
    CONFIG,
    EX_FINDINGS,
    EX_TEMPFAIL,
    JSON,
    catalog,
    give_up,
    moment_of,
    say_mistakes,
    settings_or_bare,
    staff_language,
    tried,
)
from responder.cli.mails import mails_in

if TYPE_CHECKING:
    pass


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE|DIR|-...")
@CONFIG
@JSON
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
    from responder.config import one_file
    from responder.edges.orders import open_book
    from responder.errors import ConfigError, OrdersUnavailable
    from responder.flows.explain import as_json as explained
    from responder.flows.explain import explain_mail

    try:
        settings = settings_or_bare(config, as_json=as_json)
        settings = tried(settings, rules) if rules is not None else settings
        sources = (one_file(settings, Path(orders_file)),) if orders_file else settings.orders
    except ConfigError as exc:
        give_up(exc, as_json=as_json)
    index = None if orders_file else settings.orders_index
    orders = open_book(sources, index=index, is_kept=False)
    say_mistakes(orders.refresh(), as_json=False)
    language = staff_language(settings.shop.language)
    moment = moment_of(now, settings)
    count = 0
    for name, raw in mails_in(paths):
        try:
            explanation = explain_mail(raw, file=name, settings=settings, orders=orders, now=moment)
        except OrdersUnavailable:
            # The mistakes told above say which file could not be read.
            click.echo(catalog().text("note.orders_unavailable_subject", language), err=True)
            sys.exit(EX_TEMPFAIL)
        count += 1
        if as_json:
            click.echo(json.dumps(explained(explanation, settings, language), ensure_ascii=False))
        else:
            from responder.flows.show import show_explanation

            show_explanation(explanation, settings, language)
    if not count:
        click.echo(catalog().text("cli.nothing_to_explain", language, path=", ".join(paths)), err=True)
        sys.exit(EX_FINDINGS)
