"""Board 3, Pipeline Health: each panel's figures against plain counting, and what it says without a run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecom_lite.dashboards.answer import Answer
from ecom_lite.dashboards.boards import read_board
from ecom_lite.dashboards.queries import Queries
from ecom_lite.warehouse.connect import Address
from tests.runs import DEADLINE_S

BOARD = read_board(Path(__file__).resolve().parents[2] / "grafana" / "dashboards" / "pipeline_health.json")
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(autouse=True)
def _of_this_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole suite takes longer than the ranges of a board: the time of import is no longer now.

    And what happened within a minute is in one step of thirty days, which are three hours: no such step began just now.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    into_step = now.timestamp() % 10_800
    monkeypatch.setattr(sys.modules[__name__], "NOW", now - timedelta(seconds=into_step + 1 if into_step < 60 else 0))


@pytest.fixture
def queries(warehouse: Address) -> Iterator[Queries]:
    made = Queries(warehouse, wait_s=DEADLINE_S)
    made.open()
    yield made
    made.close()


@pytest.fixture
def admin(warehouse: Address) -> Iterator[psycopg.Connection]:
    with warehouse.connect("admin", autocommit=True) as connection:
        yield connection


def answer(queries: Queries, title: str, start: str = "now-30m") -> Answer:
    return queries.panel(BOARD, next(panel for panel in BOARD.panels if panel.title == title), start, "now")


def series(queries: Queries, title: str, start: str = "now-30m") -> dict[str, list[tuple[float, Any]]]:
    """By name of the series its points, as (epoch seconds, value)."""
    found = answer(queries, title, start)
    assert found.state == "ok", found.message
    (frame,) = found.as_json()["frames"]
    names = [column["name"] for column in frame["columns"]]
    return {
        name: [(row[0] / 1000, row[index]) for row in frame["rows"] if row[index] is not None]
        for index, name in enumerate(names)
        if index
    }


def rows(queries: Queries, title: str, start: str = "now-30m") -> list[list[Any]]:
    found = answer(queries, title, start)
    assert found.state == "ok", found.message
    return [list(row) for row in found.frames[0].rows]


def sample(admin: psycopg.Connection, seconds_ago: float, **values: Any) -> None:
    row = {"at": NOW - timedelta(seconds=seconds_ago), "sent": 0, "faults": 0, "loaded": 0, **values}
    names = ", ".join(row)
    places = ", ".join(["%s"] * len(row))
    texts = [json.dumps(value) if isinstance(value, dict | list) else value for value in row.values()]
    admin.execute(f"INSERT INTO ops.health_samples ({names}) VALUES ({places})".encode(), texts)


def partitions(*pairs: tuple[int, int]) -> list[dict[str, Any]]:
    return [
        {"topic": "t", "partition": number, "name": str(number), "end_offset": end, "next_offset": loaded}
        for number, (end, loaded) in enumerate(pairs)
    ]


def test_without_a_run_nothing_is_an_error_and_unknown_figures_are_not_zero(queries: Queries) -> None:
    found = {panel.title: answer(queries, panel.title) for panel in BOARD.panels}
    assert {title: each.message for title, each in found.items() if each.state not in ("ok", "empty")} == {}
    shown = {title for title, each in found.items() if each.state == "ok"}
    assert shown == {"Dead letters", "Restarts", "Lost", "What became of every event"}, "counts of what is there"
    for panel in BOARD.panels:
        said = panel.field_config["defaults"]["noValue"]
        assert said and (panel.title in shown or found[panel.title].message == said), panel.title


def test_lag_rates_and_delay_are_those_of_the_samples(queries: Queries, admin: psycopg.Connection) -> None:
    admin.execute(
        "INSERT INTO ops.consumer_offsets (topic, partition, next_offset, epoch, first_offset, facts) VALUES ('t', 0, 0, 1, 0, 0)"
    )
    sample(
        admin,
        60,
        sent=100,
        loaded=80,
        partitions=partitions((60, 50), (60, 60)),
        delay_p50_ms=10,
        delay_p95_ms=20,
        delay_p99_ms=30,
    )
    sample(
        admin,
        40,
        sent=300,
        loaded=180,
        partitions=partitions((260, 100), (160, 150)),
        delay_p50_ms=15,
        delay_p95_ms=90,
        delay_p99_ms=95,
    )
    sample(admin, 35, sent=300, loaded=400, partitions=partitions((260, 250), (160, 160)))
    lag = series(queries, "Lag by partition")
    assert set(lag) == {"Partition 0", "Partition 1"}
    assert (
        sorted(value for _, value in lag["Partition 0"]) in ([10, 160], [10, 10, 160])
        and max(v for _, v in lag["Partition 1"]) == 10
    )
    assert rows(queries, "Under way") == [[10]]
    assert rows(queries, "Loaded") == [[pytest.approx(220 / 5)]]
    assert rows(queries, "Delay p95") == [[90]]
    # Whatever the steps are: over the whole time as many come out as went in.
    for name, gained in (("Onto the topics", 300), ("Sent by the shop", 200), ("Loaded", 320)):
        points = series(queries, "Events in and out", "now-30d")[name]
        assert [value for _, value in points] == [pytest.approx(gained / 25)], name
    delay = series(queries, "Delay", "now-30d")
    assert {name: [value for _, value in points] for name, points in delay.items()} == {"p50": [15], "p95": [90], "p99": [95]}


def test_memory_and_disk_are_the_highest_of_each_step(queries: Queries, admin: psycopg.Connection) -> None:
    sample(admin, 30, memory={"kafka": 300_000_000, "run": 50_000_000}, disk={"postgres": 90_500_000})
    sample(admin, 20, memory={"kafka": 350_000_000}, disk={"postgres": 91_000_000, "kafka": 7_000_000})
    memory, disk = series(queries, "Memory by part", "now-30d"), series(queries, "Disk by store", "now-30d")
    assert {name: points[0][1] for name, points in memory.items()} == {"kafka": 350e6, "run": 50e6}
    assert {name: points[0][1] for name, points in disk.items()} == {"kafka": 7e6, "postgres": 91e6}


def test_a_step_shows_the_state_that_is_not_ready_and_nothing_where_no_run_was(
    queries: Queries, admin: psycopg.Connection
) -> None:
    for ago, state in ((1500, "ready"), (1495, "ready"), (15, "ready"), (10, "restarting"), (5, "ready")):
        sample(admin, ago, parts={"load": state, "kafka": "ready"})
    found = series(queries, "Parts", "now-30d")
    assert {value for _, value in found["Kafka"]} == {"ready"} and "restarting" in {value for _, value in found["Loader"]}
    assert not found["Spark"]
    frame = answer(queries, "Parts").frames[0]
    loader = [column.name for column in frame.columns].index("Loader")
    states = [row[loader] for row in sorted(frame.rows, key=lambda row: row[0])]
    assert None in states and states[-1] is not None and states[0] == "ready", "between the two runs there was none"


def test_annotations_are_runs_of_dbt_restarts_and_faults(queries: Queries, admin: psycopg.Connection) -> None:
    at = NOW - timedelta(seconds=600)
    admin.execute(
        "INSERT INTO ops.dbt_runs (trigger, started_at, finished_at, status, load_xid_below) "
        "VALUES ('refresh', %s, %s, 'success', 1)",
        [at, at + timedelta(seconds=9)],
    )
    admin.execute(
        "INSERT INTO ops.service_events (at, service, event, detail) "
        "VALUES (%s, 'load', 'died', 'why'), (%s, 'load', 'ready', '')",
        [at, at],
    )
    for ago, faults in ((500, 0), (495, 4), (490, 9), (100, 9), (95, 10)):
        sample(admin, ago, faults=faults)
    found = [(mark.text, mark.end is not None) for mark in queries.marks(BOARD, "now-30m", "now")]
    assert sorted(found) == [
        ("1 events sent wrong on purpose", True), ("9 events sent wrong on purpose", True), ("dbt (refresh): success", True),
        ("load died: why", False),
    ]  # fmt: skip


def test_micro_batches_and_the_watermark(queries: Queries, admin: psycopg.Connection) -> None:
    for number, (ago, behind, took) in enumerate(((300, 130, 900), (20, 125, 700), (10, 140, 800))):
        at = NOW - timedelta(seconds=ago)
        admin.execute(
            "INSERT INTO realtime.stream_progress (query, batch_id, at, watermark, input_rows, duration_ms) "
            "VALUES ('per_minute', %s, %s, %s, 5, %s)",
            [number, at, at - timedelta(seconds=behind), took],
        )
    admin.execute(
        "INSERT INTO realtime.stream_progress (query, batch_id, input_rows, duration_ms) VALUES ('per_minute', -1, 9, 99999)"
    )
    admin.execute("UPDATE realtime.stream_progress SET late_rows = batch_id + 2")
    spark = series(queries, "Spark batch time")
    assert set(spark) == {"Spark"} and max(value for _, value in spark["Spark"]) == 900, "the row that sums up old ones is none"
    distances = [value for _, value in series(queries, "Distance of the watermark", "now-30d")["Behind"]]
    assert distances in ([140], [130, 140]), "the widest of each step; a step may have ended between the first and the last"
    late = series(queries, "Late lines", "now-30d")["Left out"]
    assert sum(value for _, value in late) == 9, "what is summed up of older ones has no time"
    asked_at = datetime.now(UTC)
    ((behind,),) = rows(queries, "Watermark")
    least, most = ((at - NOW).total_seconds() + 150 for at in (asked_at, datetime.now(UTC)))
    assert least - 1 <= behind <= most + 1


def test_what_spark_does_is_that_of_the_samples(queries: Queries, admin: psycopg.Connection) -> None:
    sample(admin, 300)  # a run without Spark
    for ago, rows_per_s, state_rows, phases in (
        (20, 7.5, 80, {"addBatch": 300, "triggerExecution": 310}),
        (8, 2, 90, {"addBatch": 250}),
    ):
        sample(admin, ago, stream={"rows_per_s": rows_per_s, "state_rows": state_rows, "phases_ms": phases})
    phases_ms = series(queries, "Spark batch by phase")
    assert {name: [value for _, value in points] for name, points in phases_ms.items()} == {"addBatch": [300, 250]}
    assert [value for _, value in series(queries, "Records read by Spark")["Records a second"]] == [7.5, 2]
    assert [value for _, value in series(queries, "Rows kept by Spark")["Rows"]] == [80, 90]


def test_dead_letters_restarts_and_gaps(queries: Queries, admin: psycopg.Connection) -> None:
    letters = (("not_json", 60), ("not_json", 61), ("bad_timestamp", 62), ("bad_timestamp", 7200))
    for number, (reason, ago) in enumerate(letters):
        admin.execute(
            'INSERT INTO ops.dead_letters (topic, partition, "offset", reason, detail, error_class, loaded_at) '
            "VALUES ('t', 0, %s, %s, '', '', %s)",
            [number, reason, NOW - timedelta(seconds=ago)],
        )
    assert rows(queries, "Dead letters") == [[3]] and rows(queries, "Dead letters", "now-6h") == [[4]]
    by_reason = series(queries, "Dead letters by reason")
    assert {name: sum(value for _, value in points) for name, points in by_reason.items()} == {"not_json": 2, "bad_timestamp": 1}
    for event, ago in (("started", 100), ("died", 50), ("restarted", 48), ("restarted", 9000)):
        admin.execute(
            "INSERT INTO ops.service_events (at, service, event, detail) VALUES (%s, 'load', %s, 'why')",
            [NOW - timedelta(seconds=ago), event],
        )
    assert rows(queries, "Restarts") == [[1]]
    assert [row[1:] for row in rows(queries, "What happened to the parts")] == [
        ["load", "restarted", "why"], ["load", "died", "why"], ["load", "started", "why"],
    ]  # fmt: skip
    admin.execute("INSERT INTO ops.gaps (topic, partition, first_offset, last_offset) VALUES ('t', 1, 10, 19), ('t', 2, 0, 0)")
    assert rows(queries, "Lost") == [[11]]
    assert sorted(row[1:] for row in rows(queries, "Gaps")) == [["t", 1, 10, 19, 10], ["t", 2, 0, 0, 1]]


def test_the_count_is_taken_apart(queries: Queries, admin: psycopg.Connection) -> None:
    admin.execute(
        "INSERT INTO ops.consumer_offsets (topic, partition, next_offset, epoch, first_offset, other, duplicates, markers, "
        "further_lines, facts) VALUES ('t', 0, 130, 1, 100, 20, 6, 4, 2, 2)"
    )
    sample(admin, 5, partitions=partitions((140, 130)))
    assert rows(queries, "Count that closes") == [[2]], "two facts are counted, and no row is there"
    found = {row[0]: row[1] for row in rows(queries, "What became of every event")}
    assert found == {
        "On the topics": 40, "Facts": 0, "Other events": 20, "Duplicates": 6, "Dead letters": 0,
        "Further lines of one record": -2, "Markers": 4, "Lost": 0, "Under way": 10, "Not accounted for": 2,
    }  # fmt: skip
    assert sum(value for what, value in found.items() if what != "On the topics") == found["On the topics"]


def test_runs_and_models_of_dbt(queries: Queries, admin: psycopg.Connection) -> None:
    for number, (ago, took, quick) in enumerate(((600, 12, False), (300, 3.5, True), (0, None, True)), 1):
        started = NOW - timedelta(seconds=ago)
        admin.execute(
            "INSERT INTO ops.dbt_runs (run_id, trigger, started_at, finished_at, status, load_xid_below, quick) "
            "OVERRIDING SYSTEM VALUE VALUES (%s, 'schedule', %s, %s, %s, 1, %s)",
            [number, started, started + timedelta(seconds=took) if took else None, "success" if took else "running", quick],
        )
    admin.execute(
        "INSERT INTO ops.dbt_models (run_id, model, seconds, rows, tests_passed, tests_failed, error) VALUES"
        " (1, 'stg_sales', 0.5, NULL, 2, 0, ''), (1, 'daily_sales', 4, 90, 5, 0, ''), (2, 'daily_sales', 1.5, 3, 4, 1, 'test x')"
    )
    assert series(queries, "dbt runs") == {
        "schedule": [((NOW - timedelta(seconds=600)).timestamp(), 12), ((NOW - timedelta(seconds=300)).timestamp(), 3.5)]
    }
    found = [[*row[:5], row[6]] for row in rows(queries, "dbt models")]
    assert found == [["daily_sales", 1.5, 3, 4, 1, "test x"], ["stg_sales", 0.5, None, 2, 0, ""]]
