"""Staff who press Send, delete, or let go of a draft in their client: what it says on the wire, and what is left."""

from __future__ import annotations

import pytest

from tests.clients.client import everyone
from tests.clients.story import TYPED
from tests.clients.test_approving import APPROVED, Begin, clients, synced
from tests.journeys.shop import BUYER, text_of

LEAVES_ITS_DRAFT = "k9"


@clients("send")
def test_sent_from_the_client_it_is_theirs(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open", "send")
    leftovers = int(client == LEAVES_ITS_DRAFT)
    synced(story)
    story.wait(30)
    story.assert_theirs(leftovers=leftovers)
    story.wait(1200)
    story.assert_theirs(leftovers=leftovers)
    assert len(story.shop.notes()) == leftovers


@pytest.mark.parametrize("client", ["thunderbird", "neomutt", "claws"])
def test_edited_saved_and_sent_from_the_client(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open")
    story.type()
    story.do("save")
    story.wait(200)
    story.do("send")
    synced(story)
    story.wait(30)
    story.assert_theirs(leftovers=int(client == LEAVES_ITS_DRAFT))
    assert TYPED in text_of(story.shop.sink.mails[0].raw)


@clients("send_later", "send_unsent")
def test_sent_later_it_is_gone_for_nine_minutes_and_theirs_then(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open", "send_later")
    story.wait(540)
    story.assert_nothing_sent()
    assert story.hand.states() == {"vanished": 1}
    assert story.shop.drafts() == []
    story.do("send_unsent")
    story.wait(30)
    story.assert_theirs()
    assert story.shop.notes() == []


@clients("send_refused", "move")
def test_refused_by_the_server_the_window_stays_and_the_draft_can_still_be_approved(
    make_story: Begin, client: str
) -> None:
    story = make_story(client)
    story.do("open")
    story.shop.sink.fail("rcpt", "550 5.1.1 no such user")
    story.do("send_refused")
    story.wait(600)
    story.assert_nothing_sent()
    if "save_refused" in story.client.habits.acts:  # the text was left in the window only
        assert story.hand.states() == {"vanished": 1}
        story.do("save_refused")
    story.do("move")
    story.wait(40)
    story.assert_sent_once()


@pytest.mark.parametrize("client", everyone("move", "send", tried_only=True))
def test_approved_and_then_sent_from_the_window_that_was_still_open(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open", "move")
    story.wait(10)
    story.do("send")
    synced(story)
    story.wait(600)
    assert len(story.shop.sink.mails) == 1
    assert len(story.shop.lies_in("Sent")) == 1
    assert story.shop.answered(story.asked)
    assert story.hand.states() == {"sent_by_staff": 1}
    assert story.shop.lies_in(APPROVED) == []


@pytest.mark.parametrize("client", everyone("delete", tried_only=True))
def test_deleted_it_is_refused_and_never_written_again(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open", "delete")
    synced(story)
    story.wait(30)
    story.assert_nothing_sent()
    assert story.hand.states() == {"discarded": 1}
    story.wait(1200)
    assert story.shop.drafts() == []
    assert story.shop.notes() == []


@clients("delete_hidden", "undelete", "move")
def test_deleted_in_place_it_is_gone_and_back_once_that_is_undone(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open", "delete_hidden")
    story.wait(400)
    story.assert_nothing_sent()
    assert story.hand.states() == {"vanished": 1}
    story.do("undelete")
    story.wait(30)
    assert story.hand.states() == {"drafted": 1}
    story.do("move")
    story.wait(40)
    story.assert_sent_once()


@clients("discard")
def test_discarded_past_trash_it_is_unknown_and_never_written_again(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open", "discard")
    story.wait(1200)
    story.assert_nothing_sent()
    assert story.hand.states() == {"vanished": 1}
    assert story.shop.drafts() == []
    assert story.shop.notes() == []


@clients("edit_as_new", "delete", "send")
def test_one_of_two_texts_deleted_is_no_refusal_of_the_other(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open")
    story.type()
    story.do("edit_as_new")
    other = story.client.line.told
    story.do("delete")
    story.wait(30)
    assert story.hand.states() == {"drafted": 1}
    story.client.held = other
    story.do("send")
    story.wait(30)
    story.assert_theirs()


@pytest.mark.parametrize("client", ["thunderbird", "neomutt", "claws"])
def test_a_draft_taken_back_that_the_client_writes_again_is_left_alone(make_story: Begin, client: str) -> None:
    story = make_story(client)
    answer = (
        f"From: shop@minato-zakka.example\r\nTo: {BUYER}\r\nSubject: Re: 1042\r\nMessage-ID: <own@client.example>\r\n"
        f"In-Reply-To: {story.asked}\r\nReferences: {story.asked}\r\n\r\nOK 1042\r\n"
    )
    story.client.line.say("APPEND Sent (\\Seen)", answer.encode())
    story.wait(10)
    assert story.shop.drafts() == []
    story.type()
    story.do("save")
    story.wait(300)
    assert len(story.shop.drafts()) == 1
    story.wait(700)
    (note,) = story.shop.notes()
    assert "終わった件の下書き" in note
    story.do("move")
    synced(story)
    story.wait(60)
    assert story.shop.sink.mails == []
    assert story.shop.lies_in(APPROVED) == []
    assert len(story.shop.drafts()) == 1
    assert "この件は終わっています" in story.shop.notes()[-1]


@pytest.mark.parametrize("client", ["thunderbird", "neomutt", "claws", "outlook"])
def test_a_draft_replaced_under_an_open_window_makes_two_and_neither_goes_out_unseen(
    make_story: Begin, client: str
) -> None:
    """The window was opened a moment before the buyer wrote again, and its mark came too late."""
    story = make_story(client)
    story.shop.buyer_writes(
        "追伸です。注文番号1042のキャンセル、急ぎでお願いします。",
        headers={"In-Reply-To": story.asked, "References": story.asked},
    )
    story.wait(10)
    (replacement,) = story.shop.drafts()
    assert replacement.uid != story.draft.uid
    story.type()
    story.do("save")
    story.wait(60)
    assert len(story.shop.drafts()) == 2
    story.do("move")
    synced(story)
    story.wait(60)
    assert story.shop.sink.mails == []
    note = story.shop.notes()[-1]
    if not story.shop.lies_in(APPROVED):
        assert "新しい下書きがあります" in note
    else:
        # The other one is removed: what staff wrote does not know of the buyer's second mail.
        story.client.held = replacement.uid
        story.do("delete")
        story.wait(60)
        assert story.shop.sink.mails == []
        assert "さらにメールが届いています" in story.shop.notes()[-1]
    assert story.shop.lies_in(APPROVED) == []


@pytest.mark.parametrize("client", ["thunderbird", "claws"])
def test_deleted_and_then_sent_from_the_window_that_was_still_open(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open", "delete")
    story.wait(30)
    assert story.hand.states() == {"discarded": 1}
    story.do("send")
    story.wait(30)
    assert len(story.shop.sink.mails) == 1
    assert len(story.shop.lies_in("Sent")) == 1
    assert story.shop.answered(story.asked)
    assert story.shop.drafts() == []
    assert "sent_by_staff" in story.shop.kinds()


@pytest.mark.parametrize("act", ["send", "delete"])
@pytest.mark.parametrize("client", everyone("save", "send", "delete", tried_only=True))
def test_a_daemon_killed_after_every_command_of_the_client_comes_to_the_same_end(
    make_story: Begin, client: str, act: str
) -> None:
    story = make_story(client, mortal=True)
    story.do("open")
    story.type()
    story.do("save", act)
    synced(story)
    story.wait(200)
    story.wait(200)
    if act == "send":
        story.assert_theirs()
    else:
        story.assert_nothing_sent()
        assert story.hand.states() == {"discarded": 1}
        assert story.shop.drafts() == []


def test_every_client_has_an_answer_for_every_row() -> None:
    """The four that were tried do every act; those known from documents say which they cannot do."""
    acts = {"read", "open", "close", "save", "send", "send_refused", "move", "move_back", "star", "delete"}
    assert len(everyone(*acts, tried_only=True)) == 4
    assert len(everyone("save", "send", "star")) == 8
    assert set(everyone("save")) - set(everyone("move")) == {"gmail"}
    assert set(everyone("save")) - set(everyone("delete")) == {"gmail"}
    assert everyone("autosave", tried_only=True) == ["claws", "roundcube", "thunderbird"]
