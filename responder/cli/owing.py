"""`responder owe`: tell buyers what the shop owes them, one draft for each order."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, TypeVar

import click

from responder.cli.common import (
    CONFIG,
    DRY,
    EX_FINDINGS,
    EX_OK,
    EX_TEMPFAIL,
    JSON,
    catalog,
    load_settings,
    moment_of,
    say_account_failure,
    say_mistakes,
    staff_language,
)

if TYPE_CHECKING:
    from responder.config import Settings
    from responder.core.owed import Wish
    from responder.core.owed.wish import Rest
    from responder.core.wording import Catalog
    from responder.edges.journal import Journal
    from responder.edges.journal.owed import Owed, Wished
    from responder.edges.orders import FileBook, JoinedBook
    from responder.flows.notices import Notice
    from responder.model import Language, Order, Reason

Word = TypeVar("Word", bound=str)

FOLLOW_S = 120.0
LOOK_EVERY_S = 0.3


@click.command()
@click.argument("order_ids", nargs=-1, metavar="[ORDER]...")
@click.option(
    "--matter",
    required=True,
    metavar="MATTER",
    help="sold_out, restock, checking, delay, combined, restock_notice, care.",
)
@click.option(
    "--cause",
    "causes",
    multiple=True,
    metavar="CAUSE",
    help="Why, as recorded: double_sale, inspection, late_supply, discontinued, stock_error, "
    "weather, carrier, production, customs.",
)
@click.option(
    "--restock", default="", metavar="DAY", help='When new stock comes: 2026-12-10, 12/10, "2026-12 early", 12月上旬.'
)
@click.option("--ship", default="", metavar="DAY", help="The new shipping day (of a parcel under way: of delivery).")
@click.option("--answer-by", default="", metavar="DAY", help="By when the buyer hears more (checking).")
@click.option(
    "--alternative",
    "alternatives",
    multiple=True,
    metavar="TEXT",
    help="Goods in its place, with a link if there is one; may be repeated.",
)
@click.option(
    "--item",
    "items",
    multiple=True,
    metavar="SKU|NAME",
    help="Only this item. Without ORDER: all open orders that hold it.",
)
@click.option("--rest", type=click.Choice(["ship", "wait"]), help="What becomes of the order's other items.")
@click.option("--business/--consumer", default=None, help="Who the buyer is, where the order does not tell.")
@click.option("--language", type=click.Choice(["ja", "en", "zh"]), help="Else chosen by the order.")
@click.option("--account", metavar="NAME", help="The account that writes; else chosen by the order's channel.")
@click.option("--orders", "orders_file", metavar="FILE", help="Orders as CSV; else those of responder.toml.")
@click.option("--letter", "letter_file", metavar="FILE", help="No drafts: formal letters as an HTML page to print.")
@click.option("--social", "social_file", metavar="FILE", help="No drafts: a text for social media as an HTML page.")
@click.option("--now", metavar="ISO", hidden=True)
@CONFIG
@DRY
@JSON
def owe(
    order_ids: tuple[str, ...],
    matter: str,
    causes: tuple[str, ...],
    restock: str,
    ship: str,
    answer_by: str,
    alternatives: tuple[str, ...],
    items: tuple[str, ...],
    rest: Rest | None,
    business: bool | None,
    language: Language | None,
    account: str | None,
    orders_file: str | None,
    letter_file: str | None,
    social_file: str | None,
    now: str | None,
    config: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write drafts to buyers who wait for something: sold out, late, still being checked.

    One draft for each order and matter, ever: repeating the command doubles nothing. What you do not name stands in the
    draft as a blank. A running daemon writes the drafts; if none runs, this command does.
    """
    from responder.config import one_file
    from responder.core.owed import CAUSES, MATTERS, Wish, alternative_from
    from responder.edges.orders import open_book
    from responder.errors import OrdersUnavailable

    of_matter = _known_word(matter, MATTERS, "--matter")
    for cause in causes:
        _known_word(cause, CAUSES, "--cause")
    settings = load_settings(config, as_json=as_json)
    _accounts(settings, account)
    wish = Wish(
        "",
        of_matter,
        causes=causes,
        restock=_day(restock, settings, now, "--restock"),
        ship=_day(ship, settings, now, "--ship"),
        answer_by=_day(answer_by, settings, now, "--answer-by"),
        alternatives=tuple(one for text in alternatives if (one := alternative_from(text)) is not None),
        items=items,
        rest=rest,
        business=business,
        language=language,
    )
    sources = (one_file(settings, orders_file_of(orders_file)),) if orders_file else settings.orders
    book = open_book(sources, index=None if orders_file else settings.orders_index, is_kept=False)
    say_mistakes(book.refresh(), as_json=False)
    words, reader = catalog(), staff_language(settings.shop.language)
    try:
        wish, chosen = _chosen(wish, order_ids, book, words, reader)
    except OrdersUnavailable:
        click.echo(words.text("note.orders_unavailable_subject", reader), err=True)
        sys.exit(EX_TEMPFAIL)
    page = _Page(words, reader, as_json=as_json)
    moment = moment_of(now, settings)
    if letter_file or social_file:
        _print(wish, chosen, settings, page, moment, letter_file, social_file)
    elif dry_run:
        _dry_run(wish, chosen, settings, account, page, moment)
    else:
        _write(wish, chosen, settings, account, page, book, moment)
    sys.exit(page.close())


def orders_file_of(name: str) -> Any:
    """The file named on the command line."""
    from pathlib import Path

    return Path(name)


def _known_word(word: str, known: Sequence[Word], option: str) -> Word:
    """That word of the known ones. Raises BadParameter for any other."""
    import difflib

    for each in known:
        if each == word:
            return each
    near = difflib.get_close_matches(word, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise click.BadParameter(f"{word!r}: one of {', '.join(known)}.{hint}", param_hint=option)


def _accounts(settings: Settings, account: str | None) -> None:
    known = [one.name for one in settings.accounts]
    if not known:
        raise click.UsageError("responder.toml names no account.")
    if account is not None:
        _known_word(account, known, "--account")


def _day(said: str, settings: Settings, now: str | None, option: str) -> str:
    """The day in the form it is kept in. Raises BadParameter for one that cannot be read or is over."""
    from responder.core.dates import day_of
    from responder.core.owed import when_from

    if not said:
        return ""
    today = day_of(moment_of(now, settings), settings.shop.timezone)
    when = when_from(said, today)
    if when is None:
        raise click.BadParameter(f'{said!r}: 2026-12-10, 12/10, 2026-12, "2026-12 early", 12月上旬', param_hint=option)
    if when.last < today:
        raise click.BadParameter(f"{said!r}: is over", param_hint=option)
    return when.text


def _chosen(
    wish: Wish, order_ids: Sequence[str], book: FileBook | JoinedBook, words: Catalog, reader: Language
) -> tuple[Wish, dict[str, Order | None]]:
    """The orders that are meant, by the id they were named by; an unknown one is None. Raises: OrdersUnavailable."""
    from dataclasses import replace

    from responder.flows.wishes import Unclear, orders_with
    from responder.model import order_key

    if order_ids:
        known = {order_key(order.order_id): order for order in book.find(order_ids)}
        return wish, {one: known.get(order_key(one)) for one in dict.fromkeys(order_ids)}
    if not wish.items:
        raise click.UsageError("Name orders, or an item with --item.")
    found: dict[str, Order | None] = {}
    names: list[str] = []
    for word in wish.items:
        match = orders_with(book, word)
        if isinstance(match, Unclear):
            code = "owe_item_no_list" if match.unlisted else "owe_item_unclear" if match.known else "owe_item_unknown"
            click.echo(words.text(f"cli.{code}", reader, found=word, known=", ".join(match.known)), err=True)
            sys.exit(EX_FINDINGS)
        names.append(match[0])
        found |= {order.order_id: order for order in match[1]}
    return replace(wish, items=tuple(names)), found


def _print(
    wish: Wish,
    chosen: dict[str, Order | None],
    settings: Settings,
    page: _Page,
    now: datetime,
    letter_file: str | None,
    social_file: str | None,
) -> None:
    """Write the pages to print; no draft, and nothing in the journal."""
    from dataclasses import replace

    from responder.core.owed.letter import page_text
    from responder.errors import MessageError
    from responder.flows.notices import surroundings_of
    from responder.model import Reason

    def text_of(order: Order | None, template: str, own: Wish) -> tuple[str, str]:
        letter = page_text(
            own,
            order,
            template,
            identity=settings.accounts[0].identity,
            shop=settings.shop,
            templates=settings.templates,
            now=now,
            around=None if order is None else surroundings_of(own, order, settings, now),
        )
        return letter.subject, letter.text

    try:
        if letter_file:
            letters = []
            for order_id, order in chosen.items():
                if order is None:
                    page.refused(order_id, Reason.of("owed_no_order", found=order_id))
                else:
                    letters.append(text_of(order, "owe_letter", replace(wish, order_id=order.order_id)))
            page.printed(letter_file, letters, settings.shop.language)
        if social_file:
            first = [order.items[0].name for order in chosen.values() if order is not None and order.items]
            names = wish.items or tuple(dict.fromkeys(first))
            own = [text_of(None, "owe_social", replace(wish, items=(name,))) for name in names]
            page.printed(social_file, own, settings.shop.language)
    except MessageError as exc:
        page.refused("-", Reason.of("cannot_be_written", why=str(exc)))


def _dry_run(
    wish: Wish, chosen: dict[str, Order | None], settings: Settings, account: str | None, page: _Page, now: datetime
) -> None:
    """Show every draft that would be written; looks into the journal, writes nothing."""
    from dataclasses import replace

    from responder.edges.journal import Journal, JournalUnavailable, owed
    from responder.flows.notices import account_for, notice
    from responder.model import Reason, order_key

    before: dict[str, Owed] = {}
    journal = Journal(settings.state_url, create=False)
    try:
        with journal.reading() as tx:
            known = owed.find(tx, [order_key(one) for one in chosen])
            before = {one.order_key: one for one in known if one.matter == wish.matter and one.state != "refused"}
    except JournalUnavailable:
        pass
    finally:
        journal.close()
    for order_id, order in chosen.items():
        there = before.get(order_key(order_id))
        if there is not None:
            page.again(there)
            continue
        writer = settings.account(account) if account else account_for(order, settings) if order else None
        own = replace(wish, order_id=order.order_id if order is not None else order_id)
        outcome = notice(
            own, order, settings, writer or settings.accounts[0], now=now, root="<dry-run@responder.invalid>"
        )
        if isinstance(outcome, Reason):
            page.refused(order_id, outcome)
        else:
            page.would(order_id, outcome, show_text=len(chosen) <= 3)


def _write(
    wish: Wish,
    chosen: dict[str, Order | None],
    settings: Settings,
    account: str | None,
    page: _Page,
    book: FileBook | JoinedBook,
    now: datetime,
) -> None:
    from responder.edges.journal import Journal, JournalInUse, owed
    from responder.flows.wishes import new_batch, wished
    from responder.model import Reason, order_key

    for order_id in [one for one, order in chosen.items() if order is None]:
        page.refused(order_id, Reason.of("owed_no_order", found=order_id))
    orders = {order_key(order.order_id): order for order in chosen.values() if order is not None}
    batch = new_batch()
    rows = wished(
        wish, orders, [o.order_id for o in orders.values()], settings, source="command", batch=batch, account=account
    )
    journal = Journal(settings.state_url)
    try:
        try:
            alone = journal.take()
        except JournalInUse:
            alone = False
        journal.upgrade()
        with journal.durable() as tx:
            new, there = owed.wish(tx, rows, now=now)
        for one in there:
            page.again(one)
        if alone:
            _write_here(journal, settings, book, new, page)
        else:
            _follow(journal, batch, len(new), page)
        with journal.reading() as tx:
            for row in owed.of_batch(tx, batch):
                page.outcome(row)
    finally:
        journal.close()


def _write_here(
    journal: Journal, settings: Settings, book: FileBook | JoinedBook, new: Sequence[Wished], page: _Page
) -> None:
    """No daemon runs: put the drafts into Drafts ourselves, the way it would."""
    from responder.errors import ResponderError
    from responder.flows.drafting import resolve_intents
    from responder.flows.owing import write_owed
    from responder.flows.show_replay import progress
    from responder.flows.tell import deliver_notes
    from responder.flows.turn import open_desk

    counts: dict[str, int] = {}
    for row in new:
        counts[row.account] = counts.get(row.account, 0) + 1
    with progress(page.text("owe_writing")) as bar:
        bar.expect(len(new))
        for name in counts:
            account = settings.account(name)
            if account is None:
                continue
            try:
                desk = open_desk(account, settings, journal, book, lambda: datetime.now(UTC), None)
                try:
                    resolve_intents(desk, desk.clock())
                    write_owed(desk, desk.clock(), each=bar.step)
                    deliver_notes(desk, after_restart=True)
                finally:
                    desk.session.logout()
            except ResponderError as exc:
                page.failed(say_account_failure(settings, name, exc))


def _follow(journal: Journal, batch: str, count: int, page: _Page) -> None:
    """A daemon has the journal: watch it work, and stop watching when nothing moves any more."""
    from responder.edges.journal import owed
    from responder.flows.show_replay import progress

    seen, moved = 0, monotonic()
    with progress(page.text("owe_writing")) as bar:
        bar.expect(count)
        while seen < count and monotonic() - moved < FOLLOW_S:
            with journal.reading() as tx:
                states = owed.count_of_batch(tx, batch)
            done = sum(number for state, number in states.items() if state != "wished")
            if done > seen:
                moved = monotonic()
            for _ in range(done - seen):
                bar.step()
            seen = done
            if seen < count:
                sleep(LOOK_EVERY_S)


class _Page:
    """What is shown for each order, and the sum of it."""

    def __init__(self, words: Catalog, language: Language, *, as_json: bool) -> None:
        self.words = words
        self.language = language
        self.as_json = as_json
        self.counts = {"written": 0, "again": 0, "refused": 0, "waiting": 0}
        self.has_failed = False
        self.has_printed = False

    def text(self, code: str, **args: object) -> str:
        return self.words.text(f"cli.{code}", self.language, **args)

    def line(self, result: str, order: str, words: str, **more: object) -> None:
        self.counts[{"would": "written"}.get(result, result)] += 1
        if self.as_json:
            click.echo(json.dumps({"order_id": order, "result": result, **more}, ensure_ascii=False))
        else:
            click.echo(words)

    def again(self, one: Owed) -> None:
        if one.state == "wished":
            self.line("waiting", one.order_id, self.text("owe_waits", order=one.order_id))
            return
        day = (one.done_at or one.wished_at).date().isoformat()
        self.line("again", one.order_id, self.text("owe_again", order=one.order_id, day=day), day=day)

    def refused(self, order: str, why: Reason) -> None:
        text = self.words.reason(why, self.language)
        self.line("refused", order, self.text("owe_refused", order=order, text=text), code=why.code, why=text)

    def would(self, order: str, found: Notice, *, show_text: bool) -> None:
        letter = found.draftable.letter
        draft = {"to": letter.to.mail, "subject": letter.subject, "text": letter.text, "blanks": list(letter.blanks)}
        self.line("would", order, self.text("owe_would", order=order), draft=draft)
        if self.as_json:
            return
        if letter.blanks:
            click.echo(self.text("owe_blanks", names=", ".join(letter.blanks)))
        if show_text:
            click.echo(f"\n{letter.subject}\n\n{letter.text}\n")

    def outcome(self, row: Owed) -> None:
        match row.state:
            case "written":
                blanks = str(dict(row.why.args).get("blanks", "")) if row.why is not None else ""
                names = blanks.split("\n") if blanks else []
                self.line("written", row.order_id, self.text("owe_wrote", order=row.order_id), blanks=names)
                if names and not self.as_json:
                    click.echo(self.text("owe_blanks", names=", ".join(names)))
            case "refused" if row.why is not None:
                self.refused(row.order_id, row.why)
            case _:
                self.line("waiting", row.order_id, self.text("owe_waits", order=row.order_id))

    def printed(self, file: str, texts: Sequence[tuple[str, str]], language: str) -> None:
        from pathlib import Path

        from responder.core.printing import pages_html

        if not texts:
            return
        html = pages_html(texts[0][0], texts, language=language)
        try:
            Path(file).write_text(html, encoding="utf-8")
        except OSError as exc:
            raise click.ClickException(f"{file}: {exc.strerror}") from exc
        self.has_printed = True
        if self.as_json:
            click.echo(json.dumps({"file": file, "pages": len(texts)}, ensure_ascii=False))
        else:
            click.echo(self.text("owe_printed", file=file, count=len(texts)))

    def failed(self, text: str) -> None:
        self.has_failed = True
        if not self.as_json:
            click.echo(self.text("owe_no_daemon", reason=text), err=True)

    def close(self) -> int:
        if not self.as_json and not self.has_printed:
            click.echo(self.text("owe_total", **self.counts))
        if self.has_failed:
            return EX_TEMPFAIL
        return EX_FINDINGS if self.counts["refused"] else EX_OK
