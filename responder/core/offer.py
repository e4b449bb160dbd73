"""Everything a template is offered for one reply, put together from the decision, the mail, the shop and the channel.

The buyer's words are among it as values only. Nothing is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from responder.core.addresses import clean_lines
from responder.core.claims import AskedValues, DayValues, FactValues, PolicyValues, RefundValues, TrackingValues
from responder.core.dates import calendar_from, written
from responder.core.language import chinese_scripts
from responder.core.order_data import placed_on
from responder.core.owed.values import OwedValues, Surroundings
from responder.core.owed.wish import Wish
from responder.core.refunds import Refunds
from responder.core.tracking import Carrier, Home
from responder.core.values import OrderValues, Shop, View, one_line
from responder.core.wording import Catalog
from responder.model import Decision, Identity, Message

MAX_TEXT = 3000

# What the buyer reads the reply as: a mail, or a message in the marketplace's own pages.
_MEDIUM = {
    "ja": ("メール", "メッセージ"),
    "en": ("email", "message"),
    "zh": ("邮件", "消息"),
    "zh-hant": ("郵件", "訊息"),
}
_CONTACT = frozenset({"mail_addresses", "phone", "contact"})


class Known(Protocol):
    """The facts that templates draw on."""

    @property
    def carriers(self) -> Mapping[str, Carrier]: ...
    @property
    def refunds(self) -> Refunds: ...
    @property
    def home(self) -> Home: ...
    @property
    def policy(self) -> Mapping[str, str]: ...
    @property
    def wording(self) -> Catalog: ...


def offer(
    decision: Decision,
    message: Message,
    *,
    identity: Identity,
    shop: Shop,
    channel: object,
    known: Known,
    now: datetime,
    wish: Wish | None = None,
    around: Surroundings | None = None,
    variant: str = "",
) -> tuple[View, dict[str, object]]:
    """The view that records what a text touches, and the values by the name a template calls them.

    `channel` may lack any attribute: then the reply is written as for the shop's own site. `wish` and `around` are
    what a notice tells; `variant` is the template folder where the mail does not tell it.
    """
    policy = {**known.policy, **shop.policy}
    view = View(
        language=decision.language,
        variant=variant or variant_of(decision, message),
        shop_language=shop.language,
        timezone=shop.timezone,
        now=now,
        calendar=calendar_from(policy.items()),
        wording=known.wording,
    )
    order = OrderValues(decision.order, view, known.refunds)
    order.touch("is_shipped")
    words = PolicyValues(policy, view)
    days = DayValues(view, words)
    tracking = TrackingValues(decision.order, order, view, known.carriers, known.home)
    tracking.links = bool(getattr(channel, "allows_links", True))
    forbidden = {str(word).casefold() for word in getattr(channel, "forbidden", ()) or ()}
    contact = not _CONTACT & forbidden
    name = one_line(shop.names.get(view.language) or shop.name or identity.display_name)
    name = name or identity.address.rpartition("@")[2]
    signature = clean_lines(shop.signatures.get(view.language) or shop.signature).strip() if contact else ""
    return view, {
        "shop": {"name": name, "signature": signature or name},
        "buyer": {"name": buyer_name(decision, message)},
        "order": order,
        "channel": {
            "name": decision.channel,
            "title": _title(channel, view.variant),
            "links": tracking.links,
            "contact": contact,
            "addresses": "postal_address" not in forbidden,
            "medium": _MEDIUM[view.variant][getattr(channel, "reply_mode", "mail") == "admin_only"],
        },
        "mail": {
            "subject": one_line(message.subject),
            "date": written(written_at(message, view).date(), view.language, view.today),
            "text": clean_lines(message.new_text[:MAX_TEXT]),
            "has_attachment": bool(message.attachments),
            "is_angry": decision.is_angry,
            "is_formal": decision.is_formal,
        },
        "asked": AskedValues(decision.asks),
        "tracking": tracking,
        "refund": RefundValues(decision.order, order, view, known.refunds, placed_on(decision.order, decision.channel)),
        "owed": OwedValues(
            wish,
            decision.order,
            order,
            view,
            forbidden=frozenset(forbidden),
            links=tracking.links,
            hosts=frozenset(getattr(channel, "link_hosts", ()) or ()),
            around=around,
        ),
        "fact": FactValues(decision.order, order, view, known.refunds),
        "day": days,
        "policy": words,
        "in_business_days": days.in_business_days,
        "blank": view.blank,
    }


def variant_of(decision: Decision, message: Message) -> str:
    """The template folder: Traditional Chinese for a buyer who writes it."""
    if decision.language != "zh":
        return decision.language
    said = (message.new_text or message.subject)[:4000]
    simplified, traditional = chinese_scripts(said)
    return "zh-hant" if traditional > simplified else "zh"


def buyer_name(decision: Decision, message: Message) -> str:
    """How to address the buyer: the name in the order, else the one in the mail, or ""."""
    said = decision.order.buyer_name if decision.order else ""
    if not one_line(said) and message.sender is not None:
        said = re.sub(r"\s+-\s+Amazon Marketplace$|\s+via\s+\S.*$", "", message.sender.name)
    name = re.sub(r"[\s　]*(?:様|さま|さん|御中)$", "", re.sub(r"[<>\[\]{}\"`|\\]", "", one_line(said, 60))).strip()
    return "" if "@" in name or "://" in name or not re.search(r"\w", name) else name


def written_at(message: Message, view: View) -> datetime:
    """When the mail says it was written, where the shop is; now if that is missing or no time at all."""
    try:
        return (message.date or view.now).astimezone(view.timezone)
    except (OverflowError, ValueError):
        return view.now.astimezone(view.timezone)


def _title(channel: object, variant: str) -> str:
    titles = getattr(channel, "title", None)
    if not isinstance(titles, Mapping):
        return ""
    return one_line(str(titles.get(variant) or titles.get(variant[:2]) or titles.get("en") or ""))
