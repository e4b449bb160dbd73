from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from responder.edges.files import FileWatch, folders, snapshot


class Told:
    """Collects what the watch tells and lets a test wait for it."""

    def __init__(self) -> None:
        self.calls: list[frozenset[Path]] = []
        self.event = threading.Event()

    def __call__(self, paths: frozenset[Path]) -> None:
        self.calls.append(paths)
        self.event.set()

    def wait(self, timeout_s: float = 5.0) -> frozenset[Path]:
        assert self.event.wait(timeout_s), "nothing was told"
        self.event.clear()
        return self.calls[-1]


@pytest.fixture(params=["events", "polling"])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Told]]:
    (tmp_path / "templates" / "ja").mkdir(parents=True)
    (tmp_path / "rules.toml").write_text("one")
    told = Told()
    paths = [tmp_path / "rules.toml", tmp_path / "templates", tmp_path / "orders"]
    watch = FileWatch(paths, told, rest_s=0.05, poll_s=0.2, use_events=request.param == "events")
    watch.start()
    yield tmp_path, told
    watch.stop()
    assert not any(thread.name == "file-watch" for thread in threading.enumerate())


def test_a_saved_file_is_told_once_it_rests(watched: tuple[Path, Told]) -> None:
    folder, told = watched
    (folder / "rules.toml").write_text("two!")
    assert told.wait() == {folder / "rules.toml"}


def test_an_editor_that_swaps_the_file_is_seen(watched: tuple[Path, Told]) -> None:
    folder, told = watched
    (folder / ".rules.toml.swp").write_text("new")
    os.replace(folder / ".rules.toml.swp", folder / "rules.toml")
    assert told.wait() == {folder / "rules.toml"}


def test_new_and_removed_files_below_a_folder_are_told(watched: tuple[Path, Told]) -> None:
    folder, told = watched
    (folder / "templates" / "en").mkdir()
    (folder / "templates" / "en" / "new.txt").write_text("Subject: x")
    assert told.wait() == {folder / "templates" / "en" / "new.txt"}
    (folder / "templates" / "en" / "new.txt").unlink()
    assert told.wait() == {folder / "templates" / "en" / "new.txt"}


def test_a_folder_that_comes_later_is_seen(watched: tuple[Path, Told]) -> None:
    folder, told = watched
    (folder / "orders").mkdir()
    (folder / "orders" / "a.csv").write_text("order_id\n")
    assert told.wait() == {folder / "orders" / "a.csv"}


def test_what_the_callback_raises_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    told = Told()

    def changed(paths: frozenset[Path]) -> None:
        told(paths)
        raise ValueError("broken")

    watch = FileWatch([tmp_path], changed, rest_s=0.05, poll_s=0.1)
    watch.start()
    (tmp_path / "a").write_text("1")
    told.wait()
    (tmp_path / "b").write_text("1")
    told.wait()
    watch.stop()
    assert "reload failed" in caplog.text


def test_other_files_beside_a_watched_one_are_not_told(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text("x")
    assert set(snapshot([tmp_path / "rules.toml"])) == {str(tmp_path / "rules.toml")}
    assert folders([tmp_path / "rules.toml"]) == (tmp_path,)
