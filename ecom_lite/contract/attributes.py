"""Declared attributes: extra fields of an order line, from what stands on the wire to typed values on the event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from operator import attrgetter
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from ..settings.attributes import AttributeType
from .fields import MAX_INT64, MAX_TEXT, OrderLine
from .rejected import Rejected, short

PREFIX: Final = "attribute_"  # of the event's own field, so that no name is in the way of Python's or of the contract's
SCALE: Final = 6  # decimals of a number that are kept
MAX_DIGITS: Final = 18  # of a number, before its point
_LIMIT: Final = Decimal(10) ** MAX_DIGITS
_STEP: Final = Decimal(1).scaleb(-SCALE)
_EXACT: Final = Context(prec=MAX_DIGITS + SCALE + 1)
_MAX_CHARS: Final = 64  # of a number that is written as a text
_NUL: Final = b"\\u0000"
_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode
Value = str | int | Decimal | bool | None


class Attribute(NamedTuple):
    """`field` is where its value stands on the event."""

    name: str
    type: AttributeType

    @property
    def field(self) -> str:
        return PREFIX + self.name


class Attributes:
    """What [events.attributes] declares. False where it is nothing."""

    def __init__(self, declared: Mapping[str, AttributeType]) -> None:
        self.each = tuple(Attribute(name, kind) for name, kind in declared.items())
        self._quick: tuple[tuple[Attribute, Callable[[Any], Value]], ...] = tuple((one, _QUICK[one.type]) for one in self.each)

    def __bool__(self) -> bool:
        return bool(self.each)

    def raw(self) -> dict[str, tuple[str, Any]]:
        """For `wire_struct`: by the event's field its name on the wire, and its type there, which takes anything."""
        return {one.field: (one.name, msgspec.Raw) for one in self.each}

    def quick(self, names: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
        """The same for what is mostly sent: the decoder makes the values. `names` are those on the wire."""
        return {one.field: (names.get(one.name, one.name), _WIRE[one.type]) for one in self.each}

    def settle(self, event: OrderLine) -> None:
        """Each raw value becomes one of its attribute's type. Raises Rejected."""
        for one in self.each:
            raw = getattr(event, one.field)
            setattr(event, one.field, None if raw is None else _judged(one, bytes(raw)))

    def settle_quickly(self, event: OrderLine, value: bytes) -> None:
        """The same where the decoder has made the values of `value`. Raises Rejected, without a reason for people."""
        if _NUL in value:
            raise Rejected("nul_byte", "")
        for one, check in self._quick:
            found = getattr(event, one.field)
            if found is not None:
                setattr(event, one.field, check(found))


def attributes_of(event: object) -> dict[str, Value]:
    """The attributes of an event, by name; none where it was read without any."""
    fields: Iterable[str] = getattr(event, "__struct_fields__", ())
    return {name.removeprefix(PREFIX): getattr(event, name) for name in fields if name.startswith(PREFIX)}


def getter(attributes: Iterable[Attribute]) -> Callable[[object], tuple[Value, ...]]:
    """Reads all of them from an event. AttributeError where it was read without any."""
    fields = [one.field for one in attributes]
    get: Any = attrgetter(*fields)
    return get if len(fields) > 1 else lambda event: (get(event),)


def _judged(one: Attribute, raw: bytes) -> Value:
    try:
        value = _decode(raw)
    except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
        raise Rejected("wrong_type", f"{one.name} {short(raw.decode())} cannot be read") from None
    if value is None or value == "":
        return None
    return _READ[one.type](one, value)


def _text(one: Attribute, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise _wrong(one, value, "a text")
    text = str(value)  # of a number: as it was written
    if len(text) > MAX_TEXT:
        raise Rejected("out_of_range", f"{one.name} has {len(text):,} characters; {MAX_TEXT} fit")
    if "\0" in text:
        raise Rejected("nul_byte", f"{one.name} has a NUL character")
    return text


def _integer(one: Attribute, value: Any) -> int:
    number = _decimal(one, value, "a whole number")
    if number != number.to_integral_value():
        raise _wrong(one, value, "a whole number")
    if not -MAX_INT64 <= number <= MAX_INT64:
        raise Rejected("out_of_range", f"{one.name} {short(number)} is no 64-bit integer")
    return int(number)


def _number(one: Attribute, value: Any) -> Decimal:
    number = _decimal(one, value, "a number")
    if -_LIMIT < number < _LIMIT:  # abs() would overflow
        rounded = number.quantize(_STEP, ROUND_HALF_EVEN, _EXACT)
        if abs(rounded) < _LIMIT:
            return rounded
    raise Rejected("out_of_range", f"{one.name} {short(number)} has more than {MAX_DIGITS} digits before its point")


def _decimal(one: Attribute, value: Any, wanted: str) -> Decimal:
    try:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            number = Decimal(value)
        elif isinstance(value, str) and len(value) <= _MAX_CHARS and value.isascii() and "_" not in value:
            number = Decimal(value.strip())
        else:
            raise _wrong(one, value, wanted)
    except ArithmeticError:
        raise _wrong(one, value, wanted) from None
    if not number.is_finite():
        raise _wrong(one, value, wanted)
    return number


def _boolean(one: Attribute, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _wrong(one, value, "true or false")


def _wrong(one: Attribute, value: object, wanted: str) -> Rejected:
    return Rejected("wrong_type", f'{one.name} {short(value)} is not {wanted} (events.attributes.{one.name} = "{one.type}")')


_READ: Final[Mapping[AttributeType, Callable[[Attribute, Any], Value]]] = {
    "text": _text, "dimension": _text, "integer": _integer, "number": _number, "boolean": _boolean,
}  # fmt: skip


def _short_text(value: str) -> str | None:
    if len(value) > MAX_TEXT:
        raise Rejected("out_of_range", "")
    return value or None


def _as_it_is(value: Any) -> Value:
    return value  # type: ignore[no-any-return]


def _plain_number(raw: msgspec.Raw) -> Decimal | None:
    return _number(_ANY_NUMBER, _decode(raw)) if bytes(raw) != b"null" else None


_ANY_NUMBER: Final = Attribute("", "number")
_INTEGER: Final = Annotated[int, msgspec.Meta(ge=-MAX_INT64, le=MAX_INT64)]
_WIRE: Final[Mapping[AttributeType, Any]] = {
    "text": str, "dimension": str, "integer": _INTEGER, "number": msgspec.Raw, "boolean": bool,
}  # fmt: skip
_QUICK: Final[Mapping[AttributeType, Callable[[Any], Value]]] = {
    "text": _short_text, "dimension": _short_text, "integer": _as_it_is, "number": _plain_number, "boolean": _as_it_is,
}  # fmt: skip
