"""One Dovecot for all stories, and in it a mailbox of its own for each."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.story import Story
from tests.conftest import FOLDERS, must_have
from tests.journeys.shop import Shop
from tests.servers import dovecot as dovecot_server
from tests.servers.dovecot import Dovecot
from tests.servers.once import once
from tests.servers.sink import Sink

# One process for many logins: to start one costs more than the whole story.
_THRIFTY = "service imap-login {\n  service_count = 0\n}\nservice imap {\n  service_count = 1000\n}\n"
_USERS = tuple(f"shop{number}" for number in range(400))


@pytest.fixture(autouse=True)
def _once() -> Iterator[None]:
    with once():
        yield


@pytest.fixture(scope="session")
def mail_server() -> Iterator[tuple[Dovecot, Iterator[str]]]:
    """A running Dovecot and logins nobody has used yet."""
    must_have("a real Dovecot", dovecot_server.missing())
    with Dovecot(folders=FOLDERS, users=_USERS, extra=_THRIFTY) as running:
        yield running, iter(_USERS)


@pytest.fixture
def make_story(
    mail_server: tuple[Dovecot, Iterator[str]], sink: Sink, tmp_path: Path
) -> Iterator[Callable[..., Story]]:
    """Begins a story: a shop, a buyer's mail, its draft, and a client that works on it."""
    running, users = mail_server
    stories: list[Story] = []
    numbers = itertools.count()

    def make(client: str, **how: object) -> Story:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        shop = Shop(running, sink, folder, quiet_s=30.0, user=next(users))
        stories.append(Story(shop, client, **how))
        return stories[-1]

    yield make
    for story in stories:
        story.close()
