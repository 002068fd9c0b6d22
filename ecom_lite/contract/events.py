"""Events of the topic: JSON in and out, by the table of fields; and the headers that our own records carry."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Struct

from ..settings.currencies import DEFAULT
from . import hints
from .fields import (
    EVENT_TYPES,
    MAX_INT64,
    MAX_QUANTITY,
    PRICE_LIMIT,
    UNCATEGORISED,
    Event,
    OrderLine,
    OrderReversal,
    UserChange,
    fields_of,
    wire_struct,
)
from .money import list_price, money
from .rejected import MAX_EVENT_BYTES, Rejected, explain, not_json, refuse_not_utf8, short
from .times import EARLIEST, LATEST_AHEAD, Clock, event_time, utc_now

# The door of the room: who reads or writes an event finds here what it takes.
__all__ = [
    "EARLIEST", "EVENT_TYPES", "FAULT_HEADER", "LATEST_AHEAD", "MAX_QUANTITY", "PRICE_LIMIT", "PRODUCER_HEADER", "SCHEMA_VERSION",
    "Clock", "Event", "OrderLine", "OrderReversal", "UserChange", "encode", "event_time", "is_own", "parse", "producer_mark",
    "utc_now",
]  # fmt: skip

SCHEMA_VERSION: Final = 1
PRODUCER_HEADER: Final = "ecom_lite"  # our own records carry it, first, with producer_mark; all others are foreign
FAULT_HEADER: Final = "ecom_lite.fault"  # on those that were sent late, twice or broken on purpose: which fault

_encoder = msgspec.json.Encoder(decimal_format="number")


class _TimeAsWritten(Struct, gc=False):
    """Of any event only the time, as its JSON text: where the decoder has made a float of it."""

    timestamp: msgspec.Raw


Decoders = dict[str, Callable[[bytes], Any]]


def make_decoders(*, strict: bool, extra: Mapping[str, tuple[str, Any]] | None = None) -> Decoders:
    """By event type; each type of struct has one decoder. `extra` fields of an order line are as `wire_struct` takes them."""
    made = {
        event: msgspec.json.Decoder(wire_struct(event, strict=strict, extra=extra if event is OrderLine else None))
        for event in set(EVENT_TYPES.values())
    }
    return {kind: made[event].decode for kind, event in EVENT_TYPES.items()}


_DECODE, _DECODE_STRICTLY = make_decoders(strict=False), make_decoders(strict=True)
_decode_any = msgspec.json.Decoder(float_hook=float).decode  # also numbers that no float has: infinite
_decode_time = msgspec.json.Decoder(_TimeAsWritten).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode_text: Callable[[str], bytes] = msgspec.json.Encoder().encode
_TEXTS: Final = {
    event: tuple(one.name for one in fields_of(event) if one.python in (str, int | str))
    for event in (OrderLine, OrderReversal, UserChange)
}
_WHOLE: Final = re.compile(r"[0-9]{1,19}(?:\.0+)?")
_ESCAPE: Final = b"\\"
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


def parse(
    value: bytes | None, now: datetime, currency: str = DEFAULT, *, strict: bool = False, decoders: Decoders | None = None
) -> Event:
    """A Kafka record's value as an event whose ids are normalised and whose rules all hold.

    `now` bounds the event time, `currency` is that of amounts that name none. `strict` refuses what only means a number or
    leaves one out that can be worked out. `decoders` are others than those of the contract alone.
    Raises Rejected, and nothing else, whatever the bytes are.
    """
    decode = decoders or (_DECODE_STRICTLY if strict else _DECODE)
    if not value:
        raise Rejected("empty", "no value" if value is None else "zero bytes")
    if len(value) > MAX_EVENT_BYTES:
        raise Rejected("too_large", f"{len(value):,} bytes")
    try:
        wire = decode["order"](value)
        if not value.isascii():
            refuse_not_utf8(value)  # the decoder does not look into fields that it ignores
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _settle(_decode_other(value, decode), value, now, strict, currency)
    return settle_line(wire, value, now, strict, currency)


def settle_line(wire: Any, value: bytes, now: datetime, strict: bool, currency: str) -> OrderLine:
    """The second half of `parse`: an order line whose fields still have the types of the wire becomes one whose rules all hold.

    `value` is what it was decoded from: a float has lost digits. A time that is a datetime has been judged. Changes `wire` and
    returns it. Raises Rejected. (Each look at a field counts here: this is a quarter of a loader's work.)
    """
    if _ESCAPE in value and _NUL in value:  # one byte is found ten times as fast as six
        _refuse_nul(wire)
    if type(wire.user_id) is not int:
        wire.user_id = _id("user_id", wire.user_id, value, strict)
    if type(wire.order_id) is not str:
        wire.order_id = _number_as_text("order_id", wire.order_id, value)
    if type(wire.product_id) is not int:
        wire.product_id = _id("product_id", wire.product_id, value, strict)
    quantity = wire.quantity
    if type(quantity) is not int:
        quantity = wire.quantity = _count("quantity", quantity, value)
    revenue = wire.revenue
    wire.price, wire.revenue, wire.currency = money(
        bytes(wire.price), quantity, b"null" if revenue is None else bytes(revenue), wire.currency or currency, strict
    )
    if wire.list_price is not None:
        wire.list_price = list_price(bytes(wire.list_price), wire.currency, strict)
    if not (wire.category and wire.product_title):
        wire.category = wire.category or UNCATEGORISED
        wire.product_title = wire.product_title or str(wire.product_id)
    time = wire.timestamp
    if type(time) is not datetime:
        wire.timestamp = event_time(bytes(_decode_time(value).timestamp) if type(time) is float else time, now)
    line: OrderLine = wire
    return line


def _settle(wire: Any, value: bytes, now: datetime, strict: bool, currency: str) -> Event:
    """As `settle_line`, of any event."""
    kind = type(wire).__base__
    if kind is OrderLine:
        return settle_line(wire, value, now, strict, currency)
    if _NUL in value:
        _refuse_nul(wire)
    if type(wire.user_id) is not int and wire.user_id is not None:
        wire.user_id = _id("user_id", wire.user_id, value, strict)
    if kind is OrderReversal:
        if type(wire.order_id) is not str:
            wire.order_id = _number_as_text("order_id", wire.order_id, value)
        if type(wire.product_id) is not int:
            wire.product_id = _id("product_id", wire.product_id, value, strict)
        if type(wire.quantity) is not int:
            wire.quantity = _count("quantity", wire.quantity, value)
    time = wire.timestamp
    wire.timestamp = event_time(bytes(_decode_time(value).timestamp) if type(time) is float else time, now)
    event: Event = wire
    return event


def _decode_other(value: bytes, decode: Decoders) -> Any:
    """The other event types, and the exact reason where it is none."""
    refuse_not_utf8(value)
    try:
        document = _decode_any(value)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise not_json(value, error) from None
    if not isinstance(document, dict):
        raise not_an_object(document)
    kind = document.get("event_type")
    kind = "order" if kind is None else kind
    if not isinstance(kind, str) or kind not in decode:
        raise Rejected("unknown_type", f"event_type {short(kind)} is none of {', '.join(EVENT_TYPES)}")
    try:
        try:
            return decode[kind](value)
        except msgspec.DecodeError:
            return decode[kind](_last_of_equal_keys(value))
    except msgspec.ValidationError as error:
        if "Number out of range" in str(error):
            raise not_json(value, error) from None
        raise explain(error, document, EVENT_TYPES[kind].__struct_fields__) from None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise not_json(value, error) from None


def not_an_object(document: object) -> Rejected:
    """For a JSON value of another kind."""
    name = _JSON_NAMES.get(type(document), "number")
    return Rejected("not_an_object", f"a JSON {name}{hints.of_value(document)}")


def _last_of_equal_keys(value: bytes) -> bytes:
    """The same object with each key once: of equal ones the last counts, also where an earlier one has a wrong type."""
    fields = _decode_fields(value)
    return b"{" + b",".join(_encode_text(name) + b":" + bytes(raw) for name, raw in fields.items()) + b"}"


def _refuse_nul(event: Event) -> None:
    texts = next(texts for kind, texts in _TEXTS.items() if isinstance(event, kind))
    for name in texts:
        text = getattr(event, name, None)
        # The other events go to PostgreSQL whole; of an order line the event_id stays behind.
        if isinstance(text, str) and "\0" in text and not (name == "event_id" and isinstance(event, OrderLine)):
            raise Rejected("nul_byte", f"{name} has a NUL character")
    if isinstance(event.timestamp, str) and "\0" in event.timestamp:  # fromisoformat stops reading there
        raise Rejected("bad_timestamp", f"{short(event.timestamp)} is neither ISO 8601 nor epoch seconds or milliseconds")


def _whole(name: str, found: str | float, value: bytes) -> int:
    """A whole number that is written as a text or with a point, by what was written: a float has lost digits."""
    if isinstance(found, float):
        text = bytes(_decode_fields(value)[name]).decode()
        try:
            number = Decimal(text)
            whole = number == number.to_integral_value()
        except ArithmeticError:  # an exponent beyond all numbers
            raise Rejected("out_of_range", f"{name} {short(text)} is no number to count with") from None
        if not whole:
            raise Rejected("wrong_type", f"{name} {short(number)} is not a whole number")
        if not 0 <= number <= MAX_INT64:
            raise Rejected("out_of_range", f"{name} {short(number)} is not a positive 64-bit integer")
        return int(number)
    if not _WHOLE.fullmatch(found):
        raise Rejected("wrong_type", f"{name} {short(found)} is not a whole number")
    return int(found.partition(".")[0])


def _id(name: str, found: str | float, value: bytes, strict: bool) -> int | str:
    if isinstance(found, float):
        number = _whole(name, found, value)
    elif found.isascii() and found.isdecimal():
        number = int(found)
    elif strict:  # the pattern lets a newline pass at the end
        raise Rejected("out_of_range", f"{name} {short(found)} is not made of 1 to 19 digits")
    else:
        return found
    if number == 0 or (strict and number > MAX_INT64):
        raise Rejected("out_of_range", f"{name} {found} is not a positive 64-bit integer")
    return number if number <= MAX_INT64 else str(number)


def _number_as_text(name: str, found: float, value: bytes) -> str:
    return str(_whole(name, found, value)) if isinstance(found, float) else str(found)


def _count(name: str, found: str | float, value: bytes) -> int:
    number = _whole(name, found, value)
    if not 1 <= number <= MAX_QUANTITY:
        raise Rejected("out_of_range", f"{name} {number} is outside 1 .. {MAX_QUANTITY:,}")
    return number
