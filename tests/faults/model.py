"""Random buyers, staff, servers and crashes against a model of what may happen, in the manner of imaptest.

The turns of one account run in this process, on a real Dovecot and a real SMTP server, with a clock of the model's
own; a seed gives the same run again. The model knows which text of which case staff put into Approved, and by which act:
every mail that goes out must use up such an act. At checkpoints nobody acts for a while; then every buyer's mail must have
been answered, drafted, refused by staff or brought to a person, and mailboxes, journal and SMTP server must agree.
"""

from __future__ import annotations

import contextlib
import email
import itertools
import logging
import os
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from imapclient import IMAPClient
from sqlalchemy import Connection, select

from responder.config import AccountSettings, Settings, load
from responder.core.approval import text_key
from responder.core.compose import text_of
from responder.edges.imap.wire import Wire
from responder.edges.journal import Journal, JournalUnavailable, cases, drafts
from responder.edges.journal.drafts import _draft
from responder.edges.journal.tables import case as case_table
from responder.edges.journal.tables import draft as draft_table
from responder.edges.journal.tables import event
from responder.edges.orders import OrderBook, open_book
from responder.errors import ConnectionLost
from responder.flows import sending
from responder.flows.desk import Desk
from responder.flows.sending import send
from responder.flows.turn import open_desk, take_turn
from responder.model import Draft
from tests.faults.letters import ADDRESS, letter
from tests.faults.letters import orders as orders_csv
from tests.faults.maildir import Letter, Lying, Maildir
from tests.faults.world import World
from tests.journeys.shop import move
from tests.servers.dovecot import PASSWORD

DRAFTS, APPROVED, SENT, NOTES, TRASH, ASIDE = "下書き", "承認", "Sent", "Responder", "ゴミ箱", "作業中"
BOXES = ("INBOX", DRAFTS, APPROVED, SENT, TRASH)
CALM_TURNS = 8
ENDS = ("sending", "approved", "drafting", "sent")


class Killed(BaseException):
    """kill -9 at this point: nothing of the product catches it."""


class Difference(AssertionError):
    """The model and the world do not agree."""


@dataclass
class Mischief:
    """What goes wrong next in the journal or on the IMAP line: counts down, then acts once (a full disk some times)."""

    commits: int = 0
    commands: int = 0
    act: str = ""
    full: int = 0

    def commit(self, moment: str) -> None:
        if self.full and moment == "before":
            self.full -= 1
            raise sqlite3.OperationalError("database or disk is full")
        if self.commits:
            if moment == "after" and self.act == "kill after":
                self.commits -= 1
                if not self.commits:
                    raise Killed
            elif moment == "before" and self.act != "kill after":
                self.commits -= 1
                if not self.commits and self.act == "kill":
                    raise Killed
                if not self.commits:
                    self.full = 2
                    raise sqlite3.OperationalError("database or disk is full")

    def command(self, moment: str, wire: Wire) -> None:
        if not self.commands or not self.act.endswith(moment):
            return
        self.commands -= 1
        if self.commands:
            return
        wire.close("cut")
        if self.act.startswith("kill"):
            raise Killed
        raise ConnectionLost("cut")

    def off(self) -> None:
        self.commits = self.commands = self.full = 0


MISCHIEF = Mischief()


@contextmanager
def mischief_possible() -> Iterator[None]:
    """The journal's commits and the commands of IMAP ask `MISCHIEF` first."""
    transaction = Journal._transaction
    names = ("ask", "append", "select", "idle", "done")
    real = {name: getattr(Wire, name) for name in names}

    @contextmanager
    def watched(journal: Journal, database: Any) -> Iterator[Any]:
        with transaction(journal, database) as connection:
            yield connection
            if database is not journal._reading:
                MISCHIEF.commit("before")
        if database is not journal._reading:
            MISCHIEF.commit("after")

    def through(name: str) -> Callable[..., Any]:
        def call(wire: Wire, *args: Any, **kwargs: Any) -> Any:
            MISCHIEF.command("before", wire)
            result = real[name](wire, *args, **kwargs)
            MISCHIEF.command("after", wire)
            return result

        return call

    Journal._transaction = watched
    for name in names:
        setattr(Wire, name, through(name))
    try:
        yield
    finally:
        MISCHIEF.off()
        Journal._transaction = transaction
        for name in names:
            setattr(Wire, name, real[name])


@dataclass
class Buyer:
    """One buyer and his matter. `text_acts` are the approvals of his drafts that may still lead to a mail: the key of the
    file in Approved to the text's hash."""

    number: int
    mails: list[str] = field(default_factory=list)
    """His mails that want an answer or a person, by Message-ID, oldest first."""
    given_up: bool = False
    """Staff refused or lost his draft, or answered by themselves: nothing is demanded, only nothing wrong may happen."""

    @property
    def address(self) -> str:
        return f"buyer{self.number}@mail.example"

    @property
    def order(self) -> str:
        return str(5000 + self.number)


@dataclass
class Model:
    """The world and what the model expects of it. `step` does one random thing."""

    world: World
    folder: Path
    settings: Settings
    orders: OrderBook
    seed: int
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    chance: random.Random = field(init=False)
    buyers: list[Buyer] = field(default_factory=list)
    desk: Desk | None = None
    copied: set[str] = field(default_factory=set)
    """Ids of drafts of which staff made copies."""
    spent: dict[str, str] = field(default_factory=dict)
    """Keys of files in Approved that led to a mail, or that are no approval any more, and since when."""
    in_doubt: set[str] = field(default_factory=set)
    """Outgoing ids of mails that were taken without our knowing: what becomes of them is a person's word."""
    counted: int = 0
    events_seen: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    story: list[str] = field(default_factory=list)
    _serial: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _client: IMAPClient | None = None

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.user = self.world.new_user()
        self.mail: Maildir = self.world.maildir(self.user)
        self.mail.make_inbox()
        account = self.settings.accounts[0]
        assert account.smtp is not None
        account = replace(
            account,
            imap=replace(account.imap, port=self.world.dovecot.imap_port, username=self.user),
            smtp=replace(account.smtp, port=self.world.sink.port, username=self.user),
            quiet_s=30.0,
            drafts_per_sender_day=100_000,
            sends_per_minute=100_000,
            sends_per_day=1_000_000,
        )
        self.account: AccountSettings = account
        self.settings = replace(
            self.settings, accounts=(account,), state_url=f"sqlite:///{self.folder / 'responder.db'}"
        )
        self.journal = Journal(self.settings.state_url)
        self.journal.upgrade()
        self.turn()

    def close(self) -> None:
        if self.desk is not None:
            self.desk.session.close()
        self._forget_client()
        self.journal.close()

    # --- the daemon -------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """One turn and its sending, as the daemon does them; afterwards what went out is compared with what may."""
        self.now += timedelta(seconds=self.chance.choice((1, 3, 10, 31, 31, 45, 61, 200)))
        lay = self.in_approved()
        fresh = self.desk is None or self.desk.session.lost
        try:
            if fresh:
                before = self.desk
                self.desk = open_desk(self.account, self.settings, self.journal, self.orders, lambda: self.now, before)
                if before is None:
                    with self.journal.durable() as tx:
                        drafts.release_claims(tx, self.desk.name)
            assert self.desk is not None
            take_turn(self.desk, self.now, after_connect=fresh)
        except Killed:
            self.die()
        except (ConnectionLost, JournalUnavailable):
            self.lost()
        if self.desk is not None and self.desk.outbox:
            parcels, self.desk.outbox = self.desk.outbox, []
            try:
                send(self.desk, parcels)
            except Killed:
                self.die()
            except JournalUnavailable:
                pass
        MISCHIEF.off()
        self.look_what_went_out(lay)

    def die(self) -> None:
        """The process is gone, and with it everything it had in memory."""
        if self.desk is not None:
            self.desk.session.close()
            self.desk = None

    def lost(self) -> None:
        if self.desk is not None:
            self.desk.session.close()
            self.desk.forget_everything_seen()

    # --- what may go out --------------------------------------------------------------------------------------------

    def in_approved(self) -> dict[str, tuple[str, str]]:
        """What lies in Approved: the file's key to the buyer's address and the text's hash."""
        return {m.key: (to(m.raw), key_of(m.raw)) for m in self.mail.box(APPROVED)}

    def look_what_went_out(self, lay: dict[str, tuple[str, str]]) -> None:
        """Every mail that was accepted in this turn must have been approved, by an act not yet used."""
        taken = self.world.taken[self.user]
        for mail in taken[self.counted :]:
            (recipient,) = mail.recipients
            text = key_of(mail.raw)
            acts = [key for key, (whose, what) in lay.items() if whose == recipient and what == text]
            if not acts:
                raise self.wrong(f"unapproved: a mail to {recipient} whose text does not lie in Approved", recipient)
            if all(key in self.spent for key in acts):
                why = ", ".join(self.spent[key] for key in acts)
                raise self.wrong(f"doubled: a second mail to {recipient} for one approval ({why})", recipient)
            self._spend(acts, "sent")
        new = {Letter.of(mail.raw).message_id for mail in taken[self.counted :]}
        self.counted = len(taken)
        with self.journal.reading() as tx:
            known = drafts.by_message_ids(tx, self.account.name, sorted(new))
            self.in_doubt |= {i for i in new if known[i].state not in ("sent", "filed")}
            for row in tx.execute(select(event).where(event.c.id > self.events_seen).order_by(event.c.id)):
                self.events_seen = row.id
                if row.kind in ("not_sent", "smtp_refused", "smtp_unknown", "smtp_accepted"):
                    case = cases.find(tx, row.case_id) if row.case_id else None
                    whose = case.buyer if case is not None else None
                    # Staff were told, or must be asked: what lay there is no approval any more.
                    self._spend((key for key, (address, _) in lay.items() if address == whose), row.kind)
        # The server keeps a file's name when a mail is moved: what comes back into Approved was approved anew.
        there = self.in_approved()
        self.spent = {key: why for key, why in self.spent.items() if key in there}

    def _spend(self, keys: Iterable[str], why: str) -> None:
        for key in keys:
            self.spent.setdefault(key, f"{why} at step {len(self.story)}")

    # --- random acts ------------------------------------------------------------------------------------------------

    def step(self) -> None:
        acts: tuple[tuple[int, Callable[[], object]], ...] = (
            (28, self.turn),
            (14, self.new_buyer),
            (5, self.buyer_again),
            (16, self.approve),
            (4, self.approve_by_copy),
            (6, self.edit),
            (3, self.edit_in_approved),
            (3, self.open_draft),
            (3, self.take_back),
            (2, self.throw_away),
            (1, self.expunge),
            (1, self.put_aside),
            (2, self.send_by_client),
            (2, self.answer_by_hand),
            (1, self.approve_something_else),
            (6, self.crash),
            (4, self.smtp_misbehaves),
            (1, self.new_uidvalidity),
            (2, self.restart),
        )
        act = self.chance.choices([a for _, a in acts], [w for w, _ in acts])[0]
        self.acts[act.__name__] += 1
        self.story.append(act.__name__)
        act()

    def new_buyer(self) -> None:
        buyer = Buyer(len(self.buyers) + 1)
        self.buyers.append(buyer)
        self._write(buyer, f"注文番号{buyer.order}をキャンセルしてください。")

    def buyer_again(self) -> None:
        buyer = self._some_buyer()
        if buyer is not None and not buyer.given_up:
            texts = (
                f"注文番号{buyer.order}のキャンセルの件、まだでしょうか。",
                "キャンセルをお願いします。急いでいます。",
            )
            self._write(buyer, self.chance.choice(texts), thread=True)

    def approve(self) -> None:
        draft = self._some_draft()
        if draft is not None:
            self.story[-1] += f" {to(draft.raw)}"
            with self._staff(DRAFTS) as client:
                self._moved(client, draft, APPROVED)

    def approve_by_copy(self) -> None:
        draft = self._some_draft()
        if draft is not None:
            self.copied.add(draft.message_id)
            self.story[-1] += f" {to(draft.raw)}"
            with self._staff(DRAFTS) as client:
                for uid in self._uids(client, draft):
                    client.copy([uid], APPROVED)

    def edit(self, box: str = DRAFTS) -> None:
        """A client saves an edited draft: a new mail, the old one goes; some clients keep the Message-ID."""
        draft = self._some_draft(box)
        if draft is None:
            return
        number = next(self._serial)
        raw = draft.raw.replace(b"\r\n\r\n", b"\r\n\r\n" + f"担当{number}です。\r\n".encode(), 1)
        if self.chance.random() < 0.7:
            raw = raw.replace(draft.message_id.encode(), f"<edit{number}.{self.user}@client.example>".encode(), 1)
            raw = b"\r\n".join(line for line in raw.split(b"\r\n") if not line.startswith(b"X-Responder"))
        with self._staff(box) as client:
            uids = self._uids(client, draft)
            if uids:
                client.append(box, raw, [b"\\Seen", b"\\Draft"])
                client.delete_messages(uids)
                client.expunge(uids)

    def edit_in_approved(self) -> None:
        self.edit(APPROVED)

    def open_draft(self) -> None:
        draft = self._some_draft()
        if draft is not None:
            with self._staff(DRAFTS) as client:
                client.add_flags(self._uids(client, draft), [b"\\Seen"])

    def take_back(self) -> None:
        draft = self._some_draft(APPROVED)
        if draft is not None:
            with self._staff(APPROVED) as client:
                self._moved(client, draft, DRAFTS)

    def throw_away(self) -> None:
        self._gone(TRASH)

    def expunge(self) -> None:
        self._gone("")

    def put_aside(self) -> None:
        self._gone(ASIDE)

    def _gone(self, where: str) -> None:
        draft = self._some_draft()
        if draft is None:
            return
        self._of(draft).given_up = True
        with self._staff(DRAFTS) as client:
            if where:
                self._moved(client, draft, where)
            else:
                uids = self._uids(client, draft)
                client.delete_messages(uids)
                client.expunge(uids)

    def send_by_client(self) -> None:
        """Staff send the draft from their mail client: a copy in Sent with an id of its own, the draft goes."""
        draft = self._some_draft()
        if draft is None:
            return
        self._of(draft).given_up = True
        number = next(self._serial)
        raw = draft.raw.replace(draft.message_id.encode(), f"<own{number}.{self.user}@client.example>".encode(), 1)
        with self._staff(DRAFTS) as client:
            client.append(SENT, raw, [b"\\Seen"])
            if self.chance.random() < 0.7:
                uids = self._uids(client, draft)
                client.delete_messages(uids)
                client.expunge(uids)

    def answer_by_hand(self) -> None:
        buyer = self._some_buyer()
        if buyer is None:
            return
        buyer.given_up = True
        number, last = next(self._serial), buyer.mails[-1]
        raw = (
            f"From: {ADDRESS}\r\nTo: {buyer.address}\r\nSubject: Re\r\nMessage-ID: <hand{number}.{self.user}@client.example>\r\n"
            f"In-Reply-To: {last}\r\nReferences: {last}\r\n\r\nok {number}\r\n"
        )
        with self._staff(SENT) as client:
            client.append(SENT, raw.encode(), [b"\\Seen"])

    def approve_something_else(self) -> None:
        """A slip: a buyer's mail, or a letter of the shop's that has nothing to do with a case, lands in Approved."""
        if self.chance.random() < 0.5:
            mails = self.mail.box("INBOX")
            if mails:
                mails.sort(key=lambda m: m.message_id)
                with self._staff("INBOX") as client:
                    for uid in self._uids(client, self.chance.choice(mails)):
                        client.copy([uid], APPROVED)
        else:
            number = next(self._serial)
            raw = f"From: {ADDRESS}\r\nTo: friend{number}@mail.example\r\nSubject: hello\r\nMessage-ID: <x{number}.{self.user}@client.example>\r\n\r\nhello\r\n"
            with self._staff(APPROVED) as client:
                client.append(APPROVED, raw.encode(), [b"\\Seen"])

    def crash(self) -> None:
        """In the next turn something breaks at some commit or some command."""
        if self.chance.random() < 0.5:
            MISCHIEF.act = self.chance.choice(("kill", "kill after", "full"))
            MISCHIEF.commits = self.chance.randint(1, 9)
        else:
            MISCHIEF.act = self.chance.choice(("kill before", "kill after", "cut before", "cut after"))
            MISCHIEF.commands = self.chance.randint(1, 30)
        self.turn()

    def smtp_misbehaves(self) -> None:
        at = self.chance.choice(("connect", "mail", "rcpt", "data", "body", "dot", "dot", "dot"))
        sink = self.world.sink
        if at == "body":
            sink.fail("body", drop=True, after_bytes=self.chance.randint(1, 40))
        elif at == "dot":
            how = self.chance.choice(("451 4.7.1 later", "550 5.7.1 no", "lost", "taken and lost"))
            if how == "lost":
                sink.fail("dot", drop=True)
            elif how == "taken and lost":
                sink.fail("dot", drop=True, kept=True)
            else:
                sink.fail("dot", how)
        else:
            how = self.chance.choice(("451 4.7.1 later", "421 4.3.2 closing", "550 5.7.1 no"))
            sink.fail(at, how, drop=how.startswith("421"))
        self.turn()

    def new_uidvalidity(self) -> None:
        box = self.chance.choice(BOXES)
        self.story[-1] += f" {box}"
        if box == APPROVED:
            self._spend(self.in_approved(), "renumbered")
        self._forget_client()
        if self.desk is not None:
            self.desk.session.close()
        self.mail.renew_uidvalidity(box)

    def restart(self) -> None:
        self.die()

    # --- checkpoints ------------------------------------------------------------------------------------------------

    def checkpoint(self) -> None:
        """Let everything come to rest, then compare."""
        self.world.sink.faults.clear()
        MISCHIEF.off()
        for _ in range(CALM_TURNS):
            self.now += timedelta(minutes=10)  # longer than the pauses after a few refusals
            self.turn()
        self._clear_holds()
        wrong = [*self._journal_agrees(), *self._every_mail_is_looked_after(), *self._nothing_twice()]
        if wrong:
            raise self.wrong("; ".join(wrong))

    def _clear_holds(self) -> None:
        """What waits for a person in Approved (another text in Drafts) is taken back, as the note says."""
        for draft in self.mail.box(APPROVED):
            with self._staff(APPROVED) as client:
                self._moved(client, draft, DRAFTS)
        for _ in range(3):
            self.now += timedelta(seconds=45)
            self.turn()

    def _journal_agrees(self) -> Iterator[str]:
        taken = {Letter.of(m.raw).message_id for m in self.world.taken[self.user]}
        in_sent = {m.message_id for m in self.mail.box(SENT)}
        with self.journal.reading() as tx:
            count = drafts.count_by_state(tx, self.account.name)
            outgoing = {d.approval.outgoing_id for d in _all_drafts(tx, self.account.name, "filed") if d.approval}
        for state in ENDS:
            if count.get(state):
                yield f"stuck: {count[state]} drafts are '{state}'"
        if outgoing - taken - in_sent:
            yield f"lost: {len(outgoing - taken - in_sent)} drafts are filed and were never sent"
        if taken - in_sent - self.in_doubt:
            yield f"lost: {len(taken - in_sent - self.in_doubt)} sent mails have no copy in Sent"

    def _every_mail_is_looked_after(self) -> Iterator[str]:
        inbox = {m.message_id: m for m in self.mail.box("INBOX")}
        drafted = Counter(m.in_reply_to for m in self.mail.box(DRAFTS) if m.message_id)
        noted = {m.in_reply_to for m in self.mail.box(NOTES)}
        for buyer in self.buyers:
            if buyer.given_up:
                continue
            last = buyer.mails[-1]
            answered = last in inbox and "\\Answered" in inbox[last].flags
            if last not in inbox:
                yield f"lost: the mail of {buyer.address}"
            elif not answered and not drafted[last] and last not in noted:
                yield f"lost: nothing became of the mail of {buyer.address}"

    def _nothing_twice(self) -> Iterator[str]:
        for box in (DRAFTS, SENT, NOTES):
            for message_id, count in Counter(m.message_id for m in self.mail.box(box)).items():
                if count > 1 and ".r@" in message_id and not (box == DRAFTS and message_id in self.copied):
                    yield f"doubled: {count} mails {message_id} in {box}"

    # --- inside -----------------------------------------------------------------------------------------------------

    def wrong(self, what: str, whose: str = "") -> Difference:
        """What does not agree, with the last steps and what the journal holds about this buyer."""
        last = " ".join(f"{n}:{step}" for n, step in list(enumerate(self.story))[-40:])
        with self.journal.reading() as tx:
            lines = [
                f"{row.at:%H:%M:%S} {row.kind} {row.detail}"
                for row in tx.execute(
                    select(event, case_table.c.buyer)
                    .select_from(event.outerjoin(case_table, event.c.case_id == case_table.c.id))
                    .order_by(event.c.id)
                )
                if row.buyer == whose or row.case_id is None
            ]
        told = "\n".join(lines[-20:])
        return Difference(f"seed {self.seed}, after {len(self.story)} steps: {what}\nlast: {last}\n{told}")

    def _write(self, buyer: Buyer, text: str, *, thread: bool = False) -> None:
        message_id = f"<b{buyer.number}.{len(buyer.mails)}.{self.user}@mail.example>"
        parent = buyer.mails[-1] if thread and buyer.mails else None
        buyer.mails.append(message_id)
        raw = letter(text, name=f"客{buyer.number}", address=buyer.address, message_id=message_id, in_reply_to=parent)
        self.mail.put("INBOX", raw)

    def _some_buyer(self) -> Buyer | None:
        return self.chance.choice(self.buyers[-30:]) if self.buyers else None

    def _some_draft(self, box: str = DRAFTS) -> Lying | None:
        """A draft of ours or what staff made of it."""
        found = [m for m in self.mail.box(box) if to(m.raw).startswith("buyer") and from_(m.raw) == ADDRESS]
        # By what is in them, not by the names of their files, which tell the time: a seed gives the same run again.
        found.sort(key=lambda m: (int(to(m.raw).partition("@")[0][5:]), key_of(m.raw)))
        return self.chance.choice(found[-20:]) if found else None

    def _of(self, draft: Lying) -> Buyer:
        number = int(to(draft.raw).partition("@")[0].removeprefix("buyer"))
        return self.buyers[number - 1]

    @contextmanager
    def _staff(self, box: str) -> Iterator[IMAPClient]:
        """The staff's mail client, logged in once."""
        if self._client is None:
            self._client = IMAPClient("127.0.0.1", self.world.dovecot.imap_port, ssl=False, timeout=30)
            self._client.login(self.user, PASSWORD)
            for name in (APPROVED, ASIDE):
                if not self._client.folder_exists(name):
                    self._client.create_folder(name)
        self._client.select_folder(box)
        yield self._client

    def _forget_client(self) -> None:
        if self._client is not None:
            with contextlib.suppress(Exception):  # the server may be gone: a goodbye proves nothing
                self._client.logout()
            self._client = None

    @staticmethod
    def _uids(client: IMAPClient, mail: Lying) -> list[int]:
        """Where this mail lies in the open mailbox; the newest of several with the same id."""
        return sorted(client.search(["HEADER", "Message-ID", mail.message_id]))[-1:]

    def _moved(self, client: IMAPClient, mail: Lying, where: str) -> None:
        for uid in self._uids(client, mail):
            move(client, uid, where)


@lru_cache(maxsize=4096)
def to(raw: bytes) -> str:
    """The one address a mail goes to."""
    return parseaddr(str(email.message_from_bytes(raw)["To"] or ""))[1]


@lru_cache(maxsize=4096)
def key_of(raw: bytes) -> str:
    """What the text of a mail is known by."""
    return text_key(text_of(raw))


@lru_cache(maxsize=4096)
def from_(raw: bytes) -> str:
    return parseaddr(str(email.message_from_bytes(raw)["From"] or ""))[1]


def _all_drafts(tx: Connection, account: str, state: str) -> list[Draft]:
    return [
        _draft(row)
        for row in tx.execute(select(draft_table).where(draft_table.c.account == account, draft_table.c.state == state))
    ]


ERA = 1000
"""So many steps one shop lives; then the next one begins, with the next seed: mailboxes do not grow for ever."""


def play(world: World, folder: Path, *, seed: int, steps: int, checkpoint_every: int = 500) -> Counter[str]:
    """Play so many steps, beginning with this seed; what was done how often. Raises Difference."""
    settings = load(world.folder, env=os.environ)
    names = {str(5000 + n): (f"客{n}", f"buyer{n}@mail.example") for n in range(1, ERA + 1)}
    (folder / "orders.csv").write_text(orders_csv(names), encoding="utf-8")
    settings = replace(settings, orders=tuple(replace(one, path=folder / "orders.csv") for one in settings.orders))
    book = open_book(settings.orders)
    book.refresh()
    acts: Counter[str] = Counter()
    logging.getLogger("responder").setLevel(logging.CRITICAL)  # what breaks here is meant to
    with mischief_possible(), patch.object(sending, "sleep", lambda _s: None):
        for number in range(-(-steps // ERA)):
            home = folder / f"era{number}"
            home.mkdir()
            model = Model(world, home, settings, book, seed + number)
            try:
                for done in range(1, min(ERA, steps - number * ERA) + 1):
                    model.step()
                    if done % checkpoint_every == 0:
                        model.checkpoint()
            finally:
                model.close()
            acts += model.acts
            acts["sent"] += model.counted
            acts["buyers"] += len(model.buyers)
            shutil.rmtree(home)
            shutil.rmtree(model.mail.root)
            world.taken.pop(model.user)
    return acts
