"""A wish: what the shop wants a buyer to be told of his order, with all that is known of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from responder.core.values import one_line
from responder.model import Language, order_key

Matter = Literal["sold_out", "restock", "checking", "delay", "combined", "restock_notice", "care"]
MATTERS: tuple[Matter, ...] = get_args(Matter)

STOCK_CAUSES = ("double_sale", "inspection", "late_supply", "discontinued", "stock_error")
DELAY_CAUSES = ("weather", "carrier", "late_supply", "production", "customs")
CAUSES = tuple(dict.fromkeys((*STOCK_CAUSES, *DELAY_CAUSES)))
Rest = Literal["ship", "wait"]
MOST_ALTERNATIVES = 5

_LINK = re.compile(r"https?://[^\s<>\"]{1,500}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Alternative:
    """Goods that could take the place of what is missing: their name, and the page or picture ("" for none)."""

    name: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a buyer is to be told. Empty fields are not known.

    `causes` are names of CAUSES; `restock`, `ship` and `answer_by` are days as `when_from` reads them. `items` are SKUs
    or names of those lines of the order that are meant, none for all of them; then `rest` says what becomes of the
    others: they ship as planned, or wait. `business` None: the order tells. `language` None: chosen by the order.
    """

    order_id: str
    matter: Matter
    causes: tuple[str, ...] = ()
    restock: str = ""
    ship: str = ""
    answer_by: str = ""
    alternatives: tuple[Alternative, ...] = ()
    items: tuple[str, ...] = ()
    rest: Rest | None = None
    business: bool | None = None
    language: Language | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Of these two there is one draft ever."""
        return order_key(self.order_id), self.matter

    @property
    def stock_cause(self) -> str:
        """Why it is not there."""
        return next((cause for cause in self.causes if cause in STOCK_CAUSES), "")

    @property
    def delay_cause(self) -> str:
        """Why it is late. What is late from the maker counts as that only where nothing is sold out."""
        known = [cause for cause in self.causes if cause in DELAY_CAUSES]
        if self.matter == "combined":
            known = [cause for cause in known if cause not in STOCK_CAUSES]
        return known[0] if known else ""

    def as_json(self) -> dict[str, Any]:
        """The form it is kept in: only what is known."""
        values: dict[str, Any] = {
            "causes": list(self.causes),
            "restock": self.restock,
            "ship": self.ship,
            "answer_by": self.answer_by,
            "alternatives": [[one.name, one.link] for one in self.alternatives],
            "items": list(self.items),
            "rest": self.rest,
            "business": self.business,
            "language": self.language,
        }
        return {name: value for name, value in values.items() if value or value is False}


def wish_from_json(order_id: str, matter: str, data: Mapping[str, Any]) -> Wish:
    """The wish as it was kept."""
    known = {
        name: data[name] for name in ("restock", "ship", "answer_by", "rest", "business", "language") if name in data
    }
    return Wish(
        order_id,
        cast(Matter, matter),  # the name of one, as it was kept
        causes=tuple(data.get("causes", ())),
        alternatives=tuple(Alternative(name, link) for name, link in data.get("alternatives", ())),
        items=tuple(data.get("items", ())),
        **known,
    )


def alternative_from(text: str) -> Alternative | None:
    """What staff named as an alternative: words, with or without a web address among them. None for no words."""
    link = _LINK.search(text)
    name = one_line(_LINK.sub(" ", text).replace("|", " ").strip(" 　:："), 120)
    return Alternative(name, link[0] if link else "") if name else None


def unknown_causes(causes: Sequence[str]) -> list[str]:
    """Those that are no cause."""
    return [cause for cause in causes if cause not in CAUSES]
