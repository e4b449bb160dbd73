"""How plainly the words of a mail ask for something: with a please, beside the order's number, and saying nothing else.

Looks at words alone; what a mail looks like is not asked here.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence

from responder.core.rules.reading import Mention, Reading

# What an `it` may stand for besides the order: what one pays with, what one gets in writing.
POINTED_AT = ("payment", "paid", "receipt")
_NUMBER = re.compile(r"#?(?:[A-Za-z]*-)*[0-9]+(?:-[0-9]+)*")
_UNDOING = frozenset({"undo", "reverse", "revoke"})
_POINTING = ("it", "this", "that", "them", "these", "those", "one")


def asking_for(topics: Container[str], reading: Reading) -> list[Mention]:
    """The words of a mail that ask for one of these topics."""
    return [each for each in reading.mentions if each.topic in topics and each.status == "asked"]


def asks_plainly(topics: Container[str], reading: Reading) -> bool:
    """True where one of these is asked for beside the order's own number, or was proposed by the examples."""
    asked = (mention for name, mention in reading.asked.items() if name in topics)
    return any(mention.likeness is not None or mention.numbered for mention in asked)


def wishes(topics: Container[str], reading: Reading) -> bool:
    """True where a sentence that asks for one of these does so with a question or a please."""
    return any(each.sentence in reading.wishing for each in asking_for(topics, reading))


def saying_nothing_else(topics: Container[str], reading: Reading, part: float) -> list[Mention]:
    """The words that ask for one of these in a sentence of which they are at least this part (0 to 1)."""
    asking = asking_for(topics, reading)
    return [each for each in asking if len(each.words) >= part * _length(reading.sentences[each.sentence].text)]


def _length(text: str) -> int:
    """How many characters a sentence has without its numbers, which name the order and say nothing else."""
    return len(_NUMBER.sub("", text))


def points(mention: Mention) -> bool:
    """True for words that name nothing but an `it` (`cancel this`, `call it off`)."""
    return mention.words.endswith(_POINTING) or " it " in mention.words


def asks_to_undo(asking: Sequence[Mention]) -> bool:
    """True where all that is asked is that an `it` be undone, whatever that is (`please undo it`)."""
    return bool(asking) and all(points(each) and _UNDOING.intersection(each.words.split()) for each in asking)


def pointed_at(asking: Sequence[Mention], reading: Reading) -> str | None:
    """What is spoken of besides, where nobody can tell if the order is what is not wanted (`you sent a payment slip. I
    don't need it any more`)."""
    if not asking or not all(map(points, asking)):
        return None
    return next((name for name in POINTED_AT if name in reading.mentioned), None)
