"""The event types of the topic, once: fields, rules, JSON in and out. Everyone who reads or writes an event uses these."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from . import hints
from .rejected import MAX_EVENT_BYTES, Rejected, explain, not_json, refuse_not_utf8, short
from .times import EARLIEST, LATEST_AHEAD, Clock, event_time, utc_now

__all__ = [
    "EARLIEST", "EVENT_TYPES", "FAULT_HEADER", "LATEST_AHEAD", "MAX_QUANTITY", "PRICE_LIMIT", "PRODUCER_HEADER", "SCHEMA_VERSION",
    "Clock", "Event", "OrderLine", "OrderReversal", "UserChange", "encode", "event_time", "is_own", "json_schemas", "parse",
    "producer_mark", "utc_now", "write_schemas",
]  # fmt: skip

SCHEMA_VERSION: Final = 1
PRODUCER_HEADER: Final = "ecom_lite"  # our own records carry it, first, with producer_mark; all others are foreign
FAULT_HEADER: Final = "ecom_lite.fault"  # on those that were sent late, twice or broken on purpose: which fault
MAX_QUANTITY: Final = 10_000
PRICE_LIMIT: Final = Decimal(100_000_000)  # exclusive
MAX_MONEY_CHARS: Final = 64

# What is accepted on the wire, before `parse` has made it one type.
WireId = Annotated[int, Meta(gt=0, le=9_223_372_036_854_775_807)] | Annotated[str, Meta(pattern=r"^[0-9]{1,19}$")]
WireOrderId = Annotated[str, Meta(min_length=1, max_length=64)] | Annotated[int, Meta(ge=0, le=9_223_372_036_854_775_807)]
WireTime = Annotated[
    str | int | float,
    Meta(
        description="ISO 8601 (no zone means UTC); or a number, also as a string of digits: below 100000000000 epoch seconds, "
        "else epoch milliseconds, with or without a fraction. What is finer than a microsecond is cut off. From 2000-01-01 to a "
        "day ahead of now."
    ),
]
Text = Annotated[str, Meta(min_length=1, max_length=200)]
Quantity = Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]


class OrderLine(Struct, kw_only=True, gc=False, omit_defaults=True):
    """One line of an order: the grain of `warehouse.fact_sales`. Times are in UTC, money is exact."""

    order_id: str
    user_id: int
    product_id: int
    product_title: Text
    category: Text
    price: Decimal
    quantity: Quantity
    revenue: Decimal
    timestamp: datetime
    event_id: str | None = None
    event_type: Literal["order"] | None = None
    schema_version: int | None = None


class OrderReversal(Struct, kw_only=True, gc=False, omit_defaults=True):
    """A line taken back: cancelled before it was sent, or returned after."""

    event_type: Literal["order_cancelled", "order_returned"]
    order_id: str
    user_id: int | None = None
    product_id: int
    quantity: Quantity
    reason: Annotated[str, Meta(max_length=200)] = ""
    timestamp: datetime
    event_id: str | None = None
    schema_version: int | None = None


class UserChange(Struct, kw_only=True, gc=False, omit_defaults=True):
    """A customer's profile, whole, as of `timestamp`: signed up or changed."""

    event_type: Literal["user_registered", "user_updated"]
    user_id: int
    name: Annotated[str, Meta(max_length=200)] | None = None
    email: Annotated[str, Meta(max_length=200)] | None = None
    city: Annotated[str, Meta(max_length=200)] | None = None
    country: Annotated[str, Meta(max_length=200)] | None = None
    timestamp: datetime
    event_id: str | None = None
    schema_version: int | None = None


Event = OrderLine | OrderReversal | UserChange

EVENT_TYPES: Final[dict[str, type[Struct]]] = {
    "order": OrderLine,
    "order_cancelled": OrderReversal,
    "order_returned": OrderReversal,
    "user_registered": UserChange,
    "user_updated": UserChange,
}

_TEXTS: Final = ("order_id", "product_title", "category", "reason", "name", "email", "city", "country")

_encoder = msgspec.json.Encoder(decimal_format="number")


class _OrderLineWire(OrderLine, kw_only=True, gc=False):
    """Money stays raw bytes until it is read as an exact decimal, never through a float."""

    order_id: WireOrderId  # type: ignore[assignment]
    user_id: WireId  # type: ignore[assignment]
    product_id: WireId  # type: ignore[assignment]
    price: msgspec.Raw  # type: ignore[assignment]
    revenue: msgspec.Raw  # type: ignore[assignment]
    timestamp: WireTime  # type: ignore[assignment]


class _OrderReversalWire(OrderReversal, kw_only=True, gc=False):
    order_id: WireOrderId  # type: ignore[assignment]
    user_id: WireId | None = None  # type: ignore[assignment]
    product_id: WireId  # type: ignore[assignment]
    timestamp: WireTime  # type: ignore[assignment]


class _UserChangeWire(UserChange, kw_only=True, gc=False):
    user_id: WireId  # type: ignore[assignment]
    timestamp: WireTime  # type: ignore[assignment]


class _TimeAsWritten(Struct, gc=False):
    """Of any event only the time, as its JSON text: where the decoder has made a float of it."""

    timestamp: msgspec.Raw


_decode_order = msgspec.json.Decoder(_OrderLineWire).decode
_decode_any = msgspec.json.Decoder().decode
_decode_time = msgspec.json.Decoder(_TimeAsWritten).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode_text: Callable[[str], bytes] = msgspec.json.Encoder().encode
_DECODE: Final[dict[str, Callable[[bytes], Any]]] = {
    "order": _decode_order,
    "order_cancelled": msgspec.json.Decoder(_OrderReversalWire).decode,
    "order_returned": msgspec.json.Decoder(_OrderReversalWire).decode,
    "user_registered": msgspec.json.Decoder(_UserChangeWire).decode,
    "user_updated": msgspec.json.Decoder(_UserChangeWire).decode,
}
_CENT: Final = Decimal("0.01")
_HALF_CENT: Final = Decimal("0.005")
_NUL: Final = b"\\u0000"
_JSON_NAMES: Final = {list: "array", str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}


def producer_mark(shop_id: str, mark: str) -> bytes:
    """PRODUCER_HEADER's value: of which shop, and in which warehouse's ledger it is. A copy in another one is foreign there."""
    return f"{shop_id}@{mark}".encode()


def is_own(headers: Sequence[tuple[str, bytes | None]], mark: bytes) -> bool:
    """Whether a record comes from a shop whose ledger is in the warehouse of this mark."""
    return bool(headers) and headers[0][0] == PRODUCER_HEADER and (headers[0][1] or b"").rpartition(b"@")[2] == mark


def encode(event: Event) -> bytes:
    """One event as one UTF-8 JSON object, the value of a Kafka record."""
    return _encoder.encode(event)


def parse(value: bytes | None, now: datetime) -> Event:
    """A Kafka record's value as an event whose ids are normalised and whose rules all hold.

    `now` bounds the event time. Raises Rejected, and nothing else, whatever the bytes are.
    """
    if not value:
        raise Rejected("empty", "no value" if value is None else "zero bytes")
    if len(value) > MAX_EVENT_BYTES:
        raise Rejected("too_large", f"{len(value):,} bytes")
    wire: Any  # its fields still have the types of the wire
    try:
        wire = _decode_order(value)
        if not value.isascii():
            refuse_not_utf8(value)  # the decoder does not look into fields that it ignores
    except (msgspec.MsgspecError, ValueError, RecursionError):
        wire = _decode_other(value)
    if _NUL in value:
        _refuse_nul(wire)
    if type(wire.user_id) is str:
        wire.user_id = _positive("user_id", wire.user_id)
    kind = type(wire)
    if kind is not _UserChangeWire:
        if type(wire.order_id) is int:
            wire.order_id = str(wire.order_id)
        if type(wire.product_id) is str:
            wire.product_id = _positive("product_id", wire.product_id)
        if kind is _OrderLineWire:
            wire.price, wire.revenue = _money(bytes(wire.price), wire.quantity, bytes(wire.revenue))
    time = wire.timestamp
    if type(time) is float:
        time = bytes(_decode_time(value).timestamp)
    wire.timestamp = event_time(time, now)
    event: Event = wire
    return event


@lru_cache(maxsize=65_536)
def _money(price_json: bytes, quantity: int, revenue_json: bytes) -> tuple[Decimal, Decimal]:
    """Price and revenue from their JSON text. A shop has few prices: most events are answered by the cache."""
    price, revenue = _number("price", price_json), _number("revenue", revenue_json)
    if not 0 <= price < PRICE_LIMIT:
        raise Rejected("out_of_range", f"price {short(price)} is outside 0 .. {PRICE_LIMIT:,}")
    if price != price.quantize(_CENT):
        raise Rejected("out_of_range", f"price {short(price)} has more than 2 decimals")
    exact = (price * quantity).quantize(_CENT)
    # To the cent: many producers multiply floats, and send 72.30000000000001 for 24.10 x 3.
    if (revenue and revenue.adjusted() > MAX_MONEY_CHARS) or abs(revenue - exact) >= _HALF_CENT:
        raise Rejected("revenue_mismatch", f"{short(revenue)} is not {price} x {quantity} = {exact}")
    return price.quantize(_CENT), exact


def _number(field: str, text: bytes) -> Decimal:
    if text[:1] not in b"-0123456789":
        found = msgspec.json.decode(text) if text[:1] == b'"' else None
        raise Rejected("wrong_type", f"{field} is {short(text.decode())}, not a JSON number{hints.of_type(field, found)}")
    if len(text) > MAX_MONEY_CHARS:
        raise Rejected("out_of_range", f"{field} has {len(text):,} characters")
    try:
        return Decimal(text.decode())
    except InvalidOperation:  # an exponent beyond all numbers
        raise Rejected("out_of_range", f"{field} {short(text.decode())} is no amount of money") from None


def _decode_other(value: bytes) -> Any:
    """The other event types, and the exact reason where it is none."""
    refuse_not_utf8(value)
    try:
        document = _decode_any(value)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise not_json(value, error) from None
    if not isinstance(document, dict):
        raise Rejected("not_an_object", f"a JSON {_JSON_NAMES[type(document)]}{hints.of_value(document)}")
    kind = document.get("event_type")
    kind = "order" if kind is None else kind
    if not isinstance(kind, str) or kind not in _DECODE:
        raise Rejected("unknown_type", f"event_type {short(kind)} is none of {', '.join(EVENT_TYPES)}")
    try:
        try:
            return _DECODE[kind](value)
        except msgspec.ValidationError:
            return _DECODE[kind](_last_of_equal_keys(value))
    except msgspec.ValidationError as error:
        raise explain(error, document, EVENT_TYPES[kind].__struct_fields__) from None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise not_json(value, error) from None


def _last_of_equal_keys(value: bytes) -> bytes:
    """The same object with each key once: of equal ones the last counts, also where an earlier one has a wrong type."""
    fields = _decode_fields(value)
    return b"{" + b",".join(_encode_text(name) + b":" + bytes(raw) for name, raw in fields.items()) + b"}"


def _refuse_nul(event: Event) -> None:
    # The other events go to PostgreSQL whole; of an order line the event_id stays behind.
    for name in _TEXTS if isinstance(event, OrderLine) else (*_TEXTS, "event_id"):
        text = getattr(event, name, None)
        if isinstance(text, str) and "\0" in text:
            raise Rejected("nul_byte", f"{name} has a NUL character")
    if isinstance(event.timestamp, str) and "\0" in event.timestamp:  # fromisoformat stops reading there
        raise Rejected("bad_timestamp", f"{short(event.timestamp)} is neither ISO 8601 nor epoch seconds or milliseconds")


def _positive(name: str, digits: str) -> int:
    if not digits.isdecimal():  # the pattern lets a newline pass at the end
        raise Rejected("out_of_range", f"{name} {short(digits)} is not made of 1 to 19 digits")
    number = int(digits)
    if not 0 < number <= 9_223_372_036_854_775_807:
        raise Rejected("out_of_range", f"{name} {digits} is not a positive 64-bit integer")
    return number


def json_schemas() -> dict[str, dict[str, Any]]:
    """One JSON Schema per event type, as written to docs/schemas by `python -m ecom_lite.contract.events`."""
    wires = {OrderLine: _OrderLineWire, OrderReversal: _OrderReversalWire, UserChange: _UserChangeWire}
    money = {
        "price": {"type": "number", "minimum": 0, "exclusiveMaximum": int(PRICE_LIMIT), "description": "at most 2 decimals"},
        "revenue": {"type": "number", "minimum": 0, "description": "price x quantity, to the cent"},
    }
    schemas = {}
    for kind, struct in EVENT_TYPES.items():
        (schema,) = msgspec.json.schema(wires[struct])["$defs"].values()
        schema["title"], schema["description"] = struct.__name__, struct.__doc__
        schema["properties"] |= {name: rule for name, rule in money.items() if name in schema["properties"]}
        schemas[kind] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return schemas


def write_schemas(folder: Path) -> list[Path]:
    """Write json_schemas() as `<event type>.schema.json` into `folder`; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for kind, schema in json_schemas().items():
        file = folder / f"{kind}.schema.json"
        file.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        files.append(file)
    return files


if __name__ == "__main__":
    write_schemas(Path("docs/schemas"))
