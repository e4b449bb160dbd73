r"""What staff did with the drafts: the four mailboxes they act in, read in the order in which evidence counts.

    Sent      staff answered by themselves: our draft is withdrawn, the case closed, the original marked answered
    Trash     a draft was refused: never drafted again for that mail
    Approved  the approval, after a quiet time
    Drafts    edited, opened, gone

Nothing in a mail from outside approves anything: only the place where staff put a draft the journal knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from responder.core.approval import (
    Binding,
    Bound,
    Contradiction,
    Known,
    OtherHand,
    Over,
    Stranger,
    bind,
    text_key,
)
from responder.core.channels import PASTE_DOMAIN
from responder.core.compose import own_words, text_of
from responder.core.senders import without_tag
from responder.edges.journal import cases, drafts, mails, notes
from responder.flows import parcels
from responder.flows.desk import Desk, Sighting, same_bytes
from responder.flows.hands import look_for_other_hands, tell_held
from responder.flows.places import back_to_drafts, find_as_written, find_rewritten, mark_answered
from responder.flows.tell import tell
from responder.flows.troubles import note_ending
from responder.model import Cursor, Draft, Place, Reason

SERVER_FILES = "server_files_sent"
VANISHED_AFTER = timedelta(seconds=180)
CAME_BACK_AFTER = timedelta(minutes=10)
FULL_LOOK_EVERY = timedelta(minutes=5)
MAIL_BYTES = 30_000_000
_NOTHING_KNOWN = Known({}, {}, {}, {})


@dataclass(frozen=True, slots=True)
class Ready:
    """A draft that staff approved and left alone for the quiet time: where it lies in Approved (several copies are
    possible) and which other versions of it lie in Drafts."""

    draft: Draft
    approved: tuple[Place, ...]
    elsewhere: tuple[Place, ...]


def on_staff(desk: Desk, now: datetime) -> list[Ready]:
    """Take note of everything staff did since the last time; returns what is ready to go out."""
    before = (desk.views.get(desk.account.approved), desk.views.get(desk.located.drafts))
    on_sent_folder(desk, now)
    trashed = _look_into_trash(desk, now)
    approved = look_into(desk, desk.account.approved, now)
    in_drafts = look_into(desk, desk.located.drafts, now)
    looks_the_same = before[0] is approved and before[1] is in_drafts
    if looks_the_same and not trashed and not _time_tells(desk, approved, now):
        _keep_cursors(desk)
        return []
    desk.last_full_look = now
    known = _known(desk, [*approved.values(), *in_drafts.values(), *trashed.values()])
    bound_approved = _bindings(approved, known)
    bound_drafts = _bindings(in_drafts, known)
    hands = look_for_other_hands(desk, ((approved, bound_approved), (in_drafts, bound_drafts)), trashed, now)
    versions_here, versions_there = _versions(in_drafts, bound_drafts), _versions(approved, bound_approved)
    for place, binding in _bindings(trashed, known).items():
        if isinstance(binding, Bound):
            left = (*versions_here.get(binding.draft.id, ()), *versions_there.get(binding.draft.id, ()))
            # Remembered until the draft is gone from Drafts: some clients copy to Trash first and remove it a while
            # later. Where only other texts of the case are left, one of several was thrown away: no refusal.
            if not left or any(_same_text(desk, place, sighting.place) for sighting in left):
                desk.in_trash.add(binding.draft.id)
    _send_back_what_is_not_ours(desk, approved, bound_approved, known, now)
    desk.some_are_gone = False
    ready: list[Ready] = []
    for draft in known.open_drafts.values():
        here = tuple(s.place for s in versions_here.get(draft.id, ()))
        there = tuple(s.place for s in versions_there.get(draft.id, ()))
        _follow(desk, draft, here, there, in_drafts, now)
        if draft.id in desk.in_trash and not here and not there:
            _discard(desk, draft, now)
        elif draft.state in ("drafted", "vanished") and (used := used_approvals(desk, draft, there)):
            # Not sent for a reason, refused by the server, or given up: what lies there still is no new approval.
            back_to_drafts(desk, draft, used)
        elif there and hands.hold(draft, [approved[place].papers.message_id for place in there]):
            tell_held(desk, draft, now)
        elif there:
            found = _ready(desk, draft, there, here, now)
            if found is not None:
                ready.append(found)
        elif draft.state == "approved" and draft.id not in desk.in_flight:
            _take_back(desk, draft, here, now)
    _approve_by_flag(desk, known, versions_here, now)
    _report_what_came_back(desk, in_drafts, bound_drafts, now)
    _keep_cursors(desk)
    return ready


def _time_tells(desk: Desk, approved: Mapping[Place, Sighting], now: datetime) -> bool:
    """True if something may be due although every mailbox looks as before: quiet times, drafts that are gone, stars."""
    overdue = desk.last_full_look is None or now - desk.last_full_look >= FULL_LOOK_EVERY
    return bool(approved) or desk.some_are_gone or bool(desk.starred_since) or overdue


# --- Sent -----------------------------------------------------------------------------------------------------------


def on_sent_folder(desk: Desk, now: datetime) -> None:
    """Read what is new in Sent: copies of what we sent, and answers staff wrote themselves."""
    sent = desk.located.sent
    if sent is None or not desk.changed(sent):
        return
    new = _new_in(desk, sent, now)
    known = _known(desk, new) if new else _NOTHING_KNOWN
    held = _notes_of_held_mails(desk, new)
    for sighting in new:
        papers = sighting.papers
        if papers.message_id in held:
            _settled_by_staff(desk, held[papers.message_id], now)
            continue
        minted = known.by_minted_id.get(papers.message_id or "")
        binding = bind(papers, sighting.place, known)
        if minted is not None and minted.approval is not None and papers.message_id == minted.approval.outgoing_id:
            _seen_in_sent(desk, minted, sighting.place, now)
        elif isinstance(binding, Bound) and binding.draft.recipient.mail.endswith(PASTE_DOMAIN):
            _pasted_by_staff(desk, binding.draft, sighting, now)
        elif len(papers.senders) == 1 and desk.account.identity.owns(papers.senders[0].mail):
            _answered_by_staff(desk, sighting, known, now)


def _notes_of_held_mails(desk: Desk, sightings: Sequence[Sighting]) -> dict[str, int]:
    """Message-ID of a note that a mail waits for a person, and the mail it is about."""
    end = note_ending(desk.account)
    ids = [s.papers.message_id for s in sightings if s.papers.message_id and s.papers.message_id.endswith(end)]
    if not ids:
        return {}
    with desk.journal.reading() as tx:
        keys = notes.keys_of(tx, desk.name, ids[:400])
    about = {message_id: key.partition(":") for message_id, key in keys.items()}
    return {message_id: int(number) for message_id, (kind, _, number) in about.items() if kind == "hold"}


def _settled_by_staff(desk: Desk, mail_id: int, now: datetime) -> None:
    """Staff moved the note about a held mail to Sent: they have answered it where no mail shows it, in a marketplace's
    page or by telephone."""
    with desk.journal.reading() as tx:
        about = mails.by_ids(tx, [mail_id])
        case_id = about[0].case_id if about else None
        of_case = mails.of_case(tx, case_id) if case_id is not None else about
    waiting = [m for m in of_case if m.id <= mail_id and not m.answered and m.action != "silence"]
    if not waiting:
        return
    mark_answered(desk, [m.place for m in waiting])
    with desk.journal.durable() as tx:
        mails.mark_answered(tx, [m.id for m in waiting])
        if case_id is not None:
            parcels.answered_otherwise(desk, tx, case_id, now)
            if all(m.answered or m.action == "silence" for m in mails.of_case(tx, case_id)):
                cases.close(tx, case_id, "sent_by_staff", now=now)
        cases.record(tx, desk.name, "settled_by_staff", now=now, case_id=case_id, mail=mail_id)
    desk.say("settled_by_staff", mail=mail_id, case=case_id)


def _seen_in_sent(desk: Desk, draft: Draft, place: Place, now: datetime) -> None:
    """What we sent lies in Sent: the witness that an unknown outcome was an acceptance.

    A copy that is not ours was filed by the server itself; where it did so besides ours, ours goes.
    """
    ours = desk.own_copies.get(draft.id)
    if ours == place:
        return
    if draft.id in desk.sent_here and (ours is not None or draft.id not in desk.copies_tried):
        # Only where it cannot be a copy of ours, whose place was never told or which a former run filed.
        with desk.journal.light() as tx:
            count = int(notes.find_fact(tx, desk.name, SERVER_FILES) or 0)
            notes.save_fact(tx, desk.name, SERVER_FILES, count + 1)
    if ours is not None:
        desk.session.select(ours.mailbox)
        desk.session.remove(ours.uid)
        del desk.own_copies[draft.id]
    if draft.id in desk.in_flight:
        return
    with desk.journal.durable() as tx:
        if draft.state in ("sending", "uncertain", "approved", "drafted", "vanished"):
            # Not only where the journal is in doubt: it may be an older one, put back from a backup.
            settle_as_sent(desk, tx, draft, now)
            tell_found(desk, tx, draft, desk.located.sent or "", now)
            cases.record(tx, desk.name, "found_in_sent", now=now, case_id=draft.case_id, draft=draft.id)
        drafts.finish(tx, draft.id, copied=True)


def tell_found(desk: Desk, tx: Connection, draft: Draft, mailbox: str, now: datetime) -> None:
    """What a person was asked about has been cleared up by Sent."""
    key = doubt_key(draft)
    if notes.was_told(tx, desk.name, key):
        note = Reason.of("outcome_found", order=draft.order_id or "-", sent=mailbox)
        tell(desk, tx, f"found:{key}", note, now=now, in_reply_to=draft.in_reply_to, references=draft.references)


def settle_as_sent(desk: Desk, tx: Connection, draft: Draft, now: datetime) -> None:
    """The draft was accepted: its mails are answered. The case is closed unless a later mail of it still waits."""
    if drafts.accepted(tx, draft.id, now=now):
        parcels.answered(desk, tx, draft, now)
        mails.mark_answered(tx, draft.answers)
        if all(m.answered or m.action == "silence" for m in mails.of_case(tx, draft.case_id)):
            cases.close(tx, draft.case_id, "sent", now=now)


def _answered_by_staff(desk: Desk, sighting: Sighting, known: Known, now: datetime) -> None:
    """A mail of the shop's to the buyer of a case, not sent by us: the case is answered."""
    papers = sighting.papers
    to = {key for address in papers.recipients for key in (address.key, without_tag(address.key))}
    minted = known.by_minted_id.get(papers.message_id or "")
    case_ids = {known.case_of_id[i] for i in papers.thread_ids if i in known.case_of_id}
    if minted is not None:
        case_ids.add(minted.case_id)
    for case_id in sorted(case_ids):
        with desk.journal.reading() as tx:
            case = cases.find(tx, case_id)
            owed = [m for m in mails.of_case(tx, case_id) if m.action != "silence"]
        waiting = [m for m in owed if not m.answered]
        if case is None or case.buyer.removeprefix("?") not in to:
            continue
        draft = known.open_drafts.get(case_id)
        if draft is not None and draft.state == "uncertain" and papers.message_id == draft.message_id:
            # Staff put the draft itself into Sent: their word that the unknown one was sent.
            with desk.journal.durable() as tx:
                settle_as_sent(desk, tx, draft, now)
                drafts.finish(tx, draft.id, copied=True)
                cases.record(tx, desk.name, "staff_say_sent", now=now, case_id=case_id, draft=draft.id)
        elif case.state == "open":
            # The mark first, it may be repeated: killed in between, the next start sees the same mail in Sent again.
            mark_answered(desk, [m.place for m in waiting])
            says_the_same = draft is not None and _says_the_same(desk, draft, sighting.place)
            with desk.journal.durable() as tx:
                if draft is not None and not drafts.end(tx, draft.id, "sent_by_staff", now=now):
                    continue
                mails.mark_answered(tx, [m.id for m in waiting])
                cases.close(tx, case_id, "sent_by_staff", now=now)
                if draft is not None and says_the_same:
                    parcels.answered(desk, tx, draft, now)
                else:
                    parcels.answered_otherwise(desk, tx, case_id, now)
                record = {"draft": draft.id if draft is not None else None}
                cases.record(tx, desk.name, "sent_by_staff", now=now, case_id=case_id, **record)
            desk.say("sent_by_staff", case=case_id)
        elif case.outcome == "discarded":
            # Its draft went to Trash, and an answer went out after all: from a window that was still open, or later.
            mark_answered(desk, [m.place for m in owed])
            with desk.journal.durable() as tx:
                cases.reopen(tx, case_id)
                cases.close(tx, case_id, "sent_by_staff", now=now)
                cases.record(tx, desk.name, "sent_by_staff", now=now, case_id=case_id, draft=None)
            desk.say("sent_by_staff", case=case_id)


def _says_the_same(desk: Desk, draft: Draft, place: Place) -> bool:
    """True if what lies there has our draft's words: staff have sent the draft itself. Asked only where a parcel waits
    for it."""
    with desk.journal.reading() as tx:
        if not parcels.stands(desk, tx, draft.case_id):
            return False
    desk.session.select(place.mailbox, readonly=True)
    ours = text_key(own_words(text_of(draft.raw)))
    size = 2 * len(draft.raw) + 100_000
    return any(text_key(own_words(text_of(f.raw))) == ours for f in desk.session.fetch([place.uid], first_bytes=size))


def _pasted_by_staff(desk: Desk, draft: Draft, sighting: Sighting, now: datetime) -> None:
    """A draft that no mail can deliver lies in Sent. Moved there (it still is a draft): staff have pasted its text
    where it belongs, the case is answered. Sent there by a mail client: it went nowhere, and staff are told.
    """
    place = sighting.place
    desk.session.select(place.mailbox, readonly=True)
    flags = {flag.lower() for flag in desk.session.flags([place.uid]).get(place.uid, ())}
    if "\\draft" not in flags and not _is_as_written(desk, draft, place):
        with desk.journal.durable() as tx:
            note = Reason.of("paste_was_mailed", order=draft.order_id or "-", channel=draft.channel)
            key = f"mailed:{draft.id}:{place.uidvalidity}:{place.uid}"
            tell(desk, tx, key, note, now=now, in_reply_to=draft.in_reply_to, references=draft.references)
        return
    with desk.journal.reading() as tx:
        answered = mails.by_ids(tx, list(draft.answers))
    mark_answered(desk, [mail.place for mail in answered])
    with desk.journal.durable() as tx:
        if not drafts.end(tx, draft.id, "sent_by_staff", now=now):
            return
        parcels.answered(desk, tx, draft, now)
        mails.mark_answered(tx, draft.answers)
        if all(m.answered or m.action == "silence" for m in mails.of_case(tx, draft.case_id)):
            cases.close(tx, draft.case_id, "sent_by_staff", now=now)
        cases.record(tx, desk.name, "pasted_by_staff", now=now, case_id=draft.case_id, draft=draft.id)
    desk.say("pasted_by_staff", draft=draft.id)


# --- Trash ----------------------------------------------------------------------------------------------------------


def _look_into_trash(desk: Desk, now: datetime) -> dict[Place, Sighting]:
    """New mails in Trash that are from the shop itself: only those can be drafts of ours."""
    trash = desk.located.trash
    if trash is None or not desk.changed(trash):
        return {}
    owns = desk.account.identity.owns
    return {s.place: s for s in _new_in(desk, trash, now) if s.papers.senders and owns(s.papers.senders[0].mail)}


def _discard(desk: Desk, draft: Draft, now: datetime) -> None:
    """Staff deleted the draft: refused, and its mails are not drafted again."""
    desk.in_trash.discard(draft.id)
    with desk.journal.durable() as tx:
        if drafts.end(tx, draft.id, "discarded", now=now):
            cases.close(tx, draft.case_id, "discarded", now=now)
            parcels.refused(desk, tx, draft, now)
            mails.mark_answered(tx, draft.answers)
            cases.record(tx, desk.name, "discarded", now=now, case_id=draft.case_id, draft=draft.id)
    desk.say("discarded", draft=draft.id, case=draft.case_id)


# --- Drafts and Approved --------------------------------------------------------------------------------------------


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


def _new_in(desk: Desk, mailbox: str, now: datetime) -> list[Sighting]:
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


def _keep_cursors(desk: Desk) -> None:
    """Remember how far Sent and Trash were read, now that what was found there is in the journal."""
    if desk.read_up_to:
        with desk.journal.light() as tx:
            for cursor in desk.read_up_to.values():
                mails.save_cursor(tx, cursor)
        desk.read_up_to.clear()


def _known(desk: Desk, sightings: Iterable[Sighting]) -> Known:
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


def _bindings(view: Mapping[Place, Sighting], known: Known) -> dict[Place, Binding]:
    return {place: bind(sighting.papers, place, known) for place, sighting in view.items()}


def _versions(view: Mapping[Place, Sighting], bindings: Mapping[Place, Binding]) -> dict[int, list[Sighting]]:
    r"""The versions in a mailbox of each open draft, newest last. One marked `\Deleted` counts as gone."""
    found: dict[int, list[Sighting]] = {}
    for place in sorted(view, key=lambda p: p.uid):
        binding = bindings[place]
        if isinstance(binding, Bound) and "\\deleted" not in view[place].flags:
            found.setdefault(binding.draft.id, []).append(view[place])
    return found


def _follow(
    desk: Desk,
    draft: Draft,
    here: Sequence[Place],
    there: Sequence[Place],
    in_drafts: Mapping[Place, Sighting],
    now: datetime,
) -> None:
    """Keep up with where a draft lies and whether staff have touched it."""
    if draft.state not in ("drafted", "vanished", "uncertain"):
        return
    if draft.place is not None and draft.place in here:
        if "\\seen" in in_drafts[draft.place].flags and not draft.touched:
            with desk.journal.light() as tx:
                drafts.touch(tx, draft.id)
        return
    newest = here[-1] if here else (there[-1] if there else None)
    if newest is not None:
        if newest == draft.place:
            return
        touched = draft.touched or not _is_as_written(desk, draft, newest)
        with desk.journal.light() as tx:
            drafts.seen_at(tx, draft.id, newest, touched=touched)
        desk.say("draft_moved", draft=draft.id, touched=touched)
        return
    desk.some_are_gone = desk.some_are_gone or draft.state == "drafted"
    if draft.gone_since is None:
        with desk.journal.light() as tx:
            drafts.gone(tx, draft.id, now)
        desk.say("draft_gone", draft=draft.id)
    elif now - draft.gone_since >= VANISHED_AFTER and draft.state == "drafted":
        trash = desk.located.trash
        if trash is not None and (find_as_written(desk, draft, trash) or find_rewritten(desk, draft, trash)):
            # Some clients put it there a while before it leaves Drafts; a former run had seen that.
            desk.in_trash.add(draft.id)
            return
        with desk.journal.durable() as tx:
            drafts.vanish(tx, draft.id)
            cases.record(tx, desk.name, "vanished", now=now, case_id=draft.case_id, draft=draft.id)
        desk.say("draft_vanished", draft=draft.id)


def _same_text(desk: Desk, one: Place, other: Place) -> bool:
    texts: list[str] = []
    for place in (one, other):
        desk.session.select(place.mailbox, readonly=True)
        texts += [text_key(text_of(f.raw)) for f in desk.session.fetch([place.uid], first_bytes=MAIL_BYTES)]
    return len(texts) == 2 and texts[0] == texts[1]


def _is_as_written(desk: Desk, draft: Draft, place: Place) -> bool:
    desk.session.select(place.mailbox, readonly=True)
    return any(same_bytes(f.raw, draft.raw) for f in desk.session.fetch([place.uid], first_bytes=len(draft.raw) + 1024))


def _ready(desk: Desk, draft: Draft, there: Sequence[Place], here: Sequence[Place], now: datetime) -> Ready | None:
    """The draft as ready to be sent, once every copy in Approved has lain there for the quiet time."""
    if draft.state not in ("drafted", "vanished", "uncertain", "approved") or draft.id in desk.in_flight:
        return None
    places = list(there)
    if draft.state == "uncertain":
        # What lay there when it was sent, and what came before staff were asked, is no answer to the question.
        used = used_approvals(desk, draft, there)
        places = [place for place in there if place not in used]
        with desk.journal.durable() as tx:
            if places and not notes.was_told(tx, desk.name, doubt_key(draft)):
                remember_used(tx, desk.name, draft, places)
                places = []
    if draft.state == "approved" and draft.not_before is not None and draft.not_before > now:
        desk.wake_at(draft.not_before)
        return None
    if not places:
        return None
    quiet_until = max(desk.first_seen[p] for p in places) + timedelta(seconds=desk.account.quiet_s)
    if quiet_until > now and draft.state != "approved":
        desk.wake_at(quiet_until)
        return None
    return Ready(draft, tuple(places), tuple(here))


def remember_used(tx: Connection, account: str, draft: Draft, places: Sequence[Place]) -> None:
    """What lies at these places has had its effect: it was not sent for a reason, or it was taken for sending. Whatever
    becomes of it, and wherever the line breaks before it is out of there, staff have not approved it a second time."""
    where = [[place.mailbox, place.uidvalidity, place.uid] for place in places]
    before = [one for one in notes.find_fact(tx, account, _used(draft)) or [] if one not in where]
    notes.save_fact(tx, account, _used(draft), [*before, *where])


def forget_used(tx: Connection, account: str, draft: Draft) -> None:
    """The draft has come to its end: nothing can approve it any more."""
    notes.drop_fact(tx, account, _used(draft))


def used_approvals(desk: Desk, draft: Draft, there: Sequence[Place]) -> list[Place]:
    """Those of the places in Approved that are no new approval."""
    if not there:
        return []
    with desk.journal.reading() as tx:
        told = notes.find_fact(tx, desk.name, _used(draft)) or []
    used = {Place(*where) for where in told}
    if draft.approval is not None:
        used.add(draft.approval.place)
    return [place for place in there if place in used]


def _used(draft: Draft) -> str:
    return f"used:{draft.id}"


def doubt_key(draft: Draft) -> str:
    """The key of the note that asks what became of a mail whose outcome is unknown."""
    since = draft.uncertain_since
    return f"uncertain:{draft.id}:{since.isoformat() if since is not None else '-'}"


def _take_back(desk: Desk, draft: Draft, here: Sequence[Place], now: datetime) -> None:
    """An approved draft left Approved before it went out: staff changed their mind."""
    with desk.journal.durable() as tx:
        if drafts.unapprove(tx, draft.id, here[-1] if here else None):
            cases.record(tx, desk.name, "approval_withdrawn", now=now, case_id=draft.case_id, draft=draft.id)
    desk.say("approval_withdrawn", draft=draft.id)


def _send_back_what_is_not_ours(
    desk: Desk, approved: Mapping[Place, Sighting], bindings: Mapping[Place, Binding], known: Known, now: datetime
) -> None:
    """Whatever in Approved is not a draft of an open case is not sent: drafts go to Drafts, received mail to INBOX."""
    moved, reset = False, bool(desk.not_approvals)
    for place, sighting in approved.items():
        if "\\deleted" in sighting.flags:
            continue
        binding = bindings[place]
        if place in desk.not_approvals:
            why = "approved_before_reset"
        else:
            match binding:
                case Bound() | OtherHand():
                    continue
                case Over(case_id):
                    why = "approved_was_replaced" if case_id in known.open_drafts else "approved_case_is_over"
                case Contradiction():
                    why = "approved_names_two_cases"
                case Stranger():
                    why = "approved_is_not_ours"
        is_received = sighting.papers.was_received or not any(
            desk.account.identity.owns(a.mail) for a in sighting.papers.senders
        )
        to = desk.account.watch[0] if is_received else desk.located.drafts
        with desk.journal.durable() as tx:
            key = f"sent-back:{place.mailbox}:{place.uidvalidity}:{place.uid}"
            note = Reason.of(why, folder=to)
            tell(desk, tx, key, note, now=now, in_reply_to=sighting.papers.message_id)
            cases.record(tx, desk.name, "sent_back", now=now, why=why)
        desk.session.select(desk.account.approved)
        desk.session.move(place.uid, to)
        desk.not_approvals.discard(place)
        desk.say("sent_back", why=why)
        moved = True
    if moved:
        desk.forget_status(desk.account.approved, desk.located.drafts)
    if reset and approved:
        with desk.journal.light() as tx:
            notes.save_fact(tx, desk.name, f"uidvalidity:{desk.account.approved}", next(iter(approved)).uidvalidity)
    desk.not_approvals &= set(approved)


def _approve_by_flag(desk: Desk, known: Known, versions: Mapping[int, Sequence[Sighting]], now: datetime) -> None:
    r"""Where the shop switched it on: a draft that kept its star for a while is moved to Approved for staff."""
    if not desk.account.approve_by_flag:
        return
    starred: set[Place] = set()
    for draft in known.open_drafts.values():
        here = versions.get(draft.id, ())
        if draft.state == "drafted" and len(here) == 1 and "\\flagged" in here[0].flags:
            starred.add(here[0].place)
    for place in [p for p in desk.starred_since if p not in starred]:
        del desk.starred_since[place]
    for place in starred:
        since = desk.starred_since.setdefault(place, now)
        due = since + timedelta(seconds=desk.account.flag_quiet_s)
        if due > now:
            desk.wake_at(due)
            continue
        desk.session.select(place.mailbox)
        desk.session.move(place.uid, desk.account.approved)
        desk.forget_status(desk.account.approved, place.mailbox)
        desk.say("moved_by_star", uid=place.uid)


def _report_what_came_back(
    desk: Desk, in_drafts: Mapping[Place, Sighting], bindings: Mapping[Place, Binding], now: datetime
) -> None:
    """A draft of a case that is over lies in Drafts (a client saved it once more): left alone, told once."""
    for place, binding in bindings.items():
        if not isinstance(binding, Over) or "\\deleted" in in_drafts[place].flags:
            continue
        if now - desk.first_seen.get(place, now) < CAME_BACK_AFTER:
            continue
        with desk.journal.light() as tx:
            key = f"came-back:{place.mailbox}:{place.uidvalidity}:{place.uid}"
            tell(desk, tx, key, Reason.of("draft_came_back"), now=now, in_reply_to=in_drafts[place].papers.message_id)
