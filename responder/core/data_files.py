"""Facts in files: the tables that ship with the product, and those a shop lays over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomli

from responder.errors import Mistake

DATA = Path(__file__).resolve().parent.parent / "data"


def read_tables(folders: Sequence[Path], name: str, mistakes: list[Mistake]) -> list[tuple[Path, dict[str, Any]]]:
    """The tables of `<name>.toml` in those of the folders that have one; what cannot be read goes to `mistakes`."""
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
