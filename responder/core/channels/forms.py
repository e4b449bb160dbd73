"""The fields of a filled-in contact form, whatever its layout: `Name: Hanako`, `【お名前】花子`, `Name:` over `Hanako`.

Labels are data. One pass over the lines; nothing raises.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

FORM_FIELDS = ("name", "mail", "message", "order_id", "subject", "phone")
_MOST_LINES = 1_000
_BULLETS = " \t\u3000■□●○◆◇・*▼▽▪◎※>→-"
_PAIRS = {"【": "】", "[": "]", "<": ">", "「": "」", "『": "』", "〔": "〕"}
_REQUIRED = re.compile(r"[\s(\[【<*]*(?:必須|任意|required|optional|必填)?[\s)\]】>*]*$", re.IGNORECASE)


@lru_cache(maxsize=4_096)
def folded_label(text: str) -> str:
    """A label in the form labels are compared in."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in text if char.isalnum())


@dataclass(frozen=True, slots=True)
class _Label:
    field: str
    style: str
    value: str


def form_fields(text: str, labels: Mapping[str, str], ends: Any = None) -> dict[str, str]:
    """The known fields of a form, by name; the `message` field runs over all its lines.

    `labels` maps folded labels to fields; `ends` is a pattern that a line after the message hits. Labels inside the
    buyer's message are his words unless they look exactly like the form's own and name a field not seen yet.
    """
    found: dict[str, str] = {}
    message: list[str] | None = None
    open_field = style = ""
    for line in text.split("\n", _MOST_LINES)[:_MOST_LINES]:
        if message is not None and ends is not None and ends.search(line.strip()[:200]):
            break
        label = _label(line, labels)
        if label is not None and (message is None or (label.style == style and label.field not in found)):
            if message is not None:
                found["message"] = "\n".join(message).strip()
                message = None
            open_field = label.field
            if label.field == "message":
                if "message" in found:
                    break
                style, message = label.style, [label.value]
                found["message"] = ""
            elif label.value:
                found.setdefault(label.field, label.value)
                open_field = ""
        elif message is not None:
            message.append(line)
        elif open_field and line.strip():
            found.setdefault(open_field, line.strip())
            open_field = ""
    if message is not None:
        found["message"] = "\n".join(message).strip()
    return {name: value for name, value in found.items() if value}


def before_message(text: str, labels: Mapping[str, str]) -> str:
    """The lines above the first label of the message, which the form itself filled in; empty if there is none."""
    lines = text.split("\n", _MOST_LINES)[:_MOST_LINES]
    for at, line in enumerate(lines):
        label = _label(line, labels)
        if label is not None and label.field == "message":
            return "\n".join(lines[:at])
    return ""


def _label(line: str, labels: Mapping[str, str]) -> _Label | None:
    """The known label a line starts with, its style, and what follows it on the line."""
    bare = line.strip(" \t\u3000\r")
    if not bare or len(bare) > 2_000:
        return None
    text = bare.lstrip(_BULLETS)
    bullet = bare[: len(bare) - len(text)].strip()
    if text[:1] in _PAIRS:
        close = text.find(_PAIRS[text[0]], 1, 60)
        if close < 0:
            return None
        name = labels.get(folded_label(_REQUIRED.sub("", text[1:close])))
        value = text[close + 1 :].lstrip(" \t\u3000:：")
        return None if name is None else _Label(name, bullet + text[0], value)
    for mark in (":", "：", "="):
        at = text.find(mark, 1, 60)
        if at > 0:
            name = labels.get(folded_label(_REQUIRED.sub("", text[:at])))
            if name is not None:
                return _Label(name, bullet + ":", text[at + 1 :].strip(" \t\u3000"))
    name = labels.get(folded_label(_REQUIRED.sub("", text))) if len(text) <= 40 else None
    return None if name is None else _Label(name, bullet, "")
