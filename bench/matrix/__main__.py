"""`python -m bench.matrix [--every N] [--page FILE]`: every situation in every language, channel, state and payment.

Decides and writes each cell of the matrix, checks every text, and prints the counts. `--page` writes the sample page:
letters chosen so that every line of every text stands on it at least once. Exits 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from hashlib import sha1
from pathlib import Path

from bench.matrix.cells import SITUATIONS, VARIANTS, cells
from bench.matrix.checks import wrong
from bench.matrix.page import Page
from bench.matrix.run import Press
from responder.config import bare


def main() -> int:
    """Run the matrix."""
    parser = argparse.ArgumentParser(prog="python -m bench.matrix", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every n-th cell")
    parser.add_argument("--page", type=Path, help="write the sample page to this file")
    parser.add_argument("--show", type=int, default=30, help="how many different faults to print")
    args = parser.parse_args()
    settings = bare()
    press, page = Press(settings), Page()
    actions: Counter[tuple[str, str]] = Counter()
    texts: dict[str, set[bytes]] = {words.key: set() for words in SITUATIONS}
    languages: Counter[str] = Counter()
    blanks: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    example: dict[str, str] = {}
    checked: dict[bytes, list[str]] = {}
    begin = time.perf_counter()
    count = 0
    for number, cell in enumerate(cells(settings.channels)):
        if number % args.every:
            continue
        count += 1
        written = press.write(cell)
        actions[cell.words.key, written.decision.action] += 1
        if written.letter is None:
            continue
        languages[cell.variant] += 1
        texts[cell.words.key].add(sha1(written.words.encode()).digest())
        blanks.update(written.letter.blanks)
        page.add(written)
        # The same letter on the same facts needs one look.
        key = sha1(
            repr((written.letter.subject, written.words, cell.channel.name, cell.state.key, cell.payment, cell.policy,
                  cell.words.key)).encode()
        ).digest()  # fmt: skip
        if key not in checked:
            checked[key] = wrong(written, settings)
        for fault in checked[key]:
            name = f"{written.letter.template} [{cell.variant}] {re.sub(r'[0-9]+', '#', fault)}"
            faults[name] += 1
            example.setdefault(name, cell.name)
    took = time.perf_counter() - begin
    print(f"{count} cells in {took:.0f} s ({1e3 * took / max(1, count):.2f} ms each)\n")
    print(f"{'situation':34}{'answers':12}{'draft':>9}{'hold':>9}{'silence':>9}{'texts':>9}")
    for words in SITUATIONS:
        row = [actions[words.key, action] for action in ("draft", "hold", "silence")]
        print(f"{words.key:34}{words.row:12}{row[0]:9}{row[1]:9}{row[2]:9}{len(texts[words.key]):9}")
    drafts = sum(n for (_, action), n in actions.items() if action == "draft")
    print(f"\n{drafts} drafts, {len(set().union(*texts.values()))} different texts; by language: ", end="")
    print(", ".join(f"{variant} {languages[variant]}" for variant in VARIANTS))
    print("blanks: " + ", ".join(f"{name} {n}" for name, n in blanks.most_common()))
    if args.page:
        args.page.write_text(page.text(), encoding="utf-8")
        print(f"sample page: {args.page} ({len(page.letters)} letters)")
    print(f"\nwrong: {sum(faults.values())}")
    for name, n in faults.most_common(args.show):
        print(f"  {n:6}  {name}\n          e.g. {example[name]}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
