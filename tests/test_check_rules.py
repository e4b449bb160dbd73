"""`check` warns of what is allowed in rules.toml but hardly meant; warnings stop nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.config import default_pack_dir
from tests.journeys.shop import Shop
from tests.test_cli import responder, shop

__all__ = ["shop"]

MORE = """
[topic.gift_wrapping.ja]
asks = ["注文"]

[[rule]]
id = "gift-wrapping"
situation = "gift_wrapping"
when.asks = "gift_wrapping"
when.channel = "rakutn"
reply = "gift_wrapping"

[[rule]]
id = "gift-any"
situation = "gift_wrapping"
when.mentions = "gift_wrapping"
hold = "for_a_person"

[[rule]]
id = "gift-ja"
situation = "gift_wrapping"
when = { asks = "gift_wrapping", language = "ja" }
hold = "for_a_person"
"""


@pytest.fixture
def own_rules(shop: Shop) -> Path:
    rules = (default_pack_dir() / "rules.toml").read_text(encoding="utf-8")
    path = shop.folder / "rules.toml"
    path.write_text(rules + MORE, encoding="utf-8")
    templates = shop.folder / "templates" / "ja"
    templates.mkdir(parents=True)
    (templates / "gift_wrapping.txt").write_text("Subject: ラッピング\n\n承りました。\n", encoding="utf-8")
    return path


def test_rules_that_never_decide_and_missing_languages_are_told_with_their_line(shop: Shop, own_rules: Path) -> None:
    done = responder("check", "--offline", "--config", str(shop.folder))
    assert done.returncode == 0, done.stderr
    lines = own_rules.read_text(encoding="utf-8").splitlines()
    wanted = {
        'when.channel = "rakutn"': ("rakutn", "rakuten"),
        'when = { asks = "gift_wrapping", language = "ja" }': ("gift-ja", "gift-any"),
        'reply = "gift_wrapping"': ("gift_wrapping", "en, zh"),
    }
    for text, words in wanted.items():
        number = len(lines) - lines[::-1].index(text)
        (told,) = [line for line in done.stderr.splitlines() if f"rules.toml:{number}:" in line]
        assert all(word in told for word in words)


def test_phrases_that_hit_too_many_sample_mails_are_told(shop: Shop, own_rules: Path, tmp_path: Path) -> None:
    sample = tmp_path / "sample"
    sample.mkdir()
    for number in range(4):
        (sample / f"{number}.eml").write_bytes(
            "From: <a@mail.example>\r\nTo: <shop@minato-zakka.example>\r\nSubject: x\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n\r\n注文について教えてください。\r\n".encode()
        )
    done = responder("check", "--offline", "--config", str(shop.folder), "--sample", str(sample))
    assert done.returncode == 0
    (told,) = [line for line in done.stderr.splitlines() if "topic.gift_wrapping.ja.asks[0]" in line]
    assert "100%" in told
    assert "注文" in told
    quiet = responder("check", "--offline", "--config", str(shop.folder))
    assert "asks[0]" not in quiet.stderr
    assert responder("check", "--config", str(shop.folder), "--sample", str(tmp_path / "none")).returncode == 2
