"""The JSON Schema of rules.toml, so that editors complete names and check values while a rule is typed."""

from __future__ import annotations

from typing import Any

from responder.core.rules.conditions import FACTS
from responder.core.rules.pack import SCOPES, SITUATIONS
from responder.core.rules.when import STATUSES
from responder.core.sentences import speech
from responder.model import LANGUAGES

_TEXTS: dict[str, Any] = {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
_NUMBER: dict[str, Any] = {
    "oneOf": [{"type": "number"}, {"type": "string", "pattern": r"^\s*(<=|>=|<|>|==|=|!=)?\s*-?\d+(\.\d+)?\s*$"}]
}
_FLAG: dict[str, Any] = {"type": "boolean"}


def json_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) of a rule pack."""
    per_language = {"type": "object", "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "responder rules.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "words": {
                "type": "object",
                "description": "Named word lists, used as @name in phrases.",
                "additionalProperties": {
                    "oneOf": [_TEXTS, {**per_language, "properties": dict.fromkeys((*LANGUAGES, "all"), _TEXTS)}]
                },
            },
            "topic": {"type": "object", "additionalProperties": _topic(per_language)},
            "examples": {
                "type": "object",
                "additionalProperties": {
                    "oneOf": [_TEXTS, {**per_language, "properties": dict.fromkeys(LANGUAGES, _TEXTS)}]
                },
            },
            "rule": {"type": "array", "items": _rule()},
        },
        "$defs": {"when": _when()},
    }


def _topic(per_language: dict[str, Any]) -> dict[str, Any]:
    acts = {"type": "array", "items": {"enum": _acts()}}
    words = {**per_language, "properties": dict.fromkeys(("asks", "names", "examples", "vetoes", "elsewhere"), _TEXTS)}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "kind": {"enum": ["request", "report"], "description": "Something wanted, or a state of affairs told."},
            "proposed": {
                "oneOf": [_FLAG, {"type": "number", "minimum": 0, "maximum": 1}],
                "description": "The share of likeness to examples that is enough; false: never.",
            },
            "matter": {**_FLAG, "description": "False: no matter of its own (advertising, thanks)."},
            "asked_by": {**acts, "description": "Acts that make a mere name of the topic an ask."},
            "voids": {**acts, "description": "Acts that take a mention out of play."},
            **dict.fromkeys(LANGUAGES, words),
        },
    }


def _acts() -> list[str]:
    return list(dict.fromkeys(act.name for act in speech()))


def _rule() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "situation", "when"],
        "oneOf": [{"required": ["reply"]}, {"required": ["hold"]}, {"required": ["silence"]}],
        "properties": {
            "id": {"type": "string", "description": "The rule's name, once in the file."},
            "situation": {"type": "string", "examples": list(SITUATIONS)},
            "priority": {"type": "integer", "description": "Higher is asked first; 0 if not given. Then file order."},
            "when": {"$ref": "#/$defs/when"},
            "unless": {"$ref": "#/$defs/when"},
            "reply": {"type": "string", "description": "The template of the draft."},
            "hold": {"type": "string", "description": "Why a person must look: a known code or your own words."},
            "silence": {"const": True, "description": "No reply is owed."},
            "deadline": {"oneOf": [{"type": "number"}, {"type": "string"}], "description": "Hours, or '24h', '2d'."},
            "note": {"type": "string", "description": "What staff should do before approving."},
            "covers": {"type": "array", "items": {"type": "string"}, "description": "Topics answered along the way."},
            "fresh": {
                "oneOf": [{"type": "number"}, {"type": "string"}],
                "description": "How old the order data may be: hours, or '24h', '2d'. Older: a person is asked.",
            },
            "needs_order": {**_FLAG, "description": "False: reply without an identified order."},
            "doubt": {**_FLAG, "description": "True: everything else in the mail may outweigh this hold."},
        },
    }


def _when() -> dict[str, Any]:
    nested = {"oneOf": [{"$ref": "#/$defs/when"}, {"type": "array", "items": {"$ref": "#/$defs/when"}}]}
    by_language = {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(LANGUAGES, _TEXTS)}
    says = {"oneOf": [*_TEXTS["oneOf"], by_language]}
    return {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": {
            "asks": {**_TEXTS, "description": "Topics the buyer asks for."},
            "mentions": {**_TEXTS, "description": "Topics spoken of, however they are meant."},
            "says": {**says, "description": "Phrases, or @lists."},
            "like": {**_TEXTS, "description": "Names of [examples]."},
            "acts": {**_TEXTS, "examples": [*_acts(), "cancel conditional"]},
            "subject": {**says, "description": "Phrases in the subject."},
            "scope": {"enum": list(SCOPES), "description": "Where `says` looks; new_text if not given."},
            "sender": {**_TEXTS, "examples": ["*@supplier.example"]},
            "channel": _TEXTS,
            "language": {"oneOf": [{"enum": list(LANGUAGES)}, {"type": "array", "items": {"enum": list(LANGUAGES)}}]},
            "attachments": {"oneOf": [_FLAG, *_NUMBER["oneOf"]]},
            "photos": _FLAG,
            "orders_named": _NUMBER,
            "length": {**_NUMBER, "description": "Characters of new text."},
            "trusted": {**_FLAG, "description": "The receiving server vouches for the sender."},
            "official_cancel": {**_FLAG, "description": "The marketplace's formal cancel request."},
            "sent_before": {
                **_TEXTS,
                "description": "Templates sent to this buyer about this order; * at the end.",
            },
            "policy": {**_TEXTS, "description": "Names the shop has written in [shop.policy], in the mail's language."},
            "time": {"type": "string", "examples": ["18:00-09:00"]},
            "weekday": {**_TEXTS, "examples": ["sat", "土"]},
            "order": {"oneOf": [{"enum": ["before_shipping", "after_shipping", "found", "overdue", "paid"]}, _order()]},
            "all": nested,
            "any": nested,
            "none": nested,
        },
    }


def _order() -> dict[str, Any]:
    fields = {"oneOf": [{"enum": list(FACTS)}, {"type": "array", "items": {"enum": list(FACTS)}}]}
    statuses = {"oneOf": [{"enum": list(STATUSES)}, {"type": "array", "items": {"enum": list(STATUSES)}}]}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "found": {**_FLAG, "description": "One order, the sender's own."},
            "named": {**_FLAG, "description": "Found by the number in the mail."},
            "problem": {**_TEXTS, "description": "Why there is no order to rely on."},
            "status": statuses,
            "before_shipping": _FLAG,
            "after_shipping": _FLAG,
            "paid": _FLAG,
            "some_items": {**_FLAG, "description": "The mail names some of its items, but not all."},
            "overdue": {**_FLAG, "description": "The promised day is over."},
            "days_since_promised": _NUMBER,
            "age_days": {**_NUMBER, "description": "Days since the order."},
            "days_since_shipped": _NUMBER,
            "data_age_h": {**_NUMBER, "description": "Hours since the order data were current."},
            "data_age": {
                "oneOf": [
                    {"type": "string", "examples": ["<= 24h"]},
                    {"type": "object", "propertyNames": {"enum": ["status", *FACTS]}},
                ],
                "description": "Age of the state, or of single facts: { tracking_no = '<= 2d' }.",
            },
            "amount": _NUMBER,
            "items": {**_NUMBER, "description": "Pieces in the order."},
            "payment": {**_TEXTS, "description": "Words of the payment method."},
            "channel": _TEXTS,
            "currency": {**_TEXTS, "examples": ["JPY"]},
            "has": {**fields, "description": "Facts that are known."},
            "lacks": {**fields, "description": "Facts that are not known."},
            "columns": {"type": "object", "description": "Your own columns: value, 'a*' or '>= 3'."},
        },
    }
