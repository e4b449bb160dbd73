"""Opening an IMAP connection: TCP, TLS, login. No credential leaves before the peer is proven.

Never logs and never keeps a password; no mode goes on without TLS, except `none` to this machine.
"""

from __future__ import annotations

import contextlib
import imaplib
import socket
import ssl
from collections.abc import Callable
from typing import Any

from imapclient import IMAPClient, SocketTimeout

from responder.edges.imap.wire import Wire, refusal
from responder.edges.tls import certificate_error, is_loopback, verifying_context
from responder.errors import CertificateRefused, CommandRefused, ConnectionLost, LoginRefused, ResponderError
from responder.model import Server

_TRY_LATER = frozenset({"UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT"})
"""Response codes of a refused login that speak of the server, not of the password (RFC 5530)."""
_TOO_MANY = ("too many", "try again", "temporar", "unavailable", "maximum number of connections")
"""What servers without response codes write instead (Gmail, Courier, Microsoft 365)."""


def open_wire(
    server: Server, secret: Callable[[], str], *, connect_timeout_s: float, read_timeout_s: float
) -> tuple[Wire, frozenset[str]]:
    """A logged-in connection and what it can do. `secret` gives the password or the access token.

    Raises: ConnectionLost, CertificateRefused (also: STARTTLS not offered, plaintext to another machine, PREAUTH),
    LoginRefused, and whatever `secret` raises.
    """
    client = _connected(server, connect_timeout_s, read_timeout_s)
    try:
        _secured(client, server)
        _tuned(client._imap.sock)
        password = secret()
        _logged_in(client, server, password)
        getattr(client._imap, "_cmd_log", {}).clear()  # imaplib remembers the last commands, the password with them
        wire = Wire(client, read_timeout_s)
        capabilities = _capabilities(wire)
    except BaseException as exc:  # whatever it is, a half-open connection is closed; told apart below
        with contextlib.suppress(OSError):
            client._imap.shutdown()
        if isinstance(exc, ResponderError):
            raise
        if isinstance(exc, OSError | imaplib.IMAP4.error | UnicodeDecodeError):
            raise _translated(exc) from exc
        raise
    return wire, capabilities


def _connected(server: Server, connect_timeout_s: float, read_timeout_s: float) -> Any:
    timeout = SocketTimeout(connect_timeout_s, read_timeout_s)
    implicit = server.tls == "implicit"
    context = verifying_context(server.ca_file) if implicit else None
    try:
        client: Any = IMAPClient(server.host, server.port, ssl=implicit, ssl_context=context, timeout=timeout)
    except (OSError, imaplib.IMAP4.error, UnicodeError) as exc:
        raise _translated(exc) from exc
    # IMAPClient sets 5: imaplib then writes out every literal it reads, seven times the cost of a fetch.
    client._imap.debug = 0
    client.normalise_times = False
    return client


def _secured(client: Any, server: Server) -> None:
    """Be sure whom we talk to before anything is said."""
    if client._imap.state != "NONAUTH":
        raise CertificateRefused("the server logged us in by itself (PREAUTH)")
    if server.tls == "none" and not is_loopback(client._imap.sock.getpeername()):
        raise CertificateRefused("without TLS only to this machine")
    if server.tls == "starttls":
        if not client.has_capability("STARTTLS"):
            raise CertificateRefused("STARTTLS is not offered")
        client.starttls(verifying_context(server.ca_file))
        client._imap.untagged_responses = {}  # nothing said in plaintext counts any more (RFC 2595 3.1)
    if server.tls != "none" and not isinstance(client._imap.sock, ssl.SSLSocket):
        raise CertificateRefused("TLS is not there")


def _tuned(sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # imaplib sends a command in two writes
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 120), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):  # macOS and Windows lack some
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)


def _logged_in(client: Any, server: Server, password: str) -> None:
    user = server.username
    client._imap.untagged_responses = {}  # or capabilities told before the login would be taken for those after it
    if any(ord(c) < 32 or ord(c) == 127 for c in user + password):
        raise LoginRefused("control characters in user name or password")
    try:
        if server.auth == "xoauth2":
            answers = iter((f"user={user}\1auth=Bearer {password}\1\1",))
            # A refusal comes as one more challenge, to be answered with nothing before the NO arrives.
            client._imap.authenticate("XOAUTH2", lambda _challenge: next(answers, ""))
        elif (user + password).isascii() and not client.has_capability("LOGINDISABLED"):
            quoted = user.replace("\\", "\\\\").replace('"', '\\"')
            client._imap.login(f'"{quoted}"', password)
        elif client.has_capability("AUTH=PLAIN"):
            client._imap.authenticate("PLAIN", lambda _challenge: f"\0{user}\0{password}")
        else:
            raise LoginRefused("neither LOGIN nor AUTH=PLAIN can be used for this user name and password")
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as exc:
        raise _login_error(exc) from exc


def _login_error(exc: imaplib.IMAP4.error) -> ResponderError:
    reason = exc.args[0] if exc.args else ""
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    refused = refusal("LOGIN", text)
    if refused.code in _TRY_LATER or (not refused.code and any(words in text.lower() for words in _TOO_MANY)):
        return ConnectionLost(f"login put off: {text}")
    return LoginRefused(text)


def _capabilities(wire: Wire) -> frozenset[str]:
    try:
        names = frozenset(str(name, "ascii", "replace").upper() for name in wire.client.capabilities())
    except imaplib.IMAP4.error as exc:
        raise _translated(exc) from exc
    if "ID" in names:
        # Coremail (163.com, 126.com) opens no mailbox for a client that has not named itself.
        with contextlib.suppress(CommandRefused):
            wire.ask("ID", '("name" "responder")')
    return names


def _translated(exc: BaseException) -> ResponderError:
    refused = certificate_error(exc)
    return CertificateRefused(refused) if refused else ConnectionLost(f"{type(exc).__name__}: {exc}")
