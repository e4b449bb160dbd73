"""The mistakes in the names and types of responder.toml, each with its place and the nearest right word."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, get_args

import pydantic
from pydantic import BaseModel

from responder.config.file import (
    AccountTable,
    FoldersTable,
    OrdersTable,
    ParcelStopTable,
    RelayTable,
    ResponderFile,
    ServerTable,
    ShopTable,
    StateTable,
    WordingTable,
)
from responder.config.source import Source, nearest
from responder.core.positions import Path as KeyPath
from responder.errors import Mistake

_SECRET_KEYS = frozenset({"password", "webhook", "oauth2_client_secret", "oauth2_refresh_token", "oauth2_access_token"})


def validate(source: Source) -> tuple[ResponderFile | None, tuple[Mistake, ...]]:
    """The checked file, or None and every mistake in its names and types."""
    try:
        return ResponderFile.model_validate(source.data), ()
    except pydantic.ValidationError as exc:
        errors = exc.errors(include_url=False)
        return None, tuple(mistake_of(source, error) for error in errors)


_TYPES = {
    "string_type": "string",
    "int_type": "integer",
    "int_from_float": "integer",
    "float_type": "number",
    "finite_number": "number",
    "bool_type": "boolean",
    "list_type": "list",
    "dict_type": "table",
    "model_type": "table",
    "model_attributes_type": "table",
    "date_type": "date",
    "date_from_datetime_inexact": "date",
}
_BOUNDS = {
    "greater_than_equal": ("too_small", "ge"),
    "greater_than": ("too_small", "gt"),
    "less_than_equal": ("too_large", "le"),
    "less_than": ("too_large", "lt"),
}


def mistake_of(source: Source, error: Any, *, known: Sequence[str] | None = None) -> Mistake:
    """What one of pydantic's errors means for the shop. `known` are the names of a file that is not responder.toml."""
    where: KeyPath = tuple(error["loc"])
    if where and where[-1] == "[key]":
        where = where[:-1]
    found = shown(where, error["input"])
    context = error.get("ctx", {})
    name = str(where[-1]) if where else ""
    kind = error["type"]
    if kind == "extra_forbidden":
        known = known_keys(where[:-1]) if known is None else known
        home = next((table for table, keys in _all_tables() if name in keys), None)
        suggestion = nearest(name, known) or (f"{home}.{name}" if home else None)
        return source.mistake(where, "unknown_key", suggestion=suggestion, found=name, known=", ".join(known))
    if kind == "missing":
        return source.mistake(where, "missing_key", missing=name)
    if kind == "list_type" and isinstance(error["input"], dict) and name in ("account", "orders", "relay"):
        return source.mistake(where, "needs_double_brackets", name=".".join(p for p in where if isinstance(p, str)))
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        best = nearest(error["input"], choices)
        return source.mistake(where, "bad_choice", suggestion=best, found=found, expected=", ".join(choices))
    if kind in _TYPES:
        return source.mistake(where, f"wrong_type_{_TYPES[kind]}", found=found)
    if kind in _BOUNDS:
        code, bound = _BOUNDS[kind]
        return source.mistake(where, code, found=found, bound=f"{context[bound]:g}")
    if kind in ("string_too_short", "too_short"):
        return source.mistake(where, "empty_value")
    if kind == "string_pattern_mismatch":
        return source.mistake(where, "bad_form", found=found)
    if kind.startswith(("bad_", "unknown_", "empty_", "control_", "wrong_")):
        args = {key: str(value) for key, value in context.items() if key != "suggestion"}
        return source.mistake(where, kind, suggestion=context.get("suggestion"), found=found, **args)
    return source.mistake(where, "bad_value", found=found, detail=error["msg"])


def shown(where: KeyPath, value: object) -> str:
    """`value` as a mistake may show it: short, in one line, and never a secret."""
    if any(part in _SECRET_KEYS for part in where):
        return "***"
    if isinstance(value, dict | list):
        value = _masked(value)
    text = re.sub(r"//[^@/\s\"]*@", "//***@", json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= 60 else text[:57] + "..."


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "***" if key in _SECRET_KEYS else _masked(inner) for key, inner in value.items()}
    return [_masked(inner) for inner in value] if isinstance(value, list) else value


def known_keys(table: KeyPath) -> tuple[str, ...]:
    """The names that may stand in the table at that path."""
    model: type[BaseModel] = ResponderFile
    for part in table:
        if isinstance(part, str):
            inner = model.model_fields.get(part)
            found = next(_models_in(inner.annotation), None) if inner else None
            if found is None:
                return ()
            model = found
    return tuple(model.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _all_tables() -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "[shop]", tuple(ShopTable.model_fields)
    yield "[state]", tuple(StateTable.model_fields)
    yield "[[account]]", tuple(AccountTable.model_fields)
    yield "[[account.relay]]", tuple(RelayTable.model_fields)
    yield "[[account]] folders", tuple(FoldersTable.model_fields)
    yield "[[account]] imap", tuple(ServerTable.model_fields)
    yield "[[orders]]", tuple(OrdersTable.model_fields)
    yield "[wording]", tuple(WordingTable.model_fields)
    yield "[parcel_stop]", tuple(ParcelStopTable.model_fields)
