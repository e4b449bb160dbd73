"""Mails, rules, templates, configurations and order files: whatever is in them, they end in a value or in words."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import getaddresses
from pathlib import Path
from unittest.mock import patch

from responder.config import AccountSettings, Settings, bare, checks, default_pack_dir, one_file, source
from responder.config.validate import validate
from responder.core.compose import draft_bytes
from responder.core.mime import read
from responder.core.rules import compile as rule_compiler
from responder.core.rules import compile_pack
from responder.core.template_check import checked
from responder.core.wording import Catalog
from responder.edges.orders import OrderBook, open_book
from responder.errors import ConfigError, MessageError, Mistake, OrdersUnavailable
from responder.flows.explain import explain_mail
from responder.model import Identity, Server
from tests.attackers.nasty import BUYER, SHOP, every

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
HANGS_S = 2.0
ROOT = Path(__file__).parents[2]
ORDERS = """order_id,channel,status,buyer_name,buyer_mail,payment,total,currency,ordered_at,ship_by,shipped_at,carrier,tracking_no,eta,items
1042,own,paid,田中 花子,hanako@mail.example,credit_card,4980,JPY,2026-11-18T10:00:00+09:00,2026-11-25,,,,,江戸切子の箸置き
1043,rakuten,shipped,鈴木 健,ken@mail.example,cod,"12,800",JPY,2026/11/17 09:10,,2026-11-18,ヤマト運輸,1234-5678-9012,,"A ""B"" C
D"
"""

Check = Callable[[bytes], None]
"""Looks at one input; raises AssertionError, or whatever was not caught, if something is wrong."""


class TooSlow(AssertionError):
    """It took longer than any input may."""


@contextmanager
def in_time() -> Iterator[None]:
    """Not longer than two seconds of this thread's own time."""
    start = time.thread_time()
    yield
    if time.thread_time() - start > HANGS_S:
        raise TooSlow(f"{time.thread_time() - start:.1f} s")


@dataclass(frozen=True)
class Target:
    """What is fuzzed: inputs to begin with, words with a meaning there, and the check."""

    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...]
    check: Check


# --- mails ----------------------------------------------------------------------------------------------------------


def shop() -> Settings:
    """A shop without servers."""
    identity = Identity(SHOP, ("support@minato-zakka.example",), "みなと雑貨店")
    account = AccountSettings("main", identity, imap=Server("127.0.0.1", 143, "none", "shop"), imap_secret=str)
    return replace(bare(name="みなと雑貨店"), accounts=(account,))


def mails(folder: Path, *, whole_every: int = 8) -> Target:
    """Reading every mail, and going all the way to a reply with one in `whole_every`."""
    settings = shop()
    file = folder / "orders.csv"
    file.write_text(ORDERS, encoding="utf-8")
    book = open_book((one_file(settings, file),))
    book.refresh()
    shapes = [path.read_bytes() for path in sorted((ROOT / "tests" / "mails").rglob("*.eml"))]
    seeds = (*shapes, *(case.raw for case in every() if len(case.raw) < 20_000))
    count = [0]
    # The examples of a language are counted at its first mail, once in a program's life.
    reader = settings.rulebook.reader
    for proposer in (*reader.proposers.values(), *reader.tellers.values()):
        proposer.lean("1042")

    def check(raw: bytes) -> None:
        with in_time():
            try:
                read(raw)
            except MessageError:
                return
        count[0] += 1
        if count[0] % whole_every == 0:
            with in_time():
                whole(raw, settings, book)

    words = (b"Content-Type: multipart/mixed; boundary=b\n", b"--b\n", b"Content-Transfer-Encoding: base64\n", b"charset=iso-2022-jp",
             b"In-Reply-To: <a@b>\n", b"From: a@b, c@d\n", b"\n\n", b"1042", "キャンセル".encode(), b"> ", b"<div>", b"</div>", b"&#0;")  # fmt: skip
    return Target(seeds, words, check)


def whole(raw: bytes, settings: Settings, book: OrderBook) -> None:
    """A reply, if there is one, goes to the order's buyer and comes back from its bytes as it went in."""
    explained = explain_mail(raw, file="x", settings=settings, orders=book, now=NOW, account=settings.accounts[0])
    letter = explained.letter
    if letter is None:
        return
    written = draft_bytes(letter, message_id="<d1@minato-zakka.example>", case_token="c1", now=NOW)
    back = message_from_bytes(written)
    assert not back.defects
    assert [mail for _, mail in getaddresses([back["To"]])] == [letter.to.mail]
    if explained.decision.order_id is not None:
        assert letter.to.mail in (BUYER, "ken@mail.example")
    head, _, body = written.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    assert len(names) == len(set(names)), "a header twice"
    assert b"bcc" not in names
    assert max(map(len, written.split(b"\r\n"))) <= 998
    assert b"\0" not in written
    assert all(b"\r" not in line and b"\n" not in line for line in (*head.split(b"\r\n"), *body.split(b"\r\n")))


# --- rules, templates, configuration --------------------------------------------------------------------------------


@contextmanager
def lean_rules() -> Iterator[None]:
    """The shop's own rules alone: to compile the product's topics each time would take all the time there is."""
    real = rule_compiler.shipped()
    languages = ("ja", "en", "zh")
    topics = {
        name: {key: value for key, value in table.items() if key not in languages}
        for name, table in real.topics.items()
    }
    lean = replace(real, blockers=(), phrases=(), topics=topics)
    with patch.object(rule_compiler, "shipped", lambda: lean):
        yield


def told(mistakes: tuple[Mistake, ...], raw: bytes, wording: Catalog) -> None:
    """Each mistake can be said in every language, and names a line that is there."""
    last = raw.count(b"\n") + raw.count(b"\r") + 1
    assert mistakes
    for mistake in mistakes:
        assert 0 <= mistake.line <= last + 1, mistake  # the line after the last one may be what is missing
        for language in ("ja", "en", "zh"):
            assert wording.mistake(mistake, language)
            assert wording.has(f"mistake.{mistake.code}"), mistake.code


def rules(folder: Path) -> Target:
    """Rule files: compiled, or refused with mistakes a person can read."""
    wording = Catalog.load()
    text = (default_pack_dir() / "rules.toml").read_text(encoding="utf-8")
    pieces = re.split(r"(?m)^(?=\[\[rule\]\])", text)
    seeds = tuple(piece.encode() for piece in pieces)
    words = tuple(set(re.findall(rb"[a-z_]+ = |\"[^\"\n]{1,30}\"|\[[^\]\n]{1,30}\]", text.encode())))
    file = folder / "rules.toml"

    def check(raw: bytes) -> None:
        file.write_bytes(raw)
        with in_time(), lean_rules():
            try:
                found = source.read(file)
                compile_pack(found.data, where=found.where)
            except ConfigError as exc:
                told(exc.mistakes, raw, wording)

    return Target(seeds, words, check)


def templates(folder: Path) -> Target:
    """Templates: taken, or refused with mistakes a person can read."""
    wording = Catalog.load()
    paths = sorted((default_pack_dir() / "templates").rglob("*.txt"))
    seeds = tuple(path.read_bytes() for path in paths)
    words = tuple(set(re.findall(rb"\{\{[^}\n]{1,40}\}\}|\{%[^}\n]{1,60}%\}", b"".join(seeds))))
    path = folder / "reply.txt"

    def check(raw: bytes) -> None:
        text = raw.decode("utf-8", "replace")
        with in_time():
            found = checked("ja/reply.txt", text, path)
        if found.mistakes:
            told(found.mistakes, raw, wording)

    return Target(seeds, words, check)


def configuration(folder: Path) -> Target:
    """responder.toml: read, or refused with mistakes a person can read."""
    wording = Catalog.load()
    pages = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs" / "en").glob("*.md"))]
    seeds = tuple(block.encode() for page in pages for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL))
    words = tuple(
        set(re.findall(rb"[a-z_]+ = |\"[^\"\n]{1,30}\"|\[\[?[a-z.]+\]?\]|\{[^}\n]{1,60}\}", b"\n".join(seeds)))
    )
    file = folder / "responder.toml"

    def check(raw: bytes) -> None:
        file.write_bytes(raw)
        with in_time():
            try:
                found = source.read(file)
            except ConfigError as exc:
                told(exc.mistakes, raw, wording)
                return
            parsed, mistakes = validate(found)
            more, _ = checks.check(found)
            assert (parsed is None) == bool(mistakes)
            found_all = (*mistakes, *more)
            if found_all:
                told(found_all, raw, wording)

    return Target(seeds, words, check)


# --- orders ---------------------------------------------------------------------------------------------------------


def orders(folder: Path) -> Target:
    """Order files: read as far as they go, or told; asking them never raises."""
    settings = shop()
    wording = Catalog.load()
    examples = [path.read_bytes() for path in sorted((ROOT / "docs" / "examples").rglob("*.csv"))]
    seeds = (
        ORDERS.encode(),
        ORDERS.encode("cp932"),
        ORDERS.encode("utf-16"),
        ORDERS.replace(",", "\t").encode(),
        *examples,
    )
    file = folder / "orders.csv"

    def check(raw: bytes) -> None:
        file.write_bytes(raw)
        with in_time():
            book = open_book((one_file(settings, file),))
            mistakes = book.refresh()
            with contextlib.suppress(OrdersUnavailable):
                for order in book.find(["1042", "1043", ""]):
                    assert order.order_id
        for mistake in mistakes:
            assert wording.has(f"mistake.{mistake.code}"), mistake.code
            assert wording.mistake(mistake, "ja")

    words = (
        b"order_id",
        b"buyer_mail",
        b'"',
        b'""',
        b",,,",
        b"2026-13-45",
        b"9999-12-31T23:59:59+23:59",
        b"1e400",
        b"-",
        b"=1+1",
    )
    return Target(seeds, words, check)


FILES: dict[str, Callable[[Path], Target]] = {
    "mails": mails,
    "rules": rules,
    "templates": templates,
    "configuration": configuration,
    "orders": orders,
}
