"""What a word like `cancel` is done to: the order, or something that is none of the shop's business.

Looks only where the language itself says what the object is: before を or の in Japanese, behind a determiner in
English (`cancel my ...`), right behind the word in Chinese. Where it says nothing, any object is assumed to be fine.
What stands in the buyer's own order is the shop's business too, by whatever part of its name he calls it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from responder.core.facts import load
from responder.core.rules.phrases import Hit
from responder.model import Language

# The words of `responder/data/objects.toml`, which says what each list is for.
_EN = {name: frozenset(words) for name, words in load("objects")["en"].items()}
_DETERMINERS, _ENDS, _WHICH, _LOOSE = _EN["determiners"], _EN["ends"], _EN["which"], _EN["loose"]
_BOUGHT, _RELATIVE, _ABOUT = _EN["bought"], _EN["relative"], _EN["about"]
_IS, _BETWEEN = _EN["is"], _EN["between"]
_PARTING = {language: tuple(load("objects")[language]["parting"]) for language in ("en", "zh")}
_WHEN = tuple(load("objects")["ja"]["when"])
_HEAD_WORDS = 4
_ITS = re.compile(r"[ !-~]+ ?的 ?(?=[^ ])")
_SHORT_WORD = 3
_HAN = re.compile("[\u4e00-\u9fff]")
_HIRAGANA = re.compile("[\u3041-\u3096]")
_AND = (" and", " &", " then", " also")
_REST_OF_WORD = re.compile(r"\S[a-z]*")
# Words of an item's name that say what it is: Latin ones from this length on, pieces of others from this length on.
_LEAST_WORD = 4
_LEAST_PIECE = 2


def named_among(folded: str, hit: Hit, items: Sequence[str], language: Language) -> bool:
    """True if the words at `hit` are done to one of these items (folded names), or part of its name."""
    match language:
        case "ja":
            before = folded[: hit.start].rstrip()
            tail = before[:-1].rstrip(" )")[-_LEAST_PIECE:] if before.endswith(("を", "の")) else ""
            return len(tail) == _LEAST_PIECE and any(tail in item for item in items)
        case "zh":
            head = folded[hit.end :].lstrip("这那個个件款 ")[:_LEAST_PIECE]
            return len(head) == _LEAST_PIECE and any(head in item for item in items)
        case _:
            behind = folded[hit.end :].split()[: _HEAD_WORDS + 2]
            words = set(itertools.takewhile(lambda word: word not in _ABOUT, behind))
            known = {word for item in items for word in item.split() if len(word) >= _LEAST_WORD}
            return bool(words & known) or bool({f"{word}s" for word in known} & words)


def some_named(texts: Sequence[str], items: Sequence[str]) -> bool:
    """True if these texts name some of the items, but not all of them (folded, as are their names): by a word or piece
    that stands in no other item's name."""
    pieces = [_pieces(item) for item in items]
    named = 0
    for place, own in enumerate(pieces):
        others = set().union(*pieces[:place], *pieces[place + 1 :])
        named += any(piece in text for text in texts for piece in own - others)
    return 0 < named < len(items)


def _pieces(name: str) -> set[str]:
    """What an item may be called by: its Latin words, one or many, and pairs of other characters that are no kana."""
    words = {word for word in name.split() if word.isascii() and word.isalpha() and len(word) >= _SHORT_WORD}
    stems = {word[:-1] if word.endswith("s") else word for word in words}
    pairs = {a + b for a, b in itertools.pairwise(name) if not (a.isascii() or b.isascii() or _HIRAGANA.search(a + b))}
    return {f" {stem}{end} " for stem in stems for end in ("", "s", "es")} | pairs


def comes_with(folded: str, hit: Hit) -> bool:
    """True if the words at `hit` follow an `and`: what is done to something else comes with what is done to the order
    (`drop it and reverse the charge`)."""
    return folded[: hit.start].rstrip().endswith(_AND)


def done_to(folded: str, hit: Hit, objects: Sequence[str], language: Language, *, bare: bool = False) -> bool:
    """False if the sentence says that the words at `hit` are done to something that is none of the `objects`. In
    English it may also say so without a determiner (`cancel express shipping`) or before them (`my shift is cancelled`)
    where `bare`."""
    match language:
        case "ja":
            return _ja(folded[: hit.start], objects)
        case "zh":
            return _zh(folded[hit.end :], objects)
        case _:
            return _en(folded[max(0, hit.end - 1) :], objects) and not (bare and _en_bare(folded, hit, objects))


def done_to_bare(folded: str, hit: Hit, objects: Sequence[str], language: Language) -> bool:
    """True if an English sentence says without a determiner, or before the words at `hit`, that these are done to none
    of the `objects`."""
    return language == "en" and _en_bare(folded, hit, objects)


def may_be_named(item: str, language: Language) -> bool:
    """True if a mail of this language can call an item (folded name) by a word of its name: an English or Chinese buyer
    has other words for what the shop calls `リネンのエプロン`."""
    match language:
        case "ja":
            return True
        case "zh":
            return _HAN.search(item) is not None
        case _:
            return any(len(word) >= _LEAST_WORD and word.isascii() and word.isalpha() for word in item.split())


def speaks_of_parts(folded: str, language: Language) -> bool:
    """True if a text says that some of several things stay, in a language that has other names for them."""
    return any(word in folded for word in _PARTING.get(language, ()))


def _ja(before: str, objects: Sequence[str]) -> bool:
    before = before.rstrip()
    if not before.endswith(("を", "の")):
        return True
    when = _WHEN if before.endswith("の") else ()
    before = before[:-1].rstrip(" )")
    return not before or before[-1].isascii() or before.endswith((*objects, *when))


def _zh(behind: str, objects: Sequence[str]) -> bool:
    # `取消7188的付款`: the payment of an order is not the order.
    owner = _ITS.match(behind)
    if owner is not None:
        return behind.startswith(tuple(objects), owner.end())
    return not behind or behind[0].isascii() or behind.startswith(tuple(objects))


def _en(behind: str, objects: Sequence[str]) -> bool:
    rest = _REST_OF_WORD.match(behind)
    words = behind[rest.end() if rest else 0 :].split()[: _HEAD_WORDS + 4]
    if len(words) < 2 or words[0] not in _DETERMINERS or words[0] in objects:
        return True
    for place, word in enumerate(words[1:], 1):
        following = words[place + 1] if place + 1 < len(words) else ""
        if word in _WHICH and following and following not in _ENDS and not following[0].isdigit():
            continue
        if word in objects or any(c.isdigit() for c in word):
            return True
        if word in _RELATIVE and place > 1 and _BOUGHT.intersection(words[place + 1 : place + 4]):
            return True
        if word in _ENDS:
            # `cancel this please` names no object; `cancel my flight please` does.
            return word == words[1]
        if place == _HEAD_WORDS:
            break
    return False


def _en_bare(folded: str, hit: Hit, objects: Sequence[str]) -> bool:
    start = folded.rfind(" ", 0, max(hit.start + 1, hit.end - 1)) + 1
    word, _, behind = folded[start:].partition(" ")
    if word.endswith("ed"):
        return _is_of_another(folded[:start].split(), objects)
    words = behind.split()[:2]
    if words and words[0] == "of":
        return not _en(f" {behind[3:]}", objects)
    if word.endswith("tion"):
        return False
    if words and words[0] == "me":
        words = words[1:]
    named = not words or words[0] in _DETERMINERS or words[0] in _ENDS or words[0] in _WHICH or words[0] in objects
    if named or words[0] in _LOOSE or words[0].endswith("ly"):
        return False
    return words[0].replace("-", "").isalpha()


def _is_of_another(before: Sequence[str], objects: Sequence[str]) -> bool:
    """True if what stands before `is cancelled` is something that is none of the objects."""
    place = len(before) - 1
    while place >= 0 and before[place] in _BETWEEN:
        place -= 1
    if place < 1 or before[place] not in _IS:
        return False
    while place >= 0 and before[place] in _IS:
        place -= 1
    if place < 1 or before[place] in objects or before[place] in _ENDS or not before[place].replace("-", "").isalpha():
        return False
    return not _DETERMINERS.isdisjoint(before[max(0, place - 3) : place])
