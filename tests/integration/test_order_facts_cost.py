"""What a new order costs the mart of orders does not grow with the orders that are new beside it: rows that its plan looks at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.transform import Transform
from ecom_lite.transform.plan import ModelPlan, fill
from ecom_lite.transform.quick import build
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.sqlfiles import read_sql

from .facts import insert_bulk, rows

PROJECT = Path(__file__).parents[2] / "dbt_project"
CUSTOMERS = 20  # with many orders each: all pairs of a customer's orders would be seen at once
FEW, MANY = 2_000, 20_000  # facts, of two lines an order
JOINS = ("enable_hashjoin", "enable_mergejoin")  # what PostgreSQL picks, expecting few orders, is luck: each is tried without


@pytest.fixture
def transform(warehouse: Address, tmp_path: Path) -> Transform:
    return Transform(warehouse, PROJECT, tmp_path / "dbt", threads=2)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def looked_at(plan: dict[str, Any]) -> float:
    """Rows that the plan's nodes have made or thrown away."""
    thrown = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    found = 0.0
    for node in nodes(plan):
        found += node["Actual Loops"] * (node["Actual Rows"] + sum(node.get(name, 0) for name in thrown))
    return found


def explained(warehouse: Address, model: ModelPlan, without: str) -> dict[str, Any]:
    """The plan of what waits, carried out and rolled back."""
    with warehouse.connect("ecom_dbt") as connection:
        connection.execute(read_sql("ecom_lite.transform", "session"))
        connection.execute(f"SET LOCAL {without} = off".encode())
        taken = {(name, part): below for name, part, below in connection.execute(read_sql("ecom_lite.transform", "taken"))}
        (cut,) = connection.execute("SELECT ops.load_order_cut()").fetchone() or (0,)
        asked = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + fill(model.create, cut, taken)
        ((found,),) = connection.execute(asked.encode()).fetchall()
        connection.rollback()
    return dict(found[0]["Plan"])


def test_a_new_order_looks_at_as_many_rows_however_many_are_new(
    warehouse: Address, transform: Transform, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: dict[str, ModelPlan] = {}

    def kept(models: Any, *rest: Any) -> Any:
        plans.update({model.model: model for model in models})
        return build(models, *rest)

    monkeypatch.setattr("ecom_lite.transform.refresher.build", kept)
    insert_bulk(warehouse, 200, users=CUSTOMERS)
    assert transform.run("test", full_refresh=True).status == "success"
    insert_bulk(warehouse, 200, users=CUSTOMERS)
    assert transform.run("test").quick
    found: dict[int, dict[str, float]] = {}
    insert_bulk(warehouse, FEW, users=CUSTOMERS)
    found[FEW] = {name: looked_at(explained(warehouse, plans["order_facts"], name)) for name in JOINS}
    insert_bulk(warehouse, MANY - FEW, users=CUSTOMERS)
    found[MANY] = {name: looked_at(explained(warehouse, plans["order_facts"], name)) for name in JOINS}
    for name in JOINS:
        assert found[MANY][name] < 1.5 * MANY / FEW * found[FEW][name], (name, found)
    assert transform.run("test").quick
    counted = rows(warehouse, "SELECT count(DISTINCT (order_id, user_key)) FROM warehouse.fact_sales", "ecom_dbt")
    assert rows(warehouse, "SELECT count(*) FROM marts.order_facts") == counted
