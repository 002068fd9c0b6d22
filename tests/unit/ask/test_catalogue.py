"""Which tables a word means."""

from __future__ import annotations

import pytest

from .shop import CATALOGUE


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("marts", ["marts.daily_sales"]),
        ("mart", ["marts.daily_sales"]),
        ("SALES_per", ["realtime.sales_per_minute"]),
        ("dim_category", ["warehouse.dim_category"]),
        ("warehouse.sales", ["warehouse.sales"]),
        ("warehouse.sale", []),
        ("nothing", []),
    ],
)
def test_a_word_is_a_schema_or_in_the_name_of_a_table_or_of_its_schema(word: str, found: list[str]) -> None:
    assert [table.qualified for table in CATALOGUE.shown(word)] == found
