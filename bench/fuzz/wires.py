"""Servers whose answers were changed at random: no hang, no crash, and never a mail counted as sent that was not."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.fuzz.files import Check, Target
from responder.edges.imap import Session
from responder.edges.smtp import submit_batch
from responder.errors import CertificateRefused, CommandRefused, ConnectionLost, LoginRefused
from responder.model import Accepted, Outcome, Parcel, Refused, Server

NAMED = (ConnectionLost, CommandRefused, LoginRefused, CertificateRefused)
RAW = b"Subject: x\r\n\r\nbody\r\n"
NEXT = b"\n----\n"
"""Stands in an input between what answers one command and what answers the next; `TAG` for the command's tag."""


@contextmanager
def listening(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port of this machine on which `talk` speaks to whoever comes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with sock, contextlib.suppress(OSError):
                sock.settimeout(5)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                talk(sock)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def bounded(work: Callable[[], None], most_s: float = 10.0) -> None:
    """Run it on a thread of its own; what hangs is a finding, too."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as exc:  # on a thread: whoever waits for it raises it
            failure.append(exc)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(most_s)
    assert not thread.is_alive(), "it hangs"
    if failure:
        raise failure[0]


# --- IMAP -----------------------------------------------------------------------------------------------------------

LOGIN = (
    b"* OK ready\n", b"* CAPABILITY IMAP4rev1\nTAG OK x\n",
    b"TAG OK [CAPABILITY IMAP4rev1 UIDPLUS MOVE IDLE MULTIAPPEND NAMESPACE SPECIAL-USE LITERAL+] in\n",
)  # fmt: skip
IMAP_ANSWERS = (
    b'* LIST (\\Drafts) "/" Drafts\n* LIST (\\HasNoChildren) "/" INBOX\nTAG OK x\n',
    b"* 3 EXISTS\n* 0 RECENT\n* FLAGS (\\Seen)\n* OK [PERMANENTFLAGS (\\Seen \\*)] x\n* OK [UIDVALIDITY 7] x\n* OK [UIDNEXT 4] x\n"
    b"TAG OK [READ-WRITE] x\n",
    b"* STATUS INBOX (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 7 UNSEEN 0)\nTAG OK x\n",
    b"* SEARCH 1 2 3\nTAG OK x\n",
    b'* 1 FETCH (UID 1 FLAGS (\\Seen) INTERNALDATE "20-Nov-2026 10:00:00 +0900" RFC822.SIZE 20 BODY[]<0> {20}\nSubject: x\n\nbody    \n)\n'
    b"* 2 FETCH (UID 2 FLAGS () RFC822.SIZE 0 BODY[]<0> NIL)\nTAG OK x\n",
    b"TAG OK [APPENDUID 7 4] x\n",
    b"TAG OK [APPENDUID 7 5:7] x\n",
    b"* OK [COPYUID 7 1 9] x\n* 1 EXPUNGE\nTAG OK x\n",
    b"* SEARCH 2\nTAG OK x\n",
    b"* 1 FETCH (UID 1 FLAGS (\\Deleted))\nTAG OK x\n",
    b"* 1 EXPUNGE\nTAG OK x\n",
    b"+ idling\n",
    b"* 4 EXISTS\nTAG OK x\n",
)
IMAP_WORDS = (
    b"* BYE x\n", b"* PREAUTH x\n", b"TAG NO [OVERQUOTA] x\n", b"TAG BAD x\n", b"{5}\n", b"{99999999999}\n", b"{-1}\n", b"NIL", b"* OK [",
    b"+ \n", b"UID ", b"\\Seen", b"((((", b"XX1 OK x\n", b'"\\"', b"* 4294967296 EXISTS\n", b"[UIDVALIDITY 0]", b"INBOX", b"BODY[]<0>",
)  # fmt: skip


@contextmanager
def imap() -> Iterator[Target]:
    """Everything we ask an IMAP server, answered at random."""
    current: list[bytes] = []

    def talk(sock: socket.socket) -> None:
        left = list(current)
        sock.sendall(left.pop(0).replace(b"\n", b"\r\n") if left else b"")
        buffer = b""
        while data := sock.recv(65536):
            buffer += data
            while b"\r\n" in buffer:
                words, _, buffer = buffer.partition(b"\r\n")
                if not left:
                    return
                tag = words.split(b" ")[0] or b"x"
                sock.sendall(left.pop(0).replace(b"TAG", tag).replace(b"\n", b"\r\n"))

    with listening(talk) as port:
        place = Server("127.0.0.1", port, "none", "u")

        def check(data: bytes) -> None:
            current[:] = data.split(NEXT)
            bounded(lambda: _ask_everything(place))

        well = NEXT.join((*LOGIN, *IMAP_ANSWERS))
        behind_login = [NEXT.join((*LOGIN, *IMAP_ANSWERS[n:])) for n in range(len(IMAP_ANSWERS))]
        yield Target((well, *behind_login), (*IMAP_WORDS, NEXT), check)


def _ask_everything(place: Server) -> None:
    with (
        contextlib.suppress(*NAMED),
        contextlib.closing(Session.connect(place, lambda: "p", connect_timeout_s=1, read_timeout_s=0.05)) as session,
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


# --- SMTP -----------------------------------------------------------------------------------------------------------

SMTP_WELL = (b"220 mx\n", b"250-mx\n250-SIZE 1000000\n250-8BITMIME\n250 AUTH PLAIN\n", b"235 in\n", b"250 ok\n", b"250 ok\n",
             b"354 go\n", b"250 taken\n", b"250 ok\n", b"250 ok\n", b"354 go\n", b"250 taken\n", b"221 bye\n")  # fmt: skip
SMTP_WORDS = (
    b"421 bye\n", b"451 later\n", b"550 no\n", b"354 go\n", b"250 ok\n", b"250-", b"99 x\n", b"2500 x\n", b"334 \n", b"535 no\n", b"\n",
    b"250 " + b"x" * 9000 + b"\n", NEXT,
)  # fmt: skip


@contextmanager
def smtp() -> Iterator[Target]:
    """Two mails over one line, answered at random: a body is begun once at most, and only an answer to the dot counts."""
    current: list[bytes] = []
    after_dot: list[bytes] = []
    bodies: list[bytes] = []

    def talk(sock: socket.socket) -> None:
        left = list(current)
        sock.sendall(left.pop(0).replace(b"\n", b"\r\n") if left else b"")
        buffer, in_body = b"", False
        while data := sock.recv(65536):
            buffer += data
            end = b"\r\n.\r\n" if in_body else b"\r\n"
            if end not in buffer:
                continue
            if in_body:
                bodies.append(buffer)
            is_data, buffer = not in_body and buffer[:4].upper() == b"DATA", b""
            if not left:
                return
            answer = left.pop(0).replace(b"\n", b"\r\n")
            if in_body:
                after_dot.append(answer)
            in_body = is_data and re.search(rb"(?m)^\s*\+?3\d\d", answer) is not None
            sock.sendall(answer)

    with listening(talk) as port:

        def check(data: bytes) -> None:
            current[:], after_dot[:], bodies[:] = data.split(NEXT), [], []
            bounded(lambda: _send_two(port, after_dot))

        yield Target((NEXT.join(SMTP_WELL),), SMTP_WORDS, check)


def _send_two(port: int, after_dot: list[bytes]) -> None:
    outcomes: list[tuple[str, Outcome]] = []
    began: list[str] = []

    def before_body(parcel: Parcel) -> bool:
        began.append(parcel.key)
        return True

    with contextlib.suppress(*NAMED):
        submit_batch(
            Server("127.0.0.1", port, "none", "u"),
            lambda: "p",
            [Parcel(key, "a@example.jp", "b@example.com", RAW) for key in ("1", "2")],
            before_body=before_body,
            on_outcome=lambda parcel, outcome: outcomes.append((parcel.key, outcome)),
            connect_timeout_s=0.1,
            command_timeout_s=0.05,
            answer_timeout_s=0.05,
        )
    assert len(began) == len(set(began)), "a body was begun twice"
    keys = [key for key, _ in outcomes]
    assert len(keys) == len(set(keys)), "two outcomes for one mail"
    accepted = [key for key, outcome in outcomes if isinstance(outcome, Accepted)]
    assert set(accepted) <= set(began)
    assert len(accepted) <= sum(bool(re.search(rb"(?m)^\s*\+?2\d\d", answer)) for answer in after_dot)
    for key, outcome in outcomes:
        if isinstance(outcome, Refused) and outcome.phase in ("mail", "rcpt", "data"):
            assert key not in began


WIRES: dict[str, Callable[[], contextlib.AbstractContextManager[Target]]] = {"imap": imap, "smtp": smtp}

__all__ = ["WIRES", "Check", "imap", "smtp"]
