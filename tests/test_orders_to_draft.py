"""From an export in a folder to the words of a draft: what a dropped file changes."""

from __future__ import annotations

import functools
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from responder.config import OrdersSettings, Settings, bare
from responder.config.layouts import shipped_layouts
from responder.edges.orders import open_book
from responder.flows.explain import Explanation, explain_mail
from tests.edges.export_headers import HEADERS
from tests.edges.test_layouts import sheet

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
MAIL = """From: 田中 花子 <hanako@mail.example>
To: shop@minato-zakka.example
Subject: 注文について
Message-ID: <a1@mail.example>
Date: Fri, 20 Nov 2026 11:00:00 +0900
Content-Type: text/plain; charset=utf-8

注文番号2026-0055の商品はいつ届きますか。今どこにありますか。
"""
ORDER = {
    "注文番号": "2026-0055",
    "お名前(姓)": "田中",
    "お名前(名)": "花子",
    "メールアドレス": "hanako@mail.example",
    "支払方法(名称)": "クレジットカード",
    "支払合計": "3520",
    "受注日": "2026-11-18 10:05:22",
    "商品名": "マグ",
    "個数": "1",
}


@functools.cache
def shop() -> Settings:
    return bare()


class Folder:
    """A folder of exports, each dropped a minute after the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.book = open_book([OrdersSettings("csv", path, shop().shop.timezone, layouts=shipped_layouts())])
        self.minute = 0

    def drop(self, name: str, raw: bytes) -> None:
        self.minute += 1
        path = self.path / name
        path.write_bytes(raw)
        stamp = (NOW - timedelta(hours=1) + timedelta(minutes=self.minute)).timestamp()
        os.utime(path, (stamp, stamp))

    def explained(self) -> Explanation:
        self.book.refresh()
        return explain_mail(MAIL.encode(), file="a.eml", settings=shop(), orders=self.book, now=NOW)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_dropped_export_changes_the_next_draft(folder: Folder) -> None:
    waiting = {**ORDER, "対応状況(名称)": "対応中"}
    folder.drop("1.csv", sheet(HEADERS["eccube4"], [waiting], encoding="cp932"))
    before = folder.explained()
    assert (before.decision.action, before.decision.rule) == ("draft", "where-not-shipped")
    sent = {
        **ORDER,
        "対応状況(名称)": "発送済み",
        "発送日": "2026-11-19",
        "配送業者(名称)": "ヤマト運輸",
        "出荷伝票番号": "400011112220",
    }
    folder.drop("2.csv", sheet(HEADERS["eccube4"], [sent], encoding="utf-8"))
    after = folder.explained()
    assert after.decision.action == "draft"
    assert after.letter is not None
    assert "4000" in after.letter.text.replace("-", "")
    assert before.letter is not None
    assert "4000" not in before.letter.text


def test_a_word_nobody_knows_holds_that_order_and_says_where_it_stands(folder: Folder) -> None:
    other = {**ORDER, "注文番号": "2026-0056", "メールアドレス": "x@mail.example", "対応状況(名称)": "対応中"}
    folder.drop("1.csv", sheet(HEADERS["eccube4"], [other, {**ORDER, "対応状況(名称)": "検品中"}], encoding="cp932"))
    found = folder.explained()
    assert found.decision.action == "hold"
    doubts = [dict(r.args) for r in found.decision.reasons if r.code == "order_doubt"]
    place = f"{folder.path / '1.csv'}:3: 対応状況(名称)"
    assert doubts == [{"place": place, "problems": "unknown_status", "found": "検品中"}]
