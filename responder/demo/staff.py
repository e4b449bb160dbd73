r"""The played staff: they work in the shop's mailbox with a mail client, the way real clients do it.

Thunderbird saves an edited draft as a new mail with a new Message-ID and without unknown headers and expunges the old
one; others approve by COPY and leave the source; a client that sends sets no `\Answered`.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import Message as EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from types import TracebackType
from typing import Self

from imapclient import IMAPClient

from responder.demo.reading import field_of
from responder.demo.servers import Stored
from responder.model import Server

CLIENT = "Mozilla Thunderbird"
KEPT = ("From", "To", "Subject", "In-Reply-To", "References")


@dataclass(frozen=True, slots=True)
class Folders:
    """The mailboxes staff work in."""

    drafts: str
    approved: str
    sent: str
    trash: str
    notes: str


class Staff:
    """Logged in to the shop's mailbox. `made` collects the Message-IDs their client made."""

    def __init__(
        self, imap: Server, smtp: Server, password: str, folders: Folders, clock: Callable[[], datetime]
    ) -> None:
        self.made: set[str] = set()
        self._smtp = smtp
        self._password = password
        self._folders = folders
        self._clock = clock
        self._client = IMAPClient(imap.host, imap.port, ssl=False)
        self._client.login(imap.username, password)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._client.shutdown()

    def approve(self, draft: Stored) -> None:
        """Move a draft to the approval mailbox, as most clients do."""
        self._client.select_folder(self._folders.drafts)
        self._client.move([draft.uid], self._folders.approved)

    def approve_by_copy(self, draft: Stored) -> None:
        """Copy a draft to the approval mailbox; the source stays where it is, as NeoMutt leaves it until it syncs."""
        self._client.select_folder(self._folders.drafts)
        self._client.copy([draft.uid], self._folders.approved)

    def delete(self, draft: Stored) -> None:
        """Move a draft to Trash."""
        self._client.select_folder(self._folders.drafts)
        self._client.move([draft.uid], self._folders.trash)

    def save(self, draft: Stored, text: str) -> str:
        """Open a draft, change its text and save it, as Thunderbird does; the new Message-ID comes back."""
        headers = {name: field_of(draft.raw, name) for name in KEPT}
        private = {"X-Mozilla-Draft-Info": "internal/draft; vcard=0; receipt=0; DSN=0", "X-Identity-Key": "id1"}
        private |= {"Fcc": f"imap://shop@127.0.0.1/{self._folders.sent}"}
        saved, message_id = self._written(headers, text, private)
        self._client.select_folder(self._folders.drafts)
        self._client.append(self._folders.drafts, saved, [b"\\Draft"], self._clock())
        self._client.add_flags([draft.uid], [b"\\Seen", b"\\Deleted"])
        self._client.expunge([draft.uid])
        return message_id

    def send_by_themselves(self, draft: Stored, text: str) -> str:
        """Open a draft, write something else and press Send: SMTP, a copy in Sent, the draft expunged."""
        headers = {name: field_of(draft.raw, name) for name in KEPT}
        raw, message_id = self._written(headers, text, {})
        with smtplib.SMTP(self._smtp.host, self._smtp.port, timeout=30) as server:
            server.login(self._smtp.username, self._password)
            sender, recipient = (parseaddr(headers[name])[1] for name in ("From", "To"))
            server.sendmail(sender, [recipient], raw)
        self._client.select_folder(self._folders.drafts)
        self._client.append(self._folders.sent, raw, [b"\\Seen"], self._clock())
        self._client.add_flags([draft.uid], [b"\\Deleted"])
        self._client.expunge([draft.uid])
        return message_id

    def _written(self, headers: Mapping[str, str], text: str, private: Mapping[str, str]) -> tuple[bytes, str]:
        mail = EmailMessage()
        message_id = make_msgid(domain="client.example")
        self.made.add(message_id)
        for name, value in private.items():
            mail[name] = value
        mail["Message-ID"] = message_id
        mail["Date"] = format_datetime(self._clock())
        mail["MIME-Version"] = "1.0"
        mail["User-Agent"] = CLIENT
        for name, value in headers.items():
            if value:
                mail[name] = value
        mail["Content-Type"] = "text/plain; charset=UTF-8; format=flowed"
        mail["Content-Transfer-Encoding"] = "8bit"
        # RFC 3676 4.4: a client that writes flowed text puts a blank before lines that could be misread.
        stuffed = "\n".join(f" {line}" if line.startswith((" ", "From ")) else line for line in text.split("\n"))
        raw = mail.as_bytes() + stuffed.encode() + b"\n"
        return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), message_id


def with_paragraph(text: str, added: str, before: str) -> str:
    """The text with a paragraph before the one that begins with `before`, else at the end of our own words."""
    ours, quote, quoted = text.partition("\n>")
    paragraphs = ours.rstrip().split("\n\n")
    places = [number for number, paragraph in enumerate(paragraphs) if paragraph.startswith(before)]
    at = places[-1] if places else len(paragraphs) - bool(quote)
    return "\n\n".join([*paragraphs[:at], added, *paragraphs[at:]]) + quote + quoted
