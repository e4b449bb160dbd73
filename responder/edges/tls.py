"""TLS as both mail edges use it: always verifying, and plaintext only to this machine.

Never offers a way to switch verification off.
"""

from __future__ import annotations

import functools
import ipaddress
import os
import ssl

from responder.errors import CertificateRefused


def verifying_context(ca_file: str | None) -> ssl.SSLContext:
    """A client context that checks certificate and host name; `ca_file` replaces the system's store.

    Contexts are shared, since each one holds its own copy of the certificate store (half a megabyte); a changed
    `ca_file` gets a new one.

    Raises: CertificateRefused if `ca_file` cannot be read or holds no certificate.
    """
    try:
        return _context(ca_file, os.stat(ca_file).st_mtime_ns if ca_file else 0)
    except OSError as exc:  # ssl.SSLError (no certificate inside) is one, too
        raise CertificateRefused(f"ca_file {ca_file}: {exc}") from exc


@functools.lru_cache(maxsize=32)
def _context(ca_file: str | None, _changed_ns: int) -> ssl.SSLContext:
    return ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca_file)


def is_loopback(peer: object) -> bool:
    """True if a connected socket's peer name is this machine."""
    if not isinstance(peer, tuple) or not peer:
        return False
    try:
        address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def certificate_error(exc: BaseException | None) -> str | None:
    """Why TLS itself failed for good, read from an error and its causes, or None if it was something else.

    A plaintext server on a TLS port counts: TLS was asked for and is not there.
    """
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        if isinstance(exc, ssl.SSLCertVerificationError):
            return exc.verify_message or str(exc)
        if isinstance(exc, ssl.SSLError) and exc.reason in ("WRONG_VERSION_NUMBER", "UNSUPPORTED_PROTOCOL"):
            return f"no usable TLS on this port ({exc.reason})"
        exc = exc.__cause__ or exc.__context__
    return None
