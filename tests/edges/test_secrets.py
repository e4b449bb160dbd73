from __future__ import annotations

import sys
from pathlib import Path

import pytest

from responder.edges import secrets
from responder.edges.secrets import Secret, fetch
from responder.errors import ConfigError


def refused(secret: Secret, env: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        fetch(secret, env or {})
    (mistake,) = caught.value.mistakes
    assert (mistake.file, mistake.line, mistake.key) == (secret.file, secret.line, secret.key)
    return mistake.code


def command(*code: str) -> Secret:
    return Secret("command", (sys.executable, "-c", "\n".join(code)), file="responder.toml", line=7, key="x")


def secret_file(path: Path, raw: bytes = b"s3cret\n", mode: int = 0o600) -> Path:
    path.write_bytes(raw)
    path.chmod(mode)
    return path


def test_the_first_line_of_a_command_is_the_secret() -> None:
    assert fetch(command("print('s3cret'); print('user: x')"), {}) == "s3cret"
    assert fetch(command("print('ひみつ')"), {"PYTHONIOENCODING": "utf-8"}) == "ひみつ"


def test_a_command_gets_no_shell_and_no_input() -> None:
    assert fetch(Secret("command", ("echo", "$HOME;`id`")), {"PATH": "/usr/bin:/bin"}) == "$HOME;`id`"
    assert refused(command("import sys; print(sys.stdin.read(), end='')")) == "secret_empty"


def test_what_goes_wrong_with_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(command("raise SystemExit(3)")) == "secret_command_failed"
    assert refused(Secret("command", ("/nowhere/pass",))) == "secret_command_unusable"
    assert refused(command("import sys; sys.stdout.buffer.write(b'\\xff\\xfe')")) == "secret_not_utf8"
    monkeypatch.setattr(secrets, "COMMAND_TIMEOUT_S", 0.2)
    assert refused(command("import time; time.sleep(20)")) == "secret_command_slow"


def test_environment_variables() -> None:
    assert fetch(Secret("env", ("P",)), {"P": "a b"}) == "a b"
    assert refused(Secret("env", ("P",))) == "secret_env_missing"
    assert refused(Secret("env", ("P",)), {"P": ""}) == "secret_empty"
    assert refused(Secret("env", ("P",)), {"P": "a\nb"}) == "secret_control_characters"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_file_is_read(tmp_path: Path, mode: int) -> None:
    secret_file(tmp_path / "pw", mode=mode)
    assert fetch(Secret("file", ("pw",), tmp_path), {}) == "s3cret"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    secret_file(tmp_path / "pw", mode=mode)
    assert refused(Secret("file", ("pw",), tmp_path)) == "secret_file_mode"


def test_systemd_credentials_go_first(tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir()
    secret_file(tmp_path / "credentials" / "pw", b"from systemd", 0o440)
    secret_file(tmp_path / "pw", b"from the file")
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    assert fetch(Secret("file", ("pw",), tmp_path), env) == "from systemd"
    assert fetch(Secret("file", (str(tmp_path / "pw"),), tmp_path), env) == "from the file"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert refused(Secret("file", ("pw",), tmp_path)) == "secret_file_unreadable"


def test_neither_errors_nor_values_show_a_secret() -> None:
    secret = Secret("plain", ("hunter2",))
    assert "hunter2" not in repr(secret)
    with pytest.raises(ConfigError) as caught:
        fetch(command("import sys; print('hunter2', file=sys.stderr); print('hunter2'); sys.exit(1)"), {})
    assert "hunter2" not in repr(caught.value.mistakes)
