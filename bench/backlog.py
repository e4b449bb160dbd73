"""A backlog: a mailbox full of unanswered mails through the real daemon, against the bare loops on the same server.

`io` stores drafts 20 at a time, `io1` one by one; the daemon runs once with MULTIAPPEND and once without. All four take
turns on mailboxes of the same mails, so that what else the machine does hits them alike. The daemon's clock runs from
its log line "started" until every mail is decided and every draft lies on the server.
"""

from __future__ import annotations

import email
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from time import thread_time, time
from typing import Any

from bench.loops import WINDOW_BYTES, Bare, Line, read_and_append
from bench.report import Row
from bench.stage import Corpus, Running, fill_inbox, workplace, write_corpus, write_shop
from tests.servers.dovecot import PASSWORD, Dovecot

BUSY_S = 900.0
BACKLOG_OPTIONS: dict[str, Any] = {"since": "3650d", "staff_poll_s": 60.0}


@dataclass(frozen=True, slots=True)
class Run:
    """What one daemon did with a backlog. `cpu_s` and `peak_mb` count the whole process, start included; `all_s` is
    when the notes to staff lay on the server, too."""

    start_s: float
    wall_s: float
    all_s: float
    cpu_s: float
    peak_mb: float
    drafts: int
    notes: int


def measure(mails: int, rounds: int) -> list[Row]:
    """The rows for a backlog of `mails`, each the median of `rounds` runs."""
    io, io1, many, single = [], [], [], []
    names = [f"{kind}{number}" for number in range(rounds) for kind in ("io", "io1-", "many", "single")]
    with workplace() as place, Dovecot(users=names) as server, Dovecot(users=names, without=["MULTIAPPEND"]) as old:
        corpus = write_corpus(place / "mails", mails)
        drafts, draft = corpus.wanting_a_draft, b""
        for number in range(rounds):
            many.append(run_daemon(place, server, f"many{number}", corpus))
            drafts, draft = many[0].drafts, draft or _typical_draft(server, "many0")
            io.append(_run_bare(server, f"io{number}", corpus, draft, drafts, at_once=20))
            single.append(run_daemon(place, old, f"single{number}", corpus))
            io1.append(_run_bare(server, f"io1-{number}", corpus, draft, drafts, at_once=1))
        parse_ms = _parse_s(corpus) * 1e3
    cpu_ms = median(r.cpu_s for r in many) / mails * 1e3
    return [
        _against(f"backlog of {mails}: {drafts} drafts, MULTIAPPEND", many, io, "<= 1.5 x at 10,000"),
        _against(f"backlog of {mails}: {drafts} drafts, one by one", single, io1, "<= 1.25 x at 10,000"),
        Row("  notes to staff besides", f"{many[0].notes}, +{median(r.all_s - r.wall_s for r in many):.2f} s"),
        Row(
            "  CPU per mail, against the library's mere parse",
            f"{cpu_ms:.2f} ms",
            f"{parse_ms:.2f} ms",
            cpu_ms / parse_ms,
            "<= 0.6 ms, <= 4.3 x",
        ),
        Row("  peak memory", f"{max(r.peak_mb for r in (*many, *single)):.0f} MB", target="<= 80 MB"),
        Row("  start-up", f"{median(r.start_s for r in many):.2f} s"),
    ]


def run_daemon(place: Path, server: Dovecot, user: str, corpus: Corpus, *, wrapper: tuple[str, ...] = ()) -> Run:
    """Let a daemon work off the corpus in a fresh mailbox of its own."""
    fill_inbox(server, user, corpus.files)
    shop = write_shop(place / user, user, corpus.orders, imap_port=server.imap_port, **BACKLOG_OPTIONS)
    began = time()
    with Running(shop, wrapper) as daemon:
        daemon.wait_until(lambda: _started_at(shop) is not None, within_s=60)
        started, cpu_before = _started_at(shop) or began, daemon.cpu_s
        decided = f"SELECT count(*) >= {len(corpus.files)} FROM mail WHERE state != 'seen'"
        waiting = "SELECT count(*) = 0 FROM draft WHERE state = 'drafting'"
        daemon.wait_until(lambda: bool(daemon.count(decided) and daemon.count(waiting)), within_s=BUSY_S)
        done, cpu = time(), daemon.cpu_s
        daemon.wait_until(lambda: not daemon.count("SELECT count(*) FROM note WHERE state = 'intent'"), within_s=BUSY_S)
        everything = time()
        drafts = daemon.count("SELECT count(*) FROM draft WHERE state = 'drafted'")
        notes = daemon.count("SELECT count(*) FROM note")
        peak_mb = daemon.peak_mb
    with Line(server.imap(user), PASSWORD) as line:
        there = line.count("Drafts")
    if there != drafts:
        raise RuntimeError(f"the journal knows {drafts} drafts, the server {there}")
    return Run(started - began, done - started, everything - started, cpu - cpu_before, peak_mb, drafts, notes)


def _run_bare(server: Dovecot, user: str, corpus: Corpus, draft: bytes, drafts: int, *, at_once: int) -> Bare:
    fill_inbox(server, user, corpus.files)
    return read_and_append(server.imap(user), PASSWORD, draft, drafts, at_once=at_once)


def _against(name: str, runs: list[Run], bare: list[Bare], target: str) -> Row:
    ours, theirs = median(r.wall_s for r in runs), median(b.wall_s for b in bare)
    return Row(name, f"{ours:.2f} s", f"{theirs:.2f} s", ours / theirs, target)


def _parse_s(corpus: Corpus) -> float:
    """CPU seconds that the standard library takes to parse one mail's first 64 KiB, and nothing else."""
    some = [file.read_bytes()[:WINDOW_BYTES] for file in corpus.files[:500]]
    began = thread_time()
    for raw in some:
        email.message_from_bytes(raw)
    return (thread_time() - began) / len(some)


def _typical_draft(server: Dovecot, user: str) -> bytes:
    """A draft of middle length out of those the daemon wrote: what the bare loops store."""
    drafts = sorted((mail.raw for mail in server.boxes(user)["Drafts"]), key=len)
    return drafts[len(drafts) // 2]


def _started_at(shop: Path) -> float | None:
    for line in (shop / "log.jsonl").read_text(errors="replace").splitlines():
        if '"action": "started"' in line:
            return datetime.fromisoformat(json.loads(line)["at"]).timestamp()
    return None
