"""Pages to print: formal letters, and the text for social media. One HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

_BLANK = re.compile(r"(【要確認[^】]*】)")
_RIGHT_FROM, _MIDDLE_FROM = 16, 6
_STYLE = """
@page { size: A4; margin: 25mm 22mm; }
body { font-family: "Hiragino Mincho ProN", "Yu Mincho", "Noto Serif CJK JP", Georgia, serif; font-size: 11pt;
  line-height: 1.9; color: #111; background: #fff; max-width: 170mm; margin: 10mm auto; padding: 0 5mm; }
:lang(zh) body, body:lang(zh) { font-family: "Songti SC", SimSun, "Noto Serif CJK SC", serif; }
section { overflow-wrap: anywhere; break-after: page; margin-bottom: 20mm; }
section:last-child { break-after: auto; }
p { white-space: pre-wrap; margin: 0 0 1.4em; text-align: left; }
p.right { text-align: right; }
p.middle { text-align: center; font-size: 1.1em; }
mark { background: #ffe08a; color: #111; }
@media screen { body { padding: 0 16px; } section + section { border-top: 1px dashed #999; padding-top: 12mm; } }
@media print { body { margin: 0; max-width: none; padding: 0; } }
"""


def pages_html(title: str, texts: Sequence[tuple[str, str]], *, language: str) -> str:
    """One page for each text; what still has to be filled in is marked. A paragraph that begins far in (wide blanks)
    is set to the right, one that begins a little in stands in the middle."""
    sections = "\n".join(
        f'<section aria-label="{escape(name)}">\n{"".join(_paragraphs(text))}</section>' for name, text in texts
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{sections}\n</body>\n</html>\n"
    )


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n{2,}", text.strip("\n")):
        indent = len(paragraph) - len(paragraph.lstrip("\u3000"))
        side = "right" if indent >= _RIGHT_FROM else "middle" if indent >= _MIDDLE_FROM else ""
        lines = "\n".join(line.lstrip("\u3000") if side else line for line in paragraph.split("\n"))
        named = f' class="{side}"' if side else ""
        yield f"<p{named}>{_marked(lines)}</p>\n"


def _marked(text: str) -> str:
    return _BLANK.sub(r"<mark>\1</mark>", escape(text))
