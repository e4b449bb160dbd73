"""Incidents and perks: said only where they are true, granted only as the policy says."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from responder.core.owed import Wish
from responder.core.owed.around import Incident, Perk, incident_for, perk_for
from responder.core.templates import VARIANTS
from tests.builders import make_order

TODAY = date(2026, 11, 20)
SNOW = Incident(date(2026, 11, 27), "snow", {"ja": "北陸地方", "en": "the Hokuriku region"}, ("富山県", "石川県"))
GIVES = {"ja": "次回のお買い物でお使いいただける500円引きのクーポンを差し上げます。", "en": "Please accept a coupon."}


def test_an_incident_is_told_where_the_order_goes_there_until_it_is_over() -> None:
    there = make_order(extra={"配送先都道府県": "石川県"})
    assert incident_for(there, (SNOW,), "ja", TODAY).startswith("北陸地方の大雪")
    assert "the Hokuriku region" in incident_for(there, (SNOW,), "en", TODAY)
    assert incident_for(there, (SNOW,), "zh", TODAY).startswith("受大雪")
    assert incident_for(there, (SNOW,), "ja", date(2026, 11, 28)) == ""
    assert incident_for(make_order(extra={"配送先都道府県": "東京都"}), (SNOW,), "ja", TODAY) == ""
    assert incident_for(make_order(), (SNOW,), "ja", TODAY) == ""
    everywhere = Incident(TODAY, text={"ja": "物流センターの停電で、発送が止まっております。"})
    assert "停電" in incident_for(make_order(), (everywhere,), "ja", TODAY)
    assert incident_for(make_order(), (everywhere,), "en", TODAY) == ""


@pytest.mark.parametrize("kind", ["snow", "typhoon", "rain", "earthquake", "carrier"])
def test_every_kind_has_its_sentence_for_every_reader(kind: str) -> None:
    for variant in VARIANTS:
        assert "{" not in incident_for(make_order(), (Incident(TODAY, kind, {variant: "Toyama"}),), variant, TODAY)
        assert incident_for(make_order(), (Incident(TODAY, kind),), variant, TODAY)


def granted(perk: Perk, wish: Wish, order: Any = None, forbidden: tuple[str, ...] = (), variant: str = "ja") -> bool:
    return (
        perk_for(wish, order or make_order(), (perk,), channel="own", forbidden=forbidden, variant=variant) is not None
    )


def test_a_perk_needs_cause_buyer_channel_and_words_and_a_channel_that_allows_it() -> None:
    wish = Wish("1042", "restock", ("double_sale",))
    perk = Perk("p", GIVES, ("restock",), ("double_sale",), ("own",), "consumer")
    assert granted(perk, wish)
    assert granted(Perk("p", GIVES), Wish("1042", "sold_out"))
    assert not granted(perk, Wish("1042", "restock", ("inspection",)))
    assert not granted(perk, Wish("1042", "restock"))
    assert not granted(perk, Wish("1042", "delay", ("double_sale",)))
    assert not granted(perk, wish, make_order(buyer_name="山田商事株式会社"))
    assert not granted(Perk("p", GIVES, channels=("shopify",)), wish)
    assert not granted(perk, wish, forbidden=("coupon",))
    assert not granted(perk, wish, variant="zh")
