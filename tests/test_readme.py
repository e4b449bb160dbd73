"""What README.md shows works as it is shown."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from responder.cli import cli
from responder.config import load

README = Path(__file__).resolve().parent.parent / "README.md"


def test_the_configuration_shown_is_complete(tmp_path: Path) -> None:
    shown = re.search(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    (tmp_path / "responder.toml").write_text(textwrap.dedent(shown[1]), encoding="utf-8")
    (tmp_path / "password").write_text("secret\n", encoding="ascii")
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "orders").mkdir()
    settings = load(tmp_path, env={})
    (account,) = settings.accounts
    assert settings.warnings == ()
    assert account.imap_secret() == "secret"
    assert account.approved == "承認"


def test_the_commands_shown_exist() -> None:
    text = README.read_text(encoding="utf-8")
    shown = set(re.findall(r"^\s*responder ([a-z]+)\b", text, re.MULTILINE)) | set(
        re.findall(r"`(?:\.venv/bin/)?responder ([a-z]+)\b", text)
    )
    assert shown >= {"check", "explain", "run", "status", "demo"}
    assert shown <= set(cli.commands)
