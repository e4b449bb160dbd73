r"""After the server's 250: the Sent copy, `\Answered`, the draft's removal. Failures here are repaired, never resent.

And before it, when no answer came: what Sent says about an unknown outcome, and the question to a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from responder.core.clocks import HOLDING
from responder.edges.journal import cases, drafts, mails, notes
from responder.errors import CommandRefused
from responder.flows.desk import Desk
from responder.flows.places import back_to_drafts, mark_answered
from responder.flows.sending import fetch_copy, way_of
from responder.flows.sent import SERVER_FILES, doubt_key, settle_as_sent, tell_found
from responder.flows.sightings import look_into
from responder.flows.staff import forget_used, used_approvals
from responder.flows.tell import tell
from responder.model import Draft, Place, Reason

ASK_AFTER = timedelta(minutes=2)
ASK_LATE_AFTER = timedelta(minutes=30)
SERVER_FILES_WITHIN = timedelta(seconds=60)
LEARNED_AFTER = 3


def on_sent(desk: Desk, now: datetime) -> None:
    """Finish everything that was accepted, and look after what is in doubt."""
    with desk.journal.reading() as tx:
        on_the_way = drafts.on_the_way(tx, desk.name)
    for draft in on_the_way:
        if draft.id in desk.in_flight:
            continue
        if draft.state == "sending":
            # Nobody in this process is sending it: a former run ended between the body and the answer.
            with desk.journal.durable() as tx:
                drafts.doubt(tx, draft.id)
            with desk.journal.reading() as tx:
                draft = drafts.find(tx, draft.id)
        if draft.state == "uncertain":
            _look_for_witness(desk, draft, now)
        elif draft.state == "sent":
            _file(desk, draft, now)


def _file(desk: Desk, draft: Draft, now: datetime) -> None:
    if draft.approval is None:
        return
    try:
        if not draft.copied and not _copy_to_sent(desk, draft, now):
            return
        if not draft.marked and draft.situation != HOLDING:
            _mark_answered(desk, draft.answers)
        _remove_sent_draft(desk, draft, now)
    except CommandRefused as exc:
        desk.say("filing_refused", level=40, draft=draft.id, code=exc.code)
        with desk.journal.durable() as tx:
            note = Reason.of("filing_refused", order=draft.order_id or "-", text=exc.text or exc.code)
            tell(desk, tx, f"filing:{draft.id}", note, now=now)
        desk.wake_at(now + timedelta(minutes=5))
        return
    with desk.journal.durable() as tx:
        drafts.finish(tx, draft.id, copied=True, marked=True, removed=True)
        drafts.filed(tx, draft.id, now=now)
        forget_used(tx, desk.name, draft)
        cases.record(tx, desk.name, "filed", now=now, case_id=draft.case_id, draft=draft.id)
    desk.say("filed", draft=draft.id, case=draft.case_id)


def _copy_to_sent(desk: Desk, draft: Draft, now: datetime) -> bool:
    """One copy in Sent: the server's own where it files by itself, else ours. False: not yet."""
    sent, approval = desk.located.sent, draft.approval
    if sent is None or approval is None:
        return True
    if _server_files(desk, draft) and draft.sent_at is not None and now - draft.sent_at < SERVER_FILES_WITHIN:
        desk.wake_at(draft.sent_at + SERVER_FILES_WITHIN)
        return False
    if not approval.outgoing_raw:
        return True
    if not _lies_in_sent(desk, draft, sent):
        desk.copies_tried.add(draft.id)
        place = desk.session.append(sent, approval.outgoing_raw, flags=("\\Seen",))
        if place is not None:
            desk.own_copies[draft.id] = Place(sent, place[0], place[1])
    with desk.journal.light() as tx:
        drafts.finish(tx, draft.id, copied=True)
    return True


def _lies_in_sent(desk: Desk, draft: Draft, sent: str) -> bool:
    """True if a copy is there already: begun by a former run, or by this one before the line or the journal failed.

    Sent may be large and the search costly: a mail this process has just sent needs none.
    """
    if draft.approval is None or (draft.id in desk.sent_here and draft.id not in desk.copies_tried):
        return False
    desk.session.select(sent)
    return bool(desk.session.find_message_id(draft.approval.outgoing_id))


def _server_files(desk: Desk, draft: Draft) -> bool:
    """True where the server puts a copy into Sent by itself: configured, or learned from earlier mails. A marketplace's
    own server knows nothing of our Sent."""
    if way_of(desk, draft).by:
        return False
    if desk.account.files_sent is not None:
        return desk.account.files_sent
    with desk.journal.reading() as tx:
        return int(notes.find_fact(tx, desk.name, SERVER_FILES) or 0) >= LEARNED_AFTER


def _mark_answered(desk: Desk, answers: Sequence[int]) -> None:
    with desk.journal.reading() as tx:
        answered = mails.by_ids(tx, list(answers))
    mark_answered(desk, {m.place for m in answered})


def _remove_sent_draft(desk: Desk, draft: Draft, now: datetime) -> None:
    """Take the sent draft out of Approved, and copies with the very same text that a client left in Drafts."""
    approval = draft.approval
    if approval is None:
        return
    selected = desk.session.select(approval.place.mailbox)
    if selected.uidvalidity == approval.place.uidvalidity:
        desk.session.remove(approval.place.uid)
    for mailbox in (desk.account.approved, desk.located.drafts):
        for place in _copies_of(desk, draft, mailbox, now):
            copy = fetch_copy(desk, place)
            if copy is not None and copy.key == approval.text_sha256:
                desk.session.remove(place.uid)


def _copies_of(desk: Desk, draft: Draft, mailbox: str, now: datetime) -> list[Place]:
    """Places in a staff mailbox whose papers name this draft's thread."""
    ids = {draft.message_id, *draft.references, *((draft.in_reply_to,) if draft.in_reply_to else ())}
    view = desk.views[mailbox] if mailbox in desk.views else look_into(desk, mailbox, now)
    return [place for place, sighting in view.items() if ids & set(sighting.papers.thread_ids)]


# --- in doubt -------------------------------------------------------------------------------------------------------


def _look_for_witness(desk: Desk, draft: Draft, now: datetime) -> None:
    """The mail may or may not have been accepted: Sent is asked, then a person; it is never sent again by machine."""
    since, approval, sent = draft.uncertain_since or now, draft.approval, desk.located.sent
    for mailbox in (sent, desk.located.all_mail):
        if mailbox is not None and approval is not None:
            desk.session.select(mailbox)
            if desk.session.find_message_id(approval.outgoing_id):
                with desk.journal.durable() as tx:
                    settle_as_sent(desk, tx, draft, now)
                    drafts.finish(tx, draft.id, copied=True)
                    tell_found(desk, tx, draft, mailbox, now)
                    cases.record(tx, desk.name, "found_in_sent", now=now, case_id=draft.case_id, draft=draft.id)
                desk.say("found_in_sent", draft=draft.id)
                return
    wait = ASK_LATE_AFTER if _server_files(desk, draft) else ASK_AFTER
    if now - since < wait:
        desk.wake_at(min(since + wait, now + timedelta(seconds=30)))
        return
    with desk.journal.durable() as tx:
        note = Reason.of(
            "outcome_unknown", order=draft.order_id or "-", approved=desk.account.approved, sent=sent or ""
        )
        is_new = tell(
            desk, tx, doubt_key(draft), note, now=now, in_reply_to=draft.in_reply_to, references=draft.references
        )
        if is_new:
            cases.record(tx, desk.name, "person_asked", now=now, case_id=draft.case_id, draft=draft.id)
    if is_new:
        desk.say("outcome_unknown", level=40, draft=draft.id)
    view = desk.views.get(desk.account.approved) or look_into(desk, desk.account.approved, now)
    there = [place for place, sighting in view.items() if "\\deleted" not in sighting.flags]
    used = used_approvals(desk, draft, there)
    if used:
        back_to_drafts(desk, draft, used)
