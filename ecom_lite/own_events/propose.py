"""A mapping for documents of an unknown shape, by their names and values: pure, a proposal to look through and to try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from ..contract.events import MAX_QUANTITY, PRICE_LIMIT, event_time
from ..contract.fields import EVENT_TYPES, MAX_ID, MAX_TEXT, OrderLine, wire_struct
from ..contract.hints import OTHER_NAMES, plain
from ..contract.mapping import LINE_FIELDS
from ..contract.rejected import Rejected
from .shapes import envelope_of, items, leaves, lists, unwrapped

MAX_LINES: Final = 50  # of one order are looked at
FITS: Final = 0.9  # a field's values are right in so many of the places where it has any
DEEPER: Final = 5  # a name one level deeper is as sure as one that stands so much later in OTHER_NAMES
# Names that mean something only together with what they are in: customer.id is a customer, payment.id is nothing to us.
VAGUE: Final = frozenset({
    "id", "name", "title", "date", "time", "created", "total", "amount", "count", "order", "user", "description", "item",
    "article",
})  # fmt: skip
IN_CENTS: Final = ("cent", "minor", "unitamount")  # in the name of a price
NEEDED: Final = tuple(info.name for info in msgspec.structs.fields(wire_struct(OrderLine)) if info.required)
# In the order in which they choose: what one field has taken is no other's.
FIELDS: Final = (
    "order_id",
    "timestamp",
    "user_id",
    "product_id",
    "product_title",
    "quantity",
    "price",
    "list_price",
    "category",
    "revenue",
)
_TIME_UNITS: Final = {"us": 10**14, "ns": 10**17}  # from this number on

Values = dict[int, Any]  # number of the sample -> what stands there


@dataclass(frozen=True)
class Proposal:
    """Settings of [events]. `missing` fields were not found and are needed; `notes` say of a field or setting what to look at."""

    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    unit: str = "units"
    time_unit: str = "auto"
    lines: str | None = None
    envelope: str = "none"
    missing: tuple[str, ...] = ()
    notes: dict[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """What differs from the defaults, as it goes into the settings."""
        found: dict[str, Any] = {}
        if self.envelope != "none":
            found["envelope"] = self.envelope
        if self.lines is not None:
            found["lines"] = self.lines
        if self.unit != "units":
            found["unit"] = self.unit
        if self.time_unit != "auto":
            found["time_unit"] = self.time_unit
        if self.fields:
            found["fields"] = {name: paths[0] if len(paths) == 1 else list(paths) for name, paths in self.fields.items()}
        if self.constants:
            found["constants"] = dict(self.constants)
        return found


def propose(documents: Sequence[Any], now: datetime) -> Proposal:
    """The mapping that seems to fit the most of these JSON documents. Those of other event types of ours count for nothing."""
    objects = [one for one in documents if isinstance(one, Mapping)]
    envelope = envelope_of(objects)
    orders = [inner for one in objects if (inner := unwrapped(one, envelope)) is not None and _may_be_order(inner)]
    lines = _lines(orders)
    samples = _Samples(orders, lines)
    notes: dict[str, str] = {}
    found: dict[str, tuple[str, ...]] = {}
    for name in FIELDS:
        if name != "revenue" and (chosen := _choose(name, samples, found, now)):
            found[name] = chosen
    _title_for_id(found, samples, notes)
    unit = _unit(found, samples, notes)
    if unit == "cents" and any("." in str(value) for value in samples.values(found.get("list_price", ())).values()):
        notes["list_price"] = f"{found.pop('list_price')[0]} is not in cents, as the price is: it is left out"
    if revenue := _revenue(found, samples, unit):
        found["revenue"] = revenue
    time_unit = _time_unit(found, samples, notes)
    foreign = next((kind for one in orders if isinstance(kind := one.get("event_type"), str) and kind not in EVENT_TYPES), None)
    if foreign is not None:
        notes["event_type"] = f"event_type holds {foreign!r}, which is none of ours"
    return Proposal(
        fields={name: paths for name in FIELDS if (paths := found.get(name)) and paths != (_own_place(name, lines),)},
        constants={} if foreign is None else {"event_type": "order"},
        unit=unit,
        time_unit=time_unit,
        lines=lines,
        envelope=envelope,
        missing=tuple(name for name in NEEDED if name not in found),
        notes=notes,
    )


class _Samples:
    """The documents, or their lines, as columns: what stands at each path of each sample."""

    def __init__(self, orders: Sequence[Mapping[str, Any]], lines: str | None) -> None:
        self.columns: dict[str, Values] = {}
        self.order_of: list[int] = []  # which document each sample is from
        self._parent = "" if lines is None else _singular(lines)
        for number, order in enumerate(orders):
            whole = dict(leaves(order))
            for line in [None] if lines is None else items(order, lines)[:MAX_LINES]:
                at = len(self.order_of)
                self.order_of.append(number)
                for path, value in whole.items():
                    self.columns.setdefault(path, {})[at] = value
                for path, value in () if line is None else leaves(line):
                    self.columns.setdefault(f"{lines}.{path}", {})[at] = value

    def __len__(self) -> int:
        return len(self.order_of)

    def paths(self, name: str) -> Iterator[str]:
        """Where a field may stand: what belongs to a line, in the line."""
        has_lines = any("[]" in path for path in self.columns)
        return (path for path in self.columns if not has_lines or ("[]" in path) == (name in LINE_FIELDS))

    def rank(self, name: str, path: str) -> int | None:
        """How sure the name of a path is for a field, 0 the surest; None where it is another thing."""
        return _rank(name, path, self._parent)

    def values(self, paths: Iterable[str]) -> Values:
        """By the first of the paths where something stands."""
        merged: Values = {}
        for path in paths:
            merged = {**self.columns[path], **merged}
        return merged


def _rank(name: str, path: str, parent: str) -> int | None:
    steps = path.rpartition("[].")[2].split(".")
    names = (plain(name), *OTHER_NAMES[name])
    last, depth = plain(steps[-1]), len(steps) - 1
    ranks = []
    if last in names and (depth == 0 or last not in VAGUE):
        ranks.append(names.index(last) + DEEPER * depth)
    joined = (plain(steps[-2]) if depth else parent) + last
    if joined != last and joined in names:
        ranks.append(names.index(joined) + DEEPER * max(0, depth - 1))
    return min(ranks, default=None)


def _choose(name: str, samples: _Samples, taken: Mapping[str, tuple[str, ...]], now: datetime) -> tuple[str, ...]:
    """The path with the surest name whose values are right; with others that have a value where it has none."""
    used = {path for paths in taken.values() for path in paths}
    ranked = []
    for path in samples.paths(name):
        values = samples.columns[path]
        rank = samples.rank(name, path)
        if rank is not None and path not in used and _fits(name, values.values(), now):
            ranked.append((rank, -len(values), path))
    chosen: list[str] = []
    covered: set[int] = set()
    for _, _, path in sorted(ranked):
        if not chosen or samples.columns[path].keys() - covered:
            chosen.append(path)
            covered |= samples.columns[path].keys()
        if len(covered) == len(samples):
            break
    return tuple(chosen)


def _fits(name: str, values: Iterable[Any], now: datetime) -> bool:
    right = [_is_right(name, value, now) for value in values]
    return bool(right) and sum(right) >= FITS * len(right)


def _is_right(name: str, value: Any, now: datetime) -> bool:
    if name.endswith("_id"):
        return (isinstance(value, int) and value > 0) or (isinstance(value, str) and 0 < len(value) <= MAX_ID)
    if name in ("product_title", "category"):
        return isinstance(value, str) and len(value) <= MAX_TEXT
    if name == "timestamp":
        return _time_unit_of(value) is not None or _is_time(value, now)
    number = _number(value)
    if number is None or not 0 <= number < PRICE_LIMIT * MAX_QUANTITY:
        return False
    return name != "quantity" or (1 <= number <= MAX_QUANTITY and number == number.to_integral_value())


def _is_time(value: Any, now: datetime) -> bool:
    try:
        event_time(value, now)
    except (Rejected, TypeError, AttributeError):
        return False
    return True


def _number(value: Any) -> Decimal | None:
    """Of a number, or of a text of digits."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value)
    if isinstance(value, str) and not (text.isascii() and text.replace(".", "", 1).isdecimal() and text[0] != "." != text[-1]):
        return None
    return Decimal(text) if len(text) < 40 and text.lower() not in ("nan", "inf", "-inf") else None


def _title_for_id(found: dict[str, tuple[str, ...]], samples: _Samples, notes: dict[str, str]) -> None:
    """A product that has only a title is known by it. (One that has only an id is shown by that: the contract's own rule.)"""
    if "product_id" in found or "product_title" not in found:
        return
    if all(len(str(value)) <= MAX_ID for value in samples.values(found["product_title"]).values()):
        found["product_id"] = found["product_title"]
        notes["product_id"] = "no product_id was found: product_title stands in for it"


def _unit(found: Mapping[str, tuple[str, ...]], samples: _Samples, notes: dict[str, str]) -> str:
    """Whether prices are in cents: whole numbers, and a name or a sum says so."""
    paths = found.get("price", ())
    prices = {at: number for at, value in samples.values(paths).items() if (number := _number(value)) is not None}
    if not prices or any("." in str(value) or value != value.to_integral_value() for value in prices.values()):
        return "units"
    if any(mark in plain(path.rpartition(".")[2]) for path in paths for mark in IN_CENTS):
        return "cents"
    quantities = samples.values(found.get("quantity", ()))
    lines = {at: price * count for at, price in prices.items() if (count := _number(quantities.get(at))) is not None}
    orders: dict[int, Decimal] = {}
    for at, amount in lines.items():
        orders[samples.order_of[at]] = orders.get(samples.order_of[at], Decimal(0)) + amount
    for path, column in samples.columns.items():
        sums = {at: number for at, value in column.items() if at in lines and (number := _number(value)) is not None}
        if path in paths or not any(value != value.to_integral_value() for value in sums.values()):
            continue
        expected = {at: lines[at] if "[]" in path else orders[samples.order_of[at]] for at in sums}
        if sum(value * 100 == expected[at] for at, value in sums.items()) >= FITS * len(sums):
            notes["unit"] = f"{path} is a hundredth of price x quantity"
            return "cents"
    if min(prices.values()) >= 100:
        notes["unit"] = 'every price is a whole number: if they are in cents, set unit = "cents"'
    return "units"


def _revenue(found: Mapping[str, tuple[str, ...]], samples: _Samples, unit: str) -> tuple[str, ...]:
    """Where price x quantity stands, if anywhere; it may be absent, but must not be something else."""
    prices, quantities = samples.values(found.get("price", ())), samples.values(found.get("quantity", ()))
    used = {path for paths in found.values() for path in paths}
    ranked = sorted((rank, path) for path in samples.paths("revenue") if (rank := samples.rank("revenue", path)) is not None)
    for _, path in ranked:
        column = samples.columns[path]
        right = 0
        for at, value in column.items():
            revenue, price, quantity = _number(value), _number(prices.get(at)), _number(quantities.get(at))
            if revenue is not None and price is not None and quantity is not None:
                half_cent = Decimal("0.5") if unit == "cents" else Decimal("0.005")
                right += abs(revenue - price * quantity) < half_cent
        if path not in used and column and right == len(column):
            return (path,)
    return ()


def _time_unit(found: Mapping[str, tuple[str, ...]], samples: _Samples, notes: dict[str, str]) -> str:
    times = list(samples.values(found.get("timestamp", ())).values())
    units = {unit for value in times if (unit := _time_unit_of(value)) is not None}
    if len(units) == 1:
        return units.pop()
    if any(map(_names_no_zone, times)):
        notes["timestamp"] = 'a time without a zone is read as UTC; else set time_zone = "Europe/Berlin"'
    return "auto"


def _names_no_zone(value: Any) -> bool:
    if not isinstance(value, str) or _number(value) is not None:
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is None
    except ValueError:  # few of the values may be none that a field can have
        return False


def _time_unit_of(value: Any) -> str | None:
    """us or ns, where a number is so large."""
    number = _number(value)
    if number is None:
        return None
    return next((unit for unit in ("ns", "us") if _TIME_UNITS[unit] <= number < _TIME_UNITS[unit] * 10**4), None)


def _may_be_order(document: Mapping[str, Any]) -> bool:
    kind = document.get("event_type")
    return not isinstance(kind, str) or EVENT_TYPES.get(kind, OrderLine) is OrderLine


def _lines(orders: Sequence[Mapping[str, Any]]) -> str | None:
    """The list that in most documents has more of what belongs to a line than the document itself."""
    votes: Counter[str] = Counter()
    for order in orders:
        own = _line_fields({path for path, _ in leaves(order)}, "")
        scores = {
            path: _line_fields({leaf for one in objects[:MAX_LINES] for leaf, _ in leaves(one)}, _singular(path))
            for path, objects in lists(order)
        }
        best = max(scores, key=lambda path: scores[path], default="")
        if best and scores[best] >= 2 and scores[best] > own:
            votes[best] += 1
    ((best, count),) = votes.most_common(1) or [("", 0)]
    return f"{best}[]" if count * 2 > len(orders) else None


def _singular(path: str) -> str:
    """Of the list `line_items`: `lineitem`, so that `items[].id` is the id of an item."""
    return plain(path.removesuffix("[]").rpartition(".")[2]).removesuffix("s")


def _line_fields(paths: set[str], parent: str) -> int:
    names = ("product_id", "product_title", "price", "quantity")
    return sum(any(_rank(name, path, parent) is not None for path in paths) for name in names)


def _own_place(name: str, lines: str | None) -> str:
    """Where a field is looked for without a mapping."""
    return f"{lines}.{name}" if lines is not None and name in LINE_FIELDS else name
