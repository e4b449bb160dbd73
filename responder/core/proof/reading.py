"""Reads a reply as it would leave and names everything that must not stand in it, each with its sentence."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from responder.core.channels import FORBIDDEN
from responder.core.language import chinese_scripts
from responder.core.normal import normalise
from responder.core.order_data import placed_on
from responder.core.proof.marks import MARKS, foreign_links
from responder.core.proof.phrases import Phrasebook
from responder.core.proof.prose import prose_of
from responder.core.refunds import Refunds
from responder.core.rules.conditions import is_paid
from responder.core.sentences import split
from responder.core.tracking import Carrier
from responder.core.values import one_line
from responder.model import Language, Order, order_key

CLAIMS = (
    "claim_cancelled", "claim_refunded", "claim_shipped", "claim_delivered", "claim_paid", "claim_refund_promised",
)  # fmt: skip
FINDINGS = (*FORBIDDEN, *CLAIMS, "order_id", "language", "subject")
PHRASE_TABLES = (*FORBIDDEN, *CLAIMS, "stock_out", "subject")
# Under these no money comes back from the shop: the mall pays, or nothing was taken (names in data/refunds.toml).
NOT_BY_THE_SHOP = frozenset({"rakuten", "not_charged", "amazon_prepaid_possible", "nothing_paid", "do_not_pay"})
MOST_OF_A_KIND = 3
SHOWN = 160

_REPLY = re.compile(r"^(?:\s*(?:re|aw|sv|fw|fwd|返信|回复|回覆|答复|转发|轉寄)\s*(?:\[\d+\])?\s*[:：])+", re.IGNORECASE)
_BLANK = re.compile(r"【\s*要\s*確\s*認[^】]{0,120}】")
# Stands where a known value was taken out: no word of any language.
_TAKEN = "\ue000"


class ChannelWords(Protocol):
    """What the check looks at of a channel."""

    @property
    def name(self) -> str: ...
    @property
    def forbidden(self) -> tuple[str, ...]: ...
    @property
    def must_contain(self) -> tuple[str, ...]: ...
    @property
    def link_hosts(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Text:
    """A reply as it would leave: its subject, the shop's own words, and links that only its HTML shows."""

    subject: str
    words: str
    hidden_links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """What is known of a reply: its channel, its reader's language, the order as it is now, and who writes.

    `ours` are the words as the program wrote them, "" where it wrote none: what was filled into their blanks is
    staff's own knowledge and no claim without a fact.
    """

    channel: ChannelWords
    language: Language
    order: Order | None = None
    order_id: str | None = None
    shop_name: str = ""
    signature: str = ""
    ours: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must not stand in the reply, and where."""

    kind: str
    sentence: str


@dataclass(frozen=True)
class Proofreader:
    """The check with the phrases and facts it goes by."""

    phrasebook: Phrasebook
    refunds: Refunds = field(default_factory=Refunds)
    carriers: Mapping[str, Carrier] = field(default_factory=dict)

    def read(self, text: Text, paper: Paper) -> tuple[Finding, ...]:
        """Everything wrong with the reply, in the order of the text; at most three of a kind."""
        known = _known_values(paper)
        sentences = [sentence for sentence in (text.subject.strip(), *split(_BLANK.sub(" ", text.words))) if sentence]
        plain = [_without(sentence, known) for sentence in sentences]
        found = [
            *self._phrases(sentences, plain, paper),
            *self._marks(text, known, paper),
            *_order_id(text, paper),
            *_language(text, known, paper),
            *self._subject(text, paper),
        ]
        kept: list[Finding] = []
        for finding in dict.fromkeys(found):
            if sum(other.kind == finding.kind for other in kept) < MOST_OF_A_KIND:
                kept.append(finding)
        return tuple(kept)

    def _phrases(self, sentences: list[str], plain: list[str], paper: Paper) -> Iterator[Finding]:
        forbidden = set(paper.channel.forbidden)
        unfounded = self._unfounded(paper.order, paper.channel.name)
        said = [self.phrasebook.found_in(sentence, paper.language) for sentence in plain]
        if not (any("stock_out" in kinds for kinds in said) or _is_out_of_stock(paper.order)):
            forbidden.discard("ask_to_cancel")
        filled = _filled_blanks(paper.ours)
        for sentence, kinds in zip(sentences, said, strict=True):
            for kind in sorted(kinds):
                if kind in forbidden or (kind in unfounded and not any(form.fullmatch(sentence) for form in filled)):
                    yield Finding(kind, _shown(sentence))

    def _unfounded(self, order: Order | None, channel: str) -> frozenset[str]:
        """The claims that no fact of the order stands behind."""
        facts = {
            "claim_cancelled": order is not None and order.status == "cancelled",
            "claim_refunded": order is not None and self.refunds.is_refunded(order),
            "claim_shipped": order is not None and order.is_shipped,
            "claim_delivered": order is not None and order.status == "delivered",
            "claim_paid": order is not None and (is_paid(order) is True or self.refunds.is_paid(order)),
            "claim_refund_promised": order is None or self._may_promise_refund(order, channel),
        }
        return frozenset(claim for claim, holds in facts.items() if not holds)

    def _may_promise_refund(self, order: Order, channel: str) -> bool:
        return order.is_shipped or self.refunds.sentence(order, placed_on(order, channel)) not in NOT_BY_THE_SHOP

    def _marks(self, text: Text, known: Collection[str], paper: Paper) -> Iterator[Finding]:
        forbidden = set(paper.channel.forbidden)
        lines = [line for line in (text.subject, *text.words.splitlines()) if line.strip()]
        for line in lines:
            plain = normalise(_without(line, known))
            for kind, marks in MARKS.items():
                # Emoji do not survive the normalising that digits need.
                if kind in forbidden and any(marks(line if kind == "emoji" else plain)):
                    yield Finding(kind, _shown(line))
            if "link" in forbidden and any(foreign_links(plain, self._hosts(paper.channel))):
                yield Finding("link", _shown(line))
        for link in text.hidden_links:
            kind = {"mailto": "mail_addresses", "tel": "phone"}.get(link.partition(":")[0].lower(), "link")
            if kind in forbidden and (kind != "link" or any(foreign_links(link, self._hosts(paper.channel)))):
                yield Finding(kind, _shown(link))

    def _hosts(self, channel: ChannelWords) -> frozenset[str]:
        hosts: set[str] = set()
        for host in channel.link_hosts:
            if host == "@carriers":
                hosts |= {
                    name
                    for carrier in self.carriers.values()
                    for page in carrier.pages.values()
                    if (name := urlsplit(page).hostname)
                }
            else:
                hosts.add(host.lower())
        return frozenset(hosts)

    def _subject(self, text: Text, paper: Paper) -> Iterator[Finding]:
        rest = _REPLY.sub("", text.subject)
        # 【shop】 in front of the matter says who writes, not what about; 【重要】 alone says nothing either.
        said = re.sub(r"[【】\[\]]", " ", rest.replace(paper.shop_name, " ") if paper.shop_name else rest)
        if not re.search(r"\w", said) or self.phrasebook.says_nothing(said) or _BLANK.search(text.subject):
            yield Finding("subject", _shown(text.subject))


def _known_values(paper: Paper) -> tuple[str, ...]:
    """Values of the order and the shop that may stand in a reply whatever they look like, the longest first."""
    order = paper.order
    values = [paper.order_id or "", paper.shop_name]
    if order is not None:
        values += [order.order_id, order.buyer_name, order.tracking_no, order.payment]
        values += [one_line(item.name) for item in order.items]
    return tuple(sorted({value.strip() for value in values if len(value.strip()) > 1}, key=len, reverse=True))


def _without(text: str, known: Collection[str]) -> str:
    """The text without known values; its white space is one blank each, as wrapping leaves it."""
    text = " ".join(text.split())
    for value in known:
        text = text.replace(" ".join(value.split()), _TAKEN)
    return text


def _shown(sentence: str) -> str:
    text = " ".join(sentence.split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1].rstrip() + "…"


def _is_out_of_stock(order: Order | None) -> bool:
    return order is not None and order.status == "out_of_stock"


def _filled_blanks(ours: str) -> tuple[re.Pattern[str], ...]:
    """Our own sentences that had a blank, as patterns of what they read with the blank filled in."""
    forms = []
    for sentence in split(_BLANK.sub(_TAKEN, ours)):
        if _TAKEN in sentence:
            pieces = (r"\s*".join(re.escape(word) for word in piece.split()) for piece in sentence.split(_TAKEN))
            forms.append(re.compile(r"\s*[^\n]{1,60}?\s*".join(pieces)))
    return tuple(forms)


def _order_id(text: Text, paper: Paper) -> Iterator[Finding]:
    if "order_id" in paper.channel.must_contain and paper.order_id:
        said = order_key(f"{text.subject} {text.words}")
        if order_key(paper.order_id) not in said:
            yield Finding("order_id", paper.order_id)


def _language(text: Text, known: Collection[str], paper: Paper) -> Iterator[Finding]:
    """Sentences that are written in another language than the reader's."""
    signature = {line.strip() for line in paper.signature.splitlines()}
    words = "\n".join(line for line in text.words.splitlines() if line.strip() not in signature)
    script = None
    if paper.language == "zh" and paper.ours:
        simplified, traditional = chinese_scripts(_without(paper.ours, known))
        script = "simplified" if simplified > traditional else "traditional"
    for sentence in split(_BLANK.sub(" ", words)):
        plain = _without(sentence, known)
        prose = prose_of(plain)
        if prose is not None and prose != paper.language:
            yield Finding("language", _shown(sentence))
        elif prose == "zh" and script is not None:
            simplified, traditional = chinese_scripts(plain)
            if (traditional if script == "simplified" else simplified) > 2:
                yield Finding("language", _shown(sentence))
