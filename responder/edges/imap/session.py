"""The commands of one IMAP connection, as the daemon needs them.

Bodies are read with PEEK only, so nobody's unread mark changes; a mail is removed only by its own uid. Sizes of
commands and answers are bounded: uids go out as ranges in batches, long searches in windows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any, Self

from imapclient.imap_utf7 import encode as encode_utf7
from imapclient.response_parser import parse_response

from responder.edges.imap.answers import (
    BATCH_BYTES,
    Uid,
    append_batches,
    appended_places,
    as_text,
    fetched,
    flag_set,
    status_of,
    uid_batches,
    uid_set,
)
from responder.edges.imap.listing import list_folders
from responder.edges.imap.login import open_wire
from responder.edges.imap.reading import fetch_batch, numbers, search
from responder.edges.imap.values import Folder, Selected, Status
from responder.edges.imap.wire import Wire, flag_list
from responder.errors import CommandRefused
from responder.model import Fetched, Server

BATCH = 250
"""Mails of one FETCH: enough to hide a line's round trip, little enough to stay near 16 MB."""
FLAG_BATCH = 2000
MULTIAPPEND = 20

_WELL_FORMED_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_FIELD = re.compile(r"[A-Za-z0-9-]{1,70}")
_MESSAGE_ID = re.compile(rb"^message-id[ \t]*:[ \t\r\n]*(<[^>\r\n]*>)", re.IGNORECASE | re.MULTILINE)


class PartlyAppended(CommandRefused):
    """Some mails of one `append_many` were refused. `results` has one entry for each: where it lies, None (stored,
    place not told) or the refusal."""

    def __init__(self, results: tuple[Uid | CommandRefused | None, ...]) -> None:
        first = next(result for result in results if isinstance(result, CommandRefused))
        super().__init__(first.command, first.code, first.text)
        self.results = results


class Session:
    """A logged-in IMAP connection of one account. One owner thread at a time.

    Every method raises ConnectionLost when the line is gone (the session is then of no more use) and CommandRefused
    when the server says no to this one command.
    """

    def __init__(self, wire: Wire, capabilities: frozenset[str]) -> None:
        self.capabilities = capabilities
        self._wire = wire
        self._selected: Selected | None = None

    @classmethod
    def connect(
        cls,
        server: Server,
        secret: Callable[[], str],
        *,
        connect_timeout_s: float = 15,
        read_timeout_s: float = 60,
    ) -> Session:
        """Connect, verify the peer, log in. `secret` returns the password, or the access token for `xoauth2`.

        Raises: ConnectionLost, CertificateRefused, LoginRefused.
        """
        return cls(*open_wire(server, secret, connect_timeout_s=connect_timeout_s, read_timeout_s=read_timeout_s))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.logout()

    def has(self, name: str) -> bool:
        """True if the server offers this capability."""
        return name.upper() in self.capabilities

    @property
    def lost(self) -> bool:
        """True once the connection is of no more use."""
        return self._wire.lost

    # --- mailboxes --------------------------------------------------------------------------------------------------

    def folders(self) -> tuple[Folder, ...]:
        """All mailboxes of the account, in the server's order."""
        return list_folders(self._wire, self.capabilities)

    def create(self, name: str) -> None:
        """Make a mailbox; one that is already there is fine."""
        quoted = self._wire.quoted(name, "CREATE")
        try:
            self._wire.ask("CREATE", quoted)
        except CommandRefused as exc:
            # ALREADYEXISTS came with RFC 5530; older servers say it in words only, so look.
            if exc.code != "ALREADYEXISTS" and not self._exists(name):
                raise

    def subscribe(self, name: str) -> None:
        """Let mail clients show a mailbox."""
        self._wire.ask("SUBSCRIBE", self._wire.quoted(name, "SUBSCRIBE"))

    def select(self, mailbox: str, *, readonly: bool = False, keep: bool = False) -> Selected:
        """Open a mailbox. With `keep`, one that is already open in the same way is not opened again: the answer is then
        as old as that opening."""
        known = self._selected
        if keep and known is not None and known.mailbox == mailbox and known.readonly == readonly and not self.lost:
            return known
        name = self._wire.quoted(mailbox, "SELECT")
        self._selected = None
        answer = self._wire.select(name, readonly=readonly)
        permanent = frozenset(as_text(flag) for flag in answer.get(b"PERMANENTFLAGS", ()))
        uidvalidity = answer.get(b"UIDVALIDITY")
        if not isinstance(uidvalidity, int):
            raise CommandRefused("SELECT", "", "the server tells no UIDVALIDITY")
        exists = int(answer.get(b"EXISTS", 0))
        uidnext = answer.get(b"UIDNEXT")
        modseq = answer.get(b"HIGHESTMODSEQ")
        if not isinstance(uidnext, int):
            last = numbers(self._wire, "UID *") if exists else ()
            uidnext = max(last, default=0) + 1
        self._selected = Selected(
            mailbox=mailbox,
            readonly=readonly,
            uidvalidity=uidvalidity,
            uidnext=uidnext,
            exists=exists,
            highestmodseq=modseq if isinstance(modseq, int) and modseq > 0 else None,
            keywords_allowed="\\*" in permanent,
            permanent_flags=permanent - {"\\*"},
        )
        return self._selected

    @property
    def selected(self) -> Selected | None:
        """The open mailbox as it was when it was opened."""
        return self._selected

    def status(self, mailbox: str) -> Status:
        """Look at a mailbox without opening it."""
        self._wire.ask("STATUS", self._wire.quoted(mailbox, "STATUS"), self._status_items())
        with self._wire.readable("STATUS"):
            parsed = parse_response([line for line in self._wire.took("STATUS") if line != b""])
            return status_of(next((item for item in reversed(parsed) if isinstance(item, tuple)), ()))

    def statuses(self, mailboxes: Collection[str]) -> Mapping[str, Status]:
        """Look at several mailboxes in one round trip (RFC 5819), as far as the server can: one it does not tell of, or
        has another name for, is missing."""
        known = {
            self._wire.raw_names.get(name) or encode_utf7(name): name
            for name in mailboxes
            if not {"*", "%"} & set(name)
        }
        if len(known) < 2 or not self.has("LIST-STATUS") or not self.has("LIST-EXTENDED"):
            return {}
        names = b"(" + b" ".join(self._wire.quoted(name, "LIST") for name in known.values()) + b")"
        try:
            self._wire.ask("LIST", '""', names, "RETURN", f"(STATUS {self._status_items()})", command="LIST")
        except CommandRefused:
            return {}
        found: dict[str, Status] = {}
        with self._wire.readable("STATUS"):
            parsed = parse_response([line for line in self._wire.took("STATUS") if line != b""])
            for spelled, told in pairwise(parsed):
                if isinstance(told, tuple) and isinstance(spelled, bytes) and spelled in known:
                    found[known[spelled]] = status_of(told)
        return found

    def _status_items(self) -> str:
        more = " HIGHESTMODSEQ" if self.has("CONDSTORE") else ""
        return f"(UIDVALIDITY UIDNEXT MESSAGES UNSEEN{more})"

    # --- finding ----------------------------------------------------------------------------------------------------

    def uids_from(self, uid: int) -> tuple[int, ...]:
        """The uids from `uid` on, ascending, those of mails that have just arrived included.

        (`n:*` names the last mail even where it lies below n: it is dropped.)
        """
        if self._wire.last not in ("IDLE", "NOOP"):
            self.noop()  # a server need not look for new mail before it searches: Dovecot and pymap do not
        return tuple(found for found in self._find(f"UID {max(uid, 1)}:*", from_the_end=True) if found >= uid)

    def uids_since(self, day: date) -> tuple[int, ...]:
        """The uids of mails that arrived on `day` or later, by the server's calendar: allow for a day more."""
        month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[day.month - 1]
        return self._find(f"SINCE {day.day}-{month}-{day.year:04d}")

    def all_uids(self) -> tuple[int, ...]:
        """The uids of all mails, ascending."""
        return self._find("ALL")

    def find_message_id(self, message_id: str) -> tuple[int, ...]:
        """The uids of mails with exactly this Message-ID; none for an id that is not well-formed.

        Costly on big mailboxes (the server reads headers): for recovery, not for every mail.
        """
        if not _WELL_FORMED_ID.fullmatch(message_id):
            return ()
        quoted = message_id.replace("\\", "\\\\").replace('"', '\\"')
        # HEADER matches substrings, and some servers match words: the header itself has the last word.
        hits = self._find(f'HEADER Message-ID "{quoted}"')
        return tuple(uid for uid, found in sorted(self.message_ids(hits).items()) if found == message_id)

    def find_in_reply_to(self, message_id: str) -> tuple[int, ...]:
        """The uids of mails that may be answers to this one: their In-Reply-To holds the id, or something like it.

        None for an id that is not well-formed. As costly as `find_message_id`.
        """
        if not _WELL_FORMED_ID.fullmatch(message_id):
            return ()
        quoted = message_id.replace("\\", "\\\\").replace('"', '\\"')
        return self._find(f'HEADER In-Reply-To "{quoted}"')

    def message_ids(self, uids: Collection[int]) -> Mapping[int, str]:
        """The Message-ID of each of these mails that has one; for a look through a window without server search."""
        found: dict[int, str] = {}
        for mail in self.fetch(uids, fields=("Message-ID",), first_bytes=4096):
            hit = _MESSAGE_ID.search(mail.raw)
            if hit:
                found[mail.uid] = hit[1].decode("ascii", "replace")
        return found

    # --- reading ----------------------------------------------------------------------------------------------------

    def fetch(
        self,
        uids: Collection[int],
        *,
        first_bytes: int = 65536,
        headers_only: bool = False,
        fields: tuple[str, ...] | None = None,
    ) -> Iterator[Fetched]:
        """Read the first bytes of each mail, ascending by uid; a mail that is gone is left out.

        `headers_only` reads the header block, `fields` only these header fields. Batches are read as the iteration
        goes on; other commands may be given in between.
        """
        if fields is not None:
            if not fields or not all(_FIELD.fullmatch(field) for field in fields):
                raise CommandRefused("FETCH", "CANNOT", "not a header field")
            part = f"BODY.PEEK[HEADER.FIELDS ({' '.join(fields)})]<0.{first_bytes}>"
        else:
            part = f"BODY.PEEK[{'HEADER' if headers_only else ''}]<0.{first_bytes}>"
        size = max(1, min(BATCH, BATCH_BYTES // max(first_bytes, 1)))
        items = f"(UID FLAGS INTERNALDATE RFC822.SIZE {part})"
        for batch in uid_batches(uids, size):
            answer = fetch_batch(self._wire, batch, items)
            for uid in batch:
                mail = fetched(uid, answer.get(uid, {}))
                if mail is not None:
                    yield mail

    def fetch_whole(self, uid: int, *, max_bytes: int) -> Fetched:
        """Read one mail, cut after `max_bytes`.

        Raises: CommandRefused with NONEXISTENT if it is gone.
        """
        for mail in self.fetch((uid,), first_bytes=max_bytes):
            return mail
        raise CommandRefused("FETCH", "NONEXISTENT", "no such message")

    def flags(self, uids: Collection[int], *, changed_since: int | None = None) -> Mapping[int, frozenset[str]]:
        """The flags of these mails. With `changed_since` (a HIGHESTMODSEQ, needs CONDSTORE) only of those that changed
        after it."""
        items = "(UID FLAGS)"
        if changed_since is not None and self.has("CONDSTORE"):
            items += f" (CHANGEDSINCE {changed_since})"
        found: dict[int, frozenset[str]] = {}
        for batch in uid_batches(uids, FLAG_BATCH):
            for uid, entry in fetch_batch(self._wire, batch, items).items():
                if b"FLAGS" in entry:
                    found[uid] = flag_set(entry[b"FLAGS"])
        return found

    def sizes(self, uids: Collection[int]) -> Mapping[int, int]:
        """The size of each of these mails in bytes."""
        found: dict[int, int] = {}
        for batch in uid_batches(uids, FLAG_BATCH):
            for uid, entry in fetch_batch(self._wire, batch, "(UID RFC822.SIZE)").items():
                if isinstance(entry.get(b"RFC822.SIZE"), int):
                    found[uid] = entry[b"RFC822.SIZE"]
        return found

    # --- writing ----------------------------------------------------------------------------------------------------

    def append(
        self, mailbox: str, raw: bytes, *, flags: Iterable[str] = (), when: datetime | None = None
    ) -> Uid | None:
        """Store one mail; where it lies comes back if the server tells (UIDPLUS). A missing mailbox is created.

        After ConnectionLost it may or may not be stored: look for its Message-ID before trying again.
        """
        letter = (flag_list(flags, "APPEND"), when, raw)
        text = self._creating(mailbox, lambda: self._wire.append(mailbox, (letter,)))
        return next(iter(appended_places(text, 1)))

    def append_many(self, mailbox: str, raws: Sequence[bytes], *, flags: Iterable[str] = ()) -> tuple[Uid | None, ...]:
        """Store several mails, in batches where the server can (MULTIAPPEND, RFC 3502), else one by one.

        A batch is stored whole or not at all; one that is refused is tried again mail by mail.

        Raises: PartlyAppended (a CommandRefused) if single mails were refused: its `results` tell which, and all
        others are stored. After ConnectionLost some may be stored: look for their Message-IDs.
        """
        marks = flag_list(flags, "APPEND")
        results: list[Uid | CommandRefused | None] = []
        for batch in append_batches(raws, MULTIAPPEND if self.has("MULTIAPPEND") else 1):
            results += self._append_batch(mailbox, marks, batch)
        if any(isinstance(result, CommandRefused) for result in results):
            raise PartlyAppended(tuple(results))
        return tuple(result for result in results if not isinstance(result, CommandRefused))

    def add_flags(self, uids: Collection[int], flags: Iterable[str]) -> None:
        """Set flags or keywords; mails that are gone are passed over."""
        self._store(uids, "+FLAGS.SILENT", flags)

    def remove_flags(self, uids: Collection[int], flags: Iterable[str]) -> None:
        """Take flags or keywords away; mails that are gone are passed over."""
        self._store(uids, "-FLAGS.SILENT", flags)

    def move(self, uid: int, to: str) -> Uid | None:
        """Move one mail; where it lies now comes back if the server tells. A missing target is created.

        None: moved to an unknown place, or it was not there any more. Without MOVE (RFC 6851) it is copied, marked and
        removed; if the line breaks in between, it lies in both mailboxes.
        """
        name = self._wire.quoted(to, "MOVE")
        if not self.has("MOVE"):
            moved = self.copy(uid, to)
            self.remove(uid)
            return moved
        self._creating(to, lambda: self._wire.ask("UID", "MOVE", str(uid), name, command="MOVE"))
        return self._copied()

    def copy(self, uid: int, to: str) -> Uid | None:
        """Copy one mail; where the copy lies comes back if the server tells. A missing target is created."""
        name = self._wire.quoted(to, "COPY")
        self._creating(to, lambda: self._wire.ask("UID", "COPY", str(uid), name, command="COPY"))
        return self._copied()

    def remove(self, uid: int) -> bool:
        """Remove one mail for good; False if it only stays marked `\\Deleted`.

        Without UIDPLUS, EXPUNGE would remove whatever staff have marked, too: it is used only if nothing else is
        marked.
        """
        self.add_flags((uid,), ("\\Deleted",))
        if self.has("UIDPLUS"):
            self._wire.ask("UID", "EXPUNGE", str(uid), command="EXPUNGE")
            return True
        marked = self._find("DELETED")
        if marked == (uid,):
            self._wire.ask("EXPUNGE")
        return marked in ((uid,), ())

    # --- waiting ----------------------------------------------------------------------------------------------------

    @property
    def sock(self) -> Any:
        """The socket, for a selector only."""
        return self._wire.sock

    def fileno(self) -> int:
        """The socket's number, so that a selector takes the session itself."""
        return int(self._wire.sock.fileno())

    def idle(self) -> None:
        """Wait for news of the open mailbox (RFC 2177). Look at `pending` before trusting a selector, renew within 29
        minutes, and scan after each `done`: IDLE is a hint, not a record."""
        self._wire.idle()

    def done(self, *, answer_s: float = 30) -> bool:
        """Leave IDLE; True if the server reported anything.

        Raises: ConnectionLost also if the server does not answer in time.
        """
        return self._wire.done(answer_s)

    @property
    def idling(self) -> bool:
        """True between `idle` and `done`."""
        return self._wire.idling

    def pending(self) -> bool:
        """True if something of the server is already read but not looked at (TLS layer, buffers); never blocks."""
        return self._wire.pending()

    def noop(self) -> None:
        """Show that we are there, and that the server is."""
        self._wire.ask("NOOP")

    def logout(self) -> None:
        """End politely; never raises."""
        self._wire.logout()

    def close(self) -> None:
        """Drop the connection; never raises."""
        self._wire.close()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _exists(self, name: str) -> bool:
        try:
            self.status(name)
        except CommandRefused:
            return False
        return True

    def _find(self, criteria: str, *, from_the_end: bool = False) -> tuple[int, ...]:
        exists = self._selected.exists if self._selected else 0
        return search(self._wire, criteria, exists=exists, from_the_end=from_the_end)

    def _store(self, uids: Collection[int], how: str, flags: Iterable[str]) -> None:
        marks = flag_list(flags, "STORE")
        for batch in uid_batches(uids, FLAG_BATCH):
            self._wire.ask("UID", "STORE", uid_set(batch), how, marks, command="STORE")

    def _append_batch(self, mailbox: str, marks: str, raws: Sequence[bytes]) -> list[Uid | CommandRefused | None]:
        letters = [(marks, None, raw) for raw in raws]
        try:
            text = self._creating(mailbox, lambda: self._wire.append(mailbox, letters))
        except CommandRefused as exc:
            if len(raws) == 1:
                return [exc]
            return [result for raw in raws for result in self._append_batch(mailbox, marks, (raw,))]
        return list(appended_places(text, len(raws)))

    def _creating(self, mailbox: str, command: Callable[[], str]) -> str:
        """Run a command; if its target is missing, create (and subscribe) it and run once more."""
        try:
            return command()
        except CommandRefused as exc:
            if exc.code != "TRYCREATE":
                raise
        self.create(mailbox)
        self.subscribe(mailbox)
        return command()

    def _copied(self) -> Uid | None:
        """The place a COPY or MOVE told, in the tagged answer (COPY; Gmail) or an untagged one (MOVE)."""
        for told in reversed(self._wire.took("COPYUID")):
            parts = as_text(told).partition("]")[0].split()
            if len(parts) == 3 and parts[0].isdigit() and parts[2].isdigit():
                return int(parts[0]), int(parts[2])
        return None
