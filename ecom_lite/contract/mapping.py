"""A mapping: where in somebody's document the fields of our events stand, and in which units. Pure: JSON values in and out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from ..settings.currencies import DECIMALS, DEFAULT, code_of
from ..settings.events import Events
from . import hints
from .fields import EVENT_TYPES, OrderLine, OrderReversal, fields_of
from .rejected import Rejected, short
from .times import BASIC_DATE_DIGITS

LINE_FIELDS: Final = frozenset(
    {"product_id", "product_title", "category", "price", "list_price", "quantity", "revenue", "reason"}
)
_ALL_FIELDS: Final = tuple(dict.fromkeys(one.name for event in EVENT_TYPES.values() for one in fields_of(event)))
_MONEY: Final = ("price", "list_price", "revenue")
_PER_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_NO_TIME_S: Final = 10**12
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS: Final = frozenset("0123456789.")
_PLAIN_DIGITS: Final = 18

Path = tuple[str, ...]
Document = Mapping[str, Any]


class EventMapping:
    """Made from the settings; `events_of` makes one document into the events that it holds, as the contract writes them.

    A field that the settings do not name is looked for under its own name. Of a document with lines, what belongs to the line
    is looked for in the line only, and what belongs to the order in the line, then in the document.
    """

    def __init__(self, events: Events, currency: str = DEFAULT) -> None:
        self._envelope = events.envelope
        self._list = None if events.lines is None else steps_of(events.lines.removesuffix("[]"))
        self._list_name = events.lines
        self._cents = events.unit == "cents"
        self._currency = currency
        self._per_second = _PER_SECOND.get(events.time_unit)
        self._zone = None if events.time_zone == "UTC" else ZoneInfo(events.time_zone)
        self._fields = (*_ALL_FIELDS, *events.attributes)
        self._constants: dict[str, str | bool | int | float] = {name: value for name, value in events.constants.items()}
        self.paths: dict[str, tuple[str, ...]] = {name: paths for name, paths in events.fields.items()}  # as the user wrote them
        self._found_at = {name: [path_in_line(path) for path in paths] for name, paths in self.paths.items()}

    def events_of(self, document: Document) -> Iterator[dict[str, Any]]:
        """Each event of a document, with the contract's names and units; not yet judged. Raises Rejected."""
        document = self._unwrapped(document)
        if self._list is None or not self._has_lines(document):
            yield self._event(document, document)
            return
        lines = look_up(document, self._list)
        if not isinstance(lines, Sequence) or isinstance(lines, str) or not lines:
            found = "is nothing" if lines is None else "is an empty list" if lines == [] else f"is {short(lines)}"
            raise Rejected(
                "missing_field", f"at `{self._list_name}` (events.lines), where the lines of the order should be, {found}"
            )
        for line in lines:
            if not isinstance(line, Mapping):
                raise Rejected("wrong_type", f"`{self._list_name}` holds {short(line)}, where each line should be an object")
            yield self._event(document, line)

    def _unwrapped(self, document: Document) -> Document:
        if self._envelope == "none":
            return document
        inside = document.get("payload", document)
        if self._envelope == "debezium" and isinstance(inside, Mapping):
            if inside.get("after") is None:
                raise Rejected("missing_field", "a change without `after`: a row was deleted, which takes no sale back")
            inside = inside["after"]
        if not isinstance(inside, Mapping):
            raise Rejected(
                "not_an_object", f"the event in the {self._envelope} envelope is {short(inside)}{hints.of_value(inside)}"
            )
        return inside

    def _has_lines(self, document: Document) -> bool:
        """A customer's profile has none, though orders on the same topic have."""
        kind = self._field("event_type", document, document)
        return EVENT_TYPES.get(kind if isinstance(kind, str) else "order", OrderLine) in (OrderLine, OrderReversal)

    def _event(self, document: Document, line: Document) -> dict[str, Any]:
        found = {name: value for name in self._fields if (value := self._field(name, document, line)) is not None}
        if self._cents:
            decimals = self.decimals_of(found.get("currency"))
            for name in _MONEY:
                if name in found:
                    found[name] = _of_smallest_units(found[name], decimals)
        if "timestamp" in found and (self._per_second or self._zone):
            time = self.time_of(found["timestamp"])
            found["timestamp"] = time.isoformat() if isinstance(time, datetime) else time
        return found

    def decimals_of(self, currency: Any) -> int:
        """Of the currency of an event; one that is none is refused later."""
        code = code_of(currency) if isinstance(currency, str) and currency else None
        return DECIMALS[code or self._currency]

    def _field(self, name: str, document: Document, line: Document) -> Any:
        """Its value; None where it is absent or null."""
        if name in self._constants:
            return self._constants[name]
        if name in self._found_at:
            looked = (look_up(line if in_line else document, path) for in_line, path in self._found_at[name])
            return next((value for value in looked if value is not None), None)
        value = line.get(name)
        return document.get(name) if value is None and name not in LINE_FIELDS else value

    def time_of(self, value: Any) -> Any:
        """A time with a zone, where it can be made; else as it came, to be judged by what was sent."""
        try:
            if self._per_second and _is_number(value):
                seconds = Decimal(value) / self._per_second
                if -_NO_TIME_S < seconds < _NO_TIME_S:  # else it would become a whole number of a million digits
                    return _EPOCH + timedelta(microseconds=int(seconds * 10**6))
            if self._zone and isinstance(value, str) and (not _is_number(value) or len(value) == BASIC_DATE_DIGITS):
                time = datetime.fromisoformat(value)
                return time.replace(tzinfo=self._zone) if time.tzinfo is None else value
        except (ValueError, ArithmeticError):
            pass
        return value


def steps_of(text: str) -> Path:
    return tuple(text.split("."))


def path_in_line(text: str) -> tuple[bool, Path]:
    """Whether a path leads into a line, and the path from there."""
    listed, inside, rest = text.partition("[].")
    return (True, steps_of(rest)) if inside else (False, steps_of(listed))


def look_up(document: Any, path: Path) -> Any:
    """What stands at a path, None where nothing does; a step of digits is a place in a list."""
    for step in path:
        if isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value) and value.isascii() and set(value) <= _DIGITS
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _of_smallest_units(value: Any, decimals: int) -> Any:
    """In whole units of the currency, of a number, also of digits in a text.

    Anything else as it came, to be refused by what was sent.
    """
    try:
        return Decimal(value).scaleb(-decimals) if _is_number(value) else value
    except ArithmeticError:
        return value


@lru_cache(maxsize=65_536)
def whole_units(json: bytes, decimals: int) -> bytes:
    """The JSON text of a number of smallest units as that of whole ones; ValueError where it is not plain digits."""
    if json == b"null":
        return json
    digits = json.removeprefix(b'"').removesuffix(b'"')
    if len(digits) > _PLAIN_DIGITS or not digits.isdigit():
        raise ValueError(json)
    return str(Decimal(digits.decode()).scaleb(-decimals)).encode()
