"""What one file says of one order, as text for the index and back.

Fields are parted by control characters that no cleaned cell holds: a quarter of the time JSON takes, and a load is
mostly this.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from responder.edges.orders.layouts import DATES
from responder.errors import Mistake
from responder.model import Item, Order

_FIELD, _ROW, _CELL = "\x1f", "\x1e", "\x1d"
_SEPARATORS = re.compile("[\x1d-\x1f]")
_WORDS = (
    *("order_id", "channel", "status", "status_word", "buyer_name", "buyer_mail", "payment", "currency", "carrier"),
    "tracking_no",
)
_COUNT = len(_WORDS) + len(DATES) + 6
_FIELDS = tuple(field.name for field in fields(Order))


def to_text(values: Mapping[str, Any]) -> str:
    """The fields of an order but for its source, its age, and what was merged into it; absent ones say nothing."""
    text = _joined(values)
    items, others = len(values.get("items") or ()), len(values.get("extra") or ())
    rows = max(items - 1, 0) + max(others - 1, 0)
    if (text.count(_FIELD), text.count(_ROW), text.count(_CELL)) != (_COUNT - 1, rows, 2 * items + others):
        text = _joined(_cleaned(values))
    return text


def _joined(values: Mapping[str, Any]) -> str:
    get = values.get
    total, items, extra, doubts = get("total"), get("items"), get("extra"), get("doubts")
    return _FIELD.join(
        [
            *[get(name, "") for name in _WORDS],
            *["" if (moment := get(name)) is None else repr(moment.timestamp()) for name in DATES],
            "" if total is None else str(total),
            str(get("line", 0)),
            "1" if get("cancel_asked") else "",
            _ROW.join([f"{one.name}{_CELL}{one.sku}{_CELL}{one.quantity}" for one in items]) if items else "",
            _ROW.join([f"{name}{_CELL}{value}" for name, value in extra.items()]) if extra else "",
            json.dumps(mistakes_to_rows(doubts), ensure_ascii=False) if doubts else "",
        ]
    )


def from_text(text: str, source: str, as_of: float) -> Order:
    """The order as it was stored."""
    parts = text.split(_FIELD)
    values: dict[str, Any] = dict(zip(_WORDS, parts, strict=False))
    for name, moment in zip(DATES, parts[len(_WORDS) :], strict=False):
        values[name] = datetime.fromtimestamp(float(moment), UTC) if moment else None
    total, line, cancel_asked, items, extra, doubts = parts[-6:]
    found = mistakes_from_rows(json.loads(doubts)) if doubts else ()
    return Order(
        total=Decimal(total) if total else None,
        line=int(line),
        cancel_asked=bool(cancel_asked),
        items=tuple(_item(row) for row in items.split(_ROW)) if items else (),
        extra=dict(_pair(row) for row in extra.split(_ROW)) if extra else {},
        doubts=found,
        problems=codes_of(found),
        source=source,
        as_of=datetime.fromtimestamp(as_of, UTC),
        **values,
    )


def _item(row: str) -> Item:
    name, sku, quantity = row.split(_CELL)
    return Item(name, sku, int(quantity))


def _pair(row: str) -> tuple[str, str]:
    name, _, value = row.partition(_CELL)
    return name, value


def _cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    def clean(text: str) -> str:
        return _SEPARATORS.sub(" ", text)

    found = {name: clean(value) if isinstance(value, str) else value for name, value in values.items()}
    items = values.get("items") or ()
    found["items"] = [Item(clean(item.name), clean(item.sku), item.quantity) for item in items]
    found["extra"] = {clean(name): clean(value) for name, value in (values.get("extra") or {}).items()}
    return found


def values_of(order: Order) -> dict[str, Any]:
    """The fields of an order by name."""
    return {name: getattr(order, name) for name in _FIELDS}


def codes_of(doubts: Iterable[Mistake]) -> tuple[str, ...]:
    """Each code once, in order."""
    return tuple(dict.fromkeys(doubt.code for doubt in doubts))


def mistakes_to_rows(mistakes: Iterable[Mistake]) -> list[list[Any]]:
    """Mistakes as lists of plain values."""
    return [[m.file, m.line, m.key, m.code, m.args, m.suggestion] for m in mistakes]


def mistakes_from_rows(rows: Sequence[Sequence[Any]]) -> tuple[Mistake, ...]:
    """Mistakes from lists of plain values."""
    return tuple(
        Mistake(file, line, key, code, tuple((name, text) for name, text in args), suggestion=suggestion)
        for file, line, key, code, args, suggestion in rows
    )
