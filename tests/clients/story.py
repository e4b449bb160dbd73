"""One buyer's mail, one draft, one client of the staff, and the daemon taking a turn after every word the client says.

What a story asserts is what is left on the servers: the mailboxes and the mails the SMTP server accepted.
"""

from __future__ import annotations

import email
import smtplib
from dataclasses import dataclass, field, replace

from responder.demo.servers import Stored
from tests.clients.client import Client, habits
from tests.clients.wire import Line
from tests.journeys.by_hand import ByHand
from tests.journeys.shop import BUYER, Shop, header_of, text_of
from tests.servers.dovecot import PASSWORD

ORDER = "1042"
ASKS = "注文番号1042をキャンセルしてください。よろしくお願いします。"
TYPED = "担当の佐藤が承りました。"
MAY_LEAVE = {
    *("from", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version"),
    *("content-type", "content-transfer-encoding"),
}


@dataclass
class Story:
    """The shop at work by hand, with one draft in the window of the client named. `by_star`: a star approves there;
    `mortal`: the daemon is killed after every turn, and starts again for the next."""

    shop: Shop
    client_name: str
    by_star: bool = False
    mortal: bool = False
    hand: ByHand = field(init=False)
    client: Client = field(init=False)
    asked: str = field(init=False)
    draft: Stored = field(init=False)

    def __post_init__(self) -> None:
        self.shop.order(ORDER)
        self.hand = ByHand(self.shop)
        if self.by_star:
            (account,) = self.hand.settings.accounts
            account = replace(account, approve_by_flag=True, flag_quiet_s=60.0)
            self.hand.settings = replace(self.hand.settings, accounts=(account,))
            self.hand.die()
        self.asked = self.shop.buyer_writes(ASKS)
        for _ in range(5):
            self.hand.turn()  # a server may tell of new mail in its selected mailbox a moment late
            if self.shop.drafts():
                break
        (self.draft,) = self.shop.drafts()
        server = self.shop.server.imap(self.shop.user)
        line = Line(server.host, server.port, self.shop.user, PASSWORD)
        self.client = Client(habits(self.client_name), line, self._submit, self.look)
        if self.mortal:
            self.hand.die()
        self.client.load(self.draft.uid, self.draft.raw)

    def close(self) -> None:
        """Hang up."""
        if hasattr(self, "client"):
            self.client.line.close()
        self.hand.close()

    # --- what happens -----------------------------------------------------------------------------------------------

    def look(self, after_s: float = 0.05) -> None:
        """The daemon looks at the mailboxes, a blink later."""
        self.hand.turn(after_s=after_s)
        self.hand.send()
        if self.mortal:
            self.hand.die()

    def do(self, *acts: str) -> None:
        """The client does these things one after the other."""
        for act in acts:
            self.client.do(act)

    def type(self, words: str = TYPED) -> None:
        """Staff write a paragraph on top of what stands in the window."""
        self.client.text = f"{words}\n\n{self.client.text}"

    def wait(self, seconds: float) -> None:
        """So many seconds go by, with a turn of the daemon in them and a few at their end."""
        self.look(seconds / 2)
        self.look(seconds / 2 - 0.2)
        for _ in range(2):
            self.look(0.1)

    def _submit(self, sender: str, recipients: tuple[str, ...], mail: bytes) -> None:
        server = self.shop.sink.server()
        with smtplib.SMTP(server.host, server.port, timeout=60) as smtp:
            smtp.login("shop", self.shop.sink.password)
            smtp.sendmail(sender, list(recipients), mail)

    @property
    def draft_text(self) -> str:
        """The text as the daemon wrote it."""
        return text_of(self.draft.raw)

    # --- what is left -----------------------------------------------------------------------------------------------

    def assert_sent_once(self, *, says: str | None = None) -> bytes:
        """The daemon sent it: one mail to the buyer with nothing private in it, one copy, the original marked, and
        neither Drafts nor Approved hold anything of it. The mail comes back."""
        (accepted,) = self.shop.sink.mails
        assert accepted.recipients == (BUYER,)
        mail = accepted.raw
        names = {name.lower() for name, _ in email.message_from_bytes(mail).items()}
        assert names <= MAY_LEAVE
        for written in (*self.client.written, self.draft.raw):
            assert header_of(mail, "Message-ID") != header_of(written, "Message-ID")
        assert header_of(mail, "In-Reply-To") == self.asked
        assert self.asked in header_of(mail, "References")
        if says is not None:
            assert says in text_of(mail)
        assert ORDER in text_of(mail)
        self.assert_filed(header_of(mail, "Message-ID"))
        return mail

    def assert_filed(self, message_id: str) -> None:
        """One copy in Sent, the original marked and still unread, nothing left in Drafts and Approved."""
        boxes = self.lying()
        assert [header_of(s.raw, "Message-ID") for s in boxes["Sent"]] == [message_id]
        (original,) = boxes["INBOX"]
        assert "\\Answered" in original.flags
        assert "\\Seen" not in original.flags
        assert boxes["下書き"] == []
        assert boxes["承認"] == []

    def assert_theirs(self, *, leftovers: int = 0) -> None:
        """Staff sent it from the client: the sink holds that one mail, the original is marked, the case is closed, our
        untouched draft is gone. What else lies in Drafts is left to them."""
        (accepted,) = self.shop.sink.mails
        assert accepted.raw.replace(b"\r\n", b"\n").strip() in [
            written.replace(b"\r\n", b"\n").strip() for written in self.client.written
        ]
        boxes = self.lying()
        assert len(boxes["Sent"]) == 1
        assert "\\Answered" in boxes["INBOX"][0].flags
        assert len(boxes["下書き"]) == leftovers
        assert boxes["承認"] == []
        assert self.hand.states() == {"sent_by_staff": 1}

    def assert_nothing_sent(self) -> None:
        """Nothing went out and nothing says that it did."""
        assert self.shop.sink.mails == []
        boxes = self.lying()
        assert boxes["Sent"] == []
        assert "\\Answered" not in boxes["INBOX"][0].flags

    def lying(self) -> dict[str, list[Stored]]:
        """What every mailbox holds, without what is marked as deleted."""
        return {
            name: [mail for mail in mails if "\\Deleted" not in mail.flags] for name, mails in self.shop.boxes().items()
        }
