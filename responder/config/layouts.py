"""The forms of order exports: `data/orders/*.toml` of the product and of the shop, checked whole.

A shop's file replaces the product's of the same name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from responder.config import source
from responder.config.file import ORDER_FIELDS, Line, Zone
from responder.config.pack import data_dir
from responder.config.validate import mistake_of
from responder.errors import ConfigError, Mistake
from responder.model import OrderLayout, OrderStatus, StateColumn

if TYPE_CHECKING:
    State = Literal[""] | OrderStatus
else:  # One choice, so that a wrong word is one mistake.
    State = Literal[("", *get_args(OrderStatus))]
Column = Annotated[list[Line], Field(min_length=1)] | Line


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class StatusTable(_Table):
    column: Line
    words: dict[str, State] = Field(default_factory=dict)
    filled: State = ""


class LayoutFile(_Table):
    """One `data/orders/*.toml`; what the keys mean is told in model.OrderLayout."""

    name: Line
    title: Line
    known_by: Annotated[list[Annotated[list[Line], Field(min_length=1)]], Field(min_length=1)]
    columns: dict[str, Column]
    channel: Line | None = None
    currency: Line | None = None
    timezone: Zone | None = None
    day_first: bool | None = None
    status: list[StatusTable] = Field(default_factory=list)
    every_order_is: State = ""
    is_list: bool = False
    total_of: list[Line] = Field(default_factory=list)
    total_unless: list[Line] = Field(default_factory=list)
    per_row: list[Line] = Field(default_factory=list)
    cancel_asked: dict[str, list[Line]] = Field(default_factory=dict)
    item_rows: dict[str, list[Line]] = Field(default_factory=dict)
    not_items: list[Line] = Field(default_factory=list)
    one_item_a_row: bool = True
    quoted: bool = True


def load_layouts(own: Path | None = None) -> tuple[OrderLayout, ...]:
    """The product's layouts and those of the shop's folder, if there is one.

    Raises: ConfigError with every mistake.
    """
    known = {layout.name: layout for layout in shipped_layouts()}
    if own is not None and own.is_dir():
        known |= {layout.name: layout for layout in _read(sorted(own.glob("*.toml")))}
    return tuple(known.values())


@lru_cache(maxsize=1)
def shipped_layouts() -> tuple[OrderLayout, ...]:
    """The layouts that come with the product."""
    return tuple(_read(sorted((data_dir() / "orders").glob("*.toml"))))


def _read(paths: Iterable[Path]) -> list[OrderLayout]:
    layouts: list[OrderLayout] = []
    mistakes: list[Mistake] = []
    for path in paths:
        try:
            layouts.append(_layout(source.read(path)))
        except ConfigError as exc:
            mistakes += exc.mistakes
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return layouts


def _layout(read: source.Source) -> OrderLayout:
    try:
        file = LayoutFile.model_validate(read.data)
    except pydantic.ValidationError as exc:
        errors = exc.errors(include_url=False)
        known = tuple(LayoutFile.model_fields)
        raise ConfigError(tuple(mistake_of(read, error, known=known) for error in errors)) from None
    wrong = [name for name in file.columns if name not in ORDER_FIELDS]
    if wrong or "order_id" not in file.columns:
        raise ConfigError(
            tuple(
                read.mistake(
                    ("columns", name),
                    "unknown_order_field",
                    suggestion=source.nearest(name, ORDER_FIELDS),
                    found=name,
                    known=", ".join(ORDER_FIELDS),
                )
                for name in wrong
            )
            or (read.mistake(("columns",), "missing_key", missing="order_id"),)
        )
    return OrderLayout(
        name=file.name,
        title=file.title,
        known_by=tuple(map(tuple, file.known_by)),
        columns={name: _alternatives(column) for name, column in file.columns.items()},
        channel=file.channel or "",
        currency=file.currency or "",
        timezone=file.timezone or "",
        day_first=file.day_first,
        states=tuple(StateColumn(look.column, look.words, look.filled) for look in file.status),
        status=file.every_order_is,
        is_list=file.is_list,
        total_of=tuple(file.total_of),
        total_unless=tuple(file.total_unless),
        per_row=tuple(file.per_row),
        cancel_asked=_tuples(file.cancel_asked),
        item_rows=_tuples(file.item_rows),
        not_items=tuple(file.not_items),
        one_item_a_row=file.one_item_a_row,
        quoted=file.quoted,
    )


def _alternatives(column: str | list[str]) -> tuple[tuple[str, ...], ...]:
    """`"姓 + 名"` is one alternative of two headers; a list gives several alternatives."""
    ones = [column] if isinstance(column, str) else column
    return tuple(tuple(part.strip() for part in one.split(" + ")) for one in ones)


def _tuples(words: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {column: tuple(marks) for column, marks in words.items()}
