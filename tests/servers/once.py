"""What all shops of the tests have in common is made once in a process: the product's rules and templates, the empty tables
of a journal, the statements put together for it. What a test looks at stays its own."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import tzinfo
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, create_engine

from responder.config.pack import Pack, read_pack, watched
from responder.core.wording import Catalog
from responder.edges.journal import Journal, engine

_upgrade = Journal.upgrade


@contextmanager
def once() -> Iterator[None]:
    """Within the block."""
    with (
        patch.object(sys.modules["responder.config.load"], "read_pack", _pack),
        patch.object(Journal, "upgrade", with_tables),
        patch.object(engine, "create_engine", _knowing_the_statements),
    ):
        yield


def _pack(directory: Path | None, *, timezone: tzinfo, wording: Catalog | None = None) -> Pack:
    """A shop with files of its own has them read as ever."""
    if directory is None or any((directory / name).exists() for name in ("rules.toml", "templates", "data")):
        return read_pack(directory, timezone=timezone, wording=wording)
    return replace(_shipped(timezone), paths=watched(directory))


@cache
def _shipped(timezone: tzinfo) -> Pack:
    return read_pack(None, timezone=timezone)


def with_tables(journal: Journal) -> None:
    """`Journal.upgrade`, but where nothing was ever written the file is copied."""
    if journal.file is not None and journal.file.stat().st_size == 0:
        journal.file.write_bytes(_empty())
    _upgrade(journal)


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        path, copy = Path(folder) / "journal.db", Path(folder) / "empty.db"
        journal = Journal(f"sqlite:///{path}")
        _upgrade(journal)
        journal.close()
        connection = sqlite3.connect(path)
        connection.execute("VACUUM INTO ?", (str(copy),))
        connection.close()
        return copy.read_bytes()


@cache
def _first_engine() -> Engine:
    made = create_engine("sqlite://")
    made.connect().close()  # a dialect asks the first connection what it can do
    return made


def _knowing_the_statements(url: str, **options: Any) -> Engine:
    """An engine that finds what an earlier one has put together."""
    made = create_engine(url, **options)
    if made.dialect.name == "sqlite":
        first = _first_engine()
        made.dialect, made._compiled_cache = first.dialect, first._compiled_cache
    return made
