"""What staff made of a draft's words is kept for the report: as written, edited and how, or another text altogether."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import Connection

from responder.core.compose import own_words, text_of
from responder.core.rewording import Kept, changes, kept, key_of
from responder.edges.journal import cases, rewordings
from responder.errors import MessageError
from responder.flows.desk import Desk
from responder.model import Draft, Place, Rewording

_ABOUT = ("buyer_name", "items", "tracking_no", "carrier", "total")


def learn(tx: Connection, draft: Draft, theirs: str, now: datetime) -> Kept:
    """What became of the draft's words in `theirs`, the text without quotations that goes out or went out."""
    ours = own_words(text_of(draft.raw))
    found = kept(ours, theirs)
    case = cases.find(tx, draft.case_id)
    some = changes(ours, theirs, _about(draft)) if found == "edited" and case is not None else ()
    rewordings.keep(
        tx,
        draft.id,
        [
            Rewording(
                template=draft.template,
                buyer=case.buyer,
                at=now,
                gone_key=key_of(one.gone),
                came_key=key_of(one.came),
                gone=one.gone,
                came=one.came,
            )
            for one in some
            if case is not None
        ],
    )
    return found


def _about(draft: Draft) -> list[str]:
    """The words of this one case."""
    name = draft.recipient.name
    facts = [part for field in _ABOUT for part in re.split(r"[\n;,、]", draft.facts.get(field, ""))]
    return [name, *name.split(), draft.order_id or "", draft.recipient.mail, *(one.strip() for one in facts)]


def went_out(desk: Desk, draft: Draft | None, place: Place, now: datetime) -> tuple[str | None, datetime]:
    """The shop's own words in the mail at this place in Sent, None where there is no draft to hold them against; and
    when it was sent, as far as the server tells."""
    desk.session.select(place.mailbox, readonly=True)
    size = 2 * len(draft.raw) + 100_000 if draft is not None else 1
    for fetched in desk.session.fetch([place.uid], first_bytes=size):
        at = fetched.internaldate
        at = at if at is not None and at <= now else now
        if draft is None or not draft.raw:
            return None, at
        try:
            return own_words(text_of(fetched.raw)), at
        except MessageError:
            return None, at
    return None, now
