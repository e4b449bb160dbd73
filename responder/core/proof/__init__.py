"""The last reading of a reply before it leaves: what the channel forbids, what no fact stands behind, what is missing.

Looks at the shop's own words as staff left them, never at what is quoted. Finds and tells; changes nothing.
"""

from responder.core.proof.loading import load_proofreader
from responder.core.proof.phrases import Phrasebook, phrasebook_from
from responder.core.proof.reading import FINDINGS, Finding, Paper, Proofreader, Text

__all__ = [
    "FINDINGS",
    "Finding",
    "Paper",
    "Phrasebook",
    "Proofreader",
    "Text",
    "load_proofreader",
    "phrasebook_from",
]
