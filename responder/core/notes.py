"""Writes a note to staff as a mail of its own, threaded to the buyer's mail. Notes never stand in a draft."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from email.header import Header
from email.message import Message as EmailMessage
from email.utils import format_datetime, formataddr

from responder.core.addresses import clean
from responder.core.wording import Catalog
from responder.model import Identity, Language, Reason

EXCERPT_CHARACTERS = 1500


def note_bytes(
    note: Reason,
    *,
    identity: Identity,
    language: Language,
    wording: Catalog,
    message_id: str,
    in_reply_to: str | None,
    references: Sequence[str],
    reasons: Sequence[Reason],
    excerpt: str,
    now: datetime,
) -> bytes:
    """The note's bytes (RFC 5322, UTF-8). `note` names subject and text in the catalog, `reasons` follow as a list,
    `excerpt` is the buyer's text, quoted; it is a value and never read as anything else."""
    args = _in_words(note, wording, language)
    lines = [wording.text(f"note.{note.code}", language, **args)]
    if reasons:
        lines += ["", wording.text("note.note_because", language)]
        lines += [f"- {wording.reason(reason, language)}" for reason in reasons]
    if excerpt.strip():
        cut = excerpt.strip()[:EXCERPT_CHARACTERS]
        lines += ["", wording.text("note.note_excerpt", language)]
        lines += [f"> {clean(line)}" for line in cut.splitlines()]
    message = EmailMessage()
    message["From"] = formataddr((str(Header("responder", "us-ascii")), identity.address))
    message["To"] = identity.address
    subject = clean(wording.text(f"note.{note.code}_subject", language, **args))[:200]
    message["Subject"] = Header(subject, "utf-8").encode()
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id
    if in_reply_to:
        message["In-Reply-To"] = in_reply_to
        message["References"] = " ".join([*references, in_reply_to][-20:])
    message["Auto-Submitted"] = "auto-generated"
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = "text/plain; charset=utf-8"
    message["Content-Transfer-Encoding"] = "base64"
    body = "\n".join(lines) + "\n"
    message.set_payload(base64.encodebytes(body.encode("utf-8", "replace")).decode("ascii"))
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _in_words(note: Reason, wording: Catalog, language: Language) -> dict[str, str]:
    """The note's values as staff read them: situations and what a rule wants done stand as codes until here."""
    values = dict(note.args)
    if "situation" in values and wording.has(f"label.situation_{values['situation']}"):
        values["situation"] = wording.text(f"label.situation_{values['situation']}", language)
    if "note" in values:
        values["note"] = wording.text(values["note"], language)
    return values
