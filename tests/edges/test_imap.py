"""The IMAP session against the embedded server and a real Dovecot, each with and without its extensions."""

from __future__ import annotations

import contextlib
import selectors
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from responder.demo.servers import EmbeddedAccount, EmbeddedServers
from responder.edges.imap import PartlyAppended, Session, locate, spell
from responder.errors import CommandRefused, ConnectionLost, LoginRefused
from tests.conftest import FOLDERS, PASSWORD
from tests.servers.dovecot import Dovecot

EXTENSIONS = (
    "UIDPLUS",
    "MOVE",
    "IDLE",
    "SPECIAL-USE",
    "MULTIAPPEND",
    "CONDSTORE",
    "LITERAL+",
    "LIST-EXTENDED",
    "ESEARCH",
)
Any_ = EmbeddedServers | Dovecot


def letter(number: int = 1, *, message_id: str | None = None, body: str = "おはようございます") -> bytes:
    """A small mail as a client would write it."""
    message_id = message_id or f"<mail-{number}@example.com>"
    return (
        f"From: buyer@example.com\r\nTo: shop@example.jp\r\nSubject: No {number}\r\nMessage-ID: {message_id}\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    ).encode()


@pytest.fixture(params=["embedded", "embedded-bare", "dovecot", "dovecot-bare"])
def server(request: pytest.FixtureRequest) -> Iterator[Any_]:
    """The same tests for every kind of server; the bare ones lack every extension we can do without."""
    without = EXTENSIONS if request.param.endswith("bare") else ()
    if request.param.startswith("dovecot"):
        make: Callable[..., Dovecot] = request.getfixturevalue("make_dovecot")
        yield make(without=without)
        return
    with EmbeddedServers(
        [EmbeddedAccount("shop", PASSWORD, ("shop@example.jp",), FOLDERS)], without=without
    ) as servers:
        yield servers


@pytest.fixture
def session(server: Any_) -> Iterator[Session]:
    """A logged-in session of `shop`."""
    with Session.connect(server.imap("shop"), lambda: PASSWORD, read_timeout_s=20) as session:
        yield session


def held(server: Any_, mailbox: str) -> list[bytes]:
    """The mails of a mailbox as the server holds them."""
    return [mail.raw for mail in server.boxes("shop").get(mailbox, ())]


def flags_of(server: Any_, mailbox: str, uid: int) -> frozenset[str]:
    """The flags of one mail as the server holds them."""
    return next(mail.flags for mail in server.boxes("shop")[mailbox] if mail.uid == uid)


def test_a_wrong_password_is_a_refused_login(server: Any_) -> None:
    with pytest.raises(LoginRefused):
        Session.connect(server.imap("shop"), lambda: "wrong")


def test_line_breaks_in_a_password_never_reach_the_wire(server: Any_) -> None:
    with pytest.raises(LoginRefused, match="control"):
        Session.connect(server.imap("shop"), lambda: PASSWORD + "\r\nA1 DELETE INBOX")


def test_bare_servers_offer_nothing_we_could_lean_on(server: Any_, session: Session, request: Any) -> None:
    bare = request.node.callspec.id.endswith("bare")
    for name in ("UIDPLUS", "MOVE", "IDLE", "MULTIAPPEND"):
        assert session.has(name) is not bare


def test_folders_are_listed_with_decoded_names(session: Session) -> None:
    listed = {folder.name: folder for folder in session.folders()}
    assert {"INBOX", *FOLDERS} <= set(listed)
    assert all(listed[name].selectable for name in FOLDERS)


def test_special_folders_are_found_with_and_without_special_use(session: Session) -> None:
    located = locate(session.folders(), {})
    assert (located.drafts, located.sent, located.trash) == ("下書き", "Sent", "ゴミ箱")


def test_creating_twice_is_fine_and_nested_names_work(server: Any_, session: Session) -> None:
    for name in ("Responder/在庫切れ", 'a "quoted" & back\\slash', "承認"):
        session.create(name)
        session.create(name)
        session.subscribe(name)
        assert session.select(name).exists == 0
    assert {"Responder/在庫切れ", "承認"} <= {folder.name for folder in session.folders()}


@pytest.mark.parametrize("name", ["x\r\nA1 DELETE INBOX", "a\0b", "a\x7fb", "", "\ud800"])
def test_mailbox_names_with_control_characters_never_reach_the_wire(session: Session, name: str) -> None:
    for command in (session.create, session.select, session.status, session.subscribe):
        with pytest.raises(CommandRefused, match="CANNOT"):
            command(name)
    with pytest.raises(CommandRefused, match="CANNOT"):
        session.append(name, letter())
    assert session.select("INBOX").exists == 0


def test_select_tells_what_the_mailbox_is_like(server: Any_, session: Session) -> None:
    server.deliver("shop", letter())
    selected = session.select("INBOX")
    assert selected.exists == 1
    assert selected.uidvalidity > 0
    assert selected.uidnext > session.uids_from(1)[-1]
    assert selected.keywords_allowed
    assert "\\Deleted" in selected.permanent_flags
    assert (selected.highestmodseq is not None) == session.has("CONDSTORE")


def test_a_missing_mailbox_refuses_the_command_and_keeps_the_line(session: Session) -> None:
    with pytest.raises(CommandRefused):
        session.select("nowhere")
    with pytest.raises(CommandRefused):
        session.all_uids()  # no mailbox is open now
    assert session.select("INBOX").exists == 0


def test_an_open_mailbox_is_reopened_only_when_asked(server: Any_, session: Session) -> None:
    first = session.select("INBOX")
    server.deliver("shop", letter())
    assert session.select("INBOX", keep=True) is first
    assert session.select("INBOX").exists == 1


def test_status_is_equal_as_long_as_nothing_happens(server: Any_, session: Session) -> None:
    before = session.status("INBOX")
    assert session.status("INBOX") == before
    server.deliver("shop", letter())
    after = session.status("INBOX")
    assert after != before
    assert (after.messages, after.unseen, after.uidvalidity) == (1, 1, before.uidvalidity)


def test_uids_from_sees_new_mail_at_once_and_never_older_mail(server: Any_, session: Session) -> None:
    session.select("INBOX")
    server.deliver("shop", letter(1))
    (first,) = session.uids_from(1)
    assert session.uids_from(first + 1) == ()
    server.deliver("shop", letter(2))
    server.deliver("shop", letter(3))
    assert len(session.uids_from(first + 1)) == 2
    assert session.uids_from(1) == session.all_uids()


def test_uids_since_goes_by_arrival(session: Session) -> None:
    now = datetime.now(UTC)
    session.append("INBOX", letter(1), when=now - timedelta(days=30))
    session.append("INBOX", letter(2), when=now)
    session.select("INBOX")
    assert len(session.uids_since((now - timedelta(days=7)).date())) == 1
    assert len(session.uids_since((now - timedelta(days=40)).date())) == 2


def test_fetch_reads_without_marking_as_read(server: Any_, session: Session) -> None:
    server.deliver("shop", letter(1))
    session.select("INBOX")
    (mail,) = session.fetch(session.all_uids())
    assert mail.raw.endswith(letter(1))
    assert mail.size_bytes == len(mail.raw)
    assert mail.flags == frozenset()
    assert mail.internaldate is not None
    assert abs(mail.internaldate - datetime.now(UTC)) < timedelta(hours=1)
    assert mail.internaldate.tzinfo is UTC
    assert "\\Seen" not in flags_of(server, "INBOX", mail.uid)


def test_fetch_cuts_and_tells_the_whole_size(session: Session) -> None:
    raw = letter(1, body="x" * 200_000)
    session.append("INBOX", raw)
    session.select("INBOX")
    (mail,) = session.fetch(session.all_uids(), first_bytes=1000)
    assert mail.raw == raw[:1000]
    assert mail.size_bytes == len(raw)
    assert session.fetch_whole(mail.uid, max_bytes=10**7).raw == raw
    assert session.fetch_whole(mail.uid, max_bytes=5000).raw == raw[:5000]
    assert session.sizes(session.all_uids()) == {mail.uid: len(raw)}


def test_fetch_can_read_headers_or_some_fields_only(session: Session) -> None:
    session.append("INBOX", letter(1))
    session.select("INBOX")
    uids = session.all_uids()
    (headers,) = session.fetch(uids, headers_only=True)
    assert headers.raw == letter(1).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    (fields,) = session.fetch(uids, fields=("Subject", "Message-ID"))
    assert set(fields.raw.strip().split(b"\r\n")) == {b"Subject: No 1", b"Message-ID: <mail-1@example.com>"}
    with pytest.raises(CommandRefused, match="header field"):
        list(session.fetch(uids, fields=("Subject)] FLAGS",)))


def test_fetch_goes_on_in_batches_and_leaves_out_what_is_gone(server: Any_, session: Session) -> None:
    session.append_many("INBOX", [letter(number) for number in range(300)])
    session.select("INBOX")
    uids = session.all_uids()
    assert len(uids) == 300
    reading = session.fetch([*uids, uids[-1] + 1000])
    first = next(reading)
    session.remove(uids[-1])  # other commands may come in between
    rest = list(reading)
    assert [mail.uid for mail in (first, *rest)] == list(uids[:-1])
    assert [mail.raw for mail in (first, *rest)] == [letter(number) for number in range(299)]


def test_a_mail_that_is_gone_is_told_apart(session: Session) -> None:
    session.select("INBOX")
    with pytest.raises(CommandRefused, match="NONEXISTENT"):
        session.fetch_whole(999, max_bytes=100)
    assert session.flags((999,)) == {}
    session.add_flags((999,), ("\\Seen",))


def test_append_stores_flags_time_and_bytes(server: Any_, session: Session) -> None:
    when = datetime(2024, 2, 29, 12, 30, 5, tzinfo=UTC)
    place = session.append("下書き", letter(1), flags=("\\Draft", "$Responder"), when=when)
    (stored,) = server.boxes("shop")["下書き"]
    assert stored.raw == letter(1)
    assert stored.flags == {"\\Draft", "$Responder"}
    assert stored.internaldate == when
    selected = session.select("下書き")
    assert place in (None, (selected.uidvalidity, stored.uid))
    assert (place is not None) or not session.has("UIDPLUS")


def test_append_writes_every_line_end_as_crlf(server: Any_, session: Session) -> None:
    session.append("下書き", b"Subject: x\n\na\rb\r\nc\n")
    assert held(server, "下書き") == [b"Subject: x\r\n\r\na\r\nb\r\nc\r\n"]


def test_append_to_a_missing_mailbox_creates_it(server: Any_, session: Session) -> None:
    session.append("Responder/入荷待ち", letter(1))
    session.append_many("新しい箱", [letter(2), letter(3)])
    assert held(server, "Responder/入荷待ち") == [letter(1)]
    assert held(server, "新しい箱") == [letter(2), letter(3)]


def test_nul_and_odd_flags_never_reach_the_wire(server: Any_, session: Session) -> None:
    with pytest.raises(CommandRefused, match="NUL"):
        session.append("下書き", b"a\0b")
    for flag in ("a b", "x)", "x\r\n", "", "\\"):
        with pytest.raises(CommandRefused, match="flag"):
            session.append("下書き", letter(1), flags=(flag,))
    assert held(server, "下書き") == []


def test_append_many_keeps_order_and_tells_places(server: Any_, session: Session) -> None:
    raws = [letter(number, body="y" * (number * 37)) for number in range(47)]
    places = session.append_many("下書き", raws, flags=("\\Draft",))
    stored = server.boxes("shop")["下書き"]
    assert [mail.raw for mail in stored] == raws
    assert all(mail.flags == {"\\Draft"} for mail in stored)
    assert len(places) == 47
    if session.has("UIDPLUS"):
        assert [place[1] for place in places if place] == [mail.uid for mail in stored]
    assert session.append_many("下書き", []) == ()


def test_one_bad_mail_does_not_take_the_batch_with_it(server: Any_, session: Session) -> None:
    with pytest.raises(PartlyAppended) as caught:
        session.append_many("下書き", [letter(1), b"bad\0", letter(2)])
    good, bad, last = caught.value.results
    assert isinstance(bad, CommandRefused)
    assert not isinstance(good, CommandRefused)
    assert not isinstance(last, CommandRefused)
    assert held(server, "下書き") == [letter(1), letter(2)]


def test_flags_and_keywords_come_and_go(server: Any_, session: Session) -> None:
    session.append_many("INBOX", [letter(1), letter(2), letter(3)])
    session.select("INBOX")
    one, two, three = session.all_uids()
    session.add_flags((one, three), ("\\Answered", "$label1"))
    session.remove_flags((three,), ("$label1",))
    assert session.flags((one, two, three)) == {
        one: {"\\Answered", "$label1"},
        two: frozenset(),
        three: {"\\Answered"},
    }
    assert flags_of(server, "INBOX", one) == {"\\Answered", "$label1"}


def test_only_changed_flags_are_asked_for_where_the_server_can(server: Any_, session: Session) -> None:
    session.append_many("INBOX", [letter(1), letter(2)])
    selected = session.select("INBOX")
    one, two = session.all_uids()
    if selected.highestmodseq is None:
        assert set(session.flags((one, two), changed_since=1)) == {one, two}
        return
    assert session.flags((one, two), changed_since=selected.highestmodseq) == {}
    session.add_flags((two,), ("\\Flagged",))
    assert session.flags((one, two), changed_since=selected.highestmodseq) == {two: {"\\Flagged"}}


def test_move_keeps_flags_and_tells_the_new_place(server: Any_, session: Session) -> None:
    session.append("下書き", letter(1), flags=("\\Draft", "$k"))
    session.append("下書き", letter(2), flags=("\\Draft",))
    session.select("下書き")
    one, _ = session.all_uids()
    place = session.move(one, "承認")
    (moved,) = server.boxes("shop")["承認"]
    assert (moved.raw, moved.flags) == (letter(1), {"\\Draft", "$k"})
    assert held(server, "下書き") == [letter(2)]
    assert place in (None, (session.select("承認").uidvalidity, moved.uid))
    assert (place is not None) or not session.has("UIDPLUS")


def test_copy_leaves_the_source_and_both_create_a_missing_target(server: Any_, session: Session) -> None:
    session.append("下書き", letter(1))
    session.select("下書き")
    (uid,) = session.all_uids()
    session.copy(uid, "写し")
    assert held(server, "写し") == held(server, "下書き") == [letter(1)]
    session.move(uid, "移し")
    assert held(server, "移し") == [letter(1)]
    assert held(server, "下書き") == []


def test_moving_what_is_gone_changes_nothing(server: Any_, session: Session) -> None:
    session.append("下書き", letter(1))
    session.select("下書き")
    assert session.move(4711, "承認") is None
    assert held(server, "承認") == []
    assert held(server, "下書き") == [letter(1)]


def test_remove_never_takes_what_others_have_marked(server: Any_, session: Session) -> None:
    session.append_many("下書き", [letter(1), letter(2)])
    session.select("下書き")
    ours, theirs = session.all_uids()
    session.add_flags((theirs,), ("\\Deleted",))
    removed = session.remove(ours)
    assert letter(2) in held(server, "下書き")
    assert removed is session.has("UIDPLUS")
    if not removed:
        assert "\\Deleted" in flags_of(server, "下書き", ours)
        session.remove_flags((theirs,), ("\\Deleted",))
        assert session.remove(ours)
    assert held(server, "下書き") == [letter(2)]


def test_a_message_id_is_found_exactly(session: Session) -> None:
    session.append("Sent", letter(1, message_id="<aB.1@example.com>"))
    session.append("Sent", letter(2, message_id="<xaB.1@example.com>"))
    session.append("Sent", letter(3, message_id="<aB.1@example.com>").replace(b"Message-ID: ", b"message-id:\r\n\t"))
    session.select("Sent")
    one, _, three = session.all_uids()
    assert session.find_message_id("<aB.1@example.com>") == (one, three)
    assert session.find_message_id("<B.1@example.com>") == ()
    assert session.message_ids((one, three)) == {one: "<aB.1@example.com>", three: "<aB.1@example.com>"}


@pytest.mark.parametrize(
    "hostile",
    ["<a\r\nA1 CREATE pwned\r\n@x>", '<a" DELETED OR "@x>', "<é@x>", "<a b@x>", "<" + "a" * 300 + ">", "", "<\0@x>"],
)
def test_hostile_message_ids_never_become_commands(server: Any_, session: Session, hostile: str) -> None:
    session.append("Sent", letter(1))
    session.select("Sent")
    assert session.find_message_id(hostile) == ()
    assert "pwned" not in server.boxes("shop")


def test_quotes_in_a_well_formed_id_are_escaped(session: Session) -> None:
    odd = '<a"b\\c@example.com>'
    session.append("Sent", letter(1, message_id=odd))
    session.select("Sent")
    assert session.find_message_id(odd) in ((session.all_uids()[0],), ())  # servers differ, none may break
    assert session.select("Sent").exists == 1


def test_idle_wakes_a_selector_and_the_line_goes_on(server: Any_, session: Session) -> None:
    session.select("INBOX")
    if not session.has("IDLE"):
        server.deliver("shop", letter(1))
        assert len(session.uids_from(1)) == 1  # the poll sees it as well
        return
    session.idle()
    assert session.idling
    assert not session.pending()
    with selectors.DefaultSelector() as selector:
        selector.register(session, selectors.EVENT_READ)
        server.deliver("shop", letter(1))
        assert selector.select(timeout=30)
    assert session.pending()
    assert session.done()
    assert not session.idling
    assert len(session.uids_from(1)) == 1
    session.idle()
    assert not session.done()


def test_a_command_inside_idle_is_a_mistake_that_ends_the_line(session: Session) -> None:
    session.select("INBOX")
    if not session.has("IDLE"):
        return
    session.idle()
    with pytest.raises(ConnectionLost, match="IDLE"):
        session.all_uids()
    assert session.lost


def test_after_the_server_has_gone_everything_is_connection_lost(server: Any_) -> None:
    session = Session.connect(server.imap("shop"), lambda: PASSWORD, read_timeout_s=20)
    session.select("INBOX")
    if isinstance(server, Dovecot):
        server.stop(hard=True)
    else:
        server.stop()
    for _ in range(2):
        with pytest.raises(ConnectionLost):
            session.noop()
    with pytest.raises(ConnectionLost):
        session.append("INBOX", letter())
    assert session.lost
    session.logout()
    session.close()


def test_a_new_uidvalidity_is_told(server: Any_, session: Session) -> None:
    server.deliver("shop", letter())
    before = session.select("INBOX").uidvalidity
    session.logout()
    server.renew_uidvalidity("shop", "INBOX")
    with Session.connect(server.imap("shop"), lambda: PASSWORD) as again:
        assert again.select("INBOX").uidvalidity > before


def test_readonly_opens_without_the_right_to_change(server: Any_, session: Session) -> None:
    server.deliver("shop", letter())
    assert session.select("INBOX", readonly=True).readonly
    (uid,) = session.all_uids()
    with contextlib.suppress(CommandRefused):  # Dovecot says OK and does nothing
        session.add_flags((uid,), ("\\Flagged",))
    assert flags_of(server, "INBOX", uid) == frozenset()
    session.select("INBOX")
    session.add_flags((uid,), ("\\Flagged",))
    assert flags_of(server, "INBOX", uid) == {"\\Flagged"}


def test_our_folders_can_be_made_where_everything_lies_below_inbox(make_dovecot: Callable[..., Dovecot]) -> None:
    server = make_dovecot(prefix="INBOX.", separator=".", folders={})
    with Session.connect(server.imap(), lambda: PASSWORD) as session:
        with pytest.raises(CommandRefused):
            session.create("Responder/在庫切れ")
        session.create(spell("Responder/在庫切れ", session.folders()))
    assert "INBOX.Responder.在庫切れ" in server.boxes()


def test_several_mailboxes_are_looked_at_in_one_round_trip_where_the_server_can(server: Any_, session: Session) -> None:
    names = ["Responder", "Responder/在庫切れ", 'Responder/a"b\\c', "Responder/50%", "INBOX"]
    for name in names[:-1]:
        with contextlib.suppress(CommandRefused):  # not every server makes every name
            session.create(name)
    there = {folder.name for folder in session.folders()} & set(names)
    session.append("Responder/在庫切れ", letter(), flags=())
    found = session.statuses([*there, "Nowhere"])
    assert found == {name: session.status(name) for name in found}
    if session.has("LIST-STATUS") and session.has("LIST-EXTENDED"):
        assert set(found) == there - {"Responder/50%"}
        assert found["Responder/在庫切れ"].messages == 1
    assert session.statuses(["INBOX"]) == {}
