"""Warnings about rules.toml for `check`: rules that can never decide, phrases that stand in too many mails.

Costs more than a reload may; the daemon never asks.
"""

from __future__ import annotations

from collections.abc import Iterable

from responder.config import source
from responder.config.pack import rules_file
from responder.config.settings import Settings
from responder.core import positions
from responder.core.rules.lint import Warned, lint
from responder.core.rules.too_common import too_common
from responder.errors import Mistake
from responder.model import Message


def rule_warnings(settings: Settings, sample: Iterable[Message] = ()) -> tuple[Mistake, ...]:
    """What `lint` finds in the rules in use, and which of their phrases are too common in these mails of the shop.

    Raises: ConfigError if rules.toml has become unreadable since it was loaded.
    """
    rules = source.read(rules_file(settings.directory))
    found = lint(settings.rulebook, rules.data, {channel.name for channel in settings.channels})
    told = (_told(rules, warned) for warned in (*found, *too_common(rules.data, sample)))
    return tuple(sorted(told, key=lambda mistake: (mistake.line, mistake.key)))


def _told(rules: source.Source, warned: Warned) -> Mistake:
    args = dict(warned.args)
    if "first_key" in args:
        args["line"] = str(rules.where(args.pop("first_key"))[1])
    where = positions.path_of(warned.key)
    return rules.mistake(where, warned.code, suggestion=warned.suggestion, rule=warned.rule, **args)
