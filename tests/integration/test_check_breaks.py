"""The table of deliberate breaks: each is caught by the check of its name and by no other, and mended, all pass again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple

import pytest

from ecom_lite.check.named import built_in
from ecom_lite.check.reconcile import Report, reconcile
from ecom_lite.lake.counted import Counted
from ecom_lite.lake.writer import Writer
from ecom_lite.topic.client import ends_of, ensure_topics
from ecom_lite.warehouse.connect import Address

from .counted import clone, fill
from .loading import Bench, line

# What dbt makes of returns and of profiles, here by hand: three versions of two customers, and a day on which the sums fit.
MARTS_TO_COME: Final = (
    "ALTER TABLE marts.daily_sales ADD date date DEFAULT '2026-01-02', ADD gross numeric DEFAULT 230.00, "
    "ADD discounts numeric DEFAULT 41.00, ADD returns numeric DEFAULT 20.50, ADD net numeric DEFAULT 168.50",
    "CREATE TABLE marts.dim_customer_history (user_id text, valid_from timestamptz, valid_to timestamptz, is_current boolean)",
    "INSERT INTO marts.dim_customer_history VALUES ('1', '2026-01-01', '2026-01-05', false), ('1', '2026-01-05', NULL, true), "
    "('2', '2026-01-03', NULL, true)",
    "GRANT SELECT ON marts.dim_customer_history TO ecom_reader",
)
HISTORY: Final = "UPDATE marts.dim_customer_history SET {} WHERE user_id = '1' AND valid_from = '{}'"
FIRST, SECOND = "2026-01-01", "2026-01-05"
OF_SALES: Final = "table_id = (SELECT table_id FROM ducklake.ducklake_table WHERE table_name = 'sales')"


class Break(NamedTuple):
    """What is done to the data, what undoes it, and what the failing check then says; `also` those that fail with it."""

    check: str
    harm: str
    mend: str
    told: str
    also: tuple[str, ...] = ()


BREAKS: Final = (
    Break("count", "UPDATE ops.sent_ledger SET events = events - 1, order_lines = order_lines - 1",
          "UPDATE ops.sent_ledger SET events = events + 1, order_lines = order_lines + 1", "8 is not 9"),
    Break("count", "UPDATE ops.consumer_offsets SET next_offset = next_offset - 1, markers = markers - 1 WHERE partition = 1",
          "UPDATE ops.consumer_offsets SET next_offset = next_offset + 1, markers = markers + 1 WHERE partition = 1",
          "1 wait on the topic"),
    Break("faults", "UPDATE ops.sent_ledger SET order_lines = order_lines + 3, other_events = other_events - 3",
          "UPDATE ops.sent_ledger SET order_lines = order_lines - 3, other_events = other_events + 3", "order lines sent"),
    Break("faults", """UPDATE ops.sent_ledger SET faults = '{"malformed.not_json": 1}', other_events = other_events - 1""",
          "UPDATE ops.sent_ledger SET faults = '{}', other_events = other_events + 1", "not_json: 1 sent, 0 found"),
    Break("rows", "UPDATE ops.consumer_offsets SET facts = facts - 1, duplicates = duplicates + 1 WHERE partition = 1",
          "UPDATE ops.consumer_offsets SET facts = facts + 1, duplicates = duplicates - 1 WHERE partition = 1", "9 is not 10"),
    Break("rows", "UPDATE ops.consumer_offsets SET other = other - 1, duplicates = duplicates + 1 WHERE partition = 0",
          "UPDATE ops.consumer_offsets SET other = other + 1, duplicates = duplicates - 1 WHERE partition = 0", "0 is not 1"),
    Break("rows", "UPDATE realtime.rolled_days SET lines = lines - 1 WHERE date_key = 20260102",
          "UPDATE realtime.rolled_days SET lines = lines + 1 WHERE date_key = 20260102", "lines by day = rows of fact_sales"),
    Break("rows", "ALTER TABLE warehouse.fact_sales DISABLE TRIGGER note_fact_change; CREATE TABLE kept AS SELECT * FROM "
          "warehouse.fact_sales WHERE order_id = 'foreign'; DELETE FROM warehouse.fact_sales WHERE order_id = 'foreign'",
          "INSERT INTO warehouse.fact_sales SELECT * FROM kept", "10 is not 9", also=("figures",)),
    Break("gaps", "UPDATE ops.consumer_offsets SET lost = lost + 1, markers = markers - 1 WHERE partition = 0",
          "UPDATE ops.consumer_offsets SET lost = lost - 1, markers = markers + 1 WHERE partition = 0", "offsets lost"),
    Break("references", "UPDATE warehouse.dim_date SET date_key = date_key + 1",
          "UPDATE warehouse.dim_date SET date_key = date_key - 1", "10 is not 0"),
    Break("references", "UPDATE warehouse.dim_product SET category_key = -category_key",
          "UPDATE warehouse.dim_product SET category_key = -category_key", "products without their category"),
    Break("amounts", "ALTER VIEW ops.missing_rates RENAME TO kept; CREATE VIEW ops.missing_rates AS SELECT 'EUR' AS currency, "
          "'USD' AS reporting, date '2026-01-01' AS first_day, date '2026-01-01' AS last_day, 1::bigint AS lines; "
          "GRANT SELECT ON ops.missing_rates TO ecom_reader",
          "DROP VIEW ops.missing_rates; ALTER VIEW ops.kept RENAME TO missing_rates",
          "11 is not 10 (no rate to USD: EUR (1 line"),
    Break("rollups", "UPDATE realtime.rolled SET lines = lines - 1", "UPDATE realtime.rolled SET lines = lines + 1",
          "9 is not 10"),
    Break("rollups", "UPDATE realtime.rolled_products SET revenue = revenue + 0.01 WHERE product_key = 1",
          "UPDATE realtime.rolled_products SET revenue = revenue - 0.01 WHERE product_key = 1", "kept revenue by product"),
    Break("figures", "UPDATE realtime.minutes_in_all SET orders = orders + 1 WHERE window_start = '2026-01-02 03:04Z'",
          "UPDATE realtime.minutes_in_all SET orders = orders - 1 WHERE window_start = '2026-01-02 03:04Z'",
          "1 is not 0 (the first: 2026-01-02 03:04"),
    Break("figures", "UPDATE realtime.minutes_in_all SET lines = lines + 1",
          "UPDATE realtime.minutes_in_all SET lines = lines - 1",
          "10 is not 9"),
    Break("figures", "INSERT INTO realtime.minutes_of_returns VALUES ('2026-01-02 03:04Z', 'order_returned', 0, 0, 1)",
          "DELETE FROM realtime.minutes_of_returns", "1 is not 0 (the first: 2026-01-02 03:04"),
    Break("figures", "INSERT INTO realtime.recent_sales (minutes, begins, category_key, country, lines, orders, category_orders, "
          "units, revenue) VALUES (1, date_trunc('minute', now()), 1, '', 1, 0, 0, 1, 0)", "DELETE FROM realtime.recent_sales",
          "of them by country"),
    Break("built", "UPDATE ops.dbt_runs SET status = 'error'", "UPDATE ops.dbt_runs SET status = 'success'", "no dbt run yet"),
    Break("marts", "UPDATE marts.daily_sales SET lines = lines + 1",
          "UPDATE marts.daily_sales SET lines = lines - 1", "10 is not 9"),
    Break("marts", "UPDATE marts.customer_ltv SET revenue = revenue - 0.01",
          "UPDATE marts.customer_ltv SET revenue = revenue + 0.01", "188.99 is not 189.00"),
    Break("attributes", "UPDATE marts.sales_by_attribute SET lines = lines - 1",
          "UPDATE marts.sales_by_attribute SET lines = lines + 1", "channel: 8 of 9 lines"),
    Break("money", "UPDATE marts.daily_sales SET net = net + 0.01", "UPDATE marts.daily_sales SET net = net - 0.01",
          "1 is not 0 (the first: date 2026-01-02"),
    Break("money", "UPDATE marts.daily_sales SET returns = NULL", "UPDATE marts.daily_sales SET returns = 20.50", "returns None"),
    Break("history", HISTORY.format("valid_to = '2026-01-04'", FIRST), HISTORY.format(f"valid_to = '{SECOND}'", FIRST),
          "a gap follows"),
    Break("history", HISTORY.format("valid_to = '2026-01-06'", FIRST), HISTORY.format(f"valid_to = '{SECOND}'", FIRST),
          "the next one overlaps"),
    Break("history", HISTORY.format("valid_to = NULL, is_current = true", FIRST),
          HISTORY.format(f"valid_to = '{SECOND}', is_current = false", FIRST), "the next one overlaps"),
    Break("history", HISTORY.format("valid_to = '2026-01-09', is_current = false", SECOND),
          HISTORY.format("valid_to = NULL, is_current = true", SECOND), "no current version"),
    Break("history", HISTORY.format("valid_to = '2026-01-05'", SECOND), HISTORY.format("valid_to = NULL", SECOND),
          "ends before it begins"),
    Break("history", HISTORY.format("is_current = false", SECOND), HISTORY.format("is_current = true", SECOND),
          "is_current does not fit valid_to"),
    Break("minutes", "UPDATE realtime.minutes_by_currency SET lines = lines - 1",
          "UPDATE realtime.minutes_by_currency SET lines = lines + 1", "8 is not 9"),
    Break("lake", f"UPDATE ducklake.ducklake_data_file SET begin_snapshot = begin_snapshot + 1000 WHERE {OF_SALES}",
          f"UPDATE ducklake.ducklake_data_file SET begin_snapshot = begin_snapshot - 1000 WHERE {OF_SALES}",
          "order lines in the lake"),
    Break("lake", f"UPDATE ducklake.ducklake_data_file SET path = 'no-' || path WHERE {OF_SALES}",
          f"UPDATE ducklake.ducklake_data_file SET path = substr(path, 4) WHERE {OF_SALES}", "the lake cannot be read"),
    Break("future", "UPDATE warehouse.fact_sales SET ordered_at = now() + INTERVAL '2 days' WHERE order_id = 'tail'",
          "UPDATE warehouse.fact_sales SET ordered_at = '2026-02-01' WHERE order_id = 'tail'", "table fact_sales, id tail"),
    Break("future", "UPDATE warehouse.user_changes SET changed_at = changed_at + INTERVAL '100 years'",
          "UPDATE warehouse.user_changes SET changed_at = changed_at - INTERVAL '100 years'", "table user_changes, id 1"),
    Break("freshness", "UPDATE warehouse.fact_sales SET loaded_at = now() - INTERVAL '1 hour' WHERE order_id = 'tail'; "
          "INSERT INTO ops.load_batches (loaded_at, records, facts, duplicates, other, dead, offsets) "
          "SELECT now() - m * INTERVAL '1 minute', 1, 0, 1, 0, 0, '{}' FROM generate_series(1, 59) m",
          "DELETE FROM ops.load_batches WHERE offsets = '{}'", "minutes that facts wait for the marts"),
)  # fmt: skip


@pytest.fixture(scope="module")
def sound(kafka_bootstrap: str, template: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """All checks pass; one fact is newer than the marts, the kept sums and the lake."""
    bench = Bench(kafka_bootstrap, "check_sound", template.with_database("check_sound"))
    ensure_topics(bench.client, bench.topic, 4, bench.settings().kafka.dlq_topic)
    with clone(template, bench.warehouse):
        fill(bench)
        with Writer(bench.warehouse.only("ecom_lake"), tmp_path_factory.mktemp("lake")) as lake:
            lake.open()
            assert lake.sync() > 0
        bench.send([line("tail", 2, timestamp="2026-02-01")], partition=1)
        bench.load()
        for statement in MARTS_TO_COME:
            bench.ask(statement)
        yield bench


@pytest.fixture
def copy(sound: Bench) -> Iterator[Bench]:
    bench = replace(sound, warehouse=sound.warehouse.with_database("check_break"))
    with clone(sound.warehouse, bench.warehouse):
        yield bench


def checked(bench: Bench, *, full: bool = False) -> Report:
    ends = partial(ends_of, bench.client, [bench.topic])
    return reconcile(
        bench.warehouse, [bench.topic], ends, producing=False, catch_up_s=0, lake=partial(Counted, bench.warehouse), full=full
    )


def states(report: Report) -> dict[str, str]:
    return {result.check.name: result.state for result in report.results}


def do(bench: Bench, statements: str) -> None:
    with bench.warehouse.connect("admin") as connection:
        connection.execute(statements.encode())


def test_every_check_is_broken_at_least_once(sound: Bench) -> None:
    assert {each.check for each in BREAKS} == {check.name for check in built_in()}
    assert set(states(checked(sound)).values()) == {"pass"}, states(checked(sound))


@pytest.mark.parametrize("one", BREAKS, ids=[f"{number}-{each.check}" for number, each in enumerate(BREAKS)])
def test_a_break_is_caught_by_its_check_alone_and_mended_it_passes(copy: Bench, one: Break) -> None:
    do(copy, one.harm)
    report = checked(copy)
    assert {name for name, state in states(report).items() if state != "pass"} == {one.check, *one.also}, report.lines
    (found,) = (result for result in report.results if result.check.name == one.check)
    assert found.state == "fail" and one.told in found.told, found.told
    assert report.closes == (found.check.severity == "warning")
    do(copy, one.mend)
    assert set(states(checked(copy)).values()) == {"pass"}


@pytest.mark.parametrize(
    ("harm", "skipped"),
    [
        ("DROP TABLE marts.dim_customer_history", {"history": "marts.dim_customer_history does not exist yet"}),
        ("ALTER TABLE marts.daily_sales DROP gross, DROP net", {"money": "marts.daily_sales has no gross, net yet"}),
        ("DROP SCHEMA ducklake CASCADE", {"lake": "ducklake.ducklake_metadata does not exist yet"}),
        ("DROP TABLE marts.sales_by_attribute", {"attributes": "marts.sales_by_attribute does not exist yet"}),
    ],
)
def test_a_check_of_what_is_not_made_yet_is_skipped_with_the_reason(copy: Bench, harm: str, skipped: dict[str, str]) -> None:
    do(copy, harm)
    report = checked(copy)
    assert (
        report.closes and {result.check.name: result.reason for result in report.results if result.state == "skipped"} == skipped
    )


def test_the_facts_are_the_lakes_and_a_change_by_hand_is_found_all_the_same(copy: Bench) -> None:
    report = checked(copy)
    assert report.from_lake is not None and (report.from_lake.facts, report.from_lake.since) == (9, 1)
    assert "9 facts are read from the lake" in report.said() and report.as_json()["from_lake"]["facts"] == 9
    do(copy, "UPDATE warehouse.fact_sales SET revenue = revenue + 1, unit_price = unit_price + 1 WHERE order_id = '3'")
    report = checked(copy)
    assert report.from_lake is None, "it has the fact as it was"
    found = states(report)
    assert {name for name, state in found.items() if state == "fail"} == {"rollups", "figures", "marts", "attributes", "lake"}, (
        found
    )


def test_what_is_kept_is_not_believed_where_all_facts_are_wanted(copy: Bench) -> None:
    """A fact is changed behind the back of what would notice it: the copies agree with each other, and not with the facts."""
    do(copy, "ALTER TABLE warehouse.fact_sales DISABLE TRIGGER note_fact_change; "
       "UPDATE warehouse.fact_sales SET revenue = revenue + 1 WHERE order_id = '3'")  # fmt: skip
    found = states(checked(copy))
    assert {name for name, state in found.items() if state == "fail"} == {"figures"}, "it reads the facts of the newest hour"
    found = states(checked(copy, full=True))
    assert {name for name, state in found.items() if state == "fail"} == {"rollups", "figures", "marts", "attributes", "lake"}, (
        found
    )


@pytest.mark.parametrize("change", ["UPDATE {} SET quantity = quantity", "DELETE FROM {} WHERE false", "TRUNCATE {}"])
def test_a_change_of_facts_by_hand_is_counted_and_a_load_is_none(copy: Bench, change: str) -> None:
    counted = "SELECT statements, changed_at IS NOT NULL FROM ops.fact_changes"
    assert copy.ask(counted) == [(0, False)]
    do(copy, change.format("warehouse.fact_sales"))
    assert copy.ask(counted) == [(1, True)]


def test_without_spark_what_was_loaded_since_the_last_pass_over_the_minutes_is_no_alarm(copy: Bench) -> None:
    """It was one in 121 checks under load: a batch that came after the pass, with events of the minute that it had closed."""
    do(copy, "UPDATE warehouse.fact_sales SET ordered_at = '2026-01-02T12:00Z' WHERE order_id = 'tail'")
    assert states(checked(copy))["minutes"] == "fail", "Spark's minutes have no cut"
    cut = "SELECT load_xid + {} FROM warehouse.fact_sales WHERE order_id = 'tail'"
    do(copy, f"INSERT INTO realtime.light_progress (load_xid_below) {cut.format(0)}")
    assert states(checked(copy))["minutes"] == "pass"
    do(copy, f"UPDATE realtime.light_progress SET load_xid_below = ({cut.format(1)})")
    assert states(checked(copy))["minutes"] == "fail", "below the cut it must be there"
