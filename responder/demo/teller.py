"""Says what happens, as it happens: a line for a person, or one JSON object for a program; and the closing table."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Literal, TextIO

import tomli
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from responder.core.wording import Catalog
from responder.errors import Mistake
from responder.model import Language

Who = Literal["buyer", "responder", "staff", "shop"]
COLOURS: Mapping[Who, str] = {"buyer": "cyan", "responder": "green", "staff": "yellow", "shop": "magenta"}
PLAIN_WIDTH = 150
MAIL_WIDTH = 36

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the closing table."""

    key: str
    mail: str
    understood: str
    draft: str
    staff: str
    out: str
    ok: bool


class Teller:
    """Prints to `stream` in Japanese or English. `clock` gives the time of a step."""

    def __init__(
        self, language: Language, clock: Callable[[], datetime], *, as_json: bool, stream: TextIO | None = None
    ) -> None:
        self.language: Language = "ja" if language == "ja" else "en"
        self._words = _words(self.language)
        self._catalog = Catalog.load()
        self._clock = clock
        self._as_json = as_json
        self._stream = stream if stream is not None else sys.stdout
        if isinstance(self._stream, io.TextIOWrapper):
            self._stream.reconfigure(errors="replace")  # a terminal without Japanese still gets the demo
        self._console = Console(file=self._stream, highlight=False, soft_wrap=True)
        if not self._console.is_terminal:
            self._console.width = max(self._console.width, PLAIN_WIDTH)

    def text(self, code: str, **values: object) -> str:
        """The words for a code with its values filled in."""
        return _PLACEHOLDER.sub(lambda m: str(values.get(m[1], m[0])), self._words.get(code, code))

    def situation(self, name: str) -> str:
        """What staff call a situation."""
        label = f"situation_{name}"
        return self._catalog.label(label, self.language) if self._catalog.has(f"label.{label}") else name

    def mistake(self, mistake: Mistake) -> str:
        """One line for a mistake in a file."""
        return self._catalog.mistake(mistake, self.language)

    def open(self, **values: object) -> None:
        """The title and what is to be seen."""
        if not self._as_json:
            self._console.print(Text(self.text("title", **values), "bold"))
            self._console.print(Text(self.text("intro", **values)), soft_wrap=False)

    def part(self, code: str, **values: object) -> None:
        """A new part of the day begins."""
        if not self._as_json:
            self._console.print()
            self._console.print(Text(self.text(code, **values), "bold"))

    def step(self, who: Who, code: str, *, mail: str = "", **values: object) -> None:
        """One thing that happened."""
        at, text = self._clock(), self.text(code, **values)
        if self._as_json:
            self._line(
                {"at": at.isoformat(timespec="milliseconds"), "who": who, "step": code, "mail": mail, "text": text}
            )
            return
        line = Text().append(at.astimezone().strftime("%H:%M:%S") + "  ", "dim")
        name = self.text(f"who_{who}")
        line.append(name + " " * max(1, 11 - Text(name).cell_len), COLOURS[who])
        line.append(text)
        self._console.print(line)

    def close(self, rows: Sequence[Row], differences: Sequence[str], **numbers: object) -> None:
        """The closing table and the verdict."""
        verdict = self.text("ok", **numbers) if not differences else self.text("not_ok")
        if self._as_json:
            entries = [
                {n: getattr(row, n) for n in ("key", "mail", "understood", "draft", "staff", "out", "ok")}
                for row in rows
            ]
            closing = {"step": "closing", "ok": not differences, "text": verdict, "table": entries}
            self._line(closing | {"differences": list(differences)} | numbers)
            return
        self._console.print()
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, header_style="bold")
        table.add_column("", justify="right", style="dim")
        mail_width = min(MAIL_WIDTH, self._console.width // 4)
        table.add_column(self.text("col_mail"), no_wrap=True, overflow="ellipsis", max_width=mail_width)
        for name in ("understood", "draft", "staff", "out"):
            table.add_column(self.text(f"col_{name}"))
        for number, row in enumerate(rows, 1):
            style = None if row.ok else "red"
            cells = (row.mail, row.understood, row.draft, row.staff, row.out)
            table.add_row(str(number), *(Text(cell) for cell in cells), style=style)
        self._console.print(table, soft_wrap=False)
        self._console.print(Text(verdict, "bold green" if not differences else "bold red"))
        for difference in differences:
            self._console.print(Text(f"  - {difference}", "red"))

    def failed(self, code: str, log: Sequence[str], differences: Sequence[str] = (), **values: object) -> None:
        """The play could not go on: why, in what the servers differ from the day, and what the daemon wrote."""
        text = self.text(code, **values)
        if self._as_json:
            self._line(
                {"step": "failed", "ok": False, "text": text, "differences": list(differences), "log": list(log)}
            )
            return
        self._console.print(Text(text, "bold red"))
        for difference in differences:
            self._console.print(Text(f"  - {difference}", "red"))
        self.log(log)

    def log(self, lines: Sequence[str]) -> None:
        """The daemon's log, for when something went wrong."""
        if lines and not self._as_json:
            self._console.print(Text(self.text("log_title"), "bold"))
            for line in lines:
                self._console.print(Text(f"  {line}", "dim"))

    def lines(self, title: str, entries: Sequence[tuple[str, str]], facts: Mapping[str, object]) -> None:
        """A titled list of things to know; `facts` is what a program gets."""
        if self._as_json:
            self._line({"step": title.removesuffix("_title"), **facts})
            return
        self._console.print()
        self._console.print(Text(self.text(title), "bold"))
        table = Table.grid(padding=(0, 2))
        for name, value in entries:
            table.add_row(Text(f"  {name}", "cyan"), Text(value))
        self._console.print(table, soft_wrap=False)

    def bye(self) -> None:
        """The last line after a stay."""
        if not self._as_json:
            self._console.print(self.text("stay_bye"), markup=False)

    def _line(self, value: Mapping[str, object]) -> None:
        self._stream.write(json.dumps(value, ensure_ascii=False) + "\n")
        self._stream.flush()


def _words(language: str) -> Mapping[str, str]:
    tables = tomli.loads((files("responder.demo") / "words.toml").read_text(encoding="utf-8"))
    words: Mapping[str, str] = tables[language]
    return words
