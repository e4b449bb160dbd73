"""What else a notice may say: an incident that the shop has switched on, and what its written policy grants.

Both are said only where they are known to be true of this order: an incident where the order goes to its region and its
last day is not over, a perk where the policy names cause, buyer and channel, and the channel allows it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from responder.core.facts import load
from responder.core.owed.reader import company_of
from responder.core.owed.wish import Wish
from responder.core.values import one_line
from responder.model import Order

_FORBIDDEN = frozenset({"coupon", "advertising"})


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that holds up parcels. `kind` is one of data/incidents.toml, or `text` says it in the shop's own words,
    by language. `areas` are words of the addresses it concerns, none for all; `until` is its last day."""

    until: date
    kind: str = ""
    region: Mapping[str, str] = field(default_factory=dict)
    areas: tuple[str, ...] = ()
    text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Perk:
    """What the shop's policy grants, by the first one that fits. Empty lists and `buyer` None fit all.

    `gives` is the sentence by language. A buyer gets it again only after `once_in_days` (None: never), and no more than
    `most_a_month` are given.
    """

    name: str
    gives: Mapping[str, str]
    matters: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    buyer: Literal["consumer", "business"] | None = None
    once_in_days: int | None = None
    most_a_month: int | None = None


def incident_for(order: Order, incidents: Sequence[Incident], variant: str, today: date) -> str:
    """The sentence on the first incident that concerns the order, or ""."""
    for incident in incidents:
        if today > incident.until or not _goes_to(order, incident.areas):
            continue
        sentence = _in(incident.text, variant) or _known_sentence(incident, variant)
        if sentence:
            return sentence
    return ""


def _known_sentence(incident: Incident, variant: str) -> str:
    with_region, without = load("incidents").get(incident.kind, {}).get(variant, ("", ""))
    region = _in(incident.region, variant)
    said: str = with_region.replace("{region}", region) if region else without
    return said


def _goes_to(order: Order, areas: Sequence[str]) -> bool:
    """True if the incident is everywhere, or a column of the order's address names one of its areas."""
    if not areas:
        return True
    titles = load("incidents")["address_titles"]
    said = [_folded(value) for title, value in order.extra.items() if any(word in _folded(title) for word in titles)]
    return any(_folded(area) in value for area in areas for value in said)


def perk_for(
    wish: Wish, order: Order, perks: Sequence[Perk], *, channel: str, forbidden: Collection[str], variant: str
) -> tuple[Perk, str] | None:
    """What the policy grants with this notice, and its sentence; None for nothing."""
    if _FORBIDDEN & set(forbidden):
        return None
    is_business = bool(company_of(order)) if wish.business is None else wish.business
    buyer = "business" if is_business else "consumer"
    for perk in perks:
        fits = (
            (not perk.matters or wish.matter in perk.matters)
            and (not perk.causes or bool(set(perk.causes) & set(wish.causes)))
            and (not perk.channels or channel in perk.channels)
            and perk.buyer in (None, buyer)
        )
        if fits:
            sentence = _in(perk.gives, variant)
            return (perk, sentence) if sentence else None
    return None


def _in(words: Mapping[str, str], variant: str) -> str:
    """The shop's words for a reader; those of another script or language are none of his."""
    said = words.get(variant, "")
    return one_line(said, 400)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()
