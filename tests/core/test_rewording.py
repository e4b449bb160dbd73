"""What staff changed: sentence by sentence, without whom it was about, however a client has wrapped the lines."""

from __future__ import annotations

import textwrap

import pytest

from responder.core.rewording import Change, changes, kept, key_of, units, without_particulars

OURS = """田中 花子 様

ご注文（1042）のキャンセルを承りました。
ご返金は12月10日（木）までに行います。カード会社によっては、反映に日数がかかります。

またのご利用をお待ちしております。
"""


@pytest.mark.parametrize(
    ("theirs", "found"),
    [
        (OURS, ()),
        (OURS.replace("\n\n", "\n"), ()),
        (
            OURS.replace("12月10日（木）まで", "1月5日（火）まで"),
            (),
        ),
        (
            OURS.replace("ご返金は12月10日（木）までに行います。", "ご返金は本日行いました。"),
            (Change("ご返金は⟨day⟩までに行います。", "ご返金は本日行いました。"),),
        ),
        (OURS.replace("またのご利用をお待ちしております。", ""), (Change("またのご利用をお待ちしております。", ""),)),
        (OURS + "担当: 佐藤\n", (Change("", "担当: 佐藤"),)),
        ("まったく別の返信です。お電話いたします。", ()),
    ],
)
def test_what_was_changed(theirs: str, found: tuple[Change, ...]) -> None:
    assert changes(OURS, theirs, ["田中 花子", "1042"]) == found


def test_the_same_change_for_two_buyers_is_the_same() -> None:
    def change(name: str, order: str, day: str) -> tuple[Change, ...]:
        ours = f"Dear {name},\n\nWe have cancelled your order {order}.\nIt is refunded by {day}.\n\nKind regards\n"
        return changes(ours, ours.replace("We have cancelled", f"As you wished, {name}, we cancelled"), [name, order])

    (one,) = change("Hanako Tanaka", "1042", "December 10, 2026")
    (other,) = change("John Smith", "S-77120", "2 January 2027")
    assert one == other
    assert key_of(one.came) == key_of(other.came)
    assert "Hanako" not in one.came


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("鈴木様のお宅", "⟨name⟩様のお宅"),
        ("お客様のご注文", "お客様のご注文"),
        ("尊敬的王小明：", "尊敬的⟨name⟩:"),
        ("03-1234-5678 まで", "⟨number⟩ まで"),
        ("合計 ¥4,980 です", "合計 ⟨number⟩ です"),
        ("see https://shop.example/x?a=1 or hanako@mail.example", "see ⟨link⟩ or ⟨mail⟩"),
    ],
)
def test_nobody_stands_in_it(text: str, said: str) -> None:
    found = without_particulars(text)
    assert found == said or not any(char.isdigit() for char in found)


def test_wrapping_changes_nothing() -> None:
    text = "Thank you for your message about the mug and the bowl. We have cancelled the order and your card will be refunded."
    assert units(text) == units("\n".join(textwrap.wrap(text, 72)))


@pytest.mark.parametrize(
    ("theirs", "result"),
    [(OURS, "same"), (OURS + "担当: 佐藤\n", "edited"), ("お電話いたします。", "own"), ("", "own")],
)
def test_what_became_of_our_words(theirs: str, result: str) -> None:
    assert kept(OURS, theirs) == result
