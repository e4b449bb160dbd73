"""The day as it is played: buyers write, staff work in their mail client, the warehouse ships, in five parts.

    morning    mails arrive and become drafts, notes or nothing
    desk       staff edit, delete, answer by themselves; a buyer writes again
    approval   staff approve; what no longer is true, or has a blank, does not go out
    again      what came back is put right and approved once more
    evening    a buyer's mail server answers ours

Nothing waits a fixed time: every step waits until the servers show what it is about.
"""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable
from functools import partial
from time import monotonic, sleep
from typing import TypeVar

from responder.demo.clock import DayClock
from responder.demo.day import Day, DayMail, mail_bytes
from responder.demo.reading import id_of, text_of
from responder.demo.servers import EmbeddedServers
from responder.demo.shop import USER, Shop
from responder.demo.staff import Staff, with_paragraph
from responder.demo.teller import Teller
from responder.demo.watch import Seen, Watch

SPEED = 8.0
LIMIT_S = 60.0
LOOK_EVERY_S = 0.03

T = TypeVar("T")
_BLANK = re.compile(r"【\s*要確認[^】\n]*】")


class DidNotHappenError(Exception):
    """Something that had to happen did not, within a generous time."""


class DaemonStoppedError(Exception):
    """The daemon ended while the day was being played."""


class Story:
    """One play of the day. `watch` is what can be seen of it on the servers."""

    def __init__(
        self, day: Day, servers: EmbeddedServers, shop: Shop, staff: Staff, clock: DayClock, teller: Teller
    ) -> None:
        self._day = day
        self._servers = servers
        self._shop = shop
        self._staff = staff
        self._clock = clock
        self._teller = teller
        self.watch = Watch(servers, USER, shop.folders, teller, decided=shop.decided, name_of=self._name_at)

    def play(self) -> None:
        """The whole day.

        Raises: DidNotHappenError, DaemonStoppedError.
        """
        try:
            self._wait(self._shop.watches, "the daemon watches the inbox")
            self._morning()
            self._desk()
            self._approval()
            self._again()
            self._evening()
        finally:
            self._clock.run(1)

    def name(self, mail: DayMail) -> str:
        """Who wrote it: the buyer's name in the orders, else as the mail has it."""
        return self._name_at(mail.buyer) or mail.name

    # --- the parts of the day ---------------------------------------------------------------------------------------

    def _morning(self) -> None:
        self._teller.part("part_morning")
        for mail in self._day.mails:
            if mail.when == "morning":
                self._arrives(mail)

    def _desk(self) -> None:
        self._teller.part("part_desk")
        for mail in self._day.mails:
            match mail.staff:
                case "edit" | "too_early":
                    self._edits(mail, "does_edit")
                case "delete":
                    self._does("does_delete", mail)
                    self._staff.delete(self._draft(mail).stored)
                case "by_themselves":
                    self._does("does_by_themselves", mail)
                    self._staff.send_by_themselves(self._draft(mail).stored, mail.edit)
                case "leave":
                    self._does("does_leave", mail)
        for mail in self._day.mails:
            if mail.when == "desk":
                self._arrives(mail)
        self._wait(lambda: self._are_filed("by_themselves"), "the staff's own reply is taken note of")

    def _approval(self) -> None:
        self._teller.part("part_approval", approved=self._shop.folders.approved, quiet=self._shop.quiet_s)
        first = {mail.key: self._draft(mail).message_id for mail in self._played("ships_meanwhile")}
        # The clock stands still, so that the order surely changes between the approval and the sending.
        self._clock.run(0)
        for mail in self._played("move", "copy", "edit", "fills_blank", "too_early", "ships_meanwhile"):
            self._approves(mail)
        for mail in self._played("ships_meanwhile"):
            self._ships(mail)
        self._teller.step("responder", "quiet", approved=self._shop.folders.approved)
        self._clock.run(SPEED)
        for mail in self._played("fills_blank", "too_early"):
            self._wait(partial(self._is_back, mail), f"the reply to {self.name(mail)} comes back")
        for mail in self._played("ships_meanwhile"):
            old = first[mail.key]
            self._wait(partial(self._is_rewritten, mail, old), f"a fresh draft for {self.name(mail)}")

    def _again(self) -> None:
        self._teller.part("part_again")
        for mail in self._played("fills_blank"):
            self._edits(mail, "does_fill")
        for mail in self._played("fills_blank", "too_early", "ships_meanwhile"):
            self._approves(mail)
        self._wait(self._all_is_filed, "everything approved is sent and filed")

    def _evening(self) -> None:
        for mail in self._day.mails:
            if mail.when == "evening":
                self._arrives(mail)
        self._wait(self._all_is_filed, "everything is as it was")

    # --- what buyers, staff and the warehouse do ----------------------------------------------------------------------

    def _arrives(self, mail: DayMail) -> None:
        """A mail comes in by SMTP, as from the buyer's server; waits until it can be seen what became of it."""
        before = [mail.confirmation_id] if mail.confirmation_id else []
        if mail.follows:
            before.append(self._day.mail(mail.follows).message_id)
        if mail.answers_ours:
            answered = self.watch.out_for(before[-1])
            before += [id_of(answered.raw)] if answered is not None else []
        raw = mail_bytes(mail, to=self._day.address, before=before, now=self._clock())
        with smtplib.SMTP("127.0.0.1", self._servers.smtp_port, timeout=LIMIT_S) as server:
            server.sendmail("" if mail.null_return_path else mail.address, [self._day.address], raw)
        self._wait(lambda: self.watch.is_settled(mail.message_id), f"the mail of {self.name(mail)} is dealt with")

    def _approves(self, mail: DayMail) -> None:
        draft = self._draft(mail)
        if mail.staff == "copy":
            self._does("does_copy", mail)
            self._staff.approve_by_copy(draft.stored)
        else:
            self._does("does_move", mail)
            self._staff.approve(draft.stored)
        self.watch.look()

    def _edits(self, mail: DayMail, code: str) -> None:
        draft = self._draft(mail)
        self._does(code, mail)
        text = text_of(draft.stored.raw)
        text = _BLANK.sub(mail.fills, text) if mail.fills else with_paragraph(text, mail.edit, mail.edit_before)
        self._staff.save(draft.stored, text)
        self.watch.look()

    def _ships(self, mail: DayMail) -> None:
        """The order is shipped; waits until the daemon has taken the changed file over."""
        self._shop.orders[mail.order_id] = {**self._shop.orders[mail.order_id], **mail.ships}
        self._shop.write_orders(self._clock())
        self._teller.step("shop", "does_ship", mail=mail.message_id, order=mail.order_id)

        def is_known() -> bool:
            order = self._shop.order(mail.order_id)
            return order is not None and order.is_shipped

        self._wait(is_known, "the daemon reads the changed orders")

    def _does(self, code: str, mail: DayMail) -> None:
        values = {"name": self.name(mail), "approved": self._shop.folders.approved}
        self._teller.step("staff", code, mail=mail.message_id, **values)

    # --- what can be seen ---------------------------------------------------------------------------------------------

    def _played(self, *staff: str) -> list[DayMail]:
        return [mail for mail in self._day.mails if mail.staff in staff]

    def _draft(self, mail: DayMail) -> Seen:
        return self._wait(lambda: self.watch.draft_for(mail.message_id), f"a draft for {self.name(mail)}")

    def _is_back(self, mail: DayMail) -> bool:
        draft = self.watch.draft_for(mail.message_id)
        return draft is not None and draft.message_id in self.watch.came_back

    def _is_rewritten(self, mail: DayMail, old: str) -> bool:
        draft = self.watch.draft_for(mail.message_id)
        gone = all(seen.message_id != old for seen in (*self.watch.approved, *self.watch.drafts))
        return draft is not None and draft.message_id != old and gone

    def _are_filed(self, *staff: str) -> bool:
        outs = [self.watch.out_for(mail.message_id) for mail in self._played(*staff)]
        return all(out is not None and id_of(out.raw) in self.watch.filed for out in outs)

    def _all_is_filed(self) -> bool:
        codes = {mail.staff for mail in self._day.mails if mail.goes_out_for_itself}
        kept = sum(mail.ends_in == "drafts" for mail in self._day.mails)
        return self._are_filed(*codes) and not self.watch.approved and len(self.watch.drafts) <= kept

    def _name_at(self, address: str) -> str:
        names = (str(o["buyer_name"]) for o in self._day.orders.values() if o["buyer_mail"] == address)
        return next(names, "")

    def _wait(self, condition: Callable[[], T | None], what: str) -> T:
        """The first true value of the condition; looks at the servers, and tells what is new there, in between."""
        end = monotonic() + LIMIT_S
        while True:
            if self._shop.failure is not None:
                raise DaemonStoppedError(type(self._shop.failure).__name__) from self._shop.failure
            self.watch.look()
            value = condition()
            if value:
                return value
            if monotonic() > end:
                raise DidNotHappenError(what)
            sleep(LOOK_EVERY_S)
