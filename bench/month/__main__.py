"""`python -m bench.month`: play the month, count, and print the table that stands in the docs."""

from __future__ import annotations

import argparse
import resource
import sys
import time

from bench.month.books import Books, close_the_books
from bench.month.play import Month, play
from tests.servers.dovecot import missing

EVERY_HOURS = (1, 5, 8, 10, 12, 15, 18, 22)


def main() -> int:
    """Play, count, print; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.month", description=__doc__)
    parser.add_argument("--orders", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    why_not = missing()
    if why_not is not None:
        print(f"month: {why_not}", file=sys.stderr)
        return 0
    began, cpu = time.monotonic(), _cpu()
    for month in play(args.orders, args.seed, EVERY_HOURS):
        books = close_the_books(month)
        print("\n".join(table(month, books)))
        print(f"\n{time.monotonic() - began:.0f} s, {_cpu() - cpu:.0f} s of CPU")
        for sentence in books.wrong:
            print(f"WRONG {sentence}")
    return 1 if books.wrong else 0


def table(month: Month, books: Books) -> list[str]:
    """The figures as a table of Markdown."""
    lines = ["| what | count |", "| --- | ---: |"]
    lines += [f"| {name} | {count} |" for name, count in books.figures.items()]
    for title, counts in (
        ("notices owed", books.notices),
        ("mails of buyers", books.replies),
        ("deadlines", books.deadlines),
        ("by the clock", books.clock),
        ("staff", month.staff.did),
    ):
        lines += [f"| {title}: {name} | {count} |" for name, count in sorted(counts.items())]
    lines += [f"| the report: {name} (on the servers) | {says} ({hold}) |" for name, says, hold in books.report]
    lines.append(f"| doubled, missing, lost, forbidden | {len(books.wrong)} |")
    return lines


def _cpu() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


if __name__ == "__main__":
    sys.exit(main())
