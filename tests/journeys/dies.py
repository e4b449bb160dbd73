"""`responder run` as a process that kills itself (kill -9) at a named point, for tests: a nursery of such processes.

The product knows nothing of this: the points are wrapped from outside, and death comes without any goodbye.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from responder.cli import main
from responder.config import load
from responder.edges.imap import Session
from responder.edges.journal import Journal, cases, drafts, engine, mails, notes, parcels
from responder.flows import filing, sending
from tests.faults.world import write_files
from tests.servers.nursery import Order, serve
from tests.servers.once import once

_DUE: list[bool] = []


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str, times: int = 1) -> None:
    """Die instead of the n-th call."""
    real, count = getattr(owner, name), [0]

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        count[0] += 1
        if count[0] == times:
            die()
        return real(*args, **kwargs)

    setattr(owner, name, wrapped)


def after(owner: Any, name: str, *, if_: Callable[..., bool] = lambda *a, **k: True) -> None:
    """Die as soon as a call has returned."""
    real = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        if if_(*args, **kwargs):
            die()
        return result

    setattr(owner, name, wrapped)


def after_commit(owner: Any, name: str) -> None:
    """Die as soon as the transaction in which a call was made has been committed."""
    real = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        _DUE.append(True)
        return result

    setattr(owner, name, wrapped)


def _watch_commits() -> None:
    real = engine.Journal._transaction

    from contextlib import contextmanager

    @contextmanager
    def wrapped(self: Any, database: Any) -> Any:
        with real(self, database) as connection:
            yield connection
        if _DUE:
            die()

    engine.Journal._transaction = wrapped


def _to(mailbox: str) -> Callable[..., bool]:
    return lambda _session, name, *_a, **_k: name == mailbox


POINTS: dict[str, Callable[[], None]] = {
    "never": lambda: None,
    "mail seen": lambda: after_commit(mails, "note_new"),
    "before the drafting commit": lambda: before(drafts, "begin"),
    "drafting committed": lambda: after_commit(drafts, "begin"),
    "draft appended": lambda: after(Session, "append_many"),
    "drafted committed": lambda: after_commit(drafts, "drafted"),
    "hold decided": lambda: after_commit(notes, "intend"),
    "note appended": lambda: after(Session, "append_many", if_=_to("Responder")),
    "before the approval commit": lambda: before(drafts, "approve"),
    "approved committed": lambda: after_commit(drafts, "claim"),
    "not sent committed": lambda: after_commit(sending, "remember_used"),
    "before the sending commit": lambda: before(drafts, "begin_body"),
    "sending committed": lambda: after_commit(drafts, "begin_body"),
    "250 read": lambda: before(sending, "_journal_outcome"),
    "sent committed": lambda: after_commit(drafts, "accepted"),
    "sent copy appended": lambda: after(Session, "append", if_=_to("Sent")),
    "sent copy committed": lambda: after_commit(drafts, "finish"),
    "original marked": lambda: after(Session, "add_flags"),
    "draft removed": lambda: after(Session, "remove"),
    "filed committed": lambda: after_commit(drafts, "filed"),
    "parcel intended": lambda: after_commit(parcels, "begin"),
    "parcel said": lambda: before(parcels, "settle"),
    "case closed by staff": lambda: after_commit(cases, "close"),
}


def run(order: Order) -> int:
    """In the child: `responder ARGS`, with the environment of the one who orders."""
    if order["stdin"]:
        os.dup2(os.open(order["stdin"], os.O_RDONLY), 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(order[name], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), number)
    os.environ.clear()
    os.environ.update(order["env"])
    filing.ASK_AFTER = timedelta(seconds=1)
    _watch_commits()
    POINTS[order["point"]]()
    sys.argv = ["responder", *order["args"]]
    main()
    return 0


def nursery() -> None:
    """Everything a `run` imports is imported, and the rules are compiled."""
    with once(), TemporaryDirectory() as folder:
        for name in ("responder.daemon", "responder.edges.supervisor", "alembic.command"):
            import_module(name)
        write_files(Path(folder))
        load(Path(folder), env=os.environ)
        journal = Journal(f"sqlite:///{folder}/journal.db")
        journal.upgrade()
        journal.close()
        serve(run)


if __name__ == "__main__":
    nursery()
