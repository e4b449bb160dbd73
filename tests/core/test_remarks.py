"""What staff are told beside a draft: what to do first, what to know, and what a draft in another language says."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.config import bare
from responder.core import remarks
from responder.core.channels import Channel
from responder.core.wording import MESSAGES, Catalog
from responder.flows.remarking import said_of, told_of
from responder.model import LANGUAGES, Decision, Identity, Language, Letter, Order
from tests.builders import NOW, make_message, make_order

SETTINGS = bare()
CHANNELS = {channel.name: channel for channel in SETTINGS.channels}
WORDS = Catalog.load()
SHOP = Identity("shop@minato-zakka.example", (), "みなと雑貨店")


def cancel(order: Order | None, *, channel: str = "own", note: str = "cancel_in_admin", **changes: Any) -> Decision:
    template = "cancel_before_ship"
    about = {"order": order, "order_id": order.order_id if order else None, "template": template, "note": note}
    return Decision("draft", "cancel_before_ship", "cancel", changes.pop("language", "ja"), channel, **about, **changes)


def first(decision: Decision, language: Language = "ja") -> list[str]:
    found = said_of(decision, CHANNELS[decision.channel], settings=SETTINGS, now=NOW)
    return remarks.lines(found, WORDS, language)


def codes(decision: Decision) -> list[str]:
    return [one.code for one in said_of(decision, CHANNELS[decision.channel], settings=SETTINGS, now=NOW)]


@pytest.mark.parametrize(
    ("channel", "status", "payment", "wanted"),
    [
        ("own", "paid", "credit_card", ["cancel_in_admin", "money_card"]),
        ("own", "preparing", "credit_card", ["cancel_in_admin", "money_card", "stop_goods"]),
        ("own", "paid", "銀行振込", ["cancel_in_admin", "money_transfer"]),
        ("own", "paid", "paypay", ["cancel_in_admin", "money_wallet"]),
        ("own", "unpaid", "銀行振込", ["cancel_in_admin", "money_do_not_pay"]),
        ("own", "paid", "代金引換", ["cancel_in_admin", "money_nothing_paid"]),
        ("own", "paid", "シェル硬貨", ["cancel_in_admin", "money_unknown"]),
        ("rakuten", "paid", "credit_card", ["cancel_in_admin", "money_rakuten"]),
        ("amazon", "paid", "", ["cancel_in_admin", "money_amazon_prepaid_possible"]),
        ("yahoo", "paid", "credit_card", ["cancel_in_admin", "money_unknown"]),
    ],
)
def test_a_cancel_names_the_page_and_what_becomes_of_the_money(
    channel: str, status: str, payment: str, wanted: list[str]
) -> None:
    order = make_order(channel=channel, status=status, payment=payment)
    assert codes(cancel(order, channel=channel)) == wanted
    page = {"rakuten": "RMS", "amazon": "Seller Central", "yahoo": "ストアクリエイターPro"}.get(channel)
    assert (page or "受注管理の画面") in first(cancel(order, channel=channel))[0]
    assert "（" not in first(cancel(order, channel=channel))[0], (
        "the page of inquiries is not where orders are cancelled"
    )


def test_an_order_is_cancelled_where_it_was_placed_not_where_its_buyer_wrote() -> None:
    order = make_order(channel="rakuten", status="paid", payment="credit_card")
    assert "RMS" in first(cancel(order, channel="own"))[0]
    assert codes(cancel(order, channel="own"))[1] == "money_rakuten"


def test_a_formal_request_is_accepted_not_cancelled() -> None:
    decision = cancel(make_order(channel="amazon"), channel="amazon", is_formal=True)
    assert codes(decision)[0] == "accept_request_in_admin"


@pytest.mark.parametrize(
    ("status", "hours", "asked"),
    [("paid", 23, False), ("paid", 25, True), ("preparing", 400, True), ("shipped", 400, False)],
)
def test_old_data_that_say_not_shipped_are_looked_up_first(status: str, hours: int, asked: bool) -> None:
    order = make_order(status=status, as_of=NOW - timedelta(hours=hours))
    decision = replace(cancel(order, note=""), situation="where_is_order")
    assert codes(decision) == (["look_up_order"] if asked else [])
    assert codes(replace(decision, order=replace(order, as_of=None))) == []


def test_a_held_mail_gets_no_word_of_a_draft_but_the_number_of_who_is_upset() -> None:
    order = make_order(extra={"注文者電話番号1": "078", "注文者電話番号２": "123", "注文者電話番号3": "4567"})
    held = replace(cancel(order, note="cancel_in_admin\nangry_buyer"), action="hold", template=None)
    assert codes(held) == ["angry_buyer", "call_number"]
    assert "078-123-4567" in first(held)[-1]
    assert codes(replace(held, order=make_order())) == ["angry_buyer"]
    assert codes(replace(held, action="silence")) == []


def test_a_shop_s_own_words_and_sentences_stay_as_they_are() -> None:
    assert first(cancel(make_order(), note="ラッピングを確認"))[0] == "- ラッピングを確認"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_there_is_has_words_and_all_its_values(language: Language) -> None:
    texts = tomllib.loads((MESSAGES / f"{language}.toml").read_text(encoding="utf-8"))["note"]
    assert {f"money_{name}" for name in remarks._MONEY} | {"money_unknown"} == {
        name for name in texts if name.startswith("money_")
    }
    order = make_order(status="preparing", as_of=NOW - timedelta(hours=30), extra={"TEL": "078"})
    for note in ("cancel_in_admin", "address_in_admin", "cancel_steps_sent", "offer_to_keep", "angry_buyer"):
        for formal in (True, False):
            for line in first(cancel(order, note=note, is_formal=formal), language):
                assert "{" not in line, line


def told(language: Language, order: Order | None = None, *, shop: Language = "ja") -> Any:
    settings = replace(SETTINGS, shop=replace(SETTINGS.shop, language=shop, name="Minato"))
    order = order or make_order(status="paid", payment="credit_card", as_of=NOW)
    said = {"ja": "キャンセルしてください。", "en": "Please cancel my order.", "zh": "請取消我的訂單。"}[language]
    letter = Letter(SHOP_ADDRESS, SHOP_ADDRESS, "s", "t", None, ())
    return told_of(
        cancel(order, language=language),
        letter,
        make_message(said, language=language),
        CHANNELS["own"],
        settings=settings,
        identity=SHOP,
        now=NOW,
    )


SHOP_ADDRESS = make_message("").sender or pytest.fail("no sender")


def test_a_draft_in_another_language_is_told_in_the_shop_s() -> None:
    english = told("en")
    assert "ご注文のキャンセルを承りました" in english.gloss
    assert "> " not in english.gloss
    assert "英語" in english.gloss_title
    assert "ご注文のキャンセルを承りました" in told("zh").gloss
    assert "cancellation" in told("ja", shop="en").gloss
    assert told("ja").gloss == told("en", shop="en").gloss == ""


def test_what_a_shop_wrote_itself_in_one_language_only_has_no_gloss(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "en"
    folder.mkdir(parents=True)
    (folder / "cancel_before_ship.txt").write_text("Subject: Cancelled\n\nWe send you a free cup.\n", encoding="utf-8")
    settings = bare(tmp_path)
    order = make_order(status="paid", payment="credit_card")
    letter = Letter(SHOP_ADDRESS, SHOP_ADDRESS, "s", "t", None, ())
    found = told_of(
        cancel(order, language="en"),
        letter,
        make_message("Please cancel.", language="en"),
        Channel("own"),
        settings=settings,
        identity=SHOP,
        now=NOW,
    )
    assert found.gloss == ""


def test_the_order_data_are_named_with_their_moment_in_the_shop_s_time() -> None:
    order = make_order(source="/srv/shop/orders/latest.csv", as_of=NOW - timedelta(hours=3))
    (line,) = told("ja", order).to_know
    assert "latest.csv" in line
    assert "/srv" not in line
    assert "3 時間前" in line
    assert told("ja", replace(order, as_of=None)).to_know == ()
