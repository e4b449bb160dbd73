"""What leaves: only white-listed fields, the body as staff left it, bytes that no server can misread."""

from __future__ import annotations

import email
import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import Message as Parsed
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.core.compose import outgoing, same_text, text_of
from responder.core.outgoing import seven_bit, text_key
from responder.errors import MessageError
from responder.model import Address
from tests.builders import SHOP

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
BUYER = Address("田中 花子", "hanako@mail.example")
OURS = "<sent-1@minato-zakka.example>"
TEXT = "田中 花子 様\r\n\r\nご注文のキャンセルを承りました。\r\n\r\nみなと雑貨店\r\n"


def draft(head: str = "", body: bytes | None = None, kind: str = "text/plain; charset=utf-8") -> bytes:
    lines = [
        "From: =?utf-8?b?44G/44Gq44Go6ZuR6LKo5bqX?= <shop@minato-zakka.example>",
        "To: hanako@mail.example",
        "Subject: =?utf-8?b?44GU5rOo5paH?=",
        f"Content-Type: {kind}",
        "Content-Transfer-Encoding: 8bit",
        *([head] if head else []),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (TEXT.encode() if body is None else body)


def leave(raw: bytes, **changes: object) -> bytes:
    values: dict[str, object] = {
        "identity": SHOP,
        "recipients": (BUYER,),
        "message_id": OURS,
        "in_reply_to": "<buyer-1@mail.example>",
        "references": ("<root@mail.example>",),
        "now": NOW,
    }
    values.update(changes)
    return outgoing(raw, **values)


def parsed(raw: bytes) -> Parsed:
    return email.message_from_bytes(raw)


def leaves(raw: bytes) -> list[Parsed]:
    return [part for part in parsed(raw).walk() if not part.is_multipart()]


PRIVATE = "\r\n".join(
    [
        "X-Responder-Case: tok",
        "X-Mozilla-Draft-Info: internal/draft; vcard=0; receipt=0",
        "X-Identity-Key: id1",
        "X-Account-Key: account1",
        "Fcc: imap://shop@imap.example/Sent",
        "X-Mutt-Fcc: =Sent",
        "X-Claws-Account-Id: 1",
        "S:shop@minato-zakka.example",
        "SCF:#imap/Sent",
        "X-Sender: shop@minato-zakka.example",
        "Mail-Reply-To: secret@other.example",
        "X-Draft-Info: type=reply",
        "X-K9mail-Identity: !abc",
        "Bcc: boss@minato-zakka.example",
        "User-Agent: Someone",
        "Received: from nowhere",
        "Auto-Submitted: auto-replied",
        "Disposition-Notification-To: shop@minato-zakka.example",
        "Content-Language: ja",
        "Message-ID: <old@client.example>",
        "Date: Mon, 1 Jan 2001 00:00:00 +0000",
    ]
)


def test_only_white_listed_fields_leave() -> None:
    raw = leave(draft(PRIVATE))
    assert parsed(raw).keys() == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "In-Reply-To",
        "References",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ]
    for word in (b"Responder", b"Mozilla", b"Claws", b"secret", b"boss", b"old@client", b"2001"):
        assert word not in raw


def test_ids_date_and_thread_are_ours() -> None:
    mail = parsed(leave(draft(PRIVATE)))
    assert mail["Message-ID"] == OURS
    assert mail["Date"] == "Fri, 20 Nov 2026 03:00:00 +0000"
    assert mail["In-Reply-To"] == "<buyer-1@mail.example>"
    assert mail["References"].split() == ["<root@mail.example>", "<buyer-1@mail.example>"]


def test_the_thread_of_the_draft_is_taken_where_none_is_given() -> None:
    head = "In-Reply-To: <b@mail.example>\r\nReferences: <a@mail.example>\r\n <b@mail.example>"
    mail = parsed(leave(draft(head), in_reply_to=None, references=()))
    assert mail["In-Reply-To"] == "<b@mail.example>"
    assert mail["References"].split() == ["<a@mail.example>", "<b@mail.example>"]


def test_the_text_leaves_byte_for_byte() -> None:
    assert leave(draft()).endswith(b"\r\n\r\n" + TEXT.encode())


def test_flowed_text_keeps_its_parameters() -> None:
    body = "一行目が続いて \r\nいます。\r\n".encode()
    raw = leave(draft(body=body, kind="text/plain; charset=UTF-8; format=flowed; delsp=yes"))
    assert b"Content-Type: text/plain; charset=UTF-8; format=flowed; delsp=yes\r\n" in raw
    assert raw.endswith(body)
    assert text_of(raw) == "一行目が続いています。\n"


def test_iso_2022_jp_stays_iso_2022_jp() -> None:
    body = "ご注文のキャンセルを承りました。\r\n".encode("iso2022_jp")
    raw = leave(draft(body=body, kind="text/plain; charset=ISO-2022-JP").replace(b": 8bit", b": 7bit"))
    assert raw.endswith(body)
    assert text_of(raw) == "ご注文のキャンセルを承りました。\n"


@pytest.mark.parametrize(
    "sender",
    [
        "stranger@mail.example",
        "shop@minato-zakka.example, other@mail.example",
        '"shop@minato-zakka.example" <stranger@mail.example>',
        "=?utf-8?q?shop=40minato-zakka=2Eexample?=",
        "",
    ],
)
def test_a_sender_that_is_not_ours_is_refused(sender: str) -> None:
    raw = draft().replace(
        b"From: =?utf-8?b?44G/44Gq44Go6ZuR6LKo5bqX?= <shop@minato-zakka.example>", b"From: " + sender.encode()
    )
    with pytest.raises(MessageError, match="from_not_ours"):
        leave(raw)


def test_two_from_fields_are_refused() -> None:
    with pytest.raises(MessageError, match="from_not_ours"):
        leave(draft("From: shop@minato-zakka.example"))


def test_the_display_name_stays_as_staff_left_it() -> None:
    raw = draft().replace(b"=?utf-8?b?44G/44Gq44Go6ZuR6LKo5bqX?=", b"=?utf-8?q?=E4=BD=90=E8=97=A4?=")
    assert str(make_header(decode_header(parsed(leave(raw))["From"]))) == "佐藤 <shop@minato-zakka.example>"


def test_an_alias_may_send() -> None:
    raw = draft().replace(b"<shop@minato-zakka.example>", b"<Support@Minato-Zakka.example>")
    assert parsed(leave(raw))["From"].endswith("<support@minato-zakka.example>")


def test_a_reply_to_leaves_only_where_it_is_ours() -> None:
    assert (
        parsed(leave(draft("Reply-To: support@minato-zakka.example")))["Reply-To"] == "<support@minato-zakka.example>"
    )
    assert parsed(leave(draft("Reply-To: else@mail.example")))["Reply-To"] is None


def test_a_copy_stays_a_copy() -> None:
    other = Address("", "staff@minato-zakka.example")
    mail = parsed(leave(draft("Cc: staff@minato-zakka.example"), recipients=(BUYER, other)))
    assert mail["To"].endswith("<hanako@mail.example>")
    assert mail["Cc"] == "<staff@minato-zakka.example>"


def with_attachment() -> bytes:
    mail = MIMEMultipart("mixed")
    mail["From"], mail["To"], mail["Subject"] = "shop@minato-zakka.example", "hanako@mail.example", "x"
    mail.attach(MIMEText("本文です。\n", "plain", "utf-8"))
    page = MIMEApplication(b"%PDF-1.4 \x00\x01\r\nbinary", "pdf")
    page.add_header("Content-Disposition", "attachment", filename=("utf-8", "", "領収書.pdf"))
    page["X-Mozilla-External-Attachment-URL"] = "file:///home/shop/secret.pdf"
    page["X-Secret"] = "1"
    mail.attach(page)
    return mail.as_bytes().replace(b"\n", b"\r\n")


def test_attachments_leave_whole_and_without_private_fields() -> None:
    raw = leave(with_attachment())
    assert b"file:///" not in raw
    assert b"X-Secret" not in raw
    text, page = leaves(raw)
    assert page.get_payload(decode=True) == b"%PDF-1.4 \x00\x01\r\nbinary"
    assert page.get_filename() == "領収書.pdf"
    assert text.get_payload(decode=True) == "本文です。\n".encode()


def test_a_raw_file_name_is_encoded() -> None:
    raw = with_attachment()
    name = re.search(rb"filename\*=[^\r]+", raw)
    assert name
    raw = raw.replace(name[0], 'filename="領収書 1.pdf"'.encode())
    assert leaves(leave(raw))[1].get_filename() == "領収書 1.pdf"


def test_html_alone_gets_a_plain_part() -> None:
    page = "<html><body><p>ご注文の<b>キャンセル</b>を承りました。</p></body></html>".encode()
    raw = leave(draft(body=page, kind="text/html; charset=utf-8"))
    mail = parsed(raw)
    assert mail.get_content_type() == "multipart/alternative"
    plain, html = leaves(raw)
    assert plain.get_content_type() == "text/plain"
    assert "ご注文のキャンセルを承りました。" in text_of(raw)
    assert html.get_payload(decode=True) == page


@pytest.mark.parametrize("shape", ["mixed", "related", "alternative"])
def test_html_inside_a_multipart_gets_a_plain_part(shape: str) -> None:
    mail = MIMEMultipart(shape)
    mail["From"], mail["To"], mail["Subject"] = "shop@minato-zakka.example", "hanako@mail.example", "x"
    mail.attach(MIMEText("<p>本文です</p>", "html", "utf-8"))
    if shape != "alternative":
        mail.attach(MIMEApplication(b"1234", "octet-stream"))
    raw = leave(mail.as_bytes())
    assert [part.get_content_type() for part in leaves(raw)][:2] == ["text/plain", "text/html"]
    assert "本文です" in text_of(raw)


def test_a_server_without_8bitmime_gets_ascii() -> None:
    raw = leave(draft(), ascii_only=True)
    assert raw.isascii()
    assert text_of(raw).splitlines() == TEXT.splitlines()
    assert leave(with_attachment(), ascii_only=True).isascii()


def test_a_mail_in_seven_bits_says_the_same() -> None:
    for raw in (
        leave(draft()),
        leave(with_attachment()),
        leave(draft().replace(b"Subject: ", b"Subject: MIME-Version: 1.0 ")),
    ):
        plain = seven_bit(raw)
        assert plain.isascii()
        assert same_text(text_of(plain), text_of(raw))
        head = raw.partition(b"\r\nMIME-Version")[0]
        assert plain.startswith(head)
    with pytest.raises(MessageError, match="attached_mail_unsafe"):
        seven_bit(leave(draft(kind="message/rfc822", body="Subject: x\r\n\r\nあ\r\n".encode())))


def test_a_long_line_is_encoded_not_cut() -> None:
    text = "あ" * 700 + "\r\n"
    raw = leave(draft(body=text.encode()))
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert text_of(raw).strip() == text.strip()


@pytest.mark.parametrize(
    "body",
    [b"a\n.\nMAIL FROM:<x@y.example>\r\n", b"a\r.\r\nb", b"a\r\n.\rb", b"a\x00b\r\n", b"\n.\r\n", b"a\r\r\n.\r\r\nb"],
)
def test_no_body_smuggles_a_line_end(body: bytes) -> None:
    raw = leave(draft(body=body))
    assert b"\x00" not in raw
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", raw)


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?Hi=0D=0ABcc:_x@y.example?=",
        "=?utf-8?b?SGkNCkJjYzogeEB5LmV4YW1wbGU=?=",
        "a" * 10_000,
        "=?utf-8?q?" + "=E3=81=82" * 3000 + "?=",
        "=?utf-8?q?=E2=80=AEgnp?=",
        "",
    ],
)
def test_a_hostile_subject_stays_one_field(subject: str) -> None:
    raw = draft().replace(b"Subject: =?utf-8?b?44GU5rOo5paH?=", b"Subject: " + subject.encode())
    mail = parsed(leave(raw))
    assert mail["Bcc"] is None
    assert len(mail.keys()) == 10
    shown = str(make_header(decode_header(mail["Subject"])))
    assert len(shown) <= 240
    assert "\u202e" not in shown
    assert "\n" not in shown


def test_a_multipart_without_boundary_is_refused() -> None:
    with pytest.raises(MessageError, match="multipart_without_boundary"):
        leave(draft(kind="multipart/mixed"))


def test_8bit_text_without_a_label_is_utf_8_or_refused() -> None:
    assert b'charset="utf-8"' in leave(draft(kind="text/plain"))
    with pytest.raises(MessageError, match="charset_unknown"):
        leave(draft(kind="text/plain", body="日本語".encode("cp932")))


def test_a_bad_message_id_is_refused() -> None:
    with pytest.raises(MessageError, match="message_id_unsafe"):
        leave(draft(), message_id="<a@b>\r\nBcc: x")


def test_nesting_is_bounded() -> None:
    body = b"deep\r\n"
    for n in range(40):
        mark = f"b{n}".encode()
        inner = b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n' % (n - 1) if n else b"\r\n"
        body = b"--" + mark + b"\r\n" + inner + body + b"\r\n--" + mark + b"--\r\n"
    with pytest.raises(MessageError, match="too_many_parts"):
        leave(draft(body=body, kind='multipart/mixed; boundary="b39"'))


@pytest.mark.parametrize(
    "head", ["X: y\r\n" * 100_000, "References: " + "<a@b> " * 100_000, "X-Long: " + "a" * 1_000_000]
)
def test_a_header_block_beyond_reason_is_refused(head: str) -> None:
    with pytest.raises(MessageError, match="fields_too_long"):
        leave(draft(head.rstrip("\r\n")))


@pytest.mark.parametrize("kind", ["text/plain" + "; a=b" * 5000, 'text/plain; name="' + '\\"' * 20_000])
def test_an_endless_content_type_is_refused(kind: str) -> None:
    with pytest.raises(MessageError, match="fields_too_long"):
        leave(draft(kind=kind))


def test_html_that_shows_nothing_gets_no_empty_plain_part() -> None:
    raw = leave(draft(body=b"<img src='cid:1'>", kind="text/html; charset=utf-8"))
    assert parsed(raw).get_content_type() == "text/html"


FIELD = st.text(alphabet=st.characters(codec="utf-8"), max_size=200)


@settings(max_examples=150, deadline=None)
@given(name=FIELD, subject=FIELD, body=st.binary(max_size=400), extra=st.binary(max_size=200))
def test_whatever_a_draft_holds_leaves_safely_or_not_at_all(name: str, subject: str, body: bytes, extra: bytes) -> None:
    head = f"From: {name} <shop@minato-zakka.example>\r\nSubject: {subject}\r\nTo: x@y.example\r\n".encode()
    try:
        raw = leave(head + extra + b"\r\n\r\n" + body)
    except MessageError:
        return
    assert b"\x00" not in raw
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.partition(b"\r\n\r\n")[0].isascii()
    mail = parsed(raw)
    assert mail["Message-ID"] == OURS
    assert mail.get_all("To") == ["=?utf-8?b?55Sw5LitIOiKseWtkA==?= <hanako@mail.example>"]
    assert mail["Bcc"] is None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=600))
def test_text_of_reads_anything(raw: bytes) -> None:
    assert isinstance(text_of(raw), str)


# --- the same letter or another -------------------------------------------------------------------------------------

LETTER = (
    "田中 花子 様\n\nご注文のキャンセルを承りました。商品Mugは発送しておりません。\n\n"
    "> キャンセルしたいです\n> 急いでいます\n"
)


@pytest.mark.parametrize(
    "other",
    [
        LETTER.replace("\n", "\r\n"),
        LETTER.replace("承りました。", "承り\nました。"),
        LETTER.replace("商品Mug", "商品\nMug"),
        LETTER.replace("\n\n", "\n\n\n") + "\n\n",
        LETTER.replace("様\n", "様   \n"),
        LETTER.replace("> 急いで", ">急いで"),
        LETTER.replace("キャンセルしたいです\n", "キャンセル\n> したいです\n"),
    ],
)
def test_wrapping_and_blanks_do_not_make_another_letter(other: str) -> None:
    assert same_text(LETTER, other)
    assert text_key(LETTER) == text_key(other)


@pytest.mark.parametrize(
    "other",
    [
        LETTER.replace("しておりません", "しております"),
        LETTER.replace("> 急いで", "急いで"),
        LETTER.replace("Mug", "Mags"),
        LETTER + "追伸",
        LETTER.replace("様", ""),
        "",
    ],
)
def test_another_word_makes_another_letter(other: str) -> None:
    assert not same_text(LETTER, other)
    assert text_key(LETTER) != text_key(other)


def test_english_words_are_not_run_together() -> None:
    assert not same_text("it is now here", "it is nowhere")
    assert same_text("it is\nnow here", "it is now\nhere")


def test_the_trip_through_iso_2022_jp_is_the_same_letter() -> None:
    text = "10〜17時、¥100、ｷｬﾝｾﾙ"
    assert same_text(text, "10～17時、￥100、キャンセル")


def test_a_flowed_copy_is_the_same_letter() -> None:
    flowed = "Thank you for letting us know. We have \r\naccepted your cancellation.\r\n\r\n-- \r\nShop\r\n"
    raw = draft(body=flowed.encode(), kind="text/plain; charset=utf-8; format=flowed")
    assert same_text(text_of(raw), "Thank you for letting us know. We have accepted your cancellation.\n\n--\nShop\n")
