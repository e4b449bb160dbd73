"""Each nasty mail ends in a treatment that is all right for it; none raises, stalls, or gets anything out of us."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes

import pytest

from responder.config import AccountSettings, Settings, bare, one_file
from responder.core.compose import draft_bytes, own_words
from responder.core.headers import MAX_SUBJECT
from responder.edges.orders import OrderBook, open_book
from responder.flows.explain import Explanation, explain_mail
from responder.model import Identity, Server
from tests.attackers.nasty import BUYER, SHOP, Nasty, every

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
HANGS_S = 5.0
ALL = list(every())

ORDERS = """order_id,channel,status,buyer_name,buyer_mail,payment,total,currency,ordered_at,ship_by,shipped_at,carrier,tracking_no,eta,items
1042,own,paid,田中 花子,hanako@mail.example,credit_card,4980,JPY,2026-11-18T10:00:00+09:00,2026-11-25,,,,,江戸切子の箸置き
"""


@pytest.fixture(scope="module")
def settings() -> Settings:
    account = AccountSettings(
        "main",
        Identity(SHOP, ("support@minato-zakka.example",), "みなと雑貨店"),
        imap=Server("127.0.0.1", 143, "none", "shop"),
        imap_secret=str,
        authserv_id="mx.minato-zakka.example",
    )
    return replace(bare(name="みなと雑貨店"), accounts=(account,))


@pytest.fixture(scope="module")
def orders(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrderBook]:
    path = tmp_path_factory.mktemp("orders") / "orders.csv"
    path.write_text(ORDERS, encoding="utf-8")
    book = open_book((one_file(settings, path),))
    assert not book.refresh()
    return book


def explained(case: Nasty, settings: Settings, orders: OrderBook) -> Explanation:
    return explain_mail(
        case.raw, file=case.name, settings=settings, orders=orders, now=NOW, account=settings.accounts[0]
    )


def test_there_are_enough_of_them() -> None:
    assert len(ALL) >= 150
    assert len({case.name for case in ALL}) == len(ALL)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_each_is_treated_as_it_must_be(case: Nasty, settings: Settings, orders: OrderBook) -> None:
    start = time.process_time()
    explanation = explained(case, settings, orders)
    assert time.process_time() - start < HANGS_S
    assert explanation.decision.action in case.outcomes, [r.code for r in explanation.decision.reasons]
    letter = explanation.letter
    if letter is None:
        return
    # Whoever is written to is the buyer of the order, and nobody else.
    assert letter.to.mail == BUYER
    raw = draft_bytes(letter, message_id="<d1@minato-zakka.example>", case_token="c1", now=NOW)
    draft = message_from_bytes(raw)
    assert {name.lower() for name in draft} <= {
        "from", "to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version", "content-type",
        "content-transfer-encoding", "x-responder-case",
    }  # fmt: skip
    assert len(letter.subject) <= MAX_SUBJECT
    head, _, body = raw.partition(b"\r\n\r\n")
    for part in (head, body):
        lines = part.split(b"\r\n")
        assert all(b"\r" not in line and b"\n" not in line and b"\0" not in line for line in lines)
        assert max(map(len, lines)) <= 998
    own = own_words(letter.text)
    assert "49" not in own or "4980" in own or "4,980" in own  # 7*7 was not worked out
    assert "evil.example" not in own
