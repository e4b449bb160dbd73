"""The check with its phrases and facts, read from the files that ship with the product and the shop's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from responder.core.data_files import DATA, read_tables
from responder.core.proof.phrases import Phrasebook, phrasebook_from
from responder.core.proof.reading import PHRASE_TABLES, Proofreader
from responder.core.refunds import Refunds
from responder.core.tracking import Carrier
from responder.errors import ConfigError, Mistake

_known: dict[tuple[tuple[str, str], ...], Phrasebook] = {}


def load_proofreader(
    data: Sequence[Path] = (), *, refunds: Refunds | None = None, carriers: Mapping[str, Carrier] | None = None
) -> Proofreader:
    """The check; the phrases of `proof.toml` in the folders of `data` go beside the shipped ones.

    Raises: ConfigError with every mistake in those files.
    """
    mistakes: list[Mistake] = []
    tables = read_tables([*data, DATA], "proof", mistakes)
    book: Phrasebook | None = None
    key = tuple((str(path), repr(table)) for path, table in tables)
    try:
        book = _known.get(key) or phrasebook_from([(str(path), table) for path, table in tables], PHRASE_TABLES)
    except ConfigError as exc:
        mistakes += exc.mistakes
    if mistakes or book is None:
        raise ConfigError(tuple(mistakes))
    _known.clear()
    _known[key] = book
    return Proofreader(book, refunds or Refunds(), carriers or {})
