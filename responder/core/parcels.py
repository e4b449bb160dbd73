"""What the warehouse is told about one order's parcel: as a mail, as JSON, as a line of a CSV file.

The order's number, the moment, and codes: nothing of the buyer.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, tzinfo

from responder.core import cancels, headers
from responder.core.addresses import clean_lines
from responder.core.values import one_line
from responder.core.wording import Catalog
from responder.model import Address, Decision, Identity, Language, ParcelWord

CSV_HEADER = ("time", "event", "order_id", "channel", "reason", "id")
_MARK = "parcel-"
_HELD_FOR = frozenset({"two_matters", "official_cancel"})
_NOT_WHOLE = frozenset({"part_only", "change_order", "address"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def is_to_be_stopped(decision: Decision) -> bool:
    """True if the buyer asks to cancel an order that has not left: its parcel must not leave before staff decide.

    A held mail counts where only its second matter, or its being a formal request, made it a person's.
    """
    order = decision.order
    if decision.situation != cancels.CANCEL or order is None or not order.is_unshipped:
        return False
    if decision.action == "draft":
        return True
    first = decision.reasons[0].code if decision.reasons else ""
    asks = set(decision.asks)
    return decision.action == "hold" and first in _HELD_FOR and "cancel" in asks and not asks & _NOT_WHOLE


def is_taken_back(decision: Decision) -> bool:
    """True if a mail takes a cancel back, or says not to cancel, and asks for no cancel beside it."""
    says = {reason.code for reason in decision.reasons}
    return decision.action == "hold" and "cancel_withdrawn" in says and not {"cancel", "unwanted"} & set(decision.asks)


def mail_bytes(
    word: ParcelWord,
    *,
    identity: Identity,
    to: str,
    language: Language,
    channel: str,
    wording: Catalog,
    zone: tzinfo,
    now: datetime,
) -> bytes:
    """The mail to the warehouse (RFC 5322), a machine's by its own word (RFC 3834). `channel` is what it is called."""
    domain = identity.address.rpartition("@")[2]
    args = {
        "order": one_line(word.order_id),
        "channel": channel,
        "moment": f"{word.at.astimezone(zone):%Y-%m-%d %H:%M}",
        "reason": wording.text(f"parcel.reason_{word.reason}", language),
    }
    text = wording.text(f"parcel.{word.step}", language, **args)
    body = base64.encodebytes((clean_lines(text) + "\n").encode("utf-8", "replace")).replace(b"\n", b"\r\n")
    first = _message_id(word.token, "stop", domain)
    answer = b"" if word.step == "stop" else headers.ids("In-Reply-To", (first,)) + headers.ids("References", (first,))
    head = [
        headers.mailboxes("From", (Address(one_line(identity.display_name, headers.MAX_NAME), identity.address),)),
        headers.mailboxes("To", (Address("", to),)),
        headers.subject(headers.shortened(wording.text(f"parcel.{word.step}_subject", language, **args), 200)),
        headers.date(now),
        headers.ids("Message-ID", (_message_id(word.token, word.step, domain),)),
        answer,
        b"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n",
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    ]
    return b"".join(head) + body


def token_of(message_id: str) -> tuple[str, str] | None:
    """Token and step of the word that a mail with this Message-ID was, or None if it was none to the warehouse."""
    name, _, rest = message_id.strip("<>").partition(".")
    return (name.removeprefix(_MARK), rest.partition("@")[0]) if name.startswith(_MARK) and rest else None


def _message_id(token: str, step: str, domain: str) -> str:
    return f"<{_MARK}{token}.{step}@{domain}>"


def json_body(word: ParcelWord) -> bytes:
    """The word as JSON."""
    return json.dumps(dict(zip(CSV_HEADER, _plain(word), strict=True)), ensure_ascii=False).encode("utf-8")


def csv_cells(word: ParcelWord) -> tuple[str, ...]:
    """The word as cells, none of which a spreadsheet takes for a formula."""
    return tuple(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in _plain(word))


def _plain(word: ParcelWord) -> tuple[str, ...]:
    moment = word.at.astimezone(UTC).isoformat(timespec="seconds")
    return (moment, word.step, one_line(word.order_id), one_line(word.channel), word.reason, word.token)
