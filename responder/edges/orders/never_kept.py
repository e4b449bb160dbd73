"""Columns of exports that are never kept: card numbers and secrets have no business in an order."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import tomli

from responder.edges.orders.cells import folded


@lru_cache(maxsize=1)
def _words() -> tuple[str, ...]:
    data = tomli.loads(files("responder.data").joinpath("order_columns.toml").read_text(encoding="utf-8"))
    return tuple(map(folded, data["never_kept"]))


def is_never_kept(title: str) -> bool:
    """True for a column whose cells must not be stored."""
    title = folded(title)
    return any(word in title for word in _words())
