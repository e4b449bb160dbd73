"""Drafts in our handwriting that this journal does not know: another responder works on the mailbox, or the journal was
lost or comes from an old backup.

Two journals cannot agree on who sends. So neither sends anything of a case in which it has seen the other's draft,
until a person throws one of the two away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from responder.core.approval import Binding, OtherHand
from responder.edges.journal import notes
from responder.flows.desk import Desk, Sighting
from responder.flows.tell import tell
from responder.model import Draft, Place, Reason

_FACT = "other-hands"
MOST = 500


@dataclass(frozen=True, slots=True)
class Hands:
    """The cases for which another hand has written a draft: `open` where nobody has thrown it away, `closed` where it
    was seen in Trash."""

    open: frozenset[str]
    closed: frozenset[str]

    def hold(self, draft: Draft, approved_ids: Sequence[str | None]) -> bool:
        """True if the draft must not be sent. Once the other's is thrown away, one that bears our own id is ours alone
        to send; one that a mail client saved under an id of its own could be taken by both."""
        if draft.case_id in self.open:
            return True
        return draft.case_id in self.closed and any(message_id != draft.message_id for message_id in approved_ids)


def look_for_other_hands(
    desk: Desk,
    views: Iterable[tuple[Mapping[Place, Sighting], Mapping[Place, Binding]]],
    trashed: Mapping[Place, Sighting],
    now: datetime,
) -> Hands:
    """The cases in other hands, those of former looks among them."""
    seen: dict[str, list[str]] = {}
    for view, bindings in views:
        for place, binding in bindings.items():
            if isinstance(binding, OtherHand) and "\\deleted" not in view[place].flags:
                message_id = view[place].papers.message_id or ""
                seen[message_id] = list(binding.case_ids)
                _tell_where_approved(desk, place, message_id, now)
    with desk.journal.reading() as tx:
        before = notes.find_fact(tx, desk.name, _FACT) or {"open": {}, "closed": []}
    refused = {sighting.papers.message_id for sighting in trashed.values()}
    both: dict[str, list[str]] = {**before["open"], **seen}
    left = {message_id: cases for message_id, cases in both.items() if message_id not in refused}
    closed = [case for message_id, cases in both.items() if message_id in refused for case in cases]
    known = {
        "open": dict(list(left.items())[-MOST:]),
        "closed": list(dict.fromkeys((*before["closed"], *closed)))[-MOST:],
    }
    if known != before:
        with desk.journal.durable() as tx:
            notes.save_fact(tx, desk.name, _FACT, known)
        desk.say("other_hands", level=30, count=len(left))
    return Hands(frozenset(case for cases in left.values() for case in cases), frozenset(known["closed"]))


def _tell_where_approved(desk: Desk, place: Place, message_id: str, now: datetime) -> None:
    """It may be the other's to send at this moment: it is left alone."""
    if place.mailbox != desk.account.approved:
        return
    with desk.journal.durable() as tx:
        note = Reason.of("other_hand", folder=place.mailbox)
        tell(desk, tx, f"other-hand:{message_id}"[:200], note, now=now)


def tell_held(desk: Desk, draft: Draft, now: datetime) -> None:
    """An approved draft is not sent, because there is another hand's for the same mail."""
    with desk.journal.durable() as tx:
        note = Reason.of("two_hands", order=draft.order_id or "-")
        key = f"two-hands:{draft.id}"
        tell(desk, tx, key, note, now=now, in_reply_to=draft.in_reply_to, references=draft.references)
