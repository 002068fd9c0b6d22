"""The dimension rows that a batch needs: found in a cache, else added set-based in the batch's own transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

import psycopg

from ..contract.events import UserChange
from ..warehouse.sqlfiles import read_sql
from .decode import Batch

MAX_CACHED: Final = 200_000  # users and products each; a fuller cache is emptied, so memory stays flat


class Dimensions:
    """Surrogate keys by natural key. Call `forget` when the transaction that `resolve` ran in is rolled back."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """After a rollback nothing learnt in the transaction may stay."""
        self.users: dict[int, int] = {}
        self.products: dict[int, int] = {}
        self.categories: dict[str, int] = {}
        self._described: dict[int, tuple[str, str]] = {}  # product_id -> (title, category) last written
        self._dates: set[date] = set()

    def resolve(self, connection: psycopg.Connection, batch: Batch) -> None:
        """Make every key of the batch known: users, categories, products (with newest title), dates."""
        if len(self.users) > MAX_CACHED or len(self.products) > MAX_CACHED:
            self.forget()
        events = [line.event for line in batch.lines]
        users = {event.user_id for event in events} | {
            other.event.user_id for other in batch.others if isinstance(other.event, UserChange)
        }
        self._learn(connection, "user", self.users, users - self.users.keys())
        known = self._described
        said = {(e.product_id, e.product_title, e.category) for e in events}  # few, however many events say it
        changed = {product for product, *description in said if known.get(product) != tuple(description)}
        described: dict[int, tuple[str, str, datetime]] = {}
        for event in events if changed else ():
            if event.product_id in changed:
                newest = described.get(event.product_id)
                if newest is None or newest[2] <= event.timestamp:
                    described[event.product_id] = (event.product_title, event.category, event.timestamp)
        categories = {category for _, _, category in said} - self.categories.keys()
        self._learn(connection, "category", self.categories, categories)
        if described:
            self._describe(connection, described)
        self._learn(connection, "product", self.products, described.keys() - self.products.keys())
        dates = {event.timestamp.date() for event in events} - self._dates
        if dates:
            connection.execute(read_sql(__package__, "add_dates"), {"dates": sorted(dates)})
            self._dates |= dates

    def _learn(self, connection: psycopg.Connection, kind: str, known: dict[Any, int], missing: Iterable[Any]) -> None:
        wanted = sorted(missing)
        if not wanted:
            return
        if kind == "user":
            connection.execute(read_sql(__package__, "add_users"), {"ids": wanted})
            query = "SELECT user_id, user_key FROM warehouse.dim_user WHERE user_id = ANY(%s::bigint[])"
        elif kind == "category":
            connection.execute(read_sql(__package__, "add_categories"), {"names": wanted})
            query = "SELECT category, category_key FROM warehouse.dim_category WHERE category = ANY(%s::text[])"
        else:
            query = "SELECT product_id, product_key FROM warehouse.dim_product WHERE product_id = ANY(%s::bigint[])"
        known.update(connection.execute(query, [wanted]).fetchall())

    def _describe(self, connection: psycopg.Connection, described: dict[int, tuple[str, str, datetime]]) -> None:
        ids = sorted(described)  # a fixed order, so that two loaders cannot deadlock
        connection.execute(
            read_sql(__package__, "upsert_products"),
            {
                "ids": ids,
                "titles": [described[i][0] for i in ids],
                "categories": [described[i][1] for i in ids],
                "times": [described[i][2] for i in ids],
            },
        )
        self._described.update({i: described[i][:2] for i in ids})
