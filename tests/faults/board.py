"""What the proxy (in the campaign's process) and the daemon (a process of its own) must both know of a story: which
stage it is in, and how many of its faults have happened. Two bytes in a shared file; and how places are counted."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

STAGES = ("start", "arrival", "approval", "after", "done")
ANYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Fault:
    """`act` happens the `nth` time something is about to pass `mark` in `stage` (`*`: in whichever stage)."""

    stage: str
    mark: str
    nth: int
    act: str

    @property
    def name(self) -> str:
        return f"{self.place} | {self.act}"

    @property
    def place(self) -> str:
        return f"{self.stage} | {self.mark} | {self.nth}"

    @classmethod
    def read(cls, name: str) -> Fault:
        stage, mark, nth, act = name.split(" | ")
        return cls(stage, mark, int(nth), act)


class Board:
    """The shared bytes. One writer at a time by the nature of a story."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if create:
            path.write_bytes(b"\0" * 16)
        with path.open("r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), 16)

    @property
    def stage(self) -> str:
        return STAGES[self._bytes[0]]

    @stage.setter
    def stage(self, name: str) -> None:
        self._bytes[0] = STAGES.index(name)

    @property
    def happened(self) -> int:
        """How many faults have happened."""
        return self._bytes[1]

    @happened.setter
    def happened(self, count: int) -> None:
        self._bytes[1] = count

    def close(self) -> None:
        self._bytes.close()


@dataclass
class Script:
    """Which faults are planned, one after the other, and what has passed so far. Counting begins anew with each stage
    and after each fault."""

    board: Board
    faults: Sequence[Fault] = ()
    trace: list[str] = field(default_factory=list)
    _since: tuple[str, int] = ("", 0)
    _counts: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def passes(self, mark: str) -> str | None:
        """Something is about to pass `mark`: the act that is due there now, else None."""
        with self._lock:
            stage, happened = self.board.stage, self.board.happened
            due = self.faults[happened] if happened < len(self.faults) else None
            since = (ANYWHERE if due is not None and due.stage == ANYWHERE else stage, happened)
            if since != self._since:
                self._since, self._counts = since, {}
            nth = self._counts[mark] = self._counts.get(mark, 0) + 1
            self.trace.append(f"{stage} | {mark} | {nth}")
            if due is None or (mark, nth) != (due.mark, due.nth) or due.stage not in (ANYWHERE, stage):
                return None
            self.board.happened = happened + 1
            return due.act
