"""Opening an SMTP connection: TCP, TLS, EHLO, AUTH. No credential leaves before the peer is proven.

Never logs and never keeps a password; no mode goes on without TLS, except `none` to this machine.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import aiosmtplib

from responder.edges.tls import certificate_error, is_loopback, verifying_context
from responder.errors import CertificateRefused, ConnectionLost, LoginRefused, ResponderError
from responder.model import Server

_METHODS = ("plain", "login", "cram-md5")
_NOT_THIS_WAY = frozenset({500, 501, 502, 503, 504})
"""Answers to AUTH that refuse the mechanism, not the password."""


async def open_smtp(
    server: Server, secret: Callable[[], str], *, local_hostname: str, timeout_s: float
) -> aiosmtplib.SMTP:
    """A connection ready for MAIL. `secret` gives the password or the access token; it is not asked for where
    nobody logs in.

    Raises: ConnectionLost, CertificateRefused, LoginRefused, and whatever `secret` raises.
    """
    smtp = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        local_hostname=local_hostname,
        timeout=timeout_s,
        use_tls=server.tls == "implicit",
        start_tls=server.tls == "starttls",  # never None: that goes on in plaintext where STARTTLS is stripped
        tls_context=None if server.tls == "none" else verifying_context(server.ca_file),
    )
    try:
        await smtp.connect()
        if server.tls == "none" and not is_loopback(smtp.get_transport_info("peername")):
            raise CertificateRefused("without TLS only to this machine")
        if server.tls != "none" and smtp.get_transport_info("sslcontext") is None:
            raise CertificateRefused("TLS is not there")
        await _greeted(smtp)
        await _logged_in(smtp, server, secret)
    except (aiosmtplib.SMTPException, OSError, UnicodeError) as exc:
        drop(smtp)
        raise _translated(exc) from exc
    except BaseException:  # cancelled, or a fault of ours: no connection may outlive it
        drop(smtp)
        raise
    return smtp


def try_login(server: Server, secret: Callable[[], str], *, local_hostname: str, timeout_s: float = 30) -> None:
    """Log in and go away again; sends nothing. Not to be called from inside an event loop.

    Raises: as `open_smtp`.
    """

    async def attempt() -> None:
        smtp = await open_smtp(server, secret, local_hostname=local_hostname, timeout_s=timeout_s)
        try:
            await smtp.quit()
        except (aiosmtplib.SMTPException, OSError):
            pass  # the login is what was asked for
        finally:
            drop(smtp)
            await asyncio.sleep(0)

    asyncio.run(attempt())


def drop(smtp: aiosmtplib.SMTP) -> None:
    """Close the connection at once, whatever is still on its way."""
    transport = smtp.transport
    if transport is not None:
        abort = getattr(transport, "abort", transport.close)
        abort()
    smtp.close()


async def _greeted(smtp: aiosmtplib.SMTP) -> None:
    if not smtp.is_ehlo_or_helo_needed:
        return
    try:
        await smtp.ehlo()
    except aiosmtplib.SMTPHeloError as exc:
        if exc.code < 500 or not smtp.is_connected:
            raise
        await smtp.helo()


async def _logged_in(smtp: aiosmtplib.SMTP, server: Server, secret: Callable[[], str]) -> None:
    if not server.username:
        return
    if not smtp.supports_extension("auth"):
        if server.tls == "none":
            return  # a relay on this machine knows us by our address
        raise LoginRefused("the server offers no AUTH")
    offered = [name.lower() for name in smtp.server_auth_methods]
    try:
        if server.auth == "xoauth2":
            if "xoauth2" not in offered:
                raise LoginRefused("the server offers no XOAUTH2")
            await smtp.auth_xoauth2(server.username, secret())
            return
        methods = [name for name in _METHODS if name in offered]
        if not methods:
            raise LoginRefused(f"no way to log in among {', '.join(offered) or 'none'}")
        await _with_password(smtp, methods, server.username, secret())
    except aiosmtplib.SMTPAuthenticationError as exc:
        text = f"{exc.code} {exc.message}"
        raise (LoginRefused(text) if 500 <= exc.code < 600 else ConnectionLost(f"login put off: {text}")) from exc


async def _with_password(smtp: aiosmtplib.SMTP, methods: list[str], username: str, password: str) -> None:
    for method in methods:
        try:
            if method == "plain":
                await smtp.auth_plain(username, password)
            elif method == "login":
                await smtp.auth_login(username, password)
            else:
                await smtp.auth_crammd5(username, password)
            return
        except aiosmtplib.SMTPAuthenticationError as exc:
            # One wrong password is enough: more tries would lock the account.
            if exc.code not in _NOT_THIS_WAY or method == methods[-1]:
                raise


def _translated(exc: BaseException) -> ResponderError:
    refused = certificate_error(exc)
    if refused:
        return CertificateRefused(refused)
    if type(exc) is aiosmtplib.SMTPException and "STARTTLS" in exc.message:
        return CertificateRefused("STARTTLS is not offered")
    if isinstance(exc, ssl.CertificateError):
        return CertificateRefused(str(exc))
    return ConnectionLost(f"{type(exc).__name__}: {exc}")
