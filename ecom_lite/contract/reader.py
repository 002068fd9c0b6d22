"""A record's bytes -> the events in it, by the user's mapping: what the loader, and whoever tries a file, reads with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

import msgspec

from ..settings.currencies import DEFAULT
from ..settings.events import Events
from . import hints
from .attributes import Attributes, attributes_of
from .compiled import NotTaken, Reads, compiled
from .events import make_decoders, not_an_object, parse
from .fields import EVENT_TYPES, MAX_ID, MAX_QUANTITY, Event, OrderLine, OrderReversal, UserChange, wire_struct
from .mapping import EventMapping
from .rejected import MAX_EVENT_BYTES, Rejected, not_json, refuse_not_utf8, short

Reader = Callable[[bytes | None, datetime], Sequence[Event]]

_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


def make_reader(events: Events, currency: str = DEFAULT) -> Reader:
    """How a record is read under these settings: `reader(value, now)` gives at least one event, or raises Rejected.

    `currency` is that of amounts that name none. A record with lines gives one event per line: all of them, or it is
    rejected whole.
    """
    if events.order_prefix:
        return _PrefixedReader(events.order_prefix, make_reader(events.model_copy(update={"order_prefix": ""}), currency))
    if not events.mapped:
        return lambda value, now: (parse(value, now, currency, strict=events.strict),)
    beyond = events.model_copy(update={"attributes": {}}).mapped
    otherwise = _MappedReader(events, currency) if beyond else _ContractReader(events, currency)
    quickly = compiled(events, currency)
    return otherwise if quickly is None else _QuickReader(quickly, otherwise)


class _QuickReader:
    """Most records are as the mapping says, and are read in one pass. What is not goes the long way."""

    def __init__(self, quickly: Reads, otherwise: Reader) -> None:
        self.quickly, self.otherwise = quickly, otherwise

    def __call__(self, value: bytes | None, now: datetime) -> Sequence[Event]:
        if not value or len(value) > MAX_EVENT_BYTES:
            return (parse(value, now),)  # which refuses it
        try:
            found = self.quickly(value, now)
        except (NotTaken, Rejected, msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
            return self.otherwise(value, now)
        return found if len(found) == 1 else _one_per_product(found)


class _MappedReader:
    """Any mapping: the document is taken apart, put together by the contract, and judged as if it had been sent so."""

    def __init__(self, events: Events, currency: str) -> None:
        self._mapping = EventMapping(events, currency)
        self._currency = currency
        self._strict = events.strict
        self._several = events.lines is not None
        self._attributes = Attributes(events.attributes)
        self._decoders = make_decoders(strict=events.strict, extra=self._attributes.raw())

    def __call__(self, value: bytes | None, now: datetime) -> Sequence[Event]:
        if not value or len(value) > MAX_EVENT_BYTES:
            return (parse(value, now),)  # which refuses it
        document = _document(value)
        found: list[Event] = []
        for number, event in enumerate(self._mapping.events_of(document), 1):
            try:
                found.append(parse(_encode(event), now, self._currency, strict=self._strict, decoders=self._decoders))
                if self._attributes and isinstance(found[-1], OrderLine):
                    self._attributes.settle(found[-1])
            except Rejected as rejected:
                raise self._explained(rejected, event, document, number) from None
            except RecursionError as error:  # it could just be read, and is written a frame deeper
                raise not_json(value, error) from None
        return found if len(found) == 1 else _one_per_product(found)

    def _explained(self, rejected: Rejected, event: dict[str, Any], document: dict[str, Any], number: int) -> Rejected:
        """In terms of what was sent: of a field that is missing, where it was looked for."""
        detail = rejected.detail
        if rejected.reason == "missing_field":
            name = next((name for name in _needed(event.get("event_type")) if name not in event), "")
            if paths := self._mapping.paths.get(name):
                detail = f"{name}: nothing at {' or '.join(f'`{path}`' for path in paths)}"
            else:
                detail = f"Object missing required field `{name}`{hints.of_missing(name, document, event)}"
        return Rejected(rejected.reason, f"line {number}: {detail}" if self._several else detail)


class _ContractReader:
    """The contract's own fields, with attributes beside them."""

    def __init__(self, events: Events, currency: str) -> None:
        self._currency = currency
        self._attributes = Attributes(events.attributes)
        self._strict = events.strict
        self._decoders = make_decoders(strict=events.strict, extra=self._attributes.raw())

    def __call__(self, value: bytes | None, now: datetime) -> Sequence[Event]:
        event = parse(value, now, self._currency, strict=self._strict, decoders=self._decoders)
        if isinstance(event, OrderLine):
            self._attributes.settle(event)
        return (event,)


class _PrefixedReader:
    """Two sources may both have an order 1001: one of them is told apart by what stands before it."""

    def __init__(self, prefix: str, reader: Reader) -> None:
        self._prefix = prefix
        self._reader = reader

    def __call__(self, value: bytes | None, now: datetime) -> Sequence[Event]:
        events = self._reader(value, now)
        for event in events:
            if isinstance(event, UserChange):
                continue
            event.order_id = f"{self._prefix}{event.order_id}"
            if len(event.order_id) > MAX_ID:
                raise Rejected("out_of_range", f"order_id with events.order_prefix: more than {MAX_ID} characters")
        return events


def _document(value: bytes) -> dict[str, Any]:
    refuse_not_utf8(value)
    try:
        document = _decode(value)
    except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError) as error:
        raise not_json(value, error) from None
    if not isinstance(document, dict):
        raise not_an_object(document)
    return document


@cache
def _needed(kind: object) -> Sequence[str]:
    wire = wire_struct(EVENT_TYPES.get(kind, OrderLine) if isinstance(kind, str) else OrderLine)
    return [info.name for info in msgspec.structs.fields(wire) if info.required]


def _one_per_product(events: Sequence[Event]) -> Sequence[Event]:
    """An order has one line per product: lines that say one product at one price are added up. Raises Rejected."""
    found: dict[object, Event] = {}
    for line in events:
        first = found.setdefault(_named(line), line)
        if first is line or isinstance(first, UserChange) or isinstance(line, UserChange):
            continue
        if isinstance(first, OrderLine) and isinstance(line, OrderLine):
            if (first.price, first.currency) != (line.price, line.currency):
                both = (first, line) if first.currency == line.currency else ()
                prices = [f"{one.price}" for one in both] or [f"{one.price} {one.currency}" for one in (first, line)]
                raise Rejected(
                    "out_of_range", f"product {line.product_id!r} stands twice, at {' and '.join(prices)}: an order "
                    "has one line per product, so give the second another order_id or product_id"
                )  # fmt: skip
            for (name, before), value in zip(_said(first).items(), _said(line).values(), strict=True):
                if before != value:
                    raise Rejected(
                        "out_of_range", f"product {line.product_id!r} stands twice, with {name} {short(before)} and "
                        f"{short(value)}: an order has one line per product, so give the second another order_id or product_id"
                    )  # fmt: skip
            first.revenue += line.revenue
        first.quantity += line.quantity
        if first.quantity > MAX_QUANTITY:
            raise Rejected("out_of_range", f"product {line.product_id!r}: {first.quantity:,} units in all; {MAX_QUANTITY:,} fit")
    return list(found.values())


def _named(event: Event) -> object:
    """What an event is about: in a list of lines each may name an order, or a type, of its own."""
    if isinstance(event, UserChange):
        return id(event)
    if isinstance(event, OrderReversal):  # a line may come back in parts, as the warehouse tells them apart
        return event.event_type, event.order_id, event.product_id, event.event_id or event.timestamp
    return event.order_id, event.product_id


def _said(line: OrderLine) -> dict[str, object]:
    """What of a line must not differ between two lines that are added up, beside its price."""
    return {"list_price": line.list_price, **attributes_of(line)}
