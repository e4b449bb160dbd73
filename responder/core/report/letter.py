"""The report as a mail to staff: what to look at as text, the page as an attachment."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import date, datetime

from responder.core import headers
from responder.core.addresses import clean
from responder.core.notes import from_line
from responder.core.report.sheets import Words
from responder.model import Address, Identity


def report_mail(
    page: str,
    look_at: Sequence[str],
    words: Words,
    *,
    shop: str,
    first: date,
    last: date,
    identity: Identity,
    message_id: str,
    now: datetime,
) -> bytes:
    """The mail's bytes (RFC 5322, RFC 2046). `look_at` are the lines that need somebody."""
    lines = [words.text("mail_body", first=first, last=last), ""]
    lines += [words.text("mail_to_do"), *(f"- {clean(line)}" for line in look_at)] if look_at else []
    lines += [] if look_at else [words.text("mail_nothing")]
    raw = page.encode("utf-8", "replace")
    border = f"=_{hashlib.sha256(raw).hexdigest()[:32]}"
    name = f"report-{first}-{last}.html"
    text = _part(("Content-Type: text/plain; charset=utf-8",), ("\n".join(lines) + "\n").encode("utf-8", "replace"))
    attached = _part(
        (
            f'Content-Type: text/html; charset=utf-8; name="{name}"',
            f'Content-Disposition: attachment; filename="{name}"',
        ),
        raw,
    )
    head = [
        from_line(identity),
        headers.mailboxes("To", (Address("", identity.address),)),
        headers.subject(clean(words.text("mail_subject", shop=shop, first=first, last=last))),
        headers.date(now),
        headers.ids("Message-ID", (message_id,)),
        b"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n",
        f'Content-Type: multipart/mixed; boundary="{border}"\r\n\r\n'.encode(),
    ]
    between = f"--{border}\r\n".encode()
    return b"".join(head) + between + text + between + attached + f"--{border}--\r\n".encode()


def _part(fields: Sequence[str], raw: bytes) -> bytes:
    head = "".join(f"{field}\r\n" for field in (*fields, "Content-Transfer-Encoding: base64"))
    return head.encode() + b"\r\n" + base64.encodebytes(raw).replace(b"\n", b"\r\n")
