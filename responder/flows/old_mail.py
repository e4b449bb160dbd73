"""Mail that arrived in the past, each with what the shop answered: from an account's mailboxes, or from files.

Mailboxes are opened with EXAMINE and read with PEEK: no flag changes, not even `\\Recent`. Answers are found by the
ids that the mails in Sent reply to (RFC 5322 3.6.4). Writes nothing anywhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from responder.config import AccountSettings
from responder.core.approval import read_papers
from responder.core.blanks import own_words
from responder.core.mime import header_block
from responder.core.mime.fields import date
from responder.core.newtext import split
from responder.core.texts import text_of
from responder.edges.imap import Session, locate, spell
from responder.errors import FolderMissing

CHUNK = 250
MAX_WORDS = 4_000
"""Characters of an answer that are kept."""
_ID_FIELDS = ("Message-ID", "In-Reply-To", "References")
_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class OldMail:
    """One mail as it lay there. `arrived_at` is None where nothing tells; `marked_answered` is what a mail client has
    left at it (`\\Answered`, Maildir's R)."""

    file: str
    raw: bytes
    arrived_at: datetime | None
    marked_answered: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the shop sent: `words` are its own, without quotation and signature."""

    file: str
    message_id: str | None
    sent_at: datetime | None
    words: str


Pair = tuple[OldMail, Answer | None]


@dataclass
class Answers(Generic[_Key]):
    """Which sent mail answers which id. An answer that names the mail in In-Reply-To goes before one that only has it
    in its thread, and an earlier one before a later."""

    direct: dict[str, _Key] = field(default_factory=dict)
    threaded: dict[str, _Key] = field(default_factory=dict)

    def add(self, headers: Mapping[str, tuple[str, ...]], key: _Key) -> None:
        """Note a sent mail by its header block, oldest first."""
        papers = read_papers(headers)
        for message_id in papers.in_reply_to:
            self.direct.setdefault(message_id, key)
        for message_id in papers.references:
            self.threaded.setdefault(message_id, key)

    def of(self, message_id: str | None) -> _Key | None:
        """The answer to a mail, or None."""
        if message_id is None:
            return None
        found = self.direct.get(message_id)
        return found if found is not None else self.threaded.get(message_id)


# --- from an account ------------------------------------------------------------------------------------------------


def from_account(
    session: Session,
    account: AccountSettings,
    *,
    since: datetime,
    mailboxes: Sequence[str] = (),
    limit: int | None = None,
    expect: Callable[[int], None] = lambda _count: None,
) -> Iterator[Pair]:
    """The mails of these mailboxes (by default those that are watched) that arrived since then, oldest first in each;
    with `limit` the newest of each. A mail that lies in several is given once. `expect` is told how many may come.

    Raises: FolderMissing, ConnectionLost, CommandRefused.
    """
    folders = session.folders()
    names = {folder.name for folder in folders if folder.selectable}
    chosen = [spell(name, folders) for name in (mailboxes or account.watch)]
    for name in chosen:
        if name.upper() != "INBOX" and name not in names:
            raise FolderMissing(name)
    roles = {"drafts": account.drafts, "sent": account.sent, "trash": account.trash}
    sent = locate(folders, {role: name for role, name in roles.items() if name}).sent
    day = (since - timedelta(days=1)).date()  # the server's calendar may be a day away from ours
    answers: Answers[int] = Answers()
    if sent is not None:
        session.select(sent, readonly=True)
        for mail in session.fetch(session.uids_since(day), fields=_ID_FIELDS, first_bytes=8192):
            answers.add(header_block(mail.raw), mail.uid)
    uids: dict[str, tuple[int, ...]] = {}
    for mailbox in dict.fromkeys(chosen):
        session.select(mailbox, readonly=True)
        found = session.uids_since(day)
        uids[mailbox] = found[-limit:] if limit is not None else found
    expect(sum(map(len, uids.values())))
    seen: set[str] = set()
    for mailbox, listed in uids.items():
        here: set[str] = set()
        for start in range(0, len(listed), CHUNK):
            chunk = _chunk(session, mailbox, listed[start : start + CHUNK], since)
            wanted = {uid for _, message_id in chunk if (uid := answers.of(message_id)) is not None}
            texts = _answers(session, sent, sorted(wanted)) if sent is not None and wanted else {}
            for old, message_id in chunk:
                if message_id is not None and message_id in seen:
                    continue
                here |= {message_id} if message_id is not None else set()
                uid = answers.of(message_id)
                yield old, texts.get(uid) if uid is not None else None
        seen |= here


def _chunk(session: Session, mailbox: str, uids: Sequence[int], since: datetime) -> list[tuple[OldMail, str | None]]:
    session.select(mailbox, readonly=True)
    found: list[tuple[OldMail, str | None]] = []
    for mail in session.fetch(uids):
        if mail.internaldate is not None and mail.internaldate < since:
            continue
        old = OldMail(f"{mailbox}/{mail.uid}", mail.raw, mail.internaldate, "\\Answered" in mail.flags)
        found.append((old, read_papers(header_block(mail.raw)).message_id))
    return found


def _answers(session: Session, sent: str, uids: Sequence[int]) -> dict[int, Answer]:
    session.select(sent, readonly=True)
    return {mail.uid: _answer(f"{sent}/{mail.uid}", mail.raw, mail.internaldate) for mail in session.fetch(uids)}


def _answer(file: str, raw: bytes, sent_at: datetime | None = None) -> Answer:
    headers = header_block(raw)
    sent_at = sent_at or date(headers.get("date", ("",))[0])
    return Answer(file, read_papers(headers).message_id, sent_at, written_words(text_of(raw)))


def written_words(text: str) -> str:
    """What the writer of a letter wrote himself, cut after `MAX_WORDS` characters."""
    return split(own_words(text[:200_000])).new[:MAX_WORDS].strip()


# --- from files -----------------------------------------------------------------------------------------------------


def from_files(
    mails: Iterable[tuple[str, bytes]],
    sent: Iterable[tuple[str, bytes]] = (),
    *,
    since: datetime | None = None,
    limit: int | None = None,
) -> Iterator[Pair]:
    """The mails (name and bytes) in the order given, those older than `since` left out, at most `limit`."""
    answers: Answers[Answer] = Answers()
    replies = [(header_block(raw), _answer(file, raw)) for file, raw in sent]
    replies.sort(key=lambda reply: reply[1].sent_at.timestamp() if reply[1].sent_at is not None else 0.0)
    for headers, answer in replies:
        answers.add(headers, answer)
    pairs = (pair for file, raw in mails if (pair := _filed(file, raw, answers, since)) is not None)
    return itertools.islice(pairs, limit)


def _filed(file: str, raw: bytes, answers: Answers[Answer], since: datetime | None) -> Pair | None:
    headers = header_block(raw)
    arrived_at = arrival(headers)
    if since is not None and arrived_at is not None and arrived_at < since:
        return None
    flags = file.rpartition(":2,")[2] if ":2," in file else ""
    return OldMail(file, raw, arrived_at, "R" in flags), answers.of(read_papers(headers).message_id)


def arrival(headers: Mapping[str, tuple[str, ...]]) -> datetime | None:
    """When a mail arrived: by the topmost Received (RFC 5321 4.4), else by its Date; None where neither can be read."""
    received = headers.get("received", ("",))[0].rpartition(";")[2]
    return date(received) or date(headers.get("date", ("",))[0])
