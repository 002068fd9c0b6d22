"""A till's own events with all that goes wrong with returns, list prices and clocks, made up by a seed, in no good order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

FIRST: Final = datetime(2025, 5, 8, tzinfo=UTC)
DAYS: Final = 175
RENAMED: Final = datetime(2025, 8, 1, tzinfo=UTC)  # from here on products have other titles and categories
LONG_DAY: Final = datetime(2025, 10, 25, 22, tzinfo=UTC)  # midnight in Berlin: the day has 25 hours
MIDNIGHTS: Final = (
    *(datetime(2025, month, day, 22, tzinfo=UTC) for month, day in ((5, 31), (6, 30), (7, 31), (8, 31), (9, 30))),
    LONG_DAY,
    LONG_DAY + timedelta(hours=25),
    datetime(2025, 10, 31, 23, tzinfo=UTC),
)  # where a day, mostly a month, begins in Berlin
INSTANT: Final = timedelta(microseconds=1)
PLACES: Final = (("Turin", "Italy"), ("Bern", "Switzerland"), ("Köln", "Germany"), (None, "Italy"), ("Lyon", None), (None, None))
CURRENCIES: Final = ("EUR", "JPY", "GBP")
RATES: Final = """2025-01-01,EUR,1.0837
2025-07-01,EUR,1.171513
2025-10-25,EUR,1.16
2025-06-15,JPY,0.006789
"""  # none for GBP, and none for JPY before the middle of June
REASONS: Final = ("", "too small", "broken", "zu groß")
Event = dict[str, Any]


@dataclass
class OddSales:
    """`events` gives them as they are to be sent. Returns of one line come in the order of their times, cancellations first."""

    seed: int
    orders: int
    _late: list[list[Event]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)

    def events(self) -> Iterator[Event]:
        for number in range(self.orders):
            at = self._moment(number)
            for group in [*self._order(f"till-{number}", at), *self._changes(at)]:
                # Some come in much later, but those of one line in their order.
                if self._rng.random() < 0.2:
                    self._late.append(group)
                else:
                    yield from group
            if len(self._late) > 200:
                yield from self._late.pop(self._rng.randrange(len(self._late)))
        for group in self._late:
            yield from group

    def _moment(self, number: int) -> datetime:
        if number < 50:  # each hour of the long day, at its first and at its last moment
            return LONG_DAY + timedelta(hours=number // 2) + (timedelta(hours=1) - INSTANT if number % 2 else timedelta())
        if self._rng.random() < 0.1:
            return self._rng.choice(MIDNIGHTS) + self._rng.choice((-INSTANT, timedelta(), INSTANT))
        return FIRST + timedelta(microseconds=self._rng.randrange(DAYS * 86_400_000_000))

    def _order(self, order_id: str, at: datetime) -> Iterator[list[Event]]:
        customer = f"c-{self._rng.randrange(900)}"
        for product in self._rng.sample(range(60), self._rng.choice((1, 1, 2, 3))):
            line = self._line(order_id, customer, product, at)
            if self._rng.random() < 0.03:  # one order, two days: its parts were sent apart
                line["timestamp"] = text(at + timedelta(days=1))
            elif self._rng.random() < 0.01:  # one order, two customers
                line["user_id"] = f"c-{self._rng.randrange(900)}"
            returns = self._returns(line)
            group = [line, *returns]
            if returns and self._rng.random() < 0.3:
                group = [*returns, line] if self._rng.random() < 0.5 else [returns[0], line, *returns[1:]]
            if self._rng.random() < 0.02:  # the same line again, at another price: the first counts
                price = round(line["price"] + 1, 2)
                group.append({**line, "price": price, "revenue": round(price * line["quantity"], 2), "timestamp": text(at)})
            yield group

    def _changes(self, at: datetime) -> Iterator[list[Event]]:
        """Of customers' profiles, at a moment like those of orders, or a day from it: some say less, some meet in one moment."""
        for _ in range(self._rng.choice((0, 0, 0, 1, 2))):
            (city, country), kind = self._rng.choice(PLACES), self._rng.choice(("user_registered", "user_updated"))
            said = {"name": self._rng.choice((None, "Ada", "Zoë")), "city": city, "country": country}
            moment = text(at + self._rng.choice((timedelta(), timedelta(days=1), -INSTANT)))
            change = {"event_type": kind, "user_id": f"c-{self._rng.randrange(900)}", "timestamp": moment}
            yield [change | {name: value for name, value in said.items() if value is not None}]

    def _line(self, order_id: str, customer: str, product: int, at: datetime) -> Event:
        cents = self._rng.choice((0, 1, 999, self._rng.randint(1, 50_000)))
        currency = self._rng.choice((*CURRENCIES, *[None] * 6))
        quantity = self._rng.randint(1, 7)
        epoch = at >= RENAMED
        line: Event = {
            "order_id": order_id, "user_id": customer, "product_id": f"SKU-{product}",
            "product_title": f"{'Thing' if epoch else 'Ding'} {product}", "category": f"Aisle {(product + epoch) % 7}",
            "price": cents / 100, "quantity": quantity, "revenue": cents * quantity / 100, "timestamp": text(at),
        }  # fmt: skip
        listed = self._rng.choice((None, None, cents, cents + self._rng.randint(0, 500), cents // 2))
        if currency == "JPY":  # has no cents
            line |= {"price": cents, "revenue": cents * quantity}
        unit = 1 if currency == "JPY" else 100
        said = {
            "list_price": None if listed is None else listed / unit,
            "channel": self._rng.choice((None, "till", "web")),
            "currency": currency,
        }
        return line | {name: value for name, value in said.items() if value is not None}

    def _returns(self, line: Event) -> list[Event]:
        rng, at, bought = self._rng, datetime.fromisoformat(line["timestamp"]), line["quantity"]
        chance = rng.random()
        if chance > 0.4:
            return []
        after = at + rng.choice((timedelta(), INSTANT, timedelta(days=rng.randint(1, 40), seconds=rng.randrange(86_400))))
        some = rng.randint(1, bought)
        if chance < 0.05:  # before its order
            return [self._back(line, "order_returned", some, at - INSTANT)]
        if chance < 0.10:  # more than was bought
            return [self._back(line, "order_returned", bought + rng.randint(1, 3), after)]
        if chance < 0.15:  # of a line that nobody knows, by its order or by its product
            unknown = {"order_id": f"{line['order_id']}-x"} if rng.random() < 0.5 else {"product_id": f"{line['product_id']}-x"}
            return [self._back(line, "order_returned", some, after) | unknown]
        if chance < 0.25:  # in two parts, maybe too much: the second half of a cent is no cent more
            second = after + rng.choice((timedelta(), timedelta(days=rng.randint(1, 60))))
            first_kind = rng.choice(("order_cancelled", "order_returned"))
            return [
                self._back(line, first_kind, some, after) | {"event_id": "part-1"},
                self._back(line, "order_returned", rng.randint(1, bought), second) | {"event_id": "part-2"},
            ]
        back = self._back(line, rng.choice(("order_cancelled", "order_returned")), some, after)
        if chance < 0.28:  # said twice under one name, the second time with other words: the first counts
            again = self._back(line, back["event_type"], 1, after + timedelta(days=2))
            return [back | {"event_id": "once"}, again | {"event_id": "once"}]
        return [back]

    def _back(self, line: Event, kind: str, quantity: int, at: datetime) -> Event:
        return {
            "event_type": kind, "order_id": line["order_id"], "user_id": line["user_id"], "product_id": line["product_id"],
            "quantity": quantity, "reason": self._rng.choice(REASONS), "timestamp": text(at),
        }  # fmt: skip


def text(at: datetime) -> str:
    """A time as an event has it."""
    return at.isoformat()
