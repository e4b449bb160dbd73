"""The words that come with responder: topics per language and markers of speech acts, read once.

They live in `responder/data/topics`, `examples` and `speech.toml`; a shop's rules.toml adds its own to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

import tomli

from responder.core.rules.phrases import Phrase, parse_all
from responder.core.rules.reading import Target
from responder.core.sentences import speech
from responder.model import LANGUAGES, Language

WORD_KINDS: tuple[tuple[str, Literal["asks", "names", "veto", "elsewhere"]], ...] = (
    ("asks", "asks"),
    ("names", "names"),
    ("vetoes", "veto"),
    ("elsewhere", "elsewhere"),
)


@dataclass(frozen=True)
class Shipped:
    """Everything shipped, parsed: lists by name and language, topics as tables, phrases with what finding one means.

    `blockers` are phrases inside which nothing is found.
    """

    words: Mapping[str, Mapping[str, Sequence[str]]]
    topics: Mapping[str, Mapping[str, Any]]
    phrases: tuple[tuple[Phrase, Target], ...]
    blockers: tuple[Phrase, ...]


@lru_cache(maxsize=1)
def shipped() -> Shipped:
    """The shipped words."""
    topics: dict[str, dict[str, Any]] = {name: dict(table) for name, table in _read("topics/kinds.toml").items()}
    words: dict[str, dict[str, Sequence[str]]] = {}
    for language in LANGUAGES:
        data = _read(f"topics/{language}.toml")
        for name, listed in data.pop("words", {}).items():
            words.setdefault(name, {})[language] = listed
        for name, table in data.items():
            topics.setdefault(name, {})[language] = table
        for name, texts in examples(files("responder.data").joinpath("examples"), language).items():
            topics.setdefault(name, {}).setdefault(language, {})["examples"] = texts
    flat = {language: flattened(words, language) for language in LANGUAGES}
    written: dict[Language, list[tuple[str, Target | None]]] = {language: [] for language in LANGUAGES}
    for act in speech():
        target = None if act.name == "blocker" else Target("act", act.name, act.language, act)
        written[act.language] += [(text, target) for text in act.phrases]
    for name, topic in topics.items():
        for language in LANGUAGES:
            for meant, text in _texts(name, language, topic.get(language, {})):
                written[language] += [(each, meant) for each in spread(text, flat[language])]
    phrases: list[tuple[Phrase, Target]] = []
    blockers: list[Phrase] = []
    for language, of_language in written.items():
        parsed = parse_all([text for text, _ in of_language], flat[language], language)
        for phrase, (_, target) in zip(parsed, of_language, strict=True):
            if target is None:
                blockers.append(phrase)
            else:
                phrases.append((phrase, target))
    return Shipped(words, topics, tuple(phrases), tuple(blockers))


def examples(folder: Traversable, language: Language) -> dict[str, list[str]]:
    """The examples per topic from every file of a language (`en.toml`, `en-more.toml`, ...), in the order of names."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.startswith(language) and path.name.endswith(".toml"):
            for topic, table in tomli.loads(path.read_text(encoding="utf-8")).items():
                found.setdefault(topic, []).extend(table["examples"])
    return found


def _read(name: str) -> dict[str, Any]:
    return tomli.loads(files("responder.data").joinpath(name).read_text(encoding="utf-8"))


def _texts(topic: str, language: Language, table: Mapping[str, Sequence[str]]) -> Iterator[tuple[Target, str]]:
    for key, kind in WORD_KINDS:
        for text in table.get(key, ()):
            yield Target(kind, topic, language), text


def flattened(words: Mapping[str, Mapping[str, Sequence[str]]], language: str | None) -> dict[str, Sequence[str]]:
    """Each list as a phrase of `language` sees it: its own and what is for all languages; all of them for None."""
    return {
        name: [
            each for lang, listed in lists.items() if language is None or lang in (language, "all") for each in listed
        ]
        for name, lists in words.items()
    }


def spread(text: str, words: Mapping[str, Sequence[str]]) -> list[str]:
    """A phrase that is nothing but `@list` as the phrases of that list; any other as it is."""
    if text.startswith("@") and text[1:] in words:
        return [each for each in words[text[1:]] if not each.startswith("@")]
    return [text]
