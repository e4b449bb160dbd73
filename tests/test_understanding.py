"""The labelled mails that everybody may look at: no wrong draft among them, plain or signed and quoted."""

from __future__ import annotations

from functools import cache

import pytest

from bench.understanding.corpus import Labelled, judge, load, raw, ready
from bench.understanding.wrap import twins
from responder.config import Settings, bare
from responder.model import Decision

# Of the mails that want a draft, at least this share gets the right one. The figures of the day are what
# `python -m bench.understanding` prints; this only keeps an unlucky edit from passing unseen.
RIGHT = 0.95


@cache
def _settings() -> Settings:
    return bare()


@cache
def _mails() -> tuple[Labelled, ...]:
    return tuple(load("tuning"))


def _decided(mail: Labelled) -> Decision:
    settings = _settings()
    return judge(ready(raw(mail), mail.orders, settings.channels), settings.rulebook)


def _wrong(mail: Labelled, decision: Decision) -> bool:
    return decision.action == "draft" and ("draft", decision.situation) not in mail.accepted


@pytest.mark.parametrize("language", ["ja", "en", "zh"])
def test_no_visible_mail_gets_a_wrong_draft(language: str) -> None:
    judged = [(mail, _decided(mail)) for mail in _mails() if mail.language == language]
    assert [(mail.id, d.situation) for mail, d in judged if _wrong(mail, d)] == []
    wanted = [(mail, d) for mail, d in judged if mail.wants == "draft"]
    missed = [mail.id for mail, d in wanted if (d.action, d.situation) not in mail.accepted]
    assert len(missed) <= (1 - RIGHT) * len(wanted), missed


@pytest.mark.parametrize("language", ["ja", "en", "zh"])
def test_no_signature_or_quotation_makes_a_wrong_draft(language: str) -> None:
    """One twin a mail, another client's style each time."""
    wrapped = {
        mail.id: twin.mail
        for number, mail in enumerate(_mails())
        if mail.language == language
        for twin in list(twins(mail, number))[-1:]
    }
    decided = {name: _decided(twin) for name, twin in wrapped.items()}
    assert [(name, d.situation) for name, d in decided.items() if _wrong(wrapped[name], d)] == []
    drafted = [name for name, d in decided.items() if d.action == "draft"]
    plain = {mail.id: mail for mail in _mails()}
    assert [name for name in drafted if _decided(plain[name]).action != "draft"] == []
