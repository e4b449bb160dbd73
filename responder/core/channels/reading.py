"""Channels from their data files, checked whole; the shop's own files are laid over the product's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import tomli

from responder.core.channels.channel import Channel, Kind, ReplyMode, Route, compiled
from responder.core.channels.forms import FORM_FIELDS, folded_label
from responder.errors import ConfigError, Mistake


def load_channels(paths: Iterable[Path]) -> tuple[Channel, ...]:
    """The channels of those files. Files of the same `name` are laid over each other, the later on top.

    Raises: ConfigError with every mistake in them.
    """
    tables: dict[str, tuple[str, dict[str, Any]]] = {}
    mistakes: list[Mistake] = []
    for path in paths:
        try:
            data = tomli.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as exc:
            mistakes.append(Mistake(str(path), 0, "", "file_unreadable", (("detail", type(exc).__name__),)))
        except tomli.TOMLDecodeError as exc:
            args = (("detail", exc.msg), ("column", str(exc.colno)))
            mistakes.append(Mistake(str(path), exc.lineno, "", "toml_syntax", args))
        else:
            name = data.get("name", path.stem)
            tables[str(name)] = (str(path), {**tables.get(str(name), ("", {}))[1], **data, "name": str(name)})
    channels = []
    for file, table in tables.values():
        try:
            channels.append(channel_from(table, file))
        except ConfigError as exc:
            mistakes += exc.mistakes
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return tuple(channels)


_PLAIN_KEYS: Mapping[str, type | tuple[type, ...]] = {
    "name": str,
    "title": dict,
    "clock_h": (int, float),
    "clock_weekends": bool,
    "quote_original": bool,
    "allows_links": bool,
    "cancel_limit_percent": (int, float),
    "cancel_limit_days": int,
    "admin_page": str,
}
_LIST_KEYS = ("official_cancel_columns", "link_hosts")
# What a channel may forbid or demand; `core.proof` finds these in a reply.
FORBIDDEN = (
    "link", "mail_addresses", "phone", "postal_address", "social_id", "coupon", "advertising", "review_request",
    "review_bait", "other_shop", "unsolicited_offer", "ask_to_cancel", "emoji",
)  # fmt: skip
_CHOICE_KEYS: Mapping[str, Sequence[str]] = {"forbidden": FORBIDDEN, "must_contain": ("order_id",)}
_PATTERN_KEYS = ("order_ids", "certain_ids", "official_cancel", "form_ends", "form_senders", "form_senders_at_home")
_OTHER_KEYS = ("reply_mode", "route", "frame", "labels")


def channel_from(table: Mapping[str, Any], file: str = "") -> Channel:
    """The channel that a table describes.

    Raises: ConfigError with every mistake in it.
    """
    reader = _Reader(file)
    values: dict[str, Any] = {"name": str(table.get("name", ""))}
    for key, value in table.items():
        if key in _PLAIN_KEYS:
            if not isinstance(value, _PLAIN_KEYS[key]):
                reader.mistake(key, "wrong_type", found=str(value))
            values[key] = value
        elif key in _LIST_KEYS:
            values[key] = reader.texts(key, value)
        elif key in _CHOICE_KEYS:
            values[key] = tuple(reader.choice(key, text, _CHOICE_KEYS[key]) for text in reader.texts(key, value))
        elif key in _PATTERN_KEYS:
            values[key] = reader.patterns(key, value)
        elif key == "reply_mode":
            values[key] = reader.choice(key, value, get_args(ReplyMode))
        elif key == "frame":
            values[key] = reader.frame(value)
        elif key == "labels":
            values[key] = reader.labels(value)
        elif key == "route":
            values["routes"] = reader.routes(value)
        else:
            reader.mistake(key, "unknown_key", found=key, known=", ".join(sorted(known_keys())))
    if reader.mistakes:
        raise ConfigError(tuple(reader.mistakes))
    return Channel(**values)


def known_keys() -> frozenset[str]:
    """The names that may stand in a channel's file."""
    return frozenset((*_PLAIN_KEYS, *_LIST_KEYS, *_CHOICE_KEYS, *_PATTERN_KEYS, *_OTHER_KEYS))


class _Reader:
    """Reads the parts of one channel's table and collects what is wrong with them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[Mistake] = []

    def mistake(self, key: str, code: str, **args: str) -> None:
        self.mistakes.append(Mistake(self.file, 0, key, code, tuple(args.items())))

    def texts(self, key: str, value: Any) -> tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(text, str) for text in value):
            return tuple(value)
        self.mistake(key, "wrong_type_list", found=str(value)[:60])
        return ()

    def choice(self, key: str, value: Any, known: Sequence[str]) -> Any:
        if value not in known:
            self.mistake(key, "bad_choice", found=str(value)[:60], expected=", ".join(known))
        return value

    def patterns(self, key: str, value: Any) -> Any:
        """One compiled pattern that finds what any of the list finds; None for an empty list."""
        texts = self.texts(key, value)
        for text in texts:
            try:
                compiled(text)
            except ValueError as exc:
                self.mistake(key, "bad_pattern", found=text, detail=str(exc))
                return None
        return compiled("|".join(f"(?:{text})" for text in texts)) if texts else None

    def frame(self, value: Any) -> tuple[Any, Any] | None:
        if not isinstance(value, dict) or set(value) != {"begin", "end"}:
            self.mistake("frame", "wrong_type_table", found=str(value)[:60])
            return None
        return self.patterns("frame.begin", value["begin"]), self.patterns("frame.end", value["end"])

    def labels(self, value: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, texts in (value if isinstance(value, dict) else {}).items():
            self.choice(f"labels.{name}", name, FORM_FIELDS)
            found |= {folded_label(text): name for text in self.texts(f"labels.{name}", texts)}
        return found

    def routes(self, value: Any) -> tuple[Route, ...]:
        found = []
        for index, table in enumerate(value if isinstance(value, list) else ()):
            where = f"route[{index}]"
            values: dict[str, Any] = {}
            for key, inner in table.items():
                if key == "kind":
                    values[key] = self.choice(f"{where}.{key}", inner, get_args(Kind))
                elif key == "reply_mode":
                    values[key] = self.choice(f"{where}.{key}", inner, get_args(ReplyMode))
                elif key in ("senders", "subjects", "bodies"):
                    values[key] = self.patterns(f"{where}.{key}", inner)
                else:
                    self.mistake(f"{where}.{key}", "unknown_key", found=key, known=", ".join(_names(Route)))
            found.append(Route(**values))
        return tuple(found)


def _names(cls: Any) -> list[str]:
    return [one.name for one in fields(cls)]
