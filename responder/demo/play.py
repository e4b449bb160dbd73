"""`responder demo`: a shop's day on embedded servers, through the real daemon; told as it happens, checked at the end.

Nothing outside a temporary folder is written, and it is gone when the demo ends.
"""

from __future__ import annotations

import contextlib
import signal
import tempfile
import threading
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from types import FrameType
from typing import NoReturn, TextIO

from responder.demo.clock import DayClock, away_from_midnight
from responder.demo.day import TOKYO, Day, DayMail, load_day
from responder.demo.servers import EmbeddedAccount, EmbeddedServers
from responder.demo.shop import BUYER, PASSWORD, USER, Shop
from responder.demo.staff import Staff
from responder.demo.story import DaemonStoppedError, DidNotHappenError, Story
from responder.demo.teller import Row, Teller
from responder.demo.verify import Difference, Evidence, read_back, verify
from responder.errors import ConfigError
from responder.model import Language

QUIET_S = 8
LOOK_WHEN_STAYING_S = 0.2


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything a play needs, up and running."""

    day: Day
    servers: EmbeddedServers
    shop: Shop
    staff: Staff
    story: Story
    teller: Teller

    def evidence(self) -> Evidence:
        """What the servers hold now, read back as a mail client reads it."""
        return Evidence(
            folders=read_back(self.servers.imap(USER), PASSWORD),
            buyers=read_back(self.servers.imap(BUYER), PASSWORD)["INBOX"],
            outs=[out for out in self.servers.mails if out.username == USER],
            decided={mail.key: self.shop.decided(mail.message_id) for mail in self.day.mails},
            made_by_staff=self.staff.made,
        )


def play(
    *,
    stay: bool = False,
    imap_port: int = 0,
    smtp_port: int = 0,
    as_json: bool = False,
    language: Language = "en",
    stream: TextIO | None = None,
) -> int:
    """Play the day; 0 if the servers hold what the closing table says, else 1. `stay` keeps everything up after it."""
    day, clock = load_day(), DayClock(away_from_midnight(datetime.now(UTC), TOKYO))
    teller = Teller(language, clock, as_json=as_json, stream=stream)
    teller.open(shop=day.names[teller.language], approved=day.approved[teller.language])
    with _terminated_like_interrupted():
        try:
            with set_up(day, clock, teller, imap_port=imap_port, smtp_port=smtp_port, own_pack=stay) as stage:
                ok = _play(stage)
                if stay and stage.shop.failure is None:
                    _stay(stage)
        except PortTakenError as exc:
            teller.failed("no_port", (), error=exc)
            return 1
        except ConfigError as exc:
            teller.failed("no_pack", (), [teller.mistake(mistake) for mistake in exc.mistakes])
            return 1
    if stay:
        teller.bye()
    return 0 if ok else 1


class PortTakenError(Exception):
    """The embedded servers could not have the ports that were asked for."""


@contextlib.contextmanager
def set_up(
    day: Day, clock: DayClock, teller: Teller, *, imap_port: int = 0, smtp_port: int = 0, own_pack: bool = False
) -> Iterator[Stage]:
    """Servers, folder, daemon and staff for one play; all gone afterwards. `own_pack`: the folder has rules and
    templates of its own, to be edited.

    Raises: PortTakenError, ConfigError if the rules or templates that would be used have mistakes.
    """
    accounts = (EmbeddedAccount(USER, PASSWORD, (day.address,)), EmbeddedAccount(BUYER, PASSWORD, day.buyers))
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="responder-demo-")))
        try:
            servers = stack.enter_context(EmbeddedServers(accounts, imap_port=imap_port, smtp_port=smtp_port))
        except OSError as exc:
            raise PortTakenError(exc.strerror or str(exc)) from exc
        shop = stack.enter_context(Shop(folder, day, servers, clock, teller.language, QUIET_S, own_pack=own_pack))
        staff = stack.enter_context(Staff(servers.imap(USER), servers.smtp(USER), PASSWORD, shop.folders, clock))
        yield Stage(day, servers, shop, staff, Story(day, servers, shop, staff, clock, teller), teller)


def _play(stage: Stage) -> bool:
    """Play, tell and check the day; False if something was not as it should be."""
    started, day, shop, teller = monotonic(), stage.day, stage.shop, stage.teller
    failure: tuple[str, object, list[str]] | None = None
    try:
        stage.story.play()
    except DidNotHappenError as exc:
        failure = "failed", exc, []
    except DaemonStoppedError as exc:
        failure = "stopped", exc, []
    except Exception as exc:  # ours: it is shown with what the demo has seen so far
        failure = "failed", f"{type(exc).__name__}: {exc}", traceback.format_exc().splitlines()
    evidence = stage.evidence()
    differences = verify(day, evidence, shop.folders, teller)
    told = [difference.text for difference in differences]
    if failure is not None:
        code, what, trace = failure
        teller.failed(code, (*shop.log, *trace), told, what=what)
        return False
    rows = [_row(mail, stage, evidence, differences) for mail in day.mails]
    numbers = {"mails": len(day.mails), "out": len(evidence.outs), "notes": len(evidence.folders[shop.folders.notes])}
    teller.close(rows, told, **numbers, seconds=round(monotonic() - started, 1))
    if differences:
        teller.log(tuple(shop.log))
    return not differences


def _row(mail: DayMail, stage: Stage, evidence: Evidence, differences: Sequence[Difference]) -> Row:
    """A line of the closing table: how it was understood as the journal has it, the rest as the check has proved it."""
    text = stage.teller.text
    decided = evidence.decided[mail.key]
    draft: str = mail.becomes
    match mail:
        case DayMail(staff="reads_note"):
            draft = "in_hand"
        case DayMail(staff="replaced"):
            draft = "replaced"
        case DayMail(staff="ships_meanwhile"):
            draft = "afresh"
        case DayMail(staff="fills_blank"):
            draft = "draft_blank"
    out = "in_drafts" if mail.ends_in == "drafts" else mail.goes_out
    return Row(
        key=mail.key,
        mail=f"{stage.story.name(mail)}: {mail.subject}",
        understood=stage.teller.situation(decided.situation or "other") if decided is not None else "-",
        draft=text(f"cell_{draft}"),
        staff=text(f"staff_{mail.staff or 'none'}"),
        out=text(f"out_{out}"),
        ok=all(difference.mail != mail.key for difference in differences),
    )


def _stay(stage: Stage) -> None:
    """Tell how to connect a mail client, then go on telling what happens until somebody interrupts."""
    _tell_how_to_connect(stage)
    with contextlib.suppress(KeyboardInterrupt):
        while stage.shop.failure is None:
            stage.story.watch.look()
            sleep(LOOK_WHEN_STAYING_S)
        stage.teller.failed("stopped", tuple(stage.shop.log), what=type(stage.shop.failure).__name__)


def _tell_how_to_connect(stage: Stage) -> None:
    day, servers, shop, teller = stage.day, stage.servers, stage.shop, stage.teller
    folders = shop.folders
    left = next(mail for mail in day.mails if mail.ends_in == "drafts")
    asked = day.orders[left.order_id]
    names = {"drafts": folders.drafts, "approved": folders.approved, "notes": folders.notes}
    names |= {"sent": folders.sent, "trash": folders.trash}
    facts: dict[str, object] = {
        "host": "127.0.0.1",
        "imap_port": servers.imap_port,
        "smtp_port": servers.smtp_port,
        "encryption": "none",
        "shop": {"user": USER, "password": PASSWORD, "address": day.address},
        "buyer": {"user": BUYER, "password": PASSWORD, "addresses": list(day.buyers)},
        "folders": names,
        "files": str(shop.folder),
    }
    say = teller.text
    entries = [
        (say("stay_server"), "127.0.0.1"),
        (say("stay_imap"), str(servers.imap_port)),
        (say("stay_smtp"), str(servers.smtp_port)),
        (say("stay_security"), say("stay_security_none")),
        (say("stay_shop"), say("stay_login", user=USER, password=PASSWORD, address=day.address)),
        (say("stay_buyer"), say("stay_login", user=BUYER, password=PASSWORD, address=asked["buyer_mail"])),
        (say("stay_folders"), say("stay_folders_are", **names)),
        (say("stay_files"), str(shop.folder)),
    ]
    values = {"name": stage.story.name(left), "quiet": shop.quiet_s, "shop": day.address, **names}
    values |= {"order": left.order_id, "address": asked["buyer_mail"]}
    tries = [("" if number > 1 else say("stay_try"), say(f"stay_try_{number}", **values)) for number in range(1, 6)]
    teller.lines("stay_title", [*entries, *tries], facts)


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """TERM ends the demo as Ctrl-C does, so that the temporary folder goes with it. In the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
