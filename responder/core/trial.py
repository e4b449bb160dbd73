"""A rehearsal of templates: each is filled in with invented orders before any buyer waits for it.

Finds what the syntax does not show: a value asked for what it does not have, arithmetic on text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path

from jinja2 import Template

from responder.core.offer import Known, offer
from responder.errors import Mistake
from responder.model import Address, Attachment, Decision, Identity, Item, Language, Message, Order

_NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
_SOON = _NOW + timedelta(days=3)
_IDENTITY = Identity("shop@shop.example", (), "Shop")
_UNSHIPPED = Order(
    order_id="1",
    status="preparing",
    buyer_name="A B",
    payment="credit_card",
    total=Decimal(1),
    currency="JPY",
    ordered_at=_NOW,
    paid_at=_NOW,
    ship_by=_SOON,
    items=(Item("x", "x", 2), Item("y", "y", 1)),
)
_SHIPPED = Order(
    order_id="1", status="shipped", shipped_at=_NOW, carrier="yamato", tracking_no="123456789012", eta=_NOW, items=()
)
_MAIL = replace(
    Message.blank("ja"),
    sender=Address("A B", "a@mail.example"),
    subject="x",
    date=_NOW,
    text="x",
    new_text="x",
    attachments=(Attachment("x.jpg", "image/jpeg", 1),),
    size_bytes=1,
)


@dataclass(frozen=True)
class _Shop:
    name: str = "Shop"
    language: Language = "ja"
    timezone: tzinfo = UTC
    signature: str = "Shop"
    names: Mapping[Language, str] = field(default_factory=dict)
    signatures: Mapping[Language, str] = field(default_factory=dict)
    policy: Mapping[str, str] = field(default_factory=dict)


def rehearse(compiled: Mapping[str, Template], known: Known) -> Iterator[Mistake]:
    """What goes wrong when each template is filled in, at most one mistake a template."""
    for name, template in compiled.items():
        language: Language = "ja" if name.startswith("ja/") else "en" if name.startswith("en/") else "zh"
        for order in (_UNSHIPPED, _SHIPPED, None):
            decision = Decision("draft", "other", None, language, "own", order=order, template=name)
            _, offered = offer(decision, _MAIL, identity=_IDENTITY, shop=_Shop(), channel=None, known=known, now=_NOW)
            try:
                template.render(offered)
            except Exception as problem:  # Whatever an expression of the shop's raises is the shop's to read.
                yield _told(problem, template)
                break


def _told(problem: Exception, template: Template) -> Mistake:
    """The mistake with the template line that the error came from, which may stand in a part."""
    file, line = template.filename or "", 0
    trace = problem.__traceback__
    while trace is not None:
        place = trace.tb_frame.f_code.co_filename
        if place.endswith(".txt"):
            file, line = place, trace.tb_lineno
        trace = trace.tb_next
    detail = (("detail", str(problem)[:300] or type(problem).__name__),)
    return Mistake(file, line, Path(file).stem, "template_fails", detail)
