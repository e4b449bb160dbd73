"""The text of a draft or sent mail as its reader sees it, and whether two texts are the same letter.

Mail programs wrap, flow, re-encode and re-quote what they save; none of that makes another letter.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256
from html import unescape

from responder.core import charsets
from responder.core.entity import Part, read_part
from responder.core.html import to_text
from responder.errors import MessageError

_HREF = re.compile(r"""\bhref\s*=\s*["']?((?:https?:|mailto:|tel:)[^"'\s>]{1,2000})""", re.IGNORECASE)
_QUOTED_HTML = re.compile(r"<blockquote\b(?:.*</blockquote\s*>|.*)", re.IGNORECASE | re.DOTALL)


def text_of(raw: bytes) -> str:
    """The text of a draft or sent mail as its reader sees it: flowed lines joined, any charset, HTML turned to text
    where nothing else is there. "" where there is no text."""
    try:
        part = read_part(raw)
    except MessageError:
        return ""
    texts = [leaf for leaf in part.leaves() if leaf.content_type == "text/plain" and not leaf.is_attachment]
    if texts:
        return "\n".join(_plain_text(leaf) for leaf in texts)
    pages = [leaf for leaf in part.leaves() if leaf.content_type == "text/html" and not leaf.is_attachment]
    return "\n".join(to_text(decoded(leaf))[0] for leaf in pages)


def hidden_links(raw: bytes) -> tuple[str, ...]:
    """Where the links of the HTML lead that stand in no plain text: `https:`, `http:`, `mailto:` and `tel:`, without
    those of quoted mail. () for plain mail."""
    try:
        part = read_part(raw)
    except MessageError:
        return ()
    found: dict[str, None] = {}
    for leaf in part.leaves():
        if leaf.content_type == "text/html" and not leaf.is_attachment:
            own = _QUOTED_HTML.sub(" ", decoded(leaf))
            found |= dict.fromkeys(unescape(match[1]).strip() for match in _HREF.finditer(own))
    return tuple(found)


def same_text(a: str, b: str) -> bool:
    """True if two texts differ at most in wrapping, blanks at line ends, empty lines and the twin characters that
    Japanese charsets swap. In doubt they differ."""
    return _canonical(a) == _canonical(b)


def text_key(text: str) -> str:
    """A hash that is equal for texts that `same_text` calls the same."""
    return sha256("\n".join(_canonical(text)).encode("utf-8", "replace")).hexdigest()


def decoded(leaf: Part) -> str:
    """The text of a part in whatever charset it names."""
    return charsets.decode(leaf.payload(), leaf.parameter("charset"))[0]


def _plain_text(leaf: Part) -> str:
    text = decoded(leaf).replace("\r\n", "\n").replace("\r", "\n")
    if leaf.parameter("format").lower() != "flowed":
        return text
    return _unflowed(text, delete_space=leaf.parameter("delsp").lower() == "yes")


def _unflowed(text: str, *, delete_space: bool) -> str:
    """Flowed lines joined (RFC 3676): a line that ends in a blank goes on in the next of the same quote depth."""
    lines: list[str] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        words = line[depth:].removeprefix(" ")
        goes_on = words.endswith(" ") and words != "-- "
        if goes_on and delete_space:
            words = words[:-1]
        if open_depth == depth and lines and words != "-- ":
            lines[-1] += words
        else:
            lines.append(">" * depth + (" " if depth else "") + words)
        open_depth = depth if goes_on else None
    return "\n".join(lines)


# Characters that ISO-2022-JP and its many converters turn into one another.
_TWINS = str.maketrans(
    {
        "～": "〜",
        "－": "−",
        "―": "—",
        "∥": "‖",
        "￠": "¢",
        "￡": "£",
        "￢": "¬",
        "￥": "¥",
        "‐": "-",
        "\u00a0": " ",
        "\t": " ",
    }
)
_HALF_KANA = re.compile("[\uff61-\uff9f]+")
_CJK = "\u2010-\u2027\u2e80-\u303f\u3040-\u30ff\u3100-\u9fff\uf900-\ufaff\uff00-\uffef"
_BESIDE_CJK = re.compile(rf"(?<=[{_CJK}]) | (?=[{_CJK}])")


def _canonical(text: str) -> list[str]:
    """The text as runs of equal quote depth, each as one line."""
    text = unicodedata.normalize("NFC", text).translate(_TWINS)
    text = _HALF_KANA.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    runs: list[tuple[int, list[str]]] = []
    for line in re.split(r"\r\n|\r|\n", text):
        marks = re.match(r"(?:> ?)*", line)
        quoted = marks[0] if marks else ""
        depth, words = quoted.count(">"), " ".join(line[len(quoted) :].split())
        if not words:
            continue
        if not runs or runs[-1][0] != depth:
            runs.append((depth, []))
        runs[-1][1].append(words)
    return [">" * depth + _BESIDE_CJK.sub("", " ".join(lines)) for depth, lines in runs]
