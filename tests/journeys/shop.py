"""A shop for whole stories: a mailbox on a real server, an SMTP server that keeps what it accepts, the daemon in
between, and staff who act with an IMAP client. Everything a test asserts is read from the servers."""

from __future__ import annotations

import atexit
import contextlib
import email
import functools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email.header import Header
from email.message import Message as EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any, TypeVar

from imapclient import IMAPClient

from responder.config import Settings, load, load_pack
from responder.core.wording import Catalog
from responder.daemon import Daemon
from responder.demo.servers import EmbeddedServers, Stored
from responder.edges.orders import open_book
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.nursery import Child, Nursery
from tests.servers.sink import Sink

T = TypeVar("T")
ADDRESS = "shop@minato-zakka.example"
BUYER = "hanako@mail.example"
HEADER = "order_id,channel,status,buyer_name,buyer_mail,payment,total,currency,ordered_at,ship_by,shipped_at,carrier,tracking_no,eta,items"
WAIT_S = 120.0


def until(condition: Callable[[], T], what: str, *, within_s: float = WAIT_S) -> T:
    """The first true value of `condition`, looked at again and again."""
    end = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"did not happen: {what}"
        time.sleep(0.03)


class MovableClock:
    """True time, moved ahead by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move(self, **span: float) -> None:
        """Let so much time go by at once (`days=3`)."""
        self.ahead += timedelta(**span)


@dataclass
class Shop:
    """One shop at work. `server` holds the mail, `sink` takes what goes out, `folder` holds the shop's files."""

    server: Dovecot | EmbeddedServers
    sink: Sink
    folder: Path
    quiet_s: float = 0.3
    account_extra: str = ""
    relays: str = ""
    shop_extra: str = ""
    user: str = "shop"
    sent: str = "Sent"
    orders: dict[str, dict[str, str]] = field(default_factory=dict)
    daemon: Daemon | None = None
    process: Child | None = None
    clock: MovableClock = field(default_factory=MovableClock)
    _thread: threading.Thread | None = None
    _result: list[Any] = field(default_factory=list)

    # --- the shop's files -------------------------------------------------------------------------------------------

    def write_files(self) -> None:
        """responder.toml and the orders; the rules and templates are the product's own."""
        imap = self.server.imap(self.user)
        smtp = self.sink.server()
        (self.folder / "imap.secret").write_text(PASSWORD + "\n")
        (self.folder / "smtp.secret").write_text(self.sink.password + "\n")
        for name in ("imap.secret", "smtp.secret"):
            (self.folder / name).chmod(0o600)
        (self.folder / "responder.toml").write_text(
            f"""
[shop]
name = "みなと雑貨店"
language = "ja"
timezone = "Asia/Tokyo"
{self.shop_extra}
[state]
url = "sqlite:///state/responder.db"
[[account]]
name = "main"
address = "{ADDRESS}"
aliases = ["support@minato-zakka.example"]
display_name = "みなと雑貨店"
folders = {{ watch = ["INBOX"], approved = "承認", notes = "Responder" }}
quiet_s = {self.quiet_s}
staff_poll_s = 0.2
poll_s = 1
{self.account_extra}
imap = {{ host = "{imap.host}", port = {imap.port}, tls = "none", username = "{self.user}", password_file = "imap.secret" }}
smtp = {{ host = "{smtp.host}", port = {smtp.port}, tls = "none", username = "shop", password_file = "smtp.secret" }}
{self.relays}
[[orders]]
type = "csv"
path = "orders.csv"
""",
            encoding="utf-8",
        )
        self.write_orders()

    def order(self, order_id: str, **changes: str) -> None:
        """Set or change one order, and write the file the daemon reads."""
        usual = {
            "order_id": order_id, "channel": "own", "status": "paid", "buyer_name": "田中 花子", "buyer_mail": BUYER,
            "payment": "credit_card", "total": "4980", "currency": "JPY", "ordered_at": "2026-11-18T10:00:00+09:00",
            "items": "波佐見焼マグカップ",
        }  # fmt: skip
        self.orders[order_id] = {**self.orders.get(order_id, usual), **changes}
        self.write_orders()

    def write_orders(self) -> None:
        usual = HEADER.split(",")
        names = [*usual, *dict.fromkeys(name for order in self.orders.values() for name in order if name not in usual)]
        lines = [",".join(names), *(",".join(order.get(n, "") for n in names) for order in self.orders.values())]
        temporary = self.folder / "orders.tmp"
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
        temporary.replace(self.folder / "orders.csv")

    def add_relay(self, channel: str, sink: Sink, *, username: str = "shop", password: str = "", **keys: str) -> None:
        """Replies to this channel go through a server of its own."""
        server = sink.server(username)
        secret = self.folder / f"{channel}.secret"
        secret.write_text((password or sink.password) + "\n")
        secret.chmod(0o600)
        more = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
        ca_file = f', ca_file = "{server.ca_file}"' if server.ca_file else ""
        self.relays += f"""
[[account.relay]]
channel = "{channel}"
{more}smtp = {{ host = "{server.host}", port = {server.port}, tls = "{server.tls}", username = "{server.username}", password_file = "{secret.name}"{ca_file} }}
"""

    # --- the daemon -------------------------------------------------------------------------------------------------

    def start(self, settings: Settings | None = None) -> None:
        """Run the daemon in a thread of this process and wait until it watches the inbox. `settings` are those of the
        shop's files, where they have been read already."""
        self.write_files()
        settings = settings or load(self.folder, env=os.environ)
        book = open_book(settings.orders, index=settings.orders_index)
        book.refresh()
        self.daemon = Daemon(settings, book, reload_settings=load_pack, clock=self.clock)
        daemon = self.daemon

        def work() -> None:
            try:
                self._result.append(daemon.run())
            except BaseException as exc:  # on a thread: whoever stops the daemon is given it
                self._result.append(exc)
                raise

        self._thread = threading.Thread(target=work, name="daemon")
        self._thread.start()
        self.wait_until_watching()

    def wait_until_watching(self) -> None:
        until(lambda: self._result or self._watches(), "the daemon watches the inbox")
        assert not self._result, self._result

    def _watches(self) -> bool:
        from responder.edges.journal import Journal, JournalUnavailable, mails

        journal = Journal(f"sqlite:///{self.folder / 'state' / 'responder.db'}", create=False)
        try:
            with journal.reading() as tx:
                return (
                    mails.find_cursor(tx, "main", "INBOX") is not None
                    and mails.find_cursor(tx, "main", self.sent) is not None
                )
        except JournalUnavailable:
            return False
        finally:
            journal.close()

    def reloads(self) -> int:
        """How often the daemon has taken over changed rules or templates."""
        return self.daemon.reloads if self.daemon is not None else 0

    def stop(self) -> None:
        """Stop the daemon in order and pass on what went wrong in it."""
        if self.daemon is not None and self._thread is not None:
            self.daemon.stop()
            self._thread.join(120)
            assert not self._thread.is_alive(), "the daemon did not stop"
            self.daemon = self._thread = None
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                # -15: told to stop before it had begun to listen for that.
                assert self.process.wait(120) in (0, -signal.SIGTERM)
            self.process = None
        self._result.clear()

    def start_process(self, *, point: str = "never") -> None:
        """Run `responder run` as a process of its own, which kills itself at `point` (see `dies`)."""
        self.write_files()
        self.process = self.child("run", "--config", str(self.folder), "--json", point=point)

    def child(self, *args: str, point: str = "never") -> Child:
        """`responder ARGS` as a process of its own; what it says goes into log.txt."""
        log = self.folder / "log.txt"
        return command(*args, point=point, stdout=log, stderr=log)

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)
        self.process = None

    # --- the buyer --------------------------------------------------------------------------------------------------

    def buyer_writes(
        self,
        text: str,
        *,
        subject: str = "注文について",
        sender: str = BUYER,
        name: str = "田中 花子",
        headers: Mapping[str, str] | None = None,
        charset: str = "utf-8",
        message_id: str | None = None,
        raw: bytes | None = None,
    ) -> str:
        """A mail arrives in the shop's inbox; its Message-ID comes back."""
        message_id = message_id or make_msgid(domain="mail.example")
        if raw is None:
            mail = EmailMessage()
            mail["From"] = f"{Header(name, 'utf-8').encode()} <{sender}>"
            mail["To"] = ADDRESS
            mail["Subject"] = Header(subject, "utf-8").encode()
            mail["Date"] = format_datetime(datetime.now(timezone(timedelta(hours=9))))
            mail["Message-ID"] = message_id
            for key, value in (headers or {}).items():
                mail[key] = value
            mail["MIME-Version"] = "1.0"
            mail["Content-Type"] = f'text/plain; charset="{charset}"'
            mail["Content-Transfer-Encoding"] = "8bit"
            raw = mail.as_bytes() + text.encode(charset)
            raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n"
        if self.clock.ahead:
            # Deadlines count from the server's arrival time, which the moved clock does not move.
            with self.staff("INBOX") as client:
                client.append("INBOX", raw, msg_time=self.clock())
        elif isinstance(self.server, Dovecot):
            self.server.deliver(self.user, raw, sender=sender)
        else:
            self.server.deliver(self.user, raw)
        return message_id

    # --- the staff --------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def staff(self, mailbox: str = "下書き") -> Iterator[IMAPClient]:
        """A mail client of the staff, with a mailbox open."""
        client = IMAPClient(self.server.imap(self.user).host, self.server.imap(self.user).port, ssl=False)
        client.login(self.user, PASSWORD)
        client.select_folder(mailbox)
        try:
            yield client
        finally:
            with contextlib.suppress(Exception):  # the server may be gone: a goodbye proves nothing
                client.logout()

    def boxes(self) -> dict[str, tuple[Stored, ...]]:
        return self.server.boxes(self.user)

    def lies_in(self, mailbox: str) -> list[Stored]:
        """What a mailbox holds, without what is marked as deleted."""
        return [s for s in self.boxes().get(mailbox, ()) if "\\Deleted" not in s.flags]

    def drafts(self) -> list[Stored]:
        return self.lies_in("下書き")

    def all_notes(self) -> list[str]:
        """Subject and text of every note, oldest first."""
        return [f"{subject_of(s.raw)}\n{text_of(s.raw)}" for s in self.lies_in("Responder")]

    def notes(self) -> list[str]:
        """The notes that tell of something unusual: not those that say what to do before approving a draft."""
        return [note for note in self.all_notes() if not note.startswith(_usual_subjects())]

    def kinds(self) -> list[str]:
        """What happened so far, as the journal's events."""
        from responder.edges.journal import Journal, cases

        journal = Journal(f"sqlite:///{self.folder / 'state' / 'responder.db'}", create=False)
        try:
            with journal.reading() as tx:
                return [event["kind"] for event in cases.events(tx, "main")]
        finally:
            journal.close()

    def wait_for_draft(self, count: int = 1) -> Stored:
        return until(lambda: self.drafts() if len(self.drafts()) >= count else None, "a draft appears")[-1]

    def wait_for_note(self, word: str) -> str:
        found = until(lambda: [n for n in self.notes() if word in n], f"a note says {word}")
        return found[-1]

    def approve(self, draft: Stored, *, copy: bool = False) -> None:
        """Staff put a draft into the approval folder."""
        with self.staff() as client:
            if copy:
                client.copy([draft.uid], "承認")
            else:
                move(client, draft.uid, "承認")

    def wait_for_mail(self, count: int = 1) -> bytes:
        until(lambda: len(self.sink.mails) >= count, f"{count} mail(s) go out")
        return self.sink.mails[-1].raw

    def wait_until_filed(self) -> None:
        """The draft is gone, a copy is in Sent, and the original is marked."""
        until(
            lambda: len(self.lies_in("Sent")) >= len(self.sink.mails) and not self.lies_in("承認"), "the mail is filed"
        )

    def answered(self, message_id: str) -> bool:
        return any(message_id.encode() in s.raw and "\\Answered" in s.flags for s in self.boxes().get("INBOX", ()))


def command(
    *args: str,
    stdout: Path,
    stderr: Path,
    stdin: Path | None = None,
    point: str = "never",
    env: Mapping[str, str] | None = None,
) -> Child:
    """`responder ARGS` as a process of its own, without the time it takes to begin."""
    environ = {**os.environ, **(env or {})}
    files = {"stdin": "" if stdin is None else str(stdin), "stdout": str(stdout), "stderr": str(stderr)}
    return _nursery().child(point=point, args=args, env=environ, **files)


@functools.cache
def _nursery() -> Nursery:
    """One for all tests of this process; it ends with it."""
    nursery = Nursery("tests.journeys.dies")
    atexit.register(nursery.stop)
    return nursery


@functools.cache
def _usual_subjects() -> tuple[str, ...]:
    codes = ("digest", "draft_note", "draft_gloss", "paste_draft", "relay_draft", "draft_to_newest")
    words = Catalog.load()
    return tuple(words.text(f"note.{code}_subject", "ja").split("{", 1)[0] for code in codes)


def move(client: IMAPClient, uid: int, to: str) -> None:
    """As a mail client moves a mail: MOVE, or copy and remove where the server has no MOVE."""
    if client.has_capability("MOVE"):
        client.move([uid], to)
    else:
        client.copy([uid], to)
        client.delete_messages([uid])
        client.expunge()


def text_of(raw: bytes) -> str:
    """The text of a mail, decoded; the plain part where there are several."""
    message = email.message_from_bytes(raw)
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            return payload.decode(part.get_content_charset() or "utf-8")
    return ""


def subject_of(raw: bytes) -> str:
    from email.header import decode_header, make_header

    return str(make_header(decode_header(str(email.message_from_bytes(raw)["Subject"]))))


def header_of(raw: bytes, name: str) -> str:
    value = email.message_from_bytes(raw)[name]
    return " ".join(str(value).split()) if value is not None else ""
