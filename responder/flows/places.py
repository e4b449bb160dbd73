"""Moves drafts between the staff's folders and remembers where they went."""

from __future__ import annotations

from collections.abc import Sequence

from responder.edges.journal import drafts
from responder.flows.desk import Desk
from responder.model import Draft, Place


def back_to_drafts(desk: Desk, draft: Draft, places: Sequence[Place]) -> None:
    """Move what lies in Approved back to Drafts and remember where it went."""
    for place in places:
        selected = desk.session.select(place.mailbox)
        if selected.uidvalidity != place.uidvalidity:
            continue
        moved = desk.session.move(place.uid, desk.located.drafts)
        with desk.journal.light() as tx:
            if moved is not None:
                drafts.seen_at(tx, draft.id, Place(desk.located.drafts, moved[0], moved[1]), touched=True)
    desk.forget_status(desk.account.approved, desk.located.drafts)
