"""The dimensions of the matrix: what buyers write, where they write it, how the order stands, how it was paid."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from responder.core.channels import Channel
from responder.model import Address, Attachment, Identity, Item, Language, Message, Order

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
TOKYO = ZoneInfo("Asia/Tokyo")
SHOP = Identity("shop@minato-zakka.example", (), "みなと雑貨店")
VARIANTS: Mapping[str, Language] = {"ja": "ja", "en": "en", "zh": "zh", "zh-hant": "zh"}


@dataclass(frozen=True, slots=True)
class Words:
    """One situation: a buyer's mail in each language. `row` is its place in the list of what a shop must answer.

    `formal`: sent as the marketplace's own request. `sent_before`: templates that went to this buyer already.
    """

    key: str
    row: str
    said: Mapping[str, str]
    formal: bool = False
    photo: bool = False
    sent_before: tuple[str, ...] = ()
    states: tuple[str, ...] = ()


def _said(ja: str, en: str, zh: str, hant: str) -> dict[str, str]:
    return {"ja": ja, "en": en, "zh": zh, "zh-hant": hant}


_CANCEL = _said("注文をキャンセルしてください。", "Please cancel my order.", "请取消我的订单。", "請取消我的訂單。")
SITUATIONS: tuple[Words, ...] = (
    Words("cancel", "A1 A3 A5", _CANCEL),
    Words(
        "cancel, formal",
        "A6",
        _CANCEL,
        formal=True,
    ),
    Words(
        "cancel, too slow",
        "A2",
        _said(
            "発送が遅すぎるので、注文をキャンセルしてください。",
            "Shipping is taking too long. Please cancel my order.",
            "发货太慢了，请取消我的订单。",
            "出貨太慢了，請取消我的訂單。",
        ),
    ),
    Words(
        "cancel, too slow, asked before",
        "A2",
        _said(
            "やはり遅すぎるのでキャンセルしてください。",
            "It is still taking too long. Please cancel my order.",
            "还是太慢了，请取消我的订单。",
            "還是太慢了，請取消我的訂單。",
        ),
        sent_before=("cancel_offer_to_keep",),
    ),
    Words("cancel, after our notice", "A7", _CANCEL, sent_before=("owe_restock",)),
    Words(
        "cancel, upset",
        "A1 C4",
        _said(
            "対応がひどすぎます。注文をキャンセルしてください。",
            "This is unacceptable. Please cancel my order.",
            "太过分了，请取消我的订单。",
            "太過分了，請取消我的訂單。",
        ),
    ),
    Words(
        "no longer needed",
        "A4",
        _said(
            "商品が不要になりましたので、キャンセルをお願いします。",
            "I no longer need the item, please cancel the order.",
            "我不需要这个商品了，请取消订单。",
            "我不需要這個商品了，請取消訂單。",
        ),
        formal=True,
    ),
    Words(
        "may one cancel",
        "A8",
        _said(
            "キャンセルポリシーを教えてください。",
            "Do you accept cancellations?",
            "请问下单后可以取消吗？",
            "請問下單後可以取消嗎？",
        ),
    ),
    Words(
        "may one return",
        "A8",
        _said(
            "返品の規約を教えてください。",
            "What is your return policy?",
            "你们的退货规定是什么？",
            "你們的退貨規定是什麼？",
        ),
    ),
    Words(
        "do not cancel",
        "A9",
        _said(
            "キャンセルしないでください。",
            "Please do not cancel my order.",
            "请不要取消我的订单。",
            "請不要取消我的訂單。",
        ),
    ),
    Words(
        "where",
        "C1 C2",
        _said("商品はいつ届きますか。", "Where is my order?", "我的包裹到哪里了？", "我的包裹到哪裡了？"),
    ),
    Words(
        "where, upset",
        "C4",
        _said(
            "いつ届くのですか。対応がひどすぎます。",
            "Where is my order? This is ridiculous.",
            "我的包裹到哪里了？太过分了。",
            "我的包裹到哪裡了？太過分了。",
        ),
    ),
    Words(
        "late",
        "C1 C2",
        _said(
            "発送が遅れています。いつになりますか。",
            "My order is late. When will it be shipped?",
            "发货太慢了，什么时候发货？",
            "出貨太慢了，什麼時候出貨？",
        ),
    ),
    Words(
        "not received",
        "C3",
        _said(
            "配達済みになっていますが、商品が届いていません。",
            "It says delivered but I have not received it.",
            "显示已送达，但是我没有收到包裹。",
            "顯示已送達，但是我沒有收到包裹。",
        ),
    ),
    Words(
        "refund, when",
        "C5",
        _said("返金はいつになりますか。", "When will I get my refund?", "请问什么时候退款？", "請問什麼時候退款？"),
    ),
    Words(
        "return",
        "C6",
        _said("返品したいです。", "I would like to return the item.", "我想退货。", "我想退貨。"),
    ),
    Words(
        "damaged",
        "C6",
        _said(
            "届いた商品が割れていました。",
            "The item arrived broken.",
            "收到的商品是坏的。",
            "收到的商品是壞的。",
        ),
    ),
    Words(
        "damaged, with a picture",
        "C6",
        _said(
            "届いた商品が割れていました。写真を添付します。",
            "The item arrived broken. I attach a picture.",
            "收到的商品是坏的，附上照片。",
            "收到的商品是壞的，附上照片。",
        ),
        photo=True,
    ),
    Words(
        "address",
        "C7",
        _said(
            "お届け先の住所を変更してください。",
            "Please change my delivery address.",
            "请帮我更改收货地址。",
            "請幫我更改收件地址。",
        ),
    ),
    Words(
        "receipt",
        "C8",
        _said("領収書をお願いします。", "Please send me a receipt.", "请给我开收据。", "請給我開收據。"),
    ),
    Words(
        "receipt, and where",
        "C11",
        _said(
            "領収書をお願いします。また、商品はいつ届きますか。",
            "Please send me a receipt. Also, when will my order arrive?",
            "请给我开收据。另外，我的包裹什么时候到？",
            "請給我開收據。另外，我的包裹什麼時候到？",
        ),
    ),
    Words(
        "payment",
        "C5",
        _said(
            "支払いは確認できていますか。",
            "Did you receive my payment?",
            "可以确认一下我的款项到账了吗？",
            "我已經轉帳了，請確認。",
        ),
    ),
    Words(
        "stock",
        "C9",
        _said(
            "この商品の再入荷はありますか。",
            "Will this item be back in stock?",
            "请问这个商品会补货吗？",
            "請問這個商品會補貨嗎？",
        ),
    ),
    Words("thanks", "C10", _said("ありがとうございました。", "Thank you very much.", "谢谢。", "謝謝。")),
    Words(
        "not understood",
        "C11",
        _said("先日の件です。", "About the other day.", "关于前几天的事。", "關於前幾天的事。"),
    ),
)


@dataclass(frozen=True, slots=True)
class State:
    """One way an order can stand; `changes` make it of an ordinary one, None for no order at all."""

    key: str
    changes: Mapping[str, Any] | None


def _day(days: int) -> datetime:
    return NOW + timedelta(days=days)


_PARCEL: dict[str, Any] = {
    "status": "shipped",
    "carrier": "ヤマト運輸",
    "tracking_no": "4912-3456-7890",
    "shipped_at": _day(-2),
}
STATES: tuple[State, ...] = (
    State("no order", None),
    State("unpaid", {"status": "unpaid"}),
    State("paid", {"status": "paid", "ship_by": _day(5), "paid_at": _day(-2)}),
    State("paid, no date", {"status": "paid"}),
    State("preparing", {"status": "preparing", "ship_by": _day(4), "paid_at": _day(-2)}),
    State("preparing, leaves today", {"status": "preparing", "ship_by": NOW}),
    State("preparing, late", {"status": "preparing", "ship_by": _day(-3)}),
    State("out of stock", {"status": "out_of_stock", "paid_at": _day(-2)}),
    State("shipped", {**_PARCEL, "eta": _day(2)}),
    State("shipped today", {**_PARCEL, "shipped_at": NOW}),
    State("shipped, late", {**_PARCEL, "eta": _day(-2), "carrier": "佐川急便"}),
    State("shipped, no number", {"status": "shipped", "shipped_at": _day(-2), "carrier": "日本郵便"}),
    State("shipped, letter box", {**_PARCEL, "carrier": "クリックポスト"}),
    State("shipped abroad", {**_PARCEL, "carrier": "EMS", "tracking_no": "EE123456785JP"}),
    State("shipped abroad by name", {**_PARCEL, "extra": {"Ship Country": "US"}}),
    State("delivered", {**_PARCEL, "status": "delivered", "eta": _day(-1)}),
    State("delivered, dear", {**_PARCEL, "status": "delivered", "total": Decimal(128000)}),
    State("cancelled", {"status": "cancelled", "paid_at": _day(-5)}),
    State("cancelled, refunded", {"status": "cancelled", "paid_at": _day(-5), "extra": {"返金日": "2026-11-18"}}),
    State("cancelled, not paid", {"status": "cancelled"}),
    State("unknown", {"status": "unknown"}),
)
PAYMENTS = (
    "credit_card", "デビットカード", "PayPay", "d払い", "コンビニ決済", "ペイジー", "銀行振込", "キャリア決済", "Paidy", "請求書払い",
    "代金引換", "全額ポイント", "ギフトカード", "Amazon Pay", "楽天ペイ", "PayPal", "",
)  # fmt: skip
ORDER_IDS = {
    "amazon": "249-1234567-1234567",
    "rakuten": "123456-20261118-0123456789",
    "yahoo": "minato-10000042",
    "ebay": "12-34567-89012",
    "shopify": "#1042",
}
CURRENCIES = {"ebay": "USD", "shopify": "USD"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of the matrix."""

    words: Words
    variant: str
    channel: Channel
    state: State
    payment: str
    policy: str = "plain"

    @property
    def language(self) -> Language:
        """The buyer's language."""
        return VARIANTS[self.variant]

    @property
    def name(self) -> str:
        """What it is, in one line."""
        place = f"{self.channel.name} ({self.channel.reply_mode})"
        return f"{self.words.key} | {self.variant} | {place} | {self.state.key} | {self.payment or '-'} | {self.policy}"

    @property
    def place(self) -> Channel:
        """The channel as this mail of it is recognised."""
        formal = self.words.formal and any(route.official_cancel for route in self.channel.routes)
        return replace(self.channel, is_formal_cancel=formal)

    def order(self) -> Order | None:
        """The buyer's order, if he has one."""
        if self.state.changes is None:
            return None
        name = self.channel.name
        values: dict[str, Any] = {
            "order_id": ORDER_IDS.get(name, "1042"),
            "channel": name,
            "buyer_name": _NAMES[self.variant],
            "buyer_mail": "hanako@mail.example",
            "payment": self.payment,
            "total": Decimal(4980),
            "currency": CURRENCIES.get(name, "JPY"),
            "ordered_at": _day(-3),
            "items": _ITEMS[self.variant],
            "as_of": NOW,
        }
        return Order(**{**values, **self.state.changes})

    def message(self) -> Message:
        """The buyer's mail, without its frame."""
        said = self.words.said[self.variant]
        subject = {"ja": "お問い合わせ", "en": "A question"}.get(self.variant, "咨询")
        return replace(
            _MAIL,
            subject=subject,
            text=said,
            new_text=said,
            language=self.language,
            attachments=(Attachment("a.jpg", "image/jpeg", 20_000),) if self.words.photo else (),
        )


_NAMES = {"ja": "田中 花子", "en": "James Carter", "zh": "李伟", "zh-hant": "陳怡君"}
_ITEMS = {
    "ja": (Item("波佐見焼マグカップ", "MUG-01", 2),),
    "en": (Item("Bamboo tray", "TRAY-3", 1),),
    "zh": (Item("竹制托盘", "TRAY-3", 1), Item("茶杯", "CUP-1", 2)),
    "zh-hant": (Item("竹製托盤", "TRAY-3", 1),),
}
_MAIL = replace(
    Message.blank("ja"),
    message_id="<a@mail.example>",
    sender=Address("Buyer", "hanako@mail.example"),
    to=(Address("", SHOP.address),),
    return_path="hanako@mail.example",
    date=NOW,
    size_bytes=500,
)
_NONE: Mapping[str, str] = {}
POLICIES: Mapping[str, Mapping[str, str]] = {
    "plain": _NONE,
    "generous": {
        "refuse_parcel": "on",
        "refuse_parcel_abroad": "on",
        "refund_fee": "shop",
        "return_days": "8",
        "return_postage": "buyer",
        "return_page": "https://minato.example/returns",
        "account_form": "https://minato.example/account",
        "receipt_page": "https://minato.example/receipt",
        "cancel_policy_ja": "発送前のご注文は、いつでもキャンセルを承ります。",
        "cancel_policy_en": "Orders can be cancelled until they are shipped.",
        "cancel_policy_zh": "发货之前，订单均可取消。",
        "cancel_policy_zh_hant": "出貨之前，訂單均可取消。",
        "return_policy": "お届けから8日以内に、未使用の商品に限り承ります。",
        "return_policy_en": "Unused items can be returned within 8 days after delivery.",
        "return_policy_zh": "商品送达后8天以内，未使用的可以退货。",
        "return_policy_zh_hant": "商品送達後8天以內，未使用的可以退貨。",
    },
    "silent": {"refund_days": "", "answer_days": ""},
}


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop of the matrix; `policy` differs from cell to cell."""

    name: str = "みなと雑貨店"
    language: Language = "ja"
    timezone: ZoneInfo = TOKYO
    signature: str = "みなと雑貨店\n〒650-0000 兵庫県神戸市\nshop@minato-zakka.example"
    names: Mapping[Language, str] = field(default_factory=lambda: {"en": "Minato Zakka", "zh": "Minato Zakka"})
    signatures: Mapping[Language, str] = field(
        default_factory=lambda: {"en": "Minato Zakka\nKobe, Japan\nshop@minato-zakka.example"}
    )
    policy: Mapping[str, str] = field(default_factory=dict)


def channels_of(known: Sequence[Channel]) -> list[Channel]:
    """Every channel as its buyers' mails come, once for each way it is answered."""
    found: dict[tuple[str, str], Channel] = {}
    for channel in known:
        modes = {
            route.reply_mode or channel.reply_mode: route.kind for route in channel.routes if route.kind != "notice"
        }
        for mode, kind in (modes or {channel.reply_mode: channel.kind}).items():
            found[channel.name, mode] = replace(channel, kind=kind, reply_mode=mode)
    return list(found.values())


def cells(known: Sequence[Channel]) -> Iterator[Cell]:
    """Every cell. Policies beside the plain one are looked at with one payment each."""
    for words, variant, channel, state in product(SITUATIONS, VARIANTS, channels_of(known), STATES):
        for payment in PAYMENTS if state.changes is not None else ("",):
            yield Cell(words, variant, channel, state, payment)
        for policy in ("generous", "silent"):
            for payment in ("credit_card", "銀行振込", "代金引換"):
                yield Cell(words, variant, channel, state, payment, policy)


def some(known: Sequence[Channel], seed: int) -> list[Cell]:
    """Every situation in every language and order state once; channel, payment and policy by chance."""
    chance = random.Random(seed)
    places = channels_of(known)
    return [
        Cell(words, variant, chance.choice(places), state, chance.choice(PAYMENTS), chance.choice(("plain", *POLICIES)))
        for words, variant, state in product(SITUATIONS, VARIANTS, STATES)
    ]
