"""What came into Sent: copies of what we sent, answers staff wrote themselves, and what they moved there to say so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from responder.core.approval import Bound, Known, bind, text_key
from responder.core.auto_reply import is_receipt
from responder.core.channels import PASTE_DOMAIN
from responder.core.clocks import HOLDING
from responder.core.compose import own_words, text_of
from responder.core.rewording import kept
from responder.core.senders import without_tag
from responder.edges.journal import cases, drafts, mails, notes
from responder.flows import parcels
from responder.flows.calling import call_made
from responder.flows.clock_letters import holding_went_out, still_owed
from responder.flows.desk import Desk, Sighting, is_untouched
from responder.flows.drafting import remove_own_draft
from responder.flows.learning import learn, went_out
from responder.flows.places import mark_answered
from responder.flows.sightings import NOTHING_KNOWN, is_as_written, known_from, new_in
from responder.flows.tell import tell
from responder.flows.troubles import note_ending
from responder.model import Draft, Place, Reason

SERVER_FILES = "server_files_sent"


def on_sent_folder(desk: Desk, now: datetime) -> None:
    """Read what is new in Sent: copies of what we sent, and answers staff wrote themselves."""
    sent = desk.located.sent
    if sent is None or not desk.changed(sent):
        return
    new = new_in(desk, sent, now)
    known = known_from(desk, new) if new else NOTHING_KNOWN
    ours = _notes_among(desk, new)
    for sighting in new:
        papers = sighting.papers
        if is_receipt(papers.message_id, desk.account.identity):
            continue
        if papers.message_id in ours:
            kind, number = ours[papers.message_id]
            if kind == "call":
                call_made(desk, number, now)
            else:
                _settled_by_staff(desk, number, now)
            continue
        minted = known.by_minted_id.get(papers.message_id or "")
        binding = bind(papers, sighting.place, known)
        if minted is not None and minted.approval is not None and papers.message_id == minted.approval.outgoing_id:
            _seen_in_sent(desk, minted, sighting.place, now)
        elif isinstance(binding, Bound) and binding.draft.recipient.mail.endswith(PASTE_DOMAIN):
            _pasted_by_staff(desk, binding.draft, sighting, now)
        elif len(papers.senders) == 1 and desk.account.identity.owns(papers.senders[0].mail):
            _answered_by_staff(desk, sighting, known, now)


def _notes_among(desk: Desk, sightings: Sequence[Sighting]) -> dict[str, tuple[str, int]]:
    """Message-ID of a note that staff close by moving it to Sent: its kind, and the held mail or the call it is
    about."""
    end = note_ending(desk.account)
    ids = [s.papers.message_id for s in sightings if s.papers.message_id and s.papers.message_id.endswith(end)]
    if not ids:
        return {}
    with desk.journal.reading() as tx:
        keys = notes.keys_of(tx, desk.name, ids[:400])
    about = {message_id: key.partition(":") for message_id, key in keys.items()}
    return {
        message_id: (kind, int(number)) for message_id, (kind, _, number) in about.items() if kind in ("hold", "call")
    }


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
    promise = _untouched_holding(desk, case_id) if case_id is not None else None
    with desk.journal.durable() as tx:
        mails.mark_answered(tx, [m.id for m in waiting])
        if case_id is not None:
            parcels.answered_otherwise(desk, tx, case_id, now)
            if not still_owed(desk, tx, case_id, "", now):
                cases.close(tx, case_id, "sent_by_staff", now=now)
                if promise is not None:
                    drafts.end(tx, promise.id, "withdrawn", now=now)
            else:
                promise = None
        cases.record(tx, desk.name, "settled_by_staff", now=now, case_id=case_id, mail=mail_id)
    if promise is not None:
        remove_own_draft(desk, promise)
    desk.say("settled_by_staff", mail=mail_id, case=case_id)


def _untouched_holding(desk: Desk, case_id: str) -> Draft | None:
    """The holding reply of a case that nobody has taken in hand: once the case is settled it promises too late."""
    with desk.journal.reading() as tx:
        found = [one for one in drafts.of_case(tx, case_id) if one.situation == HOLDING and one.state == "drafted"]
    return found[0] if found and is_untouched(desk, found[0]) else None


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
    """The draft was accepted: its mails are answered. The case is closed unless a later mail of it still waits, or what
    was sent only says that there will be an answer."""
    if drafts.accepted(tx, draft.id, now=now):
        if draft.situation == HOLDING:
            holding_went_out(desk, tx, draft, now)
            return
        parcels.answered(desk, tx, draft, now)
        mails.mark_answered(tx, draft.answers)
        if not still_owed(desk, tx, draft.case_id, draft.channel, now):
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
        if draft is not None and draft.situation == HOLDING and _is_only_holding(desk, draft, sighting.place, now):
            # From their own mail client, and no more than that: the answer is still owed.
            with desk.journal.durable() as tx:
                if drafts.end(tx, draft.id, "sent_by_staff", now=now):
                    holding_went_out(desk, tx, draft, now)
            continue
        if draft is not None and draft.state == "uncertain" and papers.message_id == draft.message_id:
            # Staff put the draft itself into Sent: their word that the unknown one was sent.
            with desk.journal.durable() as tx:
                settle_as_sent(desk, tx, draft, now)
                drafts.finish(tx, draft.id, copied=True)
                cases.record(tx, desk.name, "staff_say_sent", now=now, case_id=case_id, draft=draft.id)
        elif case.state == "open":
            # The mark first, it may be repeated: killed in between, the next start sees the same mail in Sent again.
            mark_answered(desk, [m.place for m in waiting])
            theirs, at = went_out(desk, draft, sighting.place, now)
            with desk.journal.durable() as tx:
                if draft is not None and not drafts.end(tx, draft.id, "sent_by_staff", now=now):
                    continue
                what = learn(tx, draft, theirs, now) if draft is not None and theirs is not None else "own"
                mails.mark_answered(tx, [m.id for m in waiting])
                cases.close(tx, case_id, "sent_by_staff", now=now)
                if draft is not None and what == "same":
                    parcels.answered(desk, tx, draft, now)
                else:
                    parcels.answered_otherwise(desk, tx, case_id, now)
                record = {"draft": draft.id if draft is not None else None, "kept": what, "at": at.isoformat()}
                cases.record(tx, desk.name, "sent_by_staff", now=now, case_id=case_id, **record)
            desk.say("sent_by_staff", case=case_id)
        elif case.outcome == "discarded":
            # Its draft went to Trash, and an answer went out after all: from a window that was still open, or later.
            mark_answered(desk, [m.place for m in owed])
            sent_after_all = _which_was_sent(desk, case_id, sighting.place, now)
            with desk.journal.durable() as tx:
                cases.reopen(tx, case_id)
                cases.close(tx, case_id, "sent_by_staff", now=now)
                if sent_after_all is not None:
                    parcels.answered(desk, tx, sent_after_all, now)
                else:
                    parcels.answered_after_refusal(desk, tx, case_id, now)
                cases.record(tx, desk.name, "sent_by_staff", now=now, case_id=case_id, draft=None)
            desk.say("sent_by_staff", case=case_id)


def _which_was_sent(desk: Desk, case_id: str, place: Place, now: datetime) -> Draft | None:
    """The draft of this case, all of which are over, whose words lie there. Asked only where there may be a parcel."""
    if desk.settings.parcel_stop is None:
        return None
    with desk.journal.reading() as tx:
        written = [draft for draft in drafts.of_case(tx, case_id) if draft.raw]
    theirs, _ = went_out(desk, max(written, key=lambda d: len(d.raw), default=None), place, now)
    if theirs is None:
        return None
    return next((d for d in reversed(written) if text_key(own_words(text_of(d.raw))) == text_key(theirs)), None)


def _is_only_holding(desk: Desk, draft: Draft, place: Place, now: datetime) -> bool:
    """True if staff have sent our holding reply there, and no answer in its stead."""
    theirs, _ = went_out(desk, draft, place, now)
    return theirs is not None and kept(own_words(text_of(draft.raw)), theirs) != "own"


def _pasted_by_staff(desk: Desk, draft: Draft, sighting: Sighting, now: datetime) -> None:
    """A draft that no mail can deliver lies in Sent. Moved there (it still is a draft): staff have pasted its text
    where it belongs, the case is answered. Sent there by a mail client: it went nowhere, and staff are told.
    """
    place = sighting.place
    desk.session.select(place.mailbox, readonly=True)
    flags = {flag.lower() for flag in desk.session.flags([place.uid]).get(place.uid, ())}
    if "\\draft" not in flags and not is_as_written(desk, draft, place):
        with desk.journal.durable() as tx:
            note = Reason.of("paste_was_mailed", order=draft.order_id or "-", channel=draft.channel)
            key = f"mailed:{draft.id}:{place.uidvalidity}:{place.uid}"
            tell(desk, tx, key, note, now=now, in_reply_to=draft.in_reply_to, references=draft.references)
        return
    is_holding = draft.situation == HOLDING
    with desk.journal.reading() as tx:
        answered = () if is_holding else mails.by_ids(tx, list(draft.answers))
    mark_answered(desk, [mail.place for mail in answered])
    theirs, _ = went_out(desk, draft, place, now)
    with desk.journal.durable() as tx:
        if not drafts.end(tx, draft.id, "sent_by_staff", now=now):
            return
        what = learn(tx, draft, theirs, now) if theirs is not None else "own"
        if is_holding:
            holding_went_out(desk, tx, draft, now, kept=what)
            return
        parcels.answered(desk, tx, draft, now)
        mails.mark_answered(tx, draft.answers)
        if not still_owed(desk, tx, draft.case_id, draft.channel, now):
            cases.close(tx, draft.case_id, "sent_by_staff", now=now)
        record = {"draft": draft.id, "kept": what}
        cases.record(tx, desk.name, "pasted_by_staff", now=now, case_id=draft.case_id, **record)
    desk.say("pasted_by_staff", draft=draft.id)


def doubt_key(draft: Draft) -> str:
    """The key of the note that asks what became of a mail whose outcome is unknown: one for each approval. Where the
    approved text lay is another place each time; since when nobody knows moves along when the clock is set."""
    place = draft.approval.place if draft.approval is not None else None
    return f"uncertain:{draft.id}:{f'{place.mailbox}:{place.uidvalidity}:{place.uid}' if place is not None else '-'}"
