"""Where mails lie: moves drafts between the staff's folders, marks originals, and remembers where things went."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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


def mark_answered(desk: Desk, places: Iterable[Place]) -> None:
    r"""`\Answered` on these mails; one that is no longer there is no error. May be repeated."""
    for place in sorted(places, key=lambda p: (p.mailbox, p.uid)):
        selected = desk.session.select(place.mailbox)
        if selected.uidvalidity == place.uidvalidity:
            desk.session.add_flags([place.uid], ("\\Answered",))
