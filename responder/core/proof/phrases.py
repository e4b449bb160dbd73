"""The phrases the check looks for, by finding and language, and where they stand in a sentence.

A place where an `unless` phrase of the same finding overlaps is harmless: 「発送いたしました」 is a claim,
「発送いたしましたら」 is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from responder.core.normal import fold
from responder.core.rules.phrases import Hit, Matcher, PhraseError, parse
from responder.core.sentences import language_of
from responder.errors import ConfigError, Mistake
from responder.model import LANGUAGES, Language

KEYS = ("says", "unless", "bare")


@dataclass(frozen=True)
class Phrasebook:
    """All phrases as one matcher; `bare` are the subjects, folded, that say nothing."""

    matcher: Matcher
    targets: Mapping[int, tuple[tuple[str, str, Language], ...]]
    bare: frozenset[str] = frozenset()
    _seen: dict[tuple[str, Language], frozenset[str]] = field(default_factory=dict, compare=False, repr=False)

    def found_in(self, sentence: str, default: Language) -> frozenset[str]:
        """The findings whose phrases stand in the sentence; `default` is the language of a text without kana."""
        language = language_of(sentence, default)
        key = (sentence, language)
        found = self._seen.get(key)
        if found is None:
            if len(self._seen) > 20_000:
                self._seen.clear()
            found = self._seen[key] = self._find(sentence, language)
        return found

    def _find(self, sentence: str, language: Language) -> frozenset[str]:
        (hits,) = self.matcher.scan([fold(sentence, kana=language == "ja")], [sentence])
        places: dict[str, tuple[list[Hit], list[Hit]]] = {}
        for hit in hits:
            for kind, role, of in self.targets[hit.phrase]:
                if of == language:
                    places.setdefault(kind, ([], []))[role == "unless"].append(hit)
        return frozenset(
            kind
            for kind, (says, unless) in places.items()
            if any(not any(a.start < b.end and b.start < a.end for b in unless) for a in says)
        )

    def says_nothing(self, subject: str) -> bool:
        """True for a subject that is nothing but a word like "important"."""
        return fold(subject).strip(" ,") in self.bare or fold(subject, kana=True).strip(" ,") in self.bare


def phrasebook_from(tables: Sequence[tuple[str, Mapping[str, Any]]], known: Sequence[str]) -> Phrasebook:
    """The phrases of several files, each (name of the file, its data), put together; `known` are the findings that
    may be named.

    Raises: ConfigError with every mistake.
    """
    mistakes: list[Mistake] = []
    matcher = Matcher()
    targets: dict[int, tuple[tuple[str, str, Language], ...]] = {}
    bare: set[str] = set()
    for file, data in tables:
        for kind, languages in data.items():
            if kind not in known or not isinstance(languages, Mapping):
                args = (("found", str(kind)), ("known", ", ".join(known)))
                mistakes.append(Mistake(file, 0, kind, "unknown_key", args))
                continue
            for language, lists in languages.items():
                key = f"{kind}.{language}"
                if language not in LANGUAGES or not isinstance(lists, Mapping):
                    args = (("found", str(language)), ("known", ", ".join(LANGUAGES)))
                    mistakes.append(Mistake(file, 0, key, "unknown_key", args))
                    continue
                for role, texts in lists.items():
                    mistakes += _add(matcher, targets, bare, kind, language, role, texts, (file, f"{key}.{role}"))
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return Phrasebook(matcher.ready(), targets, frozenset(bare))


def _add(
    matcher: Matcher,
    targets: dict[int, tuple[tuple[str, str, Language], ...]],
    bare: set[str],
    kind: str,
    language: Language,
    role: str,
    texts: object,
    where: tuple[str, str],
) -> list[Mistake]:
    file, key = where
    if role not in KEYS:
        return [Mistake(file, 0, key, "unknown_key", (("found", role), ("known", ", ".join(KEYS))))]
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return [Mistake(file, 0, key, "wrong_type_list", (("found", str(texts)[:60]),))]
    if role == "bare":
        bare.update(fold(text, kana=language == "ja").strip(" ,") for text in texts)
        return []
    mistakes = []
    for text in texts:
        try:
            number = matcher.add(parse(text, {}, language))
        except PhraseError as exc:
            mistakes.append(Mistake(file, 0, key, exc.code, exc.args_))
        else:
            targets[number] = ((kind, role, language),)
    return mistakes
