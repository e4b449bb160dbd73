"""The rule pack: rules.toml and templates/ beside responder.toml, or the ones that come with the product.

Taken whole or not at all; never changes a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path

from responder.config import source
from responder.core.compose import Templates
from responder.core.proof import Proofreader, load_proofreader
from responder.core.rules import Rulebook, compile_pack
from responder.core.wording import Catalog
from responder.errors import ConfigError, Mistake
from responder.model import LANGUAGES

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Pack:
    """Compiled rules and templates, and the check of a text before it leaves; `paths` is what to watch for a change of
    them."""

    rulebook: Rulebook
    templates: Templates
    proofreader: Proofreader
    paths: tuple[Path, ...]
    warnings: tuple[Mistake, ...] = ()


def data_dir() -> Path:
    """The folder of facts that come with the product."""
    return _PACKAGE / "data"


def default_pack_dir() -> Path:
    """The folder that holds the rules.toml and templates/ which come with the product."""
    inside = _PACKAGE / "pack"
    return inside if (inside / "rules.toml").is_file() else _PACKAGE.parent


def rules_file(directory: Path | None) -> Path:
    """The rule file in use: the shop's own, else the product's."""
    own = None if directory is None else directory / "rules.toml"
    return own if own is not None and own.exists() else default_pack_dir() / "rules.toml"


def template_folders(directory: Path | None) -> tuple[Path, ...]:
    """The template folders in use: the shop's own templates go before the product's of the same name."""
    shipped = default_pack_dir() / "templates"
    own = None if directory is None else directory / "templates"
    return (own, shipped) if own is not None and own.is_dir() and own.resolve() != shipped.resolve() else (shipped,)


def watched(directory: Path | None) -> tuple[Path, ...]:
    """Every file and folder a pack may come from, whether it exists yet or not."""
    shipped = default_pack_dir()
    own = (
        () if directory is None else tuple(directory / name for name in ("rules.toml", "templates", "data", "channels"))
    )
    return tuple(dict.fromkeys((*own, shipped / "rules.toml", shipped / "templates")))


def _proven() -> Path | None:
    """The product's templates where they lie inside the installed package, so that nobody edits them; else None."""
    shipped = default_pack_dir()
    return shipped / "templates" if shipped.parent == _PACKAGE else None


def read_pack(directory: Path | None, *, timezone: tzinfo = UTC, wording: Catalog | None = None) -> Pack:
    """The compiled pack of that folder; `timezone` is the shop's.

    Raises: ConfigError with every mistake in the rules and the templates.
    """
    path = rules_file(directory)
    folders = template_folders(directory)
    mistakes: list[Mistake] = []
    rules: source.Source | None = None
    rulebook: Rulebook | None = None
    templates: Templates | None = None
    proofreader: Proofreader | None = None
    try:
        rules = source.read(path)
        rulebook = compile_pack(rules.data, where=rules.where, timezone=timezone)
    except ConfigError as exc:
        mistakes += exc.mistakes
    data = () if directory is None else (directory / "data",)
    try:
        templates = Templates.load(folders, data=data, wording=wording, proven=_proven())
    except ConfigError as exc:
        mistakes += exc.mistakes
    try:
        refunds, carriers = (None, None) if templates is None else (templates.refunds, templates.carriers)
        proofreader = load_proofreader(data, refunds=refunds, carriers=carriers)
    except ConfigError as exc:
        mistakes += exc.mistakes
    warnings: list[Mistake] = []
    if rules is not None and templates is not None:
        missing, warnings = _template_names(rules, templates)
        mistakes += missing
    if mistakes or rulebook is None or templates is None or proofreader is None:
        raise ConfigError(tuple(mistakes))
    return Pack(rulebook, templates, proofreader, watched(directory), tuple(warnings))


def _template_names(rules: source.Source, templates: Templates) -> tuple[list[Mistake], list[Mistake]]:
    """Rules that name a template which does not exist (mistakes), or not in every language (warnings)."""
    known = {language: templates.names(language) for language in LANGUAGES}
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
        missing = [language for language in LANGUAGES if name not in known[language]]
        if len(missing) == len(LANGUAGES):
            best = source.nearest(name, every)
            mistakes.append(rules.mistake(where, "unknown_template", suggestion=best, rule=rule_id, found=name))
        elif missing:
            args = {"found": name, "languages": ", ".join(missing)}
            warnings.append(rules.mistake(where, "template_without_language", rule=rule_id, **args))
    return mistakes, warnings
