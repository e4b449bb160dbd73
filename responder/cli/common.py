"""What the commands share: the staff's language, the files, the options, how failures are told."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from responder.collector import resting

if TYPE_CHECKING:
    from responder.config import Settings
    from responder.core.wording import Catalog
    from responder.errors import ConfigError, Mistake
    from responder.model import Language


EX_OK, EX_FINDINGS, EX_USAGE, EX_TEMPFAIL, EX_NOPERM, EX_CONFIG, EX_INTERRUPTED = 0, 1, 2, 75, 77, 78, 130


def staff_language(default: str = "en") -> Language:
    """The language to speak to whoever sits at this terminal, by the locale."""
    for name in ("RESPONDER_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value and value not in ("C", "POSIX") and not value.startswith("C."):
            short = value[:2].lower()
            return "ja" if short == "ja" else "zh" if short == "zh" else "en"
    return "ja" if default == "ja" else "zh" if default == "zh" else "en"


def catalog() -> Catalog:
    from responder.core.wording import Catalog

    return Catalog.load()


def say_mistakes(mistakes: tuple[Mistake, ...], *, as_json: bool, warnings: tuple[Mistake, ...] = ()) -> None:
    words, language = catalog(), staff_language()
    for kind, entries in (("mistake", mistakes), ("warning", warnings)):
        for m in entries:
            if as_json:
                line = {"kind": kind, "file": m.file, "line": m.line, "key": m.key, "rule": m.rule, "code": m.code}
                line |= {"suggestion": m.suggestion, "text": words.mistake(m, language)}
                click.echo(json.dumps(line, ensure_ascii=False))
            else:
                click.echo(words.mistake(m, language), err=True)


def load_settings(config: str | None, *, as_json: bool = False) -> Settings:
    """The configuration, or every mistake in it and exit 78."""
    from responder.errors import ConfigError

    try:
        with resting():
            from responder.config import load

            return load(Path(config) if config else None, env=os.environ)
    except ConfigError as exc:
        give_up(exc, as_json=as_json)


def give_up(exc: ConfigError, *, as_json: bool) -> NoReturn:
    say_mistakes(exc.mistakes, as_json=as_json)
    if not as_json:
        click.echo(catalog().text("cli.exit_config", staff_language()), err=True)
    sys.exit(EX_CONFIG)


CONFIG = click.option("--config", metavar="DIR", help="Folder of responder.toml (or the file itself).")
JSON = click.option("--json", "as_json", is_flag=True, help="Output for programs: one JSON object a line.")
DRY = click.option("-n", "--dry-run", is_flag=True, help="Only show what would be done; write nothing.")


def say_account_failure(settings: Settings, name: str, failure: Exception, *, language: Language | None = None) -> str:
    words = catalog()
    language = language or staff_language(settings.shop.language)
    text = failure_words(settings, name, failure, words, language)
    line = words.text("cli.check_account_failed", language, account=name, reason=text)
    click.echo(line, err=True)
    return line


def failure_words(
    settings: Settings, name: str, failure: Exception, words: Catalog, language: Language, *, host: str | None = None
) -> str:
    """Why an account, or the server `host` of it, cannot be used."""
    from responder.errors import CertificateRefused, ConfigError, FolderMissing, LoginRefused, OrdersUnavailable

    account = settings.account(name)
    if host is None:
        host = account.imap.host if account is not None else ""
    match failure:
        case LoginRefused():
            return words.text("cli.login_refused", language, host=host)
        case CertificateRefused():
            return words.text("cli.certificate_refused", language, host=host)
        case FolderMissing(role=role, candidates=candidates) if len(candidates) > 1:
            return words.text("cli.folder_ambiguous", language, role=role, candidates=", ".join(candidates))
        case FolderMissing(role=role, candidates=candidates):
            return words.text("cli.folder_missing", language, role=role, candidates=", ".join(candidates) or "-")
        case OrdersUnavailable():
            return words.text("note.orders_unavailable", language)
        case ConfigError(mistakes=mistakes):
            return "; ".join(words.mistake(m, language) for m in mistakes)
        case _:
            return words.text("cli.connection_failed", language, host=host)


def moment_of(text: str | None, settings: Settings) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r}: 2026-11-20T12:00+09:00", param_hint="--now") from None
    return moment.replace(tzinfo=settings.shop.timezone) if moment.tzinfo is None else moment


def settings_or_bare(config: str | None, *, as_json: bool) -> Settings:
    """The configuration if there is one, else the product's own rules without accounts. Raises: ConfigError."""
    from responder.errors import ConfigError

    with resting():
        from responder.config import bare, config_file

        try:
            config_file(Path(config) if config else None, os.environ)
        except ConfigError:
            if config:
                raise
            return bare()
    return load_settings(config, as_json=as_json)


def tried(active: Settings, rules: str) -> Settings:
    """The settings with the rules and templates of another folder. Raises: ConfigError."""
    from dataclasses import replace

    from responder.config import load_pack

    folder = Path(rules)
    if not (folder / "rules.toml").is_file() and not (folder / "templates").is_dir():
        raise click.BadParameter(f"{rules}: no rules.toml or templates/ in there", param_hint="--rules")
    return load_pack(replace(active, directory=folder.resolve()))
