"""Text comes back whole from every way mail programs put Japanese, Chinese and Western text into bytes."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.core.charsets import codec_for, decode, decode_words, header_text, unbase64

CANCEL = "注文をキャンセルしたいです。"


def jis(text: str) -> bytes:
    """ISO-2022-JP as mail programs write it: NEC row 13 in the two-byte set, half-width kana by `ESC ( I`."""
    out, mode = b"", b"(B"
    for character in text:
        data = character.encode("cp932")
        if len(data) == 2:
            lead, trail = data[0] - (0xC1 if data[0] >= 0xE0 else 0x81), data[1]
            row = lead * 2 + 0x21 + (trail >= 0x9F)
            cell = trail - 0x7E if trail >= 0x9F else trail - 0x1F - (trail >= 0x80)
            data, wanted = bytes((row, cell)), b"$B"
        elif data[0] >= 0xA0:
            data, wanted = bytes((data[0] - 0x80,)), b"(I"
        else:
            wanted = b"(B"
        if wanted != mode:
            out, mode = out + b"\x1b" + wanted, wanted
        out += data
    return out if mode == b"(B" else out + b"\x1b(B"


def euc_with_row_13(text: str) -> bytes:
    """EUC-JP with the vendor's row 13, which Python's codec does not write."""
    return b"".join(bytes(b | 0x80 for b in jis(c)[3:5]) if c in "①㈱№" else c.encode("euc_jp") for c in text)


LABELLED = [
    (CANCEL.encode("iso2022_jp"), "ISO-2022-JP", CANCEL),
    (CANCEL.encode("iso2022_jp"), '"iso-2022-jp"', CANCEL),
    (jis("①㈱みなと№"), "iso-2022-jp", "①㈱みなと№"),
    (jis("髙橋﨑"), "iso-2022-jp", "髙橋﨑"),
    (jis("ｷｬﾝｾﾙ ｵﾈｶﾞｲｼﾏｽ"), "iso-2022-jp", "ｷｬﾝｾﾙ ｵﾈｶﾞｲｼﾏｽ"),
    (b"\x0e7,]\x0f abc", "iso-2022-jp", "ｷｬﾝ abc"),
    (CANCEL.encode("iso2022_jp_ext"), "iso-2022-jp-ext", CANCEL),
    ("丂丄".encode("iso2022_jp_1"), "iso-2022-jp-1", "丂丄"),
    (CANCEL.encode("cp932"), "Shift_JIS", CANCEL),
    ("①㈱髙﨑～".encode("cp932"), "shift_jis", "①㈱髙﨑～"),
    ("①".encode("cp932"), "x-sjis", "①"),
    (CANCEL.encode("cp932"), "windows-31j", CANCEL),
    ("ｷｬﾝｾﾙ".encode("cp932"), "shift-jis", "ｷｬﾝｾﾙ"),
    (CANCEL.encode("euc_jp"), "EUC-JP", CANCEL),
    (euc_with_row_13("①㈱みなと雑貨店"), "euc-jp", "①㈱みなと雑貨店"),
    ("ｷｬﾝｾﾙ".encode("euc_jp"), "euc-jp", "ｷｬﾝｾﾙ"),
    ("我想取消订单".encode("gb2312"), "GB2312", "我想取消订单"),
    ("我想取消訂單，朱镕基".encode("gbk"), "gb2312", "我想取消訂單，朱镕基"),
    ("取消订单€".encode("gb18030"), "gbk", "取消订单€"),
    ("𠮷野家の注文".encode("gb18030"), "gb18030", "𠮷野家の注文"),
    (b"~{VPND~}", "hz-gb-2312", "中文"),
    ("我想取消訂單，謝謝".encode("big5"), "Big5", "我想取消訂單，謝謝"),
    ("喺邊度".encode("big5hkscs"), "big5", "喺邊度"),
    (CANCEL.encode(), "utf-8", CANCEL),
    (CANCEL.encode(), "UTF8", CANCEL),
    (CANCEL.encode("utf-8-sig"), "utf-8", CANCEL),
    (CANCEL.encode("utf-16"), "utf-16", CANCEL),
    (CANCEL.encode("utf-7"), "utf-7", CANCEL),
    ("café – déjà".encode("cp1252"), "iso-8859-1", "café – déjà"),
    ("žluťoučký".encode("iso8859_2"), "iso-8859-2", "žluťoučký"),
    ("주문 취소".encode("cp949"), "ks_c_5601-1987", "주문 취소"),
    (b"plain", "us-ascii", "plain"),
    (b"plain", None, "plain"),
    (b"a+b & c~d", "utf-8", "a+b & c~d"),
]


@pytest.mark.parametrize(("data", "label", "text"), LABELLED)
def test_labelled_text_is_read(data: bytes, label: str | None, text: str) -> None:
    assert decode(data, label) == (text, ())


MISLABELLED = [
    # Unlabelled eight bits.
    (CANCEL.encode(), None, CANCEL),
    (CANCEL.encode(), "us-ascii", CANCEL),
    (CANCEL.encode("cp932"), None, CANCEL),
    (CANCEL.encode("cp932"), "us-ascii", CANCEL),
    (CANCEL.encode("euc_jp"), "", CANCEL),
    (CANCEL.encode("iso2022_jp"), None, CANCEL),
    ("返品希望".encode("cp932"), None, "返品希望"),
    ("返品希望".encode("euc_jp"), None, "返品希望"),
    ("届きません".encode("cp932"), "x-unknown", "届きません"),
    ("ご注文 1042 をキャンセル".encode("cp932"), None, "ご注文 1042 をキャンセル"),
    ("我想取消订单，谢谢".encode("gbk"), None, "我想取消订单，谢谢"),
    ("我想取消訂單，謝謝".encode("big5"), None, "我想取消訂單，謝謝"),
    ("请问什么时候发货？".encode("gbk"), None, "请问什么时候发货？"),
    ("请问什么时候发货？".encode(), None, "请问什么时候发货？"),
    ("I paid €20 – it’s café".encode("cp1252"), None, "I paid €20 – it’s café"),
    # A label that cannot be true.
    (CANCEL.encode(), "iso-2022-jp", CANCEL),
    (CANCEL.encode(), "shift_jis", CANCEL),
    (CANCEL.encode(), "euc-jp", CANCEL),
    (CANCEL.encode(), "gb2312", CANCEL),
    (CANCEL.encode(), "big5", CANCEL),
    (CANCEL.encode(), "iso-8859-1", CANCEL),
    (CANCEL.encode(), "windows-1252", CANCEL),
    (CANCEL.encode("cp932"), "utf-8", CANCEL),
    (CANCEL.encode("cp932"), "iso-2022-jp", CANCEL),
    (CANCEL.encode("cp932"), "iso-8859-1", CANCEL),
    (CANCEL.encode("cp932"), "euc-jp", CANCEL),
    (CANCEL.encode("euc_jp"), "shift_jis", CANCEL),
    (CANCEL.encode("euc_jp"), "utf-8", CANCEL),
    (CANCEL.encode("iso2022_jp"), "utf-8", CANCEL),
    (CANCEL.encode("iso2022_jp"), "shift_jis", CANCEL),
    (CANCEL.encode("iso2022_jp"), "us-ascii", CANCEL),
    ("我想取消订单，谢谢".encode("gbk"), "utf-8", "我想取消订单，谢谢"),
    ("我想取消订单，谢谢".encode("gbk"), "iso-8859-1", "我想取消订单，谢谢"),
    ("我想取消订单，谢谢".encode("gbk"), "us-ascii", "我想取消订单，谢谢"),
    ("我想取消订单，谢谢".encode(), "gb2312", "我想取消订单，谢谢"),
    ("我想取消訂單，謝謝".encode("big5"), "utf-8", "我想取消訂單，謝謝"),
    ("我想取消訂單，謝謝".encode(), "big5", "我想取消訂單，謝謝"),
    # Made UTF-8 twice.
    (CANCEL.encode().decode("latin-1").encode(), "utf-8", CANCEL),
    ("注文を取消".encode().decode("cp1252", "ignore").encode(), "utf-8", None),
    # Nobody knows the label.
    (CANCEL.encode(), "x-no-such-charset", CANCEL),
    (CANCEL.encode(), "zlib_codec", CANCEL),
    (CANCEL.encode(), "punycode", CANCEL),
    (b"abc", "unicode_escape", "abc"),
    # Eight bits between escapes; an escape lost on the way.
    (b"abc \x83L\x83\x83 \x1b$B%-%c\x1b(B", "iso-2022-jp", "abc キャ キャ"),
    (b"$B%-%c%s%;%k(B please", "iso-2022-jp", "キャンセル please"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "label", "text"), MISLABELLED)
def test_mislabelled_text_is_repaired(data: bytes, label: str | None, text: str | None) -> None:
    read, _ = decode(data, label)
    if text is not None:
        assert read == text


def test_problems_name_what_was_wrong() -> None:
    assert decode(CANCEL.encode(), "x-no-such")[1] == ("unknown_charset",)
    assert decode(CANCEL.encode("cp932"), "utf-8")[1] == ("wrong_charset",)
    assert "damaged_text" in decode(b"\xff\xff \x81 \xff \x00\xff" * 3, "utf-8")[1]


@pytest.mark.parametrize("codec", ["utf-8", "cp932", "euc_jp", "gb18030", "big5", "iso2022_jp"])
def test_a_character_cut_at_the_end_is_left_out(codec: str) -> None:
    text = "注文をキャンセル" if codec not in ("gb18030", "big5") else "取消訂單好"
    whole = text.encode(codec)
    label = {"cp932": "shift_jis", "euc_jp": "euc-jp", "iso2022_jp": "iso-2022-jp"}.get(codec, codec)
    for cut in range(len(whole) - 3, len(whole)):
        read, problems = decode(whole[:cut], label)
        assert text.startswith(read.rstrip("\ufffd"))
        assert len(read) >= len(text) - 3
        assert "wrong_charset" not in problems


def test_dangerous_codecs_are_never_used() -> None:
    for label in (
        "zlib_codec",
        "bz2",
        "rot13",
        "punycode",
        "idna",
        "unicode_escape",
        "undefined",
        "../x",
        "utf_8.evil",
        "x" * 5000,
    ):
        assert codec_for(label) == ("", False)


WORDS = [
    ("plain", "plain"),
    ("=?UTF-8?B?5rOo5paH?=", "注文"),
    ("=?utf-8?q?caf=C3=A9_au_lait?=", "café au lait"),
    ("=?UTF-8?B?5rOo?= =?UTF-8?B?5paH?=", "注文"),
    ("=?UTF-8?B?5rOo5g==?= =?UTF-8?B?lofjgpI=?=", "注文を"),  # cut inside a character
    ("=?UTF-8?B?5rOo?=\n =?UTF-8?B?5paH?=", "注文"),
    ("Re: =?UTF-8?B?5rOo5paH?= 1042", "Re: 注文 1042"),
    ("=?UTF-8?B?5rOo5paH?=1042", "注文1042"),
    ("=?utf-8*ja?B?5rOo5paH?=", "注文"),
    ("=?UTF-8?B?5rOo5paH", "注文"),  # never closed
    ("=?UTF-8?B?5rOo5paH5?=", "注文"),  # a letter too many
    ("=?UTF-8?B?44Gk44GE44Gm?= =?ISO-2022-JP?B?GyRCQ21KOBsoQg==?=", "ついて注文"),
    ("=?ISO-2022-JP?B?GyRCLSEtahsoQg==?=", "①㈱"),
    ("=?shift_jis?B?h0A=?=", "①"),
    ("=?gb2312?B?yKHP+7aptaU=?=", "取消订单"),
    ("=?utf-8?Q?Where is it??=", "Where is it?"),
    ("=?utf-8?Q?with spaces inside?=", "with spaces inside"),
    ("=?utf-8?Q?bad=ZZescape?=", "bad=ZZescape"),
    ("=?utf-8?Q??=", ""),
    ("=?x-unknown?B?5rOo5paH?=", "注文"),
    ("=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
    ("a =? b ?= c", "a =? b ?= c"),
    ("=?utf-8?B?!!!!?=", ""),
    ('"=?UTF-8?B?5rOo5paH?="', '"注文"'),
]


@pytest.mark.parametrize(("raw", "text"), WORDS)
def test_encoded_words_are_read_even_broken_ones(raw: str, text: str) -> None:
    assert decode_words(raw) == text


def test_raw_eight_bit_and_escaped_headers_are_read() -> None:
    assert header_text("注文について".encode()) == "注文について"
    assert header_text("注文について".encode("cp932")) == "注文について"
    assert header_text("注文について".encode("iso2022_jp")) == "注文について"
    assert header_text(b"plain") == "plain"


def test_base64_is_read_as_far_as_it_goes() -> None:
    data = base64.encodebytes(b"hello world, this is text")
    assert unbase64(data) == b"hello world, this is text"
    assert unbase64(data[:-6]).startswith(b"hello world, this")
    assert unbase64(b"aGVs bG8=") == b"hello"
    assert unbase64(base64.b64encode(b"a") + base64.b64encode(b"b")) == b"ab"
    assert unbase64(b"====") == b""
    assert unbase64(b"") == b""


@given(
    st.binary(max_size=400),
    st.sampled_from(
        [
            "",
            "utf-8",
            "iso-2022-jp",
            "shift_jis",
            "euc-jp",
            "gb2312",
            "big5",
            "hz",
            "utf-7",
            "utf-16",
            "iso-8859-1",
            "x",
        ]
    ),
)
@settings(max_examples=400, deadline=None)
def test_no_bytes_raise(data: bytes, label: str) -> None:
    text, _ = decode(data, label)
    assert isinstance(text, str)


JAPANESE = st.text(
    st.sampled_from(
        "注文届返品発送交換商品金額あいうえおかきくけこをはがのですますアイウエオキャンセル。、「」（）１２３abc 123\n"
    ),
    max_size=80,
)


@given(
    JAPANESE,
    st.sampled_from([("iso2022_jp", "iso-2022-jp"), ("cp932", "shift_jis"), ("euc_jp", "euc-jp"), ("utf-8", "utf-8")]),
)
@settings(max_examples=300, deadline=None)
def test_japanese_survives_under_its_label(text: str, pair: tuple[str, str]) -> None:
    assert decode(text.encode(pair[0]), pair[1])[0] == text


@given(st.text(max_size=120))
@settings(max_examples=300, deadline=None)
def test_header_words_never_raise(text: str) -> None:
    decode_words(text + "=?utf-8?q?" + text)


@pytest.mark.parametrize(
    "data",
    [
        b"\x1b$B" * 300_000,
        b"\x1b$B!!" * 200_000 + b"\xff",
        bytes(range(128, 256)) * 8_000,
        b"~{" * 400_000,
        b"\x0e" * 900_000,
    ],
)
def test_hostile_bytes_are_read_in_bounded_time(data: bytes) -> None:
    begin = time.process_time()
    decode(data, "iso-2022-jp")
    decode(data, None)
    assert time.process_time() - begin < 2
