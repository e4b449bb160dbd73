"""`python -m bench.fuzz` (`make bench-fuzz`): changed mails, server answers, rules, templates and order files.

Every input depends on the seed and its number alone. What breaks something is kept, once for each place in the code;
put it into tests/attackers/findings/<target>/ and it is a test.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench.fuzz.campaign import NAMES, Sum, keep, run


def main() -> int:
    """Run the targets named (all, if none is named); 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__)
    parser.add_argument("only", nargs="*", choices=(*NAMES, []), help="default: all")
    parser.add_argument("--count", type=int, default=1_000_000, help="at most so many inputs a target")
    parser.add_argument("--seconds", type=float, default=120, help="at most so long a target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="where findings are kept")
    args = parser.parse_args()
    sums: list[Sum] = []
    for name in args.only or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            sums.append(run(name, Path(folder), seed=args.seed, count=args.count, seconds=args.seconds))
        made = sums[-1]
        print(f"{name:14} {made.inputs:8,} inputs  {made.seconds:6.0f} s  {len(made.findings)} finding(s)", flush=True)
        for place, data in made.findings.items():
            print(f"  {place}: {keep(args.out, name, data)}", flush=True)
    return 1 if any(made.findings for made in sums) else 0


if __name__ == "__main__":
    sys.exit(main())
