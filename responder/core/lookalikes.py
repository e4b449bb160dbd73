"""Domains that are written to be taken for another: letters of several scripts in one name, or foreign letters only
that all look like Latin ones (UTS 39). Judges what people would read, never what is compared: that is the A-label."""

from __future__ import annotations

import unicodedata

# Han, kana and Latin stand side by side in Japanese names, Han and Hangul in Korean ones; nothing else mixes honestly.
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
_NO_SCRIPT = frozenset({"DIGIT", "HYPHEN-MINUS", "KATAKANA-HIRAGANA", "MIDDLE", "LOW", "IDEOGRAPHIC", "COMBINING"})
# Letters that look like a Latin one or a digit in common fonts.
_LIKE_LATIN = frozenset("аеорсухіјѕһԁԛԝӏъьвгкмнтԍґқҝүαεικνορτυχγσωցհոսօզ")


def readable_domain(mail: str) -> str:
    """The domain of an address as people see it: its A-labels (RFC 5890) turned back into letters."""
    labels = mail.rpartition("@")[2].split(".")
    return ".".join(_readable(label) for label in labels)


def imitates(mail: str) -> bool:
    """True if a part of the domain mixes scripts, or is foreign letters that all look like Latin ones."""
    if mail.isascii() and "xn--" not in mail.lower():
        return False
    domain = readable_domain(mail)
    if domain.isascii():
        return False
    return any(_mixes(label) or _is_disguise(label) for label in domain.split("."))


def _readable(label: str) -> str:
    if not label.lower().startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label


def _mixes(label: str) -> bool:
    scripts = {script for char in label if (script := _script(char)) not in _NO_SCRIPT}
    return len(scripts) > 1 and not any(scripts <= allowed for allowed in _TOGETHER)


def _is_disguise(label: str) -> bool:
    letters = {char for char in label.casefold() if char.isalpha() and not char.isascii()}
    return bool(letters) and letters <= _LIKE_LATIN


def _script(char: str) -> str:
    return unicodedata.name(char, "UNKNOWN").split(" ", 1)[0]
