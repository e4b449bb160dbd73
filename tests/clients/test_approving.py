"""Every client the staff may use, from the draft in Drafts to what the buyer gets."""

from __future__ import annotations

import email
from collections.abc import Callable

import pytest
from imapclient.imap_utf7 import encode as encode_utf7

from tests.clients.client import everyone
from tests.clients.story import TYPED, Story
from tests.journeys.shop import ADDRESS, header_of, text_of

Begin = Callable[..., Story]
APPROVED = "承認"


def clients(*acts: str) -> pytest.MarkDecorator:
    """For every client that does these acts."""
    return pytest.mark.parametrize("client", everyone(*acts))


def synced(story: Story) -> None:
    """Those that wait with it now tell the server what they have removed."""
    if "sync" in story.client.habits.acts:
        story.do("sync")


@pytest.mark.parametrize("client", ["thunderbird", "roundcube", "neomutt", "claws", "outlook"])
def test_opened_and_moved_as_it_is_goes_out_once(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("read", "open", "close", "move")
    story.wait(29)
    story.assert_nothing_sent()
    story.wait(2)
    mail = story.assert_sent_once()
    assert text_of(mail) == story.draft_text
    synced(story)
    story.wait(600)
    story.assert_sent_once()
    assert story.shop.notes() == []


@clients("save", "move")
def test_edited_saved_and_moved_goes_out_as_staff_left_it(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open")
    story.type()
    story.do("save")
    story.wait(60)
    story.assert_nothing_sent()
    synced(story)
    story.do("move")
    story.wait(40)
    mail = story.assert_sent_once(says=TYPED)
    assert header_of(mail, "From").endswith(f"<{ADDRESS}>")
    assert header_of(mail, "References").split()[-1] == story.asked
    synced(story)
    story.wait(600)
    story.assert_sent_once(says=TYPED)
    assert story.shop.notes() == []


@pytest.mark.parametrize("client", everyone("autosave", "move", tried_only=True))
def test_half_typed_text_is_never_sent_and_the_last_one_is(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open")
    for half in ("担当の", "担当の佐藤が承", TYPED):
        story.client.text = half + story.draft_text
        story.do("autosave")
    story.wait(400)
    story.assert_nothing_sent()
    assert len(story.shop.drafts()) == 1
    assert story.hand.states() == {"drafted": 1}
    story.do("move")
    story.wait(40)
    story.assert_sent_once(says=TYPED)
    assert story.shop.notes() == []


@pytest.mark.parametrize("client", ["thunderbird", "neomutt", "claws"])
def test_a_daemon_killed_after_every_command_of_the_client_sends_once(make_story: Begin, client: str) -> None:
    story = make_story(client, mortal=True)
    story.do("open")
    story.type()
    story.do("save")
    synced(story)
    story.do("move")
    story.mortal = False  # each start begins the quiet time anew
    story.look()
    story.wait(40)
    story.assert_sent_once(says=TYPED)
    story.mortal = True
    synced(story)
    story.wait(600)
    story.assert_sent_once(says=TYPED)
    assert story.shop.notes() == []


@clients("save_jis", "move")
def test_text_in_iso_2022_jp_goes_out_as_it_was_written(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.type()
    story.do("save_jis", "sync", "move")
    story.wait(40)
    mail = story.assert_sent_once(says=TYPED)
    assert text_of(mail).replace("\r\n", "\n") == story.client.text
    assert b"iso-2022-jp" in mail.lower()


@clients("save_wrapped", "move")
def test_a_draft_whose_lines_the_client_broke_goes_out_so(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open", "save_wrapped", "move")
    story.wait(40)
    mail = text_of(story.assert_sent_once())
    assert mail != story.draft_text
    assert "".join(mail.split()) == "".join(story.draft_text.split())


@clients("save_page", "move")
def test_a_draft_saved_as_a_page_goes_out_with_a_plain_part_too(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open")
    story.type()
    story.do("save_page", "move")
    story.wait(40)
    mail = story.assert_sent_once(says=TYPED)
    assert b"multipart/alternative" in mail
    assert b"text/html" in mail


@clients("save_marked", "move")
def test_our_own_fields_kept_by_a_preference_do_not_leave(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open")
    story.type()
    story.do("save_marked", "move")
    story.wait(40)
    assert b"X-Responder" in story.client.written[-1]
    story.assert_sent_once(says=TYPED)


@clients("move", "move_back")
def test_moved_back_within_the_quiet_time_it_stays(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open", "move")
    story.wait(20)
    story.do("move_back")
    synced(story)
    story.wait(600)
    story.assert_nothing_sent()
    assert len(story.shop.drafts()) == 1
    assert story.hand.states() == {"drafted": 1}
    assert story.shop.notes() == []


@pytest.mark.parametrize("client", everyone("save", "move", "delete", tried_only=True))
def test_typed_on_after_moving_nothing_goes_out_until_one_of_the_two_is_gone(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open", "move")
    story.type("まだ書いています。")
    story.do("save")
    story.wait(120)
    story.assert_nothing_sent()
    (note,) = story.shop.notes()
    assert "下書きフォルダに別の文章" in note
    story.do("delete")
    story.wait(40)
    story.assert_sent_once()
    assert len(story.shop.notes()) == 1


@clients("move", "edit_as_new")
def test_edited_as_new_in_approved_waits_for_a_choice(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("move")
    story.type("やはり書き直します。")
    story.do("edit_as_new")
    story.wait(120)
    story.assert_nothing_sent()
    assert len(story.shop.notes()) == 1
    assert len(story.shop.lies_in(APPROVED)) == 1
    assert len(story.shop.drafts()) == 1


@pytest.mark.parametrize("client", ["thunderbird", "neomutt"])
def test_a_star_means_nothing(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open", "star")
    story.wait(600)
    story.assert_nothing_sent()
    assert [d.uid for d in story.shop.drafts()] == [story.draft.uid]


@pytest.mark.parametrize("client", ["thunderbird", "neomutt"])
def test_where_a_star_approves_an_edit_takes_it_back(make_story: Begin, client: str) -> None:
    story = make_story(client, by_star=True)
    story.do("open", "star")
    story.wait(30)
    story.type()
    story.do("save")
    synced(story)
    story.wait(600)
    story.assert_nothing_sent()
    story.do("star")
    story.wait(65)
    story.wait(40)
    story.assert_sent_once(says=TYPED)


@clients("save", "move", "sync")
def test_an_edit_whose_old_copy_is_not_yet_removed_waits_for_it(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.type()
    story.do("save", "move")
    story.wait(300)
    story.assert_nothing_sent()
    (note,) = story.shop.notes()
    assert "下書きフォルダに別の文章" in note
    story.do("sync")
    story.wait(40)
    story.assert_sent_once(says=TYPED)


@pytest.mark.parametrize("client", ["thunderbird", "claws"])
def test_a_hidden_recipient_is_not_sent_to_and_where_answers_go_is_kept(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open")
    hidden = b"Bcc: else@else.example\r\n"
    more = hidden + b"Reply-To: support@minato-zakka.example\r\n"
    story.client.raw = more + story.client.raw
    story.do("save")
    synced(story)
    story.do("move")
    synced(story)
    story.wait(40)
    story.assert_nothing_sent()
    assert "宛先" in story.shop.notes()[-1]
    assert story.shop.lies_in(APPROVED) == []
    (returned,) = story.shop.drafts()
    story.client.load(returned.uid, returned.raw.replace(hidden, b""))
    story.do("save")
    synced(story)
    story.do("move")
    story.wait(40)
    assert header_of(story.assert_sent_once(), "Reply-To") == "<support@minato-zakka.example>"


@clients("save_bare", "move")
def test_without_any_id_of_the_thread_it_comes_back_with_a_note(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.do("open")
    story.type()
    story.do("save_bare", "move")
    story.wait(600)
    story.assert_nothing_sent()
    assert story.shop.lies_in(APPROVED) == []
    (note,) = story.shop.notes()
    assert "responder の下書きではありません" in note
    (returned,) = story.shop.drafts()
    assert TYPED in text_of(returned.raw)


def test_what_a_client_is_given(make_story: Begin) -> None:
    r"""`\Draft` and unread; plain text without blanks at line ends; nothing internal but a random token; both mailboxes
    subscribed; what staff must know beside the buyer's mail and not in the draft."""
    story = make_story("thunderbird")
    assert story.draft.flags == {"\\Draft"}
    message = email.message_from_bytes(story.draft.raw)
    assert message.get_content_type() == "text/plain"
    assert not [line for line in story.draft_text.splitlines() if line != line.rstrip()]
    assert [name for name in message if name.lower().startswith("x-")] == ["X-Responder-Case"]
    assert "cancel" not in message["X-Responder-Case"]
    listed = b"".join(story.client.line.say('LSUB "" "*"'))
    assert encode_utf7(APPROVED) in listed
    assert b"Responder" in listed
    notes = story.shop.lies_in("Responder")
    assert notes
    assert all(header_of(note.raw, "In-Reply-To") == story.asked for note in notes)
