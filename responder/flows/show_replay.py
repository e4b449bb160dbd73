"""Prints a replay for a person: counts by situation and rule, what changes, and drafts beside what staff sent."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from responder.config import Settings
from responder.core.wording import Catalog
from responder.flows.replay import Count, Outcome, Replayed, Tally
from responder.model import Language

MOST_CHANGES = 50
_WIDTH = 110
_CELL = 160


def show_replay(tally: Tally, settings: Settings, language: Language, *, compared: bool, fixed_now: bool) -> None:
    """All tables on the terminal, in the language of whoever reads them."""
    page = _Page(settings, language)
    page.heading("replay_title", count=tally.all.mails, first=page.day(tally.first), last=page.day(tally.last))
    page.counts("replay_situation", {page.situation(name): count for name, count in _most(tally.situations)})
    page.counts("replay_rule", {name or page.text("replay_no_rule"): count for name, count in _most(tally.rules)})
    both = tally.all.drafts_answered
    page.say("replay_total", drafts=tally.all.actions["draft"], both=both, answered=tally.all.answered)
    if tally.all.alike:
        page.say("replay_alike_total", compared=len(tally.all.alike), similarity=_percent(tally.all.median_alike))
    page.say("replay_facts_fixed" if fixed_now else "replay_facts")
    if compared:
        differ = len(tally.changes)
        args = {"count": tally.all.mails, "match": tally.matched, "differ": differ, "same": tally.all.mails - differ}
        page.heading("replay_changes", **args)
        page.changes(tally.changes)
    if tally.pairs:
        page.heading("replay_pairs")
        page.pairs(tally.pairs)


def _most(counts: Mapping[str, Count] | Mapping[str | None, Count]) -> list[tuple[str, Count]]:
    named = [(name or "", count) for name, count in counts.items()]
    return sorted(named, key=lambda entry: (-entry[1].mails, entry[0]))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


class _Page:
    """One page of output: a console, the words and the language."""

    def __init__(self, settings: Settings, language: Language) -> None:
        self.words: Catalog = settings.wording
        self.zone = settings.shop.timezone
        self.language = language
        self.console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)

    def text(self, code: str, **args: object) -> str:
        return self.words.text(f"cli.{code}", self.language, **args)

    def say(self, code: str, **args: object) -> None:
        self.console.print(escape(self.text(code, **args)), soft_wrap=True)

    def heading(self, code: str, **args: object) -> None:
        self.console.print(f"[bold]{escape(self.text(code, **args))}[/]", soft_wrap=True)

    def day(self, moment: object) -> str:
        return moment.astimezone(self.zone).date().isoformat() if hasattr(moment, "astimezone") else "-"

    def situation(self, name: str) -> str:
        code = f"label.situation_{name}"
        return self.words.text(code, self.language) if self.words.has(code) else name

    def table(self, *columns: str, right: int = 0) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
        for number, column in enumerate(columns):
            table.add_column(self.text(column), justify="right" if 0 < number <= right else "left", overflow="fold")
        return table

    def counts(self, first: str, counts: Mapping[str, Count]) -> None:
        columns = ("replay_mails", "replay_drafts", "replay_holds", "replay_silent", "replay_answered", "replay_alike")
        table = self.table(first, *columns, right=len(columns))
        for name, count in counts.items():
            numbers = (count.mails, *(count.actions[a] for a in ("draft", "hold", "silence")), count.answered)
            table.add_row(escape(name), *(str(n) if n else "·" for n in numbers), _percent(count.median_alike))
        self.console.print(table)
        self.console.print()

    def changes(self, changes: list[Replayed]) -> None:
        if not changes:
            return
        table = self.table("replay_mail", "replay_before", "replay_after", "replay_why")
        for row in changes[:MOST_CHANGES]:
            mail = f"{row.file}\n{row.subject[:60]}"
            assert row.active is not None  # noqa: S101 - a change is one against something
            after = self.outcome(row.outcome)
            if row.change == "text":
                after += f"\n{self.text('replay_other_text')}"
            table.add_row(*(escape(cell) for cell in (mail, self.outcome(row.active), after, self.why(row.outcome))))
        self.console.print(table)
        self.more(len(changes) - MOST_CHANGES)
        self.console.print()

    def pairs(self, rows: list[Replayed]) -> None:
        table = self.table("replay_mail", "replay_alike", "replay_draft", "replay_staff", right=1)
        for row in rows:
            theirs = row.answer.words if row.answer is not None else ""
            texts = (_short(row.outcome.words), _short(theirs))
            table.add_row(escape(row.file), _percent(row.similarity), *(escape(text) for text in texts))
        self.console.print(table)

    def more(self, count: int) -> None:
        if count > 0:
            self.say("replay_more", count=count)

    def outcome(self, outcome: Outcome) -> str:
        action = self.text(f"action_{outcome.action}")
        return f"{action} / {self.situation(outcome.situation)}\n({outcome.rule or self.text('replay_no_rule')})"

    def why(self, outcome: Outcome) -> str:
        told = [self.words.reason(reason, self.language) for reason in outcome.reasons if reason.code != "rule"]
        return "; ".join(told[:2])


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _CELL else line[: _CELL - 1] + "…"


# --- progress -------------------------------------------------------------------------------------------------------


class Bar(Protocol):
    """A bar that grows."""

    def expect(self, count: int) -> None:
        """So many more are to come."""
        ...

    def step(self) -> None:
        """One is done."""
        ...


class _NoBar:
    def expect(self, count: int) -> None:
        """Nobody looks."""

    def step(self) -> None:
        """Nobody looks."""


@contextmanager
def progress(words: str) -> Iterator[Bar]:
    """A bar on a terminal's stderr while mails are looked at; nothing where no person looks on."""
    if not sys.stderr.isatty():
        yield _NoBar()
        return
    from rich.progress import Progress

    # Without the two switches rich would send what is printed meanwhile to stderr, too.
    bar = Progress(console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
    with bar as shown:
        task = shown.add_task(words, total=None)

        class _Shown:
            total = 0

            def expect(self, count: int) -> None:
                self.total += count
                shown.update(task, total=self.total)

            def step(self) -> None:
                shown.advance(task)

        yield _Shown()
