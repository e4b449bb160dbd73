"""What somebody wrote now, apart from what he quotes and how he signs.

Works line by line. A quotation is known by its prefix (`>`), by the line above it ("On ... wrote:", "…は書きました:",
"…写道：") or by a header block or divider, with or without a rule (Outlook, Apple Mail, QQ, Foxmail, Becky!, Japanese
phones). Prefixed lines end where the prefix ends, so answers between and below them stay new; an unprefixed quotation
lasts to the end of the mail. The words stand in `data/quotes.toml`. Linear in the length of the text; nothing raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from responder.core.newtext.quotations import quoted_lines
from responder.core.newtext.signatures import unsigned

MAX_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Split:
    """A mail's text in three parts, each with its own line order kept."""

    new: str
    quoted: str
    signature: str


def split(text: str) -> Split:
    """The parts of a mail's visible text. `new` is empty only where all of it is quoted, forwarded or signature.

    Nobody types more than `MAX_LINES` lines: what lies beyond counts as quoted.
    """
    lines = text.replace("\u00a0", " ").split("\n", MAX_LINES)
    beyond = lines.pop() if len(lines) > MAX_LINES else ""
    kinds = quoted_lines(lines)
    new: list[list[str]] = []
    signature: list[str] = []
    quoted: list[str] = []
    for is_quoted, begin, end in _runs(lines, kinds):
        if is_quoted:
            quoted.extend(lines[begin:end])
            continue
        kept, signed = unsigned(lines[begin:end])
        signature.extend(signed)
        if any(kept):
            new.append(kept)
    if beyond:
        quoted.append(beyond)
    return Split("\n\n".join(_joined(part) for part in new), _joined(quoted), _joined(signature))


def _runs(lines: Sequence[str], quoted: Sequence[bool]) -> list[tuple[bool, int, int]]:
    """The stretches of lines of one kind; blank lines belong to what is above them."""
    runs: list[tuple[bool, int, int]] = []
    begin = 0
    for at in range(1, len(lines)):
        if quoted[at] != quoted[begin] and lines[at].strip():
            runs.append((quoted[begin], begin, at))
            begin = at
    runs.append((quoted[begin], begin, len(lines)))
    return runs


def _joined(lines: Sequence[str]) -> str:
    """Lines as a text without blank edges, never more than one blank line in a row."""
    out: list[str] = []
    for line in lines:
        line = line.rstrip()
        if line or (out and out[-1]):
            out.append(line)
    return "\n".join(out).strip("\n")
