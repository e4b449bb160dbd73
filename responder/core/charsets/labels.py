"""Bytes under their label, where that can be true; else what the bytes themselves say."""

from __future__ import annotations

import codecs
import re
from encodings.aliases import aliases

from responder.core.charsets.guessing import SAMPLE, Problem, best, guess, likeness, strict, unfold_twice
from responder.core.charsets.japanese import ESCAPE, decode_jis

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
_EIGHT_BIT = re.compile(rb"[\x80-\xff]")
_LOST_ESCAPE = re.compile(rb"\$[@B]((?:[\x21-\x7e]{2}){2,200}?)\([BJ]")


def decode(data: bytes, label: str | None = None) -> tuple[str, tuple[Problem, ...]]:
    """The text of these bytes and what was wrong with them.

    A character cut in two at the very end is left out silently: the bytes may be the first part of a larger mail.
    `label` is the charset as the mail names it, None or empty where it names none.
    """
    if b"\x1b" not in data and data.isascii() and b"~{" not in data:
        return _seven_bit(data, label)
    for mark, of_mark in _MARKS:
        if data.startswith(mark):
            marked = strict(data, of_mark)
            return (marked, ()) if marked is not None else (data.decode(of_mark, "replace"), ("damaged_text",))
    codec, known = codec_for(label)
    problems: tuple[Problem, ...] = () if known else ("unknown_charset",)
    if codec == "" or (codec != "jis" and b"\x1b" in data and ESCAPE.search(data) and data.isascii()):
        text, guessed = guess(data)
        return text, problems + guessed
    labelled = _labelled(data, codec)
    if labelled is not None:
        return labelled, problems
    text, guessed = guess(data)
    if codec in ("utf-8", "jis", "cp932", "gb18030") and "damaged_text" in guessed:
        return data.decode("cp932" if codec == "jis" else codec, "replace"), (*problems, "damaged_text")
    return text, (*problems, "wrong_charset", *guessed)


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
        text = strict(data, codec)
        if text is not None and (codec == "utf-7" or b"\0" in data):
            return text, problems
    if codec == "jis" and _LOST_ESCAPE.search(data):
        restored = _LOST_ESCAPE.sub(lambda found: b"\x1b$B" + found.group(1) + b"\x1b(B", data)
        return decode_jis(restored), ("damaged_text",)
    if codec == "jis" and (b"\x0e" in data):
        return decode_jis(data), problems
    return data.decode("ascii"), problems


def _labelled(data: bytes, codec: str) -> str | None:
    """The text under its label, or None where the label cannot be true."""
    if codec == "jis":
        if _EIGHT_BIT.search(data) and not ESCAPE.search(data):
            return None
        return decode_jis(data)
    if codec == "utf-8":
        text = strict(data, "utf-8")
        if text is None:
            loose = data.decode("utf-8", "replace")
            lost = loose.count("\ufffd")
            return loose if lost * 20 <= sum(c > "\x7f" for c in loose[:SAMPLE]) else None
        return unfold_twice(text)
    if codec == "hz":
        return strict(data, "hz")
    text = strict(data, codec)
    if text is None and codec == "cp950":
        text = strict(data, "big5hkscs")
    if text is None or data.isascii():
        return text
    score = likeness(text[:SAMPLE], is_labelled=True)
    as_utf8 = strict(data, "utf-8")
    if as_utf8 is not None and likeness(as_utf8[:SAMPLE]) >= score:
        return unfold_twice(as_utf8)
    if score < 0.75:  # readable under the label, but hardly like a language: perhaps the bytes know better
        other, better = best(data[:SAMPLE])
        if better > score + 0.25:
            return strict(data, other) or text
    return text
