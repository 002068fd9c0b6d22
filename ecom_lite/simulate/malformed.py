"""The catalogue of broken records: what real producers do wrong, and why each is a dead letter."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple

from ..contract.events import MAX_QUANTITY
from ..contract.rejected import MAX_EVENT_BYTES

DEPTH: Final = 50_000  # more than any JSON reader follows
LONG_TEXT: Final = 5_000  # characters; 200 are allowed
USUAL_WEIGHT: Final = 8  # how often a kind is drawn, beside the others
HUGE_WEIGHT: Final = 1  # a million bytes each: few of them, so that a batch of records stays small in memory

SALE: Final = frozenset({"order"})
LINES: Final = frozenset({"order", "order_cancelled", "order_returned"})
PEOPLE: Final = frozenset({"user_registered", "user_updated"})
ALL: Final = LINES | PEOPLE

_TEXTS: Final = (b"product_title", b"reason", b"city", b"name", b"email", b"country", b"order_id")

Make = Callable[[bytes], bytes | None]


class Malformed(NamedTuple):
    """One kind: `make` breaks the bytes of one of the shop's own events (None is a tombstone).

    `reason` is the key of `reasons.REASONS` that the dead letter gets; `types` are the event types that can be broken so.
    """

    make: Make
    reason: str
    what: str  # for people
    types: frozenset[str] = ALL
    weight: int = USUAL_WEIGHT


def _field(name: bytes) -> re.Pattern[bytes]:
    return re.compile(rb'"%b":("(?:[^"\\]|\\.)*"|[^,}]*)' % name)


def _put(name: bytes, raw: bytes) -> Make:
    """Give a field another JSON value."""
    pattern = _field(name)
    return lambda value: pattern.sub(lambda _: b'"%b":%b' % (name, raw), value, count=1)


def _change(name: bytes, change: Callable[[bytes], bytes]) -> Make:
    """Give a field what `change` makes of its JSON value."""
    pattern = _field(name)
    return lambda value: pattern.sub(lambda found: b'"%b":%b' % (name, change(found[1])), value, count=1)


def _rename(name: bytes, other: bytes) -> Make:
    return lambda value: value.replace(b'"%b":' % name, b'"%b":' % other, 1)


def _in_text(raw: bytes) -> Make:
    """Put bytes at the beginning of the first text that the event has."""

    def make(value: bytes) -> bytes:
        mark = next(mark for name in _TEXTS if (mark := b'"%b":"' % name) in value)
        return value.replace(mark, mark + raw, 1)

    return make


def _one_cent_more(amount: bytes) -> bytes:
    return str(Decimal(amount.decode()) + Decimal("0.01")).encode()


# The names are those of the header and of the ledger, `malformed.<kind>`.
MALFORMED: Final[dict[str, Malformed]] = {
    # No JSON object at all
    "empty": Malformed(lambda value: b"", "empty", "zero bytes"),
    "tombstone": Malformed(lambda value: None, "empty", "no value: a tombstone"),
    "huge": Malformed(
        lambda value: b'{"note":"%b",' % (b"ha" * (MAX_EVENT_BYTES // 2)) + value[1:],  # made when asked for: it is large
        "too_large",
        f"more than {MAX_EVENT_BYTES:,} bytes",
        weight=HUGE_WEIGHT,
    ),
    "latin_1": Malformed(_in_text(b"Caf\xe9 "), "not_utf8", "a text in Latin-1"),
    "utf_16": Malformed(lambda value: b"\xff\xfe" + value.decode().encode("utf-16-le"), "not_utf8", "all of it in UTF-16"),
    "cut_off": Malformed(lambda value: value[: value.index(b',"timestamp"')], "not_json", "cut off in the middle"),
    "trailing_garbage": Malformed(lambda value: value + b" -- end of record", "not_json", "text after the object"),
    "two_in_one": Malformed(lambda value: value + b"\n" + value, "not_json", "two objects in one record"),
    "python_dict": Malformed(lambda value: value.replace(b'"', b"'"), "not_json", "single quotes: a printed dictionary"),
    "error_page": Malformed(
        lambda value: b"<html><head><title>502 Bad Gateway</title></head></html>", "not_json", "an HTML page instead"
    ),
    "nan": Malformed(_put(b"revenue", b"NaN"), "not_json", "NaN, which JSON does not have", SALE),
    "deep": Malformed(
        lambda value: b'{"more":' + b"[" * DEPTH + b"]" * DEPTH + b"," + value[1:], "not_json", f"lists in lists, {DEPTH:,} deep"
    ),
    "in_a_list": Malformed(lambda value: b"[" + value + b"]", "not_an_object", "the object in a list"),
    "encoded_twice": Malformed(lambda value: json.dumps(value.decode()).encode(), "not_an_object", "the object as a JSON text"),
    # An object, but not as the contract says
    "unknown_type": Malformed(_put(b"event_type", b'"order_teleported"'), "unknown_type", "an event type that nobody knows"),
    "missing_field": Malformed(_rename(b"timestamp", b"time"), "missing_field", "`time` where `timestamp` should be"),
    "missing_product": Malformed(_rename(b"product_id", b"sku"), "missing_field", "`sku` where `product_id` should be", LINES),
    "wrong_type": Malformed(_change(b"user_id", lambda raw: b'{"id":%b}' % raw), "wrong_type", "an object as user_id"),
    "price_text": Malformed(
        _change(b"price", lambda raw: b'"%b EUR"' % raw), "wrong_type", "the price as a text with its currency", SALE
    ),
    "quantity_text": Malformed(_put(b"quantity", b'"two"'), "wrong_type", "the quantity in words", LINES),
    "quantity_zero": Malformed(_put(b"quantity", b"0"), "out_of_range", "quantity 0", LINES),
    "quantity_negative": Malformed(_change(b"quantity", lambda raw: b"-" + raw), "out_of_range", "a quantity below 0", LINES),
    "quantity_large": Malformed(
        _put(b"quantity", b"%d" % (MAX_QUANTITY + 1)), "out_of_range", f"more than {MAX_QUANTITY:,} pieces", LINES
    ),
    "price_negative": Malformed(_change(b"price", lambda raw: b"-" + raw), "out_of_range", "a price below 0", SALE),
    "price_decimals": Malformed(_change(b"price", lambda raw: raw + b"1"), "out_of_range", "a price with 3 decimals", SALE),
    "long_text": Malformed(
        _put(b"product_title", b'"%b"' % (b"z" * LONG_TEXT)), "out_of_range", f"a title of {LONG_TEXT:,} characters", SALE
    ),
    "long_number": Malformed(_put(b"user_id", b"9" * 30), "out_of_range", "a user_id of 30 digits"),
    "wrong_id": Malformed(_put(b"user_id", b"-1"), "out_of_range", "user_id -1"),
    "unknown_currency": Malformed(
        lambda value: value[:-1] + b',"currency":"EURO"}', "unknown_currency", "a currency that is no code", SALE
    ),
    "nul_byte": Malformed(_in_text(b"\\u0000"), "nul_byte", "a NUL character in a text"),
    "absurd_date": Malformed(_put(b"timestamp", b'"9999-12-31T23:59:59Z"'), "bad_timestamp", "the year 9999"),
    "epoch_zero": Malformed(_put(b"timestamp", b"0"), "bad_timestamp", "1970: a clock that was never set"),
    "no_date": Malformed(_put(b"timestamp", b'"31.12.2025 23:59"'), "bad_timestamp", "a date that is not ISO 8601"),
    "revenue_off": Malformed(_change(b"revenue", _one_cent_more), "revenue_mismatch", "revenue a cent too high", SALE),
}


def kinds_for(event_type: str) -> tuple[str, ...]:
    """The kinds that fit an event type, each as often as its weight: for a draw."""
    return tuple(kind for kind, broken in MALFORMED.items() if event_type in broken.types for _ in range(broken.weight))
