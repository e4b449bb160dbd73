"""Rules against old mail: what would have been decided, beside what staff really answered. Writes nothing.

The same core as the daemon's judges every mail at the moment it arrived. Order data tell only how an order stands
today; what they date later than the mail (paid, shipped) counts as not yet happened, the rest is taken as it is.
"""

from __future__ import annotations

import difflib
import heapq
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import median
from typing import Any, Literal

from responder.config import AccountSettings, Settings
from responder.edges.imap import Session
from responder.edges.orders import OrderBook
from responder.errors import Mistake
from responder.flows.explain import Explanation, explain_mail
from responder.flows.old_mail import Answer, OldMail, from_account, from_files, written_words
from responder.model import Action, Language, Order, Reason

MOST_PAIRS = 10
"""Drafts shown beside what staff sent: those that are least alike."""
_COMPARED = 1_500
_TOKEN = re.compile(r"[a-z0-9]+|[^\W\da-z_]", re.IGNORECASE)

Change = Literal["action", "situation", "text", "reason"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one pack makes of a mail. `words` are the draft's own words, "" without a draft."""

    action: Action
    situation: str
    rule: str | None
    order_id: str | None
    reasons: tuple[Reason, ...]
    subject: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One old mail judged. `active` is what the rules now in use make of it, where others are tried; `similarity`
    (0 to 1) compares the draft with what staff sent, None where one of them is missing."""

    file: str
    message_id: str | None
    subject: str
    arrived_at: datetime | None
    language: Language
    channel: str
    outcome: Outcome
    active: Outcome | None
    answer: Answer | None
    answered: bool
    similarity: float | None

    @property
    def change(self) -> Change | None:
        """In what the tried rules differ from the active ones, or None. Another rule with the same end is none."""
        old, new = self.active, self.outcome
        if old is None:
            return None
        if old.action != new.action:
            return "action"
        if old.situation != new.situation:
            return "situation"
        if (old.subject, old.words) != (new.subject, new.words):
            return "text"
        return "reason" if old.action == "hold" and _why(old) != _why(new) else None


@dataclass(frozen=True)
class Trial:
    """What old mail is held against: `settings`, and the `active` ones where others are tried.

    A mail is judged at its arrival; at `now` where that is unknown, or with `fixed_now`: then orders are taken as they
    are.
    """

    settings: Settings
    orders: OrderBook
    now: datetime
    fixed_now: bool = False
    active: Settings | None = None

    def of_files(
        self,
        mails: Iterable[tuple[str, bytes]],
        sent: Iterable[tuple[str, bytes]],
        *,
        since: datetime | None,
        limit: int | None,
        account: AccountSettings | None = None,
    ) -> Iterator[Replayed]:
        """The mails of files, judged. Raises: OrdersUnavailable."""
        for old, answer in from_files(mails, sent, since=since, limit=limit):
            yield self.judge(old, answer, account)

    def of_account(
        self,
        account: AccountSettings,
        *,
        since: datetime,
        mailboxes: Sequence[str],
        limit: int | None,
        expect: Callable[[int], None],
    ) -> Iterator[Replayed]:
        """The mails of an account's mailboxes, judged. Raises: ResponderError if it cannot be read."""
        with Session.connect(account.imap, account.imap_secret) as session:
            pairs = from_account(session, account, since=since, mailboxes=mailboxes, limit=limit, expect=expect)
            for old, answer in pairs:
                yield self.judge(old, answer, account)

    def judge(self, old: OldMail, answer: Answer | None, account: AccountSettings | None = None) -> Replayed:
        """What becomes of an old mail. Never raises for a mail, however broken. Raises: OrdersUnavailable."""
        moment = self.now if self.fixed_now or old.arrived_at is None else min(old.arrived_at, self.now)
        explanation = self._explained(self.settings, old, moment, account)
        outcome = _outcome(explanation)
        active = self._explained(self.active, old, moment, account) if self.active is not None else None
        message = explanation.message
        return Replayed(
            file=old.file,
            message_id=message.message_id if message is not None else None,
            subject=message.subject if message is not None else "",
            arrived_at=old.arrived_at,
            language=explanation.decision.language,
            channel=explanation.decision.channel,
            outcome=outcome,
            active=_outcome(active) if active is not None else None,
            answer=answer,
            answered=answer is not None or old.marked_answered,
            similarity=similarity(outcome.words, answer.words) if answer is not None and outcome.words else None,
        )

    def _explained(
        self, settings: Settings, old: OldMail, moment: datetime, account: AccountSettings | None
    ) -> Explanation:
        orders = self.orders if self.fixed_now else OrdersThen(self.orders, moment)
        return explain_mail(old.raw, file=old.file, settings=settings, orders=orders, now=moment, account=account)


def _outcome(explanation: Explanation) -> Outcome:
    decision, letter = explanation.decision, explanation.letter
    return Outcome(
        decision.action,
        decision.situation,
        decision.rule,
        decision.order_id,
        decision.reasons,
        letter.subject if letter is not None else "",
        written_words(letter.text) if letter is not None else "",
    )


def _why(outcome: Outcome) -> Reason | None:
    return next((reason for reason in outcome.reasons if reason.code != "rule"), None)


def similarity(a: str, b: str) -> float:
    """How alike the words of two texts are, from 0 to 1; long texts by their beginning."""
    first, second = (_TOKEN.findall(text[:_COMPARED].casefold()) for text in (a, b))
    if not first and not second:
        return 1.0
    return round(difflib.SequenceMatcher(None, first, second).ratio(), 2)


# --- orders as they stood -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OrdersThen:
    """An order book in which what the data date after `moment` has not happened yet."""

    book: OrderBook
    moment: datetime

    def find(self, ids: Sequence[str]) -> tuple[Order, ...]:
        """As the book's own. Raises: OrdersUnavailable."""
        return tuple(as_it_stood(order, self.moment) for order in self.book.find(ids))

    def of_buyer(self, mail: str) -> tuple[Order, ...]:
        """As the book's own. Raises: OrdersUnavailable."""
        return tuple(as_it_stood(order, self.moment) for order in self.book.of_buyer(mail))

    def placed(self, channel: str, since: datetime) -> None:
        """Nobody knows how many there were then."""

    def open_orders(self) -> None:
        """None: what was open then is not asked for."""

    def refresh(self) -> tuple[Mistake, ...]:
        """As the book's own."""
        return self.book.refresh()

    @property
    def loaded_at(self) -> datetime | None:
        """As the book's own."""
        return self.book.loaded_at


def as_it_stood(order: Order, moment: datetime) -> Order:
    """The order without what its own dates place after `moment`: not shipped yet, not paid yet."""
    if order.as_of is not None and order.as_of > moment:
        order = replace(order, as_of=moment)
    if order.shipped_at is not None and order.shipped_at > moment and order.is_shipped:
        order = replace(order, status="preparing", status_word="", shipped_at=None, tracking_no="", eta=None)
    if order.paid_at is not None and order.paid_at > moment and order.status in ("paid", "preparing"):
        order = replace(order, status="unpaid", status_word="", paid_at=None)
    # A mail older than its order is no doubt about the order's data, only about the mail's date.
    if order.ordered_at is not None and order.ordered_at > moment:
        order = replace(order, ordered_at=None)
    return order


# --- counting -------------------------------------------------------------------------------------------------------


@dataclass
class Count:
    """Mails of one situation or rule."""

    mails: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    answered: int = 0
    drafts_answered: int = 0
    alike: list[float] = field(default_factory=list)

    def add(self, row: Replayed) -> None:
        """Count one mail."""
        self.mails += 1
        self.actions[row.outcome.action] += 1
        self.answered += row.answered
        self.drafts_answered += row.answered and row.outcome.action == "draft"
        if row.similarity is not None:
            self.alike.append(row.similarity)

    @property
    def median_alike(self) -> float | None:
        """The middle similarity, None where nothing could be compared."""
        return round(median(self.alike), 2) if self.alike else None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        actions = {action: self.actions[action] for action in ("draft", "hold", "silence")}
        answered = {"answered": self.answered, "drafts_answered": self.drafts_answered}
        return {"mails": self.mails, **actions, **answered, "similarity": self.median_alike}


@dataclass
class Tally:
    """Everything counted over all mails; keeps only the rows it will show."""

    all: Count = field(default_factory=Count)
    situations: dict[str, Count] = field(default_factory=dict)
    rules: dict[str | None, Count] = field(default_factory=dict)
    changes: list[Replayed] = field(default_factory=list)
    matched: int = 0
    first: datetime | None = None
    last: datetime | None = None
    _pairs: list[tuple[float, int, Replayed]] = field(default_factory=list)

    def add(self, row: Replayed) -> None:
        """Count one mail."""
        self.all.add(row)
        self.situations.setdefault(row.outcome.situation, Count()).add(row)
        self.rules.setdefault(row.outcome.rule, Count()).add(row)
        self.matched += row.outcome.rule is not None
        if row.change is not None:
            self.changes.append(row)
        if row.arrived_at is not None:
            self.first = min(self.first or row.arrived_at, row.arrived_at)
            self.last = max(self.last or row.arrived_at, row.arrived_at)
        if row.similarity is not None:
            entry = (-row.similarity, -self.all.mails, row)
            (heapq.heappush if len(self._pairs) < MOST_PAIRS else heapq.heappushpop)(self._pairs, entry)

    @property
    def pairs(self) -> list[Replayed]:
        """The drafts least like what staff sent, the least alike first."""
        return [row for _, _, row in sorted(self._pairs, reverse=True)]


def row_json(row: Replayed, settings: Settings, language: Language) -> dict[str, Any]:
    """One mail as the object that `replay --json` prints."""
    return {
        "kind": "mail",
        "file": row.file,
        "message_id": row.message_id,
        "arrived_at": row.arrived_at.isoformat() if row.arrived_at is not None else None,
        "subject": row.subject,
        "language": row.language,
        "channel": row.channel,
        **_outcome_json(row.outcome, settings, language),
        "answered": row.answered,
        "answer": None
        if row.answer is None
        else {
            "file": row.answer.file,
            "message_id": row.answer.message_id,
            "sent_at": row.answer.sent_at.isoformat() if row.answer.sent_at is not None else None,
            "text": row.answer.words,
        },
        "similarity": row.similarity,
        "active": _outcome_json(row.active, settings, language) if row.active is not None else None,
        "change": row.change,
    }


def _outcome_json(outcome: Outcome, settings: Settings, language: Language) -> dict[str, Any]:
    return {
        "action": outcome.action,
        "situation": outcome.situation,
        "rule": outcome.rule,
        "order_id": outcome.order_id,
        "reasons": [settings.wording.reason(reason, language) for reason in outcome.reasons],
        "draft": {"subject": outcome.subject, "text": outcome.words} if outcome.action == "draft" else None,
    }


def summary_json(tally: Tally, *, compared: bool, fixed_now: bool) -> dict[str, Any]:
    """All counts as the last object that `replay --json` prints."""
    summary: dict[str, Any] = {
        "kind": "summary",
        **tally.all.as_json(),
        "matched": tally.matched,
        "situations": {name: count.as_json() for name, count in sorted(tally.situations.items())},
        "rules": {name or "": count.as_json() for name, count in sorted(tally.rules.items(), key=lambda r: r[0] or "")},
        "order_facts": "today" if fixed_now else "today, without what they date after the mail",
    }
    if compared:
        differ = len(tally.changes)
        summary["changes"] = {"differ": differ, "same": tally.all.mails - differ}
    return summary
