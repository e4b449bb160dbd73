"""What the warehouse is told: when, and in which words. Nothing of the buyer is among it."""

from __future__ import annotations

import csv
import email
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from email.header import decode_header, make_header
from zoneinfo import ZoneInfo

import pytest

from responder.core.parcels import (
    CSV_HEADER,
    csv_cells,
    is_taken_back,
    is_to_be_stopped,
    json_body,
    mail_bytes,
    token_of,
)
from responder.core.wording import Catalog
from responder.model import LANGUAGES, Decision, Language, ParcelStep, ParcelWord, Reason
from tests.builders import NOW, SHOP, make_order

WORD = ParcelWord(7, "stop", "mail", "buyer_cancel", "1042", "own", "abc123", datetime(2026, 11, 20, 3, tzinfo=UTC), 0)
STEPS: tuple[tuple[ParcelStep, str], ...] = (
    ("stop", "buyer_cancel"),
    ("release", "refused_by_staff"),
    ("release", "withdrawn_by_buyer"),
    ("release", "asked_to_keep"),
    ("confirm", "cancel_answered"),
)


def mail(word: ParcelWord, language: Language = "ja") -> bytes:
    return mail_bytes(
        word,
        identity=SHOP,
        to="warehouse@soko.example",
        language=language,
        channel="自社サイト",
        wording=Catalog.load(),
        zone=ZoneInfo("Asia/Tokyo"),
        now=NOW,
    )


def text_of(raw: bytes) -> str:
    payload = email.message_from_bytes(raw).get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode("utf-8")


@pytest.mark.parametrize(("step", "reason"), STEPS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mail_names_order_step_reason_and_moment_and_says_that_a_machine_wrote_it(
    step: ParcelStep, reason: str, language: Language
) -> None:
    raw = mail(replace(WORD, step=step, reason=reason), language)
    found = email.message_from_bytes(raw)
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["To"] == "<warehouse@soko.example>"
    assert "1042" in str(make_header(decode_header(found["Subject"])))
    text = text_of(raw)
    assert "1042" in text
    assert "2026-11-20 12:00" in text
    assert "{" not in text
    assert "reason_" not in text
    assert "hanako" not in text
    assert (found["In-Reply-To"] is None) is (step == "stop")


def test_the_words_of_one_stop_are_one_thread_and_known_again() -> None:
    first = email.message_from_bytes(mail(WORD))
    second = email.message_from_bytes(mail(replace(WORD, step="release", reason="refused_by_staff")))
    assert second["In-Reply-To"] == first["Message-ID"]
    assert first["Message-ID"] != second["Message-ID"]
    assert token_of(first["Message-ID"]) == ("abc123", "stop")
    assert token_of("<1042.r@minato-zakka.example>") is None
    assert token_of("<parcel-x>") is None


@pytest.mark.parametrize("order_id", ["=1+1", "+81", "-1042", "@SUM", "\t=1", '"=1'])
def test_no_cell_starts_a_formula_and_none_breaks_the_line(order_id: str) -> None:
    cells = csv_cells(replace(WORD, order_id=f"{order_id}\r\nBcc: x", way="csv"))
    assert not any(cell[:1] in "=+-@\t\r" for cell in cells)
    assert not any("\n" in cell or "\r" in cell for cell in cells)
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    assert next(csv.reader(io.StringIO(line.getvalue()))) == list(cells)
    headers = mail(replace(WORD, order_id=f"{order_id}\r\nBcc: x")).split(b"\r\n\r\n")[0]
    assert b"\nBcc" not in headers


def test_the_json_holds_the_same_and_nothing_else() -> None:
    found = json.loads(json_body(WORD))
    assert found == {
        "time": "2026-11-20T03:00:00+00:00",
        "event": "stop",
        "order_id": "1042",
        "channel": "own",
        "reason": "buyer_cancel",
        "id": "abc123",
    }
    assert tuple(found) == CSV_HEADER


def cancel(status: str, action: str = "draft", first: str = "rule", asks: tuple[str, ...] = ("cancel",)) -> Decision:
    order = make_order(status=status)
    return Decision(
        action,
        "cancel_before_ship",
        "r",
        "ja",
        "own",
        order=order,
        order_id=order.order_id,
        reasons=(Reason.of(first),),
        asks=asks,
    )


@pytest.mark.parametrize(
    ("decision", "stops"),
    [
        (cancel("paid"), True),
        (cancel("unpaid"), True),
        (cancel("shipped"), False),
        (cancel("cancelled"), False),
        (cancel("unknown"), False),
        (replace(cancel("paid"), order=None), False),
        (replace(cancel("paid"), situation="where_is_order"), False),
        (replace(cancel("paid"), action="silence"), False),
        (cancel("paid", "hold", "two_matters", ("cancel", "receipt")), True),
        (cancel("paid", "hold", "two_matters", ("cancel", "part_only")), False),
        (cancel("paid", "hold", "two_matters", ("address", "receipt")), False),
        (cancel("paid", "hold", "cancel_conditional"), False),
        (cancel("paid", "hold", "sender_not_trusted"), False),
        (cancel("paid", "hold", "too_many_drafts"), False),
    ],
)
def test_a_parcel_is_stopped_for_a_cancel_of_what_has_not_left(decision: Decision, stops: bool) -> None:
    assert is_to_be_stopped(decision) is stops


def test_a_cancel_is_taken_back_only_where_nothing_else_is_asked() -> None:
    withdrawn = replace(cancel("paid", "hold", "cancel_withdrawn", ()), situation="other")
    assert is_taken_back(withdrawn)
    assert not is_taken_back(replace(withdrawn, asks=("cancel",)))
    assert not is_taken_back(replace(withdrawn, asks=("unwanted",)))
    assert not is_taken_back(cancel("paid"))
