"""The shop's reply templates: read from folders, checked whole, compiled once.

`<folder>/<language>/<name>.txt` holds `Subject: ...`, a blank line and the text; files that begin with `_` are parts
for `{% include %}`. The first folder that has a file wins. A template sees the values of `core.values` and nothing
else; a buyer's text is a value and never becomes a template.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli
from jinja2 import FunctionLoader, StrictUndefined, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2 import Template as Compiled
from jinja2.sandbox import ImmutableSandboxedEnvironment

from responder.core import values
from responder.core.refunds import Refunds, refunds_from
from responder.core.tracking import Carrier, carriers_from
from responder.core.wording import Catalog
from responder.errors import ConfigError, MessageError, Mistake
from responder.model import Language

DATA = Path(__file__).resolve().parent.parent / "data"
VARIANTS: tuple[str, ...] = ("ja", "en", "zh", "zh-hant")
MAX_BYTES = 64 * 1024

# What a template may name, with the fields of each; None where any field may be asked for.
OFFERED: Mapping[str, frozenset[str] | None] = {
    "shop": frozenset({"name", "signature"}),
    "buyer": frozenset({"name"}),
    "order": values.OrderValues.FIELDS,
    "channel": frozenset({"name", "title", "links", "contact"}),
    "mail": frozenset({"subject", "date", "text", "has_attachment"}),
    "tracking": values.TrackingValues.FIELDS,
    "refund": values.RefundValues.FIELDS,
    "fact": values.FactValues.FIELDS,
    "day": values.DayValues.FIELDS,
    "policy": None,
    "in_business_days": frozenset(),
    "blank": frozenset(),
}
_SUBJECT = re.compile(r"Subject:[ \t]*(.*)")


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox whose includes are looked for beside the template, for Traditional Chinese also in `zh`."""

    def join_path(self, template: str, parent: str) -> str:
        folder = parent.rpartition("/")[0]
        wanted = f"{folder}/{template}"
        if folder == "zh-hant" and self.loader is not None:
            try:
                self.loader.get_source(self, wanted)
            except TemplateError:
                return f"zh/{template}"
        return wanted


@dataclass(frozen=True)
class Templates:
    """All templates with the facts they draw on. Build it with `load`; a value never changes afterwards."""

    compiled: Mapping[str, Compiled]
    carriers: Mapping[str, Carrier] = field(default_factory=dict)
    refunds: Refunds = field(default_factory=Refunds)
    policy: Mapping[str, str] = field(default_factory=dict)
    wording: Catalog = field(default_factory=Catalog)

    @classmethod
    def load(cls, folders: Sequence[Path], *, data: Sequence[Path] = (), wording: Catalog | None = None) -> Templates:
        """The templates of several folders, the shop's first, checked and compiled.

        `data` are folders whose carriers.toml, refunds.toml and policy.toml go before the shipped ones.

        Raises: ConfigError with every mistake found.
        """
        catalog = wording or Catalog.load()
        mistakes: list[Mistake] = []
        sources = _read(folders, mistakes)
        tables = {name: _tables([*data, DATA], name, mistakes) for name in ("carriers", "refunds", "policy")}
        environment = _environment(sources)
        compiled: dict[str, Compiled] = {}
        for name, (path, text) in sources.items():
            found = _check(environment, name, path, text, sources)
            mistakes += found
            if not found and not _is_part(name):
                try:
                    compiled[name] = environment.get_template(name)
                except TemplateSyntaxError:
                    continue  # A part of it is broken and has been named already.
        pieces: dict[str, Any] = {}
        for key, build in (("carriers", carriers_from), ("refunds", refunds_from)):
            try:
                pieces[key] = build([table for _, table in tables[key]])
            except (TypeError, ValueError, AttributeError, re.error) as problem:
                file = str(tables[key][0][0]) if tables[key] else key
                mistakes.append(Mistake(file, 0, key, "data_file_wrong", (("detail", str(problem)),)))
        if mistakes:
            raise ConfigError(tuple(sorted(mistakes, key=lambda m: (m.file, m.line, m.key))))
        policy = {key: str(value) for _, table in reversed(tables["policy"]) for key, value in table.items()}
        return cls(compiled, pieces["carriers"], pieces["refunds"], policy, catalog)

    def names(self, language: Language) -> frozenset[str]:
        """The names a rule may reply with in a language."""
        return frozenset(n.partition("/")[2][:-4] for n in self.compiled if n.startswith(f"{language}/"))

    def has(self, name: str, language: Language) -> bool:
        """True if there is a template of that name in that language."""
        return f"{language}/{name}.txt" in self.compiled

    def nearest(self, name: str, language: Language) -> str | None:
        """The template name that was probably meant, or None."""
        return _nearest(name, self.names(language))

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
        match = _SUBJECT.match(first)
        return (match[1].strip() if match else first.strip()), tidy(text)


def tidy(text: str) -> str:
    """Text without trailing blanks, with at most one empty line in a row and none at either end."""
    lines = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")


def _environment(sources: Mapping[str, tuple[Path, str]]) -> _Environment:
    def load(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        if name not in sources:
            return None
        path, text = sources[name]
        return text, str(path), lambda: True

    environment = _Environment(
        loader=FunctionLoader(load),
        undefined=StrictUndefined,
        autoescape=False,  # Replies are text/plain, never HTML.
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        cache_size=2000,
    )
    environment.globals.clear()
    return environment


def _is_part(name: str) -> bool:
    return name.partition("/")[2].startswith("_")


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
                near = _nearest(place.name, VARIANTS)
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


def _tables(folders: Sequence[Path], name: str, mistakes: list[Mistake]) -> list[tuple[Path, dict[str, Any]]]:
    found = []
    for folder in folders:
        path = folder / f"{name}.toml"
        try:
            found.append((path, tomli.loads(path.read_text(encoding="utf-8-sig"))))
        except FileNotFoundError:
            continue
        except OSError as problem:
            mistakes.append(Mistake(str(path), 0, name, "file_unreadable", (("detail", problem.strerror or "?"),)))
        except UnicodeDecodeError:
            mistakes.append(Mistake(str(path), 0, name, "file_not_utf8"))
        except tomli.TOMLDecodeError as problem:
            args = (("detail", problem.msg), ("column", str(problem.colno)))
            mistakes.append(Mistake(str(path), problem.lineno, name, "toml_syntax", args))
    return found


def _check(
    environment: _Environment, name: str, path: Path, text: str, sources: Mapping[str, tuple[Path, str]]
) -> list[Mistake]:
    """Every mistake in one template that can be seen without rendering it."""
    key = path.stem
    if not _is_part(name):
        first, _, rest = text.partition("\n")
        match = _SUBJECT.match(first)
        if not match or not match[1].strip():
            return [Mistake(str(path), 1, key, "template_no_subject")]
        if not rest.strip():
            return [Mistake(str(path), 2, key, "template_no_text")]
        if rest.partition("\n")[0].strip():
            return [Mistake(str(path), 2, key, "template_no_blank_line")]
    try:
        tree = environment.parse(text, name, str(path))
        unknown = list(_unknown_words(environment, tree, path))
        if not unknown:
            environment.compile(text, name, str(path))
    except TemplateSyntaxError as problem:
        return [_syntax(problem, path)]
    except RecursionError:
        return [Mistake(str(path), 0, key, "template_syntax", (("detail", "nested too deep"),))]
    if unknown:
        return unknown
    return [*_unknown_names(tree, path), *_unknown_fields(tree, path), *_missing_parts(tree, name, path, sources)]


def _syntax(problem: TemplateSyntaxError, path: Path) -> Mistake:
    args = (("detail", problem.message or "?"),)
    return Mistake(str(path), problem.lineno, path.stem, "template_syntax", args)


def _unknown_words(environment: _Environment, tree: nodes.Template, path: Path) -> Iterator[Mistake]:
    """Unknown filters and tests. Jinja itself finds those inside an `if` only when they are reached."""
    words: list[tuple[str, int, str, Mapping[str, object]]] = []
    words += [(node.name, node.lineno, "filter", environment.filters) for node in tree.find_all(nodes.Filter)]
    words += [(node.name, node.lineno, "test", environment.tests) for node in tree.find_all(nodes.Test)]
    for name, line, kind, known in words:
        if name not in known:
            code = f"template_unknown_{kind}"
            yield Mistake(str(path), line, path.stem, code, (("name", name),), _nearest(name, known))


def _unknown_names(tree: nodes.Template, path: Path) -> Iterator[Mistake]:
    unknown = meta.find_undeclared_variables(tree) - OFFERED.keys()
    told = set()
    for node in tree.find_all(nodes.Name):
        if node.name in unknown and node.ctx == "load" and (node.name, node.lineno) not in told:
            told.add((node.name, node.lineno))
            near = _nearest(node.name, OFFERED)
            yield Mistake(str(path), node.lineno, path.stem, "template_unknown_name", (("name", node.name),), near)


def _unknown_fields(tree: nodes.Template, path: Path) -> Iterator[Mistake]:
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    items = {
        loop.target.name
        for loop in tree.find_all(nodes.For)
        if isinstance(loop.target, nodes.Name)
        and any(
            node.attr == "items"
            for node in (loop.iter, *loop.iter.find_all(nodes.Getattr))
            if isinstance(node, nodes.Getattr)
        )
    }
    found: list[nodes.Getattr | nodes.Getitem] = [*tree.find_all(nodes.Getattr), *tree.find_all(nodes.Getitem)]
    for node in found:
        base = node.node
        if not isinstance(base, nodes.Name) or base.name in own - items:
            continue
        if isinstance(node, nodes.Getattr):
            attribute = node.attr
        elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            attribute = node.arg.value
        else:
            continue
        fields = values.ItemValues.FIELDS if base.name in items else OFFERED.get(base.name)
        if fields is None or attribute in fields:
            continue
        args = (("name", f"{base.name}.{attribute}"),)
        near = _nearest(attribute, fields)
        suggestion = f"{base.name}.{near}" if near else None
        yield Mistake(str(path), node.lineno, path.stem, "template_unknown_field", args, suggestion)


def _missing_parts(
    tree: nodes.Template, name: str, path: Path, sources: Mapping[str, tuple[Path, str]]
) -> Iterator[Mistake]:
    folder = name.partition("/")[0]
    known = {n.partition("/")[2] for n in sources if n.partition("/")[0] in (folder, folder[:2])}
    found: list[nodes.Include | nodes.Import | nodes.FromImport | nodes.Extends] = []
    for kind in (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends):
        found += tree.find_all(kind)
    for node in found:
        target = node.template
        if isinstance(target, nodes.Const) and isinstance(target.value, str) and target.value in known:
            continue
        wanted = str(target.value) if isinstance(target, nodes.Const) else "?"
        near = _nearest(wanted, known)
        yield Mistake(str(path), node.lineno, path.stem, "template_missing_part", (("name", wanted),), near)


def _nearest(word: str, known: Sequence[str] | frozenset[str] | set[str] | Mapping[str, object]) -> str | None:
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.66)
    return close[0] if close else None
