"""The words of a reply against its channel, its order and its reader's language: when it was approved, or before it is
offered to be pasted."""

from __future__ import annotations

from responder.config import Settings
from responder.core.approval import Objection
from responder.core.channels import Channel
from responder.core.compose import own_words, text_of
from responder.core.proof import Paper, Text
from responder.core.texts import hidden_links
from responder.edges.journal import cases
from responder.flows.desk import Desk
from responder.model import Decision, Draft, Language, Letter, Order, Reason


def proofread(
    desk: Desk, draft: Draft, raw: bytes, subject: str, words: str
) -> tuple[tuple[Objection, ...], tuple[Reason, ...]]:
    """What the words are held for, and what the shop only wants to be told of (`warn_only`).

    `raw` is the mail as staff left it, `words` the shop's own in it.
    """
    settings = desk.settings
    with desk.journal.reading() as tx:
        case = cases.find(tx, draft.case_id)
    language = case.language if case is not None else desk.account.default_language
    channel = next((one for one in settings.channels if one.name == draft.channel), None) or Channel(draft.channel)
    order = desk.find_order(draft.order_id) if draft.order_id is not None else None
    paper = _paper(settings, channel, language, order, draft.order_id, own_words(text_of(draft.raw)))
    held: list[Objection] = []
    remarks: list[Reason] = []
    for kind, reason in _findings(settings, Text(subject, words, hidden_links(raw)), paper, channel):
        if kind in settings.warn_only:
            remarks.append(reason)
        else:
            held.append(Objection(reason, overridable=True, of_words=True))
    return tuple(held), tuple(remarks)


def read_before_pasting(letter: Letter, decision: Decision, channel: Channel, settings: Settings) -> tuple[Reason, ...]:
    """What is to be put right in a text that staff will paste: once it is offered, nobody reads it again."""
    words = own_words(letter.text)
    paper = _paper(settings, channel, decision.language, decision.order, decision.order_id, words)
    found = [reason for _, reason in _findings(settings, Text(letter.subject, words), paper, channel)]
    return (*(Reason.of("blank_left", name=blank) for blank in letter.blanks), *found)


def _paper(
    settings: Settings, channel: Channel, language: Language, order: Order | None, order_id: str | None, ours: str
) -> Paper:
    shop = settings.shop
    return Paper(
        channel=channel,
        language=language,
        order=order,
        order_id=order_id,
        shop_name=shop.names.get(language, shop.name),
        signature="\n".join((shop.name, shop.signature, *shop.signatures.values())),
        ours=ours,
    )


def _findings(settings: Settings, text: Text, paper: Paper, channel: Channel) -> list[tuple[str, Reason]]:
    """Each finding by its kind, in words for staff."""
    title = channel.title_in(settings.shop.language)
    found = settings.proofreader.read(text, paper)
    return [(one.kind, Reason.of(f"wording_{one.kind}", channel=title, sentence=one.sentence)) for one in found]
