"""A backlog goes over two lines at once: still every mail gets its draft, and gets it once, whatever happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from responder.flows.drafting import OWN_LINE_FROM
from tests.journeys.shop import Shop, header_of, until

MAILS = OWN_LINE_FROM + 20


def a_backlog(shop: Shop) -> set[str]:
    """Mails of many buyers who all want their own order cancelled; their Message-IDs come back."""
    shop.account_extra = 'since = "7d"'
    for number in range(MAILS):
        shop.orders[str(70_000 + number)] = {
            "order_id": str(70_000 + number), "channel": "own", "status": "paid", "buyer_name": "田中 花子",
            "buyer_mail": f"b{number}@mail.example", "payment": "credit_card", "total": "4980", "currency": "JPY",
            "ordered_at": "2026-11-18T10:00:00+09:00", "items": "波佐見焼マグカップ",
        }  # fmt: skip
    return {
        shop.buyer_writes(f"注文番号{70_000 + n}をキャンセルしてください。", sender=f"b{n}@mail.example")
        for n in range(MAILS)
    }


def answered_by_drafts(shop: Shop) -> Counter[str]:
    return Counter(header_of(draft.raw, "In-Reply-To") for draft in shop.drafts())


def test_every_mail_of_a_backlog_gets_one_draft(shop: Shop) -> None:
    wanted = a_backlog(shop)
    shop.start()
    until(lambda: len(shop.drafts()) >= MAILS, "all drafts")
    assert answered_by_drafts(shop) == dict.fromkeys(wanted, 1)


@pytest.mark.parametrize("point", ["drafting committed", "draft appended", "drafted committed"])
def test_killed_in_a_backlog_nothing_is_lost_or_doubled(on_dovecot: Callable[..., Shop], point: str) -> None:
    shop = on_dovecot()
    wanted = a_backlog(shop)
    shop.start_process(point=point)
    assert shop.process is not None
    assert shop.process.wait(120) == -9
    shop.process = None
    shop.start_process()
    until(lambda: len(shop.drafts()) >= MAILS, "all drafts")
    assert answered_by_drafts(shop) == dict.fromkeys(wanted, 1)


def test_without_a_second_line_the_first_does_all(on_dovecot: Callable[..., Shop]) -> None:
    shop = on_dovecot(extra="protocol imap {\n  mail_max_userip_connections = 3\n}\n")
    wanted = a_backlog(shop)
    with shop.staff(), shop.staff():  # two clients of the staff are open: one line is left
        shop.start_process()
        until(lambda: shop.process is not None and _decided(shop) >= MAILS, "all decided")
    until(lambda: len(shop.drafts()) >= MAILS, "all drafts")
    assert answered_by_drafts(shop) == dict.fromkeys(wanted, 1)
    assert "no_second_line" in (shop.folder / "log.txt").read_text()


def _decided(shop: Shop) -> int:
    from responder.edges.journal import Journal, JournalUnavailable, mails

    journal = Journal(f"sqlite:///{shop.folder / 'state' / 'responder.db'}", create=False)
    try:
        with journal.reading() as tx:
            return sum(mails.count_by_action(tx, "main").values())
    except JournalUnavailable:
        return 0
    finally:
        journal.close()
