"""Which order a mail that staff dropped into a command folder is about: an order notification, or a buyer's mail."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from responder.model import Order, order_key


def order_meant(
    known: Sequence[Order], certain: Collection[str], of_sender: Sequence[Order], text: str
) -> tuple[Order, ...]:
    """The one order that is meant; several where that cannot be told, none where no order was found.

    `known` are the orders whose ids stand in the mail, `certain` those ids that can be nothing else, `of_sender` the
    orders of the mail's sender. Among several the one counts whose buyer's address stands in the `text`.
    """
    found = {order_key(order.order_id): order for order in known}
    sure = {order_key(one) for one in certain} & found.keys()
    for some in ([found[key] for key in found if key in sure], list(found.values())):
        if len(some) == 1:
            return (some[0],)
    if found:
        lowered = text.casefold()
        named = [one for one in found.values() if one.buyer_mail and one.buyer_mail.casefold() in lowered]
        return (named[0],) if len(named) == 1 else tuple(found.values())
    waiting = [order for order in of_sender if order.is_unshipped]
    return tuple(waiting or of_sender)
