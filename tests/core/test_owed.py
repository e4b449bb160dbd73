"""Notices: true, complete or visibly incomplete, allowed where they go, and in the reader's language."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import pytest

from responder.config import Settings, bare
from responder.core.channels import Channel
from responder.core.compose import own_words
from responder.core.owed import CAUSES, MATTERS, Alternative, Wish, alternative_from, when_from, why_not, wish_from_json
from responder.core.owed.letter import Draftable, owed_letter, page_text
from responder.core.owed.reader import company_of, variant_of
from responder.core.printing import pages_html
from responder.core.proof import Paper, Text
from responder.core.templates import VARIANTS
from responder.model import Item, Language, Order
from tests.builders import NOW, SHOP, make_message, make_order

TODAY = date(2026, 11, 20)
ADDRESSES = {
    "own": ("1042", "hanako@mail.example"),
    "amazon": ("249-1234567-1234567", "a1@marketplace.amazon.co.jp"),
    "rakuten": ("123456-20261118-0123456789", "x@pc.fw.rakuten.ne.jp"),
    "yahoo": ("myshop-10000001", "hanako@mail.example"),
    "ebay": ("12-34567-89012", "ab12@members.ebay.com"),
    "mercari": ("M1042", "hanako@mail.example"),
    "aupay": ("900042", "hanako@mail.example"),
}
PAYMENTS = (
    *("credit_card", "デビットカード", "PayPay", "コンビニ決済", "bank_transfer", "Paidy", "代金引換"),
    *("ドコモ払い", "全額ポイント", "請求書払い", "", "PayPal"),
)
LINK = Alternative("青いマグ", "https://elsewhere.example/blue")
FACTS: tuple[dict[str, Any], ...] = (
    {},
    {"restock": "2026-12-10", "ship": "2026-12-12", "answer_by": "2026-11-24", "causes": ("double_sale", "weather"), "alternatives": (LINK,)},
    {"restock": "2026-12 early", "ship": "2026-12", "causes": ("inspection", "carrier")},
    {"causes": ("late_supply",)},
    {"causes": ("discontinued", "production")},
    {"causes": ("stock_error", "customs"), "items": ("MUG-01",), "rest": "ship", "ship": "2026-12-12"},
    {"items": ("MUG-01",), "restock": "2026-12-10", "rest": "wait"},
)  # fmt: skip
BOTH = (Item("Mug", "MUG-01"), Item("Plate", "P-1", 2))


@cache
def settings() -> Settings:
    return bare()


def channel(name: str) -> Channel:
    return next(one for one in settings().channels if one.name == name)


def write(wish: Wish, order: Order, by: str = "own", **more: Any) -> Draftable:
    return owed_letter(
        wish,
        order,
        channel(by),
        identity=SHOP,
        shop=more.pop("shop", settings().shop),
        templates=settings().templates,
        now=NOW,
        root="<root@minato-zakka.example>",
        default_language="ja",
        **more,
    )


def order_on(by: str, variant: str = "ja", **changes: Any) -> Order:
    order_id, mail = ADDRESSES[by]
    usual = {"channel": by, "buyer_mail": mail, "buyer_name": "田中 花子" if variant == "ja" else "Hana Tanaka"}
    usual["currency"] = "TWD" if variant == "zh-hant" else "JPY"
    return make_order(order_id, **{**usual, **changes})


def state_for(matter: str, n: int) -> str:
    if matter == "care":
        return "cancelled"
    more = {"sold_out": "cancelled", "delay": "shipped"}.get(matter, "out_of_stock")
    return ("paid", "unpaid", more)[n % 3]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("matter", MATTERS)
def test_every_notice_passes_the_check_before_sending(matter: Any, variant: str) -> None:
    """Every cause, payment, channel, buyer and state: nothing false, forbidden, foreign or unfinished stands in it."""
    language: Language = variant[:2]
    written = 0
    begin = VARIANTS.index(variant) * 21 + MATTERS.index(matter) * 5
    for n in range(begin, begin + 21):
        by, facts = tuple(ADDRESSES)[n % 7], FACTS[(n // 7 + n) % 7]
        items = BOTH if "items" in facts else (Item("Mug", "MUG-01"),)
        status = state_for(matter, n // 5)
        paid_at = NOW if status in ("cancelled", "out_of_stock") else None
        order = order_on(by, variant, items=items, status=status, payment=PAYMENTS[n % 12], paid_at=paid_at)
        wish = Wish(order.order_id, matter, language=language, business=n % 4 == 0, **facts)
        if why_not(wish, order, channel(by), now=NOW, timezone=settings().shop.timezone) is not None:
            continue
        written += 1
        letter = write(wish, order, by).letter
        words = own_words(letter.text)
        paper = Paper(channel(by), language, order, order.order_id, settings().shop.name, "", words)
        assert settings().proofreader.read(Text(letter.subject, words), paper) == ()
        assert order.order_id in letter.subject
        assert order.order_id in words
        assert "\n\n\n" not in words
        assert not {"{", "}", "None"} & set(words.split())
    assert written >= (3 if matter in ("care", "restock_notice") else 18)


def test_the_check_would_find_a_plea_to_cancel() -> None:
    order = order_on("amazon")
    words = "申し訳ございません。在庫切れのため、お客様からキャンセルのリクエストをお送りください。"
    paper = Paper(channel("amazon"), "ja", order, order.order_id, "", "", words)
    found = settings().proofreader.read(Text(f"注文 {order.order_id} について", words), paper)
    assert "ask_to_cancel" in {finding.kind for finding in found}


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_nobody_has_told_is_a_visible_blank(variant: str) -> None:
    def blanks(matter: Any, **facts: Any) -> tuple[str, ...]:
        order = order_on("own", variant, items=BOTH if "items" in facts else make_order().items)
        return write(Wish("1042", matter, language=variant[:2], **facts), order).letter.blanks

    assert blanks("sold_out") == ("品切れの理由",)
    assert blanks("sold_out", causes=("discontinued",)) == ()
    assert blanks("restock") == ("再入荷の予定日",)
    assert set(blanks("delay")) == {"遅れている理由と現在の状況", "新しい発送予定日"}
    assert set(blanks("combined")) == {
        "品切れの理由",
        "再入荷の予定日",
        "遅れている理由と現在の状況",
        "新しい発送予定日",
    }
    assert blanks("checking") == ()
    # One item of two: what becomes of the other, and of the money, is for the shop to say.
    assert set(blanks("sold_out", causes=("inspection",), items=("P-1",))) == {
        "そのほかの商品の扱い",
        "返金の金額と方法",
    }


CHOICES = {
    "ja": ("「待つ」", "「キャンセル」"),
    "en": ('"wait"', '"cancel"'),
    "zh": ("“等”", "“取消”"),
    "zh-hant": ("「等」", "「取消」"),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_who_waits_for_stock_is_asked_to_wait_or_to_cancel(variant: str) -> None:
    for matter in ("restock", "combined"):
        wish = Wish("1042", matter, language=variant[:2], restock="2026-12-10")
        words = " ".join(write(wish, order_on("own", variant)).letter.text.split())
        assert all(word in words for word in CHOICES[variant])
        assert ("December 10" if variant == "en" else "12月10日") in words


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_cause_is_told_in_one_place_and_none_is_invented(variant: str, cause: str) -> None:
    order = order_on("own", variant)
    plain = Wish("1042", "restock", language=variant[:2], restock="2026-12-10")
    without = write(plain, order).letter.text
    stock = write(Wish("1042", "sold_out", (cause,), language=plain.language), order).letter
    delay = write(Wish("1042", "delay", (cause,), language=plain.language, ship="2026-12-01"), order).letter
    assert not (stock.blanks and delay.blanks)
    assert "メーカー" not in without
    assert "maker" not in without


def test_links_and_other_goods_go_only_where_they_are_allowed() -> None:
    def text(by: str) -> str:
        wish = Wish("x", "sold_out", ("discontinued",), alternatives=(LINK,))
        return write(wish, order_on(by), by).letter.text

    assert LINK.name in text("own")
    assert LINK.link in text("own")
    assert LINK.name in text("rakuten")
    assert "https://" not in text("rakuten")
    assert LINK.name not in text("amazon")
    assert LINK.name not in text("ebay")


def test_amazon_marks_what_an_order_cannot_do_without() -> None:
    wish = Wish("x", "sold_out", ("discontinued",))
    assert write(wish, order_on("amazon"), "amazon").letter.subject.startswith("[重要] ")
    assert not write(wish, order_on("rakuten"), "rakuten").letter.subject.startswith("[")


def test_a_business_is_addressed_as_one_and_phoned_first() -> None:
    firm = order_on("own", buyer_name="山田商事株式会社 御中")
    found = write(Wish("1042", "restock", restock="2026-12-10"), firm)
    assert found.letter.text.startswith("山田商事株式会社 御中\n\n平素より")
    assert "owe_phone_first" in found.note
    person = order_on("own", buyer_name="佐藤 健", extra={"会社名": "山田商事株式会社"})
    assert write(Wish("1042", "delay"), person).letter.text.startswith("山田商事株式会社\n佐藤 健 様\n")
    assert "代替品: 【要確認" in write(Wish("1042", "sold_out", ("discontinued",)), firm).letter.text
    assert "owe_phone_first" not in write(Wish("1042", "restock", business=False), firm).note


@pytest.mark.parametrize(
    ("name", "firm"),
    [("株式会社みなと 田中", "株式会社みなと"), ("Yamada Trading Co., Ltd.", "Yamada Trading Co., Ltd."), ("田中 花子", ""), ("Vincent Ltdorf", "")],
)  # fmt: skip
def test_a_firm_is_known_by_the_words_only_firms_bear(name: str, firm: str) -> None:
    assert company_of(make_order(buyer_name=name)) == firm


@pytest.mark.parametrize(
    ("changes", "variant"),
    [({}, "ja"), ({"currency": "USD"}, "en"), ({"currency": "TWD"}, "zh-hant"), ({"extra": {"Locale": "en_US"}}, "en"), ({"extra": {"language": "zh-TW"}}, "zh-hant"), ({"extra": {"言語": "中国語"}}, "zh")],
)  # fmt: skip
def test_the_order_tells_the_language(changes: dict[str, Any], variant: str) -> None:
    assert variant_of(make_order(**changes), "ja") == variant


@pytest.mark.parametrize(
    ("matter", "status", "code"),
    [
        ("sold_out", "shipped", "owed_is_shipped"),
        ("restock", "delivered", "owed_is_shipped"),
        ("delay", "delivered", "owed_is_shipped"),
        ("delay", "shipped", None),
        ("restock", "cancelled", "owed_is_cancelled"),
        ("sold_out", "cancelled", None),
        ("care", "paid", "owed_care_not_cancelled"),
        ("care", "cancelled", None),
        ("checking", "unpaid", None),
    ],
)
def test_what_contradicts_the_order_is_not_written(matter: Any, status: str, code: str | None) -> None:
    found = why_not(Wish("1042", matter), make_order(status=status), channel("own"), now=NOW, timezone=NOW.tzinfo or settings().shop.timezone)  # fmt: skip
    assert (found.code if found is not None else None) == code


@pytest.mark.parametrize("by", [name for name in ADDRESSES if name != "own"])
def test_nobody_is_written_to_after_his_order_where_the_channel_forbids_it(by: str) -> None:
    for matter in ("care", "restock_notice"):
        found = why_not(Wish("x", matter), order_on(by, status="cancelled"), channel(by), now=NOW, timezone=settings().shop.timezone)  # fmt: skip
        assert found is not None
        assert found.code == "owed_channel_forbids"


def test_an_answer_to_the_buyers_mail_stays_in_its_thread_and_speaks_his_language() -> None:
    mail = make_message("Where is my order?", language="en", message_id="<b1@mail.example>")
    letter = write(Wish("1042", "restock", restock="2026-12-10"), make_order(), mail=mail).letter
    assert letter.language == "en"
    assert letter.in_reply_to == "<b1@mail.example>"
    assert letter.references == ("<b1@mail.example>",)
    assert "Thank you for your message." in letter.text
    assert "> Where is my order?" in letter.text
    alone = write(Wish("1042", "restock"), make_order()).letter
    assert alone.references == ("<root@minato-zakka.example>",)
    assert alone.in_reply_to is None


def test_a_promised_day_bounds_how_long_the_notice_is_true() -> None:
    assert write(Wish("1042", "restock", restock="2026-12 mid"), make_order()).letter.valid_until is not None
    assert write(Wish("1042", "restock"), make_order(payment="")).letter.valid_until is None


DAYS = [
    ("2026-12-10", "12月10日（木）"),
    ("12/10", "12月10日（木）"),
    ("12月10日", "12月10日（木）"),
    ("１２月１０日（木）", "12月10日（木）"),
    ("1/15", "2027年1月15日（金）"),
    ("12月上旬", "12月上旬"),
    ("12月末", "12月下旬"),
    ("2026-12", "12月"),
    ("2027年1月中旬", "2027年1月中旬"),
    ("2026-12 early", "12月上旬"),
]


@pytest.mark.parametrize(("said", "shown"), DAYS)
def test_days_are_read_as_people_write_them(said: str, shown: str) -> None:
    when = when_from(said, TODAY)
    assert when is not None
    assert when.written("ja", TODAY) == shown
    assert when_from(when.text, TODAY) == when


@pytest.mark.parametrize("said", ["", "soon", "来週", "13/40", "2026-13", "12月99日", "1234567890"])
def test_what_is_no_day_is_none(said: str) -> None:
    assert when_from(said, TODAY) is None


def test_a_wish_is_kept_and_read_again_whole() -> None:
    wish = Wish(
        "1042", "sold_out", ("weather",), "2026-12-10", "12/1", "11/30", (LINK,), ("MUG-01",), "ship", False, "en"
    )
    assert wish_from_json("1042", "sold_out", wish.as_json()) == wish
    assert wish_from_json("1042", "care", Wish("1042", "care").as_json()) == Wish("1042", "care")
    assert alternative_from("青 https://a.example/b") == Alternative("青", "https://a.example/b")
    assert alternative_from(" https://a.example ") is None


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_page_to_print_is_complete_escaped_and_marks_what_is_missing(variant: str) -> None:
    order = order_on("own", variant, buyer_name="Yamada <b>Co., Ltd.</b>")
    given: dict[str, Any] = {"language": variant[:2], "restock": "2026-12-10", "causes": ("late_supply",)}
    known = {"identity": SHOP, "shop": settings().shop, "templates": settings().templates, "now": NOW}
    letters = [
        page_text(Wish("1042", "restock", **given), order, "owe_letter", **known),
        page_text(Wish("1042", "sold_out", language=variant[:2]), order, "owe_letter", **known),
    ]
    assert letters[0].blanks == ()
    assert letters[1].blanks == ("品切れの理由",)
    assert "2026" in letters[0].text
    html = pages_html("x", [(one.subject, one.text) for one in letters], language="ja")
    if variant != "en":
        assert '<p class="right">' in html
    assert "\u3000" * 6 not in html
    assert html.count("<section") == 2
    assert "<mark>【要確認: 品切れの理由】</mark>" in html
    assert "<b>" not in html
    for unwanted in ("http://", "https://", "<script", "<link"):
        assert unwanted not in html
    social = page_text(Wish("", "restock", items=("Mug",), **given), None, "owe_social", **known)
    assert "Mug" in social.text
    assert social.blanks == ()
