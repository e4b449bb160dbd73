"""What becomes of a case by its rule: the decision with its reasons, and what bars a draft that no rule can switch off.

The order is identified and its buyer's, its state is known, nothing else is asked in the same mail.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from responder.core import order_data
from responder.core.rules.conditions import Case
from responder.core.rules.pack import Rule, Topic
from responder.model import Decision, Reason, RuleTrace

# Order states that no reply relies on unless its rule names them.
UNSURE_STATES = frozenset({"cancelled", "unknown"})
# What machines write: nobody misses an answer to it, however little of it was read.
MACHINES = frozenset({"auto_reply", "spam"})
# A matter of which a mail only speaks like this is no second one: denied, or done with.
CLOSED = frozenset({"negated", "settled", "thanked"})
_CODE = re.compile(r"^[a-z][a-z0-9_]*$")


def decided(rule: Rule | None, case: Case, trace: tuple[RuleTrace, ...], topics: Mapping[str, Topic]) -> Decision:
    """The decision by the first rule that fits, or by none."""
    order = case.order if case.order_problem is None else None
    order_id = order.order_id if order is not None else next(iter(case.ids_named), None)
    common: dict[str, Any] = {
        "language": case.message.language,
        "channel": case.channel,
        "order": order,
        "order_id": order_id,
        "sentences": case.reading.sentences,
        "trace": trace,
        "asks": tuple(sorted(case.reading.asked)),
        "is_angry": "angry" in case.reading.acts,
        "is_formal": case.official_cancel,
    }
    about_order = _order_reason(case)
    upset = (Reason.of("angry_buyer"),) if "angry" in case.reading.acts else ()
    if rule is None:
        why = Reason.of("not_understood") if case.reading.chars else Reason.of("no_text")
        return Decision("hold", "other", None, reasons=(why, *about_order, *upset), **common)
    reasons = (Reason.of("rule", rule=rule.id), *(r for t in trace if t.outcome == "fired" for r in t.because))
    common |= {"note": _note(rule, case), "deadline_h": rule.deadline_h}
    match rule.action:
        case "silence" if not case.reading.too_long or rule.situation in MACHINES:
            return Decision("silence", rule.situation, rule.id, reasons=reasons, **common)
        case "silence":
            why = Reason.of("text_too_long")
            return Decision("hold", rule.situation, rule.id, reasons=(why, *reasons, *about_order), **common)
        case "hold":
            hold = rule.hold or ""
            why = Reason.of(hold) if _CODE.match(hold) else Reason.of("hold_text", text=hold)
            return Decision("hold", rule.situation, rule.id, reasons=(why, *reasons, *about_order, *upset), **common)
    barred = bar(rule, case, topics)
    if barred is not None:
        return Decision("hold", rule.situation, rule.id, reasons=(barred, *reasons, *about_order, *upset), **common)
    return Decision(
        "draft",
        rule.situation,
        rule.id,
        template=rule.template,
        reasons=(*reasons, *about_order),
        **common,
    )


def _note(rule: Rule, case: Case) -> str | None:
    """What staff are told: the rule's own note, and how to speak with a buyer who is upset."""
    notes = (rule.note or "", "angry_buyer" if "angry" in case.reading.acts and rule.action != "silence" else "")
    return "\n".join(note for note in notes if note) or None


def _order_reason(case: Case) -> tuple[Reason, ...]:
    if case.order_problem is not None:
        return (Reason.of(case.order_problem, **case.notes),)
    if case.order is None:
        return ()
    code = "order_by_number" if case.by_number else "order_by_sender"
    told = Reason.of(code, order_id=case.order.order_id, status=case.order.status)
    return (told, *order_data.reasons_about(case.order, case.message, case.now))


def bar(rule: Rule, case: Case, topics: Mapping[str, Topic]) -> Reason | None:
    """Why a reply must not be drafted although its rule matches, or None. No rule can switch these off."""
    message, order = case.message, case.order
    if message.sender is None:
        return Reason.of("sender_unclear")
    if case.trusted is False:
        return Reason.of("sender_not_trusted")
    if case.reading.too_long:
        return Reason.of("text_too_long")
    if rule.needs_order:
        if case.order_problem is not None:
            return Reason.of(case.order_problem, **case.notes)
        if order is None:
            return Reason.of("order_not_found")
        if found := order_data.problems(order, message, case.now):
            return Reason.of("order_data_problem", problems=", ".join(found))
        if order.status in UNSURE_STATES and order.status not in rule.statuses:
            return Reason.of("order_state_unsure", status=order.status)
        if rule.fresh_h is not None and (old := order_data.too_old(order, case.now, rule.fresh_h)) is not None:
            return old
    others = sorted(t for t in case.reading.asked.keys() - rule.asks - rule.covers if topics[t].matter)
    if not others:
        # Two more matters by name make a list, even where nobody can say which of them is asked for.
        open_ = {m.topic for m in case.reading.mentions if m.status not in CLOSED}
        named = sorted(t for t in open_ - rule.asks - rule.covers if topics[t].matter)
        others = named if len(named) > 1 else []
    if others:
        return Reason.of("two_matters", topics=", ".join((*sorted(rule.asks & case.reading.asked.keys()), *others)))
    return None
