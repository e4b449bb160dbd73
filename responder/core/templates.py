"""The shop's reply templates: read from folders, checked whole, compiled once.

`<folder>/<language>/<name>.txt` holds `Subject: ...`, a blank line and the text; files that begin with `_` are parts
for `{% include %}`. The first folder that has a file wins. A template sees the values of `core.values` and nothing
else; a buyer's text is a value and never becomes a template.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Template as Compiled

from responder.core.data_files import DATA, read_tables
from responder.core.refunds import Refunds, refunds_from
from responder.core.template_check import SUBJECT, Sandbox, Shelf, Shelved, checked, is_part, missing_parts, nearest
from responder.core.tracking import Carrier, Home, carriers_from, home_from
from responder.core.trial import rehearse
from responder.core.wording import Catalog
from responder.errors import ConfigError, MessageError, Mistake
from responder.model import Language

VARIANTS: tuple[str, ...] = ("ja", "en", "zh", "zh-hant")
MAX_BYTES = 64 * 1024


@dataclass(frozen=True)
class Templates:
    """All templates with the facts they draw on. Build it with `load`; a value never changes afterwards."""

    compiled: Mapping[str, Compiled]
    carriers: Mapping[str, Carrier] = field(default_factory=dict)
    refunds: Refunds = field(default_factory=Refunds)
    home: Home = field(default_factory=Home)
    policy: Mapping[str, str] = field(default_factory=dict)
    wording: Catalog = field(default_factory=Catalog)
    own: frozenset[str] = frozenset()
    """Those out of another folder than the last, which is the product's: `language/name.txt`."""

    @classmethod
    def load(
        cls,
        folders: Sequence[Path],
        *,
        data: Sequence[Path] = (),
        wording: Catalog | None = None,
        proven: Path | None = None,
    ) -> Templates:
        """The templates of several folders, the shop's first, checked and compiled.

        `data` are folders whose carriers.toml, refunds.toml and policy.toml go before the shipped ones. `proven` is
        the folder of which all is known to be right: its templates are compiled when they are first used, unless a
        shop's part or table changes what they say.

        Raises: ConfigError with every mistake found.
        """
        catalog = wording or Catalog.load()
        mistakes: list[Mistake] = []
        sources = _read(folders, mistakes)
        tables = {name: read_tables([*data, DATA], name, mistakes) for name in ("carriers", "refunds", "policy")}
        shops = frozenset(name for name, (path, _) in sources.items() if folders[-1] not in path.parents)
        own_parts = any(is_part(name) and proven not in path.parents for name, (path, _) in sources.items())
        if own_parts or any(len(found) > 1 for found in tables.values()):
            proven = None
        shelf = Shelf()
        for name, (path, text) in sources.items():
            if proven in path.parents:
                shelf.later[name] = partial(checked, name, text, path)
                continue
            found = checked(name, text, path)
            mistakes += (*found.mistakes, *missing_parts(name, path, found.parts, sources))
            if found.code is not None:
                shelf.codes[name] = found.code
        pieces: dict[str, Any] = {}
        built = (("carriers", "carriers", carriers_from), ("home", "carriers", home_from))
        for key, name, build in (*built, ("refunds", "refunds", refunds_from)):
            try:
                pieces[key] = build([table for _, table in tables[name]])
            except (TypeError, ValueError, AttributeError, re.error) as problem:
                file = str(tables[name][0][0]) if tables[name] else name
                mistakes.append(Mistake(file, 0, key, "data_file_wrong", (("detail", str(problem)),)))
        if not mistakes:
            environment = Sandbox(shelf)
            compiled = Shelved(environment, [name for name in shelf if not is_part(name)])
            policy = {key: str(value) for _, table in reversed(tables["policy"]) for key, value in table.items()}
            templates = cls(compiled, pieces["carriers"], pieces["refunds"], pieces["home"], policy, catalog, shops)
            own = {name: compiled[name] for name in compiled if name in shelf.codes}
            mistakes += dict.fromkeys(rehearse(own, templates))
        if mistakes:
            raise ConfigError(tuple(sorted(mistakes, key=lambda m: (m.file, m.line, m.key))))
        return templates

    def names(self, language: Language) -> frozenset[str]:
        """The names a rule may reply with in a language."""
        return frozenset(n.partition("/")[2][:-4] for n in self.compiled if n.startswith(f"{language}/"))

    def has(self, name: str, language: Language) -> bool:
        """True if there is a template of that name in that language."""
        return f"{language}/{name}.txt" in self.compiled

    def is_own(self, name: str, variant: str) -> bool:
        """True if what `render` would fill in is the shop's own template."""
        whole = f"{variant}/{name}.txt"
        return (whole if whole in self.compiled else f"{variant[:2]}/{name}.txt") in self.own

    def nearest(self, name: str, language: Language) -> str | None:
        """The template name that was probably meant, or None."""
        return nearest(name, self.names(language))

    def render(self, name: str, variant: str, offered: Mapping[str, object]) -> tuple[str, str]:
        """Subject and text of a template, filled in.

        Raises: MessageError if there is no such template or its expressions fail on these values.
        """
        template = self.compiled.get(f"{variant}/{name}.txt") or self.compiled.get(f"{variant[:2]}/{name}.txt")
        if template is None:
            raise MessageError("template_missing")
        try:
            whole = template.render(offered)
        except Exception as problem:  # A shop's template may compute anything; whatever it raises holds this one mail.
            raise MessageError("template_failed") from problem
        first, _, text = whole.partition("\n")
        match = SUBJECT.match(first)
        return (match[1].strip() if match else first.strip()), tidy(text)


def tidy(text: str) -> str:
    """Text without trailing blanks, with at most one empty line in a row and none at either end."""
    lines = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")


def _read(folders: Sequence[Path], mistakes: list[Mistake]) -> dict[str, tuple[Path, str]]:
    """Every template file by `language/name.txt`, the first folder's before the others'."""
    sources: dict[str, tuple[Path, str]] = {}
    for folder in folders:
        if not folder.is_dir():
            continue
        for place in sorted(folder.iterdir()):
            if place.name.startswith(".") or not place.is_dir():
                continue
            if place.name not in VARIANTS:
                known = (("language", place.name), ("known", ", ".join(VARIANTS)))
                near = nearest(place.name, VARIANTS)
                mistakes.append(Mistake(str(place), 0, place.name, "template_language", known, near))
                continue
            for path in sorted(place.glob("*.txt")):
                name = f"{place.name}/{path.name}"
                if name in sources or path.name.startswith("."):
                    continue
                try:
                    raw = path.read_bytes()
                    if len(raw) > MAX_BYTES:
                        mistakes.append(Mistake(str(path), 0, path.stem, "file_too_large", (("most", str(MAX_BYTES)),)))
                        continue
                    sources[name] = (path, raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n"))
                except OSError as problem:
                    args = (("detail", problem.strerror or "?"),)
                    mistakes.append(Mistake(str(path), 0, path.stem, "file_unreadable", args))
                except UnicodeDecodeError as problem:
                    line = raw[: problem.start].count(b"\n") + 1
                    mistakes.append(Mistake(str(path), line, path.stem, "file_not_utf8"))
    return sources
