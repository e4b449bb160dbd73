"""The small grammar of IMAP: the quick reader agrees with the library's, and everything survives odd input."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imapclient.response_parser import parse_fetch_response

from responder.edges.imap.answers import (
    COMMAND_BYTES,
    _usual_answer,
    appended_places,
    fetch_answer,
    fetched,
    uid_batches,
    uid_set,
)
from responder.edges.imap.wire import flag_list, refusal, response_code
from responder.errors import CommandRefused

DATES = st.sampled_from(
    [
        "22-Nov-2026 07:47:00 +0000",
        " 1-Feb-2024 09:00:00 +0900",
        "31-Dec-1999 23:59:59 -1130",
        "29-feb-2024 00:00:00 +0000",
    ]
)


@st.composite
def entries(draw: st.DrawFn) -> list[Any]:
    """One mail of a FETCH answer as imaplib hands it over, its items in any order."""
    body = draw(st.binary(max_size=50))
    flags = draw(st.lists(st.sampled_from(["\\Seen", "$label1", "NonJunk", "\\Answered"]), max_size=3))
    items = [
        f"UID {draw(st.integers(1, 2**32 - 1))}",
        f"FLAGS ({' '.join(flags)})",
        f'INTERNALDATE "{draw(DATES)}"',
        f"RFC822.SIZE {draw(st.integers(0, 10**9))}",
        draw(st.sampled_from(["BODY[]<0>", "BODY[HEADER]", "body[]", "BODY[HEADER.FIELDS (SUBJECT)]<0>"])),
    ]
    order = draw(st.permutations(range(5)))
    text = " ".join(items[n] if n != 4 else f"{items[4]} {{{len(body)}}}" for n in order)
    head = f"{draw(st.integers(1, 99))} (".encode()
    before, mark, after = text.encode().partition(b"}")
    return [(head + before + mark, body), after + b")"]


@given(st.lists(entries(), max_size=4))
def test_the_quick_reader_agrees_with_the_library(mails: list[list[Any]]) -> None:
    data = [piece for mail in mails for piece in mail]
    quick = _usual_answer(data)
    assert quick is not None
    slow = {uid: dict(entry) for uid, entry in parse_fetch_response(data, normalise_times=False).items()}
    for entry in slow.values():
        entry.pop(b"SEQ")
    assert quick == slow


@given(
    st.lists(st.one_of(st.binary(max_size=60), st.tuples(st.binary(max_size=60), st.binary(max_size=9))), max_size=4)
)
def test_the_quick_reader_never_stumbles(data: list[Any]) -> None:
    _usual_answer(data)


@pytest.mark.parametrize(
    "line",
    [
        b'1 (UID 5 FLAGS ("quoted") RFC822.SIZE 3)',
        b"1 (UID 5 BODY[] NIL)",
        b'1 (UID 5 BODY[] "ab")',
        b"1 (UID 5 X-GM 1)",
    ],
)
def test_the_unusual_goes_to_the_library(line: bytes) -> None:
    assert _usual_answer([line]) is None
    assert 5 in fetch_answer([line])


def test_an_entry_without_a_body_is_no_mail() -> None:
    assert fetched(5, {b"FLAGS": (b"\\Seen",)}) is None
    mail = fetched(5, {b"BODY[]<0>": 123, b"FLAGS": (b"\\Seen", b"\\Recent")})
    assert mail is not None
    assert (mail.raw, mail.size_bytes, mail.flags) == (b"123", 3, {"\\Seen"})


@given(st.sets(st.integers(1, 5000) | st.integers(1, 2**32 - 1)), st.integers(1, 300))
def test_batches_name_every_uid_once_in_short_commands(uids: set[int], most: int) -> None:
    batches = list(uid_batches(uids, most))
    assert [uid for batch in batches for uid in batch] == sorted(uids)
    assert all(0 < len(batch) <= most for batch in batches)
    for batch in batches:
        written = uid_set(batch)
        assert len(written) <= COMMAND_BYTES
        named: list[int] = []
        for piece in written.split(","):
            low, _, high = piece.partition(":")
            named += range(int(low), int(high or low) + 1)
        assert tuple(named) == batch


@given(st.text(max_size=60), st.integers(0, 30))
def test_places_are_told_for_all_or_none(text: str, count: int) -> None:
    assert len(appended_places(f"[APPENDUID 7 {text}] done", count)) == count


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[TRYCREATE] no such mailbox", ("TRYCREATE", "")),
        ("[copyuid 1 2 3] ok [x]", ("COPYUID", "1 2 3")),
        ("no code", ("", "")),
        ("[", ("", "")),
        ("[APPENDUID 1 5:7] x", ("APPENDUID", "1 5:7")),
    ],
)
def test_response_codes_are_read(text: str, code: tuple[str, str]) -> None:
    assert response_code(text) == code


def test_a_refusal_keeps_code_and_words_apart() -> None:
    refused = refusal("APPEND", "[OVERQUOTA] Quota exceeded")
    assert (refused.command, refused.code, refused.text) == ("APPEND", "OVERQUOTA", "Quota exceeded")


@given(st.text(max_size=10))
def test_flags_are_atoms_or_refused(flag: str) -> None:
    try:
        written = flag_list([flag], "STORE")
    except CommandRefused:
        return
    assert written == f"({flag})"
    assert not set(flag) & set(' ()[]{}"%*\r\n\0\\') or flag.startswith("\\")
