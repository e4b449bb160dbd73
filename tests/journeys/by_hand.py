"""One account of a shop turned by hand in this process, with a clock of the test's own: what breaks, breaks where the
test says, and a restart forgets everything but the journal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from responder.config import Settings, load
from responder.edges.journal import Journal, JournalUnavailable, drafts
from responder.edges.orders import OrderBook, open_book
from responder.errors import ConnectionLost
from responder.flows.desk import Desk
from responder.flows.sending import send
from responder.flows.turn import open_desk, take_turn
from tests.journeys.shop import Shop
from tests.servers.dovecot import PASSWORD
from tests.servers.once import with_tables


@dataclass
class ByHand:
    """The daemon's work on one account, one step at a time."""

    shop: Shop
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    seconds: float = 0.0
    settings: Settings = field(init=False)
    orders: OrderBook = field(init=False)
    journal: Journal = field(init=False)
    desk: Desk | None = None

    def __post_init__(self) -> None:
        self.shop.write_files()
        self.settings = settings_of(self.shop)
        self.orders = open_book(self.settings.orders)
        self.orders.refresh()
        self.journal = empty_journal(self.settings.state_url)
        self.turn()

    def later(self, seconds: float) -> None:
        """Time goes by, on the clock and besides."""
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds

    def turn(self, *, after_s: float = 10.0) -> Desk:
        """One turn; what it raises is passed on, with the line given up as the daemon does."""
        self.later(after_s)
        fresh = self.desk is None or self.desk.session.lost
        if fresh:
            account = self.settings.accounts[0]
            self.desk = open_desk(
                account,
                self.settings,
                self.journal,
                self.orders,
                lambda: self.now,
                self.desk,
                lambda: self.seconds,
            )
        desk = self.desk
        assert desk is not None
        try:
            take_turn(desk, self.now, after_connect=fresh)
        except (ConnectionLost, JournalUnavailable):
            desk.session.close()
            desk.forget_everything_seen()
            raise
        return desk

    def send(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Hand the outbox to the SMTP server."""
        assert self.desk is not None
        parcels, self.desk.outbox = self.desk.outbox, []
        if parcels:
            send(self.desk, parcels, is_stopping)

    def turn_and_send(self, times: int = 1) -> None:
        for _ in range(times):
            self.turn()
            self.send()

    def die(self) -> None:
        """kill -9, and a start: only the journal and the servers remember."""
        assert self.desk is not None
        self.desk.session.close()
        self.desk = None
        with self.journal.durable() as tx:
            drafts.release_claims(tx, "main")

    def close(self) -> None:
        if self.desk is not None:
            self.desk.session.close()
        self.journal.close()

    def states(self) -> dict[str, int]:
        """How many drafts are in each state."""
        with self.journal.reading() as tx:
            return {state: count for state, count in drafts.count_by_state(tx, "main").items() if count}


def empty_journal(url: str) -> Journal:
    """A journal at this place; if there is none yet, one with its tables made."""
    Path(url.removeprefix("sqlite:///")).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    journal = Journal(url)
    with_tables(journal)
    return journal


_READ: list[Settings] = []


def settings_of(shop: Shop) -> Settings:
    """What the shop's files say. Rules and templates, the product's own, are read once for all tests."""
    if not _READ:
        _READ.append(load(shop.folder, env=os.environ))
    (account,), smtp = _READ[0].accounts, shop.sink.server()
    assert account.smtp is not None
    account = replace(
        account,
        quiet_s=shop.quiet_s,
        imap=replace(account.imap, port=shop.server.imap(shop.user).port, username=shop.user),
        imap_secret=lambda: PASSWORD,
        smtp=replace(account.smtp, port=smtp.port),
        smtp_secret=lambda: shop.sink.password,
    )
    return replace(
        _READ[0],
        directory=shop.folder,
        state_url=f"sqlite:///{shop.folder / 'state' / 'responder.db'}",
        accounts=(account,),
        orders=tuple(replace(one, path=shop.folder / "orders.csv") for one in _READ[0].orders),
    )


@contextmanager
def breaking(owner: Any, name: str, error: Exception, *, nth: int = 1, after: bool = False) -> Iterator[None]:
    """The n-th call raises `error` instead of being made, or once it has been made."""
    real, calls = getattr(owner, name), [0]

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] != nth:
            return real(*args, **kwargs)
        if after:
            real(*args, **kwargs)
        raise error

    with patch.object(owner, name, wrapped):
        yield
    assert calls[0] >= nth, f"{name} was called {calls[0]} times only"
