"""A mail put into a command folder by MOVE, by COPY with the original removed a moment later, and by COPY with the original
removed hours later: the daemon looks after each word the client says, and the mail is back in the inbox at the end."""

from __future__ import annotations

import pytest

from tests.clients.story import Story
from tests.clients.test_approving import Begin
from tests.journeys.shop import subject_of
from tests.journeys.test_command_folders import SOLD_OUT, notification

MARK = "新しい注文"


@pytest.mark.parametrize("client", ["thunderbird", "claws", "neomutt"])
def test_dropped_the_mail_is_back_and_no_client_takes_it_away_later(make_story: Begin, client: str) -> None:
    story = make_story(client)
    story.shop.order("1043", buyer_mail="ken@mail.example")
    story.hand.orders.refresh()
    story.shop.buyer_writes("", raw=notification("1043", "ken@mail.example"))
    story.wait(1)
    drop(story)
    story.wait(60)
    if "sync" in story.client.habits.acts:
        story.do("sync")  # only now the server hears that the mail has left the inbox
    story.wait(60)
    assert story.shop.lies_in(SOLD_OUT) == []
    assert len([one for one in story.shop.lies_in("INBOX") if MARK in subject_of(one.raw)]) == 1
    assert len(story.shop.drafts()) == 2
    assert [note.splitlines()[0] for note in story.shop.notes() if "下書きを1件" not in note] == []


def drop(story: Story) -> None:
    """The mail with the mark is put there as this client moves mails."""
    (uid,) = [one.uid for one in story.shop.lies_in("INBOX") if MARK in subject_of(one.raw)]
    story.client.line.say("SELECT INBOX")
    story.client.held, story.client.left = uid, []
    for line in story.client.habits.acts["move"]:
        story.client.say(line.replace("Approved", "Command"))
        story.look()
