"""Rows of owe.csv."""

from __future__ import annotations

from datetime import date

import pytest

from responder.core.owed.table import Line, columns_of, wish_from_cells

TODAY = date(2026, 11, 20)


def test_columns_are_known_by_either_name() -> None:
    assert columns_of(["注文番号", "用件", "備考"]) == {0: "order_id", 1: "matter"}
    assert columns_of(["Order_ID", "Matter", "Restock Date"]) == {0: "order_id", 1: "matter", 2: "restock"}
    assert columns_of(["order_id", "status"]) is None


def test_a_row_in_the_shops_own_words_is_a_wish() -> None:
    cells = {
        "order_id": "1042", "matter": "入荷待ち", "cause": "入荷遅れ；大雪", "restock": "12月上旬", "alternative": "青 https://a.example/b; 白",
        "rest": "先に発送", "business": "はい", "account": "main",
    }  # fmt: skip
    line = wish_from_cells(cells, TODAY)
    assert isinstance(line, Line)
    assert (line.wish.matter, line.wish.causes, line.wish.restock) == (
        "restock",
        ("late_supply", "weather"),
        "2026-12 early",
    )
    assert [one.name for one in line.wish.alternatives] == ["青", "白"]
    assert (line.wish.rest, line.wish.business, line.account) == ("ship", True, "main")


@pytest.mark.parametrize(
    ("cells", "column", "code", "near"),
    [
        ({"order_id": "1", "matter": "sold_uot"}, "matter", "bad_choice", "soldout"),
        ({"order_id": "1", "matter": ""}, "matter", "bad_choice", None),
        ({"order_id": "1", "matter": "delay", "ship": "soon"}, "ship", "owe_no_day", None),
        ({"matter": "delay"}, "order_id", "owe_names_nothing", None),
        ({"order_id": "1", "matter": "delay", "cause": "火星人"}, "cause", "bad_choice", None),
    ],
)
def test_a_wrong_cell_is_told_with_its_column(cells: dict[str, str], column: str, code: str, near: str | None) -> None:
    found = wish_from_cells(cells, TODAY)
    assert not isinstance(found, Line)
    assert [(one.column, one.code, one.suggestion) for one in found] == [(column, code, near)]
