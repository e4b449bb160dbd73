"""The one place that sends IMAP commands and reads their answers.

Every failure leaves as one of responder's errors: NO and BAD as CommandRefused, everything else (socket, TLS,
BYE, an answer nobody can read) as ConnectionLost, after which the connection is closed for good.
No foreign text passes unchecked: mailbox names, flags and ids are tested before they become part of a command.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from imapclient import IMAPClient
from imapclient.imap_utf7 import encode as encode_utf7

from responder.errors import CommandRefused, ConnectionLost

COMMAND_S = 600.0
"""No answer may take longer in all, however steadily its bytes arrive."""
LITERAL_BYTES = 128 * 1024 * 1024
"""No literal may be larger: imaplib would allocate whatever the server announces."""

_CODE = re.compile(r"\s*\[([A-Za-z][A-Za-z0-9-]*)(?: ([^\]]*))?\]")
_FLAG = re.compile(r"\\?[A-Za-z0-9$_.!+&#'|~^:;<>=@,/?-]+")
_FORBIDDEN = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_REPORT = re.compile(rb"\* (?:\d+ (?:EXISTS|EXPUNGE|FETCH|RECENT)|VANISHED)\b", re.IGNORECASE)


def response_code(text: str) -> tuple[str, str]:
    """The response code of an answer's text and its arguments: `[COPYUID 1 2 3] done` gives ("COPYUID", "1 2 3")."""
    found = _CODE.match(text)
    return (found[1].upper(), found[2] or "") if found else ("", "")


def refusal(command: str, text: str) -> CommandRefused:
    """The error for a NO or BAD with this text."""
    code, _ = response_code(text)
    return CommandRefused(command, code, _CODE.sub("", text, count=1).strip())


def flag_list(flags: Iterable[str], command: str) -> str:
    """Flags as IMAP writes them: `(\\Draft $label1)`.

    Raises: CommandRefused for a flag that is no atom.
    """
    flags = sorted(flags)
    for flag in flags:
        if not _FLAG.fullmatch(flag):
            raise CommandRefused(command, "CANNOT", "not a flag")
    return f"({' '.join(flags)})"


def internal_date(when: datetime) -> str:
    """An aware time as APPEND wants it, in English whatever the locale."""
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[when.month - 1]
    return f'"{when.day:2d}-{month}-{when.year:04d} {when:%H:%M:%S %z}"'


class Wire:
    """One logged-in connection. Not thread-safe: one owner at a time."""

    def __init__(self, client: IMAPClient, read_timeout_s: float) -> None:
        self.client: Any = client
        self.raw_names: dict[str, bytes] = {}
        """Mailbox names whose encoding on the server is not the one we would choose, as the server spells them."""
        self._imap: Any = client._imap
        self._read_timeout_s = read_timeout_s
        self.last = ""
        """The last command that was given; what the server knows of the mailbox is as fresh as that."""
        self._until = 0.0
        self._lost: str | None = None
        self._idle_tag: bytes | None = None
        self._reported = False
        self._bound_reads()

    # --- life -------------------------------------------------------------------------------------------------------

    @property
    def lost(self) -> bool:
        """True once the connection is closed, by whichever side."""
        return self._lost is not None

    @property
    def idling(self) -> bool:
        """True between `idle` and `done`."""
        return self._idle_tag is not None

    @property
    def sock(self) -> Any:
        """The socket, to be watched and nothing else."""
        return self._imap.sock

    def close(self, why: str = "closed") -> None:
        """Drop the connection at once, without LOGOUT."""
        if self._lost is None:
            self._lost = why
        with contextlib.suppress(OSError, ValueError):
            self._imap.shutdown()

    def logout(self) -> None:
        """Say goodbye, waiting a few seconds at most; never raises."""
        if self._lost is None:
            with contextlib.suppress(Exception):  # a goodbye: the line is closed next, come what may
                self.sock.settimeout(5.0)
                if self._idle_tag is not None:
                    self._imap.send(b"DONE\r\n")
                self._allow(5.0)
                self._imap._simple_command("LOGOUT")
        self.close("logged out")

    # --- asking -----------------------------------------------------------------------------------------------------

    def ask(self, name: str, *args: str | bytes, command: str = "") -> str:
        """Send one command and wait for its end; what comes back is the text of the OK.

        Untagged data of earlier commands is thrown away first (imaplib keeps it for ever); this command's own can be
        had with `took`. `command` names it in errors where `name` is only `UID`.

        Raises: CommandRefused, ConnectionLost.
        """
        command = command or name
        with self._translated(command):
            self._fresh(command)
            return self._ended(command, self._imap._command(name, *args))

    def select(self, name: bytes, *, readonly: bool) -> Mapping[bytes, Any]:
        """Open a mailbox with SELECT, or with EXAMINE if `readonly`; what the server told about it.

        Raises: CommandRefused (READ-ONLY if it can only be read), ConnectionLost.
        """
        with self._translated("SELECT"):
            self._fresh("SELECT")
            self._imap.is_readonly = readonly
            # Without the word CONDSTORE, Dovecot keeps HIGHESTMODSEQ to itself.
            more = ("(CONDSTORE)",) if self.client.has_capability("CONDSTORE") else ()
            tag = self._imap._command("EXAMINE" if readonly else "SELECT", name, *more)
            self._imap.state = "AUTH"  # a refused SELECT leaves no mailbox open (RFC 3501 6.3.1)
            self._ended("SELECT", tag)
            self._imap.state = "SELECTED"
            if not readonly and "READ-ONLY" in self._imap.untagged_responses:
                raise CommandRefused("SELECT", "READ-ONLY", "the mailbox can only be read")
            told: Mapping[bytes, Any] = self.client._process_select_response(self._imap.untagged_responses)
            return told

    def readable(self, command: str) -> contextlib.AbstractContextManager[None]:
        """Within it, an answer that cannot be read counts as a lost connection."""
        return self._translated(command)

    def took(self, kind: str) -> list[Any]:
        """The untagged data of one kind that the last command brought, oldest first."""
        data = self._imap.untagged_responses.pop(kind, [])
        return [item for item in data if item is not None]

    def append(self, mailbox: str, letters: Sequence[tuple[str, datetime | None, bytes]]) -> str:
        """APPEND one or more mails (flags, arrival time, bytes) in one command; the text of the OK comes back.

        With LITERAL+ (RFC 7888) the command leaves in one piece, else each literal waits for the server's word, so
        that a refusal costs no transfer.

        Raises: CommandRefused, ConnectionLost.
        """
        name = self.quoted(mailbox, "APPEND")
        if any(b"\0" in raw for _, _, raw in letters):
            raise CommandRefused("APPEND", "CANNOT", "NUL in the mail")  # RFC 3501 4.3 allows none in a literal
        plus, minus = self.client.has_capability("LITERAL+"), self.client.has_capability("LITERAL-")
        with self._translated("APPEND"):
            self._fresh("APPEND")
            tag = self._imap._new_tag()
            out = [tag, b" APPEND ", name]
            for flags, when, raw in letters:
                raw = _LINE_END.sub(b"\r\n", raw)
                at_once = plus or (minus and len(raw) <= 4096)
                date = f" {internal_date(when)}" if when else ""
                out.append(f" {flags}{date} {{{len(raw)}{'+' if at_once else ''}}}\r\n".encode("ascii"))
                if not at_once:
                    self._imap.send(b"".join(out))
                    out.clear()
                    if not self._invited(tag):
                        break
                out.append(raw)
            else:
                self._imap.send(b"".join([*out, b"\r\n"]))
            return self._ended("APPEND", tag)

    # --- idle -------------------------------------------------------------------------------------------------------

    def idle(self) -> None:
        """Enter IDLE (RFC 2177); untagged data before the server's `+` is allowed and remembered.

        Raises: CommandRefused, ConnectionLost.
        """
        with self._translated("IDLE"):
            self._fresh("IDLE")
            self._reported = False
            tag = self._imap._command("IDLE")
            if not self._invited(tag):
                self._ended("IDLE", tag)
                raise ConnectionLost("IDLE ended at once")
            self._idle_tag = tag

    def done(self, answer_s: float) -> bool:
        """Leave IDLE; True if the server reported anything about the mailbox since `idle`.

        Raises: ConnectionLost, also if the server has not answered within `answer_s`.
        """
        with self._translated("IDLE"):
            tag, self._idle_tag = self._idle_tag, None
            if tag is None:
                raise ConnectionLost("not in IDLE")
            self._allow(answer_s)
            self._imap.sock.settimeout(min(answer_s, self._read_timeout_s))
            self._imap.send(b"DONE\r\n")
            while self._imap.tagged_commands[tag] is None:
                self._note(self._imap._get_response())
                self._imap._check_bye()
            self._ended("IDLE", tag)
            self._imap.sock.settimeout(self._read_timeout_s)
            reported, self._reported = self._reported, False
            return reported

    def pending(self) -> bool:
        """True if bytes of the server wait where a selector cannot see them: in the TLS layer or a read buffer.

        Never blocks.
        """
        if self._lost is not None or self._reported:
            return True
        later = getattr(self._imap, "_readbuf", None)  # imaplib buffers by itself from Python 3.14 on
        if later is not None:
            tls_bytes = self.sock.pending() if isinstance(self.sock, ssl.SSLSocket) else 0
            return any(later) or tls_bytes > 0
        sock = self.sock
        try:
            sock.setblocking(False)
            return bool(self._imap.file.peek(1))
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        except (OSError, ValueError):
            return True  # a broken connection wants to be looked at
        finally:
            with contextlib.suppress(OSError):
                sock.settimeout(self._read_timeout_s)

    # --- checks -----------------------------------------------------------------------------------------------------

    def quoted(self, mailbox: str, command: str) -> bytes:
        """A mailbox name as it may stand in a command: modified UTF-7 (RFC 3501 5.1.3), quoted.

        Raises: CommandRefused for a name with control characters or lone surrogates.
        """
        if not mailbox or _FORBIDDEN.search(mailbox):
            raise CommandRefused(command, "CANNOT", "not a mailbox name")
        raw = self.raw_names.get(mailbox) or encode_utf7(mailbox)
        return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'

    @contextlib.contextmanager
    def _translated(self, command: str) -> Iterator[None]:
        if self._lost is not None:
            raise ConnectionLost(self._lost)
        try:
            yield
        except CommandRefused:
            raise
        except ConnectionLost as exc:
            self.close(str(exc))
            raise
        except imaplib.IMAP4.readonly as exc:
            raise CommandRefused(command, "READ-ONLY", "the mailbox is read-only") from exc
        except imaplib.IMAP4.error as exc:
            text = str(exc)
            if "illegal in state" in text:
                raise CommandRefused(command, "CLIENTBUG", text) from exc  # nothing was sent
            self.close(text)
            raise ConnectionLost(f"{command}: {text}") from exc
        except (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, MemoryError) as exc:
            self.close(f"{type(exc).__name__}: {exc}")
            raise ConnectionLost(f"{command}: {type(exc).__name__}: {exc}") from exc
        except BaseException:  # an answer may be half read: nothing can be asked on this line again
            self.close("interrupted")
            raise

    def _fresh(self, command: str) -> None:
        self.last = command
        if self._idle_tag is not None:
            raise ConnectionLost("a command inside IDLE")
        self._allow(COMMAND_S)
        kept = self._imap.untagged_responses
        self._imap.untagged_responses = {"BYE": kept["BYE"]} if "BYE" in kept else {}

    def _ended(self, command: str, tag: bytes) -> str:
        """Wait for the tagged answer; the text of an OK."""
        typ, data = self._imap._get_tagged_response(tag)
        text = (data[0] or b"").decode("utf-8", "replace") if data else ""
        if typ != "OK":
            raise refusal(command, text)
        return text

    def _invited(self, tag: bytes) -> bool:
        """Wait for `+`; False if the command ended without it."""
        while (line := self._imap._get_response()) is not None:
            self._note(line)
            if self._imap.tagged_commands[tag] is not None:
                return False
            self._imap._check_bye()
        return True

    def _note(self, line: bytes | None) -> None:
        if line is not None and _REPORT.match(line):
            self._reported = True

    def _allow(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def _bound_reads(self) -> None:
        """Give imaplib's reads an end: it bounds single lines, but neither literals nor an answer as a whole."""
        readline, read = self._imap.readline, self._imap.read

        def bounded_readline() -> bytes:
            if time.monotonic() > self._until:
                raise imaplib.IMAP4.abort("the answer takes too long")
            line: bytes = readline()
            return line

        def bounded_read(size: int) -> bytes:
            if size > LITERAL_BYTES:
                raise imaplib.IMAP4.abort(f"a literal of {size} bytes")
            data: bytes = read(size)
            if len(data) < size:
                raise imaplib.IMAP4.abort("the line broke inside a literal")
            return data

        self._imap.readline, self._imap.read = bounded_readline, bounded_read
