"""What is due, as staff read it: one line for each case that waits for them, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from responder.core.clocks import Waits, waits_for
from responder.core.dates import day_of, written
from responder.core.wording import Catalog
from responder.model import CaseFile, Language

MOST_LINES = 40


@dataclass(frozen=True, slots=True)
class Due:
    """One open case that waits: by when it is due (None: no clock), what it is about, and for whom it waits."""

    case_id: str
    deadline_at: datetime | None
    order_id: str | None
    buyer: str
    channel: str
    situation: str
    waits: Waits

    def is_late(self, now: datetime) -> bool:
        """The deadline is over."""
        return self.deadline_at is not None and self.deadline_at <= now


def due_of(file: CaseFile) -> Due | None:
    """The case as something that is due, or None if nothing of it waits."""
    waits = waits_for(file)
    if waits == "nothing":
        return None
    case = file.case
    said = [one.situation for one in file.mails if one.situation and not one.answered]
    situation = file.drafts[-1].situation if waits != "person" and file.drafts else (said[-1] if said else "other")
    return Due(case.id, case.deadline_at, case.order_id, case.buyer.lstrip("?"), case.channel, situation, waits)


def all_due(files: Iterable[CaseFile]) -> list[Due]:
    """Everything that waits, by its deadline."""
    found = [one for file in files if (one := due_of(file)) is not None]
    return sorted(found, key=lambda one: (one.deadline_at is None, one.deadline_at, one.case_id))


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom and when lines are written; `titles` are what staff call the channels."""

    wording: Catalog
    language: Language
    timezone: tzinfo
    now: datetime
    titles: Mapping[str, str]

    def text(self, code: str, **args: object) -> str:
        """Words of the catalog."""
        return self.wording.text(code, self.language, **args)

    def when(self, at: datetime) -> str:
        """A day and a time of day where the shop is."""
        here = at.astimezone(self.timezone)
        day = written(here.date(), self.language, day_of(self.now, self.timezone))
        return f"{day} {here:%H:%M}"

    def line(self, due: Due, state: str = "") -> str:
        """One case in one line. `state` names another word for what it waits for."""
        channel = self.titles.get(due.channel, due.channel)
        name = "due_order" if due.order_id else "due_buyer"
        about = self.text(f"label.{name}", order=due.order_id or "", buyer=due.buyer, channel=channel)
        by = "due_line" if due.deadline_at is not None else "due_line_no_clock"
        return self.text(
            f"label.{by}",
            when=self.when(due.deadline_at) if due.deadline_at is not None else "",
            about=about,
            situation=due.situation,
            state=self.text(f"label.due_{state or due.waits}", channel=channel),
        )

    def section(self, title: str, lines: Sequence[str]) -> list[str]:
        """Lines below a heading, no more than anybody reads; nothing at all where there are none."""
        if not lines:
            return []
        more = len(lines) - MOST_LINES
        rest = [self.text("label.due_more", count=more)] if more > 0 else []
        return ["", self.text(f"label.{title}", count=len(lines)), *[f"- {one}" for one in lines[:MOST_LINES]], *rest]


def digest(found: Sequence[Due], reader: Reader, until: datetime) -> tuple[list[str], dict[str, int]]:
    """The morning mail: what is late, what is due before `until` (the next one), what else waits for staff; and how
    many of each."""
    late = [one for one in found if one.is_late(reader.now)]
    today = [one for one in found if one not in late and one.deadline_at is not None and one.deadline_at <= until]
    others = [one for one in found if one not in late and one not in today]
    drafts = [one for one in others if one.waits == "draft"]
    held = [one for one in others if one.waits == "person"]
    lines: list[str] = []
    for title, some in (("due_late", late), ("due_today", today), ("due_drafts", drafts), ("due_held", held)):
        lines += reader.section(title, [reader.line(one) for one in some])
    counts = {"late": len(late), "today": len(today)}
    counts["drafts"] = sum(one.waits == "draft" for one in found)
    counts["held"] = sum(one.waits == "person" for one in found)
    return lines, counts
