"""How a reply leaves: by the account's own server, by a marketplace's, or not by mail at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from responder.config import AccountSettings, Relay
from responder.core.channels import Channel, ReplyMode, channel_of, reply_mode_of
from responder.core.senders import mailbox_key
from responder.model import Identity


@dataclass(frozen=True, slots=True)
class Way:
    """How replies to one address leave. `relay` is what is configured for its channel, `envelope_from` and `identity`
    who they are from."""

    mode: ReplyMode
    channel: str
    relay: Relay | None
    identity: Identity

    @property
    def by(self) -> str:
        """The channel whose own server takes the mail, "" for the account's server."""
        return self.channel if self.relay is not None and self.relay.smtp is not None else ""

    @property
    def is_closed(self) -> bool:
        """True where only the marketplace's own server would take the mail and none is configured."""
        return self.mode == "relay_smtp" and not self.by

    @property
    def must_be_from(self) -> str | None:
        """The one address that replies must be from, or None where any address of the account will do."""
        return self.relay.identity.address if self.relay is not None else None

    def envelope_from(self, sender: str) -> str:
        """The envelope sender of a mail that is from `sender`."""
        return self.relay.envelope_from if self.relay is not None else sender

    def is_from_the_right_address(self, sender: str) -> bool:
        """True if replies this way may be from that address."""
        return self.must_be_from is None or mailbox_key(sender) == mailbox_key(self.must_be_from)


def way_to(recipient: str, channel: str, account: AccountSettings, channels: Sequence[Channel]) -> Way:
    """How a reply that was written for `channel` leaves for that address.

    The address decides: a marketplace's takes mail its own way, also where the buyer gave it in the shop's own form.
    """
    name = channel_of(recipient, channels, written_for=channel)
    return Way(
        mode=reply_mode_of(recipient, channels, written_for=channel),
        channel=name,
        relay=account.relay(name),
        identity=account.writes_as(name),
    )
