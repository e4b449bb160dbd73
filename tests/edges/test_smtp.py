"""Submission against a sink that keeps what it accepts and misbehaves on request."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.demo.servers import EmbeddedServers
from responder.edges.smtp import submit_batch
from responder.edges.smtp.wire_form import Ready, Unfit, prepare, well_formed
from responder.errors import CertificateRefused, ConnectionLost, LoginRefused
from responder.model import Accepted, Later, Outcome, Parcel, Refused, Server, Unknown
from tests.conftest import PASSWORD
from tests.servers.dovecot import Certificate
from tests.servers.sink import Received, Sink

RAW = b"From: shop@example.jp\r\nTo: buyer@example.com\r\nSubject: x\r\n\r\nhello\r\n"


def parcel(number: int = 1, **changes: Any) -> Parcel:
    """A small mail on its way."""
    values: dict[str, Any] = {
        "key": f"p{number}",
        "envelope_from": "shop@example.jp",
        "recipient": f"buyer{number}@example.com",
        "raw": RAW,
    }
    return Parcel(**(values | changes))


class Shipping:
    """Runs a batch and keeps what happened: outcomes by key, and the keys whose body was about to leave."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self.began: list[str] = []
        self.events: list[str] = []

    def before_body(self, parcel: Parcel) -> bool:
        self.began.append(parcel.key)
        self.events.append(f"begin {parcel.key}")
        return True

    def on_outcome(self, parcel: Parcel, outcome: Outcome) -> None:
        assert parcel.key not in self.outcomes, "one outcome for each mail"
        self.outcomes[parcel.key] = outcome
        self.events.append(f"end {parcel.key}")

    def send(self, server: Server, *parcels: Parcel, **more: Any) -> None:
        options: dict[str, Any] = {
            "before_body": self.before_body,
            "on_outcome": self.on_outcome,
            "connect_timeout_s": 10,
            "command_timeout_s": 10,
            "answer_timeout_s": 10,
        }
        submit_batch(server, more.pop("secret", lambda: "secret"), parcels or (parcel(),), **(options | more))


def no_secret() -> NoReturn:
    """A password that must not be asked for."""
    raise AssertionError("the password was asked for")


@pytest.fixture
def shipping() -> Shipping:
    return Shipping()


def test_a_mail_arrives_as_it_is(sink: Sink, shipping: Shipping) -> None:
    shipping.send(sink.server())
    assert shipping.outcomes == {"p1": Accepted("250 2.0.0 queued")}
    (mail,) = sink.mails
    assert mail == Received("shop@example.jp", ("buyer1@example.com",), RAW, "shop", mail.options, 1)
    assert mail.options == (f"SIZE={len(RAW)}",) if sink.size else mail.options == ()
    assert sink.commands == ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]


def test_the_embedded_server_takes_mail_for_its_own_and_for_others(
    embedded: EmbeddedServers, shipping: Shipping
) -> None:
    away, home = parcel(1), parcel(2, recipient="buyer@example.com")
    shipping.send(embedded.smtp("shop"), away, home, secret=lambda: PASSWORD)
    assert [type(outcome) for outcome in shipping.outcomes.values()] == [Accepted, Accepted]
    assert [mail.username for mail in embedded.mails] == ["shop", "shop"]
    (arrived,) = embedded.boxes("buyer")["INBOX"]
    assert arrived.raw == b"Return-Path: <shop@example.jp>\r\n" + RAW


def test_nothing_to_send_touches_nothing(shipping: Shipping) -> None:
    submit_batch(
        Server("127.0.0.1", 1, "none", "shop"),
        no_secret,
        (),
        before_body=shipping.before_body,
        on_outcome=shipping.on_outcome,
    )


@pytest.mark.parametrize(
    ("raw", "wire"),
    [
        (b"a: b\r\n\r\n.\r\nafter\r\n", b"a: b\r\n\r\n.\r\nafter\r\n"),
        (b"a: b\n\n.\nx\r.\ry\n.\n", b"a: b\r\n\r\n.\r\nx\r\n.\r\ny\r\n.\r\n"),
        (b"a: b\r\n\r\n..dots\r\n.one", b"a: b\r\n\r\n..dots\r\n.one\r\n"),
        (b".a: b\r\n\r\n", b".a: b\r\n\r\n"),
        (b"a: b\r\n\r\nx\r\n.\r\nMAIL FROM:<evil@example.com>\r\n", None),
    ],
)
def test_dots_and_line_ends_cannot_end_a_mail_early(
    sink: Sink, shipping: Shipping, raw: bytes, wire: bytes | None
) -> None:
    shipping.send(sink.server(), parcel(raw=raw), parcel(2))
    assert [mail.raw for mail in sink.mails] == [wire or raw, RAW]
    assert sink.commands.count("MAIL") == 2


def test_one_connection_carries_the_batch_and_is_renewed_in_time(sink: Sink, shipping: Shipping) -> None:
    shipping.send(sink.server(), *map(parcel, range(7)), mails_per_connection=3)
    assert [mail.connection for mail in sink.mails] == [1, 1, 1, 2, 2, 2, 3]
    assert sink.logged_in == 3
    assert sink.commands.count("QUIT") == 3


def test_each_mail_is_begun_and_ended_before_the_next(sink: Sink, shipping: Shipping) -> None:
    def counted() -> Iterator[Parcel]:
        for number in (1, 2):
            shipping.events.append(f"taken p{number}")
            yield parcel(number)

    submit_batch(
        sink.server(),
        lambda: "secret",
        counted(),
        before_body=shipping.before_body,
        on_outcome=shipping.on_outcome,
    )
    assert shipping.events == ["taken p1", "begin p1", "end p1", "taken p2", "begin p2", "end p2"]


# --- before the first body byte: nothing has happened -------------------------------------------------------------


@pytest.mark.parametrize("at", ["mail", "rcpt", "data"])
@pytest.mark.parametrize(("reply", "kind"), [("451 4.3.0 later", Later), ("550 5.1.1 no", Refused)])
def test_a_no_before_the_body_is_exact_and_the_batch_goes_on(
    sink: Sink, shipping: Shipping, at: str, reply: str, kind: type[Later | Refused]
) -> None:
    sink.fail(at, reply)
    shipping.send(sink.server(), parcel(1), parcel(2))
    assert shipping.outcomes["p1"] == kind(at, reply)
    assert isinstance(shipping.outcomes["p2"], Accepted)
    assert shipping.began == ["p2"]
    assert [mail.recipients for mail in sink.mails] == [("buyer2@example.com",)]
    assert sink.connections == 1
    assert "RSET" in sink.commands


@pytest.mark.parametrize("at", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("how", [{"drop": True}, {"reply": "421 4.3.2 closing", "drop": True}, {"stall": True}])
def test_a_line_that_breaks_before_the_body_is_later_and_leaves_the_rest_alone(
    sink: Sink, shipping: Shipping, at: str, how: dict[str, Any]
) -> None:
    sink.fail(at, **how)
    with pytest.raises(ConnectionLost):
        shipping.send(sink.server(), parcel(1), parcel(2), command_timeout_s=0.3 if "stall" in how else 10)
    assert isinstance(shipping.outcomes["p1"], Later)
    assert "p2" not in shipping.outcomes
    assert shipping.began == []
    assert sink.mails == []


@pytest.mark.parametrize("at", ["mail", "rcpt", "data"])
def test_words_nobody_understands_before_the_body_are_later(sink: Sink, shipping: Shipping, at: str) -> None:
    sink.fail(at, "what?")
    shipping.send(sink.server())
    assert isinstance(shipping.outcomes["p1"], Later)
    assert shipping.began == []


@pytest.mark.parametrize("reply", ["250 done already", "334 VXNlcm5hbWU6", "300 hm", "355 almost"])
def test_anything_but_354_sends_no_body(sink: Sink, shipping: Shipping, reply: str) -> None:
    sink.fail("data", reply)
    shipping.send(sink.server())
    assert shipping.outcomes["p1"] == Later("data", reply)
    assert shipping.began == []
    assert sink.mails == []


@pytest.mark.parametrize("how", [{"drop": True}, {"reply": "421 4.7.0 enough mails", "drop": True}])
def test_a_connection_closed_between_two_mails_is_opened_again(
    sink: Sink, shipping: Shipping, how: dict[str, Any]
) -> None:
    def planned() -> Iterator[Parcel]:
        yield parcel(1)
        sink.fail("mail", **how)
        yield parcel(2)

    submit_batch(
        sink.server(),
        lambda: "secret",
        planned(),
        before_body=shipping.before_body,
        on_outcome=shipping.on_outcome,
    )
    assert [type(outcome) for outcome in shipping.outcomes.values()] == [Accepted, Accepted]
    assert [mail.connection for mail in sink.mails] == [1, 2]


def test_a_refused_reset_ends_the_connection_only(sink: Sink, shipping: Shipping) -> None:
    sink.fail("rcpt", "550 no such user")
    sink.fail("rset", "500 what")
    shipping.send(sink.server(), parcel(1), parcel(2))
    assert [mail.connection for mail in sink.mails] == [2]
    assert shipping.outcomes["p1"] == Refused("rcpt", "550 no such user")


def test_no_commit_no_body(sink: Sink, shipping: Shipping) -> None:
    def before_body(parcel: Parcel) -> bool:
        return parcel.key != "p1"

    shipping.send(sink.server(), parcel(1), parcel(2), before_body=before_body)
    assert shipping.outcomes["p1"] == Later("data", "stopped before the body")
    assert isinstance(shipping.outcomes["p2"], Accepted)
    assert [mail.recipients for mail in sink.mails] == [("buyer2@example.com",)]


@pytest.mark.parametrize("moment", ["before_body", "on_outcome"])
def test_what_the_journal_raises_ends_the_batch(sink: Sink, shipping: Shipping, moment: str) -> None:
    class DiskFull(Exception):
        pass

    def fails(*_args: object) -> NoReturn:
        raise DiskFull

    with pytest.raises(DiskFull):
        shipping.send(sink.server(), parcel(1), parcel(2), **{moment: fails})
    assert len(sink.mails) == (0 if moment == "before_body" else 1)
    assert sink.commands.count("MAIL") == 1


# --- the body and the dot -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reply", "kind"), [("452 4.2.2 full", Later), ("554 5.7.1 spam", Refused)])
def test_a_no_to_the_dot_is_exact(sink: Sink, shipping: Shipping, reply: str, kind: type[Later | Refused]) -> None:
    sink.fail("dot", reply)
    shipping.send(sink.server(), parcel(1), parcel(2))
    assert shipping.outcomes["p1"] == kind("dot", reply)
    assert isinstance(shipping.outcomes["p2"], Accepted)
    assert sink.connections == 1


@pytest.mark.parametrize(
    ("at", "how"),
    [
        ("body", {"drop": True}),
        ("body", {"stall": True}),
        ("dot", {"drop": True}),
        ("dot", {"drop": True, "kept": True}),
        ("dot", {"stall": True, "kept": True}),
        ("dot", {"reply": "421 4.3.2 closing", "drop": True}),
        ("dot", {"reply": "421 4.3.2 closing", "kept": True}),
        ("dot", {"reply": "really?", "kept": True}),
        ("dot", {"reply": "354 go on"}),
        ("dot", {"reply": "100 hm"}),
    ],
)
def test_no_clear_answer_after_the_first_byte_is_unknown_and_nothing_follows(
    sink: Sink, shipping: Shipping, at: str, how: dict[str, Any]
) -> None:
    sink.fail(at, **how)
    with pytest.raises(ConnectionLost):
        shipping.send(sink.server(), parcel(1), parcel(2), answer_timeout_s=0.3 if "stall" in how else 10)
    assert isinstance(shipping.outcomes["p1"], Unknown)
    assert "p2" not in shipping.outcomes
    assert sink.commands.count("MAIL") == 1, "nothing is ever sent twice"


def test_a_second_answer_behind_the_354_is_not_taken_for_the_mails(sink: Sink, shipping: Shipping) -> None:
    sink.fail("data", "354 go ahead\r\n250 queued as nothing")
    shipping.send(sink.server(), parcel(1))
    assert shipping.outcomes["p1"] == Later("data", "the line broke before the body")
    assert sink.mails == []


def test_a_second_answer_behind_any_other_is_not_taken_for_the_next(sink: Sink, shipping: Shipping) -> None:
    sink.fail("mail", "250 ok\r\n250 ok")
    with pytest.raises(ConnectionLost):
        shipping.send(sink.server(), parcel(1), parcel(2))
    assert isinstance(shipping.outcomes["p1"], Later)
    assert shipping.began == []


@pytest.mark.parametrize("how", [{"drop": True}, {"reply": "500 no"}, {"reply": "??"}])
def test_what_happens_at_quit_does_not_matter(sink: Sink, shipping: Shipping, how: dict[str, Any]) -> None:
    sink.fail("quit", **how)
    shipping.send(sink.server())
    assert isinstance(shipping.outcomes["p1"], Accepted)


# --- the connection -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "reply", "error"),
    [
        ("connect", "554 5.3.2 no service", ConnectionLost),
        ("connect", "421 busy", ConnectionLost),
        ("connect", "hello?", ConnectionLost),
        ("ehlo", "421 busy", ConnectionLost),
        ("auth", "535 5.7.8 wrong", LoginRefused),
        ("auth", "454 4.7.0 later", ConnectionLost),
        ("auth", "421 closing", ConnectionLost),
        ("mail", "530 5.7.0 log in first", LoginRefused),
    ],
)
def test_a_failing_connection_touches_no_mail(
    sink: Sink, shipping: Shipping, at: str, reply: str, error: type[Exception]
) -> None:
    sink.fail(at, reply, times=9)
    with pytest.raises(error):
        shipping.send(sink.server())
    assert shipping.outcomes == {}
    assert shipping.began == []


def test_nobody_there_is_a_lost_connection(shipping: Shipping) -> None:
    for host in ("127.0.0.1", "nowhere.invalid"):
        with pytest.raises(ConnectionLost):
            shipping.send(Server(host, 1, "none", "shop"), secret=no_secret)
    assert shipping.outcomes == {}


def test_a_server_that_never_greets_is_given_up(sink: Sink, shipping: Shipping) -> None:
    sink.fail("connect", stall=True)
    with pytest.raises(ConnectionLost):
        shipping.send(sink.server(), connect_timeout_s=0.3, secret=no_secret)


def test_a_wrong_password_is_tried_once(sink: Sink, shipping: Shipping) -> None:
    with pytest.raises(LoginRefused):
        shipping.send(sink.server(), secret=lambda: "wrong")
    assert sink.commands.count("AUTH") == 1


def test_a_mechanism_that_only_seems_to_be_there_gives_way_to_the_next(sink: Sink, shipping: Shipping) -> None:
    sink.fail("auth", "504 5.5.4 not this one")
    shipping.send(sink.server())
    assert isinstance(shipping.outcomes["p1"], Accepted)
    assert sink.commands.count("AUTH") == 2


def test_login_alone_will_do(shipping: Shipping) -> None:
    with Sink(methods=("LOGIN",), auth_required=True, logins={"shop": "ひみつ"}) as sink:
        shipping.send(sink.server(), secret=lambda: "ひみつ")
        assert [mail.username for mail in sink.mails] == ["shop"]


def test_a_relay_on_this_machine_without_auth_is_used_as_it_is(shipping: Shipping) -> None:
    with Sink(auth=False) as sink:
        shipping.send(sink.server(), secret=no_secret)
        assert [mail.username for mail in sink.mails] == [""]


def test_plaintext_to_another_machine_is_refused_before_a_word(
    sink: Sink, shipping: Shipping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("responder.edges.smtp.login.is_loopback", lambda _peer: False)
    with pytest.raises(CertificateRefused, match="this machine"):
        shipping.send(sink.server(), secret=no_secret)
    assert sink.commands == []


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_tls_works_with_the_right_authority_and_nothing_else(
    shipping: Shipping, certificate: Certificate, tls_context: ssl.SSLContext, tls: Any
) -> None:
    with Sink(tls=tls, context=tls_context, ca_file=str(certificate.ca), auth_required=True) as sink:
        shipping.send(sink.server(), parcel(1), parcel(2))
        assert [mail.username for mail in sink.mails] == ["shop", "shop"]
        with pytest.raises(CertificateRefused):
            shipping.send(Server("localhost", sink.port, tls, "shop"), secret=no_secret)
        assert len(sink.mails) == 2


def test_a_stripped_starttls_ends_it_before_the_password(
    shipping: Shipping, certificate: Certificate, tls_context: ssl.SSLContext
) -> None:
    with Sink(tls="starttls", context=tls_context, ca_file=str(certificate.ca), starttls_offered=False) as sink:
        with pytest.raises(CertificateRefused, match="STARTTLS"):
            shipping.send(sink.server(), secret=no_secret)
        assert sink.commands == ["EHLO"]


def test_a_refused_starttls_is_tried_later(
    shipping: Shipping, certificate: Certificate, tls_context: ssl.SSLContext
) -> None:
    with Sink(tls="starttls", context=tls_context, ca_file=str(certificate.ca)) as sink:
        sink.fail("starttls", "454 4.7.0 not now")
        with pytest.raises(ConnectionLost):
            shipping.send(sink.server(), secret=no_secret)
        assert sink.commands == ["EHLO", "STARTTLS"]


def test_a_plain_server_on_a_tls_port_is_refused(sink: Sink, shipping: Shipping) -> None:
    with pytest.raises((CertificateRefused, ConnectionLost)):
        shipping.send(Server("127.0.0.1", sink.port, "implicit", "shop"), secret=no_secret)
    assert sink.commands == []


def test_auth_missing_behind_tls_is_told(
    shipping: Shipping, certificate: Certificate, tls_context: ssl.SSLContext
) -> None:
    ca_file = str(certificate.ca)
    with (
        Sink(tls="implicit", context=tls_context, ca_file=ca_file, auth=False) as sink,
        pytest.raises(LoginRefused, match="no AUTH"),
    ):
        shipping.send(sink.server(), secret=no_secret)


def test_xoauth2_sends_the_token_and_understands_the_refusal(shipping: Shipping) -> None:
    with Sink(methods=("XOAUTH2",), logins={"shop": "token"}, auth_required=True) as sink:
        place = replace(sink.server(), auth="xoauth2")
        shipping.send(place, secret=lambda: "token")
        assert [mail.username for mail in sink.mails] == ["shop"]
        with pytest.raises(LoginRefused, match="535"):
            shipping.send(place, parcel(2), secret=lambda: "expired")
        with pytest.raises(LoginRefused, match="no way"):
            shipping.send(sink.server(), parcel(2), secret=no_secret)
    with Sink() as sink, pytest.raises(LoginRefused, match="no XOAUTH2"):
        shipping.send(replace(sink.server(), auth="xoauth2"), parcel(2), secret=no_secret)


# --- what may go over the line --------------------------------------------------------------------------------------

EIGHT_BIT = "From: shop@example.jp\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nおはよう\r\n".encode()


def test_eight_bit_mail_says_so(sink: Sink, shipping: Shipping) -> None:
    shipping.send(sink.server(), parcel(raw=EIGHT_BIT))
    assert sink.mails[0].raw == EIGHT_BIT
    assert "BODY=8BITMIME" in sink.mails[0].options


def test_without_8bitmime_the_mail_is_rewritten_or_refused(shipping: Shipping) -> None:
    seven_bit = b"From: shop@example.jp\r\n\r\n=E3=81=8A\r\n"
    with Sink(eight_bit=False) as sink:
        shipping.send(sink.server(), parcel(1, raw=EIGHT_BIT), parcel(2), downgrade=lambda _raw: seven_bit)
        assert [mail.raw for mail in sink.mails] == [seven_bit, RAW]
        assert "BODY=8BITMIME" not in sink.mails[0].options
        shipping.send(sink.server(), parcel(3, raw=EIGHT_BIT))
        shipping.send(sink.server(), parcel(4, raw=EIGHT_BIT), downgrade=lambda raw: raw)
        shipping.send(sink.server(), parcel(5, raw=EIGHT_BIT), downgrade=lambda raw: raw[999])
    refusals = [shipping.outcomes[key] for key in ("p3", "p4", "p5")]
    assert all(isinstance(outcome, Refused) and outcome.phase == "check" for outcome in refusals)


def test_a_mail_that_is_too_big_never_leaves(shipping: Shipping) -> None:
    with Sink(size=1000) as sink:
        shipping.send(sink.server(), parcel(1, raw=RAW + b"x" * 990), parcel(2))
        assert [mail.options for mail in sink.mails] == [(f"SIZE={len(RAW)}",)]
    assert isinstance(shipping.outcomes["p1"], Refused)
    assert "takes 1000" in shipping.outcomes["p1"].reply


def test_addresses_beyond_ascii_need_a_server_that_takes_them(sink: Sink, shipping: Shipping) -> None:
    shipping.send(sink.server(), parcel(1, recipient="客@example.com"))
    assert sink.mails[0].recipients == ("客@example.com",)
    assert "SMTPUTF8" in sink.mails[0].options
    with Sink(smtputf8=False) as old:
        shipping.send(old.server(), parcel(2, recipient="客@example.com"), parcel(3))
        assert [mail.recipients for mail in old.mails] == [("buyer3@example.com",)]
    assert shipping.outcomes["p2"] == Refused("check", "the server does not offer SMTPUTF8")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b>\r\nRCPT TO:<evil@example.com",
        "a@b\nc",
        "a b@example.com",
        "<a@example.com>",
        "a@example.com>",
        "alice@x(<bob@y.example>",
        "a@b@c.example",
        "a,b@example.com",
        "a@exa mple.com",
        "a\0@example.com",
        "a\x85b@example.com",
        "a\u2028@example.com",
        '"a b"@example.com',
        '"a"b@example.com',
        '"@example.com',
        "a@",
        "@example.com",
        "x" * 65 + "@example.com",
        "\ud800@example.com",
        "a@[192.0.2.1]",
    ],
)
def test_addresses_that_are_none_never_reach_a_command(sink: Sink, shipping: Shipping, address: str) -> None:
    shipping.send(sink.server(), parcel(1, recipient=address), parcel(2, envelope_from=address), parcel(3))
    assert isinstance(shipping.outcomes["p1"], Refused)
    assert isinstance(shipping.outcomes["p2"], Refused)
    assert [mail.recipients for mail in sink.mails] == [("buyer3@example.com",)]
    assert sink.commands.count("MAIL") == 1


@pytest.mark.parametrize(
    "address",
    [
        "buyer@example.com",
        "mi..ka.@docomo.example",
        '"mi..ka."@docomo.example',
        "a+b=c&d'e@x-y.example",
        "a!b%c@x.example",
    ],
)
def test_addresses_that_people_have_are_taken(sink: Sink, shipping: Shipping, address: str) -> None:
    assert well_formed(address)


def test_nul_and_endless_lines_never_leave(sink: Sink, shipping: Shipping) -> None:
    long = b"Subject: x\r\n\r\n" + b"y" * 999 + b"\r\n"
    fits = b"Subject: x\r\n\r\n" + b"y" * 998 + b"\r\n"
    shipping.send(sink.server(), parcel(1, raw=b"a\0b"), parcel(2, raw=long), parcel(3, raw=fits))
    assert [mail.raw for mail in sink.mails] == [fits]
    assert [type(outcome) for outcome in shipping.outcomes.values()] == [Refused, Refused, Accepted]


@given(raw=st.binary(max_size=300), recipient=st.text(max_size=40))
def test_whatever_is_sent_holds_no_line_but_its_own(raw: bytes, recipient: str) -> None:
    ready = prepare(parcel(raw=raw, recipient=recipient), {"8bitmime": "", "smtputf8": "", "size": "0"}, None)
    if isinstance(ready, Unfit):
        return
    for words in (*ready.mail_from, *ready.rcpt_to):
        assert not set(words) & set(b"\r\n\0 \t")
        assert words.count(b"<") <= 1
    assert ready.body.endswith(b"\r\n.\r\n")
    assert b"\r\n.\r\n" not in ready.body[:-2].removesuffix(b".")
    assert b"\0" not in ready.body
    bare = ready.body.replace(b"\r\n", b"")
    assert b"\r" not in bare
    assert b"\n" not in bare


@given(lines=st.lists(st.binary(max_size=20).map(lambda line: line.translate(None, b"\r\n\0")), max_size=20))
def test_what_the_server_unstuffs_is_what_was_given(lines: list[bytes]) -> None:
    raw = b"".join(line + b"\r\n" for line in [b"a: b", b"", *lines])
    ready = prepare(parcel(raw=raw), {"8bitmime": ""}, None)
    assert isinstance(ready, Ready)
    received = ready.body.removesuffix(b".\r\n").split(b"\r\n")
    assert b"\r\n".join(line.removeprefix(b".") for line in received) == raw
