"""Facts put into the star schema by SQL, as the loader would: dimensions first, one transaction, its id as `load_xid`."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg

from ecom_lite.warehouse.connect import Address
from tests.runs import DEADLINE_S, wait_for

DAY0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
CATEGORIES = ("Books", "Garden", "Toys")


@dataclass(frozen=True)
class Line:
    """One order line."""

    order_id: str
    user_id: int
    product_id: int
    quantity: int
    price: Decimal
    ordered_at: datetime

    @property
    def category(self) -> str:
        return CATEGORIES[self.product_id % len(CATEGORIES)]

    @property
    def revenue(self) -> Decimal:
        return self.price * self.quantity


def some_lines(
    count: int, seed: int = 1, *, users: int = 30, products: int = 8, days: int = 5, orders: int | None = None
) -> list[Line]:
    """`count` different order lines. Few order ids, so that orders have many lines, span days and now and then two customers."""
    rng = random.Random(seed)
    seen: set[tuple[str, int]] = set()
    lines: list[Line] = []
    while len(lines) < count:
        key = (f"o-{seed}-{rng.randrange(orders or count)}", rng.randint(1, products))
        if key in seen:
            continue
        seen.add(key)
        at = DAY0 + timedelta(seconds=rng.randrange(days * 86_400))
        lines.append(Line(key[0], rng.randint(1, users), key[1], rng.randint(1, 5), Decimal(rng.randint(0, 9_999)) / 100, at))
    return lines


def insert_lines(connection: psycopg.Connection, lines: Sequence[Line]) -> None:
    """Put the lines and their dimensions in; the caller commits."""
    run = connection.cursor()
    run.executemany(
        "INSERT INTO warehouse.dim_category (category) VALUES (%s) ON CONFLICT DO NOTHING", {(line.category,) for line in lines}
    )
    run.executemany(
        "INSERT INTO warehouse.dim_user (user_id) VALUES (%s) ON CONFLICT DO NOTHING", {(str(line.user_id),) for line in lines}
    )
    run.executemany(
        "INSERT INTO warehouse.dim_product (product_id, product_title, category_key, described_at) "
        "SELECT %s, %s, category_key, %s FROM warehouse.dim_category WHERE category = %s ON CONFLICT DO NOTHING",
        {(str(line.product_id), f"Product {line.product_id}", DAY0, line.category) for line in lines},
    )
    run.executemany(
        "INSERT INTO warehouse.dim_date SELECT to_char(d, 'YYYYMMDD')::int, d, extract(year FROM d), extract(quarter FROM d), "
        "extract(month FROM d), extract(day FROM d), extract(week FROM d), extract(isodow FROM d), extract(isodow FROM d) > 5 "
        "FROM (SELECT %s::date AS d) ON CONFLICT DO NOTHING",
        {(line.ordered_at.astimezone(UTC).date(),) for line in lines},
    )
    run.executemany(
        "INSERT INTO warehouse.fact_sales (order_id, product_key, user_key, category_key, date_key, ordered_at, "
        "quantity, unit_price, revenue, source_partition, source_offset, load_xid) "
        "SELECT %s, p.product_key, u.user_key, p.category_key, %s, %s, %s, %s, %s, 0, 0, "
        "ops.load_order() "
        "FROM warehouse.dim_product p, warehouse.dim_user u WHERE p.product_id = %s AND u.user_id = %s",
        [
            (
                line.order_id,
                int(line.ordered_at.astimezone(UTC).strftime("%Y%m%d")),
                line.ordered_at,
                line.quantity,
                line.price,
                line.revenue,
                str(line.product_id),
                str(line.user_id),
            )
            for line in lines
        ],
    )


def load(warehouse: Address, lines: Sequence[Line]) -> None:
    """Insert, commit, and wait until a new cut would include the lines."""
    with warehouse.connect("ecom_loader") as connection:
        insert_lines(connection, lines)
    settle(warehouse)


def change_profile(warehouse: Address, user_id: int, name: str, city: str, country: str, at: datetime = DAY0) -> None:
    """A profile event: the history row and the customer's newest profile, in one transaction."""
    with warehouse.connect("ecom_loader") as connection:
        connection.execute(
            "INSERT INTO warehouse.user_changes "
            "(user_id, changed_at, kind, name, city, country, source_partition, source_offset, load_xid) "
            "VALUES (%s, %s, 'user_updated', %s, %s, %s, 0, 0, ops.load_order())",
            [str(user_id), at, name, city, country],
        )
        connection.execute(
            "INSERT INTO warehouse.dim_user (user_id, name, city, country, profile_at) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, city = excluded.city, country = excluded.country, "
            "profile_at = excluded.profile_at",
            [str(user_id), name, city, country, at],
        )
    settle(warehouse)


def insert_bulk(warehouse: Address, count: int, *, users: int = 5_000, products: int = 20, lines_per_order: int = 2) -> None:
    """`count` generated facts by one statement: for measurements. The first call makes the dimensions."""
    with warehouse.connect("ecom_loader") as connection:
        (present,) = connection.execute("SELECT count(*) FROM warehouse.fact_sales").fetchone() or (0,)
        if not present:
            insert_lines(
                connection,
                [Line(f"seed-{n}", n % users + 1, n % products + 1, 1, Decimal(1), DAY0) for n in range(max(users, products))],
            )
        connection.execute(
            "INSERT INTO warehouse.fact_sales (order_id, product_key, user_key, category_key, date_key, ordered_at, "
            "quantity, unit_price, revenue, source_partition, source_offset, load_xid) "
            "SELECT 'b-' || n / %(per)s, p.product_key, u.user_key, p.category_key, "
            "to_char(a AT TIME ZONE 'UTC', 'YYYYMMDD')::int, a, 1 + n %% 3, 9.99, 9.99 * (1 + n %% 3), 0, n, "
            "(SELECT ops.load_order()) "
            "FROM (SELECT n, %(day)s + n * %(step)s AS a FROM generate_series(%(first)s::bigint, %(last)s::bigint) n) s "
            "JOIN warehouse.dim_product p ON p.product_id = (1 + n %% %(products)s)::text "
            "JOIN warehouse.dim_user u ON u.user_id = (1 + (n / %(per)s) %% %(users)s)::text",
            {
                "per": lines_per_order,
                "day": DAY0,
                "step": timedelta(seconds=1),
                "first": present,
                "last": present + count - 1,
                "products": products,
                "users": users,
            },
        )
    settle(warehouse)


@contextmanager
def standing_still(warehouse: Address, role: str = "ecom_loader") -> Iterator[psycopg.Connection]:
    """A transaction that is left open while something else goes on: the server would end it after ten seconds."""
    with warehouse.connect(role) as connection:
        connection.execute("SET idle_in_transaction_session_timeout = 0")
        yield connection


def rows(warehouse: Address, query: str, role: str = "ecom_reader") -> list[tuple[Any, ...]]:
    """The answer as a dashboard gets it."""
    with warehouse.connect(role) as connection:
        return connection.execute(query.encode()).fetchall()


def settle(warehouse: Address, deadline_s: float = DEADLINE_S) -> None:
    """Wait until every committed fact is below the cut: another transaction of the server (an analyze, say) may hold it back."""
    with warehouse.connect("ecom_dbt", autocommit=True) as connection:
        (newest,) = connection.execute(
            "SELECT greatest((SELECT max(load_xid) FROM warehouse.fact_sales), "
            "(SELECT max(load_xid) FROM warehouse.fact_returns), (SELECT max(load_xid) FROM warehouse.user_changes))"
        ).fetchone() or (None,)

        def below() -> int:
            row = connection.execute("SELECT ops.load_order_cut()").fetchone()
            return int(row[0]) if row else 0

        wait_for(
            lambda: newest is None or below() > newest,
            lambda: f"the cut passes the newest load {newest}; a transaction holds it at {below()}",
            deadline_s,
        )


def wait_alone(warehouse: Address) -> None:
    """Until all other sessions of the database are gone: what they read last is counted when they end, after they were closed."""
    others = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    with warehouse.connect("admin", autocommit=True) as admin:
        wait_for(lambda: admin.execute(others).fetchone() == (0,), "no other session of the database")
