"""The shop of the stories, on the embedded server and on a real Dovecot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from responder.demo.servers import EmbeddedAccount, EmbeddedServers
from tests.conftest import FOLDERS, PASSWORD
from tests.journeys.shop import ADDRESS, Shop
from tests.servers.dovecot import Dovecot
from tests.servers.once import once
from tests.servers.sink import Sink


@pytest.fixture(autouse=True)
def _once() -> Iterator[None]:
    with once():
        yield


@pytest.fixture(params=["embedded", "dovecot"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, sink: Sink) -> Iterator[Shop]:
    """A shop with the usual folders, not yet started: once on each server."""
    if request.param == "dovecot":
        make: Callable[..., Dovecot] = request.getfixturevalue("make_dovecot")
        server: Any = make()
        yield from _running(Shop(server, sink, tmp_path))
    else:
        accounts = (EmbeddedAccount("shop", PASSWORD, (ADDRESS,), FOLDERS),)
        with EmbeddedServers(accounts) as server:
            yield from _running(Shop(server, sink, tmp_path))


@pytest.fixture
def quick_shop(tmp_path: Path, sink: Sink) -> Iterator[Shop]:
    """A shop on the embedded server only, for stories in which the mail server plays no part."""
    accounts = (EmbeddedAccount("shop", PASSWORD, (ADDRESS,), FOLDERS),)
    with EmbeddedServers(accounts) as server:
        yield from _running(Shop(server, sink, tmp_path))


@pytest.fixture
def on_dovecot(make_dovecot: Callable[..., Dovecot], tmp_path: Path, sink: Sink) -> Iterator[Callable[..., Shop]]:
    """Makes a shop on a Dovecot with chosen options."""
    shops: list[Shop] = []

    def make(*, shop: dict[str, Any] | None = None, **options: Any) -> Shop:
        shops.append(Shop(make_dovecot(**options), sink, tmp_path, **(shop or {})))
        return shops[-1]

    yield make
    for made in shops:
        made.stop()


def _running(shop: Shop) -> Iterator[Shop]:
    yield shop
    shop.stop()
