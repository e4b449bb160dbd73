"""Databases and web services of orders, as they answer and as they fail."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.config.order_checks import why_not_reading
from responder.config.settings import HttpOrdersSettings, SqlOrdersSettings
from responder.edges.orders import JoinedBook, lookup, open_book
from responder.edges.orders import http as http_orders
from responder.edges.orders.cells import Reading, status_words
from responder.edges.orders.http import HttpOrders
from responder.errors import ConfigError, OrdersUnavailable
from responder.model import Item, order_key
from tests.edges.test_orders import Source

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
Clock = Callable[[], datetime]


def clock() -> datetime:
    return NOW


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock of look-ups, moved by hand."""
    now = [1000.0]
    monkeypatch.setattr(lookup, "monotonic", lambda: now[0])
    return now


# --- a database -----------------------------------------------------------------------------------------------------

QUERY = "SELECT order_no, state, mail, amount, placed, article, pieces, memo FROM orders WHERE order_no IN :order_ids"
COLUMNS = {
    "order_id": "order_no",
    "status": "state",
    "buyer_mail": "mail",
    "total": "amount",
    "ordered_at": "placed",
    "items": "article",
    "quantity": "pieces",
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE orders (order_no TEXT, state TEXT, mail TEXT, amount NUMERIC, placed TEXT, article TEXT,"
            " pieces INTEGER, memo TEXT)"
        )
        connection.executemany(
            "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                ("#ab-1042", "発送済み", "hanako@mail.example", 4980, "2026-11-18 10:00:00", "マグ", 2, "急ぎ"),
                ("#ab-1042", "発送済み", "hanako@mail.example", 4980, "2026-11-18 10:00:00", "皿", 1, None),
                ("1043", "検品中", "x@mail.example", 100, "2026-11-18", None, None, None),
            ],
        )
    connection.close()
    return path


def sql(database: Path, **changes: Any) -> SqlOrdersSettings:
    values = {
        "query": QUERY,
        "buyer_query": QUERY.replace("order_no IN :order_ids", "lower(mail) = :buyer_mail"),
        "columns": COLUMNS,
        "currency": "JPY",
        "secret": lambda: "",
        **changes,
    }
    return SqlOrdersSettings("sql", f"sqlite:///{database}", timezone=TOKYO, **values)


def test_a_query_gives_orders_with_their_items_and_what_else_it_selects(database: Path) -> None:
    book = open_book([sql(database)], clock=clock)
    assert book.refresh() == ()
    (order,) = book.find(["AB-1042"])
    assert (order.order_id, order.status, order.status_word) == ("#ab-1042", "shipped", "発送済み")
    assert (order.total, order.currency, order.extra) == (Decimal(4980), "JPY", {"memo": "急ぎ"})
    assert order.items == (Item("マグ", "", 2), Item("皿", "", 1))
    assert order.ordered_at == datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
    assert (order.as_of, order.line) == (NOW, 1)
    assert order.source == f"sqlite:///{database}"
    assert book.find(["nope"]) == ()
    assert [o.order_id for o in book.of_buyer(" Hanako@MAIL.example")] == ["#ab-1042"]
    assert book.of_buyer("stranger@mail.example") == ()


@pytest.mark.parametrize("asked", ["#AB-1042", "ab-1042", "ＡＢ－１０４２", " ab‐1042 "])
def test_one_number_is_found_however_it_is_written(database: Path, asked: str) -> None:
    for query in (QUERY, QUERY.replace("IN :order_ids", "= :order_id")):
        assert [o.order_id for o in open_book([sql(database, query=query)]).find([asked])] == ["#ab-1042"]


def test_what_a_buyer_writes_is_a_value_and_never_a_part_of_the_query(database: Path) -> None:
    book = open_book([sql(database)])
    assert book.find(["x' OR '1'='1", "1043'; DROP TABLE orders; --"]) == ()
    assert len(book.find(["1043"])) == 1


def test_a_doubtful_row_holds_its_order_and_is_named_with_row_and_column(database: Path) -> None:
    book = open_book([sql(database)], clock=clock)
    (order,) = book.find(["1043"])
    assert order.problems == ("unknown_status",)
    assert [(d.file, d.line, d.key, d.code) for d in order.doubts] == [
        (f"sqlite:///{database}", 1, "state", "unknown_status")
    ]
    assert [(m.key, m.code) for m in book.refresh()] == [("state", "unknown_status")]
    assert book.find(["AB-1042"])[0].problems == ()


@pytest.mark.parametrize(
    ("changes", "code", "suggestion"),
    [
        ({"columns": {**COLUMNS, "order_id": "order_number"}}, "orders_no_order_id", "order_no"),
        ({"columns": {**COLUMNS, "status": "stat"}}, "orders_column_missing", "state"),
        ({"query": QUERY.replace("orders", "ordres")}, "orders_source_failed", None),
    ],
)
def test_a_wrong_mapping_or_query_is_named(
    database: Path, changes: dict[str, Any], code: str, suggestion: str | None
) -> None:
    book = open_book([sql(database, **changes)])
    found = book.refresh()
    assert [(m.code, m.suggestion) for m in found] == [(code, suggestion)]
    if code != "orders_column_missing":
        with pytest.raises(OrdersUnavailable):
            book.find(["1043"])


def test_the_connection_cannot_write_even_if_the_query_tries(database: Path) -> None:
    book = open_book([sql(database, query="DELETE FROM orders WHERE order_no IN :order_ids RETURNING order_no")])
    with pytest.raises(OrdersUnavailable):
        book.find(["1043"])
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (3,)
    connection.close()


def test_a_slow_query_is_given_up(database: Path) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) AS order_id FROM n WHERE 'x' NOT IN :order_ids"
    book = open_book([sql(database, query=endless, columns={}, timeout_s=0.2)])
    with pytest.raises(OrdersUnavailable):
        book.find(["1"])
    assert [m.code for m in book.refresh()] == ["orders_source_failed"]


def test_a_password_stands_in_no_message(tmp_path: Path) -> None:
    source = SqlOrdersSettings(
        "sql",
        "postgresql+psycopg://reader:s3cret@127.0.0.1:1/shop",
        QUERY,
        timezone=TOKYO,
        secret=lambda: "other",
        timeout_s=2,
    )
    book = open_book([source])
    (mistake,) = book.refresh()
    assert "s3cret" not in repr(mistake)
    assert "other" not in repr(mistake)
    assert mistake.file.startswith("postgresql")


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("SELECT 1", None),
        ("  -- all\n with x as (select 1) select * from x;  ", None),
        ("select updated_at, \"delete\", 'drop table' from t where note = 'x; y'", None),
        ("UPDATE orders SET a = 1", "update"),
        ("SELECT 1; DELETE FROM x", ";"),
        ("WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone", "delete"),
        ("SELECT * INTO copy_of FROM orders", "into"),
        ("SELECT * FROM orders FOR UPDATE", "update"),
        ("PRAGMA table_info(x)", "pragma"),
        ("", "-"),
    ],
)
def test_only_one_reading_statement_passes(query: str, word: str | None) -> None:
    assert why_not_reading(query) == word


# --- a web service --------------------------------------------------------------------------------------------------


@dataclass
class Service:
    """A local web service: answers by path, and what it was asked."""

    port: int = 0
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    wait: threading.Event = field(default_factory=threading.Event)
    hangs: set[str] = field(default_factory=set)

    def put(self, path: str, body: object, status: int = 200) -> None:
        self.answers[path] = (status, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            found.headers.append(dict(self.headers))
            if self.path in found.hangs:
                found.wait.wait(10)
            status, body = found.answers.get(self.path, (404, b"{}"))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"http://127.0.0.1:{found.port}/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield found
    found.wait.set()
    server.shutdown()
    server.server_close()
    thread.join(5)


MAPPING = {
    "order_id": "number",
    "status": "state.name",
    "buyer_mail": "customer.email",
    "items": "lines.title",
    "sku": "lines.sku",
    "quantity": "lines.count",
    "total": "sum",
}


def web(service: Service, **changes: Any) -> HttpOrdersSettings:
    values = {
        "buyer_url": f"http://127.0.0.1:{service.port}/orders?email={{buyer_mail}}",
        "orders_at": "data.orders",
        "columns": MAPPING,
        "currency": "JPY",
        "secret": lambda: "",
        "timeout_s": 5.0,
        **changes,
    }
    return HttpOrdersSettings("http", f"http://127.0.0.1:{service.port}/orders/{{order_id}}", TOKYO, **values)


def one(number: str = "AB-1042", **changes: Any) -> dict[str, Any]:
    order = {
        "number": number,
        "state": {"name": "shipped", "since": "2026-11-19"},
        "customer": {"email": "hanako@mail.example", "phone": "000"},
        "lines": [{"title": "マグ; 青", "sku": "M", "count": 2}, {"title": "皿", "sku": "S", "count": 1}],
        "sum": 4980.00,
        "gift": True,
        "tracking_no": None,
        **changes,
    }
    return {"data": {"orders": [order]}}


def test_an_answer_becomes_an_order_with_its_items_and_unknown_fields(service: Service) -> None:
    service.put("/orders/AB-1042", one())
    service.put("/orders?email=hanako%40mail.example", one())
    book = open_book([web(service)], clock=clock)
    assert book.refresh() == ()
    (order,) = book.find(["#AB-1042"])
    assert (order.status, order.total, order.buyer_mail) == ("shipped", Decimal("4980.0"), "hanako@mail.example")
    assert order.items == (Item("マグ; 青", "M", 2), Item("皿", "S", 1))
    assert order.extra == {"state.since": "2026-11-19", "customer.phone": "000", "gift": "true"}
    assert (order.as_of, order.source) == (NOW, f"http://127.0.0.1:{service.port}/orders/{{order_id}}")
    assert [o.order_id for o in book.of_buyer("hanako@mail.example")] == ["AB-1042"]
    assert book.find(["nope"]) == ()


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("a/../../admin", "/orders/a%2F..%2F..%2Fadmin"),
        ("x?all=1&y", "/orders/x%3Fall%3D1%26y"),
        ("1042%00", "/orders/1042%2500"),
        ("注文1", "/orders/%E6%B3%A8%E6%96%871"),
        ("..", None),
        (".", None),
        ("a b", None),
        ("x\r\nHost: evil.example", None),
        ("9" * 65, None),
    ],
)
def test_a_number_is_escaped_or_not_asked_for(service: Service, asked: str, path: str | None) -> None:
    book = open_book([web(service)])
    assert book.find([asked]) == ()
    assert service.asked == ([] if path is None else [path])


def test_an_order_that_was_not_asked_for_is_not_taken(service: Service) -> None:
    service.put("/orders/1", one("2"))
    service.put("/orders?email=x%40mail.example", one("2"))
    book = open_book([web(service)])
    assert book.find(["1"]) == ()
    assert book.of_buyer("x@mail.example") == (), "another buyer's order"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (401, b"{}"),
        (429, b"{}"),
        (302, b""),
        (200, b"<html>"),
        (200, b"[" * 100_000),
        (200, b" " * (http_orders.MOST_BYTES + 1)),
        (200, b'{"data": {"orders": [{"id": 1}]}}'),
    ],
)
def test_what_is_no_answer_means_that_nobody_knows(service: Service, status: int, body: bytes) -> None:
    service.put("/orders/1", body, status)
    service.put("/orders/RESPONDER-CHECK-0", body, status)
    book = open_book([web(service)])
    with pytest.raises(OrdersUnavailable):
        book.find(["1"])
    assert "/elsewhere" not in service.asked, "no redirect is followed"
    assert [m.code for m in book.refresh()] in (["orders_source_failed"], ["orders_no_order_id"])


@pytest.mark.parametrize("body", [b"{}", b"null", b"[]", b'{"data": null}', b'{"data": {"orders": []}}', b'"x"'])
def test_an_empty_answer_is_no_such_order(service: Service, body: bytes) -> None:
    service.put("/orders/1", body)
    book = open_book([web(service)])
    assert book.find(["1"]) == ()
    assert book.refresh() == ()


def test_one_odd_number_does_not_stop_the_others(service: Service, ticking: list[float]) -> None:
    service.put("/orders/1", b"boom", 500)
    service.put("/orders/2", one("2"))
    book = open_book([web(service)])
    assert [order.order_id for order in book.find(["1", "2"])] == ["2"]
    found = book.refresh()
    assert [(m.code, dict(m.args)["order"]) for m in found] == [("orders_source_stumbled", "1")]


def test_answers_are_remembered_and_a_failing_service_is_left_alone_for_a_while(
    service: Service, ticking: list[float]
) -> None:
    service.put("/orders/1", one("1"))
    book = open_book([web(service)])
    for _ in range(3):
        book.find(["1", "2"])
    assert service.asked == ["/orders/1", "/orders/2"]
    ticking[0] += 61
    for path in ("/orders/1", "/orders/RESPONDER-CHECK-0"):
        service.put(path, b"", 503)
    for _ in range(3):
        with pytest.raises(OrdersUnavailable):
            book.find(["1"])
    assert service.asked[2:] == ["/orders/1", "/orders/RESPONDER-CHECK-0"]
    service.put("/orders/1", one("1"))
    service.answers.pop("/orders/RESPONDER-CHECK-0")
    ticking[0] += 31
    assert len(book.find(["1"])) == 1
    assert book.refresh() == ()


def test_a_service_that_hangs_is_given_up(service: Service) -> None:
    service.hangs |= {"/orders/1", "/orders/RESPONDER-CHECK-0"}
    book = open_book([web(service, timeout_s=0.2)])
    with pytest.raises(OrdersUnavailable):
        book.find(["1"])


@pytest.mark.parametrize(
    ("changes", "name", "value"),
    [
        ({}, "Authorization", "Bearer s3cret"),
        ({"username": "shop"}, "Authorization", "Basic c2hvcDpzM2NyZXQ="),
        ({"header": "X-Api-Key"}, "X-Api-Key", "s3cret"),
    ],
)
def test_the_secret_goes_where_the_service_wants_it(
    service: Service, changes: dict[str, Any], name: str, value: str
) -> None:
    open_book([web(service, secret=lambda: "s3cret", **changes)]).find(["1"])
    assert service.headers[0][name] == value


def test_a_wrong_path_is_named_with_the_nearest(service: Service) -> None:
    service.put("/orders/AB-1042", one())
    book = open_book([web(service, columns={**MAPPING, "buyer_mail": "customer.mail"})])
    book.find(["AB-1042"])
    assert [(m.key, m.code, m.suggestion) for m in book.refresh()] == [
        ("customer.mail", "orders_column_missing", "customer.email")
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["data", "orders", "number", "state", "name", "customer", "email", "lines", "title", "x.y"])
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(JSON, st.sampled_from(["", "data.orders", "data"]))
def test_no_answer_raises_anything_else(body: object, orders_at: str) -> None:
    raw = json.dumps(body).encode()
    source = HttpOrders(
        "https://shop.example/{order_id}",
        Reading(TOKYO, columns=MAPPING, words=status_words()),
        buyer_url=None,
        orders_at=orders_at,
        secret=lambda: "",
        username="",
        header="",
        ca_file=None,
        timeout_s=1,
        clock=clock,
    )
    source._get = lambda url: (200, raw)
    try:
        answer = source.by_ids(["1", "AB-1042"])
    except (ConfigError, OrdersUnavailable):
        return
    assert all(order_key(order.order_id) in ("1", "AB-1042") for order in answer.orders.values())


# --- together -------------------------------------------------------------------------------------------------------


def test_files_and_a_database_speak_of_one_order(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "order_id,status,carrier,tracking_no,buyer_mail\nAB-1042,shipped,yamato,4000,hanako@mail.example\n7,paid,,,z@mail.example\n"
    )
    book = open_book([Source(path), sql(database)], clock=clock)
    assert isinstance(book, JoinedBook)
    assert book.refresh() == ()
    (order,) = book.find(["ab-1042"])
    assert (order.tracking_no, order.total, order.extra["memo"]) == ("4000", Decimal(4980), "急ぎ")
    assert order.origin("tracking_no").source == str(path)
    assert [o.tracking_no for o in book.of_buyer("hanako@mail.example")] == ["4000"]
    assert [o.order_id for o in book.find(["7", "1043"])] == ["7", "1043"]
    path.write_text("order_id,status,buyer_mail\nAB-1042,shipped,other@mail.example\n")
    book.refresh()
    assert book.find(["AB-1042"])[0].problems == ("orders_disagree",)
    assert "orders_disagree" in [m.code for m in book.refresh()]


def test_while_one_source_is_silent_nobody_knows_the_whole_truth(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("order_id,status\n1,paid\n")
    for name in ("1", "RESPONDER-CHECK-0"):
        service.put(f"/orders/{name}", b"", 500)
    book = open_book([Source(path), web(service)])
    with pytest.raises(OrdersUnavailable):
        book.find(["1"])
    assert [m.code for m in book.refresh()] == ["orders_source_failed"]
