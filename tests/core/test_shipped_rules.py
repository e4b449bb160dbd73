"""What the rules that ship make of a buyer's sentences."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.model import Address, Item, Language
from tests.builders import make_message, make_order
from tests.core.test_decide import default_pack
from tests.core.test_rules_judge import CANCEL, judged


def test_a_bare_thank_you_is_read_with_its_subject_before_its_likeness_raises_doubt() -> None:
    message = make_message("Thanks, Ida", subject="Please cancel order 1042", language="en")
    assert judged(default_pack(), message, make_order(status="paid"), by_number=True).situation == "cancel_before_ship"
    assert judged(default_pack(), message, make_order(status="paid"), by_number=True).action == "draft"


@pytest.mark.parametrize(
    ("subject", "body", "status", "outcome"),
    [
        ("1042の注文は不要です", "件名のとおりです。よろしくお願いします。", "paid", ("draft", "cancel_before_ship")),
        ("返金", "返金、確認しました。ありがとうございました。", "cancelled", ("silence", "thanks_only")),
        ("納品書", "納品書は入れないでください、贈り物なので。", "paid", ("hold", "other")),
        ("送らないで", "広告はもう送らないでください。", "paid", ("hold", "other")),
        ("送らないで", "気が変わりました。もう送らないでください。", "paid", ("draft", "cancel_before_ship")),
    ],
)
def test_what_the_subject_asks_is_weighed_with_the_body(
    subject: str, body: str, status: Any, outcome: tuple[str, str]
) -> None:
    decision = judged(default_pack(), make_message(body, subject=subject), make_order(status=status))
    assert (decision.action, decision.situation) == outcome


def test_a_veto_of_what_the_mail_reports_stops_no_proposal_of_a_neighbour() -> None:
    # `番号` speaks against `配達完了なのに無い`, not against `どこですか`.
    message = make_message("いただいた番号ですと、荷物の行き先のわからない画面ばかりが出てまいります。", subject="")
    decision = judged(default_pack(), message, make_order(status="shipped"))
    assert (decision.action, decision.situation) == ("draft", "where_is_order")


@pytest.mark.parametrize(
    ("text", "status", "outcome"),
    [
        ("すんません、宛先が元カレの家のままやった。もう出たんやろか、途中で変えられる？", "paid", "address_change"),
        (
            "届いたケトルの底から水漏れします。まだ二回しか使っていません。交換をお願いします。",
            "delivered",
            "damaged_wrong",
        ),
        (
            "よそでもっと安いのを見つけてしまったので返金希望です。まだ送っていないですよね",
            "paid",
            "cancel_before_ship",
        ),
        (
            "急な転職で、引っ越し先が家具付きでした。ごめんなさい、次の方に譲ってください。",
            "paid",
            "cancel_before_ship",
        ),
    ],
)
def test_what_a_mail_surely_looks_like_is_answered_where_that_covers_its_words(
    text: str, status: Any, outcome: str
) -> None:
    decision = judged(default_pack(), make_message(text, subject=""), make_order(status=status))
    assert (decision.action, decision.situation) == ("draft", outcome)


@pytest.mark.parametrize(
    "text", ["一つだけが届いていません。", "お届けがまだのようです。", "掛けがねの色はどれですか。"]
)
def test_a_word_that_only_holds_the_word_for_an_injury_is_no_danger(text: str) -> None:
    assert "safety" not in default_pack().read(make_message(text)).acts


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("We are away then and it would sit on the step for three weeks. Please cancel the order.", "draft"),
        ("You need not cancel anything, the parcel came an hour after I wrote.", "hold"),
    ],
)
def test_one_clear_sentence_outweighs_what_the_rest_of_a_mail_looks_like(text: str, action: str) -> None:
    message = make_message(text, language="en")
    assert judged(default_pack(), message, make_order(status="shipped")).action == action


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("When do you send it, and when does it arrive in Oslo?", "draft"),
        ("When do you send the tea to the tasting in Oslo?", "hold"),
        ("Where is the handle of the drawer meant to go?", "hold"),
        ("Which way round does the filter go, and where is the seal?", "hold"),
        ("And where is the parcel?", "draft"),
        ("Hi mate, where is my vase?", "draft"),
    ],
)
def test_words_alone_make_no_draft_of_what_looks_like_a_question_of_another_kind(text: str, action: str) -> None:
    message = make_message(text, language="en")
    assert judged(default_pack(), message, make_order(status="paid")).action == action


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("もっと早く連絡すればよかったのですが、キャンセルをお願いします。", "draft"),
        ("法事が延期になったのでキャンセルをお願いします。", "draft"),
        ("会員登録せずに買った者です。注文を取り消したいです。", "draft"),
        ("決済後に気づきました。使わなくなってしまいました。", "draft"),
        ("もっと早くキャンセルすればよかったです。", "hold"),
        ("会員を退会したいです。", "hold"),
        ("1042の支払いを取り消して別のカードにしたいです。商品はそのまま欲しいです。", "hold"),
        ("楽天のほかの店の注文を取り消したいのに連絡がつきません。", "hold"),
        ("変更が無理でキャンセルして買い直したほうが良ければそうしますが、できれば変更でお願いします。", "hold"),
    ],
)
def test_a_reason_is_not_taken_for_another_matter(text: str, action: str) -> None:
    assert judged(default_pack(), make_message(text, subject=""), make_order(status="paid")).action == action


@pytest.mark.parametrize(
    ("text", "situation"),
    [
        ("きのう はっそうと きいた ものは あす つきますか", "where_is_order"),
        ("庭の土の中で止まっているクワガタの起こし方", "other"),
    ],
)
def test_known_words_that_only_want_a_report_need_no_likeness(text: str, situation: str) -> None:
    decision = judged(default_pack(), make_message(text, subject=""), make_order(status="shipped"))
    assert decision.situation == situation


@pytest.mark.parametrize(
    ("text", "action"), [("再不发就用不上了，到底哪天发？", "draft"), ("再不发就取消，到底哪天发？", "hold")]
)
def test_a_fear_is_no_ultimatum(text: str, action: str) -> None:
    message = make_message(text, language="zh")
    assert judged(default_pack(), message, make_order(status="paid")).action == action


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("我不退货也不取消，就想知道包裹现在到哪了？", "draft"),
        ("上次取消的那单退款到账了，多谢。这回的现在是什么状态？", "draft"),
        ("杯子碎了，我要退货，还要取消另一单。包裹现在到哪了？", "hold"),
    ],
)
def test_what_is_denied_or_done_with_is_no_second_matter(text: str, action: str) -> None:
    message = make_message(text, language="zh")
    assert judged(default_pack(), message, make_order(status="shipped")).action == action


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("One cup came with a chip on the rim. Also you took the fee twice off my card.", "two_matters"),
        ("The pot cracked and scalded my leg.", "safety"),
        ("One cup came with a chip on the rim. Also it is my mother's favourite.", "rule"),
    ],
)
def test_what_is_added_or_hurts_is_seen_beside_the_damage(text: str, code: str) -> None:
    decision = judged(default_pack(), make_message(text, language="en"), make_order(status="delivered"))
    assert decision.reasons[0].code == code


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("The little ones adore it.", "silence"),
        ("Nobody said a word for a minute, so pretty is it. Thank you, and no need to reply.", "silence"),
        ("The little ones adore it. What is the mark on the base?", "hold"),
        ("It is here but I'm not sure it's real silver.", "hold"),
    ],
)
def test_what_has_arrived_and_pleases_needs_no_word_of_thanks(text: str, action: str) -> None:
    message = make_message(text, language="en")
    assert judged(default_pack(), message, make_order(status="delivered")).action == action


def test_a_mail_longer_than_anybody_writes_is_never_drafted() -> None:
    decision = judged(default_pack(), make_message(CANCEL + "あ" * 20_000), make_order())
    assert decision.action == "hold"


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=3000), st.text(max_size=200), st.sampled_from(["ja", "en", "zh"]))
def test_no_text_raises(text: str, subject: str, language: Any) -> None:
    message = make_message(text, subject=subject, language=language, sender=Address("", "a@b.example"))
    judged(default_pack(), message, make_order())


@pytest.mark.parametrize(
    "text", ["キャンセル" * 20_000, "cancel ... " * 9_000, "?" * 100_000, "a" * 100_000, "不要取消，" * 20_000]
)
def test_hostile_text_is_quick(text: str) -> None:
    rulebook = default_pack()
    message = make_message(text)
    start = time.process_time()
    judged(rulebook, message, make_order())
    assert time.process_time() - start < 2


def test_thanks_too_long_to_be_read_go_to_a_person() -> None:
    text = "Thank you so much, no reply needed. " + "It was a lovely day. " * 700
    decision = judged(default_pack(), make_message(text, language="en"), make_order(status="delivered"))
    assert decision.action == "hold"
    assert decision.reasons[0].code == "text_too_long"


def test_what_stands_at_the_end_of_a_text_too_long_is_seen() -> None:
    message = make_message("It was a lovely day. " * 700 + "\nPlease cancel my order.", language="en")
    assert "cancel" in default_pack().read(message).asked


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("老公也在你们店买了一模一样的，两个用不了，我这单麻烦帮我取消吧", "draft"),
        ("订单帮我取消，另外收到的杯子碎了一个怎么办", "hold"),
    ],
)
def test_a_word_in_passing_is_no_second_matter_where_all_the_rest_speaks_of_one(text: str, action: str) -> None:
    message = make_message(language="zh", subject="", new_text=text, text=text)
    decision = judged(default_pack(), message, make_order(status="paid"))
    assert decision.action == action
    assert ("damage" in decision.asks) is (action == "hold")


def test_what_surely_looks_like_a_machine_is_not_answered_unless_there_is_an_order() -> None:
    text = "您的服务请求已建立，专员将于24小时内与您联系。"
    message = make_message(language="zh", subject="", new_text=text, text=text)
    alone = judged(default_pack(), message)
    assert (alone.action, alone.situation) == ("silence", "auto_reply")
    assert judged(default_pack(), message, make_order(status="paid")).action == "hold"


def test_what_surely_looks_like_thanks_needs_no_listed_word() -> None:
    text = "你们家的东西我信得过，祝生意兴隆，全家安康，辛苦伙计们啦。"
    message = make_message(language="zh", subject="", new_text=text, text=text)
    decision = judged(default_pack(), message, make_order(status="delivered"))
    assert (decision.action, decision.situation) == ("silence", "thanks_only")


@pytest.mark.parametrize(
    ("subject", "text", "language", "action"),
    [
        (
            "about your mail",
            "Thanks for your kind answer. Please cancel 8237, and thank you for being honest.",
            "en",
            "draft",
        ),
        (
            "発送前",
            "発送メールが来る前に連絡すればよかったのですが、8237のキャンセルをお願いしたいです。",
            "ja",
            "draft",
        ),
        ("Cancellation", "8237\n\nThanks", "en", "draft"),
        ("8237 cancel, thx", ".", "en", "draft"),
        ("確認", "8237取消", "zh", "draft"),
        ("8237キャンセルの件", "ありがとうございました", "ja", "silence"),
        ("8237 cancellation", "thanks a lot", "en", "silence"),
        ("8237", "8237 cancelled", "en", "hold"),
        ("8237", "please cancel the payment for 8237", "en", "hold"),
        ("8237", "请取消8237的付款", "zh", "hold"),
        ("8237", "8237请取消礼品包装", "zh", "hold"),
        ("8237", "8237のギフト包装をキャンセルしてください", "ja", "hold"),
        ("8237", "8237已取消", "zh", "hold"),
        ("8237", "8237キャンセルしない", "ja", "hold"),
        # Of what stands in the order, by its name.
        ("", "Cancel this order (8237)", "en", "draft"),
        ("", "As I said then: cancel 8237", "en", "draft"),
        # Of something else: without an article, before the word, behind a preposition, in somebody's title.
        ("", "Cancel express shipping for 8237", "en", "hold"),
        ("", "Cancel auto-refill on the teapot. Do not touch the box in process (8237).", "en", "hold"),
        ("", "Cancel me off that list please", "en", "hold"),
        ("", "My night shift is cancelled, so please drop the time slot of 8237", "en", "hold"),
        ("", "Cancel my teapot", "en", "draft"),
        ("", "Cancel my hotel", "en", "hold"),
        ("", "Can you cancel the delivery slot?", "en", "hold"),
        ("", "I want to cancel the mug I bought yesterday", "en", "draft"),
        ("", "I want to cancel the flight I booked yesterday", "en", "hold"),
        ("", "急須のキャンセルをお願いします。", "ja", "draft"),
        ("", "ホテルのキャンセルをお願いします。", "ja", "hold"),
        ("", "我想取消那个茶壶。", "zh", "draft"),
        ("", "我想取消酒店。", "zh", "hold"),
    ],
)
def test_a_cancel_is_the_orders_where_its_number_or_an_item_of_it_stands_beside(
    subject: str, text: str, language: Language, action: str
) -> None:
    rulebook, item = default_pack(), {"en": "Blue teapot", "ja": "波佐見焼 急須", "zh": "有田烧茶壶"}[language]
    message = make_message(text, subject=subject, language=language)
    order = make_order(order_id="8237", status="paid", items=(Item(item),))
    reading = rulebook.read(message, (item,), "8237")
    decision = judged(rulebook, message, order, reading=reading, by_number="8237" in subject + text)
    assert decision.action == action
    assert (action == "draft") is (decision.situation == "cancel_before_ship")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "The package is on its way but the person it was for has moved to another country. I'd rather not receive it."
            " Can it go back to you and I get refunded?",
            ("draft", "cancel_after_ship"),
        ),
        (
            "The friend I was buying this for told me she's allergic to wool. Is it pure cotton or is there wool in it?",
            ("hold", "other"),
        ),
        (
            "Thanks for such a quick answer yesterday. It isn't for us: nobody here will wash one by hand. Please cancel it,"
            " and thank you for being honest.",
            ("draft", "cancel_after_ship"),
        ),
        (
            "Please cancel my order. I tried to do it myself on the website but I forgot my password.",
            ("draft", "cancel_after_ship"),
        ),
        ("I want to cancel. It's been at customs for a week and I won't pay 30 euros.", ("draft", "cancel_after_ship")),
        ("The shipping is more than the item itself. Is there a cheaper way to send it?", ("hold", "other")),
        (
            "Hello, when will it arrive? And the saucer of the last order had a crack, I forgot to say it, can you put a"
            " new one in the parcel?",
            ("hold", "where_is_order"),
        ),
    ],
)
def test_the_story_around_a_matter_is_none_itself_and_who_asks_about_the_goods_has_not_given_them_up(
    text: str, expected: tuple[str, str]
) -> None:
    message = make_message(language="en", subject="", new_text=text, text=text)
    decision = judged(default_pack(), message, make_order(status="shipped"))
    assert (decision.action, decision.situation) == expected


def test_a_number_in_what_the_shop_wrote_is_no_request() -> None:
    text = (
        'Overnight a message came from your side titled "Your cancellation request for 8237". I made no such request, nobody'
        " in the house did! Could you look into what happened, and confirm that my bowls are still on the list?"
    )
    message = make_message(text, subject="", language="en")
    assert judged(default_pack(), message, make_order(order_id="8237"), by_number=True).action == "hold"


@pytest.mark.parametrize(
    ("text", "language", "status", "expected"),
    [
        # One item of several, somebody else's order, what another says he has done.
        ("Of the five trays we need merely three. Cancel two trays, please.", "en", "paid", "hold"),
        ("The lid comes, yes? Take the saucers off the bill and send the bowls.", "en", "paid", "hold"),
        ("You kindly cancelled the double for us. Which of the two is still with you?", "en", "paid", "hold"),
        ('My grandson is six and says he has "cancelled the pots". Has he?', "en", "paid", "hold"),
        ("My flatmate's order, not mine, should be stopped.", "en", "paid", "hold"),
        # A question of law, a dialog box, an urge.
        ("In Austria we can withdraw from every distance contract. Does that count here too?", "en", "paid", "hold"),
        ("A box asked was I sure I wanted to cancel and I shut the lid of the laptop.", "en", "paid", "hold"),
        ("I feel the urge to cancel it and do nothing of the kind.", "en", "paid", "hold"),
        ("I paid last week, and your robot reminds me every day. Call it off?", "en", "paid", "hold"),
        ("柄を間違えて頼みました。キャンセルして頼み直したほうがいいですか？", "ja", "paid", "hold"),
        # A way to pay, another shop's order, an if, a part, a room, a list, what others did.
        ("代金引換という払い方を取り消して、カード払いにしたいです。", "ja", "paid", "hold"),
        ("想把货到付款这个方式取消，改刷卡。", "zh", "paid", "payment_question"),
        ("我在另一家店订了一样的，那边取消了，就等你们的了", "zh", "paid", "hold"),
        ("请问发了没有？没有的话取消吧，已经发了就照收", "zh", "paid", "hold"),
        ("呢張單唔好寄住，等我通知", "zh", "paid", "hold"),
        ("If it has not left by next Friday, cancel it and I buy cups in town.", "en", "paid", "hold"),
        ("一客多く頼んでいました。一客キャンセルして五客にしてもらえますか。", "ja", "paid", "hold"),
        ("我们订的海景双床房两晚去不成了，请取消预订", "zh", "paid", "hold"),
        ("妈妈说她取消了，其实没有，她按错了。订单还在吧？", "zh", "paid", "hold"),
        ("子どもが勝手にキャンセルのメールを送りました。注文はそのままでお願いします。", "ja", "paid", "hold"),
        ("返品をお願いしましたが、直りました。返品の件ですが、キャンセルします。", "ja", "delivered", "hold"),
        ("I wish to be cancelled from this list of news.", "en", "paid", "hold"),
        # A size somebody asks for is no sign that he gives it up, whatever it looks like.
        ("先生の家の電気コンロで使えるものでしょうか。", "ja", "paid", "hold"),
        # The money of a return, and when it will be on the card after a cancel.
        (
            "Sent the bowl back, you signed for it on the 3rd. What happens next regarding my refund?",
            "en",
            "delivered",
            "return_refund",
        ),
        ("キャンセルお願いします。返金はいつ頃カードに反映されますか？", "ja", "paid", "cancel_before_ship"),
        # Bought elsewhere, and an if with two ends.
        ("I bought a lampshade on Etsy and wish to cancel it. Are you the same people?", "en", "paid", "hold"),
        (
            "フリマで買ったカップの取引キャンセルに同意してもらえませんか。こちらの店と同じ方ですよね？",
            "ja",
            "paid",
            "hold",
        ),
        ("请问你们是淘宝那家杂货铺吗？我在那边拍的香炉想取消", "zh", "paid", "hold"),
        ("如果已经出了就算了我收着，还在仓库里，那就帮我取消吧", "zh", "paid", "hold"),
        # The day of a cancel is not what is cancelled.
        ("転勤で荷物を増やせません。今からのキャンセルはまだ可能ですか？", "ja", "paid", "cancel_before_ship"),
        ("唔好出貨，全數退返張卡", "zh", "paid", "cancel_before_ship"),
        # What an earlier order was, and an own accident before the goods are there, are mere stories.
        (
            "Last Christmas we had to cancel a hamper. This year it all came; I need a receipt for the office.",
            "en",
            "delivered",
            "invoice_receipt",
        ),
        ("発送準備に入る前であれば、注文を取り消していただけますか。", "ja", "paid", "cancel_before_ship"),
        ("母が転んで骨折し、入院しました。注文の解約を申し込みます。", "ja", "paid", "cancel_before_ship"),
        ("母が転んで骨折しました。届いた脚立の脚が外れたためです。", "ja", "delivered", "hold"),
    ],
)
def test_what_is_said_of_something_else_cancels_no_order(
    text: str, language: Language, status: str, expected: str
) -> None:
    message = make_message(text, language=language, subject="")
    decision = judged(default_pack(), message, make_order(status=status))
    assert (decision.situation if decision.action == "draft" else decision.action) == expected


def test_a_letter_that_only_tells_of_cancelling_must_surely_be_about_it() -> None:
    text = (
        "I look after the library of our village, two rooms above the bakery, and on Saturdays the children come to fold"
        " paper. They fold cranes, frogs, hats for the baker, and one boy folds nothing but taxis. Last week his sister"
        " told the whole room how her uncle in the city orders his dinner by telephone, and then they all played shop. We"
        " give up the order, cried the cook, and the others wept with laughter. I tell you as it was your paper that they"
        " folded."
    )
    message = make_message(text, language="en", subject="")
    assert judged(default_pack(), message, make_order(status="paid")).action == "hold"


def test_a_matter_for_a_person_is_never_taken_for_a_word_in_passing() -> None:
    text = "订单我不要了，另一单什么时候发"
    message = make_message(language="zh", subject="", new_text=text, text=text)
    assert judged(default_pack(), message, make_order(status="paid")).action == "hold"


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("My bank wanted to reverse it, I told them to leave it.", "hold"),
        ("My wife asked whether to stop it, I told her to leave it.", "hold"),
        ("Please leave it, I do not want it any more.", "draft"),
    ],
)
def test_what_somebody_else_was_told_is_asked_of_nobody(text: str, action: str) -> None:
    message = make_message(language="en", subject="", new_text=text, text=text)
    assert judged(default_pack(), message, make_order(status="paid")).action == action


@pytest.mark.parametrize(
    ("text", "action", "situation"),
    [
        # A reason told, and a wish that is another matter.
        ("Found it cheaper elsewhere afterwards, oh well! Is it on its way?", "hold", None),
        ("Has the strike stopped my parcel? Order 8237.", None, "cancel"),
        ("Please take back the second debit, the parcel is fine.", None, "cancel"),
        ("I want to go back to the first version of my order", None, "cancel"),
        ("Can you cancel the first payment attempt? The second went through.", None, "cancel"),
        # What is told in unlisted words, and wished by nothing but the telling.
        ("Wrong button, I meant to put it on my wishlist and ended up buying it. No thanks!", "draft", "cancel"),
        # A question about one matter that sounds like another.
        (
            "PayPal shows two payments of 36 dollars. Which one is real and what happens to the other?",
            "draft",
            "payment",
        ),
        ("Please issue a 領収書 addressed to Minami University.", "draft", "invoice"),
        # What is told of the past, of others, or with an if, beside a plain question.
        (
            "My neighbour's order was cancelled. When will mine be sent, has it left yet? I ordered it the day after her.",
            "draft",
            "where",
        ),
        (
            "Do you think the parcel will be with us by Thursday? If it helps, the neighbours are home.",
            "draft",
            "where",
        ),
        ("I need to cancel my order, I got the wrong size.", "draft", "cancel"),
        ("I'd like to scrap it, he has one. Maybe I will get him socks.", "draft", "cancel"),
        # Told at length, and nothing wished that is like it.
        (
            "I wrote something very daft in the message box when I ordered, it was meant to be funny and my mother in law"
            " will not find it funny. Can you leave the note out? Just the cups, no words. I beg you.",
            "hold",
            None,
        ),
    ],
)
def test_what_is_wished_counts_for_more_than_what_is_told(text: str, action: str | None, situation: str | None) -> None:
    message = make_message(language="en", subject="", new_text=text, text=text)
    decision = judged(default_pack(), message, make_order(status="paid"))
    if action is None:
        assert decision.action != "draft" or not decision.situation.startswith(situation or "")
    else:
        assert decision.action == action
        assert situation is None or decision.situation.startswith(situation)


@pytest.mark.parametrize(
    ("text", "status", "action", "situation"),
    [
        # Too short to look like anything else for sure.
        ("How can I see my bill?", "delivered", "draft", "invoice_receipt"),
        ("Where can I get a reimbursement?", "delivered", "draft", "return_refund"),
        # The number belongs to the word, however it is led up to.
        ("Tell me how I cancel the order with the number 8237", "paid", "draft", "cancel_before_ship"),
        ("Tell me how I cancel the reminders for the order with the number 8237", "paid", "hold", None),
        # One sentence says nothing but that it be done.
        ("Saw the very same knife for half of that by our station. Cancel.", "paid", "draft", "cancel_before_ship"),
        ("Saw the very same knife for half of that by our station. Cancel the coupon.", "paid", "hold", None),
        # Not a negation, and not the past.
        ("I see no other way than to cancel order 8237.", "paid", "draft", "cancel_before_ship"),
        ("I'll just ask that you cancel order 8237 and return the payment.", "paid", "draft", "cancel_before_ship"),
        # What is said to have not come is asked after, until it has.
        ("hello, i not received until now, you can check?", "shipped", "draft", "where_is_order"),
    ],
)
def test_what_is_said_in_so_many_words_needs_no_likeness(
    text: str, status: Any, action: str, situation: str | None
) -> None:
    order = make_order(order_id="8237", status=status)
    message = make_message(language="en", subject="Order 8237", new_text=text, text=text)
    reading = default_pack().read(message, [item.name for item in order.items], order.order_id)
    decision = judged(default_pack(), message, order, reading=reading)
    assert decision.action == action
    assert situation is None or decision.situation == situation


@pytest.mark.parametrize(
    ("text", "language", "status", "action"),
    [
        # What happens at home is nobody's complaint before anything has arrived.
        ("I broke my wrist on the ice, so nothing gets chopped here. Please cancel order 8237.", "en", "paid", "draft"),
        ("The oven broke, dinner burned and the lamp fell off the shelf. Please cancel 8237.", "en", "paid", "draft"),
        ("给孩子做饭时烫伤了手，最近不下厨了。请帮我取消订单8237。", "zh", "paid", "draft"),
        ("洗濯機が壊れて床がびしょびしょです。注文8237をキャンセルしてください。", "ja", "paid", "draft"),
        ("The lamp you sent caught fire. Please cancel order 8237.", "en", "paid", "hold"),
        ("My last order from you burned my hand. Please cancel 8237.", "en", "paid", "hold"),
        ("I burned my hand on it. Please cancel order 8237.", "en", "delivered", "hold"),
        ("Please cancel 8237. Also the mug I bought in May has a crack, what can be done?", "en", "paid", "hold"),
        # A word of the law is a threat unless it is only told.
        ("I am a clerk in a lawyer's office and we all got umbrellas. Please cancel 8237.", "en", "paid", "draft"),
        ("弁護士をしている兄が同じものを持っていました。注文8237をキャンセルしてください。", "ja", "paid", "draft"),
        ("Cancel order 8237 now, my lawyer is reading along.", "en", "paid", "hold"),
        ("Please cancel 8237 today. Otherwise you will hear from my attorney.", "en", "paid", "hold"),
        # What is said of the order itself is never only told.
        ("My oven broke. Please cancel only the blue cup of order 8237.", "en", "paid", "hold"),
    ],
)
def test_life_at_home_is_no_second_matter(text: str, language: Language, status: Any, action: str) -> None:
    order = make_order(order_id="8237", status=status, items=(Item("Linen apron"), Item("Blue cup")))
    message = make_message(language=language, subject="", new_text=text, text=text)
    reading = default_pack().read(message, [item.name for item in order.items], order.order_id)
    assert judged(default_pack(), message, order, reading=reading).action == action


@pytest.mark.parametrize(
    ("text", "language", "items", "action"),
    [
        # The shop's list has its own words for what the buyer calls an apron.
        ("Please cancel the apron.", "en", ("リネンのエプロン",), "draft"),
        ("请取消围裙。", "zh", ("リネンのエプロン",), "draft"),
        ("Please cancel the apron.", "en", ("Linen apron",), "draft"),
        ("Please cancel the lamp.", "en", ("Linen apron",), "hold"),
        ("Please cancel the apron.", "en", ("リネンのエプロン", "有田焼の茶碗"), "hold"),
        # Of several things, what is said to stay keeps the rest from being cancelled with it.
        ("I wish to cancel my order. The blue one I keep.", "en", ("リネンのエプロン", "有田焼の茶碗"), "hold"),
        ("请取消订单，其他的照发。", "zh", ("リネンのエプロン", "タオル"), "hold"),
        ("I wish to cancel my order.", "en", ("リネンのエプロン", "有田焼の茶碗"), "draft"),
        ("Please cancel express shipping.", "en", ("リネンのエプロン",), "hold"),
        ("Please cancel my dentist appointment.", "en", ("リネンのエプロン",), "hold"),
    ],
)
def test_what_a_shop_calls_in_its_own_language_may_be_called_anything(
    text: str, language: Language, items: tuple[str, ...], action: str
) -> None:
    order = make_order(order_id="8237", status="paid", items=tuple(map(Item, items)))
    message = make_message(language=language, subject="8237", new_text=text, text=text)
    reading = default_pack().read(message, items, order.order_id)
    assert judged(default_pack(), message, order, reading=reading).action == action


@pytest.mark.parametrize(
    ("text", "language", "action"),
    [
        ("May I cancel the order I've just paid for?", "en", "draft"),
        ("Scrap my order, thanks.", "en", "draft"),
        ("I'd be grateful if you'd cancel it and not send anything to the house.", "en", "draft"),
        ("麻烦撤销我的订单，谢谢。", "zh", "draft"),
        ("老闆你好 剛剛跟家人討論過 家裡真的放不下這張桌子 訂單取消掉好嗎", "zh", "draft"),
        ("全部キャンセル、全額返金で。", "ja", "draft"),
        ("誤注文につきキャンセル。", "ja", "draft"),
        # What was cancelled is what is to be undone; who has it may keep it.
        ("I sent you a cancellation yesterday. Please undo it.", "en", "hold"),
        (
            "もう飛行機に載ったのならこのまま受け取ります。まだ日本を出ていないようでしたら、注文は無しにしてください。",
            "ja",
            "hold",
        ),
        ("Hypothetically, say a man wants to cancel his order. What then?", "en", "hold"),
    ],
)
def test_what_is_ordered_briefly_is_not_doubted(text: str, language: Language, action: str) -> None:
    order = make_order(order_id="8237", status="paid")
    message = make_message(language=language, subject="8237", new_text=text, text=text)
    reading = default_pack().read(message, [item.name for item in order.items], order.order_id)
    assert judged(default_pack(), message, order, reading=reading).action == action


@pytest.mark.parametrize(
    ("text", "language", "outcome"),
    [
        ("取消8237，谢", "zh", ("draft", "cancel_before_ship")),
        ("8237请帮我删掉，谢谢。", "zh", ("draft", "cancel_before_ship")),
        ("整单退掉吧，8237一件都不用寄。", "zh", ("draft", "cancel_before_ship")),
        (
            "So please don't mail the apron, I bought it for my son and he has one.",
            "en",
            ("draft", "cancel_before_ship"),
        ),
        ("Please cancel my Friday evening order.", "en", ("draft", "cancel_before_ship")),
        ("Please cancel quietly, my wife should not hear of it.", "en", ("draft", "cancel_before_ship")),
        ("Please don't ship the apron before Monday, we are away.", "en", ("hold", None)),
        ("运输险请退掉，当时勾错了。", "zh", ("hold", None)),
    ],
)
def test_an_order_is_given_up_in_many_words(text: str, language: Language, outcome: tuple[str, str | None]) -> None:
    message = make_message(text, subject="", language=language)
    order = make_order("8237", status="paid", items=(Item("Linen apron" if language == "en" else "亚麻围裙"),))
    decision = judged(default_pack(), message, order)
    assert decision.action == outcome[0]
    assert outcome[1] in (None, decision.situation)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('My husband says "cancel that order!" whenever a box of yours comes. Looking forward to my bowls!', "en"),
        ("客服说“缺货只能取消”，我选择等，等多久都可以。", "zh"),
        ("妹が「姉の注文をキャンセルして」と言ったそうですが、届くのを楽しみにしております。", "ja"),
    ],
)
def test_who_waits_for_the_goods_gives_nothing_up(text: str, language: Language) -> None:
    message = make_message(text, subject="", language=language)
    assert judged(default_pack(), message, make_order(status="paid")).action != "draft"


def test_a_mere_question_is_answered_by_no_cancel() -> None:
    # Whatever the story around it looks like.
    text = "您好！我是在上海的越南人，中文写得不好。我买雨伞，付钱了，八天。我的雨伞，店里发货了吗？"
    decision = judged(default_pack(), make_message(text, subject="", language="zh"), make_order(status="paid"))
    assert "cancel" not in decision.situation


def test_a_story_around_a_receipt_raises_no_doubt() -> None:
    text = (
        "It's my first job and my first business trip, and I've bought the host gift from you as told. I had no idea you "
        "have to collect papers for everything! The trip gets closed on Monday. Could I please, please have the receipt "
        "for 1042? My full name is Tomasz Gorski, in case it goes on there."
    )
    message = make_message(text, subject="", language="en")
    decision = judged(default_pack(), message, make_order(status="paid"), by_number=True)
    assert (decision.action, decision.situation) == ("draft", "invoice_receipt")


def test_a_letter_may_order_in_a_sentence_of_its_own() -> None:
    text = (
        "I'm 79 and on a walking frame now. My balance isn't what it was, so the girl from the council came round and "
        "took up every mat and rug in the bungalow, and told me off about the ones by the bath. No sense in a new one "
        "coming, is there, she would only roll it up. Stop my order then, dear, and let somebody else have it. Mind how "
        "you go."
    )
    decision = judged(default_pack(), make_message(text, subject="", language="en"), make_order(status="paid"))
    assert (decision.action, decision.situation) == ("draft", "cancel_before_ship")
