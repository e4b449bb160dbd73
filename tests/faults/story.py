"""One life of a case with faults in it, and the verdict on how it ended.

Three buyers write. The first one's draft is approved by staff, the second one's never is, the third mail is held. A daemon
that died is started again, as a service manager does; a question that is put to a person is answered as a person who
looks at the SMTP server would. At the end the daemon is stopped in order and started once more without faults, and
must still do its work. The verdict is taken from what the SMTP server accepted and what lies in the mailboxes, never
from the journal.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imapclient import IMAPClient

from responder.core.wording import Catalog
from tests.faults.board import Board, Fault, Script
from tests.faults.letters import BUYERS, letter, orders_of_buyers
from tests.faults.maildir import Letter, Lying, Maildir
from tests.faults.world import Lane
from tests.journeys.shop import move
from tests.servers.dovecot import PASSWORD

DRAFTS, APPROVED, SENT, NOTES, TRASH = "下書き", "承認", "Sent", "Responder", "ゴミ箱"
WAIT_S = 240.0
"""Only what is stuck takes so long, or a machine that has no time for it."""
LOOK_S = 0.06
UNKNOWN = Catalog.load().text("note.outcome_unknown_subject", "ja").split("{", 1)[0].rstrip("（")
"""How the note begins that asks about an unknown outcome."""
_USUAL = Catalog.load().text("note.draft_note_subject", "ja").split("{", 1)[0]


class Stuck(Exception):
    """Something that must happen did not."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a story ended. `wrong` is empty where everything that was promised was kept; `held` names the reasons for
    which a person was asked; `reached` tells whether all faults happened."""

    faults: tuple[str, ...]
    kind: str
    reached: bool
    wrong: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    accepted_when_held: bool = False
    seconds: float = 0.0
    trace: tuple[str, ...] = ()


@dataclass
class Life:
    """One story in one lane. `keep` receives the folder of a story that went wrong."""

    lane: Lane
    faults: Sequence[Fault] = ()
    keep: Path | None = None
    in_nursery: bool = False
    """The daemon runs in the nursery itself: what it leaves in memory, those forked later find there."""
    user: str = ""
    mail: Maildir = field(init=False)
    ids: dict[str, str] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    accepted_when_held: bool = False
    pid: int = 0
    starts: int = 0
    exits: list[int] = field(default_factory=list)
    waiting_for: str = ""

    # --- the life ---------------------------------------------------------------------------------------------------

    def play(self) -> Verdict:
        began = time.monotonic()
        wrong: list[str] = []
        self._prepare()
        try:
            self._live()
        except Stuck as exc:
            wrong.append(f"stuck: {exc}")
            self.lane.line.signal(signal.SIGUSR2)  # where each thread is goes into its log
            time.sleep(0.5)
        except Exception as exc:  # whatever breaks a life is a finding, and the next one is lived
            wrong.append(f"broken: {type(exc).__name__}: {exc}")
        finally:
            self._kill()
        wrong += self._judge() if not wrong else [w for w in self._judge() if "lost" not in w]
        reached = self.board.happened >= len(self.faults)
        commits = self.folder / "commits.txt"
        trace = [*self.lane.line.script.trace]
        if commits.exists():
            trace += commits.read_text(encoding="utf-8").splitlines()
        if wrong and self.keep is not None:
            self._keep(wrong)
        self.board.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.mail.root, ignore_errors=True)
        self.lane.world.taken.pop(self.user, None)
        return Verdict(
            faults=tuple(f.name for f in self.faults),
            kind=self.lane.world.kind,
            reached=reached,
            wrong=tuple(wrong),
            held=tuple(self.held),
            accepted_when_held=self.accepted_when_held,
            seconds=round(time.monotonic() - began, 2),
            trace=tuple(trace),
        )

    def _prepare(self) -> None:
        world = self.lane.world
        assert world.nursery is not None
        self.nursery = world.nursery
        self.user = world.new_user()
        self.folder = self.lane.folder / self.user
        self.folder.mkdir(parents=True)
        self.mail = world.maildir(self.user)
        self.mail.make_inbox()
        self.board = Board(self.folder / "board", create=True)
        self.lane.line.script = Script(self.board, tuple(self.faults))
        self.lane.line.down = False
        (self.folder / "orders.csv").write_text(orders_of_buyers(), encoding="utf-8")

    def _live(self) -> None:
        self.board.stage = "start"
        self._start()
        self._until(self._watches, "the mailboxes are watched")
        self.board.stage = "arrival"
        for who in ("sent", "left", "held"):
            self._write(who)
        self._until(lambda: self._drafts_of("sent") and self._drafts_of("left"), "two drafts")
        self._until(lambda: self._notes_on("held"), "a note about the held mail")
        self.board.stage = "approval"
        self._move(self._drafts_of("sent")[-1], DRAFTS, APPROVED)
        self._until(self._is_over, "the approved draft is sent and filed, or a person is asked")
        self.board.stage = "after"
        self._stop()
        self._start()
        self._write("late")
        self._until(lambda: self._drafts_of("late") and self._notes_on("late"), "life goes on")
        self._stop()
        self.board.stage = "done"

    def _is_over(self) -> bool:
        """The case has come to its end. A person who is asked on the way gives the answer."""
        notes = [subject for subject in self._subjects_of_notes("sent") if subject not in self.held]
        drafts = self._drafts_of("sent")
        if notes and drafts and not self._copies("sent", APPROVED):
            self.held += notes
            accepted = bool(self._taken("sent"))
            self.accepted_when_held = self.accepted_when_held or accepted
            self._move(drafts[-1], DRAFTS, SENT if accepted else APPROVED)
            return False
        original = self._in("INBOX", "sent")
        return (
            bool(self._taken("sent"))
            and bool(self._copies("sent", SENT))
            and not self._copies("sent", APPROVED)
            and not drafts
            and bool(original)
            and "\\Answered" in original[0].flags
        )

    # --- the verdict ------------------------------------------------------------------------------------------------

    def _judge(self) -> list[str]:
        """What was promised and not kept, in words that begin with the kind of failure."""
        wrong: list[str] = []
        taken = self.lane.world.taken.get(self.user, [])
        ours = [m for m in taken if "hanako@mail.example" in m.recipients]
        if len(ours) > 1:
            wrong.append(f"doubled: {len(ours)} mails went out")
        if not ours:
            wrong.append("lost: the approved mail never went out")
        if len(ours) != len(taken):
            wrong.append(f"unapproved: {len(taken) - len(ours)} mails went out that nobody approved")
        if len({Letter.of(m.raw).message_id for m in ours}) > 1:
            wrong.append("doubled: two Message-IDs for one text")
        for box, who, wanted in (
            (SENT, "sent", 1),
            (DRAFTS, "sent", 0),
            (APPROVED, "sent", 0),
            (DRAFTS, "left", 1),
            (APPROVED, "left", 0),
            (SENT, "left", 0),
            (DRAFTS, "held", 0),
            (DRAFTS, "late", 1),
        ):
            there = len(self._copies(who, box))
            if there != wanted:
                kind = "doubled" if there > wanted else "lost"
                wrong.append(f"{kind}: {there} instead of {wanted} of '{who}' in {box}")
        if len(self._notes_on("held")) != 1:
            kind = "lost" if not self._notes_on("held") else "doubled"
            wrong.append(f"{kind}: {len(self._notes_on('held'))} notes about the held mail")
        for who in BUYERS:
            mails = self._in("INBOX", who)
            if len(mails) != 1:
                wrong.append(f"lost: {len(mails)} of the buyer's mail '{who}' in INBOX")
            elif "\\Seen" in mails[0].flags:
                wrong.append(f"touched: the buyer's mail '{who}' was marked as read")
            elif ("\\Answered" in mails[0].flags) != (who == "sent"):
                wrong.append(f"lost: the mark on the mail '{who}'")
        missing = {self.mail.folder(name).name for name in (APPROVED, NOTES)} - self.mail.subscribed()
        if missing:
            wrong.append(f"lost: {len(missing)} folder(s) made and not subscribed")
        wrong += [f"exit: the daemon ended with {code}" for code in self.exits if code not in (0, -9, 75)]
        return wrong

    # --- what lies where --------------------------------------------------------------------------------------------

    def _in(self, box: str, who: str) -> list[Lying]:
        """Mails in a mailbox with the buyer's own Message-ID."""
        wanted = self.ids.get(who, "-")
        return [mail for mail in self.mail.box(box) if mail.message_id == wanted]

    def _copies(self, who: str, box: str) -> list[Lying]:
        """Mails in a mailbox that answer this buyer's mail."""
        wanted = self.ids.get(who, "-")
        return [mail for mail in self.mail.box(box) if mail.in_reply_to == wanted]

    def _drafts_of(self, who: str) -> list[Lying]:
        return self._copies(who, DRAFTS)

    def _notes_on(self, who: str) -> list[Lying]:
        return self._copies(who, NOTES)

    def _subjects_of_notes(self, who: str) -> list[str]:
        """The notes about this mail that want a person; not those that say what to do before approving."""
        found = [note.letter.subject for note in self._notes_on(who)]
        return [f"{subject} #{n}" for n, subject in enumerate(found) if not subject.startswith(_USUAL)]

    def _taken(self, who: str) -> list[bytes]:
        return [m.raw for m in self.lane.world.taken.get(self.user, []) if BUYERS[who][2] in m.recipients]

    # --- what people do ---------------------------------------------------------------------------------------------

    def _write(self, who: str) -> None:
        """A buyer's mail arrives."""
        _, name, address, text = BUYERS[who]
        self.ids[who] = f"<{who}.{self.user}@mail.example>"
        self.mail.put("INBOX", letter(text, name=name, address=address, message_id=self.ids[who]))

    def _move(self, draft: Lying, source: str, to: str) -> None:
        """Staff move a draft with a mail client of their own."""
        port = self.lane.world.dovecot.imap_port
        with IMAPClient("127.0.0.1", port, ssl=False, timeout=30) as client:
            client.login(self.user, PASSWORD)
            client.select_folder(source)
            uids = client.search(["HEADER", "Message-ID", draft.message_id])
            if uids:
                if not client.folder_exists(to):
                    client.create_folder(to)
                move(client, uids[-1], to)

    # --- the daemon -------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self.starts += 1
        if self.starts > 60:
            raise Stuck(f"started 60 times while waiting until {self.waiting_for}")
        line = self.lane.line
        account = {"files_sent": True} if self.lane.world.kind == "files" else {}
        self.pid = self.nursery.order(
            self.lane.number,
            here=self.in_nursery,
            folder=str(self.folder),
            user=self.user,
            imap_port=self.lane.imap_port,
            smtp_port=self.lane.smtp_port,
            faults=[f.name for f in self.faults],
            account=account,
        )
        line.pid = self.pid

    def _stop(self) -> None:
        """TERM: it must end by itself, in order."""
        if self.pid:
            self.lane.line.signal(signal.SIGTERM)
            code = self.nursery.exit_of(self.lane.number, wait_s=WAIT_S)
            if code is None:
                raise Stuck("it does not stop")
            self._gone(code)

    def _kill(self) -> None:
        if self.pid:
            self.lane.line.signal(signal.SIGKILL)
            self.nursery.exit_of(self.lane.number, wait_s=30)
            self.pid = self.lane.line.pid = 0

    def _gone(self, code: int) -> None:
        self.pid = self.lane.line.pid = 0
        if code != -signal.SIGTERM:  # told to stop before it had begun to listen for that
            self.exits.append(code)

    def _watches(self) -> bool:
        """The first look at INBOX and Sent is over; what comes from now on is its work."""
        journal = self.folder / "state" / "responder.db"
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(journal, timeout=5)) as database:
            rows = database.execute("SELECT mailbox FROM cursor").fetchall()
            return {"INBOX", SENT} <= {row[0] for row in rows}
        return False

    def _until(self, condition: Callable[[], object], what: str) -> None:
        """Wait; a daemon that died meanwhile is started again."""
        self.waiting_for = what
        end = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > end:
                raise Stuck(f"did not happen: {what}")
            code = self.nursery.exit_of(self.lane.number) if self.pid else None
            if code is not None:
                self._gone(code)
            if not self.pid:
                self._start()
            time.sleep(LOOK_S)

    def _keep(self, wrong: Sequence[str]) -> None:
        assert self.keep is not None
        kept = self.keep / f"{self.lane.world.kind}-{self.user}-{int(time.time())}"
        shutil.copytree(self.folder, kept, ignore=shutil.ignore_patterns("*.lock"))
        shutil.copytree(self.mail.root, kept / "mail")
        lines = [*(f.name for f in self.faults), "", *wrong, "", *self.lane.line.script.trace]
        (kept / "story.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
