"""An SMTP server that keeps what it accepts and misbehaves where a test asks for it.

`at` names the moment: connect (instead of the greeting), ehlo, starttls, auth, mail, rcpt, data (instead of 354), body
(after 354, some bytes of the body read), dot (the whole mail read, no answer yet), rset, quit.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import email
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from aiosmtpd.smtp import Session as SmtpSession

from responder.model import Server, Tls

_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Received:
    """One accepted transaction: the envelope, the options of MAIL, and the bytes as they came, dots unstuffed."""

    envelope_from: str
    recipients: tuple[str, ...]
    raw: bytes
    username: str = ""
    options: tuple[str, ...] = ()
    connection: int = 0


@dataclass(slots=True)
class Fault:
    """What happens instead of the usual answer, `times` times: a `reply`, then the line `drop`ped, or nothing at all
    (`stall`). `kept` counts the mail as accepted although the client is not told (at `dot` only)."""

    at: str
    reply: str | None = None
    drop: bool = False
    stall: bool = False
    kept: bool = False
    times: int = 1
    after_bytes: int = 1


class Sink:
    """The server, up from `__enter__` to `__exit__`."""

    def __init__(
        self,
        *,
        logins: dict[str, str] | None = None,
        auth: bool = True,
        auth_required: bool = False,
        methods: tuple[str, ...] = ("PLAIN", "LOGIN"),
        eight_bit: bool = True,
        smtputf8: bool = True,
        size: int = 0,
        tls: Tls = "none",
        context: ssl.SSLContext | None = None,
        ca_file: str | None = None,
        starttls_offered: bool = True,
        host: str = "127.0.0.1",
        registered: tuple[str, ...] | None = None,
    ) -> None:
        self.logins = {"shop": "secret"} if logins is None else logins
        self.auth, self.auth_required, self.methods = auth, auth_required, methods
        self.eight_bit, self.smtputf8, self.size = eight_bit, smtputf8, size
        self.tls: Tls = tls
        self.context, self.ca_file, self.starttls_offered = context, ca_file, starttls_offered
        self.host, self.port = host, 0
        self.registered = registered
        """The senders that are taken, envelope and From, as a marketplace's relay does; None takes all."""
        self.mails: list[Received] = []
        self.commands: list[str] = []
        """Every command in order, without its arguments; EHLO marks a new connection."""
        self.connections = 0
        self.logged_in = 0
        self.faults: list[Fault] = []
        self.on_mail: Callable[[Received], None] | None = None
        """Called on the server's thread for every mail it takes, before it says so."""
        self.transports: set[asyncio.BaseTransport] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sink", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(_WAIT_S)
        assert self.port, "the sink did not come up"
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_WAIT_S)

    def server(self, username: str = "shop") -> Server:
        """Where and how to submit."""
        host = "localhost" if self.tls != "none" else self.host
        return Server(host, self.port, self.tls, username, ca_file=self.ca_file)

    @property
    def password(self) -> str:
        """The password of the first login."""
        return next(iter(self.logins.values()), "")

    def fail(self, at: str, reply: str | None = None, **how: Any) -> None:
        """Plan a fault; several at the same moment happen one after the other."""
        self.faults.append(Fault(at, reply, **how))

    def next_fault(self, at: str) -> Fault | None:
        """The fault that is due now, used up by one."""
        for fault in self.faults:
            if fault.at == at and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(lambda _loop, _context: None)
        self._stop = asyncio.Event()
        implicit = self.context if self.tls == "implicit" else None
        server = await self._loop.create_server(lambda: _Smtp(self), self.host, 0, ssl=implicit)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for transport in self.transports:
            transport.close()
        for _ in range(3):
            await asyncio.sleep(0)

    def authenticated(self, _smtp: object, _session: object, _envelope: object, _how: str, auth: Any) -> AuthResult:
        """aiosmtpd's question whether a login is right."""
        if isinstance(auth, LoginPassword) and self.logins.get(auth.login.decode()) == auth.password.decode():
            self.logged_in += 1
            return AuthResult(success=True, auth_data=auth)
        return AuthResult(success=False, handled=False)


class _QuietSession(SmtpSession):
    login_data = None


class _Smtp(SMTP):
    """aiosmtpd with a look at the planned faults before each step."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        sink.connections += 1
        self.number = sink.connections
        super().__init__(
            self,
            hostname="sink.example",
            ident="ready",
            data_size_limit=sink.size or None,
            enable_SMTPUTF8=sink.smtputf8,
            authenticator=sink.authenticated,
            auth_require_tls=sink.tls == "starttls",  # aiosmtpd does not see implicit TLS
            auth_exclude_mechanism=[name for name in ("PLAIN", "LOGIN", "XOAUTH2") if name not in sink.methods],
            tls_context=sink.context if sink.tls == "starttls" and sink.starttls_offered else None,
            loop=asyncio.get_running_loop(),
        )
        self._greeted = False

    def connection_made(self, transport: Any) -> None:
        self.sink.transports.add(transport)
        super().connection_made(transport)

    def _create_session(self) -> SmtpSession:
        return _QuietSession(self.loop)

    async def push(self, status: Any) -> None:
        if not self._greeted:
            self._greeted = True
            if await self._failed("connect"):
                return
        await super().push(status)

    async def _failed(self, at: str) -> bool:
        if at != "connect":
            self.sink.commands.append(at.upper())
        fault = self.sink.next_fault(at)
        if fault is None:
            return False
        await self._act(fault)
        return True

    async def _act(self, fault: Fault) -> None:
        if fault.reply is not None:
            await super().push(fault.reply)
        if fault.drop:
            assert self.transport is not None
            self.transport.close()
        if fault.drop or fault.stall:
            await asyncio.Event().wait()  # until the connection or the sink goes away

    async def smtp_EHLO(self, hostname: str) -> None:
        if not await self._failed("ehlo"):
            await super().smtp_EHLO(hostname)

    async def handle_EHLO(
        self, _smtp: SMTP, session: SmtpSession, _envelope: Envelope, hostname: str, lines: list[str]
    ) -> list[str]:
        session.host_name = hostname
        hidden = [] if self.sink.auth else ["AUTH"]
        hidden += [] if self.sink.eight_bit else ["8BITMIME"]
        return [line for line in lines if not any(line[4:].startswith(name) for name in hidden)]

    async def smtp_STARTTLS(self, arg: str) -> None:
        if not await self._failed("starttls"):
            await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg: str) -> None:
        if not await self._failed("auth"):
            await super().smtp_AUTH(arg)

    async def auth_XOAUTH2(self, _smtp: SMTP, args: list[str]) -> AuthResult:
        """The password of the login is the token; a wrong one is refused in two steps, as Gmail does."""
        words = base64.b64decode(args[1]).decode().split("\1")
        user, token = words[0].removeprefix("user="), words[1].removeprefix("auth=Bearer ")
        if self.sink.logins.get(user) == token:
            return AuthResult(success=True, auth_data=LoginPassword(user.encode(), token.encode()))
        await super().push("334 eyJzdGF0dXMiOiI0MDAifQ==")
        assert await self._reader.readline() == b"\r\n"
        return AuthResult(success=False, handled=False)

    async def smtp_MAIL(self, arg: str | None) -> None:
        if await self._failed("mail"):
            return
        if self.sink.auth_required and not (self.session and self.session.authenticated):
            await super().push("530 5.7.0 Authentication required")
            return
        await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        if not await self._failed("rcpt"):
            await super().smtp_RCPT(arg)

    async def smtp_RSET(self, arg: str) -> None:
        if not await self._failed("rset"):
            await super().smtp_RSET(arg)

    async def smtp_QUIT(self, arg: str) -> None:
        if not await self._failed("quit"):
            await super().smtp_QUIT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if await self._failed("data"):
            return
        fault = self.sink.next_fault("body")
        if fault is not None:
            await super().push("354 go ahead")
            await self._reader.readexactly(fault.after_bytes)
            await self._act(fault)
            return
        await super().smtp_DATA(arg)

    async def handle_MAIL(
        self, _smtp: SMTP, _session: SmtpSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.sink.registered is not None and address not in self.sink.registered:
            return f"552 5.2.0 <{address}> sender rejected"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_DATA(self, _smtp: SMTP, session: SmtpSession, envelope: Envelope) -> str:
        if self.sink.registered is not None:
            raw = envelope.original_content or b""
            head = email.message_from_bytes(raw if isinstance(raw, bytes) else raw.encode())
            if parseaddr(str(head["From"]))[1] not in self.sink.registered:
                return "552 5.2.0 From address rejected"
        fault = self.sink.next_fault("dot")
        if fault is None or fault.kept:
            self._keep(session, envelope)
        if fault is None:
            return "250 2.0.0 queued"
        if fault.drop or fault.stall:
            await self._act(fault)
        return fault.reply or "250 2.0.0 queued"

    def _keep(self, session: SmtpSession, envelope: Envelope) -> None:
        raw = envelope.original_content or b""
        received = Received(
            envelope_from=(envelope.mail_from or "").removeprefix("<>"),
            recipients=tuple(envelope.rcpt_tos),
            raw=raw if isinstance(raw, bytes) else raw.encode(),
            username=session.auth_data.login.decode() if isinstance(session.auth_data, LoginPassword) else "",
            options=tuple(envelope.mail_options),
            connection=self.number,
        )
        self.sink.mails.append(received)
        if self.sink.on_mail is not None:
            self.sink.on_mail(received)
