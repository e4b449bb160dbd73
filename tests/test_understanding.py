"""The labelled mails that everybody may look at: no wrong draft among them, plain or signed and quoted."""

from __future__ import annotations

import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.understanding.corpus import Labelled, judge, load, raw, ready, with_text
from bench.understanding.wrap import SIGNATURES, STYLES, twins
from responder.config import Settings, bare
from responder.model import Decision

# Of the mails that want a draft, at least this share gets the right one. The figures of the day are what
# `python -m bench.understanding` prints; this only keeps an unlucky edit from passing unseen.
RIGHT = 0.95
# The same for mails that were written to be misunderstood, and how many of them may get another draft than the right one.
HARD_RIGHT = 0.7
HARD_WRONG = 0.04
# What an older mail below says: the shop's own words and the buyer's earlier ones, whatever language he writes in.
OLD = (
    "ご注文のキャンセルをお願いします。",
    "キャンセルを承りました。ご返金は3営業日以内です。",
    "商品が割れていました。交換してください。",
    "Please cancel my order 1042.",
    "If you would like to cancel, just reply to this mail.",
    "Where is my parcel? I want my money back.",
    "请取消我的订单，谢谢。",
    "我的快递到哪里了？请改一下地址。",
    "請幫我取消訂單。",
    "",
)
HANGS_S = 2.0


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
def test_no_mail_made_to_be_misunderstood_gets_a_harmful_draft(language: str) -> None:
    """Mails by writers who tried to be misunderstood: believable ones, and clear to a careful reader."""
    judged = [(mail, _decided(mail)) for mail in load("hard") if mail.language == language]
    wrong = [(mail.id, d.situation) for mail, d in judged if _wrong(mail, d)]
    assert [each for each in wrong if "cancel" in each[1]] == []
    assert len(wrong) <= HARD_WRONG * len(judged), wrong
    wanted = [d.action == "draft" and (d.action, d.situation) in m.accepted for m, d in judged if m.wants == "draft"]
    assert sum(wanted) >= HARD_RIGHT * len(wanted)


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


_quiet = st.sampled_from([mail for mail in load("tuning") if mail.wants != "draft"])


@settings(max_examples=120, deadline=None)
@given(_quiet, st.sampled_from(STYLES), st.integers(0, 3), st.lists(st.sampled_from(OLD), min_size=1, max_size=8))
def test_wrapping_never_turns_silence_or_a_hold_into_a_draft(
    mail: Labelled, style: tuple[str, object], signature: int, old: list[str]
) -> None:
    if _decided(mail).action == "draft":  # another outcome that its label accepts
        return
    wrap = dict(STYLES)[style[0]]
    if "\n" in mail.text and mail.headers == {} and any(line.endswith((":", "：")) for line in mail.text.split("\n")):
        return  # a form or a marketplace's frame: nobody quotes below it
    text = wrap(mail.text + SIGNATURES[mail.language][signature], "\n".join(old), mail.language)
    decision = _decided(with_text(mail, text))
    assert decision.action != "draft", (mail.id, style[0], decision.situation)


_PIECES = (
    *OLD,
    "注文番号",
    "1042",
    "> ",
    "\n",
    "\n\n",
    "-- \n",
    "On ... wrote:\n",
    "\ufeff",
    "\u202e",
    "①㈱",
    "😭",
    "a" * 300,
    "キャ",
    "ンセル",
    "，",
    "!?",
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(_mails()),
    st.lists(st.sampled_from(_PIECES) | st.text(max_size=80), max_size=40),
    st.integers(1, 60),
)
def test_no_text_raises_or_takes_for_ever(mail: Labelled, pieces: list[str], times: int) -> None:
    text = "".join(pieces) * times
    start = time.process_time()
    _decided(with_text(mail, text))
    assert time.process_time() - start < HANGS_S
