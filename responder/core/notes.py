"""Writes a note to staff as a mail of its own, threaded to the buyer's mail. Notes never stand in a draft."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from responder.core import headers
from responder.core.addresses import clean
from responder.core.wording import Catalog
from responder.model import Address, Identity, Language, Reason

EXCERPT_CHARACTERS = 1500


@dataclass(frozen=True, slots=True)
class Told:
    """What a note tells of a draft, in words: lines of what to do first, lines worth knowing, and the draft's text in
    the shop's own language, introduced by `gloss_title`."""

    to_do: tuple[str, ...] = ()
    to_know: tuple[str, ...] = ()
    gloss_title: str = ""
    gloss: str = ""


_NOTHING = Told()


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
    told: Told = _NOTHING,
    to: str | None = None,
) -> bytes:
    """The note's bytes (RFC 5322, UTF-8). `note` names subject and text in the catalog, `reasons` follow as a list,
    `excerpt` is the buyer's text, quoted; it is a value and never read as anything else. `told` is what
    concerns the draft it is about.

    With `to` it is a mail to that address and has no From yet: `from_line` is put before it once it is known which
    account sends it."""
    args = _in_words(note, wording, language)
    lines = [wording.text(f"note.{note.code}", language, **args).rstrip()]
    if told.to_do:
        lines += [] if note.code == "draft_note" else ["", wording.text("note.note_to_do", language)]
        lines += told.to_do
    if told.to_know:
        lines += ["", *told.to_know]
    if told.gloss:
        lines += ["", told.gloss_title, "", *(f"| {clean(line)}".rstrip() for line in told.gloss.splitlines())]
    if reasons:
        lines += ["", wording.text("note.note_because", language)]
        lines += [f"- {wording.reason(reason, language)}" for reason in reasons]
    if excerpt.strip():
        cut = excerpt.strip()[:EXCERPT_CHARACTERS]
        lines += ["", wording.text("note.note_excerpt", language)]
        lines += [f"> {clean(line)}" for line in cut.splitlines()]
    subject = wording.text(f"note.{note.code}_subject", language, **args)
    body = base64.encodebytes(("\n".join(lines) + "\n").encode("utf-8", "replace")).replace(b"\n", b"\r\n")
    thread = headers.chain(tuple(references), in_reply_to) if in_reply_to else ()
    head = [
        from_line(identity) if to is None else b"",
        headers.mailboxes("To", (Address("", to or identity.address),)),
        headers.subject(headers.shortened(clean(subject), headers.MAX_SUBJECT)),
        headers.date(now),
        headers.ids("Message-ID", (message_id,)),
        headers.ids("In-Reply-To", (in_reply_to,)) if in_reply_to else b"",
        headers.ids("References", thread) if thread else b"",
        b"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n",
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    ]
    return b"".join(head) + body


def from_line(identity: Identity) -> bytes:
    """The From field of a note."""
    return headers.mailboxes("From", (Address("responder", identity.address),))


def _in_words(note: Reason, wording: Catalog, language: Language) -> dict[str, str]:
    """The note's values as staff read them: situations stand as codes until here."""
    values = dict(note.args)
    if "situation" in values and wording.has(f"label.situation_{values['situation']}"):
        values["situation"] = wording.text(f"label.situation_{values['situation']}", language)
    return values
