"""Staff are told when responder itself cannot work: once, with what to do, and once more when it is over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from responder.cli import cli
from responder.config.file import ShopTable
from responder.daemon import Daemon
from responder.edges.journal import JournalUnavailable, notes
from responder.errors import ConnectionLost, LoginRefused, Mistake
from responder.flows import troubles
from responder.flows.bulletin import Bulletin
from tests.journeys.by_hand import ByHand
from tests.journeys.shop import BUYER, Shop, subject_of, text_of

OWNER = "owner@elsewhere.example"


class Told(ByHand):
    """The shop by hand, with the bulletin beside it."""

    def __init__(self, shop: Shop, alert_to: tuple[str, ...] = ()) -> None:
        super().__init__(shop)
        self.settings = replace(self.settings, shop=replace(self.settings.shop, alert_to=alert_to))
        self.restart()

    def restart(self) -> None:
        """What the bulletin remembers is in the journal, or gone."""
        self.bulletin = Bulletin(self.journal, lambda: self.now, lambda: None)
        self.bulletin.open()

    def fails(self, exc: Exception, *, after_s: float = 0.0) -> None:
        self.later(after_s)
        self.bulletin.turn_failed("main", exc, self.settings, None)
        self.publish()

    def is_well(self, *, after_s: float = 0.0) -> None:
        self.later(after_s)
        self.bulletin.turn_went_well("main")
        self.publish("main")
        self.turn(after_s=0)

    def publish(self, *connected: str) -> None:
        self.bulletin.publish(self.settings, connected, set())

    def noted(self) -> list[str]:
        """The subjects of all notes."""
        return [note.split("\n", 1)[0] for note in self.shop.all_notes()]

    def alerts(self) -> list[str]:
        """The subjects of the mails to the owner."""
        return [subject_of(m.raw) for m in self.shop.sink.mails if m.recipients == (OWNER,)]


@pytest.fixture
def told(quick_shop: Shop) -> Iterator[Callable[..., Told]]:
    made: list[Told] = []

    def make(alert_to: tuple[str, ...] = ()) -> Told:
        made.append(Told(quick_shop, alert_to))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_refused_login_goes_by_mail_once_and_once_more_when_it_is_over(told: Callable[..., Told]) -> None:
    """The whole program: it ends with 77 twice, and staff hear of it once."""
    hand = told((OWNER,))
    shop, (account,) = hand.shop, hand.settings.accounts
    wrong = replace(hand.settings, accounts=(replace(account, imap_secret=lambda: "not the password"),))
    for _ in range(2):
        daemon = Daemon(wrong, hand.orders, reload_settings=lambda settings: settings, clock=lambda: hand.now)
        assert daemon.run() == 77
    (alert,) = shop.sink.mails
    assert alert.recipients == (OWNER,)
    headers = message_from_bytes(alert.raw)
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["To"].strip("<>") == OWNER
    assert "127.0.0.1" in text_of(alert.raw)
    assert "対応:" in text_of(alert.raw)
    assert health(hand) == (1, ["fetching"])
    hand.is_well(after_s=60)
    hand.is_well(after_s=400)
    hand.is_well(after_s=400)
    assert len(hand.alerts()) == 2
    assert "再開" in hand.alerts()[-1]
    (note,) = shop.all_notes()
    assert "受信できませんでした" in note
    assert health(hand)[1] == []


def health(hand: Told) -> tuple[int, list[str]]:
    """Exit code and troubles of `status --health`."""
    with patch("responder.cli.showing.load_settings", lambda *_args, **_more: hand.settings):
        result = CliRunner().invoke(cli, ["status", "--health", "--json"])
    entries = [json.loads(line) for line in result.output.splitlines()]
    return result.exit_code, [entry["trouble"] for entry in entries if "trouble" in entry]


def test_a_server_that_is_away_for_a_moment_is_nobodys_business(told: Callable[..., Told]) -> None:
    hand = told((OWNER,))
    hand.fails(ConnectionLost("gone"))
    hand.fails(ConnectionLost("gone"), after_s=300)
    hand.is_well(after_s=60)
    hand.is_well(after_s=600)
    assert hand.alerts() == []
    assert hand.noted() == []


def test_what_fails_and_works_by_turns_is_one_trouble(told: Callable[..., Told]) -> None:
    hand = told((OWNER,))
    for _ in range(4):
        hand.fails(ConnectionLost("gone"), after_s=120)
        hand.fails(ConnectionLost("gone"), after_s=301)
        hand.is_well(after_s=60)
        hand.restart()
    assert len(hand.alerts()) == 1
    hand.is_well(after_s=299)
    assert len(hand.alerts()) == 1
    hand.is_well(after_s=2)
    hand.is_well(after_s=900)
    assert len(hand.alerts()) == 2
    assert len(hand.noted()) == 1


def test_another_cause_of_the_same_trouble_is_told_too(told: Callable[..., Told]) -> None:
    hand = told((OWNER,))
    hand.fails(ConnectionLost("gone"))
    hand.fails(ConnectionLost("gone"), after_s=700)
    hand.fails(LoginRefused("no"), after_s=60)
    hand.fails(ConnectionLost("gone"), after_s=60)
    hand.fails(LoginRefused("no"), after_s=60)
    assert len(hand.alerts()) == 2


def test_without_an_address_the_other_accounts_notes_tell_it(told: Callable[..., Told]) -> None:
    hand = told()
    (account,) = hand.settings.accounts
    hand.settings = replace(hand.settings, accounts=(account, replace(account, name="second")))
    hand.bulletin.turn_failed("main", LoginRefused("no"), hand.settings, None)
    hand.publish()
    with hand.journal.reading() as tx:
        assert notes.waiting(tx, "second") == []
    for _ in range(2):
        hand.publish("second")
        with hand.journal.reading() as tx:
            ((_, _, raw),) = notes.waiting(tx, "second")
            assert notes.waiting(tx, "main") == []
    assert "（main）" in subject_of(raw)


def test_never_more_than_a_few_mails_an_hour(told: Callable[..., Told], monkeypatch: pytest.MonkeyPatch) -> None:
    hand = told((OWNER,))
    monkeypatch.setattr(troubles, "CALM", timedelta(0))
    for _ in range(40):
        hand.fails(LoginRefused("no"), after_s=1)
        hand.bulletin.turn_went_well("main")
        hand.publish()
    assert len(hand.alerts()) <= troubles.MAILS_AN_HOUR + 1


def test_a_mail_that_does_not_get_out_waits(told: Callable[..., Told], monkeypatch: pytest.MonkeyPatch) -> None:
    hand = told((OWNER,))
    hand.shop.sink.fail("rcpt", "451 later")
    hand.fails(LoginRefused("no"))
    assert hand.alerts() == []
    hand.publish()
    assert hand.alerts() == [], "not at once again"
    hand.restart()
    hand.publish()
    hand.publish()
    assert len(hand.alerts()) == 1


def test_sending_that_is_refused_is_told_once_and_once_more_when_it_works(told: Callable[..., Told]) -> None:
    hand = told()
    shop = hand.shop
    shop.order("1042")
    hand.orders.refresh()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    hand.turn()
    shop.approve(shop.wait_for_draft())
    password, shop.sink.logins = shop.sink.logins["shop"], {"shop": "changed"}
    (account,) = hand.settings.accounts
    assert hand.desk is not None
    hand.desk.account = replace(hand.desk.account, smtp_secret=lambda: password)
    hand.settings = replace(hand.settings, accounts=(replace(account, smtp_secret=lambda: password),))
    for _ in range(5):
        hand.turn_and_send()
        hand.publish("main")
        hand.restart()
        hand.later(3600)
    hand.turn()
    (note,) = shop.notes()
    assert "ログイン" in note
    assert "対応:" in note
    assert BUYER not in note
    assert health(hand) == (1, ["sending"])
    shop.sink.logins = {"shop": password}
    hand.turn_and_send()
    hand.publish("main")
    hand.later(400)
    hand.publish("main")
    hand.turn()
    assert len(shop.sink.mails) == 1
    assert len(shop.notes()) == 2
    assert "送信できるようになりました" in shop.notes()[-1]


def test_where_nothing_waits_to_be_sent_the_login_is_tried_now_and_then(told: Callable[..., Told]) -> None:
    hand = told()
    with hand.journal.light() as tx:
        note = troubles.Reason.of("sending_stopped", account="main")
        troubles.begins(tx, "main", "sending", note, now=hand.now)
    hand.publish("main")
    assert hand.shop.sink.logged_in == 0
    hand.later(1900)
    hand.publish("main")
    hand.publish("main")
    assert hand.shop.sink.logged_in == 1
    hand.later(400)
    hand.publish("main")
    hand.turn()
    assert len(hand.noted()) == 2


FULL = JournalUnavailable("OperationalError")


def test_a_full_disk_is_told_in_the_notes_although_the_journal_cannot_keep_it(told: Callable[..., Told]) -> None:
    hand = told((OWNER,))
    hand.bulletin.turn_failed("main", FULL, hand.settings, hand.desk)
    assert hand.noted() == []
    for _ in range(3):
        hand.later(31)
        hand.bulletin.turn_failed("main", FULL, hand.settings, hand.desk)
        hand.restart()
    assert len(hand.noted()) == 1
    assert health(hand) == (1, ["journal"])
    hand.is_well()
    hand.is_well()
    assert len(hand.noted()) == 2
    assert hand.alerts() == []
    assert health(hand)[1] == []


def test_a_full_disk_is_told_by_mail_where_the_line_is_gone(told: Callable[..., Told]) -> None:
    hand = told((OWNER,))
    for _ in range(4):
        hand.later(31)
        hand.bulletin.turn_failed("main", FULL, hand.settings, None)
    assert len(hand.alerts()) == 1
    hand.is_well()
    assert len(hand.alerts()) == 2


def test_broken_rules_are_told_once_each_and_once_when_all_are_well(told: Callable[..., Told]) -> None:
    hand = told()
    first, second = (Mistake("rules.toml", line, "rule[0].situation", "missing_key") for line in (3, 9))
    for mistakes in ((first,), (first,), (first, second), (second,)):
        hand.bulletin.mistakes("rules", mistakes, hand.settings)
        hand.publish("main")
        hand.turn()
    assert len(hand.noted()) == 2
    for _ in range(2):
        hand.bulletin.in_order("rules")
        hand.publish("main")
        hand.turn()
    assert len(hand.noted()) == 3
    hand.bulletin.mistakes("rules", (first,), hand.settings)
    hand.publish("main")
    hand.turn()
    assert len(hand.noted()) == 4


def test_a_mailbox_that_takes_no_notes_is_told_by_mail(told: Callable[..., Told]) -> None:
    hand = told((OWNER,))
    with hand.journal.light() as tx:
        note = troubles.Reason.of("notes_refused", account="main", folder="Responder", text="Quota exceeded")
        troubles.begins(tx, "main", "notes", note, now=hand.now)
    hand.publish("main")
    assert len(hand.alerts()) == 1
    assert hand.noted() == []


def test_an_unknown_outcome_that_is_cleared_up_is_told(told: Callable[..., Told]) -> None:
    hand = told()
    shop = hand.shop
    shop.order("1042")
    hand.orders.refresh()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    hand.turn()
    shop.approve(shop.wait_for_draft())
    shop.sink.fail("dot", drop=True, kept=True)
    hand.turn_and_send(2)
    hand.turn(after_s=150)
    assert "不明" in shop.notes()[-1] or "分かりません" in shop.notes()[-1]
    with shop.staff() as client:
        client.append("Sent", shop.sink.mails[0].raw)
    hand.turn(after_s=40)
    assert "送信されていました" in shop.notes()[-1]
    assert len(shop.sink.mails) == 1


def test_the_configuration_takes_one_address_or_several() -> None:
    assert ShopTable.model_validate({"name": "x", "alert_to": OWNER}).alert_to == [OWNER]
    assert ShopTable.model_validate({"name": "x", "alert_to": [OWNER, "a@b.example"]}).alert_to == [
        OWNER,
        "a@b.example",
    ]
    with pytest.raises(ValueError, match="alert_to"):
        ShopTable.model_validate({"name": "x", "alert_to": "nobody"})
