"""The records of a round: order lines, other events, repetitions and nonsense, drawn from the round's own random source."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

PARTITIONS: Final = 4
REFUSED_QUANTITY: Final = 7_777  # a valid order line that a CHECK of the round's database refuses
TOO_LARGE: Final = 1_000_001  # bytes, one more than an event may have
FIRST_DAY: Final = datetime(2025, 1, 1, tzinfo=UTC)
CATEGORIES: Final = ("Books", "Kitchen", "Garden", "Toys", "Música", "家電", "Büro", "Sport & Spiel")
PRODUCTS: Final = 60
DECIMALS: Final[Mapping[str | None, int]] = {"EUR": 2, "usd": 2, "": 2, "JPY": 0, "KWD": 3, "CLF": 4}
CODECS: Final = (None, None, "gzip", "lz4")
NOTHING: Final[Mapping[str, Any]] = {}
PORTION: Final = (40, 400)  # records that are sent together


@dataclass(frozen=True, slots=True)
class Sent:
    """One record as it goes to the broker. `own` ones carry our producer's header."""

    partition: int
    key: bytes | None
    value: bytes | None
    own: bool


@dataclass(frozen=True, slots=True)
class Portion:
    """Records that are sent one after the other, in batches of one codec; `transaction` is how a transaction around them ends."""

    records: list[Sent]
    codec: str | None = None
    transaction: str | None = None  # "commit", "abort", None for no transaction


@dataclass(slots=True)
class Drawn:
    """What was drawn so far, so that it can be repeated: lines by key, so that a repetition says the same."""

    draw: random.Random
    refuse: bool = False
    values: list[bytes] = field(default_factory=list)
    next_order: int = 0
    _next_product: int = 0

    def portions(self, count: int, *, transactions: bool) -> list[Portion]:
        """About `count` records; now and then, where allowed, in a transaction of a foreign producer."""
        draw, portions, left = self.draw, [], count
        transactions = transactions and draw.random() < 0.4
        while left > 0:
            size = min(left, draw.randint(*PORTION))
            transaction = draw.choice(("commit", "commit", "abort")) if transactions and draw.random() < 0.3 else None
            # What was aborted never happened: it must not be the first sending of a key that is repeated later.
            known = self._known()
            records = [self._record() for _ in range(size)]
            if transaction == "abort":
                self._forget(known)
            portions.append(Portion(records, draw.choice(CODECS), transaction))
            left -= size
        if draw.random() < 0.3:
            portions.append(Portion([Sent(draw.randrange(PARTITIONS), b"big", b"x" * TOO_LARGE, False)]))
        return portions

    def _known(self) -> tuple[int, ...]:
        return (len(self.values),)

    def _forget(self, known: tuple[int, ...]) -> None:
        """What was drawn since."""
        del self.values[known[0] :]

    def _record(self) -> Sent:
        draw = self.draw
        kind = draw.random()
        if kind < 0.74:
            value: bytes | None = self._keep(self._line())
        elif kind < 0.86 and self.values:
            # Near ones meet in one batch, far ones in another, mostly of another partition.
            near = draw.random() < 0.5
            value = draw.choice(self.values[-30:] if near else self.values)
        elif kind < 0.93:
            value = self._keep(self._other())
        else:
            value = draw.choice(POISON)(draw)
        key = None if value is not None and draw.random() < 0.1 else str(draw.randrange(60)).encode()
        return Sent(draw.randrange(PARTITIONS), key, value, draw.random() < 0.6)

    def _keep(self, value: bytes) -> bytes:
        self.values.append(value)
        return value

    def _line(self) -> bytes:
        draw = self.draw
        if draw.random() < 0.6:
            self.next_order += 1  # else one more line of the same order
        # Products take turns, so that a key never comes with two contents: which one is the truth would depend on the order.
        self._next_product += 1
        quantity = REFUSED_QUANTITY if self.refuse and draw.random() < 0.01 else draw.randint(1, 20)
        order: int | str = self.next_order if self.next_order % 7 == 0 else f"order-{self.next_order}"
        return line(draw, order, self._next_product % PRODUCTS + 1, quantity)

    def _other(self) -> bytes:
        draw = self.draw
        at = moment(draw)
        if draw.random() < 0.5:
            kind = draw.choice(("order_cancelled", "order_returned"))
            order = f"order-{draw.randint(1, max(1, self.next_order))}"
            product = identity(draw, draw.randint(1, PRODUCTS))
            part = {"event_id": draw.choice(("part-1", "part-2"))} if draw.random() < 0.5 else {}
            return text({"event_type": kind, "order_id": order, "product_id": product, "quantity": 1,
                         "reason": "no longer wanted", "timestamp": at, **part})  # fmt: skip
        kind = draw.choice(("user_registered", "user_updated"))
        return text(
            {"event_type": kind, "user_id": identity(draw, draw.randint(1, 80)), "name": "Zoë", "city": "Köln", "timestamp": at}
        )


def line(draw: random.Random, order: str | int, product: int, quantity: int, broken: Mapping[str, Any] = NOTHING) -> bytes:
    """A valid order line, unless fields are `broken`. One of None is left out."""
    small, currency = draw.randint(0, 99_999), draw.choice(tuple(DECIMALS)) if draw.random() < 0.15 else None
    decimals = DECIMALS.get(currency, 2)
    base = {
        "order_id": order, "user_id": identity(draw, draw.randint(1, 60)), "product_id": identity(draw, product),
        "product_title": title(draw, product), "category": CATEGORIES[product % len(CATEGORIES)],
        "price": Money(small, decimals), "quantity": quantity, "revenue": Money(small * quantity, decimals),
        "timestamp": moment(draw), "currency": currency,
        "list_price": listed(draw, small, decimals) if draw.random() < 0.2 else None,
    }  # fmt: skip
    return text({name: value for name, value in {**base, **broken}.items() if value is not None})


def listed(draw: random.Random, small: int, decimals: int) -> str:
    """A list price above the price, or a bit below it, as a number or its digits; or none, in an empty text."""
    found = Money(max(0, small + draw.randint(-50, 500)), decimals)
    return draw.choice((found, found, str.__str__(found), ""))


def title(draw: random.Random, product: int) -> str | None:
    """One of the names of a product, or none: then the others are shown, or its id."""
    if product % 7 == 0 or draw.random() < 0.2:
        return draw.choice(("", None))
    return draw.choice((f"Product {product}", f"Produkt {product}"))


def identity(draw: random.Random, number: int) -> int | str:
    """A customer or a product, as its producer names it: by a UUID, by an SKU, or by a number in one of its spellings."""
    if number % 5 == 0:
        return str(UUID(int=number))
    if number % 5 == 1:
        return f"SKU-{number:03} ü"
    return draw.choice((str(number), f"{number:09}", Number(f"{number}.0"))) if draw.random() < 0.1 else number


class Number(str):
    """A JSON number, written by hand: no float comes near it."""


class Money(Number):
    """An amount, of so many of the currency's smallest units."""

    def __new__(cls, small: int, decimals: int = 2) -> Money:
        return super().__new__(cls, f"{Decimal(small).scaleb(-decimals):f}")


def text(fields: Mapping[str, Any]) -> bytes:
    """One JSON object."""
    return _json(fields).encode()


def _json(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(name)}:{_json(inside)}" for name, inside in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return value if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)


def moment(draw: random.Random) -> str:
    """An event time of the first months of 2025: ISO 8601, epoch seconds or milliseconds, as a number or as its digits."""
    at = FIRST_DAY + timedelta(seconds=draw.randrange(100 * 86_400))
    seconds, form = int(at.timestamp()), draw.random()
    if form < 0.1:
        return Number(seconds * 1000)
    if form < 0.14:
        return Number(f"{seconds}.{seconds % 999_983:06d}")
    if form < 0.17:
        return Number(seconds)
    if form < 0.2:
        return f"{seconds}.{seconds % 997:03d}"
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


# One or more of every reason for which a record becomes a dead letter; too large ones are sent apart.
RUBBISH: Final[tuple[Callable[[random.Random], bytes | None], ...]] = (
    lambda draw: None,
    lambda draw: b"",
    lambda draw: b"\xff\xfe not text %d" % draw.randrange(1000),
    lambda draw: b"nonsense %d" % draw.randrange(1000),
    lambda draw: b'{"order_id": "cut off',
    lambda draw: b"[%d]" % draw.randrange(1000),
    lambda draw: text({"event_type": "order_dreamt_of", "order_id": str(draw.randrange(1000))}),
)
BROKEN: Final[tuple[Mapping[str, Any], ...]] = (
    {"user_id": None},
    {"timestamp": None},
    {"quantity": "two"},
    {"product_title": 17},
    {"quantity": 0},
    {"quantity": 10_001},
    {"user_id": -1},
    {"user_id": "000"},
    {"product_id": "x" * 65},
    {"product_id": "nul \0 inside"},
    {"category": 5},
    {"category": "nul \0 inside"},
    {"currency": "EURO"},
    {"currency": 978},
    {"timestamp": "the day after"},
    {"timestamp": "1999-12-31T23:59:59Z"},
    {"revenue": Money(123_456_789)},
    {"list_price": "19,99"},
    {"list_price": Money(-1)},
    {"list_price": Money(123, 7)},
    {"list_price": Money(10**12)},
)


def _broken(fields: Mapping[str, Any]) -> Callable[[random.Random], bytes]:
    return lambda draw: line(draw, f"broken-{draw.randrange(10**6)}", draw.randint(1, 99), 2, fields)


POISON: Final = (*RUBBISH, *map(_broken, BROKEN))
