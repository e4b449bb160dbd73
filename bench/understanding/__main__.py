"""How well mails are understood: `python -m bench.understanding [tuning|heldback|hard] [-v]`.

Prints, by language and by situation, how many mails got what a careful clerk would do, the same for wrapped twins
(signed, with the shop's mail quoted below), and the time per mail. Exits 1 on any harmful draft.

`tuning` and `hard` may be looked at; the latter were written to be misunderstood. `heldback` is looked at by nobody.

right     of the mails that want a draft: the right draft
wrong     of all mails: a draft that is not right; harmful: such a draft that speaks of cancelling
silent    of machines' mail, spam, thanks and others that want no answer: no draft
person    of the mails for a person: no draft
"""

from __future__ import annotations

import gc
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.understanding.corpus import Labelled, judge, load, raw, ready
from bench.understanding.wrap import twins
from responder.config.channels import read_channels
from responder.core.channels import Channel
from responder.core.rules import Rulebook, compile_pack
from responder.model import Decision

ROOT = Path(__file__).resolve().parents[2]
CORE = ("cancel_before_ship", "cancel_after_ship", "where_is_order")
SILENT = ("auto_reply", "spam", "thanks_only", "other")


@dataclass(frozen=True, slots=True)
class Judged:
    """A mail with what became of it."""

    mail: Labelled
    decision: Decision
    style: str = "plain"

    @property
    def kind(self) -> str:
        """`right`, `missed`, `wrong`, `harmful` for a draft wanted or made; `quiet` where none was wanted or made."""
        got = (self.decision.action, self.decision.situation)
        if self.decision.action == "draft":
            if got in self.mail.accepted:
                return "right"
            return "harmful" if "cancel" in self.decision.situation else "wrong"
        if self.mail.wants == "draft":
            return "right" if got in self.mail.accepted else "missed"
        return "quiet"

    @property
    def is_settled(self) -> bool:
        """The action itself is one that a careful clerk could take."""
        return self.decision.action in {action for action, _ in self.mail.accepted}


def main(arguments: Sequence[str]) -> int:
    """Runs one part of the corpus and prints the tables."""
    part = next((a for a in arguments if not a.startswith("-")), "tuning")
    verbose = "-v" in arguments
    rules = (ROOT / "rules.toml").read_text(encoding="utf-8")
    rulebook = compile_pack(tomllib.loads(rules))
    channels = read_channels()
    mails = load(part)
    plain = [Judged(mail, _decision(mail, rulebook, channels)) for mail in mails]
    wrapped = [
        Judged(twin.mail, _decision(twin.mail, rulebook, channels), twin.style)
        for number, mail in enumerate(mails)
        for twin in twins(mail, number)
    ]
    print(f"{part}: {len(plain)} mails, {len(wrapped)} wrapped twins\n")
    for title, judged in (("plain", plain), ("wrapped", wrapped)):
        print(_table(title, judged))
    by_id = {each.mail.id: each.decision for each in plain}
    same = sum(_outcome(each.decision) == _outcome(by_id[each.mail.id]) for each in wrapped)
    turned = [e for e in wrapped if e.decision.action == "draft" and by_id[e.mail.id].action != "draft"]
    print(f"same decision plain and wrapped: {same} of {len(wrapped)} ({_percent(same, len(wrapped))})")
    print(f"turned into a draft by wrapping: {len(turned)}")
    print(_times(mails, rules, channels))
    if verbose:
        for each in (*plain, *wrapped):
            if each.kind in ("missed", "wrong", "harmful") or (each.kind == "quiet" and not each.is_settled):
                print(_line(each))
        for each in wrapped:
            if _outcome(each.decision) != _outcome(by_id[each.mail.id]):
                print("changed by wrapping:", _line(each))
    return 1 if any(each.kind == "harmful" for each in (*plain, *wrapped)) else 0


def _decision(mail: Labelled, rulebook: Rulebook, channels: Sequence[Channel]) -> Decision:
    return judge(ready(raw(mail), mail.orders, channels), rulebook)


def _outcome(decision: Decision) -> tuple[str, str]:
    return decision.action, decision.situation


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _table(title: str, judged: Sequence[Judged]) -> str:
    lines = [f"{title:<22}{'mails':>6}{'right':>16}{'wrong':>14}{'harmful':>9}{'silent':>16}{'person':>16}"]
    groups: list[tuple[str, list[Judged]]] = [("all", list(judged))]
    groups += [(f"  {name}", [j for j in judged if j.mail.language == name]) for name in ("ja", "en", "zh")]
    groups += [
        (f"  core {name}", [j for j in judged if j.mail.language == name and j.mail.situation in CORE])
        for name in ("ja", "en", "zh")
    ]
    situations = dict.fromkeys(j.mail.situation for j in judged)
    groups += [(f"  {name}", [j for j in judged if j.mail.situation == name]) for name in sorted(situations)]
    return "\n".join([*lines, *(_row(name, group) for name, group in groups)]) + "\n"


def _row(name: str, group: Sequence[Judged]) -> str:
    kinds = Counter(each.kind for each in group)
    wanted = [each for each in group if each.mail.wants == "draft"]
    right = sum(each.kind == "right" for each in wanted)
    silent = [each for each in group if each.mail.wants == "silence"]
    person = [each for each in group if each.mail.wants == "hold"]
    wrong = kinds["wrong"] + kinds["harmful"]
    return (
        f"{name:<22}{len(group):>6}{_share(right, len(wanted)):>16}{_share(wrong, len(group)):>14}{kinds['harmful']:>9}"
        f"{_share(_undrafted(silent), len(silent)):>16}{_share(_undrafted(person), len(person)):>16}"
    )


def _undrafted(group: Iterable[Judged]) -> int:
    return sum(each.decision.action != "draft" or each.kind == "right" for each in group)


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} {100 * part / whole:.1f}%" if whole else "-"


def _times(mails: Sequence[Labelled], rules: str, channels: Sequence[Channel]) -> str:
    """CPU time a mail, each the best of several: deciding on decoded text and on raw bytes, long texts, many rules."""
    rulebook = compile_pack(tomllib.loads(rules))
    raws = [raw(mail) for mail in mails]
    prepared = [ready(each, mail.orders, channels) for each, mail in zip(raws, mails, strict=True)]
    more = compile_pack(tomllib.loads(rules + _extra_rules(1_000)))
    deciding, again, with_more, reading = _best(
        [
            [partial(judge, each, rulebook) for each in prepared],
            [partial(judge, each, rulebook) for each in prepared],
            [partial(judge, each, more) for each in prepared],
            [partial(ready, each, mail.orders, channels) for each, mail in zip(raws, mails, strict=True)],
        ]
    )
    first = mails[0]
    whole = "\n\n".join(mail.text for mail in mails if mail.language == "en" and mail.wants == "draft")
    wanted = next(mail.text for mail in mails if mail.wants == "draft")
    texts = [text * (100_000 // len(text.encode()) + 1) for text in (f"{wanted}\n\n", f"{whole}\n\n")]
    long = [ready(raw(first, text=text[:100_000]), first.orders, channels) for text in texts]
    once, varied = (max(best) for best in _best([[partial(judge, each, rulebook)] for each in long]))
    mean = sum(deciding) / len(deciding)
    return "\n".join(
        (
            f"decoded text to decision: mean {mean * 1e6:.0f} us, slowest {max(deciding) * 1e6:.0f} us",
            f"raw bytes to decision: mean {mean * 1e6 + sum(reading) / len(reading) * 1e6:.0f} us",
            f"a text of 100 kB: {varied * 1e3:.1f} ms, of one passage again and again: {once * 1e3:.1f} ms",
            f"1,000 extra rules: {sum(with_more) / sum(deciding):.2f} of the time without"
            f" (the same rules again: {sum(again) / sum(deciding):.2f})",
        )
    )


def _best(columns: Sequence[Sequence[Callable[[], object]]], rounds: int = 7) -> list[list[float]]:
    """Per column the best CPU time in seconds of each of its calls; the columns take turns."""
    gc.collect()
    best = [[float("inf")] * len(column) for column in columns]
    for _ in range(rounds):
        for times, column in zip(best, columns, strict=True):
            for i, call in enumerate(column):
                start = time.process_time()
                call()
                times[i] = min(times[i], time.process_time() - start)
    return best


def _extra_rules(count: int) -> str:
    """Rules as a shop would add them: phrases of its own in three languages, about one product each."""
    return "".join(
        f"""
[[rule]]
id = "extra-{n}"
situation = "stock_question"
when.says = {{ ja = ["型番{n}の...在庫", "型番{n}...入荷"], en = ["model {n} ... (in stock|available)"], zh = ["型号{n}...有货"] }}
hold = "model {n}"
"""
        for n in range(count)
    )


def _line(each: Judged) -> str:
    wanted = "/".join(each.mail.accepted[0])
    got = "/".join(_outcome(each.decision))
    why = each.decision.reasons[0].code if each.decision.reasons else ""
    return f"{each.kind:<8}{each.mail.id:<8}{each.style:<14}want {wanted:<28}got {got:<28}{each.decision.rule or '-'} {why}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
