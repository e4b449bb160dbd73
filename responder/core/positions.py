"""Where each key of a TOML text stands, for mistakes that are told with file and line.

Reads only text that tomli has accepted, so it checks nothing itself; TOML 1.1 (line breaks and comments in inline
tables) is understood. Never interprets a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import tomli

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


class _Scanner:
    """One pass over one text; `found` collects path -> offset of the key (or of the array's element)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}

    def run(self) -> None:
        table: Path = ()
        while True:
            self.skip()
            if self.at >= len(self.text):
                return
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)

    def skip(self) -> None:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def header(self) -> Path:
        """The path that the keys below `[a.b]` or `[[a.b]]` belong to."""
        start = self.at
        many = self.text.startswith("[[", start)
        self.at += 2 if many else 1
        self.skip()
        names = self.key()
        self.skip()
        self.at += 2 if many else 1
        path = self.resolved(names[:-1], start)
        path += (names[-1],)
        self.found.setdefault(path, start)
        if many:
            self.counts[path] = self.counts.get(path, -1) + 1
        if path in self.counts:
            path += (self.counts[path],)
        self.found.setdefault(path, start)
        return path

    def resolved(self, names: list[str], start: int) -> Path:
        """`names` from the root with the last index of each array of tables on the way put in."""
        path: Path = ()
        for name in names:
            path += (name,)
            self.found.setdefault(path, start)
            if path in self.counts:
                path += (self.counts[path],)
        return path

    def key(self) -> list[str]:
        names = []
        while True:
            if match := _BARE.match(self.text, self.at):
                names.append(match.group())
            else:
                match = _STRING.match(self.text, self.at)
                assert match is not None, "not a text that tomli accepts"  # noqa: S101 - tomli has read it before
                names.append(_unquoted(match.group()))
            self.at = match.end()
            dot = _DOT.match(self.text, self.at)
            if dot is None:
                return names
            self.at = dot.end()

    def pair(self, table: Path) -> None:
        start = self.at
        path = table
        for name in self.key():
            path += (name,)
            self.found.setdefault(path, start)
        self.skip()
        self.at += 1  # the equals sign
        self.skip()
        self.value(path)

    def value(self, path: Path) -> None:
        char = self.text[self.at]
        if char == "[":
            self.array(path)
        elif char == "{":
            self.inline_table(path)
        else:
            match = (_STRING if char in "\"'" else _SCALAR).match(self.text, self.at)
            self.at = match.end() if match else self.at + 1

    def array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while True:
            self.skip()
            if self.text[self.at] == "]":
                break
            self.found[(*path, index)] = self.at
            self.value((*path, index))
            index += 1
            self.skip()
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1

    def inline_table(self, path: Path) -> None:
        self.at += 1
        while True:
            self.skip()
            if self.text[self.at] == "}":
                break
            self.pair(path)
            self.skip()
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1


def _unquoted(token: str) -> str:
    if token.startswith("'") or "\\" not in token:
        return token[1:-1]
    return next(iter(tomli.loads(f"{token} = 0")))


def lines(text: str) -> Mapping[Path, int]:
    """The 1-based line of every key, table and array element of `text`, by its path from the root.

    `[[rule]]` gives `("rule",)` (its first line) and `("rule", 0)`, `("rule", 1)` ...; keys below follow.
    `text` must be TOML that tomli accepts.
    """
    scanner = _Scanner(text)
    scanner.run()
    breaks = [match.start() for match in re.finditer("\n", text)]
    found: dict[Path, int] = {}
    line = 0
    for path, offset in sorted(scanner.found.items(), key=lambda item: item[1]):
        while line < len(breaks) and breaks[line] < offset:
            line += 1
        found[path] = line + 1
    return found


_PART = re.compile(r"""\[(\d+)\]|"((?:[^"\\]|\\.)*)"|([^.\[\]"]+)""")


def path_of(key: str) -> Path:
    """The path that a dotted key such as `rule[3].when."odd key"` names."""
    parts: list[str | int] = []
    for match in _PART.finditer(key):
        index, quoted, bare = match.groups()
        parts.append(int(index) if index is not None else (quoted if quoted is not None else bare))
    return tuple(parts)


def key_of(path: Path) -> str:
    """The dotted key of a path, the way mistakes name it: `rule[3].when.asks`."""
    key = ""
    for part in path:
        if isinstance(part, int):
            key += f"[{part}]"
        else:
            name = part if part and not re.search(r'[.\[\]"\s]', part) else '"' + part.replace('"', "'") + '"'
            key += f".{name}" if key else name
    return key


def line_of(found: Mapping[Path, int], path: Path) -> int:
    """The line of `path`, or of the nearest table around it; 0 where the text has neither."""
    while path:
        if path in found:
            return found[path]
        path = path[:-1]
    return 0
