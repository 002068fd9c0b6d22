"""The figures of a live run, taken from a real warehouse: totals, rates, the newest dbt run, and what happened to the parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecom_lite.observe.figures import ModelFigures
from ecom_lite.observe.meter import DETAIL_CHARS, KEEP_EVENTS, Meter

from .loading import Bench, line


class Clock:
    """Seconds that only the test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now

    def wall(self) -> datetime:
        return datetime(2026, 11, 27, 12, tzinfo=UTC) + timedelta(seconds=self.now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meter(clock: Clock, data_dir: Path) -> Iterator[Meter]:
    meter = Meter(data_dir, clock, clock.wall)
    yield meter
    meter.close()


def test_totals_are_the_databases_and_rates_are_their_growth_a_second(bench: Bench, meter: Meter, clock: Clock) -> None:
    meter.measure(bench.warehouse)
    assert (meter.totals.facts, meter.totals.sent, meter.dbt, meter.gaps) == (0, 0, None, [])
    assert (meter.sent_per_s, meter.loaded_per_s) == (0, 0), "one measurement has no rate"
    bench.send([*(line(order) for order in range(30)), line(0), b"rubbish"])
    bench.load()
    bench.ask("INSERT INTO ops.sent_ledger (shop, partition, events) VALUES ('seed-7', 0, 48)")
    bench.ask(
        "INSERT INTO ops.dbt_runs (trigger, started_at, status, load_xid_below, tests_passed) VALUES"
        " ('first facts', now() - interval '9 s', 'success', 1, 7), ('schedule', now() - interval '3 s', 'running', 2, 0)"
    )
    clock.now += 4
    meter.measure(bench.warehouse)
    totals = meter.totals
    assert (totals.facts, totals.duplicates, totals.dead, totals.records, totals.sent) == (30, 1, 1, 32, 48)
    assert (meter.loaded_per_s, meter.sent_per_s, list(meter.history)) == (8, 12, [8])
    assert meter.dbt is not None and (meter.dbt.trigger, meter.dbt.status) == ("schedule", "running"), "the newest run"
    clock.now += 1
    meter.measure(bench.warehouse)
    assert (meter.loaded_per_s, list(meter.history)) == (0, [8, 0])
    assert meter.this_run(bench.warehouse, began=0)["dbt_runs"] == 2


def test_each_model_has_the_figures_of_its_newest_dbt_run(bench: Bench, meter: Meter) -> None:
    def run(number: int, status: str, *models: str, quick: bool = False) -> None:
        ended = "NULL" if status == "running" else "now()"
        bench.ask(
            "INSERT INTO ops.dbt_runs (run_id, trigger, started_at, finished_at, status, load_xid_below, quick, selected) "
            "OVERRIDING SYSTEM VALUE "
            f"VALUES ({number}, 'schedule', now(), {ended}, '{status}', 1, {quick}, NULL)"
        )
        for model in models:
            bench.ask(
                f"INSERT INTO ops.dbt_models (run_id, model, seconds, rows, tests_failed, error) VALUES ({number}, {model})"
            )

    def found() -> dict[str, ModelFigures]:
        meter.measure(bench.warehouse)
        return meter.models

    assert found() == {}
    run(1, "success", "'gone', 1, 5, 0, ''", "'daily_sales', 1, 5, 0, ''")
    run(2, "success", "'stg_sales', 0.5, NULL, 0, ''", "'daily_sales', 2, 50, 0, ''")
    run(3, "error")
    assert found() == {
        "stg_sales": ModelFigures(ok=True, seconds=0.5), "daily_sales": ModelFigures(ok=True, seconds=2, rows=50),
    }  # fmt: skip
    run(4, "tests failed", "'daily_sales', 0.25, 3, 1, 'test x: 1 failures'", quick=True)
    run(5, "running")
    assert found()["daily_sales"].ok, "it is read when a run has ended"
    bench.ask("UPDATE ops.dbt_runs SET status = 'selected', finished_at = now(), selected = '{cohorts}' WHERE run_id = 5")
    bench.ask("INSERT INTO ops.dbt_models (run_id, model, seconds, error) VALUES (5, 'cohorts', 0, 'not built')")
    assert found() == {
        "stg_sales": ModelFigures(ok=True, seconds=0.5),
        "daily_sales": ModelFigures(ok=False, seconds=0.25, rows=3, tests_failed=1),
        "cohorts": ModelFigures(ok=False, seconds=0),
    }  # fmt: skip


def test_while_the_database_is_away_the_last_totals_stay_and_events_wait_for_it(bench: Bench, meter: Meter, clock: Clock) -> None:
    bench.send([line(1)])
    bench.load()
    meter.measure(bench.warehouse)
    meter.heard("load", "died", "why " * DETAIL_CHARS)
    bench.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ecom_reader' AND datname = current_database()"
    )
    clock.now += 1
    meter.measure(replace(bench.warehouse, port=1))
    assert meter.totals.facts == 1 and (meter.loaded_per_s, meter.sent_per_s) == (0, 0)
    recorded = "SELECT event, length(detail), at FROM ops.service_events WHERE service = 'load' ORDER BY at"
    assert bench.ask(recorded) == []
    meter.heard("load", "restarted", "1.1 s")
    back = clock.wall()
    for _ in range(2):
        clock.now += 1
        meter.measure(bench.warehouse)
    assert bench.ask(recorded) == [
        ("died", DETAIL_CHARS, back - timedelta(seconds=1)), ("restarted", 5, back),
    ], "each once, cut to a length, with its own time and not that of the database's return"  # fmt: skip
    assert meter.totals.facts == 1


def test_what_happened_long_ago_is_forgotten(bench: Bench, meter: Meter, clock: Clock) -> None:
    meter.heard("load", "started", "")
    meter.measure(bench.warehouse)
    clock.now += KEEP_EVENTS.total_seconds() - 1
    meter.heard("load", "restarted", "")
    meter.measure(bench.warehouse)
    assert bench.ask("SELECT event FROM ops.service_events ORDER BY at") == [("started",), ("restarted",)]
    clock.now += 2
    meter.heard("load", "ready", "")
    meter.measure(bench.warehouse)
    assert bench.ask("SELECT event FROM ops.service_events ORDER BY at") == [("restarted",), ("ready",)]


def test_memory_is_the_highest_that_was_seen(meter: Meter) -> None:
    meter.measure_memory()
    first = meter.peak_memory
    held = bytearray(200_000_000)  # far more than the engines of other tests, which are counted too, grow or shrink meanwhile
    held[::4096] = b"x" * len(held[::4096])
    meter.measure_memory()
    assert first > 0 and meter.peak_memory > first + 100_000_000
    del held
    before = meter.peak_memory
    meter.measure_memory()
    assert meter.peak_memory == before
