"""Collecting mistakes while a pack is read, so that the shop sees all of them at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import cast

from responder.errors import ConfigError, Mistake

Where = Callable[[str], tuple[str, int]]


class Findings:
    """Mistakes found so far. `where` gives file and line of a dotted key, where the caller knows them."""

    def __init__(self, where: Where | None = None) -> None:
        self._where = where
        self._mistakes: list[Mistake] = []
        self.rule: str | None = None

    def add(self, key: str, code: str, suggestion: str | None = None, **args: object) -> None:
        """Notes a mistake at `key`."""
        file, line = self._where(key) if self._where is not None else ("rules.toml", 0)
        shown = tuple((name, str(value)) for name, value in args.items())
        self._mistakes.append(Mistake(file, line, key, code, shown, suggestion, self.rule))

    def unknown(self, key: str, code: str, name: str, known: Collection[str]) -> None:
        """Notes that `name` is none of the `known`, with the nearest of them."""
        self.add(key, code, nearest(name, known), name=name)

    def raise_if_any(self) -> None:
        """Raises: ConfigError with every mistake noted, in file order."""
        if self._mistakes:
            raise ConfigError(tuple(sorted(self._mistakes, key=lambda m: (m.line, m.key))))

    # Readers of a value of one type: the value, or a default and a mistake.

    def table(self, value: object, key: str) -> Mapping[str, object]:
        """`value` as a table."""
        if isinstance(value, Mapping):
            return cast(Mapping[str, object], value)
        self.add(key, "type_wrong", want="table", got=_kind(value))
        return {}

    def text(self, value: object, key: str) -> str:
        """`value` as a text that is not empty."""
        if isinstance(value, str) and value.strip():
            return value
        self.add(key, "type_wrong", want="text", got=_kind(value))
        return ""

    def texts(self, value: object, key: str) -> list[str]:
        """`value` as one text or a list of texts."""
        if isinstance(value, str):
            value = [value]
        if isinstance(value, Sequence) and all(isinstance(each, str) for each in value) and value:
            return list(cast(Sequence[str], value))
        self.add(key, "type_wrong", want="text or list of texts", got=_kind(value))
        return []

    def flag(self, value: object, key: str) -> bool:
        """`value` as true or false."""
        if isinstance(value, bool):
            return value
        self.add(key, "type_wrong", want="true or false", got=_kind(value))
        return False

    def number(self, value: object, key: str) -> float:
        """`value` as a number."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        self.add(key, "type_wrong", want="number", got=_kind(value))
        return 0.0

    def keys(self, table: Mapping[str, object], known: Collection[str], key: str) -> None:
        """Notes every key of `table` that is none of the `known`."""
        for name in table:
            if name not in known:
                self.unknown(f"{key}.{name}" if key else name, "key_unknown", name, known)


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known word most like `name`, or None."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def _kind(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case str():
            return "text" if value else "empty text"
        case int() | float():
            return "number"
        case Mapping():
            return "table"
        case Sequence():
            return "list"
        case _:
            return type(value).__name__
