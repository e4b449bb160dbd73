"""The sample page: one whole letter of each template and language, and below it every other sentence it can hold."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bench.matrix.cells import VARIANTS
from bench.matrix.run import Written
from responder.core.sentences import split

_VALUE = re.compile(
    r"\d+月\d+日（[^）]*）|\w+day, \w+ \d+|#?[\w-]*\d[\w-]*|https://\S+|[\w ]*\((?:EMS|Yamato|Sagawa)\)"
)


@dataclass
class Page:
    """Takes every letter; keeps the first of each template and language, and what the others say beside it."""

    letters: dict[tuple[str, str], Written] = field(default_factory=dict)
    seen: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    others: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, written: Written) -> None:
        """Looks at one letter."""
        assert written.letter is not None
        key = (written.letter.template, written.cell.variant)
        sentences = [written.letter.subject, *split(written.words)]
        if key not in self.letters:
            self.letters[key] = written
            self.seen[key], self.others[key] = {_VALUE.sub("#", each) for each in sentences}, []
            return
        for sentence in sentences:
            shape = _VALUE.sub("#", sentence)
            if shape not in self.seen[key]:
                self.seen[key].add(shape)
                self.others[key].append((sentence, written.cell.name))

    def text(self) -> str:
        """The page, by template and language."""
        order = list(VARIANTS)
        parts = ["Sample letters of every template, with every other sentence they can hold.", ""]
        for key in sorted(self.letters, key=lambda key: (key[0], order.index(key[1]))):
            one = self.letters[key]
            assert one.letter is not None
            parts += ["=" * 100, f"{key[0]} | {one.cell.name}", f"> {one.cell.words.said[key[1]]}", ""]
            parts += [f"Subject: {one.letter.subject}", "", one.words.rstrip(), ""]
            parts += [f"  + {sentence}      [{name}]" for sentence, name in self.others[key]]
            parts.append("")
        return "\n".join(parts) + "\n"
