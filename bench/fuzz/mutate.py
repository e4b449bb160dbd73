"""Changes bytes at random, in the ways that have broken parsers before; the same seed makes the same changes."""

from __future__ import annotations

import random
from collections.abc import Sequence

ODD = (
    b"\0", b"\r", b"\n", b"\r\n\r\n", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b$B", b"\x1b(B", b"\x80", b"\xa0", b"=?utf-8?q?=", b"=?",
    b"?=", b"\"", b"'", b"{", b"}", b"[", b"]", b"(", b")", b"<", b">", b"\\", b";", b",", b"\t", b"%00", b"-1", b"0", b"9" * 30,
    b"1e999", b"nan", b"true", "\u202e".encode(), "\ufeff".encode(), "｛".encode(), "\U0001f385".encode(), b"{{", b"}}", b"{%", b"%}",
)  # fmt: skip
"""Pieces with a meaning somewhere."""


def mutated(rng: random.Random, seeds: Sequence[bytes], words: Sequence[bytes] = (), *, most: int = 200_000) -> bytes:
    """One of the seeds with up to eight changes."""
    data = rng.choice(seeds)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5, 8))):
        data = _once(rng, data, seeds, words)
        if len(data) > most:
            data = data[:most]
    return data


def _once(rng: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + rng.choice((1, 2, 8, 40, 300)))
    kind = rng.randrange(10)
    if kind == 0:
        return data[:at] + bytes((rng.randrange(256),)) + data[at + 1 :]
    if kind == 1:
        return data[:at] + data[end:]
    if kind == 2:
        return data[:at] + data[at:end] * rng.choice((2, 3, 50)) + data[end:]
    if kind == 3:
        return data[:at] + rng.randbytes(rng.choice((1, 4, 30))) + data[at:]
    if kind == 4:
        return data[:at] + rng.choice(ODD) * rng.choice((1, 1, 2, 200)) + data[at:]
    if kind == 5 and words:
        return data[:at] + rng.choice(words) + data[at:]
    if kind == 6:
        other = rng.choice(seeds)
        start = rng.randrange(len(other) + 1)
        return data[:at] + other[start : start + rng.choice((10, 100, 3000))] + data[end:]
    if kind == 7:
        return data[:at]
    lines = data.split(b"\n")
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    if kind == 8:
        lines[one], lines[two] = lines[two], lines[one]
    else:
        lines.insert(one, lines[two])
    return b"\n".join(lines)
