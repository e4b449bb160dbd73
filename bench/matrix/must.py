"""What a reply must contain, by template and language: the playbook's list as patterns on the text read as one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.matrix.run import Written

Test = Callable[[Written], bool]


def _always(_: Written) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Must:
    """One thing a template must say (or, with `never`, must not say) where its condition holds."""

    what: str
    patterns: Mapping[str, str]
    when: Test = _always
    never: bool = False


def _say(what: str, ja: str, en: str, zh: str, hant: str, when: Test = _always, *, never: bool = False) -> Must:
    return Must(what, {"ja": ja, "en": en, "zh": zh, "zh-hant": hant}, when, never)


def _status(*names: str) -> Test:
    return lambda w: w.decision.order is not None and w.decision.order.status in names


def _not(test: Test) -> Test:
    return lambda w: not test(w)


def _both(*tests: Test) -> Test:
    return lambda w: all(test(w) for test in tests)


def _state(*words: str) -> Test:
    return lambda w: any(word in w.cell.state.key for word in words)


def _policy(*names: str) -> Test:
    return lambda w: w.cell.policy in names


def _paid_later(w: Written) -> bool:
    return w.cell.payment in ("代金引換", "Paidy", "請求書払い")


def _photo(w: Written) -> bool:
    return w.cell.words.photo


def _angry(w: Written) -> bool:
    return w.decision.is_angry


def _formal(w: Written) -> bool:
    return w.decision.is_formal


def _asks(name: str) -> Test:
    return lambda w: name in w.decision.asks


def _is_amazon(w: Written) -> bool:
    return w.cell.channel.name == "amazon"


_CANCELLED = _status("cancelled")
_OPEN = _not(_status("cancelled", "out_of_stock"))
_LATE = _state("late")
_DATE_OR_BLANK = r"\d+月\d+日|要確認|\w+day, \w+ \d+|本日|today|今天"

_ACCEPTED = _say(
    "the cancel is accepted",
    "キャンセルを承りました",
    "accepted (your|the) cancellation|and accepted it",
    "受理",
    "受理",
    _not(_CANCELLED),
)
_NOT_ACCEPTED = _say(
    "no cancel is promised",
    "キャンセルを承りました|キャンセルの手続きをいたします",
    "accepted|we will cancel",
    "已受理|将为您取消",
    "已受理|將為您取消",
    never=True,
)
_EMPATHY = _say("his feeling first", "ご不快な思い|申し訳ございません", "frustrating|sorry", "抱歉", "抱歉", _angry)
_NUMBER = _say("the tracking number", r"お問い合わせ番号: \S", r"Tracking number: \S", r"运单号：\S", r"物流編號：\S")
_CARRIER = _say("the carrier", r"配送会社: \S", r"Carrier: \S", r"物流公司：\S", r"物流公司：\S")
_PAGE = _say(
    "the carrier's page", "https://", "https://", "https://", "https://",
    lambda w: w.cell.channel.allows_links and bool(w.decision.order and w.decision.order.tracking_no),
)  # fmt: skip
_WAY_BACK = _say(
    "the way back", "返品をお受けできるかどうか", "whether we can accept the return", "能否退货", "能否退貨"
)
_REFUSE = _say(
    "refusing at the door, by the shop's policy", "受け取りません", "refuse the parcel", "拒收", "拒收",
    _both(_policy("generous"), _status("shipped"), _not(_state("letter box"))),
)  # fmt: skip
_NO_REFUSE = _say(
    "no word of refusing", "受け取りません", "refuse", "拒收", "拒收", _not(_policy("generous")), never=True
)
_CHOICE = _say(
    "the choice to cancel", "キャンセルも承ります", "you can cancel the order", "可以取消订单", "可以取消訂單"
)
_SORRY = _say("an apology", "申し訳ございません", "sorry|apolog", "抱歉", "抱歉")
_ANSWER_BY = _say(
    "by when we answer", rf"({_DATE_OR_BLANK}).{{0,20}}までに", rf"by .{{0,3}}({_DATE_OR_BLANK})", rf"在.{{0,3}}({_DATE_OR_BLANK}).{{0,12}}之前", rf"在.{{0,3}}({_DATE_OR_BLANK}).{{0,12}}之前"
)  # fmt: skip
_ASK_CARRIER = _say("we ask the carrier", "配送会社(へ|に)", "ask the carrier", "向物流公司", "向物流公司")
_SHIP_DATE = _say(
    "the day it leaves", rf"({_DATE_OR_BLANK}).{{0,8}}に?発送", rf"ship (it|order \S+|the order)? ?(by|on|today).{{0,4}}({_DATE_OR_BLANK})?", rf"({_DATE_OR_BLANK}).{{0,14}}(发货|发出)", rf"({_DATE_OR_BLANK}).{{0,14}}(出貨|寄出)"
)  # fmt: skip
_REGRET = _say(
    "sorry to lose him, or an apology", "残念|お詫び", "sorry", "遗憾|致歉", "遺憾|致歉"
)  # fmt: skip
_STEPS = _say("numbered steps", r"1\. .+2\. .+3\. ", r"1\. .+2\. .+3\. ", r"1\. .+2\. .+3\. ", r"1\. .+2\. .+3\. ")
_NO_STEPS = Must("no steps asked of the buyer", _STEPS.patterns, _status("out_of_stock", "cancelled"), never=True)
_PHOTO_LIST = _say("what we need", "お写真を、", "pictures", "照片", "照片", _not(_photo))

MUST: Mapping[str, tuple[Must, ...]] = {
    "cancel_before_ship": (
        _ACCEPTED,
        _EMPATHY,
        _REGRET,
        _say(
            "cites the request",
            "リクエスト",
            "cancellation request through",
            "提交的取消申请",
            "送出的取消申請",
            _both(_formal, _OPEN),
        ),
        _NO_STEPS,
        Must("no steps asked of the buyer", _STEPS.patterns, never=True),
        _say(
            "will not be shipped",
            "発送されることはございません",
            "will not be shipped",
            "不会再发货",
            "不會再出貨",
            _CANCELLED,
        ),
    ),
    "cancel_after_ship": (
        _NOT_ACCEPTED,
        _say(
            "handed to the carrier",
            "配送会社へ引き渡し",
            "already with the carrier",
            "已经交给物流公司",
            "已經交給物流公司",
            _status("shipped"),
        ),
        _NUMBER,
        _CARRIER,
        _PAGE,
        _WAY_BACK,
        _REFUSE,
        _NO_REFUSE,
        _EMPATHY,
        _say("asks to withdraw the request", "取り下げ", "withdraw", "撤回", "撤回", _formal),
        _say("nothing to withdraw", "取り下げ", "withdraw", "撤回", "撤回", _not(_formal), never=True),
        _say("not from abroad unasked", "海外から", "from abroad", "从海外", "從海外", _state("abroad")),
    ),
    "cancel_after_delivery": (_NOT_ACCEPTED, _NUMBER, _WAY_BACK, _NO_REFUSE, _EMPATHY),
    "cancel_offer_to_keep": (
        _SORRY,
        _say(
            "when it ships",
            rf"({_DATE_OR_BLANK}).{{0,20}}発送いたします",
            rf"ship it .{{0,4}}({_DATE_OR_BLANK})",
            rf"({_DATE_OR_BLANK}).{{0,14}}发货",
            rf"({_DATE_OR_BLANK}).{{0,14}}出貨",
        ),
        _say(
            "asks whether he would keep it",
            "このままお届けしても",
            "Would you like to keep",
            "是否可以继续",
            "是否可以繼續",
        ),
        _say(
            "one clear way to cancel",
            "やはりキャンセルをご希望の場合",
            "If you still want to cancel",
            "如果您仍希望取消",
            "如果您仍希望取消",
        ),
        Must("the steps, where cancels are requested so", _STEPS.patterns, _is_amazon),
    ),
    "cancel_request_steps": (
        Must("numbered steps", _STEPS.patterns, _OPEN),
        _NO_STEPS,
        _EMPATHY,
    ),
    "cancel_policy": (
        _say("the shop's own words", "いつでもキャンセル", "until they are shipped", "均可取消", "均可取消"),
    ),
    "return_policy": (_say("the shop's own words", "8日以内", "within 8 days", "8天以内", "8天以內"),),
    "where_is_order_unpaid": (
        _say(
            "the state",
            "お支払いの確認ができていない",
            "not been able to confirm your payment",
            "尚未查到您的付款",
            "尚未查到您的付款",
            _not(_paid_later),
        ),
        Must("the day it leaves", _SHIP_DATE.patterns, _paid_later),
    ),
    "where_is_order_unshipped": (
        _SHIP_DATE,
        _EMPATHY,
        _say("an apology if late", "申し訳", "sorry", "抱歉", "抱歉", _LATE),
    ),
    "where_is_order_unshipped_overdue": (_SORRY, _SHIP_DATE, _CHOICE),
    "where_is_order_shipped": (
        _NUMBER,
        _CARRIER,
        _PAGE,
        _EMPATHY,
        _say(
            "usual days",
            r"\d〜\d日ほど|ごろの予定",
            r"\d to \d days|expected to arrive",
            r"\d至\d天|前后送达",
            r"\d至\d天|前後送達",
            _both(_status("shipped"), _not(_state("abroad"))),
        ),
    ),
    "where_is_order_overdue": (_SORRY, _NUMBER, _ASK_CARRIER, _ANSWER_BY),
    "delivery_delay_shipped": (_SORRY, _NUMBER, _ASK_CARRIER, _ANSWER_BY),
    "delivery_delay_unshipped": (_SORRY, _SHIP_DATE, _CHOICE),
    "delivered_not_received": (
        _SORRY,
        _NUMBER,
        _ASK_CARRIER,
        _ANSWER_BY,
        _say(
            "family, box, neighbour",
            "ご家族.*郵便受け.*ご近所",
            "household.*mailbox.*neighbo",
            "家人.*信箱.*邻居",
            "家人.*信箱.*鄰居",
        ),
    ),
    "refund_status": (
        _say(
            "the date, or by when we answer",
            rf"{_DATE_OR_BLANK}|楽天市場から|ございません",
            rf"{_DATE_OR_BLANK}|Rakuten|not |Nothing|nothing",
            rf"{_DATE_OR_BLANK}|乐天市场|不会|无需|尚未",
            rf"{_DATE_OR_BLANK}|樂天市場|不會|不需|尚未",
        ),
    ),
    "return_refund": (
        _say("what we need", "数量.*理由.*状態", "how many.*reason.*condition", "数量.*原因.*状态", "數量.*原因.*狀態"),
        _say("postage by the shop's policy", "返送料", "postage", "退货运费", "退貨運費", _policy("generous")),
        _say("no word of postage", "返送料", "postage", "退货运费", "退貨運費", _not(_policy("generous")), never=True),
    ),
    "damaged_wrong": (
        _SORRY,
        _PHOTO_LIST,
        _say(
            "how it goes on",
            "ご連絡いたします|ご案内いたします",
            "tell you|We will answer|whether to replace",
            "告知您处理|商定",
            "告知您處理|商定",
        ),
    ),
    "address_change_before": (
        _say(
            "confirmed", "承りました", "we will send it to the new address", "已受理您的地址更改", "已受理您的地址更改"
        ),
    ),
    "address_change_after": (
        _NUMBER,
        _say("the carrier's way", "配送会社へご相談", "contact them", "联系物流公司", "聯絡物流公司"),
    ),
    "invoice_receipt": (
        _say(
            "how to get it", "宛名|下記のページ", "made out to|get your receipt here", "抬头|以下页面", "抬頭|以下頁面"
        ),
        Must("where it is, too", _SHIP_DATE.patterns, _both(_asks("where"), _status("paid", "preparing"))),
        Must("where it is, too", _NUMBER.patterns, _both(_asks("where"), _status("shipped", "delivered"))),
    ),
    "payment_question": (
        _say(
            "an answer",
            "確認し|配達員へお支払い",
            "received|pay the driver|will check",
            "确认|付给|核实",
            "確認|付給|查證",
        ),
    ),
    "payment_unpaid": (
        _say(
            "the state",
            "まだ確認できておりません",
            "not been able to confirm",
            "尚未查到",
            "尚未查到",
            _not(_paid_later),
        ),
        _say(
            "no word of a missing payment",
            "まだ確認できておりません",
            "not been able",
            "尚未",
            "尚未",
            _paid_later,
            never=True,
        ),
    ),
}
# Replies that speak of no order by its number.
WITHOUT_ORDER = frozenset({"cancel_policy", "return_policy"})


def missing(written: Written) -> list[str]:
    """What the reply should say and does not, or says and should not."""
    letter = written.letter
    if letter is None:
        return []
    text = re.sub(r"\s+", " ", written.words)
    found = []
    for must in MUST.get(letter.template, ()):
        if must.when(written) and bool(re.search(must.patterns[written.cell.variant], text)) is must.never:
            found.append(f"{'says' if must.never else 'does not say'}: {must.what}")
    if letter.template not in MUST:
        found.append("no list of what it must say")
    if letter.template not in WITHOUT_ORDER and written.decision.order is not None:
        for where, said in (("subject", letter.subject), ("text", written.words)):
            if written.decision.order.order_id not in said:
                found.append(f"no order number in the {where}")
    return found
