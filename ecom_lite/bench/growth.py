"""What an event costs when the fact table is small, and when it is large."""

from __future__ import annotations

from typing import Final, NamedTuple

import psycopg

from ..settings.tree import Settings
from ..warehouse.sqlfiles import read_sql
from .backlog import Sent, fill
from .process import load
from .rig import Rig

SMALL: Final = 100_000  # rows of fact_sales
LARGE: Final = 5_000_000
EVENTS: Final = 200_000
LINES_PER_ORDER: Final = 2  # of the rows that are filled in
CUSTOMERS: Final = 200_000
PRODUCTS: Final = 300


class Growth(NamedTuple):
    """Events per second of one loader process, into the small and into the large table."""

    small: float
    large: float


def growth(rig: Rig, small: int = SMALL, large: int = LARGE, events: int = EVENTS) -> Growth:
    """The very same backlog into a table of `small` and into one of `large` rows.

    The shop goes on where the rows end, so that its order ids fall among theirs in the index.
    """
    settings, first_order = rig.topic("growth"), large // LINES_PER_ORDER
    sent = fill(settings, rig.client, events, first_order)
    return Growth(*(_grown(rig, settings, rows, first_order, sent) for rows in (small, large)))


def _grown(rig: Rig, settings: Settings, rows: int, first_order: int, sent: Sent) -> float:
    with rig.warehouse(f"growth_{rows}") as address, address.connect("admin", autocommit=True) as connection:
        grow(connection, str(settings.shop.seed), rows, first_order - rows // LINES_PER_ORDER)
        connection.execute("ANALYZE")
        rig.settle()
        return load(rig, settings, address, sent).rate


def grow(
    connection: psycopg.Connection, shop: str, rows: int, first: int, customers: int = CUSTOMERS, products: int = PRODUCTS
) -> None:
    """Put `rows` facts of the last 90 days into an empty warehouse; their orders are `shop`-`first` and so on."""
    values = {
        "rows": rows, "shop": shop, "lines": LINES_PER_ORDER, "first": first, "customers": customers, "products": products,
    }  # fmt: skip
    for name in ("grown_users", "grown_categories", "grown_products", "grown_facts", "grown_dates"):
        connection.execute(read_sql(__package__, name), values)
