"""Saved files are taken over within seconds, whole or not at all; mistakes go to staff and leave the old rules alone."""

from __future__ import annotations

import shutil

import pytest

from responder.config import default_pack_dir
from tests.journeys.shop import Shop, header_of, text_of, until


@pytest.fixture
def with_own_files(shop: Shop) -> Shop:
    """The shop's own copy of the rules and templates."""
    shutil.copy(default_pack_dir() / "rules.toml", shop.folder / "rules.toml")
    shutil.copytree(default_pack_dir() / "templates", shop.folder / "templates")
    return shop


def rewrite(shop: Shop, name: str, before: str, after: str) -> None:
    """Save a file as editors do: a new one takes the old one's place."""
    path = shop.folder / name
    text = path.read_text(encoding="utf-8")
    assert before in text
    temporary = path.with_name(path.name + "~")
    temporary.write_text(text.replace(before, after), encoding="utf-8")
    temporary.replace(path)


def test_a_changed_template_speaks_in_the_next_draft(with_own_files: Shop) -> None:
    shop = with_own_files
    shop.order("1042")
    shop.order("2001", buyer_mail="ken@mail.example", buyer_name="鈴木 健")
    shop.start()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.wait_for_draft()
    path = shop.folder / "templates" / "ja" / "cancel_before_ship.txt"
    path.write_text(path.read_text(encoding="utf-8") + "\n年末年始もお休みなく営業しております。\n", encoding="utf-8")
    until(lambda: shop.daemon is not None and shop.reloads() >= 1, "the change is taken over")
    second = shop.buyer_writes("注文2001をキャンセルしてください。", sender="ken@mail.example", name="鈴木 健")
    until(lambda: len(shop.drafts()) == 2, "the second draft")
    (draft,) = [d for d in shop.drafts() if header_of(d.raw, "In-Reply-To") == second]
    assert "年末年始もお休みなく営業しております。" in text_of(draft.raw)


def test_a_mistake_keeps_the_old_rules_and_tells_staff_where_it_is(with_own_files: Shop) -> None:
    shop = with_own_files
    shop.order("1042")
    shop.start()
    rewrite(shop, "rules.toml", 'situation = "cancel_before_ship"', 'situatoin = "cancel_before_ship"')
    note = until(lambda: next((n for n in shop.notes() if "situatoin" in n), None), "staff are told")
    assert "rules.toml:" in note
    assert "situation" in note
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.wait_for_draft()
    rewrite(shop, "rules.toml", "situatoin", "situation")
    until(lambda: shop.reloads() >= 1, "the corrected file is taken over")
    shop.wait_for_note("取り入れました")


def test_half_a_template_takes_nothing_over(with_own_files: Shop) -> None:
    shop = with_own_files
    shop.order("1042")
    shop.start()
    path = shop.folder / "templates" / "ja" / "cancel_before_ship.txt"
    path.write_text("Subject: x\n\n{{ order.", encoding="utf-8")
    until(lambda: any("cancel_before_ship.txt:" in n for n in shop.notes()), "staff are told")
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    assert "1042" in text_of(shop.wait_for_draft().raw)


def test_new_orders_are_known_to_the_next_mail(shop: Shop) -> None:
    shop.start()
    shop.order("1042")
    until(lambda: shop.daemon is not None and shop.daemon.orders.find(["1042"]), "the order is known")
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.wait_for_draft()


def test_a_broken_orders_file_keeps_the_last_good_orders_and_is_told(shop: Shop) -> None:
    shop.order("1042")
    shop.start()
    (shop.folder / "orders.csv").write_bytes(b"\x00\xff\x00 nothing")
    until(lambda: any("orders.csv" in n for n in shop.notes()), "staff are told")
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.wait_for_draft()
