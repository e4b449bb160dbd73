"""Where a mail comes from and what that means: the shop's own address, a marketplace's relay, a contact form.

A channel is a data file (`responder/data/channels`, the shop's `channels/` on top): how its mails are recognised,
what its order ids look like, the frame around the buyer's words, how and within what time it is answered, and what
may not be written there. Nothing here trusts a sender: whether the mail really comes from where it says is
`authentication`'s matter.
"""

from responder.core.channels.channel import FORBIDDEN, MUST_CONTAIN, PASTE_DOMAIN, Channel, Kind, ReplyMode, Route
from responder.core.channels.frames import unframe
from responder.core.channels.order_ids import MOST, Wanted, wanted_order_ids
from responder.core.channels.reading import channel_from
from responder.core.channels.recognise import channel_of, recognise, reply_mode_of

__all__ = [
    "FORBIDDEN",
    "MOST",
    "MUST_CONTAIN",
    "PASTE_DOMAIN",
    "Channel",
    "Kind",
    "ReplyMode",
    "Route",
    "Wanted",
    "channel_from",
    "channel_of",
    "recognise",
    "reply_mode_of",
    "unframe",
    "wanted_order_ids",
]
