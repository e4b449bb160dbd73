"""The staff of a played month: in their hours they look through Drafts and the notes, and do what such people do."""

from __future__ import annotations

import random
import re
import smtplib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, make_msgid

from imapclient import IMAPClient

from bench.month.letters import SHOP, matter_of
from bench.month.place import APPROVED, DRAFTS, NOTES, SENT, TRASH, Place
from tests.journeys.shop import header_of, subject_of, text_of

_BLANK = re.compile(r"【要確認: ([^】]*)】")
_FILLED = {
    "品切れの理由": "メーカーでの生産が終了したためでございます。",
    "再入荷の予定日": "7月20日",
    "新しい発送予定日": "7月20日",
    "発送予定日": "7月20日",
    "遅れている理由と現在の状況": "配送会社の集荷が止まっております。",
}

SIGNED = "担当の佐藤が承りました。"
FILLED = tuple(words for words in _FILLED.values() if len(words) > 10)


@dataclass
class Staff:
    """Who approves, edits, discards and answers by hand, as the dice of the play say; what they did is counted."""

    place: Place
    chance: random.Random
    did: Counter[str] = field(default_factory=Counter)
    approvals: int = 0
    promised: set[str] = field(default_factory=set)
    """Buyers' mails to which a holding reply was approved at this sitting: the answer itself has its time later."""
    discarded: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    closed: dict[str, datetime] = field(default_factory=dict)
    """When a buyer's mail was answered where no mail server sees it, or in their own words; by its Message-ID."""

    @property
    def client(self) -> IMAPClient:
        return self.place.client

    def session(self) -> None:
        """An hour at the desk: the drafts first, then what waits for a person."""
        self.promised.clear()
        self._drafts()
        self._notes()

    def _drafts(self) -> None:
        self.client.select_folder(DRAFTS)
        found = self.client.fetch(self.client.search("UNDELETED"), ["BODY.PEEK[]"])
        for uid, entry in sorted(found.items()):
            raw = entry[b"BODY[]"]
            dice = self.chance.random()
            if matter_of(subject_of(raw)) == "holding":
                self.promised.add(header_of(raw, "In-Reply-To"))
            if "paste@" in header_of(raw, "To"):
                if _BLANK.search(_ours(text_of(raw))):
                    uid = self._edit(uid, raw)
                self._close(raw)
                self._move(uid, SENT, "pasted")
            elif _BLANK.search(_ours(text_of(raw))):
                self._move(self._edit(uid, raw), APPROVED, "filled in and approved")
            elif dice < 0.72:
                self._move(uid, APPROVED, "approved")
            elif dice < 0.82:
                self._move(self._edit(uid, raw), APPROVED, "edited and approved")
            elif dice < 0.87:
                self.discarded.append(header_of(raw, "Message-ID"))
                self._move(uid, TRASH, "discarded")
            elif dice < 0.94:
                self._close(raw)
                self._answer(raw, "承知いたしました。担当の佐藤よりご連絡いたします。")
                self._remove(uid)
                self.did["answered by themselves"] += 1
            else:
                self.did["left for later"] += 1

    def _notes(self) -> None:
        """Held mails: most are answered from the mail client, some elsewhere, which the note says in Sent."""
        self.client.select_folder(NOTES)
        found = self.client.fetch(self.client.search("UNSEEN"), ["BODY.PEEK[]"])
        for uid, entry in sorted(found.items()):
            raw = entry[b"BODY[]"]
            if subject_of(raw).startswith("お電話のお願い"):
                self.client.move([uid], SENT)
                self.did["called"] += 1
                continue
            if not subject_of(raw).startswith("ご対応をお願いします"):
                self.client.add_flags([uid], [b"\\Seen"])
                self.did["notes read"] += 1
                continue
            if header_of(raw, "In-Reply-To") in self.promised:
                continue
            self._close(raw)
            self.client.move([uid], SENT)
            self.did["held mails settled"] += 1

    def _close(self, raw: bytes) -> None:
        self.closed.setdefault(header_of(raw, "In-Reply-To"), self.place.now)

    def _move(self, uid: int, mailbox: str, what: str) -> None:
        self.client.select_folder(DRAFTS)
        self.client.move([uid], mailbox)
        self.did[what] += 1
        self.approvals += mailbox == APPROVED

    def _remove(self, uid: int) -> None:
        self.client.select_folder(DRAFTS)
        self.client.delete_messages([uid])
        self.client.expunge([uid])

    def _edit(self, uid: int, raw: bytes) -> int:
        """Save the draft as a mail client does: a new mail, the old one goes."""
        mail = EmailMessage()
        for name in ("From", "To", "Subject", "In-Reply-To", "References"):
            if value := header_of(raw, name):
                mail[name] = subject_of(raw) if name == "Subject" else value
        mail["Date"] = format_datetime(self.place.now)
        mail["Message-ID"] = make_msgid(domain="client.example")
        text = _BLANK.sub(lambda found: _FILLED.get(found[1], "担当より別途ご連絡いたします"), text_of(raw))
        mail.set_content(f"{text.rstrip()}\n\n{SIGNED}\n", cte="8bit")
        self.client.select_folder(DRAFTS)
        answer = self.client.append(DRAFTS, mail.as_bytes(), [b"\\Seen", b"\\Draft"])
        self._remove(uid)
        new = re.search(rb"APPENDUID \d+ (\d+)", answer)
        assert new is not None
        return int(new[1])

    def _answer(self, raw: bytes, text: str) -> None:
        """Write to the buyer of a draft from the mail client: submitted there, filed there."""
        mail = EmailMessage()
        for name in ("From", "To", "In-Reply-To", "References"):
            if value := header_of(raw, name):
                mail[name] = value
        mail["Subject"] = f"Re: {subject_of(raw)}"
        mail["Date"] = format_datetime(self.place.now)
        mail["Message-ID"] = make_msgid(domain="client.example")
        mail.set_content(f"{text}\n", cte="8bit")
        self.own.append(str(mail["Message-ID"]))
        to = [address for _, address in getaddresses([header_of(raw, "To")])]
        sink = self.place.sink
        with smtplib.SMTP("127.0.0.1", sink.port) as smtp:
            smtp.login("shop", sink.password)
            smtp.sendmail(SHOP, to, mail.as_bytes())
        self.client.append(SENT, mail.as_bytes(), [b"\\Seen"])


def _ours(text: str) -> str:
    """The words above what is quoted."""
    return "\n".join(line for line in text.splitlines() if not line.startswith(">"))
