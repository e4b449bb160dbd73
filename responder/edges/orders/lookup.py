"""Sources that are asked for each order instead of being read whole: a database, a web service.

Answers are remembered for a short time. A source that fails is not asked again for a while, so that a thousand mails
do not each wait for it; until it answers, nobody knows its orders, and that is said instead of "no such order".
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Protocol, TypeVar

from responder.edges.orders.records import Answer
from responder.errors import ConfigError, Mistake, OrdersUnavailable
from responder.model import Order, order_key

PAUSE_S = 30.0
_MOST_REMEMBERED = 5_000
_MOST_MISTAKES = 50
_MOST_AT_ONCE = 4
_PROBE = "RESPONDER-CHECK-0"

T = TypeVar("T")


class Asked(Protocol):
    """What can be asked for orders."""

    @property
    def name(self) -> str:
        """The source for people: never with a password."""
        ...

    def by_ids(self, ids: Sequence[str]) -> Answer:
        """The orders of these ids, as far as they are known.

        Raises: OrdersUnavailable; ConfigError if what was given back holds no orders at all.
        """
        ...

    def by_mail(self, mail: str) -> Answer:
        """The orders of a buyer's address. Raises: as `by_ids`."""
        ...


@dataclass
class LookUp:
    """One source with its memory. May be asked from several threads."""

    source: Asked
    remember_s: float
    timeout_s: float
    _known: dict[tuple[str, str], tuple[float, tuple[Order, ...]]] = field(default_factory=dict)
    _told: dict[str, tuple[Mistake, ...]] = field(default_factory=dict)
    _failure: Mistake | None = None
    _not_before: float = 0.0
    _has_answered: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _free: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_MOST_AT_ONCE))

    def find(self, ids: Sequence[str]) -> dict[str, Order]:
        """The orders of these ids by `order_key`. Raises: OrdersUnavailable."""
        wanted = {order_key(one): one for one in ids}
        found: dict[str, Order] = {}
        missing = []
        for key, asked in wanted.items():
            known = self._remembered(("id", key))
            if known is None:
                missing.append(asked)
            elif known:
                found[key] = known[0]
        if missing:
            answer = self._answer(missing)
            for asked in missing:
                key = order_key(asked)
                # A source may give back more than it was asked for, or something else.
                order = answer.orders.get(key)
                self._remember(("id", key), () if order is None else (order,), answer.mistakes)
                if order is not None:
                    found[key] = order
        return found

    def _answer(self, ids: Sequence[str]) -> Answer:
        """What the source says of these ids. A number that the source stumbles over, while it answers others, is told
        and counts as unknown: one odd number in a mail must not keep all mail waiting. Raises: OrdersUnavailable."""
        if monotonic() < self._not_before:
            raise OrdersUnavailable(self.source.name)
        try:
            return self._ask(lambda: self.source.by_ids(ids))
        except OrdersUnavailable:
            failure = self._failure
            if failure is None or failure.code != "orders_source_failed":
                raise
            self._not_before = 0.0
            self._ask(lambda: self.source.by_ids([_PROBE]))
        orders: dict[str, Order] = {}
        mistakes: list[Mistake] = []
        for one in ids:
            try:
                answer = self._ask(partial(self.source.by_ids, [one]))
            except OrdersUnavailable:
                self._failure, self._not_before = None, 0.0
                args = (("order", one[:64]), *failure.args)
                mistakes.append(Mistake(self.source.name, 0, "", "orders_source_stumbled", args))
            else:
                orders |= answer.orders
                mistakes += answer.mistakes
        return Answer(orders, tuple(mistakes))

    def of_buyer(self, mail: str) -> tuple[Order, ...]:
        """The orders of a folded address. Raises: OrdersUnavailable."""
        known = self._remembered(("mail", mail))
        if known is None:
            answer = self._ask(lambda: self.source.by_mail(mail))
            known = tuple(order for order in answer.orders.values() if order.buyer_mail.casefold() == mail)
            self._remember(("mail", mail), known, answer.mistakes)
        return known

    def mistakes(self) -> tuple[Mistake, ...]:
        """What is wrong with this source as it is now. One that never answered, or failed last, is asked again."""
        if self._failure is not None or not self._has_answered:
            try:
                self._not_before = 0.0
                answer = self._ask(lambda: self.source.by_ids([_PROBE]))
            except OrdersUnavailable:
                pass
            else:
                with self._lock:
                    _put_told(self._told, _PROBE, answer.mistakes)
        with self._lock:
            failure = () if self._failure is None else (self._failure,)
            told = tuple(dict.fromkeys(one for mistakes in self._told.values() for one in mistakes))
        return (*failure, *told[-_MOST_MISTAKES:])

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        """The answer, or the failure told and remembered. Raises: OrdersUnavailable."""
        if monotonic() < self._not_before:
            raise OrdersUnavailable(self.source.name)
        try:
            answer = self._within(question)
        except ConfigError as exc:
            self._failed(exc.mistakes[0])
            raise OrdersUnavailable(self.source.name) from exc
        except OrdersUnavailable as exc:
            detail = (("detail", str(exc)[:200]),)
            self._failed(Mistake(self.source.name, 0, "", "orders_source_failed", detail))
            raise
        self._failure, self._has_answered = None, True
        return answer

    def _within(self, question: Callable[[], T]) -> T:
        """The answer within `timeout_s`. A question nobody answers is left behind; four of them are too many."""
        if not self._free.acquire(timeout=self.timeout_s):
            raise OrdersUnavailable("no answer to earlier questions")
        answers: list[T] = []
        ended: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

        def work() -> None:
            try:
                answers.append(question())
                ended.put(None)
            except BaseException as exc:  # handed to the thread that asked
                ended.put(exc)
            finally:
                self._free.release()

        threading.Thread(target=work, name="orders", daemon=True).start()
        try:
            failure = ended.get(timeout=self.timeout_s)
        except queue.Empty:
            raise OrdersUnavailable(f"no answer within {self.timeout_s:g} s") from None
        if failure is not None:
            raise failure
        return answers[0]

    def _failed(self, mistake: Mistake) -> None:
        with self._lock:
            self._failure = mistake
            self._not_before = monotonic() + PAUSE_S
            self._known.clear()

    def _remembered(self, key: tuple[str, str]) -> tuple[Order, ...] | None:
        with self._lock:
            until, orders = self._known.get(key, (0.0, ()))
        return orders if monotonic() < until else None

    def _remember(self, key: tuple[str, str], orders: tuple[Order, ...], mistakes: Iterable[Mistake]) -> None:
        with self._lock:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = (monotonic() + self.remember_s, orders)
            _put_told(self._told, ":".join(key), tuple(mistakes))


def _put_told(told: dict[str, tuple[Mistake, ...]], key: str, mistakes: tuple[Mistake, ...]) -> None:
    """What was wrong with that answer, until it is given again without it."""
    told.pop(key, None)
    if mistakes:
        told[key] = mistakes
        while len(told) > _MOST_MISTAKES:
            told.pop(next(iter(told)))


def describe(exc: BaseException) -> str:
    """An error of a library in one short line, without what a driver quotes of the statement."""
    text = str(exc).strip().splitlines()
    return f"{type(exc).__name__}: {text[0][:160]}" if text else type(exc).__name__
