"""A channel out of its table, checked whole: every mistake with file, line and the nearest right word."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from typing import Any, get_args

from responder.core.channels.channel import FORBIDDEN, MUST_CONTAIN, Channel, Kind, ReplyMode, Route, compiled
from responder.core.channels.forms import FORM_FIELDS, folded_label
from responder.errors import ConfigError, Mistake
from responder.model import LANGUAGES

Where = Callable[[str], tuple[str, int]]

_PLAIN: Mapping[str, tuple[tuple[type, ...], str]] = {
    "name": ((str,), "string"),
    "title": ((dict,), "table"),
    "clock_h": ((int, float), "number"),
    "clock_weekends": ((bool,), "boolean"),
    "quote_original": ((bool,), "boolean"),
    "allows_links": ((bool,), "boolean"),
    "allows_care": ((bool,), "boolean"),
    "allows_calls": ((bool,), "boolean"),
    "urgent_mark": ((dict,), "table"),
    "unofficial_cancel_counts": ((bool,), "boolean"),
    "cancel_limit_percent": ((int, float), "number"),
    "cancel_limit_days": ((int,), "integer"),
    "cancel_points": ((int,), "integer"),
    "cancel_points_limit": ((int,), "integer"),
    "admin_page": ((str,), "string"),
    "order_page": ((str,), "string"),
}
_LISTS: Mapping[str, Collection[str] | None] = {
    "forbidden": FORBIDDEN,
    "must_contain": MUST_CONTAIN,
    "link_hosts": None,
    "official_cancel_columns": None,
    "official_cancel_words": None,
}
_PATTERNS = ("order_ids", "certain_ids", "subject_frames", "form_ends", "form_senders", "form_senders_at_home")
_ROUTE_KEYS = ("kind", "reply_mode", "senders", "subjects", "bodies", "official_cancel")


def channel_from(table: Mapping[str, Any], where: Where) -> Channel:
    """The channel that a table describes; `where` gives file and line of a dotted key.

    Raises: ConfigError with every mistake in it.
    """
    reader = _Reader(where)
    values: dict[str, Any] = {"name": str(table.get("name", ""))}
    for key, value in table.items():
        if key in _PLAIN:
            values[key] = reader.plain(key, value, *_PLAIN[key])
        elif key in _LISTS:
            values[key] = reader.words(key, value, _LISTS[key])
        elif key in _PATTERNS:
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
            reader.unknown_key(key, key, known_keys())
    for key in ("title", "urgent_mark"):
        for language in values.get(key) or () if isinstance(values.get(key), dict) else ():
            reader.choice(f"{key}.{language}", language, (*LANGUAGES, "zh-hant"))
    if reader.mistakes:
        raise ConfigError(tuple(sorted(reader.mistakes, key=lambda m: (m.file, m.line, m.key))))
    return Channel(**values)


def known_keys() -> tuple[str, ...]:
    """The names that may stand in a channel's file."""
    return tuple(sorted((*_PLAIN, *_LISTS, *_PATTERNS, "reply_mode", "route", "frame", "labels")))


class _Reader:
    """Reads the parts of one channel's table and collects what is wrong with them."""

    def __init__(self, where: Where) -> None:
        self.where = where
        self.mistakes: list[Mistake] = []

    def mistake(self, key: str, code: str, suggestion: str | None = None, **args: str) -> None:
        file, line = self.where(key)
        self.mistakes.append(Mistake(file, line, key, code, tuple(args.items()), suggestion))

    def unknown_key(self, key: str, name: str, known: Collection[str]) -> None:
        self.mistake(key, "unknown_key", _nearest(name, known), found=name, known=", ".join(known))

    def plain(self, key: str, value: Any, types: tuple[type, ...], name: str) -> Any:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            self.mistake(key, f"wrong_type_{name}", found=str(value)[:60])
        elif isinstance(value, int | float) and not isinstance(value, bool) and not 0 < value < 100_000:
            self.mistake(key, "too_small", found=str(value), bound="0")
        return value

    def texts(self, key: str, value: Any) -> tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(text, str) for text in value):
            return tuple(value)
        self.mistake(key, "wrong_type_list", found=str(value)[:60])
        return ()

    def words(self, key: str, value: Any, known: Collection[str] | None) -> tuple[str, ...]:
        found = self.texts(key, value)
        for index, word in enumerate(found):
            if known is not None:
                self.choice(f"{key}[{index}]", word, known)
        return found

    def choice(self, key: str, value: Any, known: Collection[str]) -> Any:
        if value not in known:
            expected = ", ".join(sorted(known))
            self.mistake(key, "bad_choice", _nearest(str(value), known), found=str(value)[:60], expected=expected)
        return value

    def patterns(self, key: str, value: Any) -> Any:
        """One compiled pattern that finds what any of the list finds; None for an empty list."""
        texts = self.texts(key, value)
        for index, text in enumerate(texts):
            try:
                compiled(text)
            except ValueError as exc:
                self.mistake(f"{key}[{index}]", "bad_pattern", found=text, detail=str(exc))
                return None
        return compiled("|".join(f"(?:{text})" for text in texts)) if texts else None

    def frame(self, value: Any) -> tuple[Any, Any] | None:
        if not isinstance(value, dict) or set(value) != {"begin", "end"}:
            self.mistake("frame", "wrong_type_table", found=str(value)[:60])
            return None
        begin, end = self.patterns("frame.begin", value["begin"]), self.patterns("frame.end", value["end"])
        return None if begin is None or end is None else (begin, end)

    def labels(self, value: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        if not isinstance(value, dict):
            self.mistake("labels", "wrong_type_table", found=str(value)[:60])
            return found
        for name, texts in value.items():
            self.choice(f"labels.{name}", name, FORM_FIELDS)
            found |= {folded_label(text): name for text in self.texts(f"labels.{name}", texts)}
        return found

    def routes(self, value: Any) -> tuple[Route, ...]:
        found = []
        if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
            self.mistake("route", "needs_double_brackets", name="route")
            return ()
        for index, table in enumerate(value):
            where = f"route[{index}]"
            values: dict[str, Any] = {}
            for key, inner in table.items():
                if key == "kind":
                    values[key] = self.choice(f"{where}.{key}", inner, get_args(Kind))
                elif key == "reply_mode":
                    values[key] = self.choice(f"{where}.{key}", inner, get_args(ReplyMode))
                elif key == "official_cancel":
                    values[key] = self.plain(f"{where}.{key}", inner, (bool,), "boolean")
                elif key in _ROUTE_KEYS:
                    values[key] = self.patterns(f"{where}.{key}", inner)
                else:
                    self.unknown_key(f"{where}.{key}", key, _ROUTE_KEYS)
            found.append(Route(**values))
        return tuple(found)


def _nearest(word: str, known: Collection[str]) -> str | None:
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None
