"""What the examples say of mails that want no answer: machines' mail, and thanks.

Nothing here makes a draft; a mail of thanks may be found to say more than that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from responder.core.rules.bars import MACHINES
from responder.core.rules.conditions import Case
from responder.core.rules.matching import Matching
from responder.core.rules.matters import THANKS, Matters
from responder.core.rules.proposals import NOTHING_WANTED, assume
from responder.core.rules.reading import WISHES, Reader, Reading
from responder.core.rules.weighing import Weighing
from responder.model import Decision

# What a mail of thanks may look like.
THANKFUL = frozenset({THANKS, "cancel_talk"})


@dataclass(frozen=True)
class Silences:
    """The mails that likeness to examples leaves without an answer."""

    matching: Matching
    matters: Matters
    reader: Reader
    weighing: Weighing

    def from_machine(self, case: Case) -> Decision | None:
        """Silence on a mail without any order that surely looks like what programs and sellers write, or None. What
        they write speaks of orders, parcels and cancelling, too."""
        leaning = self.reader.lean(case.reading) if case.order is None and not case.ids_named else None
        if leaning is None or leaning.count < self.weighing.few_pieces:
            return None
        shares = leaning.shares
        quiet = {name: shares[name] for name in shares if self._is_of_machines(name)}
        share = sum(quiet.values())
        if not quiet or share < self.weighing.sure:
            return None
        best = max(quiet, key=quiet.__getitem__)
        match = self.matching.first(assume(case, best, leaning.nearest(best), round(share, 2)))
        if match.rule is None or match.rule.action != "silence" or match.rule.situation not in MACHINES:
            return None
        return self.matching.decision(match)

    def _is_of_machines(self, name: str) -> bool:
        """True for a topic of which every rule that asks for it stays silent: advertising, automatic mail."""
        rules = [rule for rule in self.matching.rules if name in rule.asks and rule.situation in MACHINES]
        return bool(rules) and not self.matters.is_matter(name)

    def like_thanks(self, case: Case) -> Decision | None:
        """What the rules do with thanks, for a mail that asks for nothing and surely looks like thanks; or None."""
        leaning = self.reader.lean(case.reading, thanks=True) if not case.reading.asked else None
        if leaning is None:
            return None
        weighing = self.weighing
        thanks = leaning.shares.get(THANKS, 0.0)
        others = max((share for name, share in leaning.shares.items() if name != THANKS), default=0.0)
        arrived = case.order is not None and case.order.status == "delivered" and not case.reading.acts & WISHES
        long = leaning.count >= weighing.few_pieces
        if thanks < (weighing.sure if long else weighing.certain) and not (
            arrived and long and thanks >= weighing.thanks.arrived and thanks >= weighing.thanks.arrived_lead * others
        ):
            return None
        match = self.matching.first(replace(case, reading=replace(case.reading, acts=frozenset({"thanks"}))))
        return self.matching.decision(replace(match, case=case)) if match.is_thanks else None

    def says_more(self, reading: Reading) -> bool:
        """True if a mail of thanks has a sentence that nobody understood, or looks like a matter: no silence then."""
        if NOTHING_WANTED in reading.acts and not reading.asked:
            return False
        leaning = self.reader.lean(reading, thanks=True)
        unread = any(not s.acts and len(s.text) > self.weighing.thanks.greeting_chars for s in reading.sentences)
        if leaning is None:
            return unread
        shares = leaning.shares
        thanks = sum(share for name, share in shares.items() if name in THANKFUL)
        matter = max((share for name, share in shares.items() if self.matters.is_matter(name)), default=0.0)
        is_said = unread or matter >= self.weighing.doubt.other
        return thanks < self.weighing.thanks.whatever and thanks < matter and is_said
