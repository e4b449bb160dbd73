"""Servers that answer anything at all: no hang, no crash, and never a mail counted as sent that was not."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from responder.edges.imap import Session
from responder.edges.smtp import submit_batch
from responder.errors import CertificateRefused, CommandRefused, ConnectionLost, LoginRefused
from responder.model import Accepted, Outcome, Parcel, Server

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
RAW = b"Subject: x\r\n\r\nbody\r\n"


class OneLine:
    """Accepts connections one after the other and lets a function talk on each; closes it afterwards."""

    def __init__(self) -> None:
        self.talk: Callable[[socket.socket], None] = lambda sock: None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock, contextlib.suppress(OSError):
                sock.settimeout(10)
                self.talk(sock)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(20)


@pytest.fixture
def line() -> Iterator[OneLine]:
    server = OneLine()
    yield server
    server.close()


IMAP_PIECES = st.lists(
    st.sampled_from(
        [
            b"* OK hi\r\n",
            b"* 3 EXISTS\r\n",
            b"* SEARCH 1 2 3\r\n",
            b"* SEARCH x\r\n",
            b"* 1 FETCH (UID 1 FLAGS (\\Seen) RFC822.SIZE 3 BODY[]<0> {3}\r\nabc)\r\n",
            b"* 1 FETCH (UID 1 BODY[]<0> {3}\r\nab",
            b"* 1 FETCH (UID FLAGS)\r\n",
            b"* 1 FETCH garbage (((\r\n",
            b'* LIST (\\Drafts) "/" "x\r\n',
            b'* LIST () "/" INBOX\r\n',
            b"* STATUS INBOX (UIDNEXT x)\r\n",
            b"* OK [UIDVALIDITY 7] x\r\n",
            b"* OK [UIDVALIDITY abc] x\r\n",
            b"* CAPABILITY\r\n",
            b"* NAMESPACE ((\r\n",
            b"* BYE bye\r\n",
            b"+ go\r\n",
            b"TAG OK [APPENDUID 1 x] done\r\n",
            b"TAG OK done\r\n",
            b"TAG NO [TRYCREATE] no\r\n",
            b"TAG BAD what\r\n",
            b"TAG PREAUTH x\r\n",
            b"XYZ1 OK other\r\n",
            b"\r\n",
            b"\xff\x00\r\n",
            b"* {5}\r\nabcde\r\n",
        ]
    )
    | st.binary(max_size=12),
    max_size=4,
)


@FEW
@given(answers=st.lists(IMAP_PIECES, min_size=1, max_size=12))
def test_whatever_an_imap_server_says_ends_in_a_named_error_or_none(line: OneLine, answers: list[list[bytes]]) -> None:
    def talk(sock: socket.socket) -> None:
        sock.sendall(b"* OK ready\r\n")
        buffer, left, logged_in = b"", list(answers), 0
        while True:
            data = sock.recv(65536)
            if not data:
                return
            buffer += data
            while b"\r\n" in buffer:
                words, _, buffer = buffer.partition(b"\r\n")
                tag = words.split(b" ")[0] or b"x"
                if logged_in < 2:  # the first CAPABILITY and the LOGIN are answered well
                    logged_in += 1
                    caps = b" [CAPABILITY IMAP4rev1 UIDPLUS MOVE IDLE MULTIAPPEND NAMESPACE SPECIAL-USE]"
                    sock.sendall(b"* CAPABILITY IMAP4rev1\r\n" * (logged_in == 1) + tag + b" OK" + caps + b" x\r\n")
                elif left:
                    sock.sendall(b"".join(left.pop(0)).replace(b"TAG", tag))
                else:
                    return

    line.talk = talk
    named = (ConnectionLost, CommandRefused, LoginRefused, CertificateRefused)
    place = Server("127.0.0.1", line.port, "none", "u")
    with (
        contextlib.suppress(*named),
        contextlib.closing(Session.connect(place, lambda: "p", read_timeout_s=0.05)) as session,
    ):
        steps: list[Callable[[], object]] = [
            session.folders,
            lambda: session.select("INBOX"),
            lambda: session.status("INBOX"),
            lambda: session.uids_from(1),
            lambda: list(session.fetch((1, 2))),
            lambda: session.append("Drafts", RAW),
            lambda: session.append_many("Drafts", [RAW] * 3),
            lambda: session.move(1, "Sent"),
            lambda: session.find_message_id("<a@b>"),
            lambda: session.remove(1),
            session.idle,
            lambda: session.done(answer_s=0.05),
        ]
        for step in steps:
            with contextlib.suppress(CommandRefused):
                step()
            session.pending()


SMTP_PIECES = st.lists(
    st.sampled_from(
        [
            b"250 ok\r\n",
            b"250-ok\r\n250-SIZE 9\r\n250 AUTH PLAIN\r\n",
            b"250-half\r\n",
            b"354 go\r\n",
            b"220 hi\r\n",
            b"235 in\r\n",
            b"334 \r\n",
            b"421 bye\r\n",
            b"451 later\r\n",
            b"550 no\r\n",
            b"99 odd\r\n",
            b"2500 odd\r\n",
            b"garbage\r\n",
            b"250 ok\n",
            b"\r\n",
            b"\xff\xfe\r\n",
            b"25",
        ]
    )
    | st.binary(max_size=6),
    max_size=3,
)


@FEW
@given(answers=st.lists(SMTP_PIECES, min_size=4, max_size=8))
def test_whatever_an_smtp_server_says_only_an_answer_to_the_dot_counts(
    line: OneLine, answers: list[list[bytes]]
) -> None:
    """The first two answers are well, so that most examples reach the body."""
    said_after_dot: list[bytes] = []

    def talk(sock: socket.socket) -> None:
        sock.sendall(b"220 ready\r\n")
        left = [[b"250 hi\r\n"], *answers]
        buffer, in_body = b"", False
        while True:
            data = sock.recv(65536)
            if not data:
                return
            buffer += data
            end = b"\r\n.\r\n" if in_body else b"\r\n"
            if end not in buffer:
                continue
            buffer = b""
            if not left:
                return
            answer = b"".join(left.pop(0))
            if in_body:
                said_after_dot.append(answer)
            in_body = answer.startswith(b"354") and not in_body
            sock.sendall(answer)

    line.talk = talk
    outcomes: list[Outcome] = []
    began: list[str] = []

    def before_body(parcel: Parcel) -> bool:
        began.append(parcel.key)
        return True

    with contextlib.suppress(ConnectionLost, LoginRefused, CertificateRefused):
        submit_batch(
            Server("127.0.0.1", line.port, "none", ""),
            lambda: "p",
            [Parcel("k", "a@example.jp", "b@example.com", RAW)],
            before_body=before_body,
            on_outcome=lambda _parcel, outcome: outcomes.append(outcome),
            connect_timeout_s=0.05,
            command_timeout_s=0.05,
            answer_timeout_s=0.05,
        )
    assert len(outcomes) <= 1
    if outcomes and isinstance(outcomes[0], Accepted):
        assert began == ["k"]
        assert said_after_dot
        assert re.match(rb"(?s)(?:2\d\d-.*\n)?\s*\+?2\d\d", said_after_dot[0])
