"""The IMAP session against answers that no real server gives on demand."""

from __future__ import annotations

import base64
import contextlib
import selectors
import ssl
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from responder.edges.imap import PartlyAppended, Session, reading, wire
from responder.errors import CertificateRefused, CommandRefused, ConnectionLost, LoginRefused
from responder.model import Server
from tests.conftest import PASSWORD
from tests.servers.dovecot import Certificate, Dovecot
from tests.servers.scripted import Line, ScriptedImap

RAW = b"Subject: x\r\n\r\nbody\r\n"


def no_secret() -> NoReturn:
    """A password that must not be asked for."""
    raise AssertionError("the password was asked for")


def connect(server: ScriptedImap, **more: Any) -> Session:
    """A session with short patience."""
    return Session.connect(server.server(), lambda: "secret", **{"read_timeout_s": 10, **more})


def heard(server: ScriptedImap) -> list[str]:
    """What the client said, without its tags."""
    return [line.decode("utf-8", "replace").partition(" ")[2] for line in server.heard]


# --- opening --------------------------------------------------------------------------------------------------------


def test_a_server_that_logs_us_in_by_itself_is_not_trusted() -> None:
    def script(line: Line) -> None:
        line.send("* PREAUTH welcome\n")
        line.answer("CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS\n")
        line.wait_for_end()

    with ScriptedImap(script) as server, pytest.raises(CertificateRefused, match="PREAUTH"):
        Session.connect(server.server(), no_secret)


@pytest.mark.parametrize("greeting", ["* BYE too busy\n", "hello\n", "", "* OK half a li", "\x00\xff\n"])
def test_a_broken_greeting_is_a_lost_connection(greeting: str) -> None:
    with ScriptedImap(lambda line: line.send(greeting)) as server, pytest.raises(ConnectionLost):
        Session.connect(server.server(), no_secret)


def test_nobody_there_is_a_lost_connection() -> None:
    with ScriptedImap() as server:
        pass
    with pytest.raises(ConnectionLost):
        Session.connect(server.server(), no_secret, connect_timeout_s=5)
    with pytest.raises(ConnectionLost):
        Session.connect(Server("nowhere.invalid", 143, "none", "shop"), no_secret, connect_timeout_s=5)


def test_a_server_that_never_greets_is_given_up() -> None:
    with ScriptedImap(Line.wait_for_end) as server, pytest.raises(ConnectionLost):
        Session.connect(server.server(), no_secret, connect_timeout_s=0.2)


def test_starttls_not_offered_is_refused_before_the_password() -> None:
    def script(line: Line) -> None:
        line.send("* OK ready\n")
        line.answer("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\n")
        line.wait_for_end()

    with ScriptedImap(script) as server:
        with pytest.raises(CertificateRefused, match="STARTTLS"):
            Session.connect(Server("127.0.0.1", server.port, "starttls", "shop"), no_secret)
        assert heard(server) == ["CAPABILITY"]


def test_words_in_plaintext_before_the_handshake_count_for_nothing(
    certificate: Certificate, tls_context: ssl.SSLContext
) -> None:
    """A man in the middle appends a refusal and capabilities to the answer to STARTTLS."""

    def script(line: Line) -> None:
        line.send("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\n")
        line.answer("CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS\n")
        tag = line.expect("STARTTLS")
        line.send(f"* CAPABILITY IMAP4rev1 LOGINDISABLED\n{tag} OK go on\n* BYE injected\nx OK injected\n")
        line.sock = tls_context.wrap_socket(line.sock, server_side=True)
        line.answer("CAPABILITY", "* CAPABILITY IMAP4rev1\n")
        line.answer("CAPABILITY", "* CAPABILITY IMAP4rev1\n")
        line.answer("LOGIN", end="OK [CAPABILITY IMAP4rev1 MOVE] in")
        line.answer("NOOP")
        line.wait_for_end()

    with ScriptedImap(script) as server:
        place = Server("localhost", server.port, "starttls", "shop", ca_file=str(certificate.ca))
        # Where the injected bytes run into the handshake, nothing goes on, which is as good.
        with (
            contextlib.suppress(ConnectionLost, CertificateRefused),
            Session.connect(place, lambda: "secret") as opened,
        ):
            assert opened.capabilities == {"IMAP4REV1", "MOVE"}
            opened.noop()


def test_plaintext_to_another_machine_is_refused_before_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("responder.edges.imap.login.is_loopback", lambda _peer: False)

    def script(line: Line) -> None:
        line.send("* OK ready\n")
        line.answer("CAPABILITY", "* CAPABILITY IMAP4rev1\n")
        line.wait_for_end()

    with ScriptedImap(script) as server:
        with pytest.raises(CertificateRefused, match="this machine"):
            Session.connect(server.server(), no_secret)
        assert heard(server) == ["CAPABILITY"]


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_tls_works_with_the_right_authority_and_nothing_else(
    make_dovecot: Callable[..., Dovecot], certificate: Certificate, tls: Any
) -> None:
    server = make_dovecot(certificate=certificate)
    good = server.imap(tls=tls)
    with Session.connect(good, lambda: PASSWORD) as opened:
        assert isinstance(opened.sock, ssl.SSLSocket)
        opened.select("INBOX")
        opened.idle()
        assert not opened.pending()
        server.deliver("shop", RAW)
        with selectors.DefaultSelector() as selector:
            selector.register(opened, selectors.EVENT_READ)
            assert opened.pending() or selector.select(timeout=30)
        assert opened.done()
        assert len(opened.uids_from(1)) == 1
    unknown = Server(good.host, good.port, tls, "shop")
    with pytest.raises(CertificateRefused):
        Session.connect(unknown, no_secret)
    with pytest.raises(CertificateRefused, match="ca_file"):
        Session.connect(Server(good.host, good.port, tls, "shop", ca_file="/nowhere/ca.pem"), no_secret)


def test_a_certificate_for_another_name_is_refused(
    make_dovecot: Callable[..., Dovecot], certificate: Certificate
) -> None:
    server = make_dovecot(certificate=certificate)
    ca = str(certificate.ca)
    wrong = Server("127.0.0.2", server.imaps_port, "implicit", "shop", ca_file=ca)
    with pytest.raises((CertificateRefused, ConnectionLost)) as caught:
        Session.connect(wrong, no_secret)
    assert isinstance(caught.value, CertificateRefused) or "refused" in str(caught.value)


def test_a_plain_server_on_a_tls_port_is_refused() -> None:
    with (
        ScriptedImap(lambda line: line.send("* OK plain\n" * 3)) as server,
        pytest.raises((CertificateRefused, ConnectionLost)),
    ):
        Session.connect(Server("127.0.0.1", server.port, "implicit", "shop"), no_secret)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("NO [AUTHENTICATIONFAILED] no", LoginRefused),
        ("NO wrong password", LoginRefused),
        ("BAD what", LoginRefused),
        ("NO [UNAVAILABLE] later", ConnectionLost),
        ("NO [ALERT] Too many simultaneous connections. (Failure)", LoginRefused),
        ("NO Too many simultaneous connections", ConnectionLost),
        ("NO [INUSE] in use", ConnectionLost),
    ],
)
def test_a_login_put_off_is_not_a_wrong_password(answer: str, error: type[Exception]) -> None:
    def script(line: Line) -> None:
        line.send("* OK ready\n")
        line.answer("CAPABILITY", "* CAPABILITY IMAP4rev1\n")
        line.answer("LOGIN", end=answer)
        line.wait_for_end()

    with ScriptedImap(script) as server, pytest.raises(error):
        connect(server)


def test_a_bye_during_login_is_a_lost_connection() -> None:
    def script(line: Line) -> None:
        line.send("* OK ready\n")
        line.answer("CAPABILITY", "* CAPABILITY IMAP4rev1\n")
        line.expect("LOGIN")
        line.send("* BYE overloaded\n")

    with ScriptedImap(script) as server, pytest.raises(ConnectionLost):
        connect(server)


def test_names_and_passwords_beyond_ascii_go_through_plain() -> None:
    def script(line: Line) -> None:
        line.send("* OK ready\n")
        line.answer("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\n")
        tag = line.expect("AUTHENTICATE PLAIN")
        line.send("+ \n")
        assert base64.b64decode(line.read_line()).decode() == "\0店\0ひみつ"
        line.send(f"{tag} OK [CAPABILITY IMAP4rev1] in\n")
        line.wait_for_end()

    with ScriptedImap(script) as server:
        Session.connect(server.server("店"), lambda: "ひみつ").close()


def test_without_a_way_for_such_a_password_nothing_is_said() -> None:
    def script(line: Line) -> None:
        line.send("* OK ready\n")
        line.answer("CAPABILITY", "* CAPABILITY IMAP4rev1 LOGINDISABLED\n")
        line.wait_for_end()

    with ScriptedImap(script, script) as server:
        for secret in ("ひみつ", "ascii"):
            with pytest.raises(LoginRefused, match="neither"):
                Session.connect(server.server(), lambda secret=secret: secret)
        assert heard(server) == ["CAPABILITY", "CAPABILITY"]


def test_a_user_name_with_quotes_is_quoted() -> None:
    def script(line: Line) -> None:
        line.send("* OK ready\n")
        line.answer("CAPABILITY", "* CAPABILITY IMAP4rev1\n")
        line.answer("LOGIN", end="OK [CAPABILITY IMAP4rev1] in")
        line.wait_for_end()

    with ScriptedImap(script) as server:
        Session.connect(server.server('a "b\\ c'), lambda: 'p"w').close()
        assert heard(server)[1] == r'LOGIN "a \"b\\ c" "p\"w"'


def test_xoauth2_sends_the_token_and_understands_the_refusal() -> None:
    def script(line: Line, ok: bool) -> None:
        line.send("* OK ready\n")
        line.answer("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\n")
        tag = line.expect("AUTHENTICATE XOAUTH2")
        line.send("+ \n")
        assert base64.b64decode(line.read_line()) == b"user=shop\x01auth=Bearer token\x01\x01"
        if ok:
            line.send(f"{tag} OK [CAPABILITY IMAP4rev1] in\n")
        else:
            line.send(b"+ " + base64.b64encode(b'{"status":"400"}') + b"\n")
            assert line.read_line() == b""
            line.send(f"{tag} NO [AUTHENTICATIONFAILED] Invalid credentials\n")
        line.wait_for_end()

    with ScriptedImap(lambda line: script(line, True), lambda line: script(line, False)) as server:
        place = Server("127.0.0.1", server.port, "none", "shop", auth="xoauth2")
        Session.connect(place, lambda: "token").close()
        with pytest.raises(LoginRefused, match="Invalid credentials"):
            Session.connect(place, lambda: "token")


def test_we_name_ourselves_where_id_is_offered_and_a_refusal_does_not_matter() -> None:
    def script(line: Line) -> None:
        line.greet("ID")
        line.answer("ID", end="BAD what is that")
        line.answer("NOOP")
        line.wait_for_end()

    with ScriptedImap(script) as server, connect(server) as opened:
        opened.noop()


def test_the_library_does_not_write_out_what_it_reads() -> None:
    """IMAPClient sets imaplib's debug level to 5: seven times the cost of a fetch."""

    def script(line: Line) -> None:
        line.greet()
        line.wait_for_end()

    with ScriptedImap(script) as server, connect(server) as opened:
        assert opened._wire.client._imap.debug == 0
        assert opened.sock.getsockopt(6, 1) == 1  # TCP_NODELAY
        assert "secret" not in repr(opened._wire.client._imap._cmd_log)


# --- commands -------------------------------------------------------------------------------------------------------


@pytest.fixture
def talk() -> Iterator[Callable[..., Session]]:
    """A session whose server, after login and SELECT, goes on as the given script says."""
    running: list[Any] = []

    def start(script: Callable[[Line], None], capabilities: str = "UIDPLUS MOVE IDLE", **select: int) -> Session:
        def whole(line: Line) -> None:
            line.greet(capabilities)
            line.select(**select)
            script(line)
            line.wait_for_end()

        server = ScriptedImap(whole).__enter__()
        running.append(server)
        opened = connect(server)
        running.append(opened)
        opened.select("INBOX")
        return opened

    yield start
    for one in reversed(running):
        if isinstance(one, Session):
            one.close()
        else:
            one.__exit__(None, None, None)


Talk = Callable[..., Session]


def test_the_last_mail_below_the_wanted_uid_is_dropped(talk: Talk) -> None:
    def script(line: Line) -> None:
        line.answer("NOOP")
        line.answer("UID SEARCH UID 10:*", "* SEARCH 9\n")

    assert talk(script).uids_from(10) == ()


@pytest.mark.parametrize(
    ("answer", "uids"),
    [
        ("* SEARCH 3 1\n* SEARCH 2\n", (1, 2, 3)),
        ("* SEARCH 4 5 (MODSEQ 917)\n", (4, 5)),
        ("* SEARCH\n", ()),
        ("", ()),
    ],
)
def test_search_answers_of_all_shapes_are_read(talk: Talk, answer: str, uids: tuple[int, ...]) -> None:
    assert talk(lambda line: line.answer("UID SEARCH ALL", answer)).all_uids() == uids


def test_a_big_mailbox_is_searched_in_windows_from_the_end(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SEARCH_WINDOW", 4)

    def script(line: Line) -> None:
        line.answer("UID SEARCH 7:* ALL", "* SEARCH 70 80 90 100\n")
        line.answer("UID SEARCH 3:6 ALL", "* 2 EXPUNGE\n* SEARCH 30 40 50 70\n")
        line.answer("UID SEARCH 1:2 ALL", "* SEARCH 10 20\n")
        line.answer("NOOP")
        line.answer("UID SEARCH 7:* UID 95:*", "* SEARCH 100\n")
        line.answer("UID SEARCH 3:6 UID 95:*", "* SEARCH\n")

    opened = talk(script, exists=10, uidnext=101)
    assert opened.all_uids() == (10, 20, 30, 40, 50, 70, 80, 90, 100)
    assert opened.uids_from(95) == (100,)


def test_what_the_server_says_unasked_is_not_taken_for_the_answer(talk: Talk) -> None:
    def script(line: Line) -> None:
        line.answer("NOOP", "* 1 FETCH (UID 5 FLAGS (\\Seen))\n* SEARCH 99\n")
        tag = line.expect("UID FETCH 6 ")
        line.send("* 2 FETCH (FLAGS (\\Seen) UID 7)\n* 3 FETCH (UID 6 FLAGS ($x) RFC822.SIZE 3 BODY[]<0> {3}\r\nabc)\n")
        line.send(f"* 3 FETCH (FLAGS (\\Answered) UID 6)\n{tag} OK done\n")
        line.answer("UID FETCH 7 ", "* 2 FETCH (FLAGS (\\Seen) UID 7)\n")

    opened = talk(script)
    opened.noop()
    (mail,) = opened.fetch((6,))
    assert (mail.uid, mail.raw, mail.flags, mail.internaldate) == (6, b"abc", {"\\Answered"}, None)
    assert list(opened.fetch((7,))) == []


def test_a_body_given_as_nil_or_quoted_is_read(talk: Talk) -> None:
    def script(line: Line) -> None:
        line.answer(
            "UID FETCH 1:3 ",
            '* 1 FETCH (UID 1 FLAGS () INTERNALDATE " 1-Feb-2024 09:00:00 +0900" RFC822.SIZE 0 BODY[]<0> NIL)\n'
            '* 2 FETCH (UID 2 FLAGS () INTERNALDATE "bad" RFC822.SIZE 2 BODY[]<0> "ab")\n'
            '* 3 FETCH (UID 3 FLAGS () RFC822.SIZE 2 BODY[]<0> "12")\n',
        )

    one, two, three = talk(script).fetch((1, 2, 3))
    assert (one.raw, two.raw, three.raw) == (b"", b"ab", b"12")
    assert str(one.internaldate) == "2024-02-01 00:00:00+00:00"
    assert two.internaldate is None


def test_one_unreadable_mail_does_not_hide_the_others(talk: Talk) -> None:
    def script(line: Line) -> None:
        bad = "* 2 FETCH (UID 2 FLAGS ($odd[x) RFC822.SIZE 1 BODY[]<0> {1}\r\nb)\n"
        good = "* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 1 BODY[]<0> {1}\r\na)\n"
        line.answer("UID FETCH 1:2 ", good + bad)
        line.answer("UID FETCH 1 ", good)
        line.answer("UID FETCH 2 (UID FLAGS ", bad)
        line.answer("UID FETCH 2 (UID INTERNALDATE ", "* 2 FETCH (UID 2 RFC822.SIZE 1 BODY[]<0> {1}\r\nb)\n")

    assert [(mail.uid, mail.raw) for mail in talk(script).fetch((1, 2))] == [(1, b"a"), (2, b"b")]


def test_uids_go_out_as_ranges_in_batches(talk: Talk) -> None:
    def script(line: Line) -> None:
        line.answer("UID FETCH 1:250 ")
        line.answer("UID FETCH 251:300,400,402:403 ")
        line.answer("UID STORE 1:3,9 +FLAGS.SILENT (\\Answered)")

    opened = talk(script)
    assert list(opened.fetch([403, 400, 402, *range(1, 301)])) == []
    opened.add_flags({9, 2, 3, 1}, ("\\Answered",))


def test_scattered_uids_never_make_a_command_too_long(talk: Talk) -> None:
    asked: list[bytes] = []

    def script(line: Line) -> None:
        while words := line.read_line():
            asked.append(words)
            line.send(words.split()[0] + b" OK done\n")

    talk(script).flags(range(1_000_000_001, 1_000_004_001, 2))
    assert len(asked) > 1
    assert all(len(words) < 8000 for words in asked)


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        ("* 1 EXPUNGE\n{tag} OK [COPYUID 12 5 77] moved\n", (12, 77)),  # Gmail
        ("* OK [COPYUID 12 5 77] moved\n* 1 EXPUNGE\n{tag} OK done\n", (12, 77)),  # RFC 6851
        ("* OK [COPYUID 12 5 77] [really]\n{tag} OK done\n", (12, 77)),
        ("{tag} OK done\n", None),
        ("* OK [COPYUID 12] odd\n{tag} OK done\n", None),
    ],
)
def test_the_new_place_is_read_wherever_the_server_puts_it(talk: Talk, answer: str, place: Any) -> None:
    def script(line: Line) -> None:
        tag = line.expect('UID MOVE 5 "Sent"')
        line.send(answer.format(tag=tag))

    assert talk(script).move(5, "Sent") == place


def test_no_and_bad_refuse_the_command_and_keep_the_line(talk: Talk) -> None:
    def script(line: Line) -> None:
        line.answer("STATUS", end="NO [NOPERM] not yours")
        line.answer("STATUS", end="BAD syntax")
        line.answer("NOOP")

    opened = talk(script)
    with pytest.raises(CommandRefused) as refused:
        opened.status("Sent")
    assert (refused.value.command, refused.value.code, refused.value.text) == ("STATUS", "NOPERM", "not yours")
    with pytest.raises(CommandRefused):
        opened.status("Sent")
    opened.noop()


@pytest.mark.parametrize(
    "answer",
    [
        "* BYE shutting down\n",
        "* 1 FETCH (UID 1 BODY[] {10}\r\nabc",
        "* SEARCH " + "1" * 1_000_100 + "\n",
        "garbage\n",
        "* 1 FETCH (BODY[] {999999999999}\r\n",
        "X99 OK not ours\n",
        "* OK no line end",
        "\xff\xfe\n",
    ],
)
def test_an_answer_nobody_can_read_ends_the_line(talk: Talk, answer: str) -> None:
    def script(line: Line) -> None:
        line.expect("UID SEARCH")
        line.send(answer)
        line.close()

    opened = talk(script)
    for _ in range(2):
        with pytest.raises(ConnectionLost):
            opened.all_uids()
    assert opened.lost


def test_a_half_dead_server_is_given_up() -> None:
    def script(line: Line) -> None:
        line.greet()
        line.wait_for_end()

    with ScriptedImap(script) as server:
        opened = connect(server, read_timeout_s=0.2)
        with pytest.raises(ConnectionLost):
            opened.noop()


def test_a_server_that_talks_for_ever_is_given_up(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "COMMAND_S", 0.1)

    def script(line: Line) -> None:
        line.expect("NOOP")
        while True:
            line.send("* OK still working\n" * 100)

    opened = talk(script)
    with pytest.raises(ConnectionLost, match="too long"):
        opened.noop()


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ("* 0 EXISTS\n", "UIDVALIDITY"),
        ("* 0 EXISTS\n* OK [UIDVALIDITY 3] x\n* OK [READ-ONLY] x\n", "READ-ONLY"),
    ],
)
def test_a_mailbox_that_cannot_serve_is_refused(lines: str, error: str) -> None:
    def script(line: Line) -> None:
        line.greet()
        line.answer("SELECT", lines)
        line.answer("NOOP")
        line.wait_for_end()

    with ScriptedImap(script) as server, connect(server) as opened:
        with pytest.raises(CommandRefused, match=error):
            opened.select("INBOX")
        opened.noop()


def test_a_missing_uidnext_is_found_out() -> None:
    def script(line: Line) -> None:
        line.greet()
        line.answer("SELECT", "* 2 EXISTS\n* OK [UIDVALIDITY 3] x\n")
        line.answer("UID SEARCH UID *", "* SEARCH 41\n")
        line.wait_for_end()

    with ScriptedImap(script) as server, connect(server) as opened:
        selected = opened.select("INBOX")
        assert (selected.uidnext, selected.keywords_allowed, selected.highestmodseq) == (42, False, None)


def test_folder_names_of_all_spellings_are_listed_and_opened() -> None:
    def script(line: Line) -> None:
        line.greet()
        line.send(b"")
        tag = line.expect("LIST")
        line.send(
            '* LIST (\\HasNoChildren \\drafts) "/" Drafts\n'
            "* LIST () NIL {5}\r\nSe nt\n"
            '* LIST (\\Noselect) "." 2024\n'
            '* LIST (\\NonExistent) "/" "gone"\n'
            '* LIST () "/" "&Tgtm+DBN-"\n'
            '* LIST () "/" "inbox"\n'
            '* LIST () "/" "broken\n'
            '* LIST () "/" "bad &AAA name"\n'
        )
        line.send(b'* LIST () "/" "\xe6\x89\xbf\xe8\xaa\x8d"\n')
        line.send(f"{tag} OK\x20\n")
        tag, _, rest = line.read_line().partition(b" ")
        assert rest == b'SELECT "\xe6\x89\xbf\xe8\xaa\x8d"', rest
        line.send(tag + b" NO later\n")
        line.wait_for_end()

    with ScriptedImap(script) as server, connect(server) as opened:
        listed = {folder.name: folder for folder in opened.folders()}
        assert {"Drafts", "Se nt", "2024", "gone", "下書き", "INBOX", "承認"} <= set(listed)
        assert listed["Drafts"].special_use == {"\\Drafts"}
        assert listed["Se nt"].separator == ""
        assert (listed["2024"].selectable, listed["2024"].separator) == (False, ".")
        assert not listed["gone"].selectable
        with pytest.raises(CommandRefused, match="later"):
            opened.select("承認")


def test_an_append_refused_before_its_literal_costs_no_transfer(talk: Talk) -> None:
    def script(line: Line) -> None:
        line.answer('APPEND "New" () {20}', end="NO [TRYCREATE] no such mailbox")
        line.answer('CREATE "New"')
        line.answer('SUBSCRIBE "New"')
        tag = line.expect('APPEND "New" () {20}')
        line.send("* 3 EXISTS\n+ go\n")
        assert line.read_bytes(len(RAW)) == RAW
        assert line.read_line() == b""
        line.send(f"{tag} OK [APPENDUID 9 4] in\n")
        line.answer('APPEND "New"', end="NO [OVERQUOTA] full")
        line.answer("NOOP")

    opened = talk(script)
    assert opened.append("New", RAW) == (9, 4)
    with pytest.raises(CommandRefused, match="OVERQUOTA"):
        opened.append("New", RAW)
    opened.noop()


def test_a_refused_batch_is_tried_mail_by_mail(talk: Talk) -> None:
    def take(line: Line, count: int, end: str) -> None:
        tag = line.expect('APPEND "Drafts" (\\Draft) {20+}')
        for number in range(count):
            assert line.read_bytes(len(RAW)) == RAW
            words = line.read_line()
            assert words == (b" (\\Draft) {20+}" if number + 1 < count else b"")
        line.send(f"{tag} {end}\n")

    def script(line: Line) -> None:
        take(line, 20, "OK [APPENDUID 9 1:19,25] in")
        take(line, 3, "NO [OVERQUOTA] too much at once")
        take(line, 1, "OK [APPENDUID 9 26] in")
        take(line, 1, "NO [OVERQUOTA] full")
        take(line, 1, "OK in")

    opened = talk(script, "MULTIAPPEND LITERAL+ UIDPLUS")
    with pytest.raises(PartlyAppended, match="OVERQUOTA") as caught:
        opened.append_many("Drafts", [RAW] * 23, flags=("\\Draft",))
    results = caught.value.results
    assert results[18:21] == ((9, 19), (9, 25), (9, 26))
    assert isinstance(results[21], CommandRefused)
    assert results[22] is None


@pytest.mark.parametrize("told", ["9 1:19", "9 x", "9", "9 1:999999999", "y 1:20", ""])
def test_places_that_do_not_add_up_count_as_not_told(talk: Talk, told: str) -> None:
    def script(line: Line) -> None:
        tag = line.expect("APPEND")
        for _ in range(20):
            line.read_bytes(len(RAW))
            line.read_line()
        line.send(f"{tag} OK [APPENDUID {told}] in\n")

    assert talk(script, "MULTIAPPEND LITERAL+").append_many("Drafts", [RAW] * 20) == (None,) * 20


# --- idle -----------------------------------------------------------------------------------------------------------


def wait_readable(opened: Session) -> None:
    """Wait as the daemon does: what a selector cannot see first."""
    with selectors.DefaultSelector() as selector:
        selector.register(opened, selectors.EVENT_READ)
        assert opened.pending() or selector.select(timeout=20)


def test_a_line_of_idle_split_over_two_segments_is_one_line(talk: Talk) -> None:
    def script(line: Line) -> None:
        tag = line.expect("IDLE")
        line.send("+ idling\n")
        line.send("* 7 EXI")
        assert line.read_line() == b"DONE"
        line.send(f"STS\n{tag} OK done\n")
        line.answer("NOOP")

    opened = talk(script)
    opened.idle()
    wait_readable(opened)
    assert opened.done()
    opened.noop()


@pytest.mark.parametrize("early", ["* 7 EXISTS\n+ idling\n", "+ idling\n* 7 EXISTS\n"])
def test_news_around_the_plus_is_not_lost(talk: Talk, early: str) -> None:
    def script(line: Line) -> None:
        tag = line.expect("IDLE")
        line.send(early)
        assert line.read_line() == b"DONE"
        line.send(f"{tag} OK done\n")

    opened = talk(script)
    opened.idle()
    wait_readable(opened)
    assert opened.pending()
    assert opened.done()


def test_a_literal_inside_idle_is_read(talk: Talk) -> None:
    def script(line: Line) -> None:
        tag = line.expect("IDLE")
        line.send("+ idling\n* 1 FETCH (BODY[] {3}\r\nabc UID 4)\n* OK still here\n")
        assert line.read_line() == b"DONE"
        line.send(f"{tag} OK done\n")
        line.answer("NOOP")

    opened = talk(script)
    opened.idle()
    assert opened.done()
    opened.noop()


def test_a_keepalive_is_no_news(talk: Talk) -> None:
    def script(line: Line) -> None:
        tag = line.expect("IDLE")
        line.send("+ idling\n* OK Still here\n")
        assert line.read_line() == b"DONE"
        line.send(f"{tag} OK done\n")

    opened = talk(script)
    opened.idle()
    assert not opened.done()


@pytest.mark.parametrize("end", ["* BYE timeout\n", ""])
def test_the_end_of_the_line_in_idle_wakes_and_is_told(talk: Talk, end: str) -> None:
    def script(line: Line) -> None:
        line.expect("IDLE")
        line.send("+ idling\n" + end)
        line.close()

    opened = talk(script)
    opened.idle()
    wait_readable(opened)
    with pytest.raises(ConnectionLost):
        opened.done()
    assert opened.lost
    assert opened.pending()


def test_a_server_that_ignores_done_is_given_up(talk: Talk) -> None:
    def script(line: Line) -> None:
        line.expect("IDLE")
        line.send("+ idling\n")

    opened = talk(script)
    opened.idle()
    with pytest.raises(ConnectionLost):
        opened.done(answer_s=0.2)


def test_a_refused_idle_keeps_the_line(talk: Talk) -> None:
    def script(line: Line) -> None:
        line.answer("IDLE", end="NO not now")
        line.answer("NOOP")

    opened = talk(script)
    with pytest.raises(CommandRefused, match="not now"):
        opened.idle()
    assert not opened.idling
    opened.noop()
