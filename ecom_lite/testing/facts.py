"""What a test expects of the facts, held against them: which are missing, which are too many, which say something else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from ..errors import UsageError

SHOWN: Final = 10
KEY: Final = ("order_id", "product_id")  # what names an order line
# Of an event what stands in the facts as it was sent. Titles and categories are those of the newest event, wherever it is.
COMPARED: Final = ("user_id", "price", "quantity", "revenue", "currency")
ORDER: Final = "order"

Row = Mapping[str, Any]


def matching(facts: Iterable[Row], wanted: Mapping[str, object], columns: Sequence[str]) -> list[Row]:
    """The facts that have all these values. Raises UsageError where there is no such column, also while there are no facts."""
    if unknown := [name for name in wanted if name not in columns]:
        raise UsageError(f"facts have no column {', '.join(unknown)}: there are {', '.join(columns)}")
    return [row for row in facts if all(same(row[name], value) for name, value in wanted.items())]


def same(stored: object, wanted: object) -> bool:
    """Equal as the warehouse keeps it: numbers by value, ids as texts, moments by the clock (ISO 8601; without a zone UTC)."""
    if isinstance(stored, datetime):
        return stored == _moment(wanted)
    if isinstance(stored, Decimal | int) and not isinstance(wanted, bool):
        try:
            return Decimal(stored) == Decimal(str(wanted))
        except InvalidOperation:
            return False
    return stored == wanted if type(stored) is type(wanted) else str(stored) == str(wanted)


def _moment(wanted: object) -> object:
    try:
        found = datetime.fromisoformat(wanted) if isinstance(wanted, str) else wanted
    except ValueError:
        return wanted
    return found.replace(tzinfo=UTC) if isinstance(found, datetime) and found.tzinfo is None else found


def differences(facts: Iterable[Row], events: Iterable[Row]) -> list[str]:
    """Of the order lines among `events` those that are no facts, facts that are none of them, and values that differ: a line
    each.

    An event that is no order line is passed over, and so is a second one of the same line: it is a duplicate.
    """
    expected: dict[tuple[str, ...], Row] = {}
    for event in events:
        require_event(event)
        if event.get("event_type", ORDER) == ORDER:
            expected.setdefault(_key(event), event)
    there = {_key(fact): fact for fact in facts}
    found = [f"missing:  {_named(key)}" for key in expected if key not in there]
    found += [f"too many: {_named(key)}" for key in there if key not in expected]
    for key, event in expected.items():
        if key in there:
            fact = there[key]
            wrong = [n for n in COMPARED if n in event and n in fact and not same(fact[n], event[n])]
            if wrong:
                told = ", ".join(f"{name} is {fact[name]}, sent was {event[name]}" for name in wrong)
                found.append(f"differs:  {_named(key)}: {told}")
    return found


def require_event(event: object) -> None:
    """Raises UsageError for what is none, such as the keys of a single event where a list was forgotten around it."""
    if not isinstance(event, Mapping):
        raise UsageError(f"{event!r:.80} is no event (a mapping of its fields): give a list of events, also of a single one")


def shown(lines: Sequence[str]) -> str:
    """Some of the lines, indented."""
    return "".join(f"\n  {line}" for line in lines[:SHOWN]) + (
        f"\n  ... and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    )


def listed(rows: Sequence[Row]) -> str:
    """Some of the facts, indented, one a line."""
    names = [*KEY, *(name for name in COMPARED if name != "currency")]
    return shown([", ".join(f"{name} {row[name]}" for name in names if name in row) for row in rows])


def counted(count: int, one: str) -> str:
    """1 fact, 2 facts."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def _key(row: Row) -> tuple[str, ...]:
    return tuple(str(row.get(name)) for name in KEY)


def _named(key: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(KEY, key, strict=True))
