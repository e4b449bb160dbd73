"""Reading and writing the small grammar of IMAP: uid sets, FETCH entries, APPENDUID. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from imapclient.response_parser import parse_fetch_response

from responder.edges.imap.values import Status
from responder.edges.imap.wire import response_code
from responder.model import Fetched

Uid = tuple[int, int]
"""Where an appended or moved mail lies: uidvalidity and uid."""

COMMAND_BYTES = 4000
"""Length of a uid set in one command; RFC 7162 asks servers for 8,192 bytes a line."""
BATCH_BYTES = 16 * 1024 * 1024


# One data item of a FETCH answer as servers write it. `{n}` ends a line: its literal follows.
_ITEM = re.compile(
    rb"""\ ?(?:(?P<name>UID|RFC822\.SIZE)\ (?P<number>\d{1,19})
      |FLAGS\ \((?P<flags>[^()"\[\]{}%*]*)\)
      |INTERNALDATE\ "(?P<date>[^"\\]*)"
      |MODSEQ\ \(\d+\)
      |(?P<body>BODY\[[^\]"\\]*\](?:<\d+>)?)\ \{\d+\})""",
    re.VERBOSE | re.IGNORECASE,
)
_HEAD = re.compile(rb"\d+ \(")
_DATE = re.compile(r" ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def status_of(pairs: Sequence[Any]) -> Status:
    """What the items of a STATUS answer tell, names and numbers by turns."""
    named = zip(pairs[::2], pairs[1::2], strict=True)
    told = {as_text(key).upper(): value for key, value in named if isinstance(value, int)}
    return Status(
        uidvalidity=told.get("UIDVALIDITY", 0),
        uidnext=told.get("UIDNEXT", 0),
        messages=told.get("MESSAGES", 0),
        unseen=told.get("UNSEEN", 0),
        highestmodseq=told.get("HIGHESTMODSEQ") or None,
    )


def fetch_answer(data: list[Any]) -> Mapping[int, Mapping[bytes, Any]]:
    """The entries of a FETCH answer by uid, from imaplib's list of lines and literals.

    What servers usually send is read here, three times as fast as by imapclient's parser of everything; that one is
    asked for the rest. Raises whatever it raises.
    """
    quick = _usual_answer(data)
    if quick is not None:
        return quick
    answer: Mapping[int, Mapping[bytes, Any]] = parse_fetch_response(data, normalise_times=False)
    return answer


def _usual_answer(data: list[Any]) -> dict[int, dict[bytes, Any]] | None:
    """As `fetch_answer`, or None for an answer that holds anything unusual."""
    found: dict[int, dict[bytes, Any]] = {}
    entry: dict[bytes, Any] | None = None
    for piece in data:
        literal: bytes | None = None
        line = piece
        if isinstance(piece, tuple):
            line, literal = piece
        at = 0
        if entry is None:
            head = _HEAD.match(line)
            if head is None:
                return None
            entry, at = {}, head.end()
        while item := _ITEM.match(line, at):
            at = item.end()
            if item["name"]:
                entry[item["name"].upper()] = int(item["number"])
            elif item["flags"] is not None:
                entry[b"FLAGS"] = tuple(item["flags"].split())
            elif item["date"] is not None:
                entry[b"INTERNALDATE"] = _moment(item["date"])
            elif item["body"]:
                if literal is None or at != len(line):
                    return None
                entry[item["body"].upper()] = literal
        if literal is not None:
            if at != len(line):
                return None
            continue
        uid = entry.pop(b"UID", None)
        if line[at:] != b")" or uid is None:
            return None
        found.setdefault(uid, {}).update(entry)
        entry = None
    return found if entry is None else None


def _moment(date: bytes) -> datetime | None:
    parts = _DATE.fullmatch(date.decode("ascii", "replace"))
    if parts is None or parts[2].lower() not in _MONTHS:
        return None
    offset = timedelta(hours=int(parts[8]), minutes=int(parts[9])) * (-1 if parts[7] == "-" else 1)
    month = _MONTHS.index(parts[2].lower()) + 1
    day, year, hour, minute, second = (int(parts[n]) for n in (1, 3, 4, 5, 6))
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset))
    except ValueError:
        return None


def as_text(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def flag_set(value: Any) -> frozenset[str]:
    """Flags of a FETCH answer; `\\Recent` says nothing about the mail and is left out."""
    return frozenset(map(as_text, value)) - {"\\Recent"} if isinstance(value, tuple) else frozenset()


def fetched(uid: int, entry: Mapping[bytes, Any]) -> Fetched | None:
    """One mail from its FETCH answer, or None if that brought no body (an unsolicited flag change)."""
    body = next((value for key, value in entry.items() if key.startswith(b"BODY[")), None)
    if body is None and not any(key.startswith(b"BODY[") for key in entry):
        return None
    raw = body if isinstance(body, bytes) else b"" if body is None else str(body).encode("ascii")
    size, when = entry.get(b"RFC822.SIZE"), entry.get(b"INTERNALDATE")
    return Fetched(
        uid=uid,
        raw=raw,
        size_bytes=size if isinstance(size, int) else len(raw),
        flags=flag_set(entry.get(b"FLAGS")),
        internaldate=when.astimezone(UTC) if isinstance(when, datetime) else None,
    )


def appended_places(text: str, count: int) -> tuple[Uid | None, ...]:
    """Where `count` appended mails lie, from the text of the answer (RFC 4315 APPENDUID)."""
    code, args = response_code(text)
    parts = args.split()
    if code != "APPENDUID" or len(parts) != 2 or not parts[0].isdigit():
        return (None,) * count
    uids: list[int] = []
    for piece in parts[1].split(","):
        low, _, high = piece.partition(":")
        if not low.isdigit() or (high and not high.isdigit()):
            return (None,) * count
        first, last = sorted((int(low), int(high or low)))
        if last - first >= count:
            return (None,) * count
        uids += range(first, last + 1)
    return tuple((int(parts[0]), uid) for uid in uids) if len(uids) == count else (None,) * count


def append_batches(raws: Sequence[bytes], most: int) -> Iterator[Sequence[bytes]]:
    batch: list[bytes] = []
    for raw in raws:
        if batch and (len(batch) == most or sum(map(len, batch)) + len(raw) > BATCH_BYTES):
            yield batch
            batch = []
        batch.append(raw)
    if batch:
        yield batch


def uid_batches(uids: Collection[int], most: int) -> Iterator[tuple[int, ...]]:
    """Ascending uids in batches of at most `most`, each short enough to be named in one command."""
    batch: list[int] = []
    length, previous = 0, -1
    for uid in sorted(set(uids)):
        length += 0 if uid == previous + 1 else 2 * len(str(uid)) + 2  # a new range: at worst `first:last,`
        if batch and (len(batch) == most or length > COMMAND_BYTES):
            yield tuple(batch)
            batch, length = [], 2 * len(str(uid)) + 2
        batch.append(uid)
        previous = uid
    if batch:
        yield tuple(batch)


def uid_set(uids: Sequence[int]) -> str:
    """Ascending uids as IMAP writes them: `1:5,7`."""
    ranges: list[list[int]] = []
    for uid in uids:
        if ranges and uid == ranges[-1][1] + 1:
            ranges[-1][1] = uid
        else:
            ranges.append([uid, uid])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in ranges)
