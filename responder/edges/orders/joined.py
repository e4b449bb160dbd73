"""The order book over several kinds of sources: files that are read, databases and web services that are asked.

What one says of an order is laid over what another says, as between files. If one of them gives no answer, nobody knows
the whole truth about an order, and no order is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from responder.edges.orders.book import FileBook, newest_first
from responder.edges.orders.lookup import LookUp
from responder.edges.orders.merge import Said, merged
from responder.errors import Mistake
from responder.model import Order, Placed, order_key

_MOST_OF_BUYER = 50
_MOST_TOLD = 50
_OLDEST = datetime.min.replace(tzinfo=UTC)


class JoinedBook:
    """Orders out of files, and of sources that are asked for each order."""

    def __init__(self, files: FileBook, asked: Sequence[LookUp]) -> None:
        self._files = files
        self._asked = tuple(asked)
        self._told: dict[str, tuple[Mistake, ...]] = {}

    @property
    def loaded_at(self) -> datetime | None:
        """When files were last taken over; None where there are none."""
        return self._files.loaded_at

    def __len__(self) -> int:
        return len(self._files)

    def files(self) -> tuple[tuple[str, str, int], ...]:
        """As `FileBook.files`."""
        return self._files.files()

    def close(self) -> None:
        """Gives the index of files back."""
        self._files.close()

    def open_orders(self) -> None:
        """None: databases and services are asked order by order, so nobody can list what is open."""

    def find(self, ids: Sequence[str]) -> tuple[Order, ...]:
        """The known orders of these ids, in the order asked, each once.

        Raises: OrdersUnavailable while any source gives no answer.
        """
        asked = {order_key(one): one for one in ids if order_key(one)}
        said = self._said(asked)
        return tuple(self._merged(key, said[key]) for key in asked if key in said)

    def of_buyer(self, mail: str) -> tuple[Order, ...]:
        """The orders of a buyer's address, the newest first. Raises: OrdersUnavailable as `find`."""
        folded = mail.strip().casefold()
        keys = dict.fromkeys(self._files.keys_of_buyer(folded))
        ids = {key: key for key in keys}
        for source in self._asked:
            ids |= {order_key(order.order_id): order.order_id for order in source.of_buyer(folded)}
        some = dict(list(ids.items())[:_MOST_OF_BUYER])
        return newest_first([self._merged(key, said) for key, said in self._said(some).items()], folded)

    def placed(self, channel: str, since: datetime) -> Placed | None:
        """None: a source that is asked for each order does not tell how many there are."""
        return None

    def _merged(self, key: str, said: list[Said]) -> Order:
        """One order, the newest word last. What its sources disagree on is told from then on, until they agree."""
        order = merged(sorted(said, key=lambda one: one.order.as_of or _OLDEST))
        found = tuple(doubt for doubt in order.doubts if doubt.code == "orders_disagree")
        self._told.pop(key, None)
        if found:
            self._told[key] = found
            while len(self._told) > _MOST_TOLD:
                self._told.pop(next(iter(self._told)))
        return order

    def _said(self, asked: dict[str, str]) -> dict[str, list[Said]]:
        """What every source says of these orders, by key. `asked` maps keys to ids as they are written."""
        said = self._files.said_of(list(asked)) if asked else {}
        for source in self._asked:
            for key, order in source.find(list(asked.values())).items():
                said.setdefault(key, []).append(Said(order))
        return said

    def refresh(self) -> tuple[Mistake, ...]:
        """Takes over what changed in files, and asks sources that gave no answer; what is wrong now. Never raises."""
        mistakes = list(self._files.refresh())
        for source in self._asked:
            mistakes += source.mistakes()
        for told in list(self._told.values()):
            mistakes += told
        return tuple(dict.fromkeys(mistakes))
