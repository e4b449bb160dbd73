"""Writes a notice: a wish and its order become a letter, with what staff have to do before they approve it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from responder.core.compose import Templates, compose
from responder.core.offer import variant_of as variant_of_mail
from responder.core.owed.reader import Variant, company_of, variant_of
from responder.core.owed.values import Surroundings
from responder.core.owed.wish import Wish
from responder.core.values import Shop
from responder.model import Address, Decision, Identity, Language, Letter, Message, Order

SITUATION = "owe_"
"""What the situation and the template of every notice begin with; the matter follows."""

_CALLS_FOR_ACTION = frozenset({"sold_out", "restock", "delay", "combined"})


class Channel(Protocol):
    """What is looked at of a channel beside what every reply looks at."""

    @property
    def name(self) -> str: ...
    @property
    def urgent_mark(self) -> object: ...


@dataclass(frozen=True, slots=True)
class Draftable:
    """A notice ready to be put into Drafts. `note` are names of notes for staff, one a line, "" for nothing to do."""

    letter: Letter
    decision: Decision
    note: str


def owed_letter(
    wish: Wish,
    order: Order,
    channel: Channel,
    *,
    identity: Identity,
    shop: Shop,
    templates: Templates,
    now: datetime,
    root: str,
    default_language: Language,
    mail: Message | None = None,
    around: Surroundings | None = None,
) -> Draftable:
    """The notice to the order's buyer, as an answer to his `mail` where there is one.

    `root` is a Message-ID of ours that no mail has: it heads the thread, so that the draft is found again whatever a
    mail client makes of its other headers, and the buyer's answer is known by it.

    Raises: MessageError if the template is missing or fails, or nobody can be answered.
    """
    language, variant = reader_of(wish, order, default_language, mail)
    name = f"{SITUATION}{wish.matter}"
    note = _note(wish, order, has_perk=around is not None and bool(around.perk))
    decision = Decision(
        "draft", name, None, language, channel.name, order=order, order_id=order.order_id, template=name, note=note
    )
    surroundings = replace(around or Surroundings(), replies=mail is not None)
    letter = compose(
        decision,
        mail or _to_buyer(order, language),
        identity=identity,
        shop=shop,
        channel=channel,
        templates=templates,
        now=now,
        wish=wish,
        around=surroundings,
        variant=variant,
    )
    references = letter.references if mail is not None and letter.references else (root,)
    mark = getattr(channel, "urgent_mark", None) or {}
    if wish.matter in _CALLS_FOR_ACTION and mail is None and language in mark:
        letter = replace(letter, subject=f"{mark[language]} {letter.subject}")
    return Draftable(replace(letter, references=references), decision, note or "")


def page_text(
    wish: Wish,
    order: Order | None,
    template: str,
    *,
    identity: Identity,
    shop: Shop,
    templates: Templates,
    now: datetime,
    around: Surroundings | None = None,
) -> Letter:
    """The text of a page to print: a formal letter to the order's buyer, or without an order a text for everybody.

    Raises: MessageError as `owed_letter`.
    """
    language: Language = wish.language or shop.language
    variant: str = language
    if order is not None:
        language, variant = reader_of(wish, order, shop.language)
    order_id = order.order_id if order is not None else None
    decision = Decision("draft", template, None, language, "own", order=order, order_id=order_id, template=template)
    return compose(
        decision,
        _to_buyer(order, language),
        identity=identity,
        shop=shop,
        channel=None,
        templates=templates,
        now=now,
        wish=wish,
        around=around,
        variant=variant,
    )


def reader_of(
    wish: Wish, order: Order, default_language: Language, mail: Message | None = None
) -> tuple[Language, str]:
    """In which language the notice is written, and from which template folder: the wish's, that of the buyer's mail,
    else what the order tells."""
    if mail is not None and wish.language is None:
        return mail.language, variant_of_mail(Decision("draft", "other", None, mail.language, "own"), mail)
    variant: Variant = wish.language or variant_of(order, default_language)
    if variant == "zh" and variant_of(order, default_language) == "zh-hant":
        variant = "zh-hant"
    return ("zh" if variant == "zh-hant" else variant), variant


def _note(wish: Wish, order: Order, *, has_perk: bool) -> str | None:
    names: list[str] = []
    if wish.matter in ("sold_out", "restock", "combined"):
        names.append("owe_hide_page")
    if wish.matter == "sold_out" and order.status != "cancelled":
        names.append("cancel_in_admin")
    if wish.matter == "checking":
        names.append("owe_keep_the_date")
    if wish.matter != "care" and (wish.business or (wish.business is None and company_of(order))):
        names.append("owe_phone_first")
    if has_perk:
        names.append("owe_perk")
    return "\n".join(names) or None


def _to_buyer(order: Order | None, language: Language) -> Message:
    """A mail nobody wrote: it lends its sender to the notice as the one to be addressed."""
    sender = Address(order.buyer_name, order.buyer_mail) if order is not None else Address("", "")
    return replace(Message.blank(language), sender=sender)
