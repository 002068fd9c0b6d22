"""What checks read of the lake is what the facts say: in every currency, by every cut, with what came since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.check.moment import Moment, at_one_moment
from ecom_lite.check.named import built_in
from ecom_lite.check.reconcile import reconcile
from ecom_lite.lake.counted import Counted
from ecom_lite.lake.writer import Writer
from ecom_lite.rates.file import read_rates
from ecom_lite.rates.store import put_rates
from ecom_lite.rollups import Rollups
from ecom_lite.warehouse.connect import Address

from .facts import load, rows, settle, some_lines

BY_CUT = "lines", "priced", "revenue"
RATES = "2026-02-01,EUR,1.123456789012", "2026-03-03,EUR,1.07", "2026-03-02,JPY,0.006437"
IN_OTHER_CURRENCIES = """UPDATE warehouse.fact_sales
SET currency = (ARRAY['USD', 'EUR', 'JPY', 'CHF'])[1 + length(order_id || product_key) * quantity %% 4] WHERE order_id LIKE %s"""
WITH_FOUR_DECIMALS = "UPDATE warehouse.fact_sales SET exact_price = unit_price + 0.0055 WHERE currency <> 'USD' AND quantity = 2"
END_READERS = """SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
WHERE application_name = 'ecom_lite lake reader' AND datname = current_database()"""
RUN = "INSERT INTO ops.dbt_runs (trigger, started_at, status, load_xid_below) VALUES ('t', now(), %s, ops.load_order())"


@pytest.fixture
def writer(warehouse: Address, tmp_path: Path) -> Iterator[Writer]:
    """Three loads in four currencies, two without a rate at first or always; two cuts of dbt runs between them."""
    put_rates(warehouse, read_rates(RATES, "rates.csv", "USD"), "USD")
    for turn, status in ((1, "success"), (2, "error"), (3, "")):
        load(warehouse, some_lines(200, seed=turn))
        with warehouse.connect("admin") as admin:
            admin.execute(IN_OTHER_CURRENCIES, [f"o-{turn}-%"])
            admin.execute(WITH_FOUR_DECIMALS)
            admin.execute("UPDATE ops.fact_changes SET statements = 0")  # they came so
            if status:
                admin.execute(RUN, [status])
        settle(warehouse)
    with Writer(warehouse.only("ecom_lake"), tmp_path / "lake") as writer:
        writer.open()
        writer.sync()
        yield writer


def taken(warehouse: Address, *, full: bool) -> tuple[dict[Any, tuple[Any, ...]], Moment]:
    with warehouse.connect("ecom_reader", autocommit=True) as reader, Counted(warehouse) as lake:
        with at_one_moment(reader, [], {}, 10, lake, full) as moment:
            found = json.loads(moment.value("facts"), parse_float=str)
    return {row["run_id"]: tuple(str(row[name]) for name in BY_CUT) for row in found}, moment


def test_of_the_lake_and_of_the_facts_all_sums_are_the_same(warehouse: Address, writer: Writer) -> None:
    (of_lake, told), (of_facts, _) = taken(warehouse, full=False), taken(warehouse, full=True)
    assert len(of_lake) == 3 and of_lake == of_facts
    assert told.facts.told is not None and told.facts.told.facts == 600 and told.facts.told.since == 0
    ((lines, priced),) = rows(warehouse, "SELECT count(*), count(revenue) FROM warehouse.sales")
    assert of_lake[None][:2] == (str(lines), str(priced)) and 300 < priced < lines

    load(warehouse, some_lines(50, seed=4))
    (of_lake, told), (of_facts, _) = taken(warehouse, full=False), taken(warehouse, full=True)
    assert of_lake == of_facts and of_lake[None][0] == "650"
    assert told.facts.told is not None and told.facts.told.since == 50 and told.facts.told.behind_s > 0


@pytest.mark.parametrize("rolled", ["before the lake", "after it", "never"])
def test_lake_references_and_amounts_close_whatever_is_kept_up_to_where(warehouse: Address, writer: Writer, rolled: str) -> None:
    if rolled == "before the lake":
        Rollups(warehouse).refresh()
    load(warehouse, some_lines(50, seed=4))
    if rolled == "before the lake":
        writer.sync()
    elif rolled == "after it":
        Rollups(warehouse).refresh()
    load(warehouse, some_lines(20, seed=5))
    wanted = [check for check in built_in() if check.name in ("lake", "references", "amounts", "rollups")]
    report = reconcile(warehouse, [], dict, producing=False, checks=wanted, lake=partial(Counted, warehouse))
    assert report.closes, report.lines
    assert report.from_lake is not None and report.from_lake.since == (20 if rolled == "before the lake" else 70)
    missing = rows(warehouse, "SELECT currency, lines, first_day, last_day FROM ops.missing_rates ORDER BY 1")
    counted = rows(
        warehouse,
        "SELECT currency, count(*), min((ordered_at AT TIME ZONE 'UTC')::date), max((ordered_at AT TIME ZONE 'UTC')::date) "
        "FROM warehouse.sales WHERE revenue IS NULL GROUP BY 1 ORDER BY 1",
    )
    assert missing == counted and [currency for currency, *_ in missing] == ["CHF", "JPY"]


def test_without_a_lake_all_facts_are_read(warehouse: Address, writer: Writer) -> None:
    wanted = [check for check in built_in() if check.name in ("amounts", "rollups")]
    report = reconcile(warehouse, [], dict, producing=False, checks=wanted)
    assert report.closes and report.from_lake is None and report.figures["priced_rows"] > 300


def test_a_server_that_goes_away_while_the_lake_is_read_is_told_and_ends_no_process(warehouse: Address, writer: Writer) -> None:
    with Counted(warehouse) as lake:
        assert len(rows(warehouse, END_READERS, "admin")) == 1
        assert lake.sales([]) == [] and lake.problem.startswith("the lake cannot be read: ")
