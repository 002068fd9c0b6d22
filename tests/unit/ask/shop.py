"""A small catalogue for tests."""

from __future__ import annotations

from ecom_lite.ask.catalogue import LAKE, Catalogue, Column, Table


def table(name: str, *columns: str, rows: int | None = 5) -> Table:
    """`schema.name`, with columns of type bigint."""
    schema, _, own = name.rpartition(".")
    return Table(
        schema,
        own,
        rows,
        f"About {own}. And more.",
        tuple(Column(each, "bigint", each == "note", f"the {each}") for each in columns),
    )


CATALOGUE = Catalogue(
    (
        table("warehouse.fact_sales", "order_id", "quantity", "category_key", "revenue", "note"),
        table("warehouse.dim_category", "category_key", "category"),
        table("warehouse.sales", "category", "revenue", rows=None),
        table("marts.daily_sales", "date", "revenue"),
        table("marts.stg_orders", "hidden"),
        table("realtime.sales_per_minute", "minute", "revenue"),
        table("ops.dead_letters", "reason", "Odd Name"),
        table(f"{LAKE}.lake", rows=None),
    ),
    (("warehouse", "The star. With facts."),),
)
