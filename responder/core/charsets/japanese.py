"""Japanese in seven and eight bits as it is really written: vendor rows, half-width kana, forgotten shifts."""

from __future__ import annotations

import re

MAX_ESCAPES = 20_000

_CUT_ESCAPE = re.compile(rb"\x1b(?:\$\(?|\()?\Z")
ESCAPE = re.compile(rb"\x1b(\$[@AB]|\$\([A-Z]|\([ABHIJT]|\.[AF]|N)")


def decode_jis(data: bytes) -> str:
    """ISO-2022-JP as it is really written: with NEC row 13, half-width kana by any shift, JIS X 0212, raw 8-bit."""
    data = _CUT_ESCAPE.sub(b"", data)
    if b"\x0e" not in data:
        try:
            return data.decode("iso2022_jp")
        except UnicodeDecodeError:
            pass
    if data.count(b"\x1b") > MAX_ESCAPES:
        return data.decode("iso2022_jp_ext", "replace")
    parts: list[str] = []
    mode, position = b"(B", 0
    for found in ESCAPE.finditer(data):
        parts.append(_jis_run(data[position : found.start()], mode))
        mode, position = found.group(1), found.end()
    parts.append(_jis_run(data[position:], mode))
    return "".join(parts)


def _jis_run(run: bytes, mode: bytes) -> str:
    """Text between two escapes. A line end returns to ASCII (RFC 1468)."""
    if not run:
        return ""
    if mode[:1] == b"$":
        line, newline, rest = run.partition(b"\n")
        text = _jis_pairs(line, mode)
        return text + (newline + rest).decode("ascii", "replace") if newline else text
    if mode == b"(I":
        return bytes(b | 0x80 if 0x21 <= b <= 0x5F else b for b in run).decode("cp932", "replace")
    if b"\x0e" in run:
        shifted = run.split(b"\x0e")
        text = _eight_bit(shifted[0])
        for each in shifted[1:]:
            kana, _, after = each.partition(b"\x0f")
            text += _jis_run(kana, b"(I") + _eight_bit(after)
        return text
    return _eight_bit(run)


def _eight_bit(run: bytes) -> str:
    """What stands between escapes: ASCII, or raw eight bits of a program that knows no better."""
    try:
        return run.decode("utf-8")
    except UnicodeDecodeError:
        return run.decode("cp932", "replace")


def _jis_pairs(run: bytes, mode: bytes) -> str:
    if mode in (b"$B", b"$@"):
        return _sjis_of_pairs(run).decode("cp932", "replace")
    codec = "iso2022_jp_2004" if mode in (b"$(O", b"$(P", b"$(Q") else "iso2022_jp_2"
    return (b"\x1b" + mode + run[: len(run) // 2 * 2] + b"\x1b(B").decode(codec, "replace")


def _sjis_of_pairs(run: bytes) -> bytes:
    """JIS X 0208 pairs (seven bits) as Shift_JIS, whose vendor codec knows rows 13 and 89 to 92."""
    out = bytearray()
    position, end = 0, len(run)
    while position < end:
        lead = run[position] & 0x7F
        if not 0x21 <= lead <= 0x7E:
            if run[position] < 0x80:
                out.append(run[position])
            position += 1
            continue
        if position + 1 == end:
            break
        trail = run[position + 1] & 0x7F
        if not 0x21 <= trail <= 0x7E:
            position += 1
            continue
        row = ((lead - 0x21) >> 1) + 0x81
        out.append(row if row <= 0x9F else row + 0x40)
        out.append(trail + (0x1F + (trail >= 0x60)) if lead & 1 else trail + 0x7E)
        position += 2
    return bytes(out)


def decode_euc(data: bytes) -> str | None:
    """EUC-JP with the vendor rows, or None if it is not EUC-JP at all."""
    out: list[str] = []
    position, end = 0, len(data)
    for found in re.finditer(rb"[\xa1-\xfe]{2,}", data):
        begin = found.start()
        run = found.group()
        if begin and data[begin - 1] == 0x8F:  # JIS X 0212: three bytes each
            return None
        if len(run) % 2:
            if found.end() < end:
                return None
            run = run[:-1]
        try:
            out.append(data[position:begin].decode("euc_jp"))
            out.append(_sjis_of_pairs(run).decode("cp932"))
        except UnicodeDecodeError:
            return None
        position = found.end()
    try:
        out.append(data[position:].decode("euc_jp"))
    except UnicodeDecodeError:
        return None
    return "".join(out)
