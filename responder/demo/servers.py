"""An IMAP and an SMTP server inside this process: no root, no files, ready in milliseconds.

IMAP is pymap's in-memory backend, SMTP is aiosmtpd, both on one asyncio loop in a daemon thread. What pymap lacks for
us is added here and only here: keywords by STORE, SPECIAL-USE, several accounts, quick logins. Its private names are
touched in this module alone, hence the upper version bound in pyproject.toml.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
import weakref
from argparse import Namespace
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from aiosmtpd.smtp import Session as SmtpSession
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Identity, Login, Session
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet
from pymap.concurrent import Subsystem
from pymap.config import BackendCapability
from pymap.imap import IMAPServer
from pymap.listtree import ListEntry, ListTree
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import ObjectId
from pymap.parsing.specials.flag import Flag, Wildcard
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

from responder.model import Server, Tls

FOLDERS: Mapping[str, str] = {"Drafts": "\\Drafts", "Sent": "\\Sent", "Trash": "\\Trash", "Archive": "\\Archive"}
_ANSWER_S = 30.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class EmbeddedAccount:
    """One login. `addresses` are delivered into its INBOX; `folders` maps names to a SPECIAL-USE attribute or ""."""

    username: str
    password: str
    addresses: tuple[str, ...]
    folders: Mapping[str, str] = field(default_factory=lambda: dict(FOLDERS))


@dataclass(frozen=True, slots=True)
class Stored:
    """One mail in a mailbox."""

    uid: int
    raw: bytes
    flags: frozenset[str]
    internaldate: datetime


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One mail that the SMTP server accepted. `username` is empty for a client that did not log in."""

    username: str
    envelope_from: str
    recipients: tuple[str, ...]
    raw: bytes


class EmbeddedServers:
    """Both servers, up from `__enter__` to `__exit__`.

    Ports of 0 are chosen by the system. `without` names IMAP capabilities to leave out (`MOVE`, `UIDPLUS`, `IDLE`,
    `SPECIAL-USE`, `MULTIAPPEND` ...). With a `certificate` (a server-side SSLContext), `tls` may be `implicit` or
    `starttls` for both servers. `on_mail` is called on the servers' thread for every accepted mail.
    """

    def __init__(
        self,
        accounts: Iterable[EmbeddedAccount],
        *,
        imap_port: int = 0,
        smtp_port: int = 0,
        without: Collection[str] = (),
        tls: Tls = "none",
        certificate: ssl.SSLContext | None = None,
        on_mail: Callable[[Outgoing], None] | None = None,
    ) -> None:
        self.accounts = {account.username: account for account in accounts}
        self.imap_port = imap_port
        self.smtp_port = smtp_port
        self.errors: list[str] = []
        self._without = frozenset(name.upper().encode("ascii") for name in without)
        self._tls: Tls = tls
        self._certificate = certificate
        self._on_mail = on_mail
        self._mails: list[Outgoing] = []
        self._boxes: dict[str, _Boxes] = {}
        self._transports: weakref.WeakSet[Any] = weakref.WeakSet()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Bring both servers up; the ports are known afterwards.

        Raises: OSError if a port is taken.
        """
        self._ready.clear()
        self._thread = threading.Thread(target=self._run, name="embedded-servers", daemon=True)
        self._thread.start()
        self._ready.wait(_ANSWER_S)
        if self._failed is not None:
            self._thread.join(_ANSWER_S)
            raise self._failed

    def stop(self) -> None:
        """Take both servers down and forget all mail."""
        loop, stop, thread = self._loop, self._stop, self._thread
        if loop is not None and stop is not None and thread is not None and thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop ended by itself meanwhile
                loop.call_soon_threadsafe(stop.set)
            thread.join(_ANSWER_S)
        self._thread = None

    def imap(self, username: str) -> Server:
        """Where and how this account reads its mail."""
        return Server("127.0.0.1", self.imap_port, self._tls, username)

    def smtp(self, username: str) -> Server:
        """Where and how this account sends."""
        return Server("127.0.0.1", self.smtp_port, self._tls, username)

    @property
    def mails(self) -> tuple[Outgoing, ...]:
        """Every mail the SMTP server accepted, oldest first."""
        return tuple(self._mails)

    def deliver(
        self,
        account: str,
        raw: bytes,
        *,
        mailbox: str = "INBOX",
        flags: Iterable[str] = (),
        when: datetime | None = None,
    ) -> int:
        """Put a mail into a mailbox as a delivery agent does; its uid comes back. IDLE clients wake at once."""
        return self._call(self._deliver(account, mailbox, raw, frozenset(flags), when or datetime.now(UTC)))

    def boxes(self, account: str) -> dict[str, tuple[Stored, ...]]:
        """What every mailbox of the account holds, by uid."""
        return self._call(self._listed(account))

    def renew_uidvalidity(self, account: str, mailbox: str) -> int:
        """Void all uids of a mailbox, as a restored backup does; the new uidvalidity comes back."""
        return self._call(self._renewed(account, mailbox))

    # --- on the servers' thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as exc:  # on a thread: whoever waits for the servers raises it
            self._failed = exc
        finally:
            self._loop = None
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(lambda _loop, context: self.errors.append(str(context.get("message"))))
        self._stop = asyncio.Event()
        config = _config(self._without, self._certificate if self._tls == "starttls" else None)
        login = _Login(config)
        for account in self.accounts.values():
            user = UserMetadata(config, account.username, password=account.password)
            login.users_dict[account.username] = user
            told = b"SPECIAL-USE" not in self._without
            boxes = _Boxes({name: use if told else "" for name, use in account.folders.items()})
            await boxes.fill()
            config.set_cache[account.username] = (boxes, FilterSet())
            self._boxes[account.username] = boxes
        implicit = self._certificate if self._tls == "implicit" else None
        on_connect = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(login, config))

        async def on_imap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._transports.add(writer.transport)
            await on_connect(reader, writer)

        imap = await asyncio.start_server(on_imap, "127.0.0.1", self.imap_port, ssl=implicit)
        try:
            smtp = await self._loop.create_server(self._smtp, "127.0.0.1", self.smtp_port, ssl=implicit)
        except OSError:
            imap.close()
            raise
        self.imap_port = imap.sockets[0].getsockname()[1]
        self.smtp_port = smtp.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        imap.close()
        smtp.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for transport in self._transports:
            transport.close()
        for _ in range(3):  # let the transports close their sockets
            await asyncio.sleep(0)

    def _smtp(self) -> SMTP:
        return _Smtp(
            self._transports,
            _Submission(self),
            hostname="demo.example",
            ident="ready",
            enable_SMTPUTF8=True,
            authenticator=self._authenticated,
            auth_require_tls=self._tls == "starttls",  # aiosmtpd does not see implicit TLS
            tls_context=self._certificate if self._tls == "starttls" else None,
            loop=asyncio.get_running_loop(),
        )

    def _authenticated(
        self, _server: object, _session: object, _envelope: object, _mechanism: str, auth: Any
    ) -> AuthResult:
        if isinstance(auth, LoginPassword):
            account = self.accounts.get(auth.login.decode("utf-8", "replace"))
            if account is not None and auth.password == account.password.encode():
                return AuthResult(success=True, auth_data=auth)
        # `handled=False` lets aiosmtpd answer 535; its default would leave the client waiting.
        return AuthResult(success=False, handled=False)

    def owner(self, address: str) -> str | None:
        """The account that an address is delivered to."""
        for account in self.accounts.values():
            if address.casefold() in {own.casefold() for own in account.addresses}:
                return account.username
        return None

    async def take(self, mail: Outgoing) -> None:
        """Record a mail and deliver it to the recipients who live here."""
        self._mails.append(mail)
        traced = b"Return-Path: <" + mail.envelope_from.encode() + b">\r\n" + mail.raw
        for recipient in mail.recipients:
            owner = self.owner(recipient)
            if owner is not None:
                await self._deliver(owner, "INBOX", traced, frozenset(), datetime.now(UTC))
        if self._on_mail is not None:
            self._on_mail(mail)

    async def _deliver(self, account: str, mailbox: str, raw: bytes, flags: frozenset[str], when: datetime) -> int:
        box = await self._boxes[account].get_mailbox(mailbox)
        letter = AppendMessage(raw, when, frozenset(Flag(flag) for flag in flags))
        return (await box.append(letter, recent=True)).uid

    async def _listed(self, account: str) -> dict[str, tuple[Stored, ...]]:
        boxes = self._boxes[account]
        listed: dict[str, tuple[Stored, ...]] = {}
        for name in ("INBOX", *boxes._set):
            box = await boxes.get_mailbox(name)
            listed[name] = tuple([_stored(message) async for message in box.messages()])
        return listed

    async def _renewed(self, account: str, mailbox: str) -> int:
        box = await self._boxes[account].get_mailbox(mailbox)
        box._uid_validity += 1
        return box._uid_validity

    def _call(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        if self._loop is None:
            coroutine.close()
            raise RuntimeError("the embedded servers are not running")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_ANSWER_S)


def _stored(message: Any) -> Stored:
    when: datetime = message.internal_date
    return Stored(
        uid=message.uid,
        raw=bytes(message._content),
        flags=frozenset(str(flag) for flag in message.permanent_flags),
        internaldate=when if when.tzinfo else when.astimezone(),
    )


# --- SMTP -----------------------------------------------------------------------------------------------------------


class _QuietSession(SmtpSession):
    """aiosmtpd writes a warning to the log at each login, about an attribute nobody here uses."""

    login_data = None


class _Smtp(SMTP):
    def __init__(
        self, transports: weakref.WeakSet[asyncio.BaseTransport], handler: _Submission, **options: Any
    ) -> None:
        self._transports = transports
        super().__init__(handler, **options)

    def connection_made(self, transport: Any) -> None:
        self._transports.add(transport)
        super().connection_made(transport)

    def _create_session(self) -> SmtpSession:
        return _QuietSession(self.loop)


class _Submission:
    """Takes mail for the accounts from everybody, for others only after a login."""

    def __init__(self, servers: EmbeddedServers) -> None:
        self._servers = servers

    async def handle_RCPT(
        self, _server: SMTP, session: SmtpSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not session.authenticated and self._servers.owner(address) is None:
            return "550 5.7.1 Relaying denied"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: SmtpSession, envelope: Envelope) -> str:
        raw = envelope.content
        login = session.auth_data.login.decode() if isinstance(session.auth_data, LoginPassword) else ""
        mail = Outgoing(
            username=login,
            envelope_from=(envelope.mail_from or "").removeprefix("<>"),
            recipients=tuple(envelope.rcpt_tos),
            raw=raw if isinstance(raw, bytes) else (raw or "").encode(),
        )
        await self._servers.take(mail)
        return "250 2.0.0 OK: queued"


# --- IMAP -----------------------------------------------------------------------------------------------------------


class _Box(MailboxData):
    """A mailbox that keeps keywords: pymap drops those of a STORE without a word."""

    @property
    def permanent_flags(self) -> frozenset[Flag]:
        return super().permanent_flags | {Wildcard}


class _Boxes(MailboxSet):
    """The mailboxes of one account, with their SPECIAL-USE attributes."""

    def __init__(self, folders: Mapping[str, str]) -> None:
        super().__init__()
        self._folders = dict(folders)
        self._inbox = _Box(self._content_cache, self._thread_cache)

    async def fill(self) -> None:
        for name in self._folders:
            await self.add_mailbox(name)
            await self.set_subscribed(name, True)

    async def add_mailbox(self, name: str) -> ObjectId:
        if name in self._set:
            raise ValueError(name)
        self._set[name] = box = _Box(self._content_cache, self._thread_cache)
        return box.mailbox_id

    async def list_mailboxes(self) -> ListTree:
        return _Tree(self.delimiter, self._folders).update("INBOX", *self._set)


@dataclass(frozen=True)
class _Entry(ListEntry):
    use: str = ""

    @property
    def attributes(self) -> Sequence[bytes]:
        # pymap writes the backslash itself.
        return [*super().attributes, *([self.use.lstrip("\\").encode("ascii")] if self.use else [])]


class _Tree(ListTree):
    __slots__ = ["_uses"]

    def __init__(self, delimiter: str, uses: Mapping[str, str]) -> None:
        super().__init__(delimiter)
        self._uses = uses

    def list(self) -> Iterable[ListEntry]:
        for entry in super().list():
            yield _Entry(entry.name, entry.exists, entry.marked, entry.has_children, self._uses.get(entry.name, ""))


class _Config(Config):
    without: frozenset[bytes] = frozenset()

    @property
    def greeting(self) -> bytes:
        return b"ready"  # the stock one asks DNS for this machine's name

    @property
    def backend_capability(self) -> BackendCapability:
        return BackendCapability(idle=True, object_id=True, multi_append=True, custom=[b"SPECIAL-USE"])

    @property
    def login_capability(self) -> Sequence[bytes]:
        return [name for name in super().login_capability if name not in self.without]

    @property
    def initial_capability(self) -> Sequence[bytes]:
        return [name for name in super().initial_capability if name not in self.without]


def _config(without: frozenset[bytes], starttls: ssl.SSLContext | None) -> _Config:
    """pymap's configuration: plain passwords (stretching costs 100 ms a login), no DNS, no threads."""
    args = Namespace(
        host=None,
        port=0,
        debug=False,
        cert=None,
        key=None,
        tls=starttls is not None,
        passlib_cfg=None,
        proxy_protocol=None,
        demo_data=False,
        demo_user="-",
        demo_password="-",
    )
    config = _Config.from_args(
        args,
        hash_context=_Plain(),
        cpu_subsystem=Subsystem.for_asyncio(),
        ssl_context=starttls or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
        reject_dnsbl=False,
        invalid_user_sleep=0.0,
    )
    config.without = without
    config.apply_context()
    return config


class _Plain(Cleartext):
    """Passwords as they are, those beyond ASCII included."""

    def verify(self, secret: str, hash: str) -> bool:
        return secret == hash


class _Login(Login):
    async def authorize(self, authenticated: Any, authzid: str) -> Identity:
        await super().authorize(authenticated, authzid)
        return _Identity(authzid, self, None, authenticated.roles)


class _Identity(Identity):
    @asynccontextmanager
    async def new_session(self) -> AsyncIterator[Session]:
        boxes, filters = self.config.set_cache[self.name]
        yield _Session(self.name, self.config, boxes, filters)


class _Session(Session):
    """Tells no uids where UIDPLUS is left out: pymap would tell them all the same."""

    async def append_messages(self, *args: Any, **more: Any) -> Any:
        return self._told(await super().append_messages(*args, **more))

    async def copy_messages(self, *args: Any, **more: Any) -> Any:
        return self._told(await super().copy_messages(*args, **more))

    async def move_messages(self, *args: Any, **more: Any) -> Any:
        return self._told(await super().move_messages(*args, **more))

    def _told(self, answer: tuple[Any, Any]) -> tuple[Any, Any]:
        silent = isinstance(self.config, _Config) and b"UIDPLUS" in self.config.without
        return (None, answer[1]) if silent else answer
