"""Writes the reply: a decision and its mail become a letter, a letter becomes the bytes of a draft.

Never decides and never sends. The letter says what the data say; what they do not say stands as a blank, and the
order facts the text relies on go with it, to be compared again before anything is sent.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta

from responder.core import headers
from responder.core.addresses import clean_lines
from responder.core.blanks import blanks_in, own_words
from responder.core.dates import written
from responder.core.offer import offer, variant_of, written_at
from responder.core.outgoing import outgoing, same_text, text_of
from responder.core.owed.values import Surroundings
from responder.core.owed.wish import Wish
from responder.core.templates import Templates, tidy
from responder.core.values import Shop, View, fact_text, one_line
from responder.errors import MessageError
from responder.model import Address, Decision, Identity, Letter, Message, Order

__all__ = [
    "Templates",
    "blanks_in",
    "compose",
    "draft_bytes",
    "facts_now",
    "gloss",
    "outgoing",
    "own_words",
    "same_text",
    "text_of",
]

MAX_QUOTED_LINES = 60
MAX_QUOTED_CHARACTERS = 3000
MAX_QUOTED_WIDTH = 200
MAX_TEXT_BYTES = 200_000
WIDTH_EN = 76

_WHOLE = re.compile(r"【[^】\n]*】")
_HALF_BRACKETS = str.maketrans("（）", "()")


def compose(
    decision: Decision,
    message: Message,
    *,
    identity: Identity,
    shop: Shop,
    channel: object,
    templates: Templates,
    now: datetime,
    wish: Wish | None = None,
    around: Surroundings | None = None,
    variant: str = "",
) -> Letter:
    """The reply a decision asks for, written in the mail's language.

    `now` is when it is written: the days it names count from there. `channel` may lack any attribute: then the reply
    is written as for the shop's own site. `wish`, `around` and `variant` are those of a notice (`core.owed`).

    Raises: MessageError if the mail has no one to answer, or the template is missing or fails.
    """
    if message.sender is None:
        raise MessageError("no_sender")
    if not decision.template:
        raise MessageError("no_template")
    view, offered = offer(
        decision,
        message,
        identity=identity,
        shop=shop,
        channel=channel,
        known=templates,
        now=now,
        wish=wish,
        around=around,
        variant=variant,
    )
    subject, text = templates.render(decision.template, view.variant, offered)
    if decision.language == "en":
        text = wrapped(text)
    blanks = (*blanks_in(subject), *blanks_in(text))
    if getattr(channel, "quote_original", True):
        text = _with_quote(text, message, view)
    return Letter(
        sender=Address(one_line(identity.display_name, headers.MAX_NAME), _from_address(message, identity)),
        to=Address(one_line(message.sender.name, headers.MAX_NAME), message.sender.mail),
        subject=headers.shortened(subject, headers.MAX_SUBJECT),
        text=_cut(text),
        in_reply_to=message.message_id,
        references=headers.chain((*message.references,) or message.in_reply_to, message.message_id),
        blanks=tuple(dict.fromkeys(blanks)),
        facts=dict(view.touched),
        template=decision.template,
        language=decision.language,
        valid_until=_end_of_first(view),
    )


def gloss(
    decision: Decision,
    message: Message,
    *,
    identity: Identity,
    shop: Shop,
    channel: object,
    templates: Templates,
    now: datetime,
) -> Letter | None:
    """The same reply in the shop's own language, for staff who do not read the draft's: same template, same facts.

    None where they read it anyway, and where it would not say what the draft says: there is no such template, or only
    one of the two is the shop's own.
    """
    name, language = decision.template, shop.language
    if decision.language == language or not name:
        return None
    ours, theirs = (templates.is_own(name, v) for v in (language, variant_of(decision, message)))
    if ours != theirs:
        return None
    unquoted = Unquoted(channel)
    try:
        return compose(
            replace(decision, language=language),
            message,
            identity=identity,
            shop=shop,
            channel=unquoted,
            templates=templates,
            now=now,
        )
    except MessageError:
        return None


class Unquoted:
    """A channel on which the buyer's words do not stand below the reply."""

    quote_original = False

    def __init__(self, channel: object) -> None:
        self._channel = channel

    def __getattr__(self, name: str) -> object:
        return getattr(self._channel, name)


def facts_now(order: Order | None, names: Iterable[str]) -> Mapping[str, str]:
    """The named facts of an order as text as of now, to be compared with `Letter.facts`."""
    return {name: fact_text(order, name) for name in names}


def draft_bytes(letter: Letter, *, message_id: str, case_token: str, now: datetime) -> bytes:
    """The letter as a mail for the Drafts folder (RFC 5322): plain text in UTF-8, CR LF, no line over 998 octets.

    The one field of ours is `X-Responder-Case`, a random word: nothing internal stands in a draft.

    Raises: MessageError if an address or the Message-ID cannot be written safely.
    """
    own_id = headers.ids("Message-ID", (message_id,))
    if not own_id:
        raise MessageError("message_id_unsafe")
    head = [
        headers.mailboxes("From", (letter.sender,)),
        headers.mailboxes("To", (letter.to,)),
        headers.subject(letter.subject),
        headers.date(now),
        own_id,
        headers.ids("In-Reply-To", (letter.in_reply_to,) if letter.in_reply_to else ()),
        headers.ids("References", letter.references),
        b"MIME-Version: 1.0\r\n",
        b'Content-Type: text/plain; charset="utf-8"\r\n',
        b"Content-Transfer-Encoding: 8bit\r\n",
        headers.token("X-Responder-Case", case_token),
    ]
    text = "\n".join(_short_lines(tidy(clean_lines(letter.text)))) + "\n"
    return b"".join(head) + b"\r\n" + text.encode("utf-8", "replace").replace(b"\n", b"\r\n")


def wrapped(text: str) -> str:
    """Western text with its long lines broken at white space; links and 【...】 stay whole."""
    lines: list[str] = []
    for line in text.split("\n"):
        if len(line) <= WIDTH_EN:
            lines.append(line)
        else:
            line = _WHOLE.sub(lambda match: match[0].replace(" ", "\0"), line)
            lines += textwrap.wrap(line, WIDTH_EN, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


def _from_address(message: Message, identity: Identity) -> str:
    """The shop's address the buyer wrote to, where that is one of the identity's; else its first."""
    own = (identity.address, *identity.aliases)
    asked = {address.key for address in (*message.to, *message.cc)}
    return next((mail for mail in own if mail.casefold() in asked), identity.address)


def _with_quote(text: str, message: Message, view: View) -> str:
    """The text with the buyer's words below it: whoever approves sees both."""
    quoted = _quoted(message.new_text)
    if not quoted:
        return text
    name = one_line(message.sender.name, 60) if message.sender else ""
    moment = written_at(message, view)
    day = written(moment.date(), view.language).translate(_HALF_BRACKETS)
    match view.variant:
        case "ja":
            line = f"{day} {moment:%H:%M} {name + ' 様' if name else 'お客様'}:"
        case "en":
            line = f"On {day}, {name or 'you'} wrote:"
        case "zh-hant":
            line = f"{day} {moment:%H:%M} {name or '您'} 寫道："
        case _:
            line = f"{day} {moment:%H:%M} {name or '您'} 写道："
    return f"{text}\n\n{line}\n{quoted}"


def _quoted(said: str) -> str:
    text = tidy(clean_lines(said[: MAX_QUOTED_CHARACTERS * 2]))
    cut = len(text) > MAX_QUOTED_CHARACTERS or len(said) > MAX_QUOTED_CHARACTERS * 2
    lines: list[str] = []
    for line in text[:MAX_QUOTED_CHARACTERS].rstrip().split("\n"):
        pieces = [line[at : at + MAX_QUOTED_WIDTH] for at in range(0, len(line), MAX_QUOTED_WIDTH)] or [""]
        lines += [f"> {piece}".rstrip() for piece in pieces]
    if not text:
        return ""
    if cut or len(lines) > MAX_QUOTED_LINES:
        lines = [*lines[:MAX_QUOTED_LINES], "> ..."]
    return "\n".join(lines)


def _short_lines(text: str) -> Iterable[str]:
    """Lines of at most 998 octets: longer ones are cut between characters."""
    for line in text.split("\n"):
        while len(line.encode("utf-8", "replace")) > 990:
            yield line[:240]
            line = line[240:]
        yield line


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT_BYTES // 4 else text[: MAX_TEXT_BYTES // 4].rstrip()


def _end_of_first(view: View) -> datetime | None:
    """When the first day the text names as today or to come is over, or None."""
    if not view.promised:
        return None
    last = min(view.promised) + timedelta(days=1)
    return datetime.combine(last, time(), tzinfo=view.timezone)
