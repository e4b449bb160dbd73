"""Whose draft is this, and may it go out? Pure: says what a mail found in a staff folder means, never acts.

Mail clients rewrite drafts: a new UID at every save, often a new Message-ID, sometimes no In-Reply-To. So a mail is
bound to a case by every piece of evidence it carries, and all pieces must agree.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from responder.core.addresses import parse_mailboxes, well_formed_id
from responder.model import Address, Draft, Identity, Order, Place, Reason


@dataclass(frozen=True, slots=True)
class Papers:
    """What a mail in a staff folder says about itself: its ids, who it is from, and everyone it would go to.

    `was_received` is true for mail that came in from outside (it carries trace headers, RFC 5321 4.4).
    """

    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    senders: tuple[Address, ...]
    recipients: tuple[Address, ...]
    was_received: bool
    flawed: bool

    @property
    def thread_ids(self) -> tuple[str, ...]:
        """Every id the mail names, its own first."""
        own = (self.message_id,) if self.message_id else ()
        return tuple(dict.fromkeys((*own, *self.in_reply_to, *self.references)))


def read_papers(headers: Mapping[str, tuple[str, ...]]) -> Papers:
    """The papers in a header block (lower-case names to values)."""
    senders, sender_defects = _addresses(headers, ("from",))
    recipients, recipient_defects = _addresses(headers, ("to", "cc", "bcc"))
    own = _ids(headers.get("message-id", ()))
    return Papers(
        message_id=own[0] if own else None,
        in_reply_to=_ids(headers.get("in-reply-to", ())),
        references=_ids(headers.get("references", ())),
        senders=senders,
        recipients=recipients,
        was_received=bool(headers.get("received") or headers.get("delivered-to")),
        flawed=bool(sender_defects or recipient_defects),
    )


def _addresses(
    headers: Mapping[str, tuple[str, ...]], names: Sequence[str]
) -> tuple[tuple[Address, ...], tuple[str, ...]]:
    found: list[Address] = []
    defects: list[str] = []
    for name in names:
        for value in headers.get(name, ()):
            if value.strip():
                addresses, flaws = parse_mailboxes(value)
                found.extend(addresses)
                defects.extend(flaws)
    return tuple(found), tuple(defects)


def _ids(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for value in values for word in value.split() if well_formed_id(word)))


@dataclass(frozen=True, slots=True)
class Known:
    """What the journal knows of the ids and the place in question: minted ids and places name drafts, thread ids
    name cases; `open_drafts` is the open draft of each case."""

    by_place: Mapping[Place, Draft]
    by_minted_id: Mapping[str, Draft]
    case_of_id: Mapping[str, str]
    open_drafts: Mapping[str, Draft]


@dataclass(frozen=True, slots=True)
class Bound:
    """The mail is a version of this open draft."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class Over:
    """The mail belongs to a case that has no open draft (any more)."""

    case_id: str


@dataclass(frozen=True, slots=True)
class Stranger:
    """Nothing ties the mail to a case."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """The evidence names more than one case."""

    case_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OtherHand:
    """A draft with an id as we mint them, which the journal does not know: written by another responder, or before the
    journal was lost or restored. `case_ids` are the cases its thread names here."""

    case_ids: tuple[str, ...]


Binding = Bound | Over | Stranger | Contradiction | OtherHand

_MINTED = re.compile(r"<[0-9a-f]{24}\.r@[^<>@\s]+>")


def bind(papers: Papers, place: Place, known: Known) -> Binding:
    """The draft a mail in a staff folder is a version of; all evidence that is present must agree."""
    cases: set[str] = set()
    if place in known.by_place:
        cases.add(known.by_place[place].case_id)
    minted = known.by_minted_id.get(papers.message_id or "")
    if minted is not None:
        cases.add(minted.case_id)
    cases.update(known.case_of_id[i] for i in (*papers.in_reply_to, *papers.references) if i in known.case_of_id)
    if minted is None and _MINTED.fullmatch(papers.message_id or ""):
        return OtherHand(tuple(sorted(cases)))
    if not cases:
        return Stranger()
    if len(cases) > 1:
        return Contradiction(tuple(sorted(cases)))
    (case_id,) = cases
    draft = known.open_drafts.get(case_id)
    if draft is None or (minted is not None and minted.id != draft.id):
        # Also a draft that was replaced: it must not pass for a version of the one that took its place.
        return Over(case_id)
    return Bound(draft)


def is_of_an_older_draft(papers: Papers, draft: Draft) -> bool:
    """True if this version was made from a draft that this one has replaced: a window was open meanwhile. It names the
    thread, but not the mail that this draft answers, which every client keeps in one of its fields."""
    answered = draft.in_reply_to
    if answered is None or answered not in draft.references or papers.message_id == draft.message_id:
        return False
    named = {*papers.in_reply_to, *papers.references}
    return bool(named) and answered not in named


# --- may it go out? -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an approved text is not sent. `overridable`: approving the same text again, after the note, sends it.

    `of_words`: the words themselves are objected to, so that writing the same reply anew cures nothing.
    """

    reason: Reason
    overridable: bool
    of_words: bool = False

    @property
    def code(self) -> str:
        """The reason's code."""
        return self.reason.code


def text_key(text: str) -> str:
    """A hash of the words of a text, blind to wrapping and blanks: the same text saved by two clients has one key."""
    return hashlib.sha256("".join(text.split()).encode("utf-8", "surrogatepass")).hexdigest()


def examine(
    papers: Papers,
    own_text: str,
    blanks: Sequence[str],
    draft: Draft,
    identity: Identity,
    *,
    must_be_from: str | None = None,
) -> tuple[Objection, ...]:
    """Objections that the approved mail itself raises: sender, recipients, empty text, blanks. None is overridable.

    `must_be_from` is the one address that the draft's channel takes replies from.
    """
    found: list[Objection] = []
    if papers.flawed or len(papers.senders) != 1 or not identity.owns(papers.senders[0].mail):
        found.append(Objection(Reason.of("sender_not_ours"), overridable=False))
    elif must_be_from is not None and papers.senders[0].key != must_be_from.casefold():
        reason = Reason.of("relay_wants_sender", channel=draft.channel, address=must_be_from)
        found.append(Objection(reason, overridable=False))
    if {a.key for a in papers.recipients} != {draft.recipient.key}:
        found.append(Objection(Reason.of("recipients_changed"), overridable=False))
    if not own_text.strip():
        found.append(Objection(Reason.of("empty_text"), overridable=False))
    found.extend(Objection(Reason.of("blank_left", name=name), overridable=False) for name in dict.fromkeys(blanks))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How the world stands at the moment of sending: the order now (None: not found), mails of the case that the
    text does not answer, whether someone answered already, and how the channel takes replies: `relay_missing` where
    only its own server takes them and none is configured, `page` where they are pasted."""

    order: Order | None
    facts_now: Mapping[str, str]
    newer_mails: int
    answered: bool
    reply_mode: str
    answerable: bool
    promise_over: bool = False
    relay_missing: bool = False
    page: str = ""


def recheck(draft: Draft, now: Circumstances, text_sha256: str) -> tuple[Objection, ...]:
    """Objections of the moment. Those that staff were shown about this very text, and approved again, are dropped."""
    found: list[Objection] = []
    if now.reply_mode == "admin_only":
        reason = Reason.of("channel_takes_no_mail", channel=draft.channel, page=now.page or draft.channel)
        found.append(Objection(reason, overridable=False))
    if now.relay_missing:
        found.append(Objection(Reason.of("relay_missing", channel=draft.channel), overridable=False))
    if not now.answerable:
        found.append(Objection(Reason.of("address_not_answerable"), overridable=False))
    if now.newer_mails:
        found.append(Objection(Reason.of("buyer_wrote_again", count=now.newer_mails), overridable=True))
    if now.answered:
        found.append(Objection(Reason.of("already_answered"), overridable=True))
    if now.promise_over:
        found.append(Objection(Reason.of("promise_over"), overridable=True))
    if draft.order_id is not None and draft.facts:
        if now.order is None:
            found.append(Objection(Reason.of("order_gone", order_id=draft.order_id), overridable=True))
        else:
            found.extend(
                Objection(Reason.of("fact_changed", name=name, before=value, now=now.facts_now.get(name, "")), True)
                for name, value in draft.facts.items()
                if now.facts_now.get(name, "") != value
            )
    return not_told(found, draft, text_sha256)


def not_told(objections: Sequence[Objection], draft: Draft, text_sha256: str) -> tuple[Objection, ...]:
    """The objections without those that staff were shown about this very text, and may override."""
    return tuple(o for o in objections if not (o.overridable and (text_sha256, told_key(o)) in draft.told))


def told_key(objection: Objection) -> str:
    """What is remembered of an objection once staff were told. A fact's new value counts: a further change is new."""
    values = dict(objection.reason.args)
    detail = ":".join(values[k] for k in ("name", "now", "count", "sentence") if k in values)
    return f"{objection.code}:{hashlib.sha256(detail.encode()).hexdigest()[:16]}" if detail else objection.code
