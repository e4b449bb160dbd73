"""The words of an approved reply against its channel, its order and its reader's language."""

from __future__ import annotations

from responder.core.approval import Objection
from responder.core.channels import Channel
from responder.core.compose import own_words, text_of
from responder.core.proof import Paper, Text
from responder.core.texts import hidden_links
from responder.edges.journal import cases
from responder.flows.desk import Desk
from responder.model import Draft, Reason


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
    shop = settings.shop
    channel = next((one for one in settings.channels if one.name == draft.channel), None) or Channel(draft.channel)
    paper = Paper(
        channel=channel,
        language=language,
        order=desk.find_order(draft.order_id) if draft.order_id is not None else None,
        order_id=draft.order_id,
        shop_name=shop.names.get(language, shop.name),
        signature="\n".join((shop.name, shop.signature, *shop.signatures.values())),
        ours=own_words(text_of(draft.raw)),
    )
    title = channel.title_in(shop.language)
    held: list[Objection] = []
    remarks: list[Reason] = []
    for finding in settings.proofreader.read(Text(subject, words, hidden_links(raw)), paper):
        reason = Reason.of(f"wording_{finding.kind}", channel=title, sentence=finding.sentence)
        if finding.kind in settings.warn_only:
            remarks.append(reason)
        else:
            held.append(Objection(reason, overridable=True, of_words=True))
    return tuple(held), tuple(remarks)
