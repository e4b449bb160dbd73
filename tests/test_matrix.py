"""A part of the matrix: situations x languages x channels x order states x payments, decided, written, checked.

`python -m bench.matrix` runs all of it.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

from bench.matrix.cells import SITUATIONS, VARIANTS, Cell, some
from bench.matrix.checks import wrong
from bench.matrix.must import MUST
from bench.matrix.run import Press, Written
from responder.config import Settings, bare
from responder.core.templates import VARIANTS as FOLDERS

SEED = 20261120


@cache
def settings() -> Settings:
    return bare()


@cache
def written() -> tuple[Written, ...]:
    return tuple(Press(settings()).write_all(some(settings().channels, SEED)))


def test_every_text_is_true_complete_and_allowed() -> None:
    faults: Counter[str] = Counter()
    for one in written():
        faults.update(f"{fault} -- {one.cell.name}" for fault in wrong(one, settings()))
    assert faults == Counter()


def test_the_part_touches_every_template_and_language() -> None:
    seen = {(one.letter.template, one.cell.variant) for one in written() if one.letter is not None}
    missing = {(name, variant) for name in MUST for variant in VARIANTS} - seen
    assert missing == set()
    assert set(VARIANTS) == set(FOLDERS)


def test_what_is_for_a_person_or_needs_no_answer_gets_no_draft() -> None:
    quiet = {"do not cancel", "stock", "thanks", "not understood"}
    assert all(one.letter is None for one in written() if one.cell.words.key in quiet)
    assert quiet <= {words.key for words in SITUATIONS}


def test_the_checks_of_the_matrix_find_what_they_look_for() -> None:
    """A check that never fails proves nothing: each is shown a letter with its fault."""
    one = next(
        w for w in written() if w.letter is not None and w.letter.template == "cancel_before_ship" and is_plain(w.cell)
    )
    order = one.decision.order
    assert order is not None
    for change, fault in (
        (lambda t: t + "\n\nなお、商品は発送いたしました。", "claim_shipped"),
        (lambda t: t.replace(order.order_id, "X"), "no order number in the text"),
        (lambda t: t.replace("承りました", "了解しました"), "does not say: the cancel is accepted"),
        (lambda t: t + "\n\n了解しました。", "manners: 了解"),
        (lambda t: t + "\n\n感谢您的来信，我们会尽快给您答复。", "language"),
        (lambda t: t + "\n\nお名前: {{ buyer.name }}", "leftover"),
        (lambda t: t + "\n\n\n余白", "two empty lines"),
    ):
        changed = Written(one.cell, one.decision, one.letter, change(one.words))
        assert any(found.startswith(fault) for found in wrong(changed, settings())), (fault, wrong(changed, settings()))


def is_plain(cell: Cell) -> bool:
    return cell.variant == "ja" and cell.words.key == "cancel" and cell.state.key == "paid"
