"""Servers as fixtures. Real ones are skipped aloud where they cannot run, and are a failure where CI is set."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from responder.demo.servers import EmbeddedAccount, EmbeddedServers
from tests.servers import dovecot as dovecot_server
from tests.servers.dovecot import Certificate, Dovecot
from tests.servers.sink import Sink

FOLDERS = {"下書き": "\\Drafts", "Sent": "\\Sent", "ゴミ箱": "\\Trash", "承認": ""}
PASSWORD = dovecot_server.PASSWORD


def must_have(what: str, reason: str | None) -> None:
    """Skip aloud for this reason, or fail where CI is set; None: it is there."""
    if reason is not None:
        if os.environ.get("CI"):
            pytest.fail(f"CI must run the tests with {what}: {reason}")
        pytest.skip(reason)


@pytest.fixture
def make_dovecot() -> Iterator[Callable[..., Dovecot]]:
    """Starts private Dovecots; see `tests.servers.dovecot.Dovecot` for what can be chosen."""
    must_have("a real Dovecot", dovecot_server.missing())
    with contextlib.ExitStack() as running:

        def start(**options: Any) -> Dovecot:
            options.setdefault("folders", FOLDERS)
            return running.enter_context(Dovecot(**options))

        yield start


@pytest.fixture
def dovecot(make_dovecot: Callable[..., Dovecot]) -> Dovecot:
    """One private Dovecot with the login `shop` and the usual folders under Japanese names."""
    return make_dovecot()


@pytest.fixture
def embedded() -> Iterator[EmbeddedServers]:
    """The servers of the demo: logins `shop` and `buyer`."""
    accounts = (
        EmbeddedAccount("shop", PASSWORD, ("shop@example.jp", "support@example.jp"), FOLDERS),
        EmbeddedAccount("buyer", PASSWORD, ("buyer@example.com",), {}),
    )
    with EmbeddedServers(accounts) as servers:
        yield servers


@pytest.fixture
def sink() -> Iterator[Sink]:
    """An SMTP server for the login `shop`, without TLS."""
    with Sink() as server:
        yield server


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for localhost and its authority."""
    folder: Path = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    made = Certificate(folder / "chain.pem", folder / "key.pem", folder / "ca.pem")
    made.chain.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    made.key.write_bytes(issued.private_key_pem.bytes())
    authority.cert_pem.write_to_path(made.ca)
    return made


@pytest.fixture(scope="session")
def tls_context(certificate: Certificate) -> ssl.SSLContext:
    """The server's side of that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context
