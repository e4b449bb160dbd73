"""Pages to print: formal letters, and the text for social media. One HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

_BLANK = re.compile(r"(【要確認[^】]*】)")
_STYLE = """
@page { size: A4; margin: 25mm 22mm; }
body { font-family: "Noto Serif CJK JP", "Hiragino Mincho ProN", "Yu Mincho", Georgia, serif; font-size: 11pt;
  line-height: 1.9; color: #111; background: #fff; max-width: 170mm; margin: 10mm auto; padding: 0 5mm; }
section { white-space: pre-wrap; overflow-wrap: anywhere; break-after: page; margin-bottom: 20mm; }
section:last-child { break-after: auto; }
mark { background: #ffe08a; }
@media print { body { margin: 0; max-width: none; padding: 0; } }
"""


def pages_html(title: str, texts: Sequence[tuple[str, str]], *, language: str) -> str:
    """One page for each text; what still has to be filled in is marked."""
    sections = "\n".join(f'<section aria-label="{escape(name)}">{_marked(text)}</section>' for name, text in texts)
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{sections}\n</body>\n</html>\n"
    )


def _marked(text: str) -> str:
    return _BLANK.sub(r"<mark>\1</mark>", escape(text))
