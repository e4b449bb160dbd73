"""What lies in the mailboxes staff act in: each mail with its flags, tied to the drafts the journal knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from responder.core.approval import Binding, Bound, Known, bind, text_key
from responder.core.compose import text_of
from responder.edges.journal import cases, drafts, mails, notes
from responder.flows.desk import Desk, Sighting, same_bytes
from responder.model import Cursor, Draft, Place

MAIL_BYTES = 30_000_000
NOTHING_KNOWN = Known({}, {}, {}, {})


def look_into(desk: Desk, mailbox: str, now: datetime) -> dict[Place, Sighting]:
    """Everything in a mailbox with its papers and flags; read again only when the mailbox looks different."""
    if not desk.changed(mailbox) and mailbox in desk.views:
        return desk.views[mailbox]
    selected = desk.session.select(mailbox, readonly=True)
    flags = desk.session.flags(desk.session.all_uids())
    papers = desk.read_papers(mailbox, selected.uidvalidity, tuple(flags))
    view = {place: Sighting(place, p, frozenset(f.lower() for f in flags[place.uid])) for place, p in papers.items()}
    _notice_reset(desk, mailbox, selected.uidvalidity, view)
    for place in view:
        desk.first_seen.setdefault(place, now)
    for place in [p for p in desk.first_seen if p.mailbox == mailbox and p not in view]:
        del desk.first_seen[place]
    desk.views[mailbox] = view
    return view


def _notice_reset(desk: Desk, mailbox: str, uidvalidity: int, view: Mapping[Place, Sighting]) -> None:
    """After a UIDVALIDITY change (restore, migration) what lies in Approved is no approval: staff must act again."""
    name = f"uidvalidity:{mailbox}"
    with desk.journal.light() as tx:
        before = notes.find_fact(tx, desk.name, name)
        no_approvals = before is not None and before != uidvalidity and mailbox == desk.account.approved and view
        if before != uidvalidity and not no_approvals:
            notes.save_fact(tx, desk.name, name, uidvalidity)
    if no_approvals:
        # The new number is remembered once all of it is out of there: a restart in between must see the change again.
        desk.not_approvals.update(view)


def new_in(desk: Desk, mailbox: str, now: datetime) -> list[Sighting]:
    """What came into a mailbox since the last look. The first look ever, or after a reset, begins at its end."""
    selected = desk.session.select(mailbox, readonly=True)
    with desk.journal.reading() as tx:
        cursor = mails.find_cursor(tx, desk.name, mailbox)
    if cursor is None or cursor.uidvalidity != selected.uidvalidity:
        cursor = Cursor(desk.name, mailbox, selected.uidvalidity, selected.uidnext - 1, now)
    uids = desk.session.uids_from(cursor.last_uid + 1)
    found = desk.read_papers(mailbox, selected.uidvalidity, uids) if uids else {}
    desk.papers.pop(mailbox, None)
    desk.read_up_to[mailbox] = replace(cursor, last_uid=max((*uids, cursor.last_uid)))
    return [Sighting(place, papers, frozenset()) for place, papers in sorted(found.items(), key=lambda x: x[0].uid)]


def keep_cursors(desk: Desk) -> None:
    """Remember how far Sent and Trash were read, now that what was found there is in the journal."""
    if desk.read_up_to:
        with desk.journal.light() as tx:
            for cursor in desk.read_up_to.values():
                mails.save_cursor(tx, cursor)
        desk.read_up_to.clear()


def known_from(desk: Desk, sightings: Iterable[Sighting]) -> Known:
    ids = list(dict.fromkeys(i for s in sightings for i in s.papers.thread_ids))
    with desk.journal.reading() as tx:
        open_drafts = drafts.open_drafts(tx, desk.name)
        loaded = {d.id: d for d in open_drafts}
        minted: dict[str, Draft] = {}
        case_of_id: dict[str, str] = {}
        for start in range(0, len(ids), 400):
            minted |= drafts.by_message_ids(tx, desk.name, ids[start : start + 400], loaded=loaded)
            case_of_id |= cases.by_keys(tx, desk.name, ids[start : start + 400])
    return Known(
        by_place={d.place: d for d in open_drafts if d.place is not None},
        by_minted_id=minted,
        case_of_id=case_of_id,
        open_drafts={d.case_id: d for d in open_drafts},
    )


def bindings_of(view: Mapping[Place, Sighting], known: Known) -> dict[Place, Binding]:
    return {place: bind(sighting.papers, place, known) for place, sighting in view.items()}


def versions_of(view: Mapping[Place, Sighting], bindings: Mapping[Place, Binding]) -> dict[int, list[Sighting]]:
    r"""The versions in a mailbox of each open draft, newest last. One marked `\Deleted` counts as gone."""
    found: dict[int, list[Sighting]] = {}
    for place in sorted(view, key=lambda p: p.uid):
        binding = bindings[place]
        if isinstance(binding, Bound) and "\\deleted" not in view[place].flags:
            found.setdefault(binding.draft.id, []).append(view[place])
    return found


def same_text(desk: Desk, one: Place, other: Place) -> bool:
    texts: list[str] = []
    for place in (one, other):
        desk.session.select(place.mailbox, readonly=True)
        texts += [text_key(text_of(f.raw)) for f in desk.session.fetch([place.uid], first_bytes=MAIL_BYTES)]
    return len(texts) == 2 and texts[0] == texts[1]


def is_as_written(desk: Desk, draft: Draft, place: Place) -> bool:
    desk.session.select(place.mailbox, readonly=True)
    return any(same_bytes(f.raw, draft.raw) for f in desk.session.fetch([place.uid], first_bytes=len(draft.raw) + 1024))
