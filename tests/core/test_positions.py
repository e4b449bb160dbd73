from __future__ import annotations

from typing import Any

import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.core.positions import Path, key_of, line_of, lines, path_of

SAMPLE = '''\
# a comment = "with a key"
title = "x = 1 # no" # why
[a.b]
"odd key" = 1
c.d = [1, [2, 3], { e = 4 },
  "]", # ] }
]

[[rule]]
text = """
id = "not a key"
""" # end
id = "one"
[rule.when]
asks = ['cancel', 'x']
[[rule.part]]
n = 1
[[rule.part]]
n = 2
[[ rule ]]
id = 'two'
when = { asks = ["a"], any = [ { x = 1979-05-27 07:32:00 } ],
   not = { y = true } }
'''


def paths_of(value: Any, path: Path = ()) -> set[Path]:
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, inner in value.items():
            found |= paths_of(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found |= paths_of(inner, (*path, index))
    return found


def test_lines_of_a_sample() -> None:
    found = lines(SAMPLE)
    assert set(found) == paths_of(tomli.loads(SAMPLE))
    wanted = {
        ("title",): 2,
        ("a", "b"): 3,
        ("a", "b", "odd key"): 4,
        ("a", "b", "c", "d", 2, "e"): 5,
        ("a", "b", "c", "d", 3): 6,
        ("rule", 0): 9,
        ("rule", 0, "text"): 10,
        ("rule", 0, "id"): 13,
        ("rule", 0, "when", "asks", 1): 15,
        ("rule", 0, "part", 1, "n"): 19,
        ("rule", 1): 20,
        ("rule", 1, "when", "any", 0, "x"): 22,
        ("rule", 1, "when", "not", "y"): 23,
    }
    assert {path: found[path] for path in wanted} == wanted


def test_a_missing_key_is_told_at_the_table_around_it() -> None:
    assert line_of(lines(SAMPLE), ("rule", 1, "reply", "x")) == 20
    assert line_of(lines(SAMPLE), ("nothing",)) == 0


def test_crlf_and_escaped_quotes_count_lines_right() -> None:
    text = '"a\\"b" = "\\\\"\r\nc = """x\\""" \r\n"""\r\nd = \'\'\'a\'\'\'\'\r\ne = 1\r\n'
    assert lines(text) == {('a"b',): 1, ("c",): 2, ("d",): 4, ("e",): 5}


NAMES = st.one_of(st.sampled_from(["a", "b", "rule", "when", "1-x_"]), st.text(max_size=4))
SCALARS = st.one_of(
    st.integers(-5, 5).map(str),
    st.sampled_from(["true", "1.5e3", "inf", "1979-05-27T07:32:00Z", "07:32:00", "1979-05-27 07:32:00"]),
    st.sampled_from(["'lit # [x] = 1'", '"esc \\" ] } # \\\\"', '"""\nk = 1\n"two"" quotes"""', "'''\n[t]\n''k'''"]),
)
GAPS = st.sampled_from(["", " ", "\n", ' # note ] } = "\n', "\n\n\t"])


@st.composite
def inline_values(draw: st.DrawFn, depth: int = 2) -> str:
    kind = draw(st.integers(0, 3)) if depth else 0
    if kind < 2:
        return draw(SCALARS)
    if kind == 2:
        inner = draw(st.lists(inline_values(depth - 1), max_size=3))
        gap, end = draw(GAPS), draw(st.sampled_from(["", ","])) if inner else ""
        return "[" + gap + f",{gap}".join(inner) + end + gap + "]"
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    gap = draw(GAPS)
    return "{" + gap + f",{gap}".join(f"{written(n)} = {draw(inline_values(depth - 1))}" for n in names) + gap + "}"


def written(name: str) -> str:
    if name and name.isascii() and all(c.isalnum() or c in "-_" for c in name):
        return name
    return '"' + "".join(f"\\u{ord(c):04X}" if ord(c) < 32 or c in '"\\\x7f' else c for c in name) + '"'


@st.composite
def documents(draw: st.DrawFn) -> str:
    parts = []
    for _ in range(draw(st.integers(0, 6))):
        dotted = " . ".join(written(n) for n in draw(st.lists(NAMES, min_size=1, max_size=3)))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            parts.append(f"[{dotted}]{draw(st.sampled_from(['', ' # x']))}\n")
        elif kind == 1:
            parts.append(f"[[ {dotted} ]]\n")
        else:
            parts.append(f"{dotted} = {draw(inline_values())}\n")
        parts.append(draw(GAPS).rstrip(" \t") if draw(st.booleans()) else "")
    text = "".join(parts)
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@settings(max_examples=150, deadline=None)
@given(documents())
def test_every_key_that_tomli_sees_has_a_line_and_no_other(text: str) -> None:
    try:
        data = tomli.loads(text)
    except tomli.TOMLDecodeError:
        return
    found = lines(text)
    assert set(found) == paths_of(data)
    rows = text.split("\n")
    for path, line in found.items():
        if isinstance(path[-1], str):
            assert written(path[-1]) in rows[line - 1]


@given(st.lists(st.one_of(st.integers(0, 99), st.sampled_from(["rule", "odd key", "a.b", "注文"])), max_size=5))
def test_a_dotted_key_names_its_path(path: list[str | int]) -> None:
    assert path_of(key_of(tuple(path))) == tuple(path)
