"""Decides and writes a cell as the program does, and keeps what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bench.matrix.cells import NOW, POLICIES, SHOP, TOKYO, Cell, Shop
from responder.config import Settings
from responder.core.blanks import own_words
from responder.core.compose import compose
from responder.core.rules.conditions import Case
from responder.core.rules.reading import Reading
from responder.model import Decision, Letter


@dataclass(frozen=True, slots=True)
class Written:
    """A cell with its decision and, where one is owed, its letter; `words` are the shop's own in it."""

    cell: Cell
    decision: Decision
    letter: Letter | None
    words: str = ""


@dataclass
class Press:
    """Turns cells into letters. What a mail says is read once, whatever its order."""

    settings: Settings
    readings: dict[tuple[str, str, str], Reading] = field(default_factory=dict)

    def write(self, cell: Cell) -> Written:
        """What the program makes of this cell."""
        message, order = cell.message(), cell.order()
        key = (cell.words.key, cell.variant, message.subject)
        if key not in self.readings:
            self.readings[key] = self.settings.rulebook.read(message)
        policy = POLICIES[cell.policy]
        about = frozenset({order.order_id if order is not None else ""})
        case = Case(
            message=message,
            reading=self.readings[key],
            channel=cell.channel.name,
            now=NOW,
            order=order,
            order_problem=None if order is not None else "order_not_found",
            timezone=TOKYO,
            official_cancel=cell.place.is_official_cancel(order),
            sent_before=dict.fromkeys(cell.words.sent_before, about),
            policy=policy,
        )
        decision = self.settings.rulebook.judge(case)
        if decision.action != "draft":
            return Written(cell, decision, None)
        letter = compose(
            decision,
            message,
            identity=SHOP,
            shop=Shop(policy=policy),
            channel=cell.place,
            templates=self.settings.templates,
            now=NOW,
        )
        return Written(cell, decision, letter, own_words(letter.text))

    def write_all(self, cells: Iterable[Cell]) -> Iterator[Written]:
        """All of them, in order."""
        return map(self.write, cells)
