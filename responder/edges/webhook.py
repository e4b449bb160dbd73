"""One POST of JSON to an address the shop configured, and what became of it. Never repeats anything, and follows no
redirect."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from responder.edges.tls import verifying_context
from responder.errors import CertificateRefused
from responder.model import Accepted, Later, Outcome, Refused, Unknown

TIMEOUT_S = 15.0


def post(url: str, body: bytes, *, timeout_s: float = TIMEOUT_S) -> Outcome:
    """The outcome of posting these bytes: accepted by a 2xx, refused by a 3xx or 4xx, later if nobody could be reached,
    unknown if anything else happened once the request was on its way. Certificates are verified."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection: HTTPConnection
    try:
        if parts.scheme == "https":
            connection = HTTPSConnection(host, parts.port, timeout=timeout_s, context=verifying_context(None))
        else:
            connection = HTTPConnection(host, parts.port, timeout=timeout_s)
        connection.connect()
    except (OSError, ValueError, HTTPException, CertificateRefused) as exc:
        return Later("connect", _why(exc))
    try:
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        headers = {"Content-Type": "application/json", "User-Agent": "responder", "Connection": "close"}
        connection.request("POST", target, body=body, headers=headers)
        status = connection.getresponse().status
    except (OSError, ValueError, HTTPException) as exc:
        return Unknown("answer", _why(exc))
    finally:
        connection.close()
    if 200 <= status < 300:
        return Accepted(f"HTTP {status}")
    if 300 <= status < 500:
        return Refused("answer", f"HTTP {status}")
    return Unknown("answer", f"HTTP {status}")


def _why(exc: BaseException) -> str:
    """The error in one short line that holds nothing of the address: it may be a secret."""
    detail = exc.strerror if isinstance(exc, OSError) and exc.strerror else ""
    return f"{type(exc).__name__}: {detail}"[:200].removesuffix(": ")
