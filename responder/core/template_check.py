"""What can be wrong in a reply template, found without rendering it: syntax, unknown values, missing parts.

One walk over the syntax tree per file; a file whose text is unchanged is not looked at again.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any, TypeVar

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound, TemplateSyntaxError, nodes
from jinja2 import Template as Compiled
from jinja2.sandbox import ImmutableSandboxedEnvironment

from responder.core.claims import DayValues, FactValues, RefundValues, TrackingValues
from responder.core.owed.values import OwedValues
from responder.core.values import ItemValues, OrderValues
from responder.errors import Mistake

# What a template may name, with the fields of each; None where any field may be asked for.
OFFERED: Mapping[str, frozenset[str] | None] = {
    "shop": frozenset({"name", "signature"}),
    "buyer": frozenset({"name"}),
    "order": OrderValues.FIELDS,
    "channel": frozenset({"name", "title", "links", "contact", "addresses", "medium"}),
    "mail": frozenset({"subject", "date", "text", "has_attachment", "is_angry", "is_formal"}),
    "asked": None,
    "owed": OwedValues.FIELDS,
    "tracking": TrackingValues.FIELDS,
    "refund": RefundValues.FIELDS,
    "fact": FactValues.FIELDS,
    "day": DayValues.FIELDS,
    "policy": None,
    "in_business_days": frozenset(),
    "blank": frozenset(),
}
SUBJECT = re.compile(r"Subject:[ \t]*(.*)")
# What Jinja itself offers inside loops, macros and blocks.
_OWN_NAMES = frozenset({"loop", "caller", "self", "super", "varargs", "kwargs"})
_Node = TypeVar("_Node", bound=nodes.Node)


class Shelf(BaseLoader):
    """Every template by its name: `codes` are compiled, those in `later` read, and compiled when they are asked for."""

    def __init__(self) -> None:
        self.codes: dict[str, CodeType] = {}
        self.later: dict[str, Callable[[], Checked]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter((*self.codes, *self.later))

    def __contains__(self, name: str) -> bool:
        return name in self.codes or name in self.later

    def load(self, environment: Environment, name: str, globals: MutableMapping[str, Any] | None = None) -> Compiled:
        code = self.codes.get(name) or (self.later[name]().code if name in self.later else None)
        if code is None:
            raise TemplateNotFound(name)
        return environment.template_class.from_code(environment, code, globals or {})


class Shelved(Mapping[str, Compiled]):
    """The templates of a shelf that replies are written with, each ready when it is asked for."""

    def __init__(self, environment: Environment, names: Sequence[str]) -> None:
        self._environment = environment
        self._names = frozenset(names)

    def __getitem__(self, name: str) -> Compiled:
        if name not in self._names:
            raise KeyError(name)
        return self._environment.get_template(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Sandbox(ImmutableSandboxedEnvironment):
    """A sandbox whose includes are looked for beside the template, for Traditional Chinese also in `zh`."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(
            loader=shelf,
            undefined=StrictUndefined,
            autoescape=False,  # Replies are text/plain, never HTML.
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
            cache_size=2000,
        )
        self.globals.clear()
        self.shelf = shelf

    def getattr(self, obj: Any, attribute: str) -> Any:
        """As the sandbox's own, at a tenth of the price for what a template is offered: nothing in it is unsafe."""
        kind = type(obj)
        if attribute in getattr(kind, "FIELDS", ()):
            return getattr(obj, attribute)
        if kind is dict and attribute in obj and not hasattr(kind, attribute):
            return obj[attribute]
        return super().getattr(obj, attribute)

    def join_path(self, template: str, parent: str) -> str:
        folder = parent.rpartition("/")[0]
        wanted = f"{folder}/{template}"
        return f"zh/{template}" if folder == "zh-hant" and wanted not in self.shelf else wanted


@dataclass(frozen=True, slots=True)
class Checked:
    """One template file: its code (None where it has a mistake in its syntax), its mistakes, and the parts it takes
    in with the line of each ("" for a part whose name is not written out)."""

    code: CodeType | None = None
    mistakes: tuple[Mistake, ...] = ()
    parts: tuple[tuple[str, int], ...] = ()


@lru_cache(maxsize=4096)
def checked(name: str, text: str, path: Path) -> Checked:
    """The file looked at as far as it goes by itself. `name` is `language/file.txt`."""
    if not is_part(name) and (mistake := _layout(text, path)):
        return Checked(mistakes=(mistake,))
    environment = _grammar()
    try:
        tree = environment.parse(text, name, str(path))
        found = _Tree.of(tree)
        unknown = tuple(_unknown_words(environment, found, path))
        if unknown:
            return Checked(mistakes=unknown)
        code = environment.compile(tree, name, str(path))
    except TemplateSyntaxError as problem:
        args = (("detail", problem.message or "?"),)
        return Checked(mistakes=(Mistake(str(path), problem.lineno, path.stem, "template_syntax", args),))
    except (RecursionError, ValueError) as problem:
        # Python reads no number of several thousand digits.
        args = (("detail", "nested too deep" if isinstance(problem, RecursionError) else "a number is too long"),)
        return Checked(mistakes=(Mistake(str(path), 0, path.stem, "template_syntax", args),))
    mistakes = (*_unknown_names(found, path), *_unknown_fields(found, path))
    return Checked(code, mistakes, tuple(_parts(found)))


def is_part(name: str) -> bool:
    """True for a file that is only there to be included."""
    return name.partition("/")[2].startswith("_")


def missing_parts(name: str, path: Path, parts: Sequence[tuple[str, int]], known: Collection[str]) -> Iterator[Mistake]:
    """Parts that a template takes in and nobody has; `known` are the names of all files."""
    folder = name.partition("/")[0]
    beside = {n.partition("/")[2] for n in known if n.partition("/")[0] in (folder, folder[:2])}
    for part, line in parts:
        if part not in beside:
            args = (("name", part or "?"),)
            yield Mistake(str(path), line, path.stem, "template_missing_part", args, nearest(part, beside))


def nearest(word: str, known: Collection[str]) -> str | None:
    """The known word that was probably meant, or None."""
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.66)
    return close[0] if close else None


@lru_cache(maxsize=1)
def _grammar() -> Sandbox:
    return Sandbox(Shelf())


@dataclass
class _Tree:
    """The nodes of a syntax tree, walked once."""

    every: list[nodes.Node] = field(default_factory=list)

    @classmethod
    def of(cls, tree: nodes.Template) -> _Tree:
        every: list[nodes.Node] = []
        waiting: list[nodes.Node] = [tree]
        while waiting:
            node = waiting.pop()
            every.append(node)
            waiting.extend(node.iter_child_nodes())
        return cls(every)

    def all(self, kind: type[_Node]) -> list[_Node]:
        """The nodes of a kind, in the order of their lines."""
        return sorted((node for node in self.every if isinstance(node, kind)), key=lambda node: node.lineno)


def _layout(text: str, path: Path) -> Mistake | None:
    first, _, rest = text.partition("\n")
    match = SUBJECT.match(first)
    if not match or not match[1].strip():
        return Mistake(str(path), 1, path.stem, "template_no_subject")
    if not rest.strip():
        return Mistake(str(path), 2, path.stem, "template_no_text")
    if rest.partition("\n")[0].strip():
        return Mistake(str(path), 2, path.stem, "template_no_blank_line")
    return None


def _unknown_words(environment: Sandbox, tree: _Tree, path: Path) -> Iterator[Mistake]:
    """Unknown filters and tests. Jinja itself finds those inside an `if` only when they are reached."""
    words: list[tuple[str, int, str, Collection[str]]] = []
    words += [(node.name, node.lineno, "filter", environment.filters) for node in tree.all(nodes.Filter)]
    words += [(node.name, node.lineno, "test", environment.tests) for node in tree.all(nodes.Test)]
    for name, line, kind, known in words:
        if name not in known:
            code = f"template_unknown_{kind}"
            yield Mistake(str(path), line, path.stem, code, (("name", name),), nearest(name, known))


def _unknown_names(tree: _Tree, path: Path) -> Iterator[Mistake]:
    names = tree.all(nodes.Name)
    known = {node.name for node in names if node.ctx != "load"} | OFFERED.keys() | _OWN_NAMES
    known |= {macro.name for macro in tree.all(nodes.Macro)}
    for name, line in dict.fromkeys((node.name, node.lineno) for node in names):
        if name not in known:
            args = (("name", name),)
            yield Mistake(str(path), line, path.stem, "template_unknown_name", args, nearest(name, OFFERED))


def _unknown_fields(tree: _Tree, path: Path) -> Iterator[Mistake]:
    items = _item_names(tree)
    own = {node.name for node in tree.all(nodes.Name) if node.ctx != "load"} - items
    found: list[nodes.Getattr | nodes.Getitem] = [*tree.all(nodes.Getattr), *tree.all(nodes.Getitem)]
    for node in found:
        base = node.node
        if not isinstance(base, nodes.Name) or base.name in own:
            continue
        if isinstance(node, nodes.Getattr):
            attribute = node.attr
        elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            attribute = node.arg.value
        else:
            continue
        fields = ItemValues.FIELDS if base.name in items else OFFERED.get(base.name)
        if fields is None or attribute in fields:
            continue
        args = (("name", f"{base.name}.{attribute}"),)
        near = nearest(attribute, fields)
        suggestion = f"{base.name}.{near}" if near else None
        yield Mistake(str(path), node.lineno, path.stem, "template_unknown_field", args, suggestion)


def _item_names(tree: _Tree) -> set[str]:
    """What the lines of an order are called in `for ... in order.items`."""
    names = set()
    for loop in tree.all(nodes.For):
        source = [loop.iter, *loop.iter.find_all(nodes.Getattr)]
        if isinstance(loop.target, nodes.Name) and any(getattr(node, "attr", "") == "items" for node in source):
            names.add(loop.target.name)
    return names


def _parts(tree: _Tree) -> Iterator[tuple[str, int]]:
    found: list[nodes.Include | nodes.Import | nodes.FromImport | nodes.Extends] = []
    found += tree.all(nodes.Include)
    found += tree.all(nodes.Import)
    found += tree.all(nodes.FromImport)
    found += tree.all(nodes.Extends)
    for node in found:
        target = node.template
        yield (target.value if isinstance(target, nodes.Const) and isinstance(target.value, str) else ""), node.lineno
