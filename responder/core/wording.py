"""The words staff read: reasons, notes, mistakes and command-line texts by code, in three languages.

A code without words, a placeholder without a value, an unreadable file: none of them raises. A missing text shows
its code, which is better for staff than no note at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import tomli

from responder.errors import Mistake
from responder.model import LANGUAGES, Language, Reason

MESSAGES = Path(__file__).resolve().parent.parent / "data" / "messages"
TABLES = ("reason", "note", "mistake", "cli", "label", "problem")

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT")
# Arguments whose value is a code, and where the words for it stand.
_CODED = {
    "situation": ("label.situation_",),
    "topic": ("label.topic_",),
    "topics": ("label.topic_",),
    "act": ("label.act_",),
    "status": ("label.status_",),
    "role": ("label.role_",),
    "why": ("problem.", "reason."),
    "problems": ("reason.", "problem."),
}
_JOIN: Mapping[Language, tuple[str, str]] = {"ja": ("、", "（{}）"), "en": (", ", " ({})"), "zh": ("，", "（{}）")}


@dataclass(frozen=True)
class Catalog:
    """Texts by language, table and code. Codes may be written with their table (`note.too_old`) or bare."""

    texts: Mapping[Language, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path = MESSAGES) -> Catalog:
        """The catalog of `ja.toml`, `en.toml`, `zh.toml` in a folder. A file that cannot be read counts as empty."""
        texts: dict[Language, Mapping[str, Mapping[str, str]]] = {}
        for language in LANGUAGES:
            try:
                data = tomli.loads((folder / f"{language}.toml").read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError):
                data = {}
            texts[language] = MappingProxyType(
                {
                    table: MappingProxyType({code: text for code, text in entries.items() if isinstance(text, str)})
                    for table, entries in data.items()
                    if isinstance(entries, dict)
                }
            )
        return cls(MappingProxyType(texts))

    def template(self, code: str, language: Language) -> str | None:
        """The text of a code with its placeholders, in the language or else in English, or None."""
        for wanted in dict.fromkeys((language, "en", *LANGUAGES)):
            tables = self.texts.get(wanted, {})
            table, dot, bare = code.partition(".")
            if dot and table in tables and bare in tables[table]:
                return tables[table][bare]
            for name in (*TABLES, *(t for t in tables if t not in TABLES)):
                if code in tables.get(name, {}):
                    return tables[name][code]
        return None

    def has(self, code: str) -> bool:
        """True if at least one language has words for the code."""
        return self.template(code, "en") is not None

    def text(self, code: str, language: Language, /, **args: object) -> str:
        """The words for a code with its values filled in. An unknown code comes back as itself, with its values."""
        pattern = self.template(code, language)
        if pattern is None:
            separator, brackets = _JOIN.get(language, _JOIN["en"])
            values = separator.join(f"{key}={_shown(value)}" for key, value in args.items())
            return code + brackets.format(values) if values else code
        said = {key: self._said(key, _shown(value), language) for key, value in args.items()}
        return _PLACEHOLDER.sub(lambda m: said.get(m[1], m[0]), pattern)

    def _said(self, key: str, value: str, language: Language) -> str:
        """A value as staff call it: codes of situations, topics, states and errors by their words."""
        if key not in _CODED:
            return value
        words = []
        for part in value.split(", "):
            codes = [f"{prefix}{part.replace(' ', '_')}" for prefix in _CODED[key]]
            code = next(filter(self.has, codes), None)
            words.append(self.text(code, language) if code else part)
        return _JOIN.get(language, _JOIN["en"])[0].join(words)

    def reason(self, reason: Reason, language: Language) -> str:
        """The words for a reason. Values that are codes themselves, or moments, are told in words too."""
        code = f"reason.{reason.code}" if self.has(f"reason.{reason.code}") else reason.code
        args = dict(reason.args)
        if reason.code == "fact_changed":
            args |= {key: self._fact(args.get(key, ""), language) for key in ("before", "now")}
            args["name"] = self.label(args.get("name", ""), language)
        return self.text(code, language, **args)

    def _fact(self, value: str, language: Language) -> str:
        if self.has(f"label.value_{value}"):
            return self.text(f"label.value_{value}", language)
        return value[:10] if _MOMENT.match(value) else value

    def mistake(self, mistake: Mistake, language: Language) -> str:
        """One line for staff: file, line, rule or key, what is wrong, and the nearest right word."""
        code = f"mistake.{mistake.code}" if self.has(f"mistake.{mistake.code}") else mistake.code
        words = self.text(code, language, **{"key": mistake.key, **dict(mistake.args)})
        where = f"{mistake.file}:{mistake.line}" if mistake.line else mistake.file
        subject = mistake.key
        if mistake.rule:
            subject = self.text("mistake.in_rule", language, rule=mistake.rule, key=mistake.key)
        hint = ""
        if mistake.suggestion:
            hint = self.text("mistake.did_you_mean", language, suggestion=mistake.suggestion)
        return ": ".join(part for part in (where, subject, words + hint) if part)

    def label(self, name: str, language: Language) -> str:
        """What staff call a field; the field's own name where the catalog has no word for it."""
        return self.text(f"label.{name}", language) if self.has(f"label.{name}") else name


def _shown(value: object) -> str:
    return _UNSEEN.sub("", str(value))
