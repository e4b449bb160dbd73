"""Orders: loading an export, what it takes in memory, looking orders up, and how soon a dropped file counts.

Each load runs in a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.report import Row
from responder.config.layouts import shipped_layouts
from responder.edges.files import FileWatch
from responder.edges.orders import open_book
from responder.model import OrderLayout

LOOK_UPS = 2_000
HEADER = (
    *("注文番号", "ステータス", "注文日時", "支払方法名", "請求金額", "注文者姓", "注文者名", "注文者メールアドレス"),
    *("商品名", "商品管理番号", "個数", "送付先住所都道府県", "コメント"),
)


@dataclass(frozen=True)
class Source:
    """One folder of exports, as responder.toml would say it."""

    path: Path
    type: str = "csv"
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Tokyo"))
    columns: dict[str, str] = field(default_factory=dict)
    status_words: dict[str, str] = field(default_factory=dict)
    channel: str = ""
    currency: str = "JPY"
    encoding: str | None = None
    delimiter: str | None = None
    day_first: bool | None = None
    layouts: tuple[OrderLayout, ...] = ()


def order_id(number: int) -> str:
    return f"123456-{20260101 + number % 28:08d}-{number:010d}"


def rows(count: int) -> Iterator[list[str]]:
    start = datetime(2026, 1, 1, 9, 0)
    for n in range(count):
        when = (start + timedelta(seconds=n % 20_000_000)).isoformat(" ")
        status = ("300", "500", "500", "700", "900")[n % 5]
        item = (f"波佐見焼マグカップ {n % 900}", f"mug-{n % 900}", str(1 + n % 3))
        buyer = ("田中", f"花子{n}", f"b{n // 2}@pc.fw.rakuten.example")
        yield [order_id(n), status, when, "クレジットカード", str(1000 + n % 9000), *buyer, *item, "東京都", ""]


def write_export(path: Path, count: int) -> None:
    with path.open("w", encoding="cp932", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        writer.writerows(rows(count))


def child(folder: Path, count: int) -> dict[str, float]:
    """Loads the folder, as a process of its own."""
    path = folder / "in" / "orders.csv"
    began = time.perf_counter()
    with path.open(encoding="cp932", newline="") as stream:
        for _ in csv.reader(stream):
            pass
    bare = time.perf_counter() - began
    book = open_book([Source(folder / "in", layouts=shipped_layouts())], index=folder / "orders.db")
    began = time.perf_counter()
    cpu = time.process_time()
    mistakes = book.refresh()
    load, cpu = time.perf_counter() - began, time.process_time() - cpu
    if mistakes or len(book) != count:
        raise SystemExit(f"bench: {mistakes[:1]} {len(book)}")
    picked = random.Random(7)
    wanted = [order_id(picked.randrange(count)) for _ in range(LOOK_UPS)]
    took = []
    for one in wanted:
        began = time.perf_counter()
        found = book.find([one])
        took.append(time.perf_counter() - began)
        if len(found) != 1:
            raise SystemExit(f"bench: {one} not found")
    began = time.perf_counter()
    for _ in range(LOOK_UPS):
        book.of_buyer(f"b{picked.randrange(count // 2)}@pc.fw.rakuten.example")
    by_buyer = (time.perf_counter() - began) / LOOK_UPS
    took.sort()
    return {
        "bare": bare,
        "load": load,
        "cpu": cpu,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "find_p50": took[LOOK_UPS // 2],
        "find_p99": took[LOOK_UPS * 99 // 100],
        "by_buyer": by_buyer,
        "disk_mb": sum(one.stat().st_size for one in folder.glob("orders.db*")) / 1e6,
    }


def dropped() -> float:
    """Seconds from a file's last byte until a look-up knows it, with the watch of the daemon."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "in"
        folder.mkdir()
        write_export(folder / "orders.csv", 1_000)
        book = open_book([Source(folder, layouts=shipped_layouts())], index=Path(name) / "orders.db")
        book.refresh()
        known = threading.Event()

        def changed(_: object) -> None:
            book.refresh()
            if book.find(["X-1"]):
                known.set()

        watch = FileWatch([folder], changed)
        watch.start()
        try:
            time.sleep(1)
            (folder / "new.csv").write_text("order_id,status\nX-1,shipped\n", encoding="utf-8")
            began = time.perf_counter()
            if not known.wait(30):
                raise SystemExit("bench: a dropped file was never seen")
            return time.perf_counter() - began
        finally:
            watch.stop()


def measure(count: int) -> list[Row]:
    """Loads `count` orders and asks for some of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        write_export(folder / "in" / "orders.csv", count)
        command = [sys.executable, "-m", "bench.orders", str(folder), str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        found = json.loads(done.stdout)
    title = f"orders: {count:,}"
    ratio = found["load"] / found["bare"]
    is_target = count == 100_000
    return [
        Row(f"{title} loaded", f"{found['load']:.1f} s", f"{found['bare']:.2f} s", ratio, "10 s" if is_target else ""),
        Row(f"{title} loaded, CPU", f"{found['cpu']:.1f} s"),
        Row(f"{title}, memory", f"{found['rss_mb']:.0f} MB", target="250 MB"),
        Row(f"{title}, index on disk", f"{found['disk_mb']:.0f} MB"),
        Row(f"{title}, look-up p50", f"{found['find_p50'] * 1e3:.3f} ms", target="1 ms"),
        Row(f"{title}, look-up p99", f"{found['find_p99'] * 1e3:.3f} ms", target="1 ms"),
        Row(f"{title}, by buyer", f"{found['by_buyer'] * 1e3:.3f} ms"),
    ]


def measure_all(counts: list[int]) -> list[Row]:
    """All rows of this measurement."""
    found = [row for count in counts for row in measure(count)]
    return [*found, Row("orders: a dropped file counts after", f"{dropped():.2f} s", target="3 s")]


if __name__ == "__main__":
    print(json.dumps(child(Path(sys.argv[1]), int(sys.argv[2]))))
