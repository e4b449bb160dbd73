"""The words of the generated mails: invented buyers, as shops hear them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from responder.model import Language

Wish = Literal["cancel", "cancel_shipped", "where", "thanks", "newsletter", "out_of_office", "question"]

NAMES: Mapping[Language, tuple[tuple[str, str], ...]] = {
    "ja": (
        ("佐藤", "健一"),
        ("鈴木", "美穂"),
        ("高橋", "直樹"),
        ("田中", "由美子"),
        ("渡辺", "翔"),
        ("山口", "さくら"),
    ),
    "en": (("Miller", "Anna"), ("Brown", "James"), ("O'Neill", "Fiona"), ("Garcia", "Luis"), ("Novak", "Petra")),
    "zh": (("王", "芳"), ("李", "伟"), ("张", "敏"), ("陈", "静"), ("刘", "洋")),
}

GREETINGS: Mapping[Language, tuple[str, ...]] = {
    "ja": (
        "みなと雑貨店 御中\n\nお世話になっております。{name}と申します。",
        "こんにちは。先日購入した{name}です。",
        "ご担当者様",
    ),
    "en": ("Hello,", "Dear Minato team,", "Hi there,\nmy name is {name}."),
    "zh": ("您好，我姓{name}。", "店主你好！", "客服您好："),
}

SMALL_TALK: Mapping[Language, tuple[str, ...]] = {
    "ja": (
        "いつも素敵な器を見せていただき、季節ごとの新作を楽しみにしております。",
        "以前こちらで買った急須は毎日使っていて、家族にもとても好評です。",
        "急に寒くなってまいりましたが、皆さまお変わりありませんでしょうか。\n当方は雪が降り始めました。",
    ),
    "en": (
        "I have been buying from your shop for two years and my family loves the teapot.",
        "I found your shop through a friend who collects Japanese pottery.",
        "I hope you are all doing well. It has started to snow over here.",
    ),
    "zh": (
        "一直很喜欢你们店里的杯子，每个季节都会来看看新品。",
        "上次买的茶壶家里人都说好用。",
        "最近天气转凉，希望你们一切都好。",
    ),
}

WISHES: Mapping[Language, Mapping[Wish, tuple[str, ...]]] = {
    "ja": {
        "cancel": (
            "注文番号 {order} をキャンセルしてください。\n同じものを家族がすでに買っておりました。",
            "申し訳ありませんが、{order} の注文をキャンセルしていただけますでしょうか。",
            "{order} の注文ですが、都合によりキャンセルをお願いいたします。",
        ),
        "cancel_shipped": (
            "注文番号 {order} をキャンセルしたいのですが、お願いできますか。",
            "昨日の注文 {order} をキャンセルしてください。よろしくお願いいたします。",
        ),
        "where": (
            "注文番号 {order} の商品がまだ届いておりません。いつ届くでしょうか。",
            "{order} の配送状況を教えてください。",
            "先日注文した {order} ですが、発送はいつになりますか。",
        ),
        "thanks": ("本日、無事に商品が届きました。\nとても素敵で大変満足しております。ありがとうございました。",),
        "newsletter": (
            "今週のお買い得情報をお届けします。\n全品10%オフのセールを開催中です。\n配信停止はこちらから。",
        ),
        "out_of_office": ("ただいま休暇をいただいております。\n11月30日より順次ご返信いたします。",),
        "question": (
            "こちらのマグカップは電子レンジで使えますか。\nまた、釉薬に鉛は含まれていませんか。",
            "直火にかけられる土鍋はありますか。大きさも教えてください。",
        ),
    },
    "en": {
        "cancel": (
            "Please cancel my order {order}. My wife already bought the same one.",
            "I would like to cancel order {order}, please.",
            "Could you please cancel my order {order}? I ordered it by mistake.",
        ),
        "cancel_shipped": (
            "Please cancel my order {order}.",
            "I'd like to cancel my order {order}. Thank you.",
        ),
        "where": (
            "Where is my order {order}? It has not arrived yet.",
            "Could you tell me when my order {order} will arrive?",
            "Has my order {order} been shipped yet?",
        ),
        "thanks": ("The parcel arrived today and everything is perfect. Thank you very much!",),
        "newsletter": ("This week only: 20% off all storage boxes.\nTo unsubscribe, click the link below.",),
        "out_of_office": ("I am out of the office until November 30 and will answer when I am back.",),
        "question": (
            "Is the glaze of the blue mug free of lead, and is it safe for the microwave?",
            "Do you have donabe pots that work on an induction stove?",
        ),
    },
    "zh": {
        "cancel": (
            "请帮我取消订单 {order}，家里已经买了一样的。",
            "我想取消订单 {order}，谢谢。",
            "麻烦取消一下我的订单 {order}。",
        ),
        "cancel_shipped": ("请取消订单 {order}。", "我想取消我的订单 {order}，麻烦处理一下。"),
        "where": (
            "订单 {order} 还没收到，请问什么时候能到？",
            "请问我的订单 {order} 发货了吗？",
            "请问订单 {order} 现在到哪里了？",
        ),
        "thanks": ("东西今天收到了，非常满意，谢谢！",),
        "newsletter": ("本周特价：收纳盒全场八折。\n如需退订请点击下面的链接。",),
        "out_of_office": ("我正在休假，11月30日以后回复您的邮件。",),
        "question": ("请问这款杯子的釉料含铅吗？可以放微波炉吗？", "请问有可以用电磁炉的土锅吗？"),
    },
}

SUBJECTS: Mapping[Language, Mapping[Wish, tuple[str, ...]]] = {
    "ja": {
        "cancel": ("キャンセルのお願い", "注文 {order} について", "注文取り消しのお願い"),
        "cancel_shipped": ("キャンセル希望", "注文 {order} のキャンセル"),
        "where": ("商品の到着について", "{order} 配送状況のお問い合わせ"),
        "thanks": ("商品が届きました",),
        "newsletter": ("【週末限定】全品10%オフ",),
        "out_of_office": ("自動応答: 不在のお知らせ",),
        "question": ("商品についての質問",),
    },
    "en": {
        "cancel": ("Cancel my order", "Order {order}"),
        "cancel_shipped": ("Cancellation of {order}",),
        "where": ("Where is my order?", "Delivery of {order}"),
        "thanks": ("Arrived safely",),
        "newsletter": ("Weekend sale: 20% off",),
        "out_of_office": ("Automatic reply: out of office",),
        "question": ("Question about a product",),
    },
    "zh": {
        "cancel": ("取消订单", "订单 {order}"),
        "cancel_shipped": ("取消订单 {order}",),
        "where": ("查询物流", "订单 {order} 什么时候到"),
        "thanks": ("收到了",),
        "newsletter": ("本周特价",),
        "out_of_office": ("自动回复：休假中",),
        "question": ("关于产品的问题",),
    },
}

QUOTES: Mapping[Language, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "ja": (
        (
            "{when} みなと雑貨店 <{shop}>:",
            (
                "このたびはご注文ありがとうございます。",
                "ご注文を承りましたのでお知らせいたします。",
                "商品の準備ができ次第、発送のご連絡をいたします。",
                "",
                "みなと雑貨店",
                "〒000-0000 東京都港区一丁目1-1",
            ),
        ),
    ),
    "en": (
        (
            "On {when}, Minato <{shop}> wrote:",
            (
                "Thank you very much for your order.",
                "We have received it and will write to you again as soon as it leaves our house.",
                "",
                "Minato",
            ),
        ),
    ),
    "zh": (
        (
            "在 {when}，港口杂货店 <{shop}> 写道：",
            ("感谢您的订购。", "我们已经收到您的订单，发货后会再通知您。", "", "港口杂货店"),
        ),
    ),
}

MACHINES: Mapping[Wish, tuple[str, ...]] = {
    "newsletter": ("List-Id: <news.sale.example>", "List-Unsubscribe: <https://sale.example/u>", "Precedence: bulk"),
    "out_of_office": ("Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All"),
}
"""Headers by which a machine shows that it is one."""
