"""Mails as mail programs really write them become Messages; nothing a stranger sends is slow or raises."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.core.mime import combine, header_block, read
from responder.errors import MessageError
from responder.model import Address, Language, Message
from tests.builders import make_message

MAILS = Path(__file__).parent.parent / "mails" / "reading"
NOON = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def mail(name: str) -> bytes:
    return (MAILS / f"{name}.eml").read_bytes()


@dataclass(frozen=True)
class Expected:
    """What one fixture must be read as."""

    new: str
    subject: str = "order"
    sender: str | None = "hanako@mail.example"
    language: Language = "en"
    quoted: str = ""
    attachments: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


FIXTURES = {
    "becky-jis-row13": Expected(
        "㈱みなと雑貨店 御中\n\n①マグカップをキャンセルします。", "Re: 注文①の件", language="ja", quoted="②皿は発送しました"
    ),
    "gmail-alternative-ja": Expected("まだ届きません。確認をお願いします。", "Re: ご注文の確認", language="ja", quoted="発送いたしました"),
    "outlook-html-jis": Expected(
        "お世話になっております。\n返品は可能でしょうか。", "RE: ご注文", language="ja", quoted="キャンセルは発送前に限ります"
    ),
    "qq-gb18030": Expected("请问什么时候发货？", "回复：订单", "wang@mail.example", "zh", "如需取消请告知"),
    "phone-sjis": Expected("注文1042ですがｷｬﾝｾﾙできますか", "ｷｬﾝｾﾙ", "hana..ko.@phone.example", "ja", "ご注文を承りました"),
    "photo-of-damage": Expected(
        "届いた皿が割れていました。写真を付けます。", "割れていました", language="ja",
        attachments=("inline.png", "割れた皿.jpg", "領収書.pdf"),
    ),
    "apple-flowed": Expected(
        "Please cancel the order, I found the same mug in a store near my home.", "Re: Your order", quoted="thank you for your order"
    ),
    "no-mime-utf8": Expected("届いた皿を返品したいです。", "返品したい", language="ja"),
    "forward-attached": Expected(
        "Please see the attached mail.", "Fwd: order", quoted="Message-id: <inner@minato-zakka.example>",
        attachments=("Cancel confirmation",),
    ),
    "hidden-text": Expected("Do you have this mug in blue?", "question"),
    "outlook-en": Expected("It’s fine, no need to cancel – thanks!", "RE: Order 1042", quoted="shall we cancel the order?"),
    "gmail-big5": Expected("請問可以換貨嗎？", "Re: 訂單", "chen@mail.example", "zh", "感謝您的訂購"),
    "euc-called-utf8": Expected(
        "領収書を発行してください。宛名は「株式会社みどり」です。", language="ja", problems=("wrong_charset",)
    ),
    "utf8-called-jis": Expected("住所を変更してください。", "住所変更", language="ja", problems=("wrong_charset",)),
    "boundary-never-closed": Expected("where is my parcel?", attachments=("a.gif",)),
    "boundary-not-named": Expected("first form"),
    "raw-header": Expected("届きません。", "届かない", language="ja"),
    "two-from": Expected("hello there", "hi", None, problems=("two_from",)),
    "address-trick": Expected("hello there", "hi", None, problems=("bad_from",)),
    "empty-plain": Expected("キャンセルできますか", language="ja"),
    "plain-stub": Expected("Can I exchange the mug?"),
    "signed": Expected("invoice please", attachments=("signature.asc",)),
    "encrypted": Expected("", attachments=("", "encrypted.asc"), problems=("encrypted",)),
    "text-as-file": Expected("please refund"),
    "mbox-line": Expected("hello from mbox"),
    "base64-with-footer": Expected(
        "返金してください。\n_______________________________\nlist footer, not encoded!", language="ja"
    ),
    "netease-html": Expected("我要退货，颜色不对。", "Re:订单", "wang@mail.example", "zh", "可以取消订单"),
}  # fmt: skip


@pytest.mark.parametrize("name", FIXTURES)
def test_real_shapes_are_read(name: str) -> None:
    expected = FIXTURES[name]
    message = read(mail(name))
    assert message.new_text == expected.new
    assert message.subject == expected.subject
    assert (message.sender.mail if message.sender else None) == expected.sender
    assert message.language == expected.language
    assert expected.quoted in message.quoted_text
    assert tuple(attachment.name for attachment in message.attachments) == expected.attachments
    assert message.problems == expected.problems


def test_every_fixture_is_expected_to_be_something() -> None:
    assert {path.stem for path in MAILS.glob("*.eml")} == set(FIXTURES)


def test_the_fields_of_an_ordinary_mail() -> None:
    message = read(mail("becky-jis-row13"))
    assert message.sender == Address("田中 花子", "hanako@mail.example")
    assert message.to == (Address("", "shop@minato-zakka.example"),)
    assert message.message_id == "<m1@mail.example>"
    assert message.in_reply_to == ("<s1@minato-zakka.example>",)
    assert message.references == ("<s0@minato-zakka.example>", "<s1@minato-zakka.example>")
    assert message.return_path == "hanako@mail.example"
    assert message.date == NOON
    assert message.header("x-mailer") == "Becky! ver. 2.81"
    assert message.header("Received").endswith("Fri, 20 Nov 2026 12:00:01 +0900")
    assert message.size_bytes == len(mail("becky-jis-row13"))


# --- headers ---------------------------------------------------------------------------------------------------------


def with_header(lines: str, body: str = "hello") -> Message:
    return read(f"From: hanako@mail.example\n{lines}\n\n{body}\n".encode())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Return-Path: <>", ""),
        ("Return-Path:", ""),
        ("Return-Path: <a@x.example>", "a@x.example"),
        ("Return-Path: a@X.example", "a@x.example"),
        ("Return-Path: <MAILER-DAEMON>", "MAILER-DAEMON"),
        ("X-None: 1", None),
    ],
)
def test_the_return_path_tells_null_from_missing(line: str, expected: str | None) -> None:
    assert with_header(line).return_path == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Fri, 20 Nov 2026 12:00:00 +0900", NOON),
        ("20 Nov 2026 03:00:00 GMT", NOON),
        ("Fri, 20 Nov 2026 03:00:00 -0000", NOON),
        ("Fri, 20 Nov 2026 12:00:00 +0900 (JST)", NOON),
        ("Fri, 20 Nov 26 12:00 +0900", NOON),
        ("yesterday", None),
        ("Fri, 99 Nov 2026 99:00:00 +9999", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", None),
        ("", None),
        ("1" * 5000, None),
    ],
)
def test_dates_become_utc_or_nothing(value: str, expected: datetime | None) -> None:
    assert with_header(f"Date: {value}").date == expected


@pytest.mark.parametrize("value", ["no id", "<a b@x>", "<a@x", "<>", "<a@x> <b@x>", "<" + "a" * 300 + "@x>", "<é@x>"])
def test_a_malformed_message_id_is_absent(value: str) -> None:
    assert with_header(f"Message-ID: {value}").message_id is None


def test_long_threads_keep_their_first_and_newest_ids() -> None:
    ids = [f"<{n}@x.example>" for n in range(300)]
    references = with_header("References: " + "\n ".join(ids)).references
    assert references[0] == ids[0]
    assert references[-1] == ids[-1]
    assert len(references) == 100


def test_header_values_hold_no_line_breaks_or_controls() -> None:
    message = with_header("Subject: =?utf-8?q?a=0D=0ABcc:_eve@z.example=00=1B[31m?=\nX-Fold: one\n\ttwo")
    assert message.subject == "a Bcc: eve@z.example[31m"
    assert message.header("x-fold") == "one two"


def test_repeated_headers_keep_their_order() -> None:
    message = with_header("Received: first\nReceived: second")
    assert message.headers["received"] == ("first", "second")


def test_a_sender_needs_exactly_one_mailbox() -> None:
    assert read(b"From: a@x.example, b@x.example\n\nx").sender is None
    assert read(b"From: a@x.example\nFrom: A <a@x.example>\n\nx").sender == Address("A", "a@x.example")
    assert read(b"From: a@x.example\nFrom: A <a@x.example>\n\nx").problems == ("two_from",)
    assert read(b"Subject: x\n\nx").problems == ("no_from",)
    assert read(b"From: Team: a@x.example;\n\nx").problems == ("bad_from",)
    assert "bad_reply_to" in with_header("Reply-To: nobody").problems


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"   ", b"\x00\x01\x02", b"just some words", "こんにちは".encode()])
def test_what_is_no_mail_is_refused(raw: bytes) -> None:
    with pytest.raises(MessageError):
        read(raw)
    assert header_block(raw) == {}


def test_the_header_block_alone_is_the_same() -> None:
    raw = mail("becky-jis-row13")
    assert header_block(raw) == read(raw).headers
    assert header_block(raw.split(b"\r\n\r\n")[0]) == read(raw).headers


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_line_ends_do_not_matter(newline: bytes) -> None:
    raw = mail("qq-gb18030").replace(b"\r\n", newline)
    assert read(raw).new_text == "请问什么时候发货？"


# --- parts -----------------------------------------------------------------------------------------------------------


def multipart(kind: str, *parts: str, boundary: str = "b") -> bytes:
    body = "".join(f"--{boundary}\n{part}\n" for part in parts)
    return (
        f'From: a@x.example\nContent-Type: multipart/{kind}; boundary="{boundary}"\n\n{body}--{boundary}--\n'.encode()
    )


PLAIN = "Content-Type: text/plain; charset=utf-8\n\nplain text"
HTML = "Content-Type: text/html; charset=utf-8\n\n<p>html text</p>"
PICTURE = "Content-Type: image/png; name=p.png\nContent-Transfer-Encoding: base64\n\nAAAA"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (multipart("alternative", PLAIN, HTML), "plain text"),
        (multipart("alternative", HTML, PLAIN), "plain text"),
        (multipart("alternative", HTML), "html text"),
        (multipart("alternative", "Content-Type: text/plain\n\n \u00a0 ", HTML), "html text"),
        (multipart("alternative", PICTURE, HTML), "html text"),
        (multipart("mixed", PLAIN, PICTURE), "plain text"),
        (multipart("mixed", PICTURE, PLAIN), "plain text"),
        (multipart("mixed", PLAIN, PLAIN), "plain text\nplain text"),
        (multipart("mixed", PLAIN, "Content-Type: text/plain; name=notes.txt\n\nnotes"), "plain text"),
        (multipart("mixed", PLAIN, "Content-Disposition: attachment\n\nattached"), "plain text"),
        (multipart("related", HTML, PICTURE), "html text"),
        (multipart("signed", PLAIN, "Content-Type: application/pgp-signature\n\nx"), "plain text"),
        (multipart("x-unknown", PLAIN), "plain text"),
        (multipart("mixed", "\nno header at all"), "no header at all"),
        (multipart("mixed", PLAIN, "Content-Type: text/calendar\n\nBEGIN:VCALENDAR"), "plain text"),
        (multipart("mixed", PLAIN, "Content-Type: message/rfc822\n\nFrom: x\n\nforwarded words"), "plain text"),
        (multipart("mixed", PLAIN, boundary="a b'()+_,-./:=?"), "plain text"),
        (b"From: a@x.example\nContent-Type: text/html\n\n<p>html", "html"),
        (b"From: a@x.example\nContent-Type: nonsense\n\ntext", "text"),
        (b"From: a@x.example\nContent-Type: text\n\ntext", "text"),
        (b"From: a@x.example\nContent-Type: text/plain; charset\n\ntext", "text"),
        (b"From: a@x.example\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\nThis is no base64, is it?", "This is no base64, is it?"),
        (b"From: a@x.example\nContent-Type: text/plain\nContent-Transfer-Encoding: nonsense\n\ntext", "text"),
        (b"From: a@x.example\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\na=3Db =\nc=ZZ =", "a=b c=ZZ"),
        (b"From: a@x.example\nContent-Type: multipart/mixed; boundary=never\n\nno boundary here", "no boundary here"),
        (b"From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\ninner\n--b\n\nouter", "inner\nouter"),
        (b"From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n--bb\n\nx\n--b\n\nreal\n--b--\nepilogue", "real"),
        (b"From: a@x.example\nContent-Type: text/plain; charset=utf-8\n\n<html><body><p>called plain</p></body></html>", "called plain"),
        (b"From: a@x.example\nContent-Type: text/html\n\n<meta charset=shift_jis><p>" + "返品".encode("cp932"), "返品"),
        (b"From: a@x.example\n\nnul\x00 and \x1b[31m escape", "nul and [31m escape"),
        (b"From: a@x.example\r\rold line ends\rtwo", "old line ends\ntwo"),
    ],
)  # fmt: skip
def test_the_text_is_found(raw: bytes, text: str) -> None:
    assert read(raw).text.strip() == text


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('Content-Disposition: attachment; filename="a.jpg"', "a.jpg"),
        ("Content-Disposition: attachment; filename=a.jpg", "a.jpg"),
        ("Content-Disposition: attachment; filename*=UTF-8''%E5%86%99%E7%9C%9F.jpg", "写真.jpg"),
        ("Content-Disposition: attachment; filename*=iso-2022-jp'ja'%1B$B%3CL%3F%3F%1B(B.jpg", "写真.jpg"),
        ("Content-Disposition: attachment; filename*0=a; filename*1=b; filename*2=.jpg", "ab.jpg"),
        ("Content-Disposition: attachment; filename*1=b.jpg; filename*0=a", "ab.jpg"),
        ("Content-Disposition: attachment; filename*0*=UTF-8''%E5%86; filename*1*=%99%E7%9C%9F.jpg", "写真.jpg"),
        ('Content-Disposition: attachment; filename="=?UTF-8?B?5YaZ55yfLmpwZw==?="', "写真.jpg"),
        ('Content-Disposition: attachment; filename="写真.jpg"', "写真.jpg"),
        ('Content-Disposition: attachment; filename="a \\"b\\".jpg"', 'a "b".jpg'),
        ('Content-Disposition: attachment; filename="../../etc/passwd"', "passwd"),
        ('Content-Disposition: attachment; filename="C:\\\\x\\\\a.jpg"', "a.jpg"),
        ('Content-Disposition: attachment; filename="a\u202egpj.exe"', "agpj.exe"),
        ('Content-Disposition: attachment; filename="open', '"open'.strip('"')),
        ("Content-Disposition: attachment; x; ;; filename=a.jpg", "a.jpg"),
        ("Content-Disposition: attachment", ""),
    ],
)
def test_attachment_names_are_read_for_display_only(header: str, name: str) -> None:
    raw = multipart("mixed", PLAIN, f"Content-Type: image/jpeg\n{header}\n\nxx")
    attachments = read(raw).attachments
    assert [attachment.content_type for attachment in attachments] == ["image/jpeg"]
    assert attachments[0].name in (name, "")
    assert attachments[0].name == name or name == "open"


def test_attachment_sizes_are_those_of_the_file() -> None:
    data = base64.encodebytes(b"x" * 10_000).decode()
    raw = multipart("mixed", PLAIN, f"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n{data}")
    assert abs(read(raw).attachments[0].size_bytes - 10_000) < 20


FLOWED = [
    ("one \ntwo\nthree", "no", "one two\nthree"),
    ("one \ntwo", "yes", "onetwo"),
    ("> quoted \n> line\nnew \ntext", "no", "> quoted line\nnew text"),
    ("> a \n>> b", "no", "> a\n>> b"),
    (" stuffed\n From here", "no", "stuffed\nFrom here"),
    ("text \n-- \nsignature", "no", "text\n-- \nsignature"),
    ("キャン \nセル", "yes", "キャンセル"),
]


@pytest.mark.parametrize(("body", "delsp", "text"), FLOWED)
def test_flowed_paragraphs_are_one_line(body: str, delsp: str, text: str) -> None:
    raw = f"From: a@x.example\nContent-Type: text/plain; charset=utf-8; format=flowed; delsp={delsp}\n\n{body}"
    assert [line.rstrip() for line in read(raw.encode()).text.split("\n")] == [
        line.rstrip() for line in text.split("\n")
    ]


# --- cut mails -------------------------------------------------------------------------------------------------------


def test_a_cut_text_is_a_problem_but_a_cut_attachment_is_none() -> None:
    data = base64.encodebytes(b"x" * 10_000).decode()
    whole = multipart("mixed", PLAIN, f"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n{data}")
    assert read(whole[:2_000], size_bytes=len(whole)).problems == ()
    assert read(whole[:2_000], size_bytes=len(whole)).text == "plain text"
    assert read(whole[:2_000], size_bytes=len(whole)).size_bytes == len(whole)
    long = b"From: a@x.example\n\n" + b"word " * 1_000
    assert read(long[:500], size_bytes=len(long)).problems == ("truncated",)
    assert read(long).problems == ()
    both = multipart("alternative", PLAIN, HTML + "y" * 5_000)
    assert read(both[:400], size_bytes=len(both)).problems == ()


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [("base64", "utf-8"), ("base64", "iso2022_jp"), ("8bit", "cp932"), ("8bit", "euc_jp"), ("8bit", "gb18030")],
)
def test_cut_text_is_read_up_to_the_cut(encoding: str, codec: str) -> None:
    text = "注文取消。" * 50
    charset = {"cp932": "shift_jis", "euc_jp": "euc-jp", "iso2022_jp": "iso-2022-jp"}.get(codec, codec)
    body = base64.encodebytes(text.encode(codec)) if encoding == "base64" else text.encode(codec)
    head = f"From: a@x.example\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n".encode()
    for cut in range(len(body) - 12, len(body) - 1):
        message = read(head + body[:cut], size_bytes=len(head) + len(body))
        assert text.startswith(message.text)
        assert len(message.text) > len(text) - 14
        assert message.problems == ("truncated",)


@pytest.mark.parametrize("name", FIXTURES)
def test_a_mail_cut_anywhere_is_read(name: str) -> None:
    raw = mail(name)
    for cut in range(0, len(raw), 37):
        try:
            read(raw[:cut], size_bytes=len(raw))
        except MessageError:
            assert cut < 120


# --- sameness --------------------------------------------------------------------------------------------------------


def test_the_same_mail_has_the_same_hash_whatever_way_it_came() -> None:
    raw = mail("gmail-alternative-ja")
    other_way = b"Received: from elsewhere\r\nX-Spam-Score: 1\r\n" + raw.replace(
        b"mx.minato-zakka.example;", b"mx2.minato-zakka.example;"
    )
    assert read(raw).content_sha256 == read(other_way).content_sha256
    assert read(raw).content_sha256 == read(raw.replace(b"\r\n", b"\n")).content_sha256
    assert read(raw).content_sha256 != read(raw.replace(b"<m1@", b"<m2@")).content_sha256
    long = b"From: a@x.example\nMessage-ID: <a@x>\n\n" + b"word word word\n" * 10_000
    assert read(long).content_sha256 == read(long[:65_536], size_bytes=len(long)).content_sha256


def test_several_mails_become_one() -> None:
    first = make_message(
        "キャンセルしてください。",
        text="キャンセルしてください。\n署名",
        problems=("wrong_charset",),
        form={"order_id": "1042"},
    )
    second = make_message("", text="", message_id="<buyer-2@mail.example>")
    third = make_message(
        "やっぱり急いでいます。", text="やっぱり急いでいます。", message_id="<buyer-3@mail.example>", subject="追伸"
    )
    one = combine([first, second, third])
    assert one.new_text == "キャンセルしてください。\n\nやっぱり急いでいます。"
    assert one.message_id == "<buyer-3@mail.example>"
    assert one.subject == "追伸"
    assert one.problems == ("wrong_charset",)
    assert one.form == {"order_id": "1042"}
    assert combine([first]) is first
    with pytest.raises(ValueError, match="nothing"):
        combine([])


# --- hostile mails ---------------------------------------------------------------------------------------------------

HEAD = b"From: a@x.example\n"
NASTY = {
    "levels": HEAD
    + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(10_000)),
    "levels of one boundary": HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 20_000,
    "forwards in forwards": HEAD + b"Content-Type: message/rfc822\n\n" * 20_000,
    "alternatives in alternatives": HEAD
    + b"".join(b"Content-Type: multipart/alternative; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(60)),
    "parts": HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
    "near boundaries": HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n" + b"--bb\n" * 200_000,
    "guessed boundaries": HEAD + b"Content-Type: multipart/mixed\n\n" + b"--" * 400_000,
    "headers": b"A: b\n" * 200_000,
    "one long header": b"From: " + b"a" * 2_000_000 + b"\n\nx",
    "one long fold": b"Subject: a\n" + b" b\n" * 300_000 + b"\nx",
    "junk lines": HEAD + b"junk line\nA: b\n" * 100_000,
    "subject of words": b"Subject: " + b"=?utf-8?q?a?= " * 18_000 + b"\n\nx",
    "open words": b"Subject: " + b"=?utf-8?q?a" * 20_000 + b"\n\nx",
    "mailboxes": b"From: " + b"b," * 120_000 + b"\n\nx",
    "comments": b"From: " + b"( ) " * 60_000 + b"a@b\n\nx",
    "quotes": b"From: " + b'"\\' * 120_000 + b"\n\nx",
    "parameters": HEAD + b"Content-Type: text/plain" + b';a="' * 60_000 + b"\n\nx",
    "sections": HEAD + b"Content-Type: text/plain" + b";a*0*=x" * 30_000 + b"\n\nx",
    "ids": HEAD + b"References: " + b"<a@b> " * 40_000 + b"\n\nx",
    "broken ids": HEAD + b"References: " + b"<" * 200_000 + b"\n\nx",
    "one line": HEAD + b"\n" + b"x" * 10_000_000,
    "blank lines": b"\n" * 5_000_000 + HEAD + b"\nx",
    "escapes": HEAD + b"\n" + b"\x1b$B" * 300_000,
    "escapes and more": HEAD + b"\n" + b"\x1b$B!!" * 200_000 + b"\xff",
    "eight bits": HEAD + b"\n" + bytes(range(128, 256)) * 8_000,
    "base64 of nothing": HEAD + b"Content-Transfer-Encoding: base64\n\n" + b"A=" * 1_000_000,
    "soft breaks": HEAD + b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=\n" * 1_000_000,
    "flowed": HEAD + b"Content-Type: text/plain; format=flowed\n\n" + b"> a \n" * 200_000,
    "nested tags": HEAD + b"Content-Type: text/html\n\n" + b"<div>" * 200_000,
    "tags": HEAD + b"Content-Type: text/html\n\n" + b'<a b="c">x' * 100_000,
    "quoted tags": HEAD + b"Content-Type: text/html\n\n" + b"<blockquote>x</blockquote>y" * 13_000,
    "big attachment": multipart("mixed", PLAIN, PICTURE + "A" * 20_000_000),
    "labels": HEAD + b"\n" + b"From: a\n\nDate: b\n" * 60_000,
    "addresses": HEAD + b"\n" + (b"a." * 199 + b"@:\n") * 2_500,
}


@pytest.mark.parametrize("raw", NASTY.values(), ids=NASTY)
def test_hostile_mails_are_read_in_bounded_time(raw: bytes) -> None:
    begin = time.process_time()
    message = read(raw)
    header_block(raw)
    assert time.process_time() - begin < 2
    assert len(message.text) <= 1_000_000


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("levels", "too_deep"),
        ("parts", "too_many_parts"),
        ("headers", "too_many_headers"),
        ("one line", "text_too_long"),
        ("nested tags", "html_too_deep"),
        ("eight bits", "damaged_text"),
    ],
)
def test_what_lies_beyond_a_cap_is_named(name: str, problem: str) -> None:
    assert problem in read(NASTY[name]).problems


PIECES = st.sampled_from([
    b"From: a@x.example\n", b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: multipart/alternative; boundary=b\n", b"\n", b"\r\n",
    b"--b\n", b"--b--\n", b"Content-Type: text/html\n", b"Content-Type: text/plain; charset=iso-2022-jp\n", b"Content-Transfer-Encoding: base64\n",
    b"Content-Type: message/rfc822\n", b"Content-Disposition: attachment; filename*0*=utf-8''%E5\n", b"Subject: =?utf-8?b?5rOo\n", b"\x1b$B", b"\xe3\x81",
    b"<div>", b"> ", b"Message-ID: <a@b>\n", b"Date: Fri, 99 Nov 2026\n", b"Content-Type: text/plain; format=flowed; delsp=yes\n", b"=?", b"=\n", b"\x00",
])  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.binary(max_size=30)), max_size=40))
@settings(max_examples=600, deadline=None)
def test_no_mail_raises_anything_but_message_error(pieces: list[bytes]) -> None:
    raw = b"".join(pieces)
    header_block(raw)
    try:
        message = read(raw, size_bytes=len(raw) + 1)
    except MessageError:
        return
    message.text.encode("utf-8")
    assert "\n" not in message.subject


@given(st.sampled_from(sorted(FIXTURES)), st.integers(0, 4000), st.binary(max_size=6), st.integers(0, 10))
@settings(max_examples=400, deadline=None)
def test_damaged_mails_are_read(name: str, at: int, noise: bytes, lost: int) -> None:
    raw = mail(name)
    at = min(at, len(raw))
    try:
        read(raw[:at] + noise + raw[at + lost :])
    except MessageError:
        assert at < 200


@pytest.mark.parametrize(("subject", "language"), [("訂單請取消", "zh"), ("取消希望です", "ja"), ("cancel", "ja")])
def test_a_body_without_a_language_is_in_that_of_its_subject(subject: str, language: Language) -> None:
    raw = f"From: a@mail.example\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n如題\n".encode()
    assert read(raw).language == language


def test_a_bare_order_number_leaves_the_language_to_the_subject() -> None:
    mail = "From: a@buyer.example\r\nSubject: 訂單寄出了嗎\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n6140\r\n"
    assert read(mail.encode(), default_language="ja").language == "zh"
