"""What the shop owes a buyer who does not know it yet: sold out, late, still checking, and the mails that say so.

A wish names an order, a matter and what is known of it. From it a letter is written as from a decision; what nobody has
told stands in it as a blank (`owed.letter`). Nothing here knows how a wish came in or where its draft goes.
"""

from responder.core.owed.fits import why_not
from responder.core.owed.values import OwedValues, Surroundings, not_owed
from responder.core.owed.when import Day, When, day_from, when_from
from responder.core.owed.wish import (
    CAUSES,
    DELAY_CAUSES,
    MATTERS,
    STOCK_CAUSES,
    Alternative,
    Matter,
    Wish,
    alternative_from,
    wish_from_json,
)

__all__ = [
    "CAUSES",
    "DELAY_CAUSES",
    "MATTERS",
    "STOCK_CAUSES",
    "Alternative",
    "Day",
    "Matter",
    "OwedValues",
    "Surroundings",
    "When",
    "Wish",
    "alternative_from",
    "day_from",
    "not_owed",
    "when_from",
    "why_not",
    "wish_from_json",
]
