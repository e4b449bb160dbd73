"""The table that a run prints."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: what responder took, what the bare work took, and what it should be at most.

    `ratio` is measured / bare, None where there is nothing bare to compare with.
    """

    name: str
    measured: str
    bare: str = ""
    ratio: float | None = None
    target: str = ""


def show(title: str, rows: list[Row]) -> None:
    """Print the rows as one table."""
    table = Table(title=title, title_justify="left")
    for name in ("name", "measured", "bare", "ratio", "target"):
        table.add_column(name, justify="left" if name == "name" else "right", no_wrap=True)
    for row in rows:
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
        table.add_row(row.name, row.measured, row.bare, ratio, row.target)
    Console(width=None if Console().is_terminal else 120).print(table)
