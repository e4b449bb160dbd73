"""The conditions a rule can name, each as one test on a case, and how their values are written.

A test looks at facts and never at the clock: `case.now` is passed in. Unknown facts make a condition fail.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, tzinfo
from typing import Any

from responder.core.normal import fold, normalise
from responder.core.order_data import age_h
from responder.core.rules.pack import Comparison, Condition, Group, Leaf
from responder.core.rules.reading import Reading
from responder.model import Language, Message, Order


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a rule may look at.

    `order` is the one order the mail is about, or None; `order_problem` says why there is none or why its data must
    not be used (a reason's code). `ids_named` are order ids found in the mail. `by_number` is True where the order was
    found by its number. `trusted` is what the receiving server says of the sender; None where it says nothing.
    `sent_before` are the templates of what was sent to this buyer before, each with the orders it was about ("" for
    none). `policy` is what the shop has written of itself, in `shop_language` where the name says no other.
    """

    message: Message
    reading: Reading
    channel: str
    now: datetime
    order: Order | None = None
    order_problem: str | None = None
    ids_named: tuple[str, ...] = ()
    by_number: bool = False
    trusted: bool | None = None
    timezone: tzinfo = UTC
    official_cancel: bool = False
    sent_before: Mapping[str, frozenset[str]] = field(default_factory=dict)
    policy: Mapping[str, str] = field(default_factory=dict)
    shop_language: Language = "ja"
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def local_now(self) -> datetime:
        """Now on the shop's clock."""
        return self.now.astimezone(self.timezone)


def _days(case: Case, since: datetime | None) -> float | None:
    if since is None:
        return None
    return (case.now - since).total_seconds() / 86400


def promised_at(order: Order) -> datetime | None:
    """What the buyer was promised: the day of arrival once shipped, else the day of shipping."""
    if order.is_shipped:
        return order.eta
    return order.ship_by or order.eta


def overdue_days(case: Case) -> float | None:
    """Whole days since the promised day ended, in the shop's zone; negative before it, None if nothing is known."""
    order = case.order
    promised = promised_at(order) if order is not None else None
    if promised is None:
        return None
    return float((case.local_now.date() - promised.astimezone(case.timezone).date()).days)


def is_paid(order: Order) -> bool | None:
    """Whether the money has arrived; None where the data do not say."""
    if order.status == "unpaid":
        return False
    if order.paid_at is not None or order.status in ("paid", "preparing", "shipped", "delivered"):
        return True
    return None


def is_unpaid(case: Case) -> bool:
    """True where the data say that the order's money has not arrived."""
    return case.order is not None and is_paid(case.order) is False


# --- tests: what was wanted against the case ------------------------------------------------------------------------

Test = Callable[[Case, Any], bool]
"""A test knows what its key's values are read as (`when`)."""
_Names = tuple[str, ...]


def _asks(case: Case, wanted: _Names) -> bool:
    return not case.reading.asked.keys().isdisjoint(wanted)


def _mentions(case: Case, wanted: _Names) -> bool:
    return not case.reading.mentioned.isdisjoint(wanted)


def _acts(case: Case, wanted: _Names) -> bool:
    return not case.reading.acts.isdisjoint(wanted)


def _says(case: Case, wanted: object) -> bool:
    return str(wanted) in case.reading.said


def _like(case: Case, wanted: _Names) -> bool:
    return not case.reading.like.keys().isdisjoint(wanted)


def _language(case: Case, wanted: _Names) -> bool:
    return case.message.language in wanted


def _channel(case: Case, wanted: _Names) -> bool:
    return case.channel in wanted


def _sender(case: Case, wanted: _Names) -> bool:
    sender = case.message.sender
    mail = sender.key if sender is not None else ""
    return any(fnmatch.fnmatchcase(mail, pattern) for pattern in wanted)


def _attachments(case: Case, wanted: Comparison) -> bool:
    return wanted.holds(len(case.message.attachments))


def _photos(case: Case, wanted: bool) -> bool:
    return any(a.content_type.startswith("image/") for a in case.message.attachments) is wanted


def _orders_named(case: Case, wanted: Comparison) -> bool:
    return wanted.holds(len(case.ids_named))


def _length(case: Case, wanted: Comparison) -> bool:
    return wanted.holds(case.reading.chars)


def _trusted(case: Case, wanted: bool) -> bool:
    return case.trusted is not None and case.trusted is wanted


def _official_cancel(case: Case, wanted: bool) -> bool:
    return case.official_cancel is wanted


def _sent_before(case: Case, wanted: _Names) -> bool:
    """True if one of these templates (`*` for any ending) went to this buyer about this very order."""
    about = {case.order.order_id} if case.order is not None else {"", *case.ids_named}
    return any(
        about & orders and any(fnmatch.fnmatchcase(template, pattern) for pattern in wanted)
        for template, orders in case.sent_before.items()
    )


def _policy(case: Case, wanted: _Names) -> bool:
    """True if the shop has written this in the language of the mail."""
    language = case.message.language
    plain = case.shop_language == language
    return all(
        case.policy.get(f"{name}_{language}", "").strip() or (plain and case.policy.get(name, "").strip())
        for name in wanted
    )


def _time(case: Case, wanted: tuple[time, time]) -> bool:
    start, end = wanted
    now = case.local_now.time()
    return start <= now < end if start <= end else now >= start or now < end


def _weekday(case: Case, wanted: frozenset[int]) -> bool:
    return case.local_now.weekday() in wanted


def _found(case: Case, wanted: bool) -> bool:
    return (case.order is not None and case.order_problem is None) is wanted


def _problem(case: Case, wanted: _Names) -> bool:
    return case.order_problem is not None and case.order_problem in wanted


def _named(case: Case, wanted: bool) -> bool:
    return (case.order is not None and case.by_number) is wanted


def _of_order(test: Callable[[Case, Order, Any], bool]) -> Test:
    return lambda case, wanted: case.order is not None and test(case, case.order, wanted)


def _number(value: Callable[[Case, Order], float | None]) -> Test:
    def test(case: Case, wanted: Comparison) -> bool:
        if case.order is None:
            return False
        number = value(case, case.order)
        return number is not None and wanted.holds(number)

    return test


def _overdue(case: Case, order: Order, wanted: bool) -> bool:
    days = overdue_days(case)
    return (days is not None and days > 0) is wanted


def _paid(case: Case, order: Order, wanted: bool) -> bool:
    paid = is_paid(order)
    return paid is not None and paid is wanted


def _payment(case: Case, order: Order, wanted: _Names) -> bool:
    method = fold(order.payment).strip()
    return any(fold(name).strip() in method for name in wanted) if method else False


FACTS = (
    "buyer_name", "buyer_mail", "payment", "total", "ordered_at", "paid_at", "ship_by", "shipped_at", "carrier",
    "tracking_no", "eta", "items",
)  # fmt: skip


def _has(case: Case, order: Order, wanted: _Names) -> bool:
    return all(bool(getattr(order, name)) for name in wanted)


def _lacks(case: Case, order: Order, wanted: _Names) -> bool:
    return not any(bool(getattr(order, name)) for name in wanted)


def _columns(case: Case, order: Order, wanted: tuple[tuple[str, object], ...]) -> bool:
    columns = {normalise(k).strip(): v for k, v in order.extra.items()}
    for name, want in wanted:
        value = columns.get(normalise(name).strip())
        if value is None:
            return False
        if isinstance(want, Comparison):
            try:
                if not want.holds(float(normalise(value).replace(",", ""))):
                    return False
            except ValueError:
                return False
        elif not fnmatch.fnmatchcase(normalise(value).strip(), normalise(str(want)).strip()):
            return False
    return True


def _data_age(case: Case, order: Order, wanted: tuple[tuple[str, Comparison], ...]) -> bool:
    for name, limit in wanted:
        age = age_h(order, case.now, name)
        if age is None or not limit.holds(age):
            return False
    return True


TESTS: Mapping[str, Test] = {
    "asks": _asks,
    "mentions": _mentions,
    "acts": _acts,
    "says": _says,
    "subject": _says,
    "like": _like,
    "language": _language,
    "channel": _channel,
    "sender": _sender,
    "attachments": _attachments,
    "photos": _photos,
    "orders_named": _orders_named,
    "length": _length,
    "trusted": _trusted,
    "official_cancel": _official_cancel,
    "sent_before": _sent_before,
    "policy": _policy,
    "time": _time,
    "weekday": _weekday,
    "order.found": _found,
    "order.problem": _problem,
    "order.named": _named,
    "order.status": _of_order(lambda case, order, wanted: order.status in wanted),
    "order.before_shipping": _of_order(lambda case, order, wanted: order.is_unshipped is wanted),
    "order.after_shipping": _of_order(lambda case, order, wanted: order.is_shipped is wanted),
    "order.paid": _of_order(_paid),
    "order.overdue": _of_order(_overdue),
    "order.days_since_promised": _number(lambda case, order: overdue_days(case)),
    "order.age_days": _number(lambda case, order: _days(case, order.ordered_at)),
    "order.days_since_shipped": _number(lambda case, order: _days(case, order.shipped_at)),
    "order.data_age_h": _number(lambda case, order: age_h(order, case.now)),
    "order.data_age": _of_order(_data_age),
    "order.amount": _number(lambda case, order: float(order.total) if order.total is not None else None),
    "order.items": _number(lambda case, order: float(sum(item.quantity for item in order.items))),
    "order.payment": _of_order(_payment),
    "order.channel": _of_order(lambda case, order, wanted: order.channel in wanted),
    "order.currency": _of_order(lambda case, order, wanted: order.currency.upper() in wanted),
    "order.some_items": _of_order(lambda case, order, wanted: case.reading.is_of_part is wanted),
    "order.has": _of_order(_has),
    "order.lacks": _of_order(_lacks),
    "order.columns": _of_order(_columns),
}

# Conditions that something in the mail's words must make true: a rule is looked at only where it is.
WORDS = frozenset({"asks", "mentions", "acts", "says", "subject", "like"})


def holds(condition: Condition, case: Case) -> Leaf | Group | None:
    """None if the condition holds, else the first part of it that does not."""
    if isinstance(condition, Leaf):
        return None if TESTS[condition.key](case, condition.wanted) else condition
    match condition.kind:
        case "all":
            for member in condition.members:
                if isinstance(member, Leaf):
                    if not TESTS[member.key](case, member.wanted):
                        return member
                elif (failed := holds(member, case)) is not None:
                    return failed
            return None
        case "any":
            for member in condition.members:
                if holds(member, case) is None:
                    return None
            return condition
        case "none":
            for member in condition.members:
                if holds(member, case) is None:
                    return member
            return None


def shown(condition: Condition) -> str:
    """A condition as a person wrote it, on one line."""
    if isinstance(condition, Leaf):
        return f"{condition.key} = {condition.shown}"
    return f"{condition.kind}({', '.join(shown(member) for member in condition.members)})"
