"""Whoever sits on the line: no byte of a login or a mail goes out in plaintext, whatever the server or the man in the
middle says (NO STARTTLS, USENIX Security 2021). The wire itself is recorded."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from responder.edges.imap import Session
from responder.edges.smtp import submit_batch
from responder.errors import CertificateRefused, ConnectionLost, LoginRefused
from responder.model import Outcome, Parcel, Server, Tls
from tests.servers.scripted import Line, ScriptedImap
from tests.servers.tap import Tap

USER, PASSWORD = "shop-login-7731", "Correct-Horse-9182"
BUYER, BODY = "hanako.7742@mail.example", "NOBODY-ELSE-READS-THIS-5561"
MAIL = f"From: a@shop.example\r\nTo: {BUYER}\r\nSubject: x\r\n\r\n{BODY}\r\n".encode()


def shapes(secret: str) -> Iterator[bytes]:
    """The secret as it is, and inside base64 at each of three places."""
    raw = secret.encode()
    yield raw
    for lead in range(3):
        yield base64.b64encode(b"\0" * lead + raw)[4 if lead else 0 : -4]


LEAKS = [shape for secret in (USER, PASSWORD, BUYER, BODY) for shape in shapes(secret)]


@dataclass(frozen=True)
class Shop:
    """The servers' sides of the certificates there are."""

    good: ssl.SSLContext
    ca_file: str
    others: dict[str, ssl.SSLContext]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder: Path = tmp_path_factory.mktemp("wire")
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)

    def context(issued: trustme.LeafCert) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(made)
        return made

    others = {
        "another name": context(authority.issue_cert("mail.elsewhere.example")),
        "a wildcard of another domain": context(authority.issue_cert("*.elsewhere.example")),
        "expired": context(authority.issue_cert("localhost", not_after=past)),
        "an unknown authority": context(stranger.issue_cert("localhost")),
    }
    return Shop(context(authority.issue_cert("localhost")), str(folder / "ca.pem"), others)


def imap(
    shop: Shop, tls: Tls, script: Callable[[Line], None], *, wait_s: float = 20
) -> tuple[bytes, type[Exception] | None, list[bytes]]:
    """What went over the wire, how the login ended, and what the server's script heard."""
    with ScriptedImap(script) as server, Tap(server.port) as tap:
        place = Server("localhost", tap.port, tls, USER, ca_file=shop.ca_file)
        ended: type[Exception] | None = None
        try:
            with Session.connect(place, lambda: PASSWORD, connect_timeout_s=wait_s, read_timeout_s=wait_s) as session:
                session.append("Drafts", MAIL)
        except (CertificateRefused, ConnectionLost, LoginRefused) as exc:
            ended = type(exc)
        server.failures.clear()
        return tap.said, ended, list(server.heard)


def smtp(
    shop: Shop, tls: Tls, script: Callable[[Line], None], *, wait_s: float = 20
) -> tuple[bytes, type[Exception] | None, list[Outcome]]:
    """The same for sending."""
    outcomes: list[Outcome] = []
    with ScriptedImap(script) as server, Tap(server.port) as tap:
        ended: type[Exception] | None = None
        try:
            submit_batch(
                Server("localhost", tap.port, tls, USER, ca_file=shop.ca_file),
                lambda: PASSWORD,
                [Parcel("1", "a@shop.example", BUYER, MAIL)],
                before_body=lambda _: True,
                on_outcome=lambda _, outcome: outcomes.append(outcome),
                local_hostname="shop.example",
                connect_timeout_s=wait_s,
                command_timeout_s=wait_s,
                answer_timeout_s=wait_s,
            )
        except (CertificateRefused, ConnectionLost, LoginRefused) as exc:
            ended = type(exc)
        server.failures.clear()
        return tap.said, ended, outcomes


def no_leak(said: bytes) -> None:
    for leak in LEAKS:
        assert leak not in said, said


# --- IMAP -----------------------------------------------------------------------------------------------------------

WITH = "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\n"
CAPS = "* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\n"


def serve_all(line: Line) -> None:
    """Answer OK to everything, and invite to go on: a server that would take the password from anybody."""
    while words := line.read_line().split(b" "):
        if words == [b""]:
            return
        verb = words[1].upper() if len(words) > 1 else b""
        extra = b"+ go on\r\n" if verb in (b"AUTHENTICATE", b"APPEND") else b""
        line.send(b"* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\r\n" + extra + words[0] + b" OK done\r\n")


def secured(line: Line, context: ssl.SSLContext) -> None:
    line.sock = context.wrap_socket(line.sock, server_side=True)


def begun(line: Line, answer: str, *, caps: str = CAPS, greeting: str = WITH) -> None:
    """Up to the answer to STARTTLS; `TAG` stands for the command's tag."""
    line.send(greeting)
    line.answer("CAPABILITY", caps)
    tag = line.expect("STARTTLS")
    line.send(answer.replace("TAG", tag))


Script = Callable[[Line], None]


def imap_attacks() -> Iterator[tuple[str, Script]]:
    def stripped(line: Line) -> None:
        line.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\n")
        serve_all(line)

    def preauth(line: Line) -> None:
        line.send("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome\n")
        serve_all(line)

    def refused(word: str) -> Script:
        def script(line: Line) -> None:
            begun(line, f"TAG {word} not today\n")
            serve_all(line)

        return script

    def plain_after_ok(line: Line) -> None:
        begun(line, "TAG OK begin\n")
        serve_all(line)

    def injected(line: Line) -> None:
        begun(line, "TAG OK begin\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\nx1 OK in\nx2 OK in\n* PREAUTH in\n")
        serve_all(line)

    def bye(line: Line) -> None:
        begun(line, "* BYE later\nTAG OK begin\n")
        serve_all(line)

    def login_first(line: Line) -> None:
        line.send("* OK [ALERT] Log in with LOGIN first, STARTTLS comes later [CAPABILITY IMAP4rev1]\n")
        serve_all(line)

    def referral(line: Line) -> None:
        line.send("* OK [REFERRAL imap://127.0.0.1/] elsewhere\n")
        line.answer("CAPABILITY", "* CAPABILITY IMAP4rev1 LOGIN-REFERRALS AUTH=PLAIN\n")
        serve_all(line)

    def garbage(line: Line) -> None:
        begun(line, "TAG OK begin\n")
        line.send(b"\x16\x03\x01\x00\x02\x00\x00" * 20)
        serve_all(line)

    def closed(line: Line) -> None:
        begun(line, "TAG OK begin\n")
        line.close()

    def only_untagged(line: Line) -> None:
        begun(line, "* OK begin\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\n")
        line.close()

    yield "starttls: stripped", stripped
    yield "starttls: PREAUTH", preauth
    yield "starttls: NO", refused("NO")
    yield "starttls: BAD", refused("BAD")
    yield "starttls: OK, then plaintext", plain_after_ok
    yield "starttls: answers injected, then plaintext", injected
    yield "starttls: BYE beside the OK", bye
    yield "starttls: asked to log in first", login_first
    yield "starttls: sent elsewhere", referral
    yield "starttls: a handshake of garbage", garbage
    yield "starttls: closed after OK", closed
    yield "starttls: never ended", only_untagged


@pytest.mark.parametrize(
    ("name", "script"), list(imap_attacks()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_no_attack_on_fetching_gets_a_byte(shop: Shop, name: str, script: Script) -> None:
    said, ended, _ = imap(shop, "starttls", script, wait_s=0.5)
    assert ended is not None
    no_leak(said)


CERTIFICATES = ("another name", "a wildcard of another domain", "expired", "an unknown authority")


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("which", CERTIFICATES)
def test_no_certificate_but_the_right_one_gets_the_login(shop: Shop, which: str, tls: Tls) -> None:
    def script(line: Line) -> None:
        if tls == "starttls":
            begun(line, "TAG OK begin\n")
        secured(line, shop.others[which])
        line.send("* OK ready\n")
        serve_all(line)

    said, ended, heard = imap(shop, tls, script)
    assert ended is CertificateRefused
    no_leak(said)
    assert not any(PASSWORD.encode() in line for line in heard), "not even inside TLS: the peer is not proven"


@pytest.mark.parametrize("greeting", ["* PREAUTH welcome\n", "* OK plain\n"])
def test_implicit_tls_takes_no_plaintext_server_and_no_login_of_its_own(shop: Shop, greeting: str) -> None:
    def script(line: Line) -> None:
        if "PREAUTH" in greeting:
            secured(line, shop.good)
        line.send(greeting)
        serve_all(line)

    said, ended, _ = imap(shop, "implicit", script, wait_s=2)
    assert ended in (CertificateRefused, ConnectionLost)
    no_leak(said)


@pytest.mark.parametrize("injected", ["", "* CAPABILITY IMAP4rev1 LOGINDISABLED\n"])
def test_over_proven_tls_the_login_goes_out_and_the_wire_shows_nothing(shop: Shop, injected: str) -> None:
    """The other half of the proof: the server did get the password and the mail, and the recorded wire is silent."""

    def script(line: Line) -> None:
        begun(line, f"{injected}TAG OK begin\n")
        secured(line, shop.good)
        line.answer("CAPABILITY", "* CAPABILITY IMAP4rev1\n")
        line.answer("CAPABILITY", "* CAPABILITY IMAP4rev1\n")
        line.answer("LOGIN", end="OK [CAPABILITY IMAP4rev1 LITERAL+] in")
        line.expect("APPEND")
        line.read_bytes(len(MAIL))
        line.close()

    said, _, heard = imap(shop, "starttls", script)
    no_leak(said)
    assert any(PASSWORD.encode() in line for line in heard)
    assert any(BODY.encode() in line for line in heard)


def test_the_tap_would_show_it(shop: Shop) -> None:
    """Without TLS, which only this machine is spoken to: the recorder does see what the other tests look for."""

    def script(line: Line) -> None:
        line.greet("LITERAL+")
        line.expect("APPEND")
        line.read_bytes(len(MAIL))

    said, _, _ = imap(shop, "none", script)
    assert all(secret.encode() in said for secret in (USER, PASSWORD, BUYER, BODY))


# --- SMTP -----------------------------------------------------------------------------------------------------------


def take_all(line: Line) -> None:
    """An SMTP server that takes everything from anybody."""
    in_body, empty = False, 0
    while empty < 5:  # the end of the line looks like many empty ones
        said = line.read_line()
        word = said[:4].upper()
        empty = 0 if said else empty + 1
        if in_body and said == b".":
            in_body = False
            line.send("250 taken\n")
        elif in_body or not said:
            continue
        elif word == b"EHLO":
            line.send("250-mx\n250-AUTH PLAIN LOGIN\n250 8BITMIME\n")
        elif word == b"DATA":
            in_body = True
            line.send("354 go\n")
        else:
            line.send("235 in\n" if word == b"AUTH" else "250 ok\n")


def greeted(line: Line, *extensions: str) -> None:
    line.send("220 mx ready\n")
    line.read_line()
    line.send("".join(f"250-{name}\n" for name in ("mx", *extensions)) + "250 8BITMIME\n")


def smtp_attacks() -> Iterator[tuple[str, Script]]:
    def stripped(line: Line) -> None:
        greeted(line, "AUTH PLAIN LOGIN")
        take_all(line)

    def no_extensions(line: Line) -> None:
        line.send("220 mx\n")
        line.read_line()
        line.send("502 no EHLO\n")
        take_all(line)

    def answered(reply: str, *, then: Callable[[Line], None] = take_all) -> Script:
        def script(line: Line) -> None:
            greeted(line, "STARTTLS", "AUTH PLAIN LOGIN")
            line.read_line()
            line.send(reply)
            then(line)

        return script

    def garbage(line: Line) -> None:
        line.send(b"\x15\x03\x01\x00\x02\x02\x28" * 10)
        take_all(line)

    yield "starttls: stripped", stripped
    yield "starttls: only HELO", no_extensions
    yield "starttls: 454", answered("454 not available\n")
    yield "starttls: 502", answered("502 unknown\n")
    yield "starttls: 554", answered("554 no\n")
    yield "starttls: 250 instead of 220", answered("250 ok\n")
    yield "starttls: 220, then plaintext", answered("220 go\n")
    yield "starttls: 220 and answers injected", answered("220 go\n250-mx\n250-AUTH PLAIN\n250 ok\n235 in\n250 ok\n")
    yield "starttls: several lines", answered("220-go\n220-on\n220 now\n250 AUTH PLAIN\n")
    yield "starttls: closed", answered("220 go\n", then=lambda line: line.close())
    yield "starttls: a handshake of garbage", answered("220 go\n", then=garbage)
    yield "starttls: 421", answered("421 bye\n", then=lambda line: line.close())


@pytest.mark.parametrize(
    ("name", "script"), list(smtp_attacks()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_no_attack_on_sending_gets_a_byte(shop: Shop, name: str, script: Script) -> None:
    said, ended, outcomes = smtp(shop, "starttls", script, wait_s=0.5)
    assert ended in (CertificateRefused, ConnectionLost)
    assert outcomes == []
    no_leak(said)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("which", CERTIFICATES)
def test_no_certificate_but_the_right_one_gets_a_mail(shop: Shop, which: str, tls: Tls) -> None:
    def script(line: Line) -> None:
        if tls == "starttls":
            greeted(line, "STARTTLS")
            line.read_line()
            line.send("220 go\n")
        secured(line, shop.others[which])
        greeted(line, "AUTH PLAIN LOGIN")
        take_all(line)

    said, ended, outcomes = smtp(shop, tls, script)
    assert ended is CertificateRefused
    assert outcomes == []
    no_leak(said)


def test_a_plaintext_server_on_the_tls_port_gets_no_mail(shop: Shop) -> None:
    def script(line: Line) -> None:
        greeted(line, "AUTH PLAIN LOGIN")
        take_all(line)

    said, ended, _ = smtp(shop, "implicit", script, wait_s=2)
    assert ended in (CertificateRefused, ConnectionLost)
    no_leak(said)


def test_over_proven_tls_the_mail_goes_out_and_the_wire_shows_nothing(shop: Shop) -> None:
    heard: list[bytes] = []

    def script(line: Line) -> None:
        heard_before = line._heard
        greeted(line, "STARTTLS", "AUTH LOGIN")
        line.read_line()
        line.send("220 go\n")
        secured(line, shop.good)
        line.read_line()
        line.send("250-mx\n250-AUTH PLAIN\n250 8BITMIME\n")
        with contextlib.suppress(OSError):
            take_all(line)
        heard.extend(heard_before)

    said, ended, outcomes = smtp(shop, "starttls", script)
    assert ended is None
    assert [type(outcome).__name__ for outcome in outcomes] == ["Accepted"]
    no_leak(said)
    assert any(BODY.encode() in line for line in heard)
