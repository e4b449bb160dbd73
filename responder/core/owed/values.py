"""What a notice may speak of beside the order itself: the matter, its cause, days, alternatives, who reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from responder.core.owed.fits import affected
from responder.core.owed.reader import company_of
from responder.core.owed.when import when_from
from responder.core.owed.wish import MOST_ALTERNATIVES, Wish
from responder.core.proof.marks import foreign_links
from responder.core.values import ItemValues, OrderValues, View, one_line
from responder.model import Order

# Where these are forbidden, other goods are advertising nobody asked for.
_NO_OFFERS = frozenset({"advertising", "unsolicited_offer"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else is true at the moment of writing. `perk` is what the shop's written policy grants, `incident` a
    sentence on what is happening at large, "" for nothing. `replies`: the notice answers a mail of the buyer's.
    `unanswered`: the buyer was asked before and has not answered."""

    perk: str = ""
    incident: str = ""
    replies: bool = False
    unanswered: bool = False


class OwedValues:
    """The wish as templates see it. What it does not hold is a blank where it is written, false where it is asked for.

    Reading a fact that the order may contradict later records it as relied on.
    """

    FIELDS = frozenset(
        {
            *(
                "matter",
                "stock_cause",
                "delay_cause",
                "restock",
                "ship",
                "answer_by",
                "items",
                "item",
                "partial",
                "rest",
            ),
            *("alternatives", "business", "company", "replies", "unanswered", "perk", "incident"),
        }
    )

    def __init__(
        self,
        wish: Wish | None,
        order: Order | None,
        owner: OrderValues,
        view: View,
        *,
        forbidden: frozenset[str] = frozenset(),
        links: bool = True,
        hosts: frozenset[str] = frozenset(),
        around: Surroundings | None = None,
    ) -> None:
        self._wish = wish
        self._order = order
        self._owner = owner
        self._view = view
        self._forbidden = forbidden
        self._links = links
        self._hosts = hosts
        self._around = around or Surroundings()

    def __bool__(self) -> bool:
        return self._wish is not None

    def __getattr__(self, name: str) -> Any:
        if name not in self.FIELDS:
            raise AttributeError(name)
        wish, order = self._wish, self._order
        match name:
            case "matter":
                return wish.matter if wish else ""
            case "stock_cause":
                return wish.stock_cause if wish else ""
            case "delay_cause":
                return wish.delay_cause if wish else ""
            case "restock":
                return self._day(wish.restock if wish else "", "restock_date")
            case "ship":
                return self._day(wish.ship if wish else "", "new_ship_date")
            case "answer_by":
                return self._day(wish.answer_by if wish else "", "answer_by")
            case "rest":
                return (wish.rest or "") if wish else ""
            case "alternatives":
                return self._alternatives(wish) if wish else ()
            case "business":
                return bool(self.company) if wish is None or wish.business is None else wish.business
            case "company":
                return company_of(order) if order else ""
            case "replies":
                return self._around.replies
            case "unanswered":
                return self._around.unanswered
            case "perk":
                return self._around.perk
            case "incident":
                return self._around.incident
        return self._of_items(name)

    def _day(self, said: str, name: str) -> str:
        view = self._view
        when = when_from(said, view.today) if said else None
        if when is None:
            return view.blank(name)
        self._owner.touch("is_shipped", "is_cancelled")
        view.promised.append(when.last)
        return when.written(view.language, view.today)

    def _of_items(self, name: str) -> Any:
        order, view = self._order, self._view
        if order is None:
            named = self._wish.items[0] if self._wish is not None and self._wish.items else ""
            return view.text(named, "items") if name == "item" else False if name == "partial" else ()
        self._owner.touch("items")
        places = affected(self._wish, order) if self._wish else tuple(range(len(order.items)))
        lines = tuple(ItemValues(order.items[n], view) for n in places)
        match name:
            case "items":
                return lines[:20]
            case "partial":
                return 0 < len(lines) < len(order.items)
            case _:
                return lines[0].name if lines else view.blank("items")

    def _alternatives(self, wish: Wish) -> tuple[dict[str, str], ...]:
        if _NO_OFFERS & self._forbidden:
            return ()
        return tuple(
            {"name": one_line(one.name, 120), "link": one.link if self._may_link(one.link) else ""}
            for one in wish.alternatives[:MOST_ALTERNATIVES]
        )

    def _may_link(self, link: str) -> bool:
        if self._links and "link" not in self._forbidden:
            return True
        return not any(foreign_links(link, self._hosts))


def not_owed(order: Order | None, owner: OrderValues, view: View) -> OwedValues:
    """What templates are offered where the reply is no notice: nothing is known."""
    return OwedValues(None, order, owner, view)
