"""The dimension rows that a batch needs: found in a cache, else added set-based in the batch's own transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

import psycopg

from ..contract.events import OrderLine, UserChange
from ..warehouse.sqlfiles import read_sql
from .decode import Batch

MAX_CACHED: Final = 200_000  # users, products and categories each; a fuller cache is emptied, so memory stays flat
Id = int | str  # as in an event: numbers stay numbers, so that no text is made per event
# Whether the title of an order line is another than the product's id, which stands for none; when it said it, title, category.
# The greatest is the one to show.
Description = tuple[bool, datetime, str, str]


class Dimensions:
    """Surrogate keys by natural key. Call `forget` when the transaction that `resolve` ran in is rolled back."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """After a rollback nothing learnt in the transaction may stay."""
        self.users: dict[Id, int] = {}
        self.products: dict[Id, int] = {}
        self.categories: dict[str, int] = {}
        self._described: dict[Id, Description] = {}  # what the product's row says, or less
        self._newer: dict[Id, Description] = {}  # what the batch says beyond that
        self._dates: set[date] = set()

    def resolve(self, connection: psycopg.Connection, batch: Batch) -> None:
        """Make every key of the batch known: users, categories, products, dates."""
        if max(len(self.users), len(self.products), len(self.categories)) > MAX_CACHED:
            self.forget()
        events = [line.event for line in batch.lines]
        users = {event.user_id for event in events} | {
            other.event.user_id for other in batch.others if isinstance(other.event, UserChange)
        }
        self._learn(connection, "user", self.users, users - self.users.keys())
        self._learn(connection, "category", self.categories, {event.category for event in events} - self.categories.keys())
        said, known = _newest(events), self._described
        self._newer = {product: text for product, text in said.items() if product not in known or known[product] < text}
        missing = said.keys() - self.products.keys()
        if missing:
            connection.execute(read_sql(__package__, "add_products"), _columns(said, missing))
            self._learn(connection, "product", self.products, missing)
        dates = {event.timestamp.date() for event in events} - self._dates
        if dates:
            connection.execute(read_sql(__package__, "add_dates"), {"dates": sorted(dates)})
            self._dates |= dates

    def describe(self, connection: psycopg.Connection) -> None:
        """Let products show what the batch says, where that is newer. As late as can be: other loaders wait for the rows."""
        if not self._newer:
            return
        newer, self._newer = self._newer, {}
        values = _columns(newer, newer)
        # In a statement of its own: the next one sees what those wrote who had the rows.
        if connection.execute(read_sql(__package__, "lock_products"), values).rowcount:
            connection.execute(read_sql(__package__, "describe_products"), values)
        self._described.update(newer)

    def _learn(self, connection: psycopg.Connection, kind: str, known: dict[Any, int], missing: Iterable[Any]) -> None:
        by_text = {str(value): value for value in missing}
        wanted = sorted(by_text)
        if not wanted:
            return
        if kind == "user":
            connection.execute(read_sql(__package__, "add_users"), {"ids": wanted})
            query = "SELECT user_id, user_key FROM warehouse.dim_user WHERE user_id = ANY(%s::text[])"
        elif kind == "category":
            connection.execute(read_sql(__package__, "add_categories"), {"names": wanted})
            query = "SELECT category, category_key FROM warehouse.dim_category WHERE category = ANY(%s::text[])"
        else:
            query = "SELECT product_id, product_key FROM warehouse.dim_product WHERE product_id = ANY(%s::text[])"
        known.update((by_text[text], key) for text, key in connection.execute(query, [wanted]))


def _newest(events: Iterable[OrderLine]) -> Mapping[Id, Description]:
    """The greatest description of each product."""
    newest: dict[Id, OrderLine] = {}
    for event in events:
        best = newest.get(event.product_id)
        if best is None:
            newest[event.product_id] = event
        elif best.timestamp == event.timestamp or best.product_title != event.product_title:
            newest[event.product_id] = max(best, event, key=_description)
        elif best.timestamp < event.timestamp:
            newest[event.product_id] = event
    return {product: _description(event) for product, event in newest.items()}


def _description(event: OrderLine) -> Description:
    return event.product_title != str(event.product_id), event.timestamp, event.product_title, event.category


def _columns(said: Mapping[Id, Description], products: Collection[Id]) -> dict[str, list[Any]]:
    ids = sorted(products, key=str)
    _, times, titles, categories = zip(*(said[i] for i in ids), strict=True)
    return {"ids": [str(i) for i in ids], "times": list(times), "titles": list(titles), "categories": list(categories)}
