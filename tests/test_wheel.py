"""The wheel carries the default pack and plays the demo where no checkout is near."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's contents in an empty folder."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_rules_and_templates_of_every_language(unpacked: Path) -> None:
    pack = unpacked / "responder" / "pack"
    assert (pack / "rules.toml").read_bytes() == (ROOT / "rules.toml").read_bytes()
    ours = sorted(p.relative_to(ROOT / "templates") for p in (ROOT / "templates").rglob("*.txt"))
    assert sorted(p.relative_to(pack / "templates") for p in (pack / "templates").rglob("*.txt")) == ours
    assert not list(unpacked.rglob("tests"))


def test_the_wheel_plays_the_demo_elsewhere(unpacked: Path, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(unpacked), "HOME": str(tmp_path), "LANG": "C.UTF-8", "NO_COLOR": "1"}
    code = "import responder, sys; assert sys.argv.pop(1) in responder.__file__; from responder.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, str(unpacked), "demo"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
