"""A batch of SMTP transactions, one recipient each, with MAIL, RCPT, DATA and the body as steps of their own.

Before the first body byte nothing has been sent for sure; from then on only the server's answer counts, and where
none comes the outcome is Unknown (RFC 1047). Never sends a mail a second time, except where no MAIL was answered.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import aiosmtplib

from responder.edges.smtp.login import drop, open_smtp
from responder.edges.smtp.wire_form import Ready, Unfit, prepare
from responder.errors import ConnectionLost, LoginRefused
from responder.model import Accepted, Later, Outcome, Parcel, Refused, Server, Unknown

_LOGIN_MISSING = frozenset({530, 535, 538})
_LOST = (aiosmtplib.SMTPException, OSError, EOFError, ValueError)


def submit_batch(
    server: Server,
    secret: Callable[[], str],
    parcels: Iterable[Parcel],
    *,
    before_body: Callable[[Parcel], bool],
    on_outcome: Callable[[Parcel, Outcome], None],
    local_hostname: str = "[127.0.0.1]",
    downgrade: Callable[[bytes], bytes] | None = None,
    connect_timeout_s: float = 30,
    command_timeout_s: float = 60,
    answer_timeout_s: float = 600,
    mails_per_connection: int = 100,
) -> None:
    """Send the parcels in their order and report what became of each through `on_outcome`.

    `before_body` is called after the server's 354 and before the first body byte; False drops the connection with
    nothing of the body sent (outcome Later). `on_outcome` is called before QUIT. Both run on the calling thread, and
    what they raise ends the batch and is passed on. `secret` returns the password, or the access token for `xoauth2`.
    `downgrade` turns a mail into 7-bit form for a server without 8BITMIME. `answer_timeout_s` bounds the wait after
    the final dot (RFC 5321 4.5.3.2.6 wants ten minutes). Parcels are taken from the iterable one by one, so that it
    may set the pace. Not to be called from inside an event loop.

    Raises: LoginRefused, CertificateRefused, ConnectionLost; parcels without an outcome were then not touched. After
    an Unknown, or a line that breaks before it has taken a single mail, the rest of the batch is left untouched too
    (ConnectionLost): the next ones would fare no better.
    """
    remaining = iter(parcels)
    first = next(remaining, None)
    if first is None:
        return

    async def opened() -> aiosmtplib.SMTP:
        return await open_smtp(server, secret, local_hostname=local_hostname, timeout_s=connect_timeout_s)

    batch = _Batch(
        open=opened,
        before_body=before_body,
        on_outcome=on_outcome,
        downgrade=downgrade,
        command_timeout_s=command_timeout_s,
        answer_timeout_s=answer_timeout_s,
        mails_per_connection=mails_per_connection,
    )
    asyncio.run(batch.run(itertools.chain((first,), remaining)))


@dataclass(slots=True)
class _Line:
    """One connection: `mails` counts its transactions, `accepted` those the server took; `broke` tells that the server
    ended it, not we."""

    smtp: aiosmtplib.SMTP
    mails: int = 0
    accepted: int = 0
    broke: bool = False

    @property
    def usable(self) -> bool:
        """Connected, and no answer left over that would be taken for the next command's."""
        protocol = self.smtp.protocol
        return self.smtp.is_connected and protocol is not None and not protocol._buffer

    def end(self, *, broke: bool) -> None:
        """Close it."""
        self.broke = self.broke or broke
        drop(self.smtp)

    async def command(self, *words: bytes, timeout_s: float) -> aiosmtplib.SMTPResponse:
        if not self.usable:
            self.end(broke=True)
            raise aiosmtplib.SMTPServerDisconnected("the line is closed or out of step")
        try:
            return await self.smtp.execute_command(*words, timeout=timeout_s)
        except _LOST:
            self.end(broke=True)
            raise


@dataclass(slots=True)
class _Batch:
    open: Callable[[], Awaitable[aiosmtplib.SMTP]]
    before_body: Callable[[Parcel], bool]
    on_outcome: Callable[[Parcel, Outcome], None]
    downgrade: Callable[[bytes], bytes] | None
    command_timeout_s: float
    answer_timeout_s: float
    mails_per_connection: int
    line: _Line | None = None
    stopped: str | None = None

    async def run(self, parcels: Iterable[Parcel]) -> None:
        try:
            for parcel in parcels:
                if self.stopped is not None:
                    raise ConnectionLost(self.stopped)
                self.on_outcome(parcel, await self._deliver(parcel))
            await self._quit()
        finally:
            if self.line is not None:
                drop(self.line.smtp)
            await asyncio.sleep(0)  # transports close their sockets in the loop's next turn
            await asyncio.sleep(0)

    async def _deliver(self, parcel: Parcel) -> Outcome:
        line = await self._ready_line()
        ready = prepare(parcel, line.smtp.esmtp_extensions, self.downgrade)
        if isinstance(ready, Unfit):
            return Refused("check", ready.why)
        outcome = await self._transact(line, parcel, ready)
        if line.accepted and isinstance(outcome, Later) and outcome.phase == "mail" and not line.usable:
            # A connection that has done its work may be closed at any time: that says nothing about this mail.
            line = await self._ready_line()
            outcome = await self._transact(line, parcel, ready)
        match outcome:
            case Accepted():
                line.accepted += 1
            case Unknown():
                self.stopped = f"no answer to a mail: {outcome.reply}"
            case Later() if line.broke and not line.accepted:
                self.stopped = f"the line broke at once: {outcome.reply}"
        return outcome

    async def _ready_line(self) -> _Line:
        line = self.line
        if line is not None and line.usable and line.mails < self.mails_per_connection:
            return line
        await self._quit()
        self.line = _Line(await self.open())
        return self.line

    async def _quit(self) -> None:
        line, self.line = self.line, None
        if line is None:
            return
        if line.usable:
            try:
                await line.command(b"QUIT", timeout_s=min(5.0, self.command_timeout_s))
            except _LOST:
                pass  # every outcome is known by now
        drop(line.smtp)

    async def _transact(self, line: _Line, parcel: Parcel, ready: Ready) -> Outcome:
        line.mails += 1
        phase = "mail"
        try:
            for phase, words in (
                ("mail", (b"MAIL", *ready.mail_from)),
                ("rcpt", (b"RCPT", *ready.rcpt_to)),
                ("data", (b"DATA",)),
            ):
                reply = await line.command(*words, timeout_s=self.command_timeout_s)
                if phase == "mail" and reply.code in _LOGIN_MISSING:
                    raise LoginRefused(_text(reply))
                if not (reply.code == 354 if phase == "data" else reply.code // 100 == 2):
                    return await self._refused(line, phase, reply)
        except _LOST as exc:
            return Later(phase, _why(exc))
        return await self._send_body(line, parcel, ready)

    async def _refused(self, line: _Line, phase: str, reply: aiosmtplib.SMTPResponse) -> Outcome:
        """The outcome of a no before the body; the connection is made ready for the next mail."""
        if reply.code // 100 in (4, 5) and reply.code != 421 and line.usable:
            try:
                reset = await line.command(b"RSET", timeout_s=self.command_timeout_s)
                if reset.code // 100 != 2:
                    line.end(broke=False)
            except _LOST:
                pass
        else:
            line.end(broke=True)  # closing down, or nobody can tell what the server means
        return Refused(phase, _text(reply)) if reply.code // 100 == 5 else Later(phase, _text(reply))

    async def _send_body(self, line: _Line, parcel: Parcel, ready: Ready) -> Outcome:
        if not self.before_body(parcel):
            line.end(broke=False)
            return Later("data", "stopped before the body")
        await asyncio.sleep(0)  # a line that broke meanwhile is noticed here, while nothing has been sent
        protocol = line.smtp.protocol
        if protocol is None or not line.usable:
            line.end(broke=True)
            return Later("data", "the line broke before the body")
        try:
            protocol.write(ready.body)
        except aiosmtplib.SMTPServerDisconnected as exc:  # raised before anything is written
            line.end(broke=True)
            return Later("data", _why(exc))
        try:
            reply = await protocol.read_response(timeout=self.answer_timeout_s)
        except _LOST as exc:
            line.end(broke=True)
            return Unknown("body", _why(exc))
        match reply.code // 100:
            case 2:
                return Accepted(_text(reply))
            case 4 if reply.code != 421:
                return Later("dot", _text(reply))
            case 5:
                return Refused("dot", _text(reply))
            case _:  # 421 should mean "not taken", but some servers have taken it
                line.end(broke=True)
                return Unknown("dot", _text(reply))


def _text(reply: aiosmtplib.SMTPResponse) -> str:
    message = reply.message.encode("utf-8", "replace").decode("utf-8", "replace")
    return f"{reply.code} {' '.join(message.split())}"[:500]


def _why(exc: BaseException) -> str:
    return f"{type(exc).__name__}: {exc}"[:500]
