"""Finds what the signs of a mail weigh: `python -m bench.understanding.weigh [-n]` writes `responder/data/evidence.toml`.

Every visible mail is read by examples that hold nothing of it or of the mails that came with it: who has seen the
answers is surer than who has not. Then one logistic regression for each matter tells what each sign weighs. It needs
scikit-learn (`pip install '.[weigh]'`) and takes some minutes; `-n` prints what it would find and writes nothing. The
matters, the chance they need and the reasons stand in the file and stay as they are.
"""

from __future__ import annotations

import re
import sys
import tomllib
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.understanding.corpus import FOLDER, Labelled, judge, labelled, raw, ready
from responder.config.channels import read_channels
from responder.core.normal import fold_all
from responder.core.rules import Rulebook, compile_pack
from responder.core.rules import shipped as words
from responder.core.rules.compile import proposers
from responder.core.rules.conditions import Case
from responder.core.rules.evidence import Scales, is_doubt, shipped_scales
from responder.core.rules.matters import Matters
from responder.core.rules.signs import signs_of
from responder.model import LANGUAGES, Decision, Language

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "responder" / "data" / "evidence.toml"
VISIBLE = ("tuning", "hard")
FOLDS = 5
# A sign that fewer mails show says nothing.
FEWEST = 20
# How strongly large weights are held down; tried from 0.02 to 0.2 on mails kept apart: all alike.
STRENGTH = 0.05
# A mail that is held counts as so many others: of those the weights are asked.
OF_HELD = 3.0
# Without any weights.
NO_SCALES = Scales(frozenset(), 1.0, 1.0, {})
# An example that shares so many letters with a mail is a piece of it.
PIECE: Mapping[Language, int] = {"en": 40, "ja": 14, "zh": 14}


@dataclass(frozen=True, slots=True)
class Seen:
    """A mail with an order: whether and why a doubt held it, its signs by matter, and the situations of each."""

    mail: Labelled
    fold: int
    held: str
    signs: Mapping[str, Mapping[str, float]]
    situations: Mapping[str, frozenset[str]]

    def wants(self, topic: str) -> bool | None:
        """Whether a draft on the matter is the right one; None where it is one of several."""
        right = [action == "draft" and situation in self.situations[topic] for action, situation in self.mail.accepted]
        return right[0] or (None if any(right) else False)


@dataclass(frozen=True)
class _Watched(Rulebook):
    """Rules that remember what they judged."""

    judged: list[tuple[Case, Decision]] = field(default_factory=list)

    def judge(self, case: Case) -> Decision:
        self.judged.append((case, super().judge(case)))
        return self.judged[-1][1]


def main(arguments: Sequence[str]) -> int:
    """Weighs the signs of all visible mails and writes the weights."""
    scales = shipped_scales()
    seen = [each for language in LANGUAGES for each in held_out(language, scales)]
    tables = {topic: _weighed(topic, seen) for topic in scales.topics}
    if "-n" not in arguments:
        FILE.write_text(_written(FILE.read_text(encoding="utf-8"), tables), encoding="utf-8")
    return 0


def held_out(language: Language, scales: Scales) -> Iterator[Seen]:
    """The visible mails of a language, each fold read without what the examples have of it."""
    channels = read_channels()
    files = sorted(path for part in VISIBLE for path in (FOLDER / part).glob(f"{language}*.jsonl"))
    for fold in range(FOLDS):
        mails = [m for path in files if zlib.crc32(path.stem.encode()) % FOLDS == fold for m in labelled(path)]
        rules = _pack_without([mail.text for mail in mails], language)
        for mail in mails:
            rules.judged.clear()
            decision = judge(ready(raw(mail), mail.orders, channels), rules)
            seen = _seen(mail, fold, decision, rules, scales)
            if seen is not None:
                yield seen


def _seen(mail: Labelled, fold: int, decision: Decision, rules: _Watched, scales: Scales) -> Seen | None:
    """The mail with its signs; None where no rule was asked, no order is known or nothing is read."""
    if not rules.judged:
        return None
    case, held = rules.judged[-1]
    leaning = rules.reader.lean(case.reading)
    if leaning is None or case.order is None or case.order_problem is not None or case.order.status == "cancelled":
        return None
    code = held.reasons[0].code
    kin = {topic: Matters(rules.topics, rules.rules).kin_of(topic) for topic in scales.topics}
    signs = {topic: signs_of(case, own, code, leaning, rules.reader) for topic, own in kin.items()}
    situations = {
        topic: frozenset(rule.situation for rule in rules.rules if rule.action == "draft" and own & rule.asks)
        for topic, own in kin.items()
    }
    doubted = code if is_doubt(decision, rules.rules, scales.held) else ""
    return Seen(mail, fold, doubted, signs, situations)


def _pack_without(texts: Sequence[str], language: Language) -> _Watched:
    """The shipped pack without the examples that hold a piece of these texts, and without any weights: those are what
    is looked for."""
    size, is_ja = PIECE[language], language == "ja"
    known = {piece for text in fold_all(texts, kana=is_ja) for piece in _pieces(text, size)}
    all_of = words.examples

    def without(folder: Any, of: Language) -> dict[str, list[str]]:
        found = all_of(folder, of)
        if of != language:
            return found
        return {
            topic: [
                written
                for written, text in zip(examples, fold_all(examples, kana=is_ja), strict=True)
                if len(text) < size // 2 or known.isdisjoint(_pieces(text, size, step=7))
            ]
            for topic, examples in found.items()
        }

    words.examples = without
    try:
        words.shipped.cache_clear()
        proposers.cache_clear()
        pack = compile_pack(tomllib.loads((ROOT / "rules.toml").read_text(encoding="utf-8")))
        return _Watched(pack.rules, pack.topics, pack.reader, pack.timezone, pack.weighing, NO_SCALES)
    finally:
        words.examples = all_of
        words.shipped.cache_clear()


def _pieces(text: str, size: int, step: int = 1) -> set[str]:
    text = text.replace(" ", "")
    return {text[at : at + size] for at in range(0, max(1, len(text) - size + 1), step)}


def _weighed(topic: str, seen: Sequence[Seen]) -> tuple[float, dict[str, float]]:
    """The base and the weight of every sign; prints what the held out mails say of them."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    counts = Counter(name for each in seen for name in each.signs[topic])
    names = sorted(name for name, count in counts.items() if count >= FEWEST)
    place = {name: number for number, name in enumerate(names)}
    table = np.zeros((len(seen), len(names)))
    for row, each in enumerate(seen):
        for name, value in each.signs[topic].items():
            if name in place:
                table[row, place[name]] = value
    mean, spread = table.mean(axis=0), table.std(axis=0) + 1e-6
    table = (table - mean) / spread
    wants = np.array([each.wants(topic) for each in seen], dtype=object)
    folds = np.array([each.fold for each in seen])
    plain = np.array([each is not None for each in wants])

    codes = np.array([each.held for each in seen])
    held = codes != ""
    counted = np.where(held, OF_HELD, 1.0)

    def learned(rows: Any) -> Any:
        model = LogisticRegression(C=STRENGTH, max_iter=5000)
        return model.fit(table[rows], wants[rows].astype(bool), sample_weight=counted[rows])

    chance = np.zeros(len(seen))
    for fold in range(FOLDS):
        chance[folds == fold] = learned(plain & (folds != fold)).predict_proba(table[folds == fold])[:, 1]
    print(f"{topic}: {len(seen)} mails, {len(names)} signs; of {held.sum()} held ones more would be drafted")
    for least in (0.5, 0.6, 0.7, 0.8, 0.9):
        more = held & (chance >= least)
        right, wrong = (int((more & (wants == each)).sum()) for each in (True, False))
        print(f"  from {least}: {right} right, {wrong} wrong")
    for code in sorted({each.held for each in seen if each.held}):
        more = (chance >= 0.75) & (codes == code)
        print(f"  {code} from 0.75: {(more & (wants == True)).sum()} right, {(more & (wants == False)).sum()} wrong")  # noqa: E712
    model = learned(plain)
    weights = model.coef_[0] / spread
    base = float(model.intercept_[0] - (weights * mean).sum())
    return base, {name: round(float(weights[place[name]]), 3) for name in names}


def _written(text: str, tables: Mapping[str, tuple[float, Mapping[str, float]]]) -> str:
    """The file with these weights in the place of its own."""
    for topic, (base, weights) in tables.items():
        lines = "".join(f'"{name}" = {weight}\n' for name, weight in weights.items() if weight)
        text = re.sub(rf"(?m)(^\[topic\.{topic}\]\n(?:.*\n)*?base = ).*$", rf"\g<1>{base:.3f}", text)
        text = re.sub(
            rf"(?ms)^(\[topic\.{topic}\.signs\]\n).*?(?=^\[|^#|\Z)", lambda m, new=lines: f"{m[1]}{new}\n", text
        )
    return text.rstrip("\n") + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
