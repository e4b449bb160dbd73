"""Imports point one way: cli -> daemon -> flows -> core | edges -> model -> errors. This keeps it true."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import responder

ROOT = Path(responder.__file__).parent

MAY_IMPORT = {
    "errors": {"errors"},
    "model": {"model", "errors"},
    "core": {"core", "model", "errors"},
    "edges": {"edges", "model", "errors"},
    # config reads secrets at the moment they are needed; the edge that fetches them is its only one.
    "config": {"config", "core", "edges.secrets", "model", "errors"},
    "flows": {"flows", "config", "core", "edges", "model", "errors"},
    "logs": {"logs"},
    "collector": {"collector"},
    "daemon": {"daemon", "collector", "flows", "config", "core", "edges", "model", "errors"},
}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name.removesuffix(".__init__"), path


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_imports_point_one_way() -> None:
    wrong = []
    for name, path in modules():
        allowed = MAY_IMPORT.get(name.partition(".")[0])
        if allowed is None or name.startswith("edges.migrations"):
            continue
        for other in imported(path):
            inner = other.removeprefix("responder.")
            known = other.startswith("responder.") and (ROOT / inner.partition(".")[0]).with_suffix("").name
            if known and not any(inner == a or inner.startswith(a + ".") or a.startswith(inner + ".") for a in allowed):
                wrong.append(f"{name} imports {other}")
    assert wrong == []


def test_the_core_does_no_io_and_reads_no_clock() -> None:
    forbidden = {
        "socket",
        "subprocess",
        "logging",
        "random",
        "secrets",
        "time",
        "threading",
        "sqlalchemy",
        "imapclient",
    }
    wrong = [
        f"{name} imports {other}"
        for name, path in modules()
        if name.startswith("core")
        for other in imported(path)
        if other.partition(".")[0] in forbidden
    ]
    assert wrong == []


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["explain", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom responder.cli import main\n"
        f"sys.argv = ['responder', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*sorted(m for m in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "Usage" in done.stdout
    assert not loaded & {
        "sqlalchemy",
        "imapclient",
        "pydantic",
        "jinja2",
        "lxml",
        "re2",
        "pymap",
        "aiosmtpd",
        "alembic",
        "pygal",
    }
