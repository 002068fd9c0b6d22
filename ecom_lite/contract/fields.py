"""The table of fields: the event types, and of each field its type, its limits, and how it is written in JSON and in SQL.

The structs are the table, because the type checker reads them: what they say is rendered into the decoder, the JSON Schemas,
the loader's and the export's columns, and Spark's struct. Only the harness's judged.sql is written by hand, to be independent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

MAX_QUANTITY: Final = 10_000
PRICE_LIMIT: Final = Decimal(100_000_000)  # exclusive
MAX_TEXT: Final = 200  # characters
MAX_ID: Final = 64  # characters
MAX_INT64: Final = 2**63 - 1
DIGITS: Final = r"^[0-9]+(\.[0-9]+)?$"  # a number that is written as a text
UNCATEGORISED: Final = "Uncategorised"


@dataclass(frozen=True, eq=False)  # a type's notes must be hashable
class Kind:
    """How the values of a type are written: `column` for PostgreSQL and DuckDB, `spark` for its JSON reader.

    `wire` is what the decoder takes before `parse` makes one type of it, None the type itself; `wide` is that with what people
    send besides, which strict readers refuse, and `absent` stands for a field that is not there. `rule` goes to the JSON Schema.
    """

    column: str
    spark: str = "variant"
    wire: Any = None
    wide: Any = None
    absent: Any = msgspec.NODEFAULT
    rule: Mapping[str, object] = field(default_factory=dict)


_TIME_RULE: Final = (
    "ISO 8601 (no zone means UTC); or a number, also as a string of digits: below 100000000000 epoch seconds, else epoch "
    "milliseconds, with or without a fraction. What is finer than a microsecond is cut off. From 2000-01-01 to a day ahead "
    "of now."
)
_NUMBER_ID: Final = Annotated[int, Meta(gt=0, le=MAX_INT64)]
_ID: Final = _NUMBER_ID | Annotated[str, Meta(pattern=r"^[0-9]{1,19}$")]
_ID_RULE: Final = "A number, or a text. A text of digits is a number, without its leading zeros; any other text counts as it is."
_WIDE_ID: Final = Annotated[
    _NUMBER_ID | float | Annotated[str, Meta(min_length=1, max_length=MAX_ID)], Meta(description=_ID_RULE)
]
_ORDER_ID: Final = Annotated[str, Meta(min_length=1, max_length=MAX_ID)] | Annotated[int, Meta(ge=0, le=MAX_INT64)]
_TIME: Final = Annotated[str | int | float, Meta(description=_TIME_RULE)]
# Money is raw JSON until it is read as an exact decimal, never through a float.
_PRICE_RULE: Final = {
    "type": ["number", "string"], "pattern": DIGITS, "minimum": 0, "exclusiveMaximum": int(PRICE_LIMIT),
    "description": "at most as many decimals as the currency has",
}  # fmt: skip
_LIST_PRICE_RULE: Final = {
    "type": ["number", "string", "null"], "pattern": DIGITS, "minimum": 0, "exclusiveMaximum": int(PRICE_LIMIT),
    "description": "price of one unit before any discount, which is what it is above price; at most as many decimals as the "
    "currency has; where there is none: no discount is known",
}  # fmt: skip
_REVENUE_RULE: Final = {
    "type": ["number", "string", "null"], "pattern": DIGITS, "minimum": 0,
    "description": "price x quantity, to the currency's smallest unit",
}  # fmt: skip
_CURRENCY_RULE: Final = {
    "type": ["string", "null"], "pattern": "^([A-Za-z]{3})?$",
    "description": "ISO 4217 code; where there is none: currency.default",
}  # fmt: skip
_COUNT: Final = Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]
_WIDE_NAME: Final = Annotated[str, Meta(max_length=MAX_TEXT)] | None

OrderId = Annotated[str, Kind("text", wire=_ORDER_ID, wide=_ORDER_ID | float)]
# A number, also of digits in a text, is an int; any other text is itself.
Id = Annotated[int | str, Kind("text", wire=_ID, wide=_WIDE_ID)]
Name = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT), Kind("text", wide=_WIDE_NAME, absent=None)]
Text = Annotated[str, Meta(max_length=MAX_TEXT), Kind("text")]
Price = Annotated[Decimal, Kind("decimal(10, 2)", wire=msgspec.Raw, rule=_PRICE_RULE)]
ListPrice = Annotated[Decimal, Kind("decimal(10, 2)", wire=msgspec.Raw, rule=_LIST_PRICE_RULE)]
Revenue = Annotated[Decimal, Kind("decimal(14, 2)", wire=msgspec.Raw, absent=None, rule=_REVENUE_RULE)]
Quantity = Annotated[int, Meta(ge=1, le=MAX_QUANTITY), Kind("integer", wide=_COUNT | str | float)]
Time = Annotated[datetime, Kind("timestamptz", wire=_TIME)]
Mark = Annotated[str, Kind("text")]
Currency = Annotated[str, Kind("text", rule=_CURRENCY_RULE)]
Version = Annotated[int, Kind("integer")]


class OrderLine(Struct, kw_only=True, gc=False, omit_defaults=True):
    """One line of an order: the grain of `warehouse.fact_sales`. Times are in UTC, money is exact, in `currency`."""

    order_id: OrderId
    user_id: Id
    product_id: Id
    product_title: Name
    category: Name
    price: Price
    quantity: Quantity
    revenue: Revenue
    timestamp: Time
    currency: Currency | None = None
    event_id: Mark | None = None
    event_type: Annotated[Literal["order"], Kind("text", "string")] | None = None
    schema_version: Version | None = None
    list_price: ListPrice | None = None


class OrderReversal(Struct, kw_only=True, gc=False, omit_defaults=True):
    """A line taken back: cancelled before it was sent, or returned after."""

    event_type: Annotated[Literal["order_cancelled", "order_returned"], Kind("text")]
    order_id: OrderId
    user_id: Id | None = None
    product_id: Id
    quantity: Quantity
    reason: Text = ""
    timestamp: Time
    event_id: Mark | None = None
    schema_version: Version | None = None


class UserChange(Struct, kw_only=True, gc=False, omit_defaults=True):
    """A customer's profile, whole, as of `timestamp`: signed up or changed."""

    event_type: Annotated[Literal["user_registered", "user_updated"], Kind("text")]
    user_id: Id
    name: Text | None = None
    email: Text | None = None
    city: Text | None = None
    country: Text | None = None
    timestamp: Time
    event_id: Mark | None = None
    schema_version: Version | None = None


Event = OrderLine | OrderReversal | UserChange

EVENT_TYPES: Final[dict[str, type[OrderLine] | type[OrderReversal] | type[UserChange]]] = {
    "order": OrderLine,
    "order_cancelled": OrderReversal,
    "order_returned": OrderReversal,
    "user_registered": UserChange,
    "user_updated": UserChange,
}


class Field(NamedTuple):
    """One field of an event type. `python` is the type that it has once it is parsed."""

    name: str
    python: type
    kind: Kind
    max_length: int | None  # of a text, in characters
    nullable: bool
    default: Any  # msgspec.NODEFAULT where there must be a value


@cache
def fields_of(event: type[Struct]) -> tuple[Field, ...]:
    """The fields of an event type, in their order."""
    hints = get_type_hints(event, include_extras=True)
    return tuple(_field(info.name, hints[info.name], info.default) for info in msgspec.structs.fields(event))


def _field(name: str, hint: Any, default: Any) -> Field:
    nullable = get_origin(hint) in (Union, UnionType)
    if nullable:
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    python, *notes = get_args(hint)
    (kind,) = (note for note in notes if isinstance(note, Kind))
    max_length = next((note.max_length for note in notes if isinstance(note, Meta)), None)
    return Field(name, str if get_origin(python) is Literal else python, kind, max_length, nullable, default)


def wire_struct(
    event: type[Struct],
    *,
    strict: bool = False,
    names: Mapping[str, str] | None = None,
    extra: Mapping[str, tuple[str, Any]] | None = None,
) -> type[Struct]:
    """The event type as it stands on the wire: what the decoder takes for each field.

    With `names` the fields that are in it are called so on the wire, and no field takes a float: one that is written with a
    point is read exactly only by its own name. `extra` fields stand on it too, None where they are absent: by the field's name
    its name on the wire, and its type there.
    """
    hints, changed = get_type_hints(event, include_extras=True), []
    for one in fields_of(event):
        kind = one.kind
        wire = kind.wire if strict or kind.wide is None else kind.wide
        if wire is not None:
            absent = one.default if strict or one.nullable else kind.absent
            changed.append((one.name, or_none(wire) if one.nullable else wire, absent))
        elif names is not None:  # what is inherited keeps its name
            changed.append((one.name, hints[one.name], one.default))
    if names is not None:
        changed = [(name, _without_float(wire), absent) for name, wire, absent in changed]
    if extra:
        changed += [(name, or_none(wire), None) for name, (_, wire) in extra.items()]
        names = {**(names or {}), **{name: on_wire for name, (on_wire, _) in extra.items()}}
    return msgspec.defstruct(f"_{event.__name__}Wire", changed, bases=(event,), kw_only=True, gc=False, rename=names)


def or_none(wire: Any) -> Any:
    """Raw takes null as it takes all else, and does not stand beside another type."""
    return wire if wire is msgspec.Raw else wire | None


def _without_float(hint: Any) -> Any:
    if get_origin(hint) is Annotated:
        inner, *notes = get_args(hint)
        return Annotated[(_without_float(inner), *notes)]
    if get_origin(hint) in (Union, UnionType):
        return Union[tuple(part for part in get_args(hint) if part is not float)]  # noqa: UP007
    return hint


def columns(*events: type[Struct]) -> dict[str, str]:
    """All fields of some event types, each once, with the SQL type of its column."""
    return {one.name: one.kind.column for event in events for one in fields_of(event)}
