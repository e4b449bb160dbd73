"""The visible text of an HTML mail, its quotations marked with `> ` as in a plain one.

Quotation containers of the mail programs are found in the tree, where they are certain; everything after that works on
text. Nothing is fetched. Size and nesting are capped before parsing: libxml2 gives up at 256 levels and drops what
lies below, and renderers that lay tables out can be made to write a hundred megabytes; this one writes each character
once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from typing import Any

from responder.core.facts import load

MAX_MARKUP = 1_000_000
MAX_TAGS = 40_000
MAX_DEPTH = 200
MAX_STYLE = 50_000

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,30})")
# They end by themselves: however many are opened, they do not nest.
_FLAT = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "p",
    "li", "dd", "dt", "option", "tr", "td", "th", "tbody", "thead", "tfoot", "a",
})  # fmt: skip
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")
_ANY_TAG = re.compile(r"<[^<>]*(?:>|\Z)")
_BREAKING = re.compile(r"</?(?:br|p|div|tr|li|table|blockquote|h[1-6]|ul|ol|hr)\b", re.IGNORECASE)

_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)"
    r"|font-size\s*:\s*(?:0(?:\.0+)?\s*(?:px|pt|em|rem|%)?|[01](?:\.\d+)?\s*(?:px|pt|%)|0?\.[0-2]\d*\s*r?em)\s*(?:;|!|$)"
    r"|max-height\s*:\s*0(?:px)?\s*(?:;|!|$)"
    r"|text-indent\s*:\s*-\d{3,}|left\s*:\s*-\d{3,}"
    r"|(?:^|[;\s])(?:height|width)\s*:\s*0(?:px)?\s*;[^:]{0,40}overflow\s*:\s*hidden",
    re.IGNORECASE,
)
_WHITE = re.compile(r"(?:^|[;\s])color\s*:\s*(?:#fff(?:fff)?\b|white\b|rgb\(\s*255\s*,\s*255\s*,\s*255)", re.IGNORECASE)
_PRESERVED = re.compile(r"white-space\s*:\s*(?:-o-)?(?:-moz-)?(?:pre|break-spaces)", re.IGNORECASE)
_RULE_SET = re.compile(r"([^{}@]{1,500})\{([^{}]{0,1000})\}")
_NAME = re.compile(r"^\s*(?:[a-z0-9]+)?([.#][\w-]+)\s*$", re.IGNORECASE)

_GONE = frozenset({
    "head", "script", "style", "title", "meta", "link", "template", "iframe", "object", "embed", "applet", "svg",
    "math", "canvas", "audio", "video", "select", "textarea", "datalist", "map", "noframes", "frameset", "xml",
})  # fmt: skip
_BLOCKS = frozenset({
    "address", "article", "aside", "body", "center", "dd", "details", "dir", "div", "dl", "dt", "fieldset", "figure",
    "footer", "form", "header", "html", "main", "menu", "nav", "ol", "section", "summary", "table", "tbody", "tfoot",
    "thead", "tr", "ul", "caption", "legend", "includetail",
})  # fmt: skip
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"})
_BREAKS = _BLOCKS | _SPACED | {"br", "li", "hr", "td", "th"}
_SPECIAL = _GONE | {"pre", "listing", "xmp", "blockquote", "includetail"}

Problem = str


def to_text(markup: str) -> tuple[str, tuple[Problem, ...]]:
    """The visible text, quoted lines led by `> `, and what was wrong (`html_too_deep`, `text_too_long`)."""
    problems: list[Problem] = []
    if len(markup) > MAX_MARKUP:
        markup = markup[:MAX_MARKUP]
        problems.append("text_too_long")
    if _is_too_deep(markup):
        return _stripped(markup), (*problems, "html_too_deep")
    root = _parsed(markup)
    if root is None:
        return _stripped(markup), tuple(problems)
    return _render(root), tuple(problems)


def _is_too_deep(markup: str) -> bool:
    tags = markup.count("<")
    if tags <= MAX_DEPTH:
        return False
    if tags > MAX_TAGS:
        return True
    depth = 0
    for closing, tag in _TAG.findall(markup):
        if tag.lower() in _FLAT:
            continue
        depth = max(depth - 1, 0) if closing else depth + 1
        if depth > MAX_DEPTH:
            return True
    return False


def _stripped(markup: str) -> str:
    """Text by taking the tags out: for markup that no tree should be built of."""
    for begin, end in (("<!--", "-->"), ("<script", "</script"), ("<style", "</style"), ("<head", "</head")):
        markup = _without(markup, begin, end)
    bare = _ANY_TAG.sub(lambda found: "\n" if _BREAKING.match(found.group()) else " ", markup)
    lines = (_SPACE.sub(" ", line).strip() for line in unescape(bare).split("\n"))
    return "\n".join(line for line in lines if line)


def _without(markup: str, begin: str, end: str) -> str:
    """The markup without what stands between two marks; what is never closed goes to the end."""
    lower = markup.lower()
    if len(lower) != len(markup):  # a few letters change length; then the case must be right
        lower = markup
    parts: list[str] = []
    position = 0
    while (found := lower.find(begin, position)) != -1:
        parts.append(markup[position:found])
        closed = lower.find(end, found)
        if closed == -1:
            return "".join(parts)
        position = closed + len(end)
    parts.append(markup[position:])
    return " ".join(parts)


def _parsed(markup: str) -> Any:
    """The tree, or None where libxml2 finds none."""
    etree = _etree()
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    data = markup.replace("\x00", "").encode("utf-8", "replace")
    if not data.strip():
        return None
    try:
        return etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError):
        return None


@cache
def _etree() -> Any:
    from lxml import etree  # 70 ms to import, and only HTML mail needs it

    return etree


@dataclass(frozen=True, slots=True)
class _Open:
    """An open element: how it is marked, whether it keeps white space and whether it sets a background."""

    mark: str = ""
    preserves: bool = False
    has_ground: bool = False


_PLAIN = _Open()
_UNSEEN = _Open("unseen")

# --- writing ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Page:
    """Text being written line by line."""

    lines: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    quote: int = 0
    certain: bool = False  # a program's own quotation mark was seen
    blanks: int = 1

    def turn(self, change: int) -> None:
        """Goes into a quotation or out of it."""
        self.end_line()
        self.quote += change
        self.blanks = 0

    def end_line(self, *, forced: bool = False) -> None:
        """Ends the line if it holds anything, or if `forced` (a `<br>`)."""
        text = "".join(self.line).strip(" ")
        self.line.clear()
        if text:
            self.lines.append(f"> {text}" if self.quote else text)
            self.blanks = 0
        elif forced and self.blanks < 2:
            self.lines.append(">" if self.quote else "")
            self.blanks += 1

    def space(self) -> None:
        """Ends the line and leaves one blank line."""
        self.end_line()
        if not self.blanks:
            self.end_line(forced=True)

    def text(self) -> str:
        self.end_line()
        if not self.certain and not any(line and not line.startswith(">") for line in self.lines):
            return "\n".join(line[2:] if line.startswith("> ") else "" for line in self.lines).strip("\n")
        return "\n".join(self.lines).strip("\n")


def _render(root: Any) -> str:
    page = _Page()
    hidden, has_ground = _hidden_by_sheet(root)
    preserved = grounds = 0
    walk = _etree().iterwalk(root, events=("start", "end"))
    opened: list[_Open] = []
    for event, element in walk:
        tag = element.tag
        if event == "start":
            this = _PLAIN
            if element.keys() or tag in _SPECIAL:
                this = _look(element, tag, hidden, is_on_ground=bool(grounds) or has_ground)
            opened.append(this)
            if this is _UNSEEN:
                walk.skip_subtree()
                continue
            if this is not _PLAIN:
                preserved += this.preserves
                grounds += this.has_ground
                _begin_mark(page, this.mark)
            if tag in _BREAKS:
                _open(page, tag, element)
            if text := element.text:
                _write(page, text, preserved)
            continue
        this = opened.pop()
        if this is not _UNSEEN:
            if tag in _BREAKS:
                _close(page, tag)
            if this is not _PLAIN:
                preserved -= this.preserves
                grounds -= this.has_ground
                if this.mark in ("quote", "perhaps"):
                    page.turn(-1)
        if opened and (text := element.tail):
            _write(page, text, preserved)
    return page.text()


def _look(element: Any, tag: str, hidden: frozenset[str], *, is_on_ground: bool) -> _Open:
    """What an element with attributes or a telling tag means for its text."""
    if tag in _GONE or element.get("hidden") is not None:
        return _UNSEEN
    style = (element.get("style") or "")[:2000]
    has_ground = element.get("bgcolor") is not None or "background" in style.lower()
    is_white_on_white = not has_ground and not is_on_ground and _WHITE.search(style) is not None
    if is_white_on_white or _HIDING.search(style):
        return _UNSEEN
    names = _names(element)
    if hidden and not hidden.isdisjoint(names):
        return _UNSEEN
    preserves = tag in ("pre", "listing", "xmp") or ("white-space" in style and _PRESERVED.search(style) is not None)
    mark = _mark_of(element, tag, names)
    return _Open(mark, preserves, has_ground) if mark or preserves or has_ground else _PLAIN


def _begin_mark(page: _Page, mark: str) -> None:
    match mark:
        case "rest":
            page.certain = True
            page.turn(1)
        case "quote" | "perhaps":
            page.certain = page.certain or mark == "quote"
            page.turn(1)
        case "signature" if not page.quote:
            page.end_line()
            page.lines.append("--")


def _write(page: _Page, text: str, preserved: int) -> None:
    if not preserved:
        if page.line:
            text = _SPACE.sub(" ", text)
            page.line.append(text[1:] if text[0] == " " and page.line[-1].endswith(" ") else text)
        elif text := _SPACE.sub(" ", text).lstrip(" "):
            page.line.append(text)
        return
    first, *others = text.replace("\r\n", "\n").replace("\u00a0", " ").split("\n")
    page.line.append(first)
    for line in others:
        page.end_line(forced=True)
        page.line.append(line)


def _open(page: _Page, tag: str, element: Any) -> None:
    if tag == "br":
        page.end_line(forced=True)
    elif tag in _SPACED and "MsoNormal" not in (element.get("class") or ""):
        page.space()
    elif tag in _BLOCKS or tag in _SPACED:
        page.end_line()
    elif tag == "li":
        page.end_line()
        page.line.append("- ")
    elif tag == "hr":
        page.end_line()
        page.line.append("-" * 10)
        page.end_line()


def _close(page: _Page, tag: str) -> None:
    if tag in ("td", "th"):
        if page.line:
            page.line.append(" ")
    elif tag in _BLOCKS or tag in _SPACED or tag == "li":
        page.end_line()


# --- marks -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Marks:
    quote: frozenset[str]
    rest: frozenset[str]
    signature: frozenset[str]
    tags: frozenset[str]


@cache
def _marks() -> _Marks:
    html = load("quotes")["html"]
    return _Marks(
        quote=frozenset([f".{name}" for name in html["quote_classes"]] + [f"#{name}" for name in html["quote_ids"]]),
        rest=frozenset(f"#{name}" for name in html["rest_ids"]),
        signature=frozenset(
            [f".{name}" for name in html["signature_classes"]] + [f"#{name}" for name in html["signature_ids"]]
        ),
        tags=frozenset(html["quote_tags"]),
    )


def _names(element: Any) -> set[str]:
    """Classes as `.name` and the id as `#name`, without the `x_` Outlook puts before foreign ones."""
    names = {f".{name.removeprefix('x_')}" for name in (element.get("class") or "").split()[:20]}
    if identity := element.get("id"):
        identity = identity.removeprefix("x_")
        names.add(f"#{identity}")
        if identity.startswith("yahoo_quoted"):
            names.add("#yahoo_quoted")
    return names


def _mark_of(element: Any, tag: str, names: set[str]) -> str:
    """quote, perhaps (a bare blockquote), rest, signature or an empty string."""
    marks = _marks()
    if names:
        if names & marks.rest:
            return "rest"
        if names & marks.signature:
            return "signature"
        if names & marks.quote:
            # Gmail keeps answers written between the quoted parts inside its container.
            if tag != "blockquote" and ".gmail_quote" in names and element.find(".//blockquote") is not None:
                return ""
            return "quote"
    if tag in marks.tags:
        return "quote"
    if tag == "blockquote":
        return "quote" if (element.get("type") or "").lower() == "cite" or element.get("cite") else "perhaps"
    return ""


def _hidden_by_sheet(root: Any) -> tuple[frozenset[str], bool]:
    """Classes and ids that the mail's own style sheet hides everywhere, and whether it sets any background."""
    sheet = " ".join((element.text or "") for element in root.iter("style"))[:MAX_STYLE]
    if not sheet:
        return frozenset(), False
    plain = _without_at_rules(sheet)
    names: set[str] = set()
    for selectors, rules in _RULE_SET.findall(plain):
        if _HIDING.search(rules):
            for selector in selectors.split(","):
                if found := _NAME.match(selector):
                    names.add(found.group(1).replace(".x_", ".").replace("#x_", "#"))
    return frozenset(names), "background" in sheet


def _without_at_rules(sheet: str) -> str:
    """The sheet without `@media` and its like: what hides on a phone only is visible here."""
    out: list[str] = []
    depth, position, skipping = 0, 0, False
    for found in re.finditer(r"[{}]|@[a-z-]+", sheet):
        sign = found.group()
        if sign.startswith("@"):
            if not skipping and depth == 0:
                out.append(sheet[position : found.start()])
                skipping = True
        elif sign == "{":
            depth += 1
        else:
            depth = max(depth - 1, 0)
            if skipping and depth == 0:
                skipping, position = False, found.end()
    if not skipping:
        out.append(sheet[position:])
    return "".join(out)
