"""Goods as the journal and the report know them: number, name and quantity, without whom they were for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from responder.core.owed.fits import item_key
from responder.core.values import one_line
from responder.model import Item

MOST = 20
_NAME = 120


@dataclass(frozen=True, slots=True)
class Goods:
    """Some pieces of one article."""

    sku: str
    name: str
    count: int

    @property
    def key(self) -> str:
        """What makes it the same article: its number, else its name."""
        return item_key(self.sku) or item_key(self.name)


def kept_of(items: Iterable[Item]) -> list[list[Any]]:
    """The form in which the journal keeps them."""
    return [[one_line(one.sku, 60), one_line(one.name, _NAME), one.quantity] for one in items][:MOST]


def goods_in(detail: Mapping[str, Any]) -> tuple[Goods, ...]:
    """The goods that a line of a case's story names."""
    found: list[Goods] = []
    for row in detail.get("items") or ():
        match row:
            case [str(sku), str(name), int(count)]:
                found.append(Goods(sku, name, count))
    return tuple(one for one in found if one.key)


def named(goods: Sequence[Goods]) -> str:
    """What people call the article: its newest name, with its number where that is another."""
    name = next((one.name for one in reversed(goods) if one.name), "")
    sku = next((one.sku for one in reversed(goods) if one.sku), "")
    return f"{name} ({sku})" if name and sku and sku != name else name or sku
