"""Who reads the notice: in which language, and whether as a business. Told by the order's data; never guessed of a name
alone but for the words that only companies bear."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal

from responder.core.facts import load
from responder.core.values import one_line
from responder.model import Language, Order

Variant = Literal["ja", "en", "zh", "zh-hant"]
"""A template folder: a language, or Traditional Chinese."""

_TITLE = re.compile(r"\s*(?:様|さま|御中)$")


def company_of(order: Order) -> str:
    """The name of the firm that ordered, or ""."""
    data = load("owed")
    named = _column(order, data["company_columns"])
    if named:
        return named
    words = [_folded(word) for word in data["company_words"]]
    name = _TITLE.sub("", one_line(order.buyer_name, 80))
    parts = name.split() if not name.isascii() else [name]
    return next((part for part in parts if any(word in _folded(part) for word in words)), "")


def variant_of(order: Order, default: Language) -> Variant:
    """The template folder for the order's buyer: his language as the data have it, else by his currency."""
    data = load("owed")
    told = _column(order, data["language_columns"]).casefold().replace("_", "-")
    if told:
        if told.startswith(("zh-tw", "zh-hk", "zh-hant", "繁")):
            return "zh-hant"
        for language, words in _language_words().items():
            if told.startswith(words):
                return language
    found: Mapping[str, Variant] = data["currency_language"]
    return found.get(order.currency.upper(), default)


@cache
def _language_words() -> Mapping[Language, tuple[str, ...]]:
    return {"ja": ("ja", "jp", "日"), "en": ("en", "英"), "zh": ("zh", "cn", "中", "简")}


def _column(order: Order, names: Sequence[str]) -> str:
    wanted = {_folded(name) for name in names}
    return next(
        (one_line(value, 80) for name, value in order.extra.items() if _folded(name) in wanted and value.strip()), ""
    )


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("_", " ").replace("-", " ").strip()
