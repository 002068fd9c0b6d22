"""The lake is waited for until it has all facts, and the harness's recount finds whatever in it is not as on the topic."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecom_lite.ask.duck import attach
from ecom_lite.harness.recount import compared
from ecom_lite.lake.level import wait_level
from ecom_lite.lake.writer import Writer
from ecom_lite.settings.data_dir import LAKE, LAKE_TABLES
from ecom_lite.warehouse.connect import Address
from tests.runs import DEADLINE_S

from .facts import change_profile, load, some_lines

SHORT_S = 0.3  # it stays behind for so long
JUDGED = """
CREATE TABLE judged AS
SELECT 'order' AS kind, order_id, product_id, quantity, price, NULL::DECIMAL(12, 4) AS list_price, revenue, currency, user_id,
       category, timestamp AS moment
FROM ecom.warehouse.order_lines
"""


@pytest.fixture
def writer(warehouse: Address, data_dir: Path) -> Iterator[Writer]:
    load(warehouse, some_lines(60))
    change_profile(warehouse, 3, "Ada", "Paris", "FR")
    with Writer(warehouse.only("ecom_lake"), data_dir / LAKE / LAKE_TABLES) as writer:
        writer.open()
        writer.sync()
        yield writer


def level(warehouse: Address, limit_s: float = DEADLINE_S, give_up: threading.Event | None = None) -> bool:
    return wait_level(warehouse, limit_s, give_up or threading.Event(), 0.05)


def test_it_is_level_when_all_that_is_loaded_is_in_it(warehouse: Address, writer: Writer) -> None:
    assert level(warehouse)
    change_profile(warehouse, 4, "Bo", "Rome", "IT")
    assert not level(warehouse, SHORT_S)
    writer.sync()
    assert level(warehouse)
    load(warehouse, some_lines(5, seed=2))
    assert not level(warehouse, SHORT_S)


def test_where_there_is_none_yet_or_the_run_fails_it_ends(warehouse: Address) -> None:
    assert not level(warehouse, SHORT_S)
    failed = threading.Event()
    failed.set()
    assert not level(warehouse, give_up=failed)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("DELETE FROM lake.sales WHERE order_id = (SELECT min(order_id) FROM lake.sales)", "0 rows"),
        ("INSERT INTO lake.sales FROM lake.sales LIMIT 1", "2 rows"),
        ("UPDATE lake.sales SET revenue = revenue + 0.01 WHERE order_id = (SELECT min(order_id) FROM lake.sales)", "1 rows"),
        ("DELETE FROM lake.customers", "0 rows in the lake"),
        ("INSERT INTO lake.customers FROM lake.customers", "2 rows in the lake"),
    ],
    ids=["lost", "twice", "a cent", "lost change", "change twice"],
)
def test_the_recount_finds_what_the_lake_has_lost_or_has_twice(
    warehouse: Address, data_dir: Path, writer: Writer, broken: str, said: str
) -> None:
    def found() -> list[str]:
        duck = attach(warehouse, data_dir / LAKE)
        try:
            duck.execute("USE memory.main")
            duck.execute(JUDGED)
            return [str(violation) for violation in compared(duck, "lake")]
        finally:
            duck.close()

    assert found() == []
    writer.ask(broken)
    differences = found()
    assert differences and said in differences[0]
