r"""What staff did with the drafts: the four mailboxes they act in, read in the order in which evidence counts.

    Sent      staff answered by themselves: our draft is withdrawn, the case closed, the original marked answered
    Trash     a draft was refused: never drafted again for that mail
    Approved  the approval, after a quiet time
    Drafts    edited, opened, gone

Nothing in a mail from outside approves anything: only the place where staff put a draft the journal knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
)
from responder.core.clocks import HOLDING
from responder.edges.journal import cases, drafts, mails, notes
from responder.flows import parcels
from responder.flows.desk import Desk, Sighting
from responder.flows.hands import look_for_other_hands, tell_held
from responder.flows.places import back_to_drafts, find_as_written, find_rewritten
from responder.flows.sent import doubt_key, on_sent_folder
from responder.flows.sightings import (
    bindings_of,
    is_as_written,
    keep_cursors,
    known_from,
    look_into,
    new_in,
    same_text,
    versions_of,
)
from responder.flows.tell import tell
from responder.model import Draft, Place, Reason

VANISHED_AFTER = timedelta(seconds=180)
CAME_BACK_AFTER = timedelta(minutes=10)
FULL_LOOK_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Ready:
    """A draft that staff approved and left alone for the quiet time: where it lies in Approved (several copies are
    possible) and which other versions of it lie in Drafts."""

    draft: Draft
    approved: tuple[Place, ...]
    elsewhere: tuple[Place, ...]


def on_staff(desk: Desk, now: datetime) -> list[Ready]:
    """Take note of everything staff did since the last time; returns what is ready to go out."""
    desk.look_ahead(desk.staff_mailboxes())
    before = (desk.views.get(desk.account.approved), desk.views.get(desk.located.drafts))
    on_sent_folder(desk, now)
    trashed = _look_into_trash(desk, now)
    approved = look_into(desk, desk.account.approved, now)
    in_drafts = look_into(desk, desk.located.drafts, now)
    looks_the_same = before[0] is approved and before[1] is in_drafts
    if looks_the_same and not trashed and not _time_tells(desk, approved, now):
        keep_cursors(desk)
        return []
    desk.last_full_look = now
    known = known_from(desk, [*approved.values(), *in_drafts.values(), *trashed.values()])
    bound_approved = bindings_of(approved, known)
    bound_drafts = bindings_of(in_drafts, known)
    hands = look_for_other_hands(desk, ((approved, bound_approved), (in_drafts, bound_drafts)), trashed, now)
    versions_here, versions_there = versions_of(in_drafts, bound_drafts), versions_of(approved, bound_approved)
    for place, binding in bindings_of(trashed, known).items():
        if isinstance(binding, Bound):
            left = (*versions_here.get(binding.draft.id, ()), *versions_there.get(binding.draft.id, ()))
            # Remembered until the draft is gone from Drafts: some clients copy to Trash first and remove it a while
            # later. Where only other texts of the case are left, one of several was thrown away: no refusal.
            if not left or any(same_text(desk, place, sighting.place) for sighting in left):
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
    keep_cursors(desk)
    return ready


def _time_tells(desk: Desk, approved: Mapping[Place, Sighting], now: datetime) -> bool:
    """True if something may be due although every mailbox looks as before: quiet times, drafts that are gone, stars."""
    overdue = desk.last_full_look is None or now - desk.last_full_look >= FULL_LOOK_EVERY
    return bool(approved) or desk.some_are_gone or bool(desk.starred_since) or overdue


# --- Trash ----------------------------------------------------------------------------------------------------------


def _look_into_trash(desk: Desk, now: datetime) -> dict[Place, Sighting]:
    """New mails in Trash that are from the shop itself: only those can be drafts of ours."""
    trash = desk.located.trash
    if trash is None or not desk.changed(trash):
        return {}
    owns = desk.account.identity.owns
    return {s.place: s for s in new_in(desk, trash, now) if s.papers.senders and owns(s.papers.senders[0].mail)}


def _discard(desk: Desk, draft: Draft, now: datetime) -> None:
    """Staff deleted the draft: refused, and its mails are not drafted again."""
    desk.in_trash.discard(draft.id)
    with desk.journal.durable() as tx:
        if drafts.end(tx, draft.id, "discarded", now=now) and draft.situation != HOLDING:
            # A holding reply that staff do not want leaves the mail waiting for them as before.
            cases.close(tx, draft.case_id, "discarded", now=now)
            parcels.refused(desk, tx, draft, now)
            mails.mark_answered(tx, draft.answers)
            cases.record(tx, desk.name, "discarded", now=now, case_id=draft.case_id, draft=draft.id)
    desk.say("discarded", draft=draft.id, case=draft.case_id)


# --- Drafts and Approved --------------------------------------------------------------------------------------------


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
        touched = draft.touched or not is_as_written(desk, draft, newest)
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
