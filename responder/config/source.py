"""One TOML file as read: its data, the lines of its keys, and the mistakes found in it.

Never judges what a key means.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli

from responder.core import positions
from responder.errors import ConfigError, Mistake

_MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Source:
    """A TOML file that could be parsed."""

    path: Path
    data: dict[str, Any]
    lines: Mapping[positions.Path, int] = field(repr=False)

    def mistake(
        self, where: positions.Path, code: str, *, suggestion: str | None = None, rule: str | None = None, **args: str
    ) -> Mistake:
        """A mistake at `where`, with the line of that key or of the table around it."""
        line = positions.line_of(self.lines, where) or 1
        return Mistake(
            str(self.path), line, positions.key_of(where), code, tuple(args.items()), suggestion=suggestion, rule=rule
        )

    def where(self, key: str) -> tuple[str, int]:
        """File and line of a dotted key, or of the table around it."""
        return str(self.path), positions.line_of(self.lines, positions.path_of(key)) or 1


def read(path: Path) -> Source:
    """The parsed file.

    Raises: ConfigError if it cannot be read, is not UTF-8 or is not TOML.
    """
    name = str(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MOST_BYTES + 1)
    except OSError as exc:
        raise ConfigError((Mistake(name, 0, "", "file_unreadable", (("detail", exc.strerror or ""),)),)) from exc
    if len(raw) > _MOST_BYTES:
        raise ConfigError((Mistake(name, 0, "", "file_too_large", (("most", str(_MOST_BYTES)),)),))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        raise ConfigError((Mistake(name, line, "", "file_not_utf8"),)) from exc
    try:
        data = tomli.loads(text)
    except tomli.TOMLDecodeError as exc:
        args = (("detail", exc.msg), ("column", str(exc.colno)))
        raise ConfigError((Mistake(name, exc.lineno, "", "toml_syntax", args),)) from exc
    except ValueError as exc:  # Python refuses to read a number of thousands of digits
        args = (("detail", "a number has too many digits"), ("column", "-"))
        raise ConfigError((Mistake(name, 0, "", "toml_syntax", args),)) from exc
    except RecursionError as exc:
        raise ConfigError((Mistake(name, 0, "", "toml_too_deep"),)) from exc
    return Source(path, data, positions.lines(text))


def nearest(word: object, known: Iterable[str]) -> str | None:
    """The known word that `word` was most likely meant to be, or None."""
    if not isinstance(word, str) or not word:
        return None
    by_folded: dict[str, str] = {}
    for name in known:
        by_folded.setdefault(name.casefold().replace("-", "_"), name)
    hits = difflib.get_close_matches(word.casefold().replace("-", "_").strip(), by_folded, n=1, cutoff=0.6)
    return by_folded[hits[0]] if hits else None
