"""What a mail shows of one matter: every sign that reading found for or against it, as numbers under a name.

A sign is an act, a topic asked for or spoken of, what vetoes it, or how like the matter's examples the mail and its
sentences are. None of them decides by itself; `evidence` weighs them together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Set

from responder.core.rules.conditions import Case, is_unpaid
from responder.core.rules.examples import Leaning
from responder.core.rules.matters import TALK, THANKS
from responder.core.rules.reading import Mention, Reader, Reading

# Acts of a sentence that does not simply say what is wished.
_UNPLAIN = frozenset(
    {"conditional", "past", "done", "negated", "settled", "withdrawn", "undecided", "policy_question", "question"}
)
# What is no other matter: it stands around any.
_AROUND = frozenset({TALK, THANKS, "question"})
# What is weighed for each language by itself as well.
_BY_LANGUAGE = ("like", "a wish", "a plain sentence")
# A share this close to 0 or 1 is as good as that.
_LEAST = 1e-3
# What is said three times is not thrice as true.
_MOST = 2.0


def signs_of(case: Case, own: Set[str], code: str, leaning: Leaning, reader: Reader) -> dict[str, float]:
    """The signs of a case for the topics that are its `own`. `code` is why no draft was made of it.

    Likeness is told in log-odds (about -7 to 7), what is there or not as 1, what may stand there twice as 1 or 2.
    """
    reading = case.reading
    signs = dict(_likeness(leaning, own))
    signs |= _sentences(reading, own, reader)
    # In each language likeness comes true as often as its examples are many.
    signs |= {f"{name} ({leaning.language})": signs[name] for name in _BY_LANGUAGE}
    signs[f"in {leaning.language}"] = 1.0
    for mention in reading.mentions:
        for name in _spoken(mention, own):
            signs[name] = min(_MOST, signs.get(name, 0.0) + 1)
    signs |= dict.fromkeys((f"asks {topic}" for topic in reading.asked), 1.0)
    signs |= dict.fromkeys((f"act {act}" for act in reading.acts), 1.0)
    signs |= dict.fromkeys((f"elsewhere {topic}" for topic in reading.elsewhere), 1.0)
    signs |= dict.fromkeys((f"veto {topic}" for topic in reading.vetoed), 1.0)
    signs |= dict.fromkeys(_facts(case), 1.0)
    signs[f"held {code}"] = 1.0
    return signs


def log_odds(share: float) -> float:
    """A share (0 to 1) as the logarithm of its odds."""
    return math.log((share + _LEAST) / (1 - share + _LEAST))


def _likeness(leaning: Leaning, own: Set[str]) -> Iterator[tuple[str, float]]:
    """What the whole mail is like."""
    yield "like", log_odds(leaning.share_of(own))
    yield "like talk", log_odds(leaning.shares.get(TALK, 0.0))
    for topic, share in leaning.shares.items():
        if topic not in own and topic != TALK:
            yield f"like {topic}", min(1.0, 4 * share)
    yield "length", math.log(1 + leaning.count)


def _sentences(reading: Reading, own: Set[str], reader: Reader) -> dict[str, float]:
    """What its sentences are like, each by itself: the likest, the likest that wishes or simply says something."""
    alone = [reader.lean(reading, only=number) for number in range(len(reading.sentences))]
    like = [each.share_of(own) if each is not None else 0.0 for each in alone]
    others = [_other(each, own) if each is not None else 0.0 for each in alone]
    plain = [n for n, each in enumerate(reading.sentences) if _UNPLAIN.isdisjoint(each.acts)]
    wishing = sorted(reading.wishing)
    spoken = {m.sentence for m in reading.mentions if m.topic in own and m.status in ("asked", "mentioned")}
    found = {
        "a sentence": _top(like),
        "a wish": _top(like[n] for n in wishing),
        "a plain sentence": _top(like[n] for n in plain),
        "the end": _top(like[-3:]),
        "talk": _top(each.shares.get(TALK, 0.0) for each in alone if each is not None),
        "another wish": _top(others[n] for n in wishing),
        "sentences": float(min(4, sum(share > 0.8 for share in like))),
        "wishes": float(min(3, len(wishing))),
    }
    if spoken:
        found["spoken of"] = _top(like[n] for n in spoken)
    return found


def _other(alone: Leaning, own: Set[str]) -> float:
    return max((share for name, share in alone.shares.items() if name not in own | _AROUND), default=0.0)


def _top(shares: Iterable[float]) -> float:
    return log_odds(max(shares, default=0.0))


def _spoken(mention: Mention, own: Set[str]) -> Iterator[str]:
    if mention.topic in own:
        yield f"said {mention.status}"
        if mention.numbered:
            yield "said of the order"
    elif mention.status in ("asked", "mentioned"):
        yield f"speaks of {mention.topic}"


def _facts(case: Case) -> Iterator[str]:
    if case.reading.is_of_part:
        yield "of a part"
    if not case.reading.wishing:
        yield "no wish"
    if case.order is not None and case.order.is_shipped:
        yield "shipped"
    if is_unpaid(case):
        yield "unpaid"
