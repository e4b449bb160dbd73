"""`python -m bench`: measure everything at a small size, or with `--full` at the size the targets speak of."""

from __future__ import annotations

import argparse
import os
import sys

from bench import backlog, clocks, orders, sends, wake
from bench.report import Row, show
from tests.servers.dovecot import missing

NAMES = ("wake", "backlog", "sends", "orders", "clocks")


def main() -> int:
    """Run the measurements named on the command line (all, if none is named) and print one table."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("only", nargs="*", choices=(*NAMES, []), help="default: all")
    parser.add_argument("--full", action="store_true", help="10,000 mails, three rounds, 200 wake-ups, 300 sends")
    parser.add_argument("--mails", type=int, help="size of the backlog")
    parser.add_argument("--rounds", type=int, help="runs of the backlog of which the median counts")
    args = parser.parse_args()
    chosen = set(args.only) or set(NAMES)
    why_not = missing()
    if why_not is not None and chosen - {"orders", "clocks"}:
        print(f"bench: {why_not}", file=sys.stderr)
        return 0
    rows: list[Row] = []
    if "wake" in chosen:
        rows += wake.measure(200 if args.full else 15, open_drafts=100)
    if "backlog" in chosen:
        rows += backlog.measure(args.mails or (10_000 if args.full else 1_000), args.rounds or (3 if args.full else 1))
    if "sends" in chosen:
        rows += sends.measure(300 if args.full else 60)
    if "orders" in chosen:
        rows += orders.measure_all([100_000, 1_000_000] if args.full else [20_000])
    if "clocks" in chosen:
        rows += clocks.measure(10_000)
    show(f"responder against bare loops, {os.cpu_count()} cores", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
