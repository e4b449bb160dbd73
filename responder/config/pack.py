"""The rule pack: rules.toml and templates/ beside responder.toml, or the ones that come with the product.

Taken whole or not at all; never changes a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from responder.config import source
from responder.errors import ConfigError, Mistake
from responder.model import LANGUAGES

if TYPE_CHECKING:
    from responder.core.compose import Templates
    from responder.core.rules import Rulebook

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Pack:
    """Compiled rules and templates, and the files they came from."""

    rulebook: Rulebook
    templates: Templates
    paths: tuple[Path, ...]
    warnings: tuple[Mistake, ...] = ()


def data_dir() -> Path:
    """The folder of facts that come with the product."""
    return _PACKAGE / "data"


def default_pack_dir() -> Path:
    """The folder that holds the rules.toml and templates/ which come with the product."""
    inside = _PACKAGE / "pack"
    return inside if (inside / "rules.toml").is_file() else _PACKAGE.parent


def pack_paths(directory: Path | None) -> tuple[Path, Path]:
    """The rule file and the template folder in use: the shop's own, else the product's."""
    shipped = default_pack_dir()
    own = directory if directory is not None else shipped
    rules = own / "rules.toml"
    templates = own / "templates"
    return (
        rules if rules.exists() else shipped / "rules.toml",
        templates if templates.exists() else shipped / "templates",
    )


def read_pack(directory: Path | None) -> Pack:
    """The compiled pack of that folder.

    Raises: ConfigError with every mistake in the rules and the templates.
    """
    from responder.core.compose import Templates
    from responder.core.rules import compile_pack

    rules_path, templates_path = pack_paths(directory)
    mistakes: list[Mistake] = []
    rules: source.Source | None = None
    rulebook: Rulebook | None = None
    templates: Templates | None = None
    try:
        rules = source.read(rules_path)
        rulebook = compile_pack(rules.data)
    except ConfigError as exc:
        mistakes += [rules.placed(m) if rules else m for m in exc.mistakes]
    try:
        templates = Templates.load(templates_path)
    except ConfigError as exc:
        mistakes += exc.mistakes
    warnings: list[Mistake] = []
    if rules is not None and templates is not None:
        missing, warnings = _template_names(rules, templates)
        mistakes += missing
    if mistakes or rulebook is None or templates is None:
        raise ConfigError(tuple(mistakes))
    return Pack(rulebook, templates, (rules_path, templates_path), tuple(warnings))


def _template_names(rules: source.Source, templates: Templates) -> tuple[list[Mistake], list[Mistake]]:
    """Rules that name a template which does not exist (mistakes), or not in every language (warnings)."""
    known = templates.names()
    every = sorted({name for names in known.values() for name in names})
    mistakes: list[Mistake] = []
    warnings: list[Mistake] = []
    tables = rules.data.get("rule")
    for index, rule in enumerate(tables if isinstance(tables, list) else ()):
        name = rule.get("reply") if isinstance(rule, dict) else None
        if not isinstance(name, str):
            continue
        rule_id = rule["id"] if isinstance(rule.get("id"), str) else None
        where = ("rule", index, "reply")
        missing = [language for language in LANGUAGES if name not in known.get(language, ())]
        if len(missing) == len(LANGUAGES):
            best = source.nearest(name, every)
            mistakes.append(rules.mistake(where, "unknown_template", suggestion=best, rule=rule_id, found=name))
        elif missing:
            args = {"found": name, "languages": ", ".join(missing)}
            warnings.append(rules.mistake(where, "template_without_language", rule=rule_id, **args))
    return mistakes, warnings
