"""What `bench lake` and `bench sql` measure, small."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.bench.checks import made_checkable, take, timed
from ecom_lite.bench.growth import grow
from ecom_lite.bench.lake import measure_lake
from ecom_lite.bench.questions import compared, questions
from ecom_lite.check.named import built_in
from ecom_lite.errors import CheckFailed
from ecom_lite.lake.writer import Writer
from ecom_lite.settings.data_dir import LAKE, LAKE_TABLES
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.sqlfiles import read_sql

from .facts import settle

FACTS = 20_000


@pytest.fixture
def grown(warehouse: Address) -> Address:
    with warehouse.connect("admin") as admin:
        grow(admin, "made", FACTS, 0, 500, 50)
        admin.execute(read_sql("ecom_lite.bench", "marts_returns"))
    settle(warehouse)
    return warehouse


def test_every_question_has_the_same_answer_in_the_lake_and_in_postgresql(grown: Address, data_dir: Path) -> None:
    with Writer(grown.only("ecom_lake"), data_dir / LAKE / LAKE_TABLES) as writer:
        writer.open()
        writer.sync()
    found = compared(grown, data_dir, asked=1)
    assert list(found) == list(questions()) and len(found) == 12
    for name, at in found.items():
        assert at["rows"] > 0 and min(at["lake_ms"], at["postgres_ms"], at["command_ms"]) > 0, name
    with grown.connect("admin") as admin:
        admin.execute("UPDATE warehouse.fact_sales SET revenue = revenue + 0.01 WHERE order_id = 'made-1'")
    with pytest.raises(CheckFailed, match="months: the lake answers otherwise"):
        compared(grown, data_dir, asked=1)


@pytest.mark.timeout(600)  # a process for each check
def test_each_check_passes_on_what_is_kept_and_on_the_facts_themselves(grown: Address, tmp_path: Path) -> None:
    with Writer(grown.only("ecom_lake"), tmp_path / "tables") as writer:
        writer.open()
        writer.sync()
    made_checkable(grown, tmp_path / "dbt", 2)
    found = timed(grown, asked=1)
    assert list(found) == [check.name for check in built_in()]
    assert all(min(at.values()) > 0 for at in found.values())
    (amounts,) = (check for check in built_in() if check.name == "amounts")
    told = take(grown, amounts).from_lake
    assert told is not None and told.facts == FACTS and take(grown, amounts, full=True).from_lake is None
    with grown.connect("admin") as admin:
        admin.execute("UPDATE realtime.rolled SET lines = lines + 1")
    with pytest.raises(CheckFailed, match="check rollups"):
        timed(grown, asked=1)


def test_the_passes_of_the_bench_merge_as_those_of_a_run(grown: Address, tmp_path: Path) -> None:
    found = measure_lake(grown, tmp_path / "tables", 200, 40, customers=500, products=50)
    assert found["facts"] == FACTS + 40 * 200
    assert found["files"] < found["files_at_most"] < 120, "three tables, with a merge after thirty passes"
    assert 0 < found["bytes_per_fact"] < found["postgres_bytes_per_fact"]
    assert found["first_copy_cpu_us"] > 0 and found["pass_cpu_us"] > 0 and found["bytes_on_disk"] >= found["bytes"]
