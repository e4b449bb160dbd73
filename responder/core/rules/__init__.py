"""Rules: a pack read from data, and what it makes of a mail. Pure; the same pack judges explain, replay and run."""

from responder.core.rules.compile import compile_pack
from responder.core.rules.conditions import Case
from responder.core.rules.rulebook import Rulebook
from responder.core.rules.schema import json_schema

__all__ = ["Case", "Rulebook", "compile_pack", "json_schema"]
