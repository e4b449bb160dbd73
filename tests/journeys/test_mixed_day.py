"""A day of a shop on five channels: what its own server, the mall's server and the mailbox hold in the evening."""

from __future__ import annotations

import ssl

from tests.journeys.shop import ADDRESS, BUYER, Shop, header_of, move, subject_of, text_of, until
from tests.servers.dovecot import Certificate
from tests.servers.sink import Sink

MX = "mx.minato-zakka.example"
MALL = "mall@minato-zakka.example"
AMAZON, AMAZON_ORDER = "a1b2c3+case1@marketplace.amazon.co.jp", "249-1234567-1234567"
RAKUTEN, RAKUTEN_ORDER = "r4k5@pc.fw.rakuten.ne.jp", "123456-20261118-0123456789"
EBAY, EBAY_ORDER = "0a1b2c@members.ebay.com", "12-34567-89012"
YAHOO, YAHOO_ORDER = "store-inquiry@mail.yahoo.co.jp", "minato-10000001"
FRAMED = """\
注文番号: {order}
1 of 波佐見焼マグカップ [ASIN: B000000000]
------------- Begin message -------------
{text}
------------- End message -------------
"""


def vouched(sender: str) -> dict[str, str]:
    return {"Authentication-Results": f"{MX}; dmarc=pass header.from={sender.rpartition('@')[2]}"}


def write(shop: Shop, sender: str, text: str, **more: str) -> str:
    return shop.buyer_writes(text, sender=sender, headers=vouched(sender), **more)


def draft_of(shop: Shop, original: str) -> bytes:
    def find() -> bytes:
        return next((d.raw for d in shop.drafts() if header_of(d.raw, "In-Reply-To") == original), b"")

    return until(find, "its draft")


def test_each_channel_leaves_by_its_own_way(shop: Shop, certificate: Certificate, tls_context: ssl.SSLContext) -> None:
    rakuten = Sink(
        logins={"rms": "rms-password"},
        auth_required=True,
        tls="starttls",
        context=tls_context,
        ca_file=str(certificate.ca),
        registered=(MALL,),
    )
    shop.account_extra = f'authserv_id = "{MX}"'
    with rakuten:
        shop.add_relay("rakuten", rakuten, username="rms", address=MALL)
        _the_day(shop, rakuten)


def _the_day(shop: Shop, rakuten: Sink) -> None:
    shop.order("1042")
    shop.order(AMAZON_ORDER, channel="amazon", buyer_mail="a1b2c3@marketplace.amazon.co.jp")
    shop.order(RAKUTEN_ORDER, channel="rakuten", buyer_mail=RAKUTEN)
    shop.order(EBAY_ORDER, channel="ebay", buyer_mail=EBAY, currency="USD", total="32.00", buyer_name="James Carter")
    shop.order(YAHOO_ORDER, channel="yahoo", buyer_mail="taro@mail.example")
    shop.start()

    # Five buyers, and what else comes in on such a day.
    own = write(shop, BUYER, "注文番号1042をキャンセルしてください。")
    amazon = write(
        shop,
        AMAZON,
        FRAMED.format(order=AMAZON_ORDER, text="キャンセルしてください。"),
        subject=f"注文に関するお問い合わせ（{AMAZON_ORDER}）",
    )
    mall = write(shop, RAKUTEN, f"注文番号{RAKUTEN_ORDER}のキャンセルをお願いします。")
    ebay = write(shop, EBAY, f"Please cancel my order {EBAY_ORDER}. Thank you.", subject="Cancel")
    yahoo = write(
        shop,
        YAHOO,
        f"注文ID：{YAHOO_ORDER}\nお客様名：田中\nお問い合わせ内容：\n注文をキャンセルしてください。\n",
        subject="お問い合わせがありました",
    )
    write(shop, "seller-notification@amazon.co.jp", "商品を出荷してください。", subject="商品を出荷してください")
    forged = shop.buyer_writes(
        FRAMED.format(order=AMAZON_ORDER, text="届け先を変更してください。"),
        sender="zzz@marketplace.amazon.co.jp",
        headers={"Authentication-Results": f"{MX}; dmarc=fail header.from=marketplace.amazon.co.jp"},
    )
    until(lambda: len(shop.drafts()) == 5 and shop.notes(), "five drafts, and a person sees the forged mail")

    # Amazon's buyer writes once more, unthreaded and under another tag: the same matter, one draft, the newest address.
    first = draft_of(shop, amazon)
    amazon_again = write(
        shop,
        AMAZON.replace("case1", "case2"),
        FRAMED.format(order=AMAZON_ORDER, text="キャンセルを急いでお願いします。"),
        subject=f"注文に関するお問い合わせ（{AMAZON_ORDER}）",
    )
    draft_of(shop, amazon_again)
    until(lambda: first not in [d.raw for d in shop.drafts()] and len(shop.drafts()) == 5, "one draft for both")

    # Staff approve everything, as they always do.
    senders = {header_of(d.raw, "To").rpartition("<")[2].strip("<>"): header_of(d.raw, "From") for d in shop.drafts()}
    assert senders[RAKUTEN].endswith(f"<{MALL}>")
    assert all(found.endswith(f"<{ADDRESS}>") for to, found in senders.items() if to not in (RAKUTEN,))
    for draft in shop.drafts():
        shop.approve(draft)
    until(lambda: len(shop.sink.mails) == 3 and rakuten.mails, "what mail can deliver has gone out")
    note = shop.wait_for_note("メールで返信できません")
    assert "ストアクリエイターPro" in note
    until(lambda: len(shop.drafts()) == 1 and not shop.lies_in("承認"), "the one to paste lies in Drafts again")

    # What each server holds.
    out = {mail.recipients: mail for mail in shop.sink.mails}
    assert set(out) == {(BUYER,), (AMAZON.replace("case1", "case2"),), (EBAY,)}
    assert {mail.envelope_from for mail in shop.sink.mails} == {ADDRESS}
    (relayed,) = rakuten.mails
    assert (relayed.envelope_from, relayed.recipients, relayed.username) == (MALL, (RAKUTEN,), "rms")
    assert header_of(relayed.raw, "From").endswith(f"<{MALL}>")
    for mail, order in (
        (out[BUYER,], "1042"),
        (out[AMAZON.replace("case1", "case2"),], AMAZON_ORDER),
        (out[EBAY,], EBAY_ORDER),
        (relayed, RAKUTEN_ORDER),
    ):
        words = subject_of(mail.raw) + text_of(mail.raw)
        assert order in words
        others = {"1042", AMAZON_ORDER, EBAY_ORDER, RAKUTEN_ORDER, YAHOO_ORDER} - {order}
        assert not any(other in words.replace(order, "") for other in others)
    assert "リクエスト" in text_of(out[AMAZON.replace("case1", "case2"),].raw), "a plain request gets the steps"
    assert "http" not in text_of(out[EBAY,].raw)

    # The one to paste: staff paste it and say so.
    (paste,) = shop.drafts()
    assert YAHOO_ORDER in text_of(paste.raw)
    with shop.staff() as client:
        move(client, paste.uid, "Sent")
    answered = (own, amazon, amazon_again, mall, ebay, yahoo)
    until(lambda: all(map(shop.answered, answered)), "every buyer's mail is marked")
    until(lambda: len(shop.lies_in("Sent")) == 5, "five copies in Sent")
    assert not shop.answered(forged)
    assert shop.drafts() == shop.lies_in("承認") == []
    assert len(shop.sink.mails) == 3
    assert len(rakuten.mails) == 1
    assert len(shop.notes()) == 2, shop.notes()
