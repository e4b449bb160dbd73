"""Text without a usable label: tried under every charset of ours, the one that reads most like a language wins."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

from responder.core.charsets.japanese import ESCAPE, decode_euc, decode_jis

Problem = Literal["unknown_charset", "wrong_charset", "damaged_text"]

SAMPLE = 4_000  # bytes a detector looks at

_CANDIDATES = ("cp932", "euc", "gb18030", "cp950", "cp949", "cp1252")
_MOJIBAKE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0178\u02c6-\u2122]")


def guess(data: bytes) -> tuple[str, tuple[Problem, ...]]:
    """Text without a usable label: escapes, then UTF-8, then whatever reads most like a language of ours."""
    if b"\x1b" in data and ESCAPE.search(data):
        return decode_jis(data), ()
    if data.isascii():
        text = strict(data, "hz") if b"~{" in data and b"~}" in data else None
        return text or data.decode("ascii"), ()
    text = strict(data, "utf-8")
    if text is not None:
        return unfold_twice(text), ()
    found, score = best(data[:SAMPLE])
    if found and score > 0:
        text = strict(data, found)
        if text is not None:
            return text, ()
    as_utf8 = data.decode("utf-8", "replace")
    if found and as_utf8.count("\ufffd") * 4 > len(as_utf8):
        return data.decode("euc_jp" if found == "euc" else found, "replace"), ("damaged_text",)
    return as_utf8, ("damaged_text",)


def best(sample: bytes) -> tuple[str, float]:
    """The codec under which the bytes look most like a language, with its score; `""` where none reads them."""
    found, highest = "", -10.0
    for codec in _CANDIDATES:
        text = strict(sample, codec)
        if text is not None and (score := likeness(text, codec)) > highest:
            found, highest = codec, score
    return found, highest


def unfold_twice(text: str) -> str:
    """Text that was UTF-8, taken for Latin-1 and made UTF-8 again ("ã‚­ãƒ£"), put right; else the text itself."""
    if not _MOJIBAKE.search(text):
        return text
    foreign = [c for c in text[:SAMPLE] if c > "\x7f"]
    if sum(c < "\u0180" or c in _CP1252_HIGH for c in foreign) < 0.9 * len(foreign):
        return text
    raw = bytearray()
    for character in text:
        code = ord(character)
        if code < 0x100:
            raw.append(code)
        else:
            byte = _CP1252_HIGH.get(character)
            if byte is None:
                return text
            raw.append(byte)
    return strict(bytes(raw), "utf-8") or text


_CP1252_HIGH = {
    bytes([code]).decode("cp1252"): code for code in range(0x80, 0xA0) if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


def likeness(text: str, codec: str = "utf-8", *, is_labelled: bool = False) -> float:
    """How much the foreign characters of a text look like written Japanese, Chinese or Western text: -3 to 1.

    Kana count for nothing where `codec` is one that Japanese people do not write in. Half-width kana look like many
    a thing misread, but under a label they are believed.
    """
    total, count = 0.0, 0
    common, usual = _common(), _usual()
    kana = 1.0 if codec in ("utf-8", "cp932", "euc") else -0.2
    before = ""
    for character in text:
        if character <= "\x7f":
            before = character
            continue
        count += 1
        if "\u3041" <= character <= "\u30ff":
            total += kana
        elif character in common:
            total += 1.0
        elif character in usual:
            total += 0.55
        elif "\u4e00" <= character <= "\u9fff":
            total -= 0.2
        elif character in "、。「」『』・…ー〜～！？，：；（）【】“”‘’—　■□●○◆◇★☆※→①②③④⑤⑥⑦⑧⑨㈱№℡￥":
            total += 0.8
        elif "\uff10" <= character <= "\uff5a":
            total += 0.7
        elif "\uff66" <= character <= "\uff9f":
            total += (0.75 if is_labelled else 0.35) if "\uff66" <= before <= "\uff9f" else -0.1
        elif "\uac00" <= character <= "\ud7a3":
            total += 0.65
        elif "\u00c0" <= character <= "\u017f":
            total += 0.7 if before.isascii() and before.isalpha() else -0.4
        elif character in "\u2013\u2019\u2026\u20ac\u00a3\u00a0\u2022\u00a9\u00ae\u00b0\u00e9":
            total += 0.3 if not before or before.isascii() else -0.5
        elif character < "\u00a0" or "\ue000" <= character <= "\uf8ff" or character == "\ufffd":
            total -= 3.0
        else:
            total -= 0.5
        before = character
    return total / count if count else 0.0


@cache
def _common() -> frozenset[str]:
    """Kanji and hanzi that a shop's mail is made of; enough to tell encodings apart, not a frequency list."""
    return frozenset(
        "的一是不了在人有我他这個这中大来上国說说們们为為和你地出道也時时年得就那要下以生會会自着去之過过家學学對对可她里後后小麼么心多天而能好都然"
        "没沒日于起还還發发成事只作當当想看文無无開开手十用主行方又如前所本見见经經頭头面公同三已老從从動动两兩長长请請订訂单單货貨退款取消"
        "购購买買卖賣谢謝您吗嗎呢什商品店物流快递遞号號查收到问問题題换換价價格付钱錢给給客服尺寸颜顏色"
        "注返品交換金領収書発送配届様宛名住所変更希望願致申込荷番商在庫入確認問合支払振込代引郵便宅急到着未予定連絡電話店御社弊礼承知"
        "今回先方度者相当際場合内容不良破損傷違色数量購入方法使用説明教急至対応料無料税込税抜別途新旧者氏名月火水木金土日年時分間午前後週末明昨"
    )


@cache
def _usual() -> frozenset[str]:
    """Level 1 of JIS X 0208 and of GB 2312, and the frequent half of Big5: what is printed every day."""
    kanji = b"".join(bytes((row, cell)) for row in range(0xB0, 0xD0) for cell in range(0xA1, 0xFF))
    hanzi = b"".join(bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    cells = (*range(0x40, 0x7F), *range(0xA1, 0xFF))
    traditional = b"".join(bytes((row, cell)) for row in range(0xA4, 0xC7) for cell in cells)
    return frozenset(
        kanji.decode("euc_jp", "ignore") + hanzi.decode("gb2312", "ignore") + traditional.decode("big5", "ignore")
    )


def strict(data: bytes, codec: str) -> str | None:
    """The decoded text, without a character cut at the end; None if anything else is wrong."""
    try:
        return _decode(data, codec)
    except UnicodeDecodeError as exc:
        if exc.start >= len(data) - 4 and exc.start > 0 and codec not in ("cp1252",):
            try:
                return _decode(data[: exc.start], codec)
            except (UnicodeError, ValueError):
                return None
        return None
    except (UnicodeError, ValueError, LookupError):
        return None


def _decode(data: bytes, codec: str) -> str:
    if codec == "euc":
        try:
            return data.decode("euc_jp")
        except UnicodeDecodeError as exc:
            text = decode_euc(data)
            if text is None:
                raise exc
            return text
    if codec == "cp1252":
        try:
            return data.decode("cp1252")
        except UnicodeDecodeError:
            return data.decode("latin-1")
    return data.decode(codec)
