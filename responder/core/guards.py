"""Why a mail gets no answer before any rule is asked: machines, bounces, lists, our own mail (RFC 3834, RFC 3464).

A known channel's relay or contact form may carry a machine's headers and still be a buyer: for it only our own address,
bounces and what the text itself says count. `Auto-Submitted: no` is a person. Nothing is changed and nothing raises;
the words stand in `data/guards.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from functools import cache
from typing import Literal

from responder.core.addresses import ids_in
from responder.core.facts import WordGroups, Words, load
from responder.model import Identity, Message, Reason

MAX_TEXT = 1_500  # where an absence note says so: its first lines
MAX_BOUNCE = 400  # where a bounce says so
MAX_IDS = 20

_ID_LINE = re.compile(r"^[ \t>]{0,8}(?:x-)?(?:original-)?message-id[ \t]{0,3}:[ \t]*(<[!-;=?-~]{1,250}>)", re.I | re.M)
_REPLY = re.compile(
    r"\s*(?:re|aw|sv|fw|fwd|tr|返信|回复|回覆|答复|答覆|转发|轉寄)\s*(?:\[\d{1,3}\])?\s*[:：]", re.IGNORECASE
)
# Of these kinds of words two together make an absence note.
_SPEAKING = frozenset({"absence", "later", "instead"})
# Headers that can tell of a machine, besides those of the lists.
_TELLING = frozenset(
    {"auto-submitted", "precedence", "x-auto-response-suppress", "x-spam-flag", "x-mailer", "user-agent"}
)
_REPORTS = ("multipart/report", "message/disposition-notification")
_BRACKETS = re.compile(r"[\s【\[［(（<＜「『*＊!！:：・-]+")
_NARROW = str.maketrans("（）［］：", "()[]:")
_BOUNCE_ADDRESS = re.compile(r"(?:prvs|bounces?|return)[-=+_.]", re.IGNORECASE)
_LINKS = ("http://", "https://", "www.", "mailto:")


@dataclass(frozen=True, slots=True)
class Gate:
    """Why nobody is answered: the situation that is reported and the reason."""

    situation: Literal["auto_reply", "spam"]
    reason: Reason


@dataclass(frozen=True, slots=True)
class _Lists:
    no_reply: frozenset[str]
    no_reply_parts: tuple[str, ...]
    daemons: frozenset[str]
    perhaps: frozenset[str]
    automatic: frozenset[str]
    precedence: frozenset[str]
    lists: frozenset[str]
    mailers: Words
    bounce_subjects: tuple[str, ...]
    bounce_words: Words
    bounce_names: Words
    bounce_texts: Words
    receipt_subjects: tuple[str, ...]
    vacation_subjects: tuple[str, ...]
    marks: Words
    spoken: WordGroups
    telling: frozenset[str]
    newsletter: Words


def gate(message: Message, identity: Identity, *, is_channel: bool) -> Gate | None:
    """Why this mail must stay unanswered, or None to go on.

    `is_channel`: a known marketplace relay or contact form carried it. Ask it of the unframed mail, where a form's
    sender is the buyer.
    """
    if message.sender is not None and identity.owns(message.sender.mail):
        return Gate("auto_reply", Reason.of("own_address", address=message.sender.mail))
    said = message.new_text[:MAX_TEXT]
    if not said.isascii():
        said = said.translate(_NARROW)
    spoken = _lists().spoken.within(said)
    if _looks_returned(message) or ("bounce" in spoken and _tells_of_bounce(message)):
        return Gate("auto_reply", Reason.of("bounce"))
    if is_channel:
        return _by_text(said, spoken)
    return (
        _by_headers(message)
        or _by_sender(message, identity)
        or _by_subject(message)
        or _by_text(said, spoken)
        or _as_newsletter(message)
    )


def is_bounce(message: Message) -> bool:
    """True for a report that a mail could not be delivered (RFC 3464) or looks like one."""
    return _looks_returned(message) or _tells_of_bounce(message)


def _tells_of_bounce(message: Message) -> bool:
    return not message.in_reply_to and _lists().bounce_texts.within(message.new_text[:MAX_BOUNCE])


def _looks_returned(message: Message) -> bool:
    """True for a bounce by its headers, its sender or its subject."""
    lists = _lists()
    content_type = message.header("content-type").lower()
    if content_type.startswith("multipart/report") and "disposition-notification" not in content_type:
        return "feedback-report" not in content_type
    if "x-failed-recipients" in message.headers:
        return True
    local = _local_part(message)
    if local in lists.daemons and local not in lists.perhaps:
        return True
    if message.return_path == "" and _beginning(message.subject).startswith(lists.bounce_subjects):
        return True
    is_system = local in lists.perhaps or lists.bounce_names.within(message.sender.name if message.sender else "")
    return is_system and (message.return_path == "" or lists.bounce_words.within(message.subject))


def bounced_ids(message: Message) -> tuple[str, ...]:
    """The Message-IDs a bounce speaks of, the returned mail's first; empty for any other mail.

    Which of them are ours only the journal knows: anybody can write a bounce.
    """
    if not is_bounce(message):
        return ()
    own = {message.message_id} if message.message_id else set()
    found: list[str] = _ID_LINE.findall(message.quoted_text[:200_000]) + _ID_LINE.findall(message.text[:200_000])
    for name in ("original-message-id", "x-original-message-id", "x-failed-message-id"):
        found.extend(ids_in(message.header(name)))
    found.extend(message.in_reply_to)
    found.extend(message.references)
    return tuple(dict.fromkeys(each for each in found if each not in own))[:MAX_IDS]


def is_no_reply(mail: str) -> bool:
    """True for an address that says itself that nobody reads it."""
    lists = _lists()
    local = _bare(mail.partition("@")[0])
    return local in lists.no_reply or local.startswith(lists.no_reply_parts) or local.endswith(lists.no_reply_parts)


# --- tests -----------------------------------------------------------------------------------------------------------


def _by_headers(message: Message) -> Gate | None:
    lists = _lists()
    headers = message.headers
    is_report = message.header("content-type").lower().startswith(_REPORTS)
    if lists.telling.isdisjoint(headers):
        if is_report:
            return _auto("machine_report")
        return _auto("null_return_path") if message.return_path == "" else None
    submitted = message.header("auto-submitted").split(";")[0].split("(")[0].strip().lower()
    if submitted not in ("", "no"):
        return _auto("auto_submitted", value=submitted[:60])
    if is_report:
        return _auto("machine_report")
    for name in () if lists.automatic.isdisjoint(headers) else headers:
        if name in lists.automatic and message.header(name).strip().lower() not in ("no", "false", "0"):
            return _auto("automatic_header", header=name)
    precedence = message.header("precedence").strip().lower()
    if precedence in lists.precedence:
        situation: Literal["auto_reply", "spam"] = "auto_reply" if precedence.startswith("auto") else "spam"
        return Gate(situation, Reason.of("precedence", value=precedence))
    suppress = message.header("x-auto-response-suppress")
    if suppress and {value.strip().lower() for value in suppress.split(",")} & {"all", "autoreply", "oof"}:
        return _auto("automatic_header", header="x-auto-response-suppress")
    for name in () if lists.lists.isdisjoint(headers) else headers:
        if name in lists.lists:
            return Gate("spam", Reason.of("mailing_list", header=name))
    if message.header("x-spam-flag").strip().lower() == "yes":
        return Gate("spam", Reason.of("marked_spam"))
    mailer = f"{message.header('x-mailer')[:200]} {message.header('user-agent')[:200]}"
    if mailer != " " and lists.mailers.within(mailer):
        return _auto("automatic_header", header="x-mailer")
    if message.return_path == "":
        return _auto("null_return_path")
    return None


def _by_sender(message: Message, identity: Identity) -> Gate | None:
    """A sender nobody reads, unless the mail names a person of another domain to answer to: a form we do not know."""
    sender = message.sender
    if sender is None or not is_no_reply(sender.mail):
        return None
    home = sender.mail.rpartition("@")[2]
    for address in message.reply_to:
        is_elsewhere = address.mail.rpartition("@")[2] != home
        if is_elsewhere and not is_no_reply(address.mail) and not identity.owns(address.mail):
            return None
    return _auto("no_reply_sender", address=sender.mail)


def _by_subject(message: Message) -> Gate | None:
    lists = _lists()
    begins = _beginning(message.subject)
    if begins.startswith(lists.receipt_subjects) and len(message.new_text) < 1000:
        return _auto("read_receipt")
    if begins.startswith(lists.vacation_subjects):
        return _auto("vacation_subject", subject=message.subject[:80])
    return None


def _as_newsletter(message: Message) -> Gate | None:
    lists = _lists()
    if not message.in_reply_to and not message.references:
        own = f"{message.new_text[-3000:]}\n{message.signature[:3000]}".lower()
        for link in _LINKS:
            if link in own:
                return Gate("spam", Reason.of("newsletter")) if lists.newsletter.within(own) else None
    return None


def _by_text(said: str, found: Set[str]) -> Gate | None:
    """An absence note or a desk's receipt by what it says, and which words were found in it; this counts through a
    channel too."""
    marks = _lists().marks
    if "certain" in found or ("mark" in found and (marks.within(said[:40]) or marks.within(said[-40:]))):
        return _auto("vacation_text")
    # No absence note asks anything.
    speaking = (len(found & _SPEAKING) >= 2 and not {"?", "？"} & set(said)) or "receipt" in found
    if speaking and "shop" not in found:
        return _auto("vacation_text")
    return None


def _auto(code: str, **args: object) -> Gate:
    return Gate("auto_reply", Reason.of(code, **args))


def _beginning(subject: str) -> str:
    """The subject in small letters without brackets in front; empty where it is a reply's."""
    if _REPLY.match(subject):
        return ""
    found = _BRACKETS.match(subject)
    return subject[found.end() if found else 0 :].casefold()


def _local_part(message: Message) -> str:
    """The bare local part of the sender, or of what the From field holds instead of an address."""
    if message.sender is not None:
        local = message.sender.mail.partition("@")[0]
        return "bounce" if _BOUNCE_ADDRESS.match(local) else _bare(local)
    written = message.header("from").lower()[:200]
    return "mailerdaemon" if "mailer-daemon" in written or "mail delivery" in written else ""


def _bare(local: str) -> str:
    return local.partition("+")[0].replace(".", "").replace("_", "").replace("-", "").casefold()


@cache
def _lists() -> _Lists:
    data = load("guards")
    senders, headers, vacation = data["senders"], data["headers"], data["vacation"]
    return _Lists(
        no_reply=frozenset(senders["no_reply"]),
        no_reply_parts=tuple(senders["no_reply_parts"]),
        daemons=frozenset(senders["daemons"]),
        perhaps=frozenset(senders["daemons_perhaps"]),
        automatic=frozenset(headers["automatic"]),
        precedence=frozenset(headers["precedence"]),
        lists=frozenset(headers["list"]),
        mailers=Words(headers["mailers"]),
        bounce_subjects=tuple(data["bounce"]["subjects"]),
        bounce_words=Words(data["bounce"]["subjects"]),
        bounce_names=Words(data["bounce"]["names"]),
        bounce_texts=Words(data["bounce"]["texts"]),
        receipt_subjects=tuple(data["receipt"]["subjects"]),
        vacation_subjects=tuple(vacation["subjects"]),
        marks=Words(vacation["marks"]),
        spoken=WordGroups(
            {
                **{name: vacation[name] for name in ("certain", "receipt", "shop", *_SPEAKING)},
                "mark": vacation["marks"],
                "bounce": [word.translate(_NARROW) for word in data["bounce"]["texts"]],
            }
        ),
        telling=_TELLING.union(headers["automatic"], headers["list"]),
        newsletter=Words(data["newsletter"]["phrases"]),
    )
