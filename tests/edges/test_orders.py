from __future__ import annotations

import io
import os
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.edges.orders import FileBook, OrderBook, open_book
from responder.edges.orders.cells import Reading, date_of, folded, items_of, money_of, status_words, text_of
from responder.edges.orders.table import read_table
from responder.errors import ConfigError, Mistake, OrdersUnavailable
from responder.model import Item, OrderLayout

TOKYO = ZoneInfo("Asia/Tokyo")
HEADER = (
    "order_id,channel,status,buyer_name,buyer_mail,payment,total,currency,ordered_at,ship_by,shipped_at,carrier,"
    "tracking_no,eta,items"
)
ROW = (
    "1042,own,paid,田中 花子,hanako@mail.example,credit_card,4980,JPY,2026-11-18 10:00,2026-11-21,,,,,"
    "波佐見焼マグカップ"
)


@dataclass(frozen=True)
class Source:
    """What the configuration says of an order source."""

    path: Path
    type: str = "csv"
    timezone: ZoneInfo = TOKYO
    columns: dict[str, str] = field(default_factory=dict)
    status_words: dict[str, str] = field(default_factory=dict)
    channel: str = ""
    currency: str = "JPY"
    encoding: str | None = None
    delimiter: str | None = None
    day_first: bool | None = None
    layouts: tuple[OrderLayout, ...] = ()


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes an order file and gives each version a time stamp of its own, a minute after the one before."""
    tick = [datetime(2026, 11, 20, tzinfo=UTC).timestamp()]

    def write(*lines: str, name: str = "orders.csv", encoding: str = "utf-8", end: str = "\n") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(("\n".join(lines) + end).encode(encoding))
        tick[0] += 60
        os.utime(path, (tick[0], tick[0]))
        return path

    return write


def book_of(path: Path, **changes: Any) -> FileBook:
    return open_book([Source(path, **changes)])


def loaded(path: Path, **changes: Any) -> FileBook:
    book = book_of(path, **changes)
    assert book.refresh() == ()
    return book


def codes(found: tuple[Mistake, ...]) -> list[tuple[int, str, str]]:
    return [(one.line, one.key, one.code) for one in found]


# --- reading --------------------------------------------------------------------------------------------------------


def test_the_plain_header_is_read_without_mapping(write: Write) -> None:
    path = write(HEADER, ROW)
    book: OrderBook = loaded(path)
    (order,) = book.find(["1042"])
    assert (order.order_id, order.channel, order.status, order.status_word) == ("1042", "own", "paid", "paid")
    assert (order.buyer_name, order.buyer_mail) == ("田中 花子", "hanako@mail.example")
    assert (order.total, order.currency, order.payment) == (Decimal(4980), "JPY", "credit_card")
    assert order.ordered_at == datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
    assert order.ship_by == datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
    assert order.items == (Item("波佐見焼マグカップ", "", 1),)
    assert (order.source, order.line, order.problems) == (str(path), 2, ())
    assert order.as_of == datetime(2026, 11, 20, 0, 1, tzinfo=UTC)
    assert order.shipped_at is None
    assert order.extra == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_are_found_out(write: Write, encoding: str, delimiter: str) -> None:
    path = write(HEADER.replace(",", delimiter), ROW.replace(",", delimiter), encoding=encoding)
    (order,) = loaded(path).find(["1042"])
    assert order.buyer_name == "田中 花子"


def test_other_headers_by_mapping_matched_without_width_and_space(write: Write) -> None:
    path = write("注文 番号 ,ステータス,メール,ギフト", "Ａ-1,入金待ち,hanako@mail.example,のし")
    columns = {"order_id": "注文番号", "status": "ｽﾃｰﾀｽ", "buyer_mail": "メール"}
    (order,) = loaded(path, columns=columns).find(["a-1"])
    assert (order.order_id, order.status, order.status_word) == ("Ａ-1", "unpaid", "入金待ち")
    assert order.extra == {"ギフト": "のし"}


def test_junk_above_the_header_blank_lines_and_a_footer_are_stepped_over(write: Write) -> None:
    path = write(
        '"sep=,"', "", ",,,", "order_id,status,total", "1,paid,100", "", "2,shipped,200", "2 record(s) downloaded"
    )
    book = loaded(path)
    assert len(book) == 2
    assert book.find(["2"])[0].line == 7


def test_rows_of_one_order_become_its_items(write: Write) -> None:
    path = write(
        "order_id,status,buyer_mail,items,sku,quantity,memo",
        "1,paid,a@mail.example,マグ,M-1,2,x",
        "1,,,皿,P-1,1,y",
        ",,,箸,H-1,3,",
        "2,paid,b@mail.example,碗 x3,,,",
        '1,paid,A@mail.example,"鉢 ×2; 匙",,,',
    )
    book = loaded(path)
    (order,) = book.find(["1"])
    assert [(item.name, item.sku, item.quantity) for item in order.items] == [
        ("マグ", "M-1", 2),
        ("皿", "P-1", 1),
        ("箸", "H-1", 3),
        ("鉢", "", 2),
        ("匙", "", 1),
    ]
    assert order.extra == {"memo": "x"}
    assert book.find(["2"])[0].items == (Item("碗", "", 3),)


def test_look_up_folds_width_case_dash_and_hash(write: Write) -> None:
    book = loaded(write("order_id,status", "#ab-1042,paid", "249-1234567-1234567,paid"))
    for asked in ("AB-1042", "ab‐1042", "＃ＡＢ－１０４２", "#AB−1042", " ab - 1042"):
        assert [order.order_id for order in book.find([asked])] == ["#ab-1042"]
    assert len(book.find(["２４９ー１２３４５６７ー１２３４５６７", "249-1234567-1234567", "nope"])) == 1
    assert book.find([]) == ()


def test_orders_of_a_buyer_come_newest_first(write: Write) -> None:
    rows = ("1,paid,H@mail.example,2026-01-01", "2,paid,h@mail.example,2026-03-01", "3,paid,h@mail.example,")
    book = loaded(write("order_id,status,buyer_mail,ordered_at", *rows))
    assert [order.order_id for order in book.of_buyer(" h@MAIL.example ")] == ["2", "1", "3"]
    assert book.of_buyer("x@mail.example") == ()


# --- what is wrong with one order -----------------------------------------------------------------------------------


def test_doubts_hold_their_order_and_name_file_line_and_column(write: Write) -> None:
    path = write(
        "order_id,status,total,currency,ordered_at,shipped_at",
        "1,shippd,100,JPY,2026-11-01,",
        "2,paid,abc,JPY,2026-11-01,",
        "3,paid,100,JPY,2026-13-45,",
        "4,paid,$100,JPY,2026-11-01,",
        "5,paid,100,JPY,2026-11-10,2026-11-01",
        "6,paid,100,JPY,03/04/2026,",
        "7,paid,100,JPY,2026-11-01,",
    )
    book = book_of(path)
    found = book.refresh()
    assert codes(found) == [
        (2, "status", "unknown_status"),
        (3, "total", "bad_amount"),
        (4, "ordered_at", "bad_date"),
        (5, "currency", "currency_mixed"),
        (6, "shipped_at", "shipped_before_ordered"),
        (7, "ordered_at", "ambiguous_date"),
    ]
    assert found[0].suggestion == "shipped"
    assert dict(found[0].args) == {"order": "1", "found": "shippd"}
    problems = [order.problems for order in book.find(list("1234567"))]
    assert problems == [
        ("unknown_status",),
        ("bad_amount",),
        ("bad_date",),
        ("currency_mixed",),
        ("shipped_before_ordered",),
        ("ambiguous_date",),
        (),
    ]
    assert book.find(["1"])[0].status == "unknown"
    assert book.refresh() == found


def test_rows_that_contradict_each_other_hold_the_order(write: Write) -> None:
    path = write("order_id,status", "1,paid", "1,shipped", "2,paid", "3,paid", "2,cancelled", "3,paid")
    book = book_of(path)
    assert codes(book.refresh()) == [(3, "status", "rows_disagree"), (6, "status", "rows_disagree")]
    assert [order.problems for order in book.find(["1", "2", "3"])] == [("rows_disagree",), ("rows_disagree",), ()]


def test_the_shop_s_own_status_words(write: Write) -> None:
    words = {"マルっと完了": "shipped", "paid": "preparing"}
    book = loaded(write("order_id,status", "1,ﾏﾙっと 完了", "2,Paid"), status_words=words)
    assert [order.status for order in book.find(["1", "2"])] == ["shipped", "preparing"]


def test_a_file_full_of_mistakes_names_fifty_and_counts_the_rest(write: Write) -> None:
    book = book_of(write("order_id,status", *(f"{n},what{n}" for n in range(80))))
    found = book.refresh()
    assert len(found) == 51
    assert (found[-1].code, dict(found[-1].args)) == ("more_mistakes", {"count": "30"})


# --- what is wrong with a file --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (b"", "orders_file_empty"),
        (b"\xef\xbb\xbf\r\n", "orders_file_empty"),
        (b"order_id,status,total\n1,shipped,100\n2,ship", "orders_file_half_written"),
        (b'order_id,status,total\n1,shipped,100\n2,"shi', "orders_file_half_written"),
        ("order_id,status,total\n1,shipped,1\n2,発送".encode()[:-1], "orders_file_half_written"),
        (b"name,state\n1,shipped\n", "orders_header_missing"),
        (b"order_id,status\n1,\xff\xff\xff\n", "orders_file_encoding"),
        (b"PK\x03\x04\x14\x00\x08\x00\x08\x00binary", "orders_file_excel"),
    ],
)
def test_a_broken_file_keeps_the_last_good_data(write: Write, broken: bytes, code: str) -> None:
    path = write("order_id,status", "1,paid")
    book = loaded(path)
    path.write_bytes(broken)
    found = book.refresh()
    assert [one.code for one in found] == [code]
    assert found[0].file == str(path)
    assert book.find(["1"])[0].status == "paid"
    assert book.refresh() == found
    write("order_id,status", "1,shipped")
    assert book.refresh() == ()
    assert book.find(["1"])[0].status == "shipped"


def test_a_shrunken_file_is_told_and_forgets_nothing(write: Write) -> None:
    path = write("order_id,status", *(f"{n},paid" for n in range(10)))
    book = loaded(path)
    write("order_id,status", "1,shipped")
    (mistake,) = book.refresh()
    assert (mistake.code, dict(mistake.args)) == ("orders_file_shrunken", {"before": "10", "now": "1"})
    assert [order.status for order in book.find(["1", "2"])] == ["shipped", "paid"]


def test_a_file_that_goes_away_keeps_its_orders(write: Write) -> None:
    path = write("order_id,status", "1,paid")
    book = loaded(path)
    path.unlink()
    assert [one.code for one in book.refresh()] == ["orders_path_missing"]
    assert len(book.find(["1"])) == 1


def test_without_any_data_the_book_says_so_instead_of_knowing_no_order(tmp_path: Path) -> None:
    book = book_of(tmp_path / "nowhere.csv")
    assert [one.code for one in book.refresh()] == ["orders_path_missing"]
    assert book.loaded_at is None
    with pytest.raises(OrdersUnavailable):
        book.find(["1"])
    with pytest.raises(OrdersUnavailable):
        book.of_buyer("a@mail.example")
    none = open_book([])
    assert none.refresh() == ()
    assert none.find(["1"]) == ()


def test_a_missing_mapped_column_and_header_name_the_nearest(write: Write) -> None:
    path = write("order_number,status", "1,paid")
    (mistake,) = book_of(path, columns={"order_id": "order_numbr"}).refresh()
    assert (mistake.code, mistake.suggestion) == ("orders_header_missing", "order_number")
    (mistake,) = book_of(path, columns={"order_id": "order_number", "status": "stats"}).refresh()
    assert (mistake.code, mistake.suggestion) == ("orders_column_missing", "status")


def test_a_change_within_one_tick_of_the_clock_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("order_id,status\n1,paid\n")
    stamp = path.stat().st_mtime_ns
    book = loaded(path)
    path.write_text("order_id,status\n1,void\n")
    os.utime(path, ns=(stamp, stamp))
    book.refresh()
    assert book.find(["1"])[0].status == "cancelled"


def test_an_unchanged_file_is_not_read_again(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    book = loaded(write("order_id,status", "1,paid"))
    before = book.loaded_at
    monkeypatch.setattr(Path, "open", lambda self, *_: pytest.fail("read again"))
    assert book.refresh() == ()
    assert book.loaded_at == before


# --- several files --------------------------------------------------------------------------------------------------


def test_in_a_folder_the_newest_file_wins_and_columns_it_lacks_stay(write: Write, tmp_path: Path) -> None:
    write(
        "order_id,status,buyer_mail,total,items",
        "1,paid,a@mail.example,100,マグ",
        "2,paid,b@mail.example,5,皿",
        name="in/b.csv",
    )
    write("order_id,status", "1,preparing", name="in/a.csv")
    write("order_id,carrier,tracking_no,memo", "1,yamato,4000-1,急ぎ", name="in/ship.tsv")
    write("half,writ", name="in/.hidden.csv")
    write("not an order file", name="in/readme.md")
    book = loaded(tmp_path / "in")
    (order,) = book.find(["1"])
    assert (order.status, order.buyer_mail, order.total) == ("preparing", "a@mail.example", Decimal(100))
    assert (order.carrier, order.tracking_no, order.extra) == ("yamato", "4000-1", {"memo": "急ぎ"})
    assert order.items == (Item("マグ"),)
    assert order.source.endswith("a.csv")
    assert order.as_of == datetime(2026, 11, 20, 0, 2, tzinfo=UTC), "as old as its state"
    assert order.origin("tracking_no").source.endswith("ship.tsv")
    assert order.origin("tracking_no").as_of == datetime(2026, 11, 20, 0, 3, tzinfo=UTC)
    assert (order.origin("total").source.endswith("b.csv"), order.origin("total").line) == (True, 2)
    assert order.problems == ()
    assert book.find(["2"])[0].status == "paid"


@pytest.mark.parametrize(
    ("older", "newer", "column"),
    [
        ("1,paid,a@mail.example", "1,paid,b@mail.example", "buyer_mail"),
        ("1,shipped,a@mail.example", "1,paid,a@mail.example", "status"),
        ("1,cancelled,a@mail.example", "1,shipped,A@mail.example", "status"),
    ],
)
def test_files_that_cannot_both_be_right_hold_the_order(
    write: Write, tmp_path: Path, older: str, newer: str, column: str
) -> None:
    write("order_id,status,buyer_mail", older, "2,paid,c@mail.example", name="in/1.csv")
    write("order_id,status,buyer_mail", newer, "2,shipped,c@mail.example", name="in/2.csv")
    book = book_of(tmp_path / "in")
    (mistake,) = book.refresh()
    assert (mistake.key, mistake.code, mistake.line) == (column, "orders_disagree", 2)
    first, second = book.find(["1", "2"])
    assert first.problems == ("orders_disagree",)
    assert first.status_word == newer.split(",")[1]
    assert (second.problems, second.status) == ((), "shipped")


# --- cells ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-11-20", "2026-11-19T15:00:00+00:00"),
        ("2026/11/20 13:05", "2026-11-20T04:05:00+00:00"),
        ("2026/1/2 3:04:05", "2026-01-01T18:04:05+00:00"),
        ("2026-11-20T13:05:06Z", "2026-11-20T13:05:06+00:00"),
        ("2026-11-20T13:05:06.123+09:00", "2026-11-20T04:05:06.123000+00:00"),
        ("2026-11-20 13:05:06 +0900", "2026-11-20T04:05:06+00:00"),
        ("2026年11月20日(金) 13時05分", "2026-11-20T04:05:00+00:00"),
        ("２０２６年１月２日", "2026-01-01T15:00:00+00:00"),
        ("2026/11/20 午後1:05", "2026-11-20T04:05:00+00:00"),
        ("20261120", "2026-11-19T15:00:00+00:00"),
        ("2026.11.20", "2026-11-19T15:00:00+00:00"),
        ("25/12/2026", "2026-12-24T15:00:00+00:00"),
        ("12/25/2026 1:00 PM", "2026-12-25T04:00:00+00:00"),
        ("05.05.2026", "2026-05-04T15:00:00+00:00"),
    ],
)
def test_dates_in_their_usual_forms(cell: str, expected: str) -> None:
    moment = date_of(cell, TOKYO)
    assert isinstance(moment, datetime)
    assert moment.isoformat() == expected


@pytest.mark.parametrize("cell", ["", "-", "なし", "0000-00-00", "0000/00/00 00:00:00", "N/A", "-9999"])
def test_cells_without_a_date(cell: str) -> None:
    assert date_of(cell, TOKYO) is None


@pytest.mark.parametrize(
    "cell",
    ["2026-02-30", "2026-13-01", "26/11/20", "tomorrow", "1999-01-01", "2026-11-20 25:00", "2026-11-20x", "9" * 50],
)
def test_dates_that_cannot_be(cell: str) -> None:
    assert date_of(cell, TOKYO) == "bad_date"


def test_day_and_month_only_where_told() -> None:
    assert date_of("03/04/2026", TOKYO) == "ambiguous_date"
    assert date_of("03/04/2026", TOKYO, day_first=True) == datetime(2026, 4, 2, 15, tzinfo=UTC)
    assert date_of("03/04/2026", TOKYO, day_first=False) == datetime(2026, 3, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("4980", ("4980", "")),
        ("4,980", ("4980", "")),
        ("¥4,980", ("4980", "")),
        ("４，９８０円（税込）", ("4980", "JPY")),
        ("EUR 90,00", ("90.00", "EUR")),
        ("AU $3,000.00", ("3000.00", "AUD")),
        ("1.234,56 €", ("1234.56", "EUR")),
        ("1,234,567", ("1234567", "")),
        ("$12.5", ("12.5", "USD")),
        ("4.980", ("4980", "")),
        ("USD 4.980", ("4.980", "USD")),
        ("0", ("0", "")),
    ],
)
def test_amounts(cell: str, expected: tuple[str, str]) -> None:
    assert money_of(cell, "JPY") == (Decimal(expected[0]), expected[1])


@pytest.mark.parametrize(
    "cell", ["abc", "12-34", "1,23,4", "-100", "1.2.3", "NaN", "Infinity", "1e9", "9" * 20, "5 pieces"]
)
def test_cells_that_are_no_amount(cell: str) -> None:
    assert money_of(cell, "JPY") == "bad_amount"


def test_amounts_not_fixed_yet_are_empty() -> None:
    assert money_of("-9999", "JPY") is None
    assert money_of("-99999", "JPY") is None


def test_names_lose_line_breaks_and_direction_marks() -> None:
    assert text_of(" 田中\r\n花子\u202e\x00\u200b ") == "田中 花子"
    assert text_of("田中\u3000花子\u3000") == "田中\u3000花子"


def test_items_in_one_cell() -> None:
    assert items_of("マグ x2; 皿（3個）|箸", "", "") == (Item("マグ", "", 2), Item("皿", "", 3), Item("箸", "", 1))
    assert items_of("", "SKU-1", "4") == (Item("", "SKU-1", 4),)
    assert items_of("-", "", "") == ()


def test_no_status_word_stands_for_two_states() -> None:
    path = Path(__file__).parents[2] / "responder" / "data" / "status_words.toml"
    data = tomli.loads(path.read_text(encoding="utf-8"))
    assert sum(len({*words}) for words in data.values()) >= 130
    seen: dict[str, str] = {}
    for status, words in data.items():
        for word in words:
            assert seen.setdefault(folded(word), status) == status, word
    assert status_words()["shipped"] == "shipped"


# --- anything at all ------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *(b"order_id,status,total\n", b"1,paid,100\n", b'"', b",", b"\n", b"\r", b"\t", b";", b"\0", b"\xff\xfe"),
        *(b"\xef\xbb\xbf", b"2,shipped", b"#1042,\xe2\x80\xae", b"a" * 300, b"2026-99-99,"),
        *("注文番号,発送済み\n".encode("cp932"), "発送済み".encode()),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=12)), max_size=14))
def test_no_file_raises_anything_else(pieces: list[bytes]) -> None:
    raw = b"".join(pieces)
    try:
        table = read_table(lambda: io.BytesIO(raw), Reading(TOKYO, words=status_words()), name="x.csv", as_of=None)
    except ConfigError:
        return
    assert all(order.order_id for order in table.orders.values())


def rows_of(count: int) -> Iterator[str]:
    for n in range(count):
        when = f"2026-11-{n % 28 + 1:02d} 10:{n % 60:02d}"
        yield f"A{n:06d},own,発送済み,山田 太郎{n},b{n}@mail.example,card,{n},JPY,{when},,,yamato,{n},,マグ"


def test_many_orders_take_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("\n".join([HEADER, *rows_of(20_000), ""]), encoding="utf-8")
    book = book_of(path)
    assert book.refresh() == ()
    assert len(book) == 20_000
    path.write_text("\n".join([HEADER, *rows_of(3_000), ""]), encoding="utf-8")
    again = book_of(path)
    tracemalloc.start()
    again.refresh()
    _, few = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    path.write_text("\n".join([HEADER, *rows_of(9_000), ""]), encoding="utf-8")
    again.refresh()
    _, more = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert more < 3 * few, "three times the orders take nowhere near three times the memory"
    assert more < 12_000_000
