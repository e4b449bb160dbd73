"""What is wrong with a written reply: blanks, claims, forbidden words, language, manners, layout."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bench.matrix.cells import NOW, Shop
from bench.matrix.must import missing
from bench.matrix.run import Written
from responder.config import Settings
from responder.core.language import scripts
from responder.core.proof import Paper, Text
from responder.model import Order

# Which fact a blank stands for; True: only staff know it.
_BLANKS: Mapping[str, str] = {
    "ship_by": "ship_by",
    "tracking_no": "tracking_no",
    "carrier": "carrier",
    "shipped_at": "shipped_at",
    "payment": "payment",
    "items": "items",
    "eta": "eta",
}
_JA_NOT = (
    "させていただきます", "させて頂", "になります", "了解", "ご苦労", "取り急ぎ", "各位様", "ご覧になられ", "お承り", "お越しになられ", "いたさせ", "とんでもございません",
    "申し訳ありません", "すみません", "のほう", "よろしかった", "下さい", "致し", "頂き", "出来",
)  # fmt: skip
_EN_NOT = (
    "kindly", "inconvenience caused", "do the needful", "revert", "dear customer", "please be informed", "as per",
    "hassle", "asap", "!",
)  # fmt: skip
_ZH_NOT = (
    "亲",
    "哦",
    "呢",
    "！！",
    "您们",
    "の",
    "的の",
    "，，",
    "。。",
    "不好意思",
    "麻煩您麻煩",
    "给您带来不便，敬请谅解给您",
)
_CUSHION = re.compile("恐れ入りますが|あいにく|お手数ですが|恐縮ですが|申し訳ございませんが")
_APOLOGY = {
    "ja": re.compile("申し訳ござい|お詫び申し"),
    "en": re.compile(r"\b(?:sorry|apologi[sz]e|apology)\b", re.IGNORECASE),
    "zh": re.compile("抱歉|致歉|谅解"),
    "zh-hant": re.compile("抱歉|致歉|見諒|諒解"),
}
_KANA = re.compile("[\u3041-\u30fa]")


def wrong(written: Written, settings: Settings) -> list[str]:
    """Everything wrong with one reply, each in a few words; empty for a hold or silence."""
    if written.letter is None:
        return []
    return [
        *missing(written),
        *_blanks(written, settings),
        *_proof(written, settings),
        *_facts(written),
        *_script(written),
        *_manners(written),
        *_layout(written),
    ]


def _blanks(written: Written, settings: Settings) -> Iterator[str]:
    assert written.letter is not None
    order = written.decision.order
    label = settings.wording.label
    reasons = {label(name, "ja"): not _has(order, field) for name, field in _BLANKS.items()}
    late = order is not None and order.is_unshipped and order.ship_by is not None and order.ship_by < NOW
    reasons[label("new_ship_date", "ja")] = late
    reasons[label("new_address", "ja")] = written.letter.template == "address_change_before"
    reasons[label("refund_started", "ja")] = not settings.templates.refunds.refunded_on(order) if order else True
    reasons[label("answer_by", "ja")] = written.cell.policy == "silent"
    for blank in written.letter.blanks:
        if not reasons.get(blank, False):
            yield f"blank without a missing fact: {blank}"


def _has(order: Order | None, name: str) -> bool:
    return bool(order is not None and getattr(order, name))


def _proof(written: Written, settings: Settings) -> Iterator[str]:
    letter, cell = written.letter, written.cell
    assert letter is not None
    shop = Shop()
    order = written.decision.order
    paper = Paper(
        channel=cell.channel,
        language=cell.language,
        order=order,
        order_id=order.order_id if order is not None else None,
        shop_name=shop.names.get(cell.language, shop.name),
        signature="\n".join((shop.signature, *shop.signatures.values())),
        ours=written.words,
    )
    for finding in settings.proofreader.read(Text(letter.subject, written.words), paper):
        yield f"{finding.kind}: {finding.sentence}"


_DONE = {
    "shipped": re.compile(
        "すでに発送|引き渡して|has been shipped|with the carrier|已经发货|已經出貨|已经交给|已經交給"
    ),
    "delivered": re.compile("配達済み|as delivered|已经送达|已經送達"),
    "cancelled": re.compile("手続きが完了して|has been cancelled|已经取消|已經取消"),
    "refunded": re.compile("手続きは完了|refund has been issued|退款手续已经|退款手續已經"),
}


def _facts(written: Written) -> Iterator[str]:
    """Our own phrases of what is done, against the order: a second look beside the check that staff's texts get."""
    order = written.decision.order
    status = order.status if order is not None else ""
    holds = {
        "shipped": status in ("shipped", "delivered"),
        "delivered": status == "delivered",
        "cancelled": status == "cancelled",
        "refunded": order is not None and "返金日" in order.extra,
    }
    flat = re.sub(r"\s+", " ", written.words)
    for fact, pattern in _DONE.items():
        if not holds[fact] and pattern.search(flat):
            yield f"claims {fact}"


def _script(written: Written) -> Iterator[str]:
    words = _without_values(written)
    variant = written.cell.variant
    if variant.startswith("zh"):
        simplified, traditional = scripts()
        other = simplified if variant == "zh-hant" else traditional
        if strange := {character for character in words if character in other}:
            yield f"characters of the other script: {''.join(sorted(strange))}"
        if _KANA.search(words):
            yield "kana in a Chinese text"
    elif variant == "en" and re.search("[\u3040-\u9fff]", words):
        yield "Chinese characters or kana in an English text"


def _without_values(written: Written) -> str:
    words = re.sub(r"【要確認[^】]*】", "", written.words)
    order, shop = written.decision.order, Shop()
    values = [*shop.signature.splitlines(), shop.name, *(item.name for item in order.items)] if order else [shop.name]
    values += [*written.cell.channel.title.values(), *shop.names.values()]
    values += [*shop.signature.splitlines(), order.buyer_name if order else "", order.carrier if order else ""]
    if order is not None:
        values += [order.payment, order.order_id]
    for value in sorted(filter(None, values), key=len, reverse=True):
        # A name of two words may stand on two lines.
        words = re.sub(r"\s+".join(map(re.escape, value.split())), "", words)
    return words


def _manners(written: Written) -> Iterator[str]:
    variant = written.cell.variant
    words = _without_values(written)
    never = _JA_NOT if variant == "ja" else _EN_NOT if variant == "en" else _ZH_NOT
    for word in never:
        if word in words.casefold():
            yield f"manners: {word}"
    if variant == "ja":
        for sentence in re.split("[。\n]", words):
            if len(_CUSHION.findall(sentence)) > 1:
                yield f"two cushions in a sentence: {sentence}"
    if len(_APOLOGY[variant].findall(re.sub(r"\s+", " ", words))) > 2:
        yield "more than two apologies"


def _layout(written: Written) -> Iterator[str]:
    assert written.letter is not None
    variant, words = written.cell.variant, written.words
    for line in words.split("\n"):
        if line != line.strip():
            yield f"blank at the edge of a line: {line!r}"
        if "  " in line or re.search(r" [.,;]|。。|、、|，，|。，|\(\)|（）|：：|[。、]\.", line):
            yield f"spacing: {line!r}"
        if re.search(r"[{}]|None|undefined|Undefined|<|object at", line):
            yield f"leftover: {line!r}"
        if variant == "en" and len(line) > 78 and "http" not in line:
            yield f"long line: {line!r}"
        if line.count("（") != line.count("）") or line.count("「") != line.count("」"):
            yield f"brackets: {line!r}"
        if re.search(r"[:：]$", line) and not re.search(r":$|：$", words.split("\n\n")[0]) and _is_last(line, words):
            yield f"nothing after: {line!r}"
    if "\n\n\n" in words:
        yield "two empty lines"
    if len(written.letter.subject) > 85:
        yield "long subject"


def _is_last(line: str, words: str) -> bool:
    """True if nothing follows a line that announces something."""
    lines = words.split("\n")
    at = lines.index(line)
    return all(not after.strip() for after in lines[at + 1 : at + 3])
