"""The grammar of MIME bodies: parameters (RFC 2231), boundaries (RFC 2046), flowed paragraphs (RFC 3676)."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from responder.core.charsets import decode, decode_words

_PARAM_NAME = re.compile(r";\s*([!-'*+\-./0-9A-Z^_`a-z{|}~]{1,80})\s*=\s*")
_QUOTED_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE_VALUE = re.compile(r'[^;"]*')
_SECTION = re.compile(r"(.{1,70}?)(?:\*(\d{1,3}))?(\*)?")


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """The lower-case value of a structured header and its parameters, continued and encoded ones put together
    (RFC 2231) and, as many programs write them, encoded words read."""
    main = value.partition(";")[0].strip().lower()
    plain: dict[str, str] = {}
    sections: dict[str, list[tuple[int, bool, str]]] = {}
    at = value.find(";")
    while at != -1 and len(plain) + len(sections) < 100:
        named = _PARAM_NAME.match(value, at)
        if not named:
            at = value.find(";", at + 1)
            continue
        quoted = _QUOTED_VALUE.match(value, named.end())
        bare = None if quoted else _BARE_VALUE.match(value, named.end())
        text = re.sub(r"\\(.)", r"\1", quoted.group(1)) if quoted else bare.group().strip() if bare else ""
        section = _SECTION.fullmatch(named.group(1).lower())
        if section and (section.group(2) or section.group(3)):
            entry = (int(section.group(2) or 0), bool(section.group(3)), text)
            sections.setdefault(section.group(1), []).append(entry)
        else:
            plain.setdefault(named.group(1).lower(), decode_words(text))
        at = value.find(";", quoted.end() if quoted else named.end())
    for key, found in sections.items():
        plain[key] = _joined_sections(sorted(found))
    return main, plain


def _joined_sections(sections: list[tuple[int, bool, str]]) -> str:
    charset = ""
    data = b""
    for number, (_, is_encoded, text) in enumerate(sections):
        if is_encoded and number == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text) if is_encoded else text.encode("utf-8", "replace")
    return decode(data, charset)[0]


def spans(raw: bytes, boundary: bytes, begin: int, end: int, most: int) -> list[tuple[int, int]]:
    """Begin and end of each part between the boundary's lines (RFC 2046 5.1.1); a missing last one is no fault."""
    mark = b"--" + boundary
    spans: list[tuple[int, int]] = []
    opened = -1
    at = begin if raw.startswith(mark, begin) else raw.find(b"\n" + mark, begin, end) + 1
    while begin <= at < end and (at > 0 or begin == 0):
        line_end = raw.find(b"\n", at, end)
        line_end = end if line_end == -1 else line_end
        rest = raw[at + len(mark) : min(line_end, at + len(mark) + 80)].strip()
        if rest in (b"", b"--"):
            if opened != -1:
                spans.append((opened, max(at - (2 if raw[at - 2 : at - 1] == b"\r" else 1), opened)))
            opened = min(line_end + 1, end)
            if rest == b"--":
                return spans
            if len(spans) >= most:
                return spans
        found = raw.find(b"\n" + mark, max(line_end - 1, at), end)
        if found == -1:
            break
        at = found + 1
    if opened != -1:
        spans.append((opened, end))
    return spans


def unflowed(text: str, *, delete_space: bool) -> str:
    """Text of `format=flowed` (RFC 3676) with its paragraphs in one line each, quotation marks kept."""
    out: list[str] = []
    paragraph: list[str] = []
    depth = 0
    for line in text.split("\n"):
        marks = len(line) - len(line.lstrip(">"))
        line = line[marks:]
        line = line[1:] if line.startswith(" ") else line
        if paragraph and marks != depth:
            out.append(_quoted_line("".join(paragraph), depth))
            paragraph = []
        depth = marks
        if line == "-- ":
            if paragraph:
                out.append(_quoted_line("".join(paragraph), depth))
                paragraph = []
            out.append(_quoted_line(line, depth))
        elif line.endswith(" "):
            paragraph.append(line[:-1] if delete_space else line)
        else:
            paragraph.append(line)
            out.append(_quoted_line("".join(paragraph), depth))
            paragraph = []
    if paragraph:
        out.append(_quoted_line("".join(paragraph), depth))
    return "\n".join(out)


def _quoted_line(line: str, depth: int) -> str:
    return f"{'>' * depth} {line}" if depth else line
