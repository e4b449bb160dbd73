"""SEARCH and FETCH in portions: no command and no answer may grow with the mailbox."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from responder.edges.imap.answers import fetch_answer, uid_set
from responder.edges.imap.wire import Wire
from responder.errors import CommandRefused

SEARCH_WINDOW = 80_000
"""Hits of one SEARCH: imaplib reads lines up to 1,000,000 bytes, a uid takes up to 11."""

_NUMBERS = re.compile(rb"\d+")


def search(wire: Wire, criteria: str, *, exists: int, from_the_end: bool = False) -> tuple[int, ...]:
    """Matching uids, ascending, in a mailbox of about `exists` mails.

    In big mailboxes one window of sequence numbers after the other is searched, from the end: what others expunge
    meanwhile shifts mails only towards windows still to come, so none is missed. `from_the_end` stops at the first
    window without a hit.
    """
    if exists <= SEARCH_WINDOW:
        return tuple(sorted(numbers(wire, criteria)))
    found: set[int] = set()
    last = exists
    while last > 0:
        first = max(1, last - SEARCH_WINDOW + 1)
        upper = "*" if last == exists else str(last)
        hits = numbers(wire, f"{first}:{upper} {criteria}")
        found.update(hits)
        if from_the_end and not hits:
            break
        last = first - 1
    return tuple(sorted(found))


def numbers(wire: Wire, criteria: str) -> tuple[int, ...]:
    """What one UID SEARCH finds. `criteria` are ours: no foreign text may stand in them unchecked."""
    wire.ask("UID", "SEARCH", criteria, command="SEARCH")
    lines = [line.partition(b"(")[0] for line in wire.took("SEARCH") if isinstance(line, bytes)]
    return tuple(int(number) for line in lines for number in _NUMBERS.findall(line))


def fetch_batch(wire: Wire, uids: Sequence[int], items: str) -> Mapping[int, Mapping[bytes, Any]]:
    """The FETCH entries of these mails by uid; those that are gone are absent.

    If the answer cannot be read, each mail is asked for alone, so that one odd mail does not hide the others.
    """
    wire.ask("UID", "FETCH", uid_set(uids), items, command="FETCH")
    data = wire.took("FETCH")
    try:
        answer = fetch_answer(data) if data else {}
    except Exception as exc:  # imapclient's parser raises more than its own error
        if len(uids) > 1:
            return {uid: entry for one in uids for uid, entry in fetch_batch(wire, (one,), items).items()}
        if " FLAGS" in items and "BODY" in items:  # a keyword with brackets, say
            return fetch_batch(wire, uids, items.replace(" FLAGS", ""))
        raise CommandRefused("FETCH", "", f"unreadable answer for uid {uids[0]}: {exc}") from exc
    return {uid: answer[uid] for uid in uids if uid in answer}
