"""HTML mail becomes the text people see, its quotations marked, in bounded time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.core.html import to_text
from responder.core.newtext import split

LAYOUT = [
    ("<p>one</p><p>two</p>", "one\n\ntwo"),
    ("one<br>two<br><br>three", "one\ntwo\n\nthree"),
    ("<div>one</div><div>two</div>", "one\ntwo"),
    ("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"),
    ("<p class=MsoNormal>one</p><p class=MsoNormal>two</p>", "one\ntwo"),
    ("a <b>bold</b> <i>word</i>", "a bold word"),
    ("  a \n  lot   of\tspace ", "a lot of space"),
    ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
    (
        "<table><tr><td>注文番号</td><td>1042</td></tr><tr><td>商品</td><td>マグ</td></tr></table>",
        "注文番号 1042\n商品 マグ",
    ),
    ("<pre>a\n  b\n\nc</pre>", "a\n  b\n\nc".replace("\n  b", "\nb")),
    ('<div style="white-space: pre-wrap">a\nb</div>', "a\nb"),
    ("1 &lt; 2 &amp; 3 &#x3042; &nbsp;&yen;", "1 < 2 & 3 あ ¥"),
    ('<a href="https://shop.example/x">here</a>', "here"),
    ("a<hr>b", "a\n----------\nb"),
    ("キャン<wbr>セル", "キャンセル"),
    ("<h1>Title</h1>text", "Title\ntext"),
    ("plain & text without tags", "plain & text without tags"),
    ("<?xml version='1.0' encoding='utf-8'?><html><body>日本</body></html>", "日本"),
    ("<html><head><meta charset=shift_jis><title>t</title></head><body>日本</body></html>", "日本"),
    ("", ""),
    ("<html></html>", ""),
    ("<!-- only a comment -->", ""),
    ("<b>never closed <i>at all", "never closed at all"),
    ("</div></p>closed too often", "closed too often"),
    ("a\x00b", "ab"),
]


@pytest.mark.parametrize(("markup", "text"), LAYOUT)
def test_layout_becomes_lines(markup: str, text: str) -> None:
    assert to_text(markup) == (text, ())


HIDDEN = [
    '<span style="display:none">X</span>',
    '<span style="DISPLAY : NONE !important">X</span>',
    '<span style="visibility:hidden">X</span>',
    '<span style="font-size:0">X</span>',
    '<span style="font-size: 0px; color: red">X</span>',
    '<span style="font-size:1px">X</span>',
    '<span style="opacity:0">X</span>',
    '<span style="max-height:0;overflow:hidden">X</span>',
    '<span style="mso-hide:all">X</span>',
    '<span style="text-indent:-9999px">X</span>',
    '<div style="position:absolute;left:-9999px">X</div>',
    '<div style="height:0; overflow:hidden">X</div>',
    '<span style="color:#ffffff">X</span>',
    '<span style="color: white">X</span>',
    "<span hidden>X</span>",
    "<script>X</script>",
    "<style>X</style>",
    "<title>X</title>",
    "<!-- X -->",
    "<!--[if mso]>X<![endif]-->",
    "<svg><text>X</text></svg>",
    "<select><option>X</option></select>",
    "<template>X</template>",
    '<iframe src="https://evil.example">X</iframe>',
    "<style>.h{display:none}</style><span class=h>X</span>",
    "<style>#i { color: red; display: none }</style><span id=i>X</span>",
    "<style>p, span.h {visibility:hidden}</style><span class='a h'>X</span>",
    "<div style='display:none'><p>X</p><div>X</div></div>",
]  # fmt: skip


@pytest.mark.parametrize("markup", HIDDEN)
def test_hidden_text_is_not_read(markup: str) -> None:
    assert to_text(f"<div>before {markup} after</div>")[0].split() == ["before", "after"]


SEEN = [
    '<span style="font-size:10px">X</span>',
    '<span style="font-size:0.9em">X</span>',
    '<span style="font-size:12pt;line-height:0">X</span>',
    '<div style="background:#000"><span style="color:#fff">X</span></div>',
    '<table bgcolor="#000000"><tr><td style="color:white">X</td></tr></table>',
    '<span style="opacity:0.9">X</span>',
    '<span style="background-color:#ffffff;color:#fffff0">X</span>',
    "<style>@media (max-width:600px){.h{display:none}}</style><span class=h>X</span>",
    "<style>.other{display:none}</style><span class=h>X</span>",
    '<span style="max-height:100px">X</span>',
    "<noscript>X</noscript>",
    "<unknown-tag>X</unknown-tag>",
    "<o:p>X</o:p>",
]


@pytest.mark.parametrize("markup", SEEN)
def test_visible_text_is_read(markup: str) -> None:
    assert "X" in to_text(f"<div>before {markup} after</div>")[0]


OLD = "キャンセルを承りました。"
QUOTES = {
    "gmail": f'<div dir="ltr">NEW</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">2026年11月20日(金) 10:00 みなと &lt;<a href="mailto:shop@m.example">shop@m.example</a>&gt;:<br></div><blockquote class="gmail_quote">{OLD}</blockquote></div>',
    "gmail forward": f'<div>NEW</div><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>From: x</div>{OLD}</div>',
    "apple": f'<html><body>NEW<br><blockquote type="cite"><div>2026/11/20 10:00、みなと &lt;shop@m.example&gt;のメール:</div><div>{OLD}</div></blockquote></body></html>',
    "apple outside": f'NEW<div><br><blockquote type="cite"></blockquote></div>On Nov 20, 2026, at 10:00, Shop &lt;shop@m.example&gt; wrote:<br><blockquote type="cite"><div>{OLD}</div></blockquote>',
    "outlook.com": f'<div>NEW</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Shop<br><b>Sent:</b> x<br></div><div>{OLD}</div>',
    "outlook desktop": f'<div class=WordSection1><p class=MsoNormal>NEW</p><div style="border:none;border-top:solid #E1E1E1 1.0pt"><p class=MsoNormal><b>差出人:</b> Shop &lt;shop@m.example&gt;<br><b>送信日時:</b> 2026年11月20日 10:00<br><b>宛先:</b> 田中<br><b>件名:</b> Re: 注文</p></div><p class=MsoNormal>{OLD}</p></div>',
    "outlook prefixed": f'<div>NEW</div><div class="x_gmail_quote"><blockquote class="x_gmail_quote">{OLD}</blockquote></div>',
    "yahoo": f'<div class="ydp1">NEW</div><div id="ydp12yahoo_quoted_1" class="yahoo_quoted"><div>On Friday, Shop wrote:</div><div>{OLD}</div></div>',
    "qq": f'<div>NEW</div><div><includetail><div style="font-size:12px">------------------&nbsp;原始邮件&nbsp;------------------</div><div>{OLD}</div></includetail></div>',
    "qq without tail": f'<div>NEW</div><div style="font-size: 12px;padding:2px 0 2px 0;">------------------&nbsp;原始邮件&nbsp;------------------</div><div><b>发件人:</b>&nbsp;"Shop"</div><div>{OLD}</div>',
    "netease": f'<div>NEW</div><blockquote id="isReplyContent"><div>{OLD}</div></blockquote>',
    "thunderbird": f'<p>NEW</p><div class="moz-cite-prefix">On 11/20/26 10:00, Shop wrote:<br></div><blockquote type="cite" cite="mid:a@b">{OLD}</blockquote>',
    "roundcube": f'<p>NEW</p><p id="reply-intro">2026-11-20 10:00 に Shop さんは書きました:</p><blockquote type="cite">{OLD}</blockquote>',
    "proton": f'<div>NEW</div><div class="protonmail_quote">On Friday Shop wrote:<blockquote class="protonmail_quote">{OLD}</blockquote></div>',
    "bare blockquote": f"<div>NEW</div><div>みなと さんは書きました:</div><blockquote>{OLD}</blockquote>",
    "marks as text": f"<div>NEW</div><div>On 11/20/26, Shop &lt;shop@m.example&gt; wrote:</div><div>&gt; {OLD}</div>",
}


@pytest.mark.parametrize("markup", QUOTES.values(), ids=QUOTES)
def test_quotation_containers_are_no_new_text(markup: str) -> None:
    parts = split(to_text(markup)[0])
    assert parts.new == "NEW"
    assert OLD in parts.quoted


def test_answers_inside_a_gmail_quotation_stay_new() -> None:
    markup = '<div class="gmail_quote"><div class="gmail_attr">On 11/20/26, Shop wrote:</div><blockquote class="gmail_quote">Which size?</blockquote><div>Medium.</div><blockquote class="gmail_quote">Which colour?</blockquote><div>Red.</div></div>'
    assert split(to_text(markup)[0]).new == "Medium.\n\nRed."


def test_a_mail_all_in_blockquotes_is_text() -> None:
    assert to_text("<blockquote>キャンセルして<br>ください</blockquote>")[0] == "キャンセルして\nください"


@pytest.mark.parametrize(
    "mark", ['class="gmail_signature"', 'class="moz-signature"', 'id="AppleMailSignature"', 'id="Signature"']
)
def test_signature_containers_are_signatures(mark: str) -> None:
    parts = split(to_text(f"<div>NEW</div><div {mark}>田中 花子<br>株式会社みどり</div>")[0])
    assert parts.new == "NEW"
    assert "田中" in parts.signature


NASTY = {
    "nested div": "<div>" * 20_000 + "x",
    "nested font": "<font>" * 100_000 + "x",
    "nested tables": "<table><tr><td>" * 20_000 + "x",
    "nested quotes": "<blockquote>" * 190 + "x" * 100,
    "open paragraphs": "<p>" * 100_000 + "x",
    "open links": "<a href=x>" * 100_000 + "x",
    "cells": "<td>x" * 100_000,
    "less than": "<" * 1_000_000,
    "comments": "<!--" * 250_000,
    "styles": "<style>" * 140_000,
    "sheet": "<style>" + "a{" * 20_000 + "</style>x",
    "media": "<style>" + "@media" * 8_000 + "</style>x",
    "style attribute": "<div style='" + "font-size:" * 90_000 + "'>x",
    "classes": "<p class='" + "a " * 400_000 + "'>x",
    "entities": "&#x;" * 250_000,
    "ampersands": "&" * 1_000_000,
    "quote containers": '<div class="gmail_quote">x</div>' * 20_000,
    "wide table": "<table><tr><td>" + "x" * 100_000 + "</td></tr>" + "<tr><td>a</td><td>b</td></tr>" * 2_000 + "</table>",
    "margins": '<div style="margin-top:99999999em">x</div>' * 1_000,
    "long words": "x" * 2_000_000,
}  # fmt: skip


@pytest.mark.parametrize("markup", NASTY.values(), ids=NASTY)
def test_hostile_markup_is_read_in_bounded_time_and_size(markup: str) -> None:
    begin = time.process_time()
    text, _ = to_text(markup)
    assert time.process_time() - begin < 2
    assert len(text) <= 2 * len(markup) + 1000


def test_too_deep_markup_still_gives_its_words() -> None:
    text, problems = to_text("<div>" * 5_000 + "cancel please" + "</div>" * 5_000)
    assert text == "cancel please"
    assert problems == ("html_too_deep",)


TAGS = st.sampled_from(["<div>", "</div>", "<p>", "<br>", "<blockquote>", "</blockquote>", "<b>", "<!--", "-->", "<style>", "</style>", "<td>", "<table>", "<", ">", "&", "&lt;", "<pre>", '<div class="gmail_quote">', '<p style="display:none">', "<script>", "<x:y>", "<![CDATA[", "<?xml?>"])  # fmt: skip


@given(st.lists(st.one_of(TAGS, st.text(max_size=20)), max_size=40))
@settings(max_examples=400, deadline=None)
def test_no_markup_raises(pieces: list[str]) -> None:
    text, _ = to_text("".join(pieces))
    assert isinstance(text, str)
