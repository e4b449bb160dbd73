"""The report's charts as inline SVG: bars, drawn by pygal. What they show stands in a table beside each.

Colours and fonts are the page's (by class), so that they follow light, dark and print. No script, no style and no
address of the library's stays in them. Imported only where a report is made.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pygal
from lxml import etree
from pygal.style import Style

# The library leaves an import hook behind, for plugins nobody uses here; every later import would ask it.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

WIDTH = 360
_FONT = 12
_ROW = 30
_AXIS = 34
_MOST_LABEL = 18
_ROOM = 0.06
_SVG = "{http://www.w3.org/2000/svg}"
_STYLE = Style(
    label_font_size=_FONT,
    major_label_font_size=_FONT,
    value_font_size=_FONT,
    value_label_font_size=_FONT,
    value_colors=("black",) * 8,
    font_family="inherit",
)


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart: the SVG, and what each colour stands for, in order."""

    svg: str
    legend: tuple[str, ...]


def columns(title: str, labels: Sequence[str], series: Sequence[tuple[str, Sequence[float]]]) -> Chart | None:
    """Standing bars, one on top of the other; None where there is nothing to draw."""
    every = max(1, -(-len(labels) // 6))
    sparse = [label if n % every == 0 else "" for n, label in enumerate(labels)]
    return _drawn(pygal.StackedBar, title, sparse, series, height=200)


def rows(
    title: str,
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[float]]],
    *,
    most: float | None = None,
    shown: Callable[[float], str] | None = None,
) -> Chart | None:
    """Lying bars, one behind the other, the first label on top; None where there is nothing to draw."""
    turned = [(name, list(reversed(values))) for name, values in series]
    short = [_short(label) for label in reversed(labels)]
    # The library takes each letter for half a square; the letters of Japanese and Chinese are whole ones.
    wider = max((_width(label) * _FONT * 0.55 - len(label) * _FONT * 0.6 for label in short), default=0.0)
    more: dict[str, Any] = {} if most is None else {"range": (0, most)}
    widest = max((len(label) for label in short), default=0) * _FONT * 0.6
    more["margin_left"] = 6 + max(0, round(wider)) if widest else 6
    if shown is not None:
        more["value_formatter"] = shown
    height = _ROW * len(labels) + _AXIS
    return _drawn(pygal.HorizontalStackedBar, title, short, turned, height=height, **more)


def _drawn(
    kind: Any, title: str, labels: Sequence[str], series: Sequence[tuple[str, Sequence[float]]], **options: Any
) -> Chart | None:
    if not labels or not any(value for _, values in series for value in values):
        return None
    top = max(map(sum, zip(*(values for _, values in series), strict=True)))
    chart = kind(
        **{"value_formatter": lambda value: f"{value:g}"} | options,
        width=WIDTH,
        style=_STYLE,
        js=[],
        show_legend=False,
        print_values=True,
        print_zeroes=False,
        margin_top=6,
        margin_right=14,
        margin_bottom=6,
        spacing=8,
        min_scale=2,
        max_scale=5,
        order_min=0 if top < 10 else None,
    )
    chart.x_labels = list(labels)
    shown = options.get("value_formatter", lambda value: f"{value:g}")
    for name, values in series:
        chart.add(name, [{"value": value or None, "formatter": _where_it_fits(shown, top)} for value in values])
    root = chart.render_tree()
    return Chart(_bare(root, title), tuple(name for name, _ in series))


def _where_it_fits(shown: Callable[[float], str], top: float) -> Callable[[float], str]:
    """Numbers in bars; none in a bar that has no room for it."""
    return lambda value: shown(value) if value >= _ROOM * top else ""


def _bare(root: Any, title: str) -> str:
    """The drawing without scripts, styles, comments and hover texts, named for readers who do not see it."""
    unwanted = [node for node in root.iter() if not isinstance(node.tag, str) or _name(node) in _UNWANTED]
    for node in unwanted:
        if (parent := node.getparent()) is not None:
            parent.remove(node)
    for node in root.iter():
        for name in ("id", "style"):
            node.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", title)
    etree.cleanup_namespaces(root)
    return str(etree.tostring(root, encoding="unicode"))


_UNWANTED = frozenset({"script", "style", "defs", "desc", "title", "metadata"})


def _name(node: Any) -> str:
    return str(node.tag).removeprefix(_SVG)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _short(text: str) -> str:
    """As much of a label as has room: eighteen letters, or nine of those that take two."""
    found = ""
    for char in text:
        if _width(found + char) > _MOST_LABEL - 1:
            return f"{found.rstrip()}…"
        found += char
    return found
