"""Secrets: fetched when they are needed from a command, an environment variable, a file or the system's credentials.

Never logs a secret, never keeps one, never shows one in an error.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from responder.errors import ConfigError, Mistake

COMMAND_TIMEOUT_S = 30.0
_MOST_BYTES = 64 * 1024

SecretKind = Literal["none", "plain", "command", "env", "file"]


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret comes from; `file`, `line` and `key` name the place in the configuration for mistakes.

    `words` is the command's argument list, the variable's name, the file's path as written, or the secret itself
    (`plain`); `none` is a login without a secret. Relative files start at `directory`.
    """

    kind: SecretKind
    words: tuple[str, ...] = field(default=(), repr=False)
    directory: Path = Path()
    file: str = ""
    line: int = 0
    key: str = ""


def fetch(secret: Secret, env: Mapping[str, str]) -> str:
    """The secret's text, without the line break at its end.

    A relative file is first looked for among systemd's credentials (`$CREDENTIALS_DIRECTORY`).

    Raises: ConfigError if the secret is not there, empty, or in a file that others may read.
    """
    match secret.kind:
        case "none":
            return ""
        case "plain":
            return secret.words[0]
        case "command":
            text = _from_command(secret, env)
        case "env":
            if secret.words[0] not in env:
                raise _refused(secret, "secret_env_missing", name=secret.words[0])
            text = env[secret.words[0]]
        case "file":
            text = _from_file(secret, env)
    text = text.split("\n", 1)[0].removesuffix("\r") if secret.kind in ("command", "file") else text
    if not text:
        raise _refused(secret, "secret_empty", name=_name(secret))
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise _refused(secret, "secret_control_characters", name=_name(secret))
    return text


def mode_mistake(path: Path) -> str | None:
    """The file's mode as octal digits if anybody but its owner may use the file, else None."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    return f"{mode:04o}" if mode & 0o077 and os.name == "posix" else None


def _from_command(secret: Secret, env: Mapping[str, str]) -> str:
    program = secret.words[0]
    try:
        done = subprocess.run(  # noqa: S603 - the shop's own command, an argument list without a shell
            secret.words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
            cwd=secret.directory,
            env=dict(env),
        )
    except subprocess.TimeoutExpired:
        raise _refused(secret, "secret_command_slow", name=program, seconds=f"{COMMAND_TIMEOUT_S:g}") from None
    except (OSError, ValueError) as exc:
        raise _refused(secret, "secret_command_unusable", name=program, detail=_why(exc)) from None
    if done.returncode != 0:
        raise _refused(secret, "secret_command_failed", name=program, status=str(done.returncode))
    return _decoded(secret, done.stdout)


def _from_file(secret: Secret, env: Mapping[str, str]) -> str:
    written = Path(secret.words[0]).expanduser()
    path = secret.directory / written
    credentials = env.get("CREDENTIALS_DIRECTORY", "")
    if credentials and not written.is_absolute() and (Path(credentials) / written).is_file():
        path = Path(credentials) / written  # the system keeps this folder for us alone, whatever its modes say
    elif mode := mode_mistake(path):
        raise _refused(secret, "secret_file_mode", name=str(path), mode=mode)
    try:
        with path.open("rb") as stream:
            return _decoded(secret, stream.read(_MOST_BYTES))
    except OSError as exc:
        raise _refused(secret, "secret_file_unreadable", name=str(path), detail=_why(exc)) from None


def _decoded(secret: Secret, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(secret, "secret_not_utf8", name=_name(secret)) from None


def _name(secret: Secret) -> str:
    return "" if secret.kind == "plain" or not secret.words else secret.words[0]


def _why(exc: Exception) -> str:
    return getattr(exc, "strerror", None) or type(exc).__name__


def _refused(secret: Secret, code: str, **args: str) -> ConfigError:
    return ConfigError((Mistake(secret.file, secret.line, secret.key, code, tuple(args.items())),))
