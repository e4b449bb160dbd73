"""What would happen to a mail, and why: the same core as the daemon's, on the bytes of a mail. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from responder.config import AccountSettings, Settings
from responder.core.mime import read
from responder.core.remarks import lines
from responder.edges.orders import OrderBook
from responder.errors import MessageError
from responder.flows.remarking import said_of
from responder.flows.understanding import judge, unpack, why_silent, write
from responder.flows.ways import way_to
from responder.model import Decision, Identity, Language, Letter, Message, Reason

NOBODY = "shop@shop.invalid"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One mail explained. `message` is None where it could not be read."""

    file: str
    message: Message | None
    decision: Decision
    letter: Letter | None
    remarks: tuple[Reason, ...] = ()
    """What staff would be told to do first."""


def explain_mail(
    raw: bytes,
    *,
    file: str,
    settings: Settings,
    orders: OrderBook,
    now: datetime,
    account: AccountSettings | None = None,
) -> Explanation:
    """What would become of this mail at `now`. Never raises for a mail, however broken."""
    account = account or _account_of(raw, settings)
    language: Language = account.default_language if account is not None else settings.shop.language
    try:
        message = read(raw, default_language=language)
    except MessageError as exc:
        reasons = (Reason.of("unreadable", why=str(exc)),)
        return Explanation(file, None, Decision("hold", "other", None, language, "own", reasons=reasons), None)
    identity = account.identity if account is not None else _identity_of(message)
    unpacked = unpack(message, settings, identity, account.authserv_id if account is not None else None)
    message, channel = unpacked.message, unpacked.channel
    machine = why_silent(message, channel, identity)
    if machine is not None:
        return Explanation(file, message, machine, None)
    decision = judge(
        message,
        channel,
        settings=settings,
        orders=orders,
        trusted=unpacked.trusted,
        now=now,
    )
    if account is not None and message.sender is not None:
        identity = way_to(message.sender.mail, channel.name, account, settings.channels).identity
    decision, letter = write(decision, message, channel, settings=settings, identity=identity, now=now)
    return Explanation(file, message, decision, letter, remarks=said_of(decision, channel, settings=settings, now=now))


def as_json(explanation: Explanation, settings: Settings, language: Language) -> dict[str, Any]:
    """One mail as the object that `explain --json` prints."""
    decision, letter, message = explanation.decision, explanation.letter, explanation.message
    wording = settings.wording
    return {
        "file": explanation.file,
        "message_id": message.message_id if message is not None else None,
        "action": decision.action,
        "situation": decision.situation,
        "rule": decision.rule,
        "language": decision.language,
        "channel": decision.channel,
        "order_id": decision.order_id,
        "reasons": [wording.reason(reason, language) for reason in decision.reasons],
        "draft": None
        if letter is None
        else {
            "from": letter.sender.mail,
            "to": letter.to.mail,
            "subject": letter.subject,
            "text": letter.text,
            "blanks": list(letter.blanks),
        },
        "note": "\n".join(one.removeprefix("- ") for one in lines(explanation.remarks, wording, language)) or None,
    }


def _identity_of(message: Message) -> Identity:
    """Without a configuration the shop is whoever the mail was written to."""
    sender = message.sender.key if message.sender is not None else ""
    to = next((a.mail for a in message.to if a.key != sender), NOBODY)
    return Identity(to)


def _account_of(raw: bytes, settings: Settings) -> AccountSettings | None:
    """The account a mail was written to, else the first; None without a configuration."""
    head = raw[:65536].decode("latin-1").casefold()
    for account in settings.accounts:
        if any(address.casefold() in head for address in (account.identity.address, *account.identity.aliases)):
            return account
    return settings.accounts[0] if settings.accounts else None
