"""Bytes of a mail to text: what the label says where that can be true, else what the bytes themselves say.

Japanese and Chinese mail is mislabelled in a few well-known ways: the label names the small standard while the bytes
use the vendor's larger set (NEC row 13 in ISO-2022-JP, windows-31j called shift_jis, GBK called gb2312), there is no
label at all, or a program copied the label of another mail. Labels are tried first; a detector of our own comes last,
because detectors guess short Japanese wrongly. Nothing here raises.
"""

from __future__ import annotations

import binascii
import codecs
import re
from encodings.aliases import aliases
from functools import cache
from typing import Literal

Problem = Literal["unknown_charset", "wrong_charset", "damaged_text"]

MAX_ESCAPES = 20_000
SAMPLE = 4_000  # bytes a detector looks at

# What people call it -> the superset that reads all of it.
_KNOWN = {
    "": "", "us-ascii": "", "ascii": "", "ansi_x3.4-1968": "", "646": "", "unknown-8bit": "", "x-unknown": "",
    "unknown": "", "default": "", "default_charset": "", "none": "", "8bit": "", "7bit": "", "binary": "",
    "iso-2022-jp": "jis", "iso-2022-jp-1": "jis", "iso-2022-jp-2": "jis", "iso-2022-jp-3": "jis",
    "iso-2022-jp-2004": "jis", "iso-2022-jp-ms": "jis", "iso-2022-jp-ext": "jis", "csiso2022jp": "jis", "jis": "jis",
    "cp50220": "jis", "cp50221": "jis", "cp50222": "jis", "x-iso-2022-jp": "jis", "iso2022jp": "jis",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "ms_kanji": "cp932",
    "windows-31j": "cp932", "cswindows31j": "cp932", "cp932": "cp932", "ms932": "cp932", "windows-932": "cp932",
    "csshiftjis": "cp932", "x-ms-cp932": "cp932", "sjis-win": "cp932", "shift_jisx0213": "shift_jisx0213",
    "shift_jis-2004": "shift_jis_2004", "euc-jp": "euc", "x-euc-jp": "euc", "eucjp": "euc", "ujis": "euc",
    "euc_jp": "euc", "eucjp-ms": "euc", "eucjp-win": "euc", "cp51932": "euc", "x-euc": "euc",
    "gb2312": "gb18030", "gb_2312-80": "gb18030", "csgb2312": "gb18030", "euc-cn": "gb18030", "x-euc-cn": "gb18030",
    "gbk": "gb18030", "x-gbk": "gb18030", "cp936": "gb18030", "windows-936": "gb18030", "gb18030": "gb18030",
    "gb-18030": "gb18030", "hz-gb-2312": "hz", "hz": "hz", "iso-2022-cn": "gb18030",
    "big5": "cp950", "big-5": "cp950", "x-x-big5": "cp950", "cn-big5": "cp950", "csbig5": "cp950", "cp950": "cp950",
    "windows-950": "cp950", "big5-hkscs": "big5hkscs", "big5hkscs": "big5hkscs", "x-windows-950": "cp950",
    "utf-8": "utf-8", "utf8": "utf-8", "unicode-1-1-utf-8": "utf-8", "utf-8-sig": "utf-8", "cp65001": "utf-8",
    "utf_8": "utf-8", "utf8mb4": "utf-8", "x-utf-8": "utf-8",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "windows-1252": "cp1252", "cp1252": "cp1252",
    "iso-8859-15": "cp1252", "ansi": "cp1252",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "ksc5601": "cp949", "cp949": "cp949", "windows-949": "cp949",
    "iso-2022-kr": "iso2022_kr", "utf-7": "utf-7", "unicode-1-1-utf-7": "utf-7", "utf-16": "utf-16",
    "utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "utf-32": "utf-32",
}  # fmt: skip
# Codecs of Python that are no charsets, or whose cost or effect no stranger should choose.
_REFUSED = frozenset({
    "base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec", "punycode", "idna",
    "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem", "palmos",
})  # fmt: skip
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CANDIDATES = ("cp932", "euc", "gb18030", "cp950", "cp949", "cp1252")

_ESCAPE = re.compile(rb"\x1b(\$[@AB]|\$\([A-Z]|\([ABHIJT]|\.[AF]|N)")
_EIGHT_BIT = re.compile(rb"[\x80-\xff]")
_LOST_ESCAPE = re.compile(rb"\$[@B]((?:[\x21-\x7e]{2}){2,200}?)\([BJ]")
_MOJIBAKE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0178\u02c6-\u2122]")
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?")
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_Q_ESCAPE = re.compile(rb"=([0-9A-Fa-f]{2})")


def decode(data: bytes, label: str | None = None) -> tuple[str, tuple[Problem, ...]]:
    """The text of these bytes and what was wrong with them.

    A character cut in two at the very end is left out silently: the bytes may be the first part of a larger mail.
    `label` is the charset as the mail names it, None or empty where it names none.
    """
    if b"\x1b" not in data and data.isascii() and b"~{" not in data:
        return _seven_bit(data, label)
    for mark, of_mark in _MARKS:
        if data.startswith(mark):
            marked = _strict(data, of_mark)
            return (marked, ()) if marked is not None else (data.decode(of_mark, "replace"), ("damaged_text",))
    codec, known = codec_for(label)
    problems: tuple[Problem, ...] = () if known else ("unknown_charset",)
    if codec == "" or (codec != "jis" and b"\x1b" in data and _ESCAPE.search(data) and data.isascii()):
        text, guessed = _guess(data)
        return text, problems + guessed
    labelled = _labelled(data, codec)
    if labelled is not None:
        return labelled, problems
    guess, guessed = _guess(data)
    if codec in ("utf-8", "jis", "cp932", "gb18030") and "damaged_text" in guessed:
        return data.decode("cp932" if codec == "jis" else codec, "replace"), (*problems, "damaged_text")
    return guess, (*problems, "wrong_charset", *guessed)


def codec_for(label: str | None) -> tuple[str, bool]:
    """The codec that reads what a label promises, `""` for "look at the bytes", and whether the label is known."""
    name = (label or "").strip().strip("\"'").lower().split("*")[0]
    if name in _KNOWN:
        return _KNOWN[name], True
    plain = name.replace("-", "_").replace(" ", "_")
    found = aliases.get(plain, plain if plain in aliases.values() else None)
    if found is None or found in _REFUSED:
        return "", False
    return _KNOWN.get(found.replace("_", "-"), found), True


def _seven_bit(data: bytes, label: str | None) -> tuple[str, tuple[Problem, ...]]:
    """Plain ASCII bytes; a few charsets still hide other text in them."""
    codec, known = codec_for(label)
    problems: tuple[Problem, ...] = () if known else ("unknown_charset",)
    if codec in ("utf-7", "utf-16-le", "utf-16-be", "utf-16", "utf-32"):
        text = _strict(data, codec)
        if text is not None and (codec == "utf-7" or b"\0" in data):
            return text, problems
    if codec == "jis" and _LOST_ESCAPE.search(data):
        return _LOST_ESCAPE.sub(rb"\x1b$B\1\x1b(B", data).decode("iso2022_jp", "replace"), ("damaged_text",)
    if codec == "jis" and (b"\x0e" in data):
        return decode_jis(data), problems
    return data.decode("ascii"), problems


def _labelled(data: bytes, codec: str) -> str | None:
    """The text under its label, or None where the label cannot be true."""
    if codec == "jis":
        if _EIGHT_BIT.search(data) and not _ESCAPE.search(data):
            return None
        return decode_jis(data)
    if codec == "utf-8":
        text = _strict(data, "utf-8")
        if text is None:
            loose = data.decode("utf-8", "replace")
            lost = loose.count("\ufffd")
            return loose if lost * 20 <= sum(c > "\x7f" for c in loose[:SAMPLE]) else None
        return _unfold_twice(text)
    if codec == "hz":
        return _strict(data, "hz")
    text = _strict(data, codec)
    if text is None and codec == "cp950":
        text = _strict(data, "big5hkscs")
    if text is None or data.isascii():
        return text
    likeness = _likeness(text[:SAMPLE])
    as_utf8 = _strict(data, "utf-8")
    if as_utf8 is not None and _likeness(as_utf8[:SAMPLE]) >= likeness:
        return _unfold_twice(as_utf8)
    if likeness < 0.75:  # readable under the label, but hardly like a language: perhaps the bytes know better
        other, score = _best(data[:SAMPLE])
        if score > likeness + 0.25:
            return _strict(data, other) or text
    return text


def _strict(data: bytes, codec: str) -> str | None:
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
            text = _decode_euc(data)
            if text is None:
                raise exc
            return text
    if codec == "cp1252":
        try:
            return data.decode("cp1252")
        except UnicodeDecodeError:
            return data.decode("latin-1")
    return data.decode(codec)


# --- Japanese in seven and eight bits -------------------------------------------------------------------------------


def decode_jis(data: bytes) -> str:
    """ISO-2022-JP as it is really written: with NEC row 13, half-width kana by any shift, JIS X 0212, raw 8-bit."""
    try:
        return data.decode("iso2022_jp")
    except UnicodeDecodeError:
        pass
    if data.count(b"\x1b") > MAX_ESCAPES:
        return data.decode("iso2022_jp_ext", "replace")
    parts: list[str] = []
    mode, position = b"(B", 0
    for found in _ESCAPE.finditer(data):
        parts.append(_jis_run(data[position : found.start()], mode))
        mode, position = found.group(1), found.end()
    parts.append(_jis_run(data[position:], mode))
    return "".join(parts)


def _jis_run(run: bytes, mode: bytes) -> str:
    """Text between two escapes. A line end returns to ASCII (RFC 1468)."""
    if not run:
        return ""
    if mode[:1] == b"$":
        line, newline, rest = run.partition(b"\n")
        text = _jis_pairs(line, mode)
        return text + (newline + rest).decode("ascii", "replace") if newline else text
    if mode == b"(I":
        return bytes(b | 0x80 if 0x21 <= b <= 0x5F else b for b in run).decode("cp932", "replace")
    if b"\x0e" in run:
        shifted = run.split(b"\x0e")
        text = _eight_bit(shifted[0])
        for each in shifted[1:]:
            kana, _, after = each.partition(b"\x0f")
            text += _jis_run(kana, b"(I") + _eight_bit(after)
        return text
    return _eight_bit(run)


def _eight_bit(run: bytes) -> str:
    return run.decode("ascii") if run.isascii() else _guess(run)[0]


def _jis_pairs(run: bytes, mode: bytes) -> str:
    if mode in (b"$B", b"$@"):
        return _sjis_of_pairs(run).decode("cp932", "replace")
    codec = "iso2022_jp_2004" if mode in (b"$(O", b"$(P", b"$(Q") else "iso2022_jp_2"
    return (b"\x1b" + mode + run[: len(run) // 2 * 2] + b"\x1b(B").decode(codec, "replace")


def _sjis_of_pairs(run: bytes) -> bytes:
    """JIS X 0208 pairs (seven bits) as Shift_JIS, whose vendor codec knows rows 13 and 89 to 92."""
    out = bytearray()
    position, end = 0, len(run)
    while position < end:
        lead = run[position] & 0x7F
        if not 0x21 <= lead <= 0x7E:
            if run[position] < 0x80:
                out.append(run[position])
            position += 1
            continue
        if position + 1 == end:
            break
        trail = run[position + 1] & 0x7F
        if not 0x21 <= trail <= 0x7E:
            position += 1
            continue
        row = ((lead - 0x21) >> 1) + 0x81
        out.append(row if row <= 0x9F else row + 0x40)
        out.append(trail + (0x1F + (trail >= 0x60)) if lead & 1 else trail + 0x7E)
        position += 2
    return bytes(out)


def _decode_euc(data: bytes) -> str | None:
    """EUC-JP with the vendor rows, or None if it is not EUC-JP at all."""
    out: list[str] = []
    position, end = 0, len(data)
    for found in re.finditer(rb"[\xa1-\xfe]{2,}", data):
        begin = found.start()
        run = found.group()
        if begin and data[begin - 1] == 0x8F:  # JIS X 0212: three bytes each
            return None
        if len(run) % 2:
            if found.end() < end:
                return None
            run = run[:-1]
        try:
            out.append(data[position:begin].decode("euc_jp"))
            out.append(_sjis_of_pairs(run).decode("cp932"))
        except UnicodeDecodeError:
            return None
        position = found.end()
    try:
        out.append(data[position:].decode("euc_jp"))
    except UnicodeDecodeError:
        return None
    return "".join(out)


# --- unlabelled bytes -----------------------------------------------------------------------------------------------


def _guess(data: bytes) -> tuple[str, tuple[Problem, ...]]:
    """Text without a usable label: escapes, then UTF-8, then whatever reads most like a language of ours."""
    if b"\x1b" in data and _ESCAPE.search(data):
        return decode_jis(data), ()
    if data.isascii():
        text = _strict(data, "hz") if b"~{" in data and b"~}" in data else None
        return text or data.decode("ascii"), ()
    text = _strict(data, "utf-8")
    if text is not None:
        return _unfold_twice(text), ()
    best, best_score = _best(data[:SAMPLE])
    if best:
        text = _strict(data, best)
        if text is not None and best_score > 0:
            return text, ()
    as_utf8 = data.decode("utf-8", "replace")
    if best and as_utf8.count("\ufffd") * 4 > len(as_utf8):
        return data.decode("euc_jp" if best == "euc" else best, "replace"), ("damaged_text",)
    return as_utf8, ("damaged_text",)


def _best(sample: bytes) -> tuple[str, float]:
    """The codec under which the bytes look most like a language, with its score; `""` where none reads them."""
    best, best_score = "", -10.0
    for codec in _CANDIDATES:
        text = _strict(sample, codec)
        if text is not None and (score := _likeness(text, codec)) > best_score:
            best, best_score = codec, score
    return best, best_score


def _unfold_twice(text: str) -> str:
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
    return _strict(bytes(raw), "utf-8") or text


_CP1252_HIGH = {
    bytes([code]).decode("cp1252"): code for code in range(0x80, 0xA0) if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


def _likeness(text: str, codec: str = "utf-8") -> float:
    """How much the foreign characters of a text look like written Japanese, Chinese or Western text: -3 to 1.

    Kana count for nothing where `codec` is one that Japanese people do not write in.
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
            total += 0.35 if "\uff66" <= before <= "\uff9f" else -0.1
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


# --- header text ----------------------------------------------------------------------------------------------------


def decode_words(text: str) -> str:
    """A header value with its encoded words (RFC 2047) read, also broken ones.

    Words of one charset that follow each other are joined as bytes first: many programs cut inside a character.
    Broken ones are taken as far as they go: blanks inside, no closing `?=`, wrong padding, quotes around.
    """
    if "=?" not in text:
        return text
    out: list[str] = []
    position = 0
    pending, charset = b"", ""
    while True:
        found = _ENCODED_WORD.search(text, position)
        between = text[position : found.start()] if found else text[position:]
        if pending and (found is None or between.strip() or found.group(1).lower() != charset):
            out.append(decode(pending, charset)[0])
            pending = b""
            out.append("" if found and not between.strip() else between)
        elif not pending:
            out.append(between)
        if found is None:
            return "".join(out)
        end = text.find("?=", found.end())
        if end == -1:  # cut off, or no encoded word at all: nothing further can be closed either
            body, position = text[found.end() :], len(text)
        else:
            body, position = text[found.end() : end], end + 2
        charset = found.group(1).lower()
        pending += _word_bytes(body, found.group(2))


def _word_bytes(body: str, encoding: str) -> bytes:
    raw = body.encode("utf-8", "replace")
    if encoding in "bB":
        return unbase64(raw)
    return _Q_ESCAPE.sub(lambda m: bytes((int(m.group(1), 16),)), raw.replace(b"_", b" "))


def unbase64(data: bytes) -> bytes:
    """Base64 read as far as it goes: foreign characters, missing padding and a cut end are no reason to give up."""
    out = []
    inner = data.rstrip(b"=\r\n \t").count(b"=")  # padding inside: several encoded pieces one after the other
    for piece in data.split(b"=") if 0 < inner < 1000 else (data,):
        letters = piece.translate(None, _NOT_BASE64)
        rest = len(letters) % 4
        letters = letters[:-1] if rest == 1 else letters + b"=" * (-rest % 4)
        try:
            out.append(binascii.a2b_base64(letters))
        except binascii.Error:  # cannot be: only the alphabet is left and the length fits
            continue
    return b"".join(out)


def header_text(raw: bytes) -> str:
    """A raw header value as text: unfolded, raw 8-bit and escaped Japanese read, encoded words still in place."""
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    return decode(raw)[0]
