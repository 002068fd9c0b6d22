"""Disturbed histories of a shop, by a seed: what a loader may have put into the warehouse, in an order that nobody chose."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg

from ecom_lite.warehouse.connect import Address

from .facts import DAY0, Line, insert_lines, settle

KINDS = ("order_cancelled", "order_returned")
PLACES = (("Turin", "Italy"), ("Bern", "Switzerland"), ("Graz", "Austria"), (None, "Italy"), ("Lyon", None))
Change = tuple[str, datetime, str, str | None, str | None, str | None]


@dataclass
class History:
    """Events that are made up at random, and what has been loaded of them. Few ids: whatever can meet, meets."""

    seed: int
    days: int = 70  # over three months
    first: datetime = DAY0 - timedelta(days=45)
    lines: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._returned: set[tuple[str, str, str, str]] = set()
        self._withheld: list[Line] = []
        self._seen: set[tuple[str, int]] = set()

    def load(self, warehouse: Address) -> None:
        """One loader's transaction or a few: new lines, some of old orders; returns, some of lines that come later; profiles."""
        for _ in range(self._rng.randint(1, 3)):
            with warehouse.connect("ecom_loader") as connection:
                self._load_lines(connection)
                if self._rng.random() < 0.8:
                    self._load_returns(connection)
                if self._rng.random() < 0.8:
                    self._load_changes(connection)
        settle(warehouse)

    def _moment(self) -> datetime:
        moment = self.first + timedelta(seconds=self._rng.randrange(self.days * 86_400))
        # Where a day, a month or an hour of the night ends, to the second.
        return moment if self._rng.random() < 0.8 else moment.replace(hour=self._rng.choice((0, 22, 23)), minute=0, second=0)

    def _line(self) -> Line:
        while True:
            key = (f"o-{self._rng.randrange(200)}", self._rng.randint(1, 12))
            if key not in self._seen:
                self._seen.add(key)
                price = Decimal(self._rng.choice((0, 1, 999, self._rng.randint(1, 9_999)))) / 100
                # An order has one customer nearly always, one time nearly always.
                order = random.Random(f"{self.seed} {key[0]}")
                customer, at = order.randint(1, 25), self.first + timedelta(seconds=order.randrange(self.days * 86_400))
                odd = self._rng.random()
                customer = customer if odd > 0.03 else self._rng.randint(1, 25)
                return Line(key[0], customer, key[1], self._rng.randint(1, 5), price, at if odd < 0.9 else self._moment())

    def _load_lines(self, connection: psycopg.Connection) -> None:
        new = [self._line() for _ in range(self._rng.randint(0, 60))]
        late = [line for line in new if self._rng.random() < 0.2]
        came = [line for line in self._withheld if self._rng.random() < 0.5]
        self._withheld = [line for line in self._withheld if line not in came] + late
        loaded = [line for line in new if line not in late] + came
        insert_lines(connection, loaded)
        said = {"channel": self._rng.choice(("web", "till", None)), "list_price": self._rng.choice((None, 20, 99.99))}
        change = "UPDATE warehouse.fact_sales SET channel = %(channel)s, list_price = %(list_price)s "
        connection.execute(f"{change} WHERE load_xid = ops.load_order()", said)
        self.lines += loaded

    def _load_returns(self, connection: psycopg.Connection) -> None:
        for _ in range(self._rng.randint(1, 25)):
            pool = self._withheld if self._withheld and self._rng.random() < 0.3 else self.lines
            if not pool:
                return
            line = self._rng.choice(pool)
            product = str(line.product_id) if self._rng.random() < 0.95 else "no such product"
            part = self._rng.choice(("", "", "second"))
            key = (line.order_id, product, self._rng.choice(KINDS), part)
            if key in self._returned:
                continue
            self._returned.add(key)
            after = timedelta(seconds=self._rng.choice((-3_600, 0, 60, 86_400 * self._rng.randint(1, 40))))
            quantity = self._rng.choice((1, line.quantity, line.quantity, self._rng.randint(1, 8)))
            connection.execute(
                "INSERT INTO warehouse.fact_returns (order_id, product_id, kind, return_id, quantity, reason, returned_at, "
                "source_partition, source_offset, load_xid) VALUES (%s, %s, %s, %s, %s, %s, %s, 0, 0, ops.load_order())",
                [*key, quantity, self._rng.choice(("", "too small", "broken")), line.ordered_at + after],
            )

    def _load_changes(self, connection: psycopg.Connection) -> None:
        """As the loader: of changes of one customer, time and kind the greater value of each field stays."""
        for _ in range(self._rng.randint(1, 8)):
            user, (city, country) = str(self._rng.randint(1, 25)), self._rng.choice(PLACES)
            # Days only, so that two changes of a customer often meet in one moment.
            at = self.first + timedelta(days=self._rng.randrange(self.days))
            kind, name = self._rng.choice(("user_registered", "user_updated")), self._rng.choice((None, "Ada", "Bo"))
            connection.execute(
                "INSERT INTO warehouse.dim_user AS u (user_id, name, city, country) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (user_id) DO UPDATE SET name = coalesce(excluded.name, u.name), "
                "city = coalesce(excluded.city, u.city), country = coalesce(excluded.country, u.country)",
                [user, name, city, country],
            )
            connection.execute(
                "INSERT INTO warehouse.user_changes AS c (user_id, changed_at, kind, name, city, country, source_partition, "
                "source_offset, load_xid) VALUES (%s, %s, %s, %s, %s, %s, 0, 0, ops.load_order()) "
                "ON CONFLICT (user_id, changed_at, kind) DO UPDATE SET name = greatest(c.name, excluded.name), "
                "city = greatest(c.city, excluded.city), country = greatest(c.country, excluded.country), "
                "load_xid = excluded.load_xid "
                "WHERE (c.name, c.city, c.country) IS DISTINCT FROM (greatest(c.name, excluded.name), "
                "greatest(c.city, excluded.city), greatest(c.country, excluded.country))",
                [user, at, kind, name, city, country],
            )
