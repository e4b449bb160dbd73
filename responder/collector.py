"""When Python looks for garbage: not while rules are loaded, and never among what was loaded.

A loaded pack is some hundred thousand values that stay. Looking through them again and again finds nothing and takes a
quarter of the time of loading.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# A mail makes some hundred values, nearly all of which go by themselves: to look for rings among them every thousand
# values costs a twentieth of the time of understanding it.
OFTEN = (20_000, 10, 10)


@contextmanager
def resting(*, again: bool = False) -> Iterator[None]:
    """Nothing is collected meanwhile, and nothing of what is there afterwards ever. With `again` something was loaded
    before: what it leaves behind is collected once."""
    if again:
        gc.unfreeze()
    gc.disable()
    try:
        yield
    finally:
        gc.set_threshold(*OFTEN)
        if again:
            gc.collect()
        gc.freeze()
        gc.enable()
