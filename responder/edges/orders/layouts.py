"""Which export a file is, told by its headers, and where in it each fact of an order stands. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from responder.edges.orders.cells import Reading, folded
from responder.model import OrderLayout, OrderStatus, StateColumn

DATES = ("ordered_at", "paid_at", "ship_by", "shipped_at", "eta", "cancel_deadline")
TEXTS = ("channel", "buyer_name", "buyer_mail", "payment", "currency", "carrier", "tracking_no")
ITEM_FIELDS = ("items", "sku", "quantity")
FIELDS = ("order_id", "status", "total", *DATES, *TEXTS, *ITEM_FIELDS)
# The file whose headers are the names of the fields.
PLAIN = OrderLayout(
    name="plain",
    title="CSV",
    known_by=(("order_id",),),
    columns={name: ((name,),) for name in FIELDS},
    one_item_a_row=False,
)
# The answer of a web service: its items are listed one by one.
RECORD = replace(PLAIN, name="record", title="JSON", one_item_a_row=True)

Alternatives = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class StateLook:
    """One look at an order's state: the column and what its folded words mean (see model.StateColumn)."""

    at: int
    words: Mapping[str, str]
    filled: str = ""


@dataclass(frozen=True)
class Plan:
    """Where everything stands in one file. `facts` are fields in one column, `joined` those in several or in one of
    several; `others` are the columns nobody asks for."""

    layout: OrderLayout
    titles: tuple[str, ...]
    order_id: Alternatives
    facts: tuple[tuple[str, int], ...]
    joined: tuple[tuple[str, Alternatives], ...]
    looks: tuple[StateLook, ...]
    items: tuple[Alternatives, Alternatives, Alternatives]
    others: tuple[int, ...]
    total_of: tuple[int, ...] = ()
    total_unless: tuple[int, ...] = ()
    cancel_asked: Mapping[int, frozenset[str]] = field(default_factory=dict)
    item_rows: Mapping[int, frozenset[str]] = field(default_factory=dict)
    missing: tuple[tuple[str, str], ...] = ()

    @property
    def quoted(self) -> bool:
        """False if quotation marks mean nothing in such a file."""
        return self.layout.quoted

    @property
    def width(self) -> int:
        return len(self.titles)

    def title(self, name: str) -> str:
        """The header under which a field stands, or the field's name."""
        for known, at in self.facts:
            if known == name:
                return self.titles[at]
        for known, alternatives in self.joined:
            if known == name and alternatives:
                return self.titles[alternatives[0][0]]
        return name


def recognise(titles: Sequence[str], reading: Reading, plain: OrderLayout = PLAIN) -> Plan | None:
    """How to read a file with these headers, or None if it is no order file. Of several layouts that could be meant
    the one that knows most of the headers is taken, else `plain`; a shop's own `columns` go before what a layout says.
    """
    places = _places(titles)
    own_id = reading.columns.get("order_id")
    best: OrderLayout | None = None
    most = 0
    for layout in (*reading.layouts, plain):
        if any(all(folded(title) in places for title in group) for group in layout.known_by):
            known = len({folded(title) for title in _titles_of(layout)} & places.keys())
            if known > most:
                best, most = layout, known
    if best is None or (own_id is not None and best is plain):
        if own_id is None or folded(own_id) not in places:
            return None
        best = plain
    return _plan(best, titles, places, reading)


def _places(titles: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for at, title in enumerate(titles):
        if title:
            places.setdefault(folded(title), at)
    return places


def _titles_of(layout: OrderLayout) -> set[str]:
    found = {title for alternatives in layout.columns.values() for one in alternatives for title in one}
    found |= {look.column for look in layout.states} | {*layout.total_of, *layout.total_unless}
    return found | {*layout.cancel_asked, *layout.item_rows} | {title for group in layout.known_by for title in group}


def _plan(layout: OrderLayout, titles: Sequence[str], places: Mapping[str, int], reading: Reading) -> Plan:
    columns, missing = dict(layout.columns), []
    for name, title in reading.columns.items():
        if folded(title) in places:
            columns[name] = ((title,),)
            if name == "status":
                layout = replace(layout, states=())
            elif name == "total":
                layout = replace(layout, total_of=())
        elif layout.name in (PLAIN.name, RECORD.name):
            missing.append((name, title))
    if not layout.states and "status" in columns:
        layout = replace(layout, states=tuple(StateColumn(one[0]) for one in columns["status"]))
    where = {name: _found(alternatives, places) for name, alternatives in columns.items()}
    total_of = _all(layout.total_of, places)
    simple = tuple(
        (name, where[name][0][0])
        for name in ("total", *DATES, *TEXTS)
        if name in where and len(where[name]) == 1 and len(where[name][0]) == 1 and not (name == "total" and total_of)
    )
    joined = tuple(
        (name, where[name])
        for name in ("total", *DATES, *TEXTS)
        if where.get(name) and name not in dict(simple) and not (name == "total" and total_of)
    )
    looks = tuple(
        StateLook(places[folded(one.column)], {folded(word): state for word, state in one.words.items()}, one.filled)
        for one in layout.states
        if folded(one.column) in places
    )
    taken = {at for alternatives in where.values() for one in alternatives for at in one}
    return Plan(
        layout=layout,
        titles=tuple(titles),
        order_id=where.get("order_id", ()),
        facts=simple,
        joined=joined,
        looks=looks,
        items=(where.get("items", ()), where.get("sku", ()), where.get("quantity", ())),
        others=tuple(at for at, title in enumerate(titles) if title and at not in taken),
        total_of=total_of,
        total_unless=_all(layout.total_unless, places),
        cancel_asked=_words_at(layout.cancel_asked, places),
        item_rows=_words_at(layout.item_rows, places),
        missing=tuple(missing),
    )


def _found(alternatives: Sequence[Sequence[str]], places: Mapping[str, int]) -> Alternatives:
    """The alternatives of which every header is there."""
    found = (tuple(places[folded(title)] for title in one if folded(title) in places) for one in alternatives)
    kept = tuple(at for at, one in zip(found, alternatives, strict=True) if len(at) == len(one))
    if kept:
        return kept
    # Half of a name is better than none.
    some = (tuple(places[folded(title)] for title in one if folded(title) in places) for one in alternatives)
    return tuple(at for at in some if at)[:1]


def _all(titles: Sequence[str], places: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(places[folded(title)] for title in titles if folded(title) in places)


def _words_at(words: Mapping[str, Sequence[str]], places: Mapping[str, int]) -> Mapping[int, frozenset[str]]:
    return {
        places[folded(title)]: frozenset(map(folded, marks))
        for title, marks in words.items()
        if folded(title) in places
    }


def state_of(
    cells: Sequence[str], plan: Plan, own: Mapping[str, OrderStatus], common: Mapping[str, OrderStatus]
) -> tuple[str, str, int]:
    """State, the source's word for it, and the index of the look whose word nobody knows (-1 if none).

    `cells` are those of the looks, in their order. The shop's own words go first, then the layout's, then common ones.
    """
    for index, (look, cell) in enumerate(zip(plan.looks, cells, strict=True)):
        if not cell:
            continue
        word = folded(cell)
        state: str | None = own.get(word)
        if state is None:
            state = look.words.get(word)
        if state is None and look.filled:
            state = look.filled
        if state is None:
            elsewhere = any(other.at == look.at and word in other.words for other in plan.looks)
            if elsewhere:
                continue
            state = common.get(word)
        if state is None:
            return "unknown", cell, index
        if state:
            return state, cell, -1
    said = tuple(dict.fromkeys(cell for cell in cells if cell))
    return plan.layout.status or "unknown", " / ".join(said) or plan.layout.status, -1
