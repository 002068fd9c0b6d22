"""The runs of dbt: recorded, one at a time, quiet, and clear about what is broken."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecom_lite.errors import TransformError, UsageError
from ecom_lite.machine import shipped
from ecom_lite.transform import Transform
from ecom_lite.transform.dbt import Dbt
from ecom_lite.transform.results import Outcome
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.sqlfiles import read_sql
from tests.runs import DEADLINE_S, wait_for

from .facts import insert_lines, load, rows, settle, some_lines

PROJECT = Path(__file__).parents[2] / "dbt_project"
MODELS = len(list((PROJECT / "models").rglob("*.sql")))


@pytest.fixture
def transform(warehouse: Address, tmp_path: Path) -> Transform:
    return Transform(warehouse, PROJECT, tmp_path / "dbt", threads=2)


def test_a_failing_data_test_is_recorded_and_does_not_raise(
    warehouse: Address, transform: Transform, caplog: pytest.LogCaptureFixture
) -> None:
    load(warehouse, some_lines(20))
    transform.run("first facts")
    with warehouse.connect("ecom_dbt") as connection:
        connection.execute(
            "UPDATE marts.daily_sales SET revenue = revenue + 0.01, gross = gross + 0.01, net = net + 0.01 "
            "WHERE date = (SELECT min(date) FROM marts.daily_sales)"
        )
    with caplog.at_level(logging.INFO, logger="ecom_lite.transform"):
        run = transform.run("schedule")
    assert (run.status, run.tests_failed, run.message) == ("tests failed", 1, "marts_hold_the_facts")
    ours = [record for record in caplog.records if record.name.startswith("ecom_lite.transform")]
    warnings = [record.getMessage() for record in ours if record.levelno == logging.WARNING]
    assert len(warnings) == 1 and "marts_hold_the_facts" in warnings[0]
    recorded = rows(
        warehouse, "SELECT status, tests_failed, message, load_xid_below FROM ops.dbt_runs ORDER BY run_id DESC LIMIT 1"
    )
    assert recorded == [("tests failed", 1, "marts_hold_the_facts", run.load_xid_below)]


def test_old_runs_are_forgotten_but_not_those_that_say_what_the_marts_hold(warehouse: Address) -> None:
    ended = ["success", "tests failed", "error", "success", "success", "tests failed", "error", "error", "error", "running"]
    with warehouse.connect("ecom_dbt", autocommit=True) as connection:
        for status in ended:
            insert = "INSERT INTO ops.dbt_runs (trigger, started_at, status, load_xid_below) VALUES ('schedule', now(), %s, 5)"
            connection.execute(insert, [status])
        connection.execute(read_sql("ecom_lite.transform", "forget_runs"), {"run_id": 10, "kept": 2})
    assert rows(warehouse, "SELECT run_id, status FROM ops.dbt_runs ORDER BY run_id") == [
        (5, "success"), (6, "tests failed"), (9, "error"), (10, "running"),
    ]  # fmt: skip


@pytest.mark.parametrize(("before", "full"), [("error", True), ("selected", True), ("nothing", False)])
def test_what_a_run_that_was_not_good_made_with_other_rates_is_made_anew(warehouse: Address, before: str, full: bool) -> None:
    with warehouse.connect("ecom_dbt", autocommit=True) as connection, warehouse.connect("ecom_owner", autocommit=True) as owner:
        if before != "nothing":
            insert = "INSERT INTO ops.dbt_runs (trigger, started_at, status, load_xid_below) VALUES ('refresh', now(), %s, 5)"
            connection.execute(insert, [before])
        owner.execute("UPDATE ops.reporting_currency SET rates_version = rates_version + 1")
        wish = {"trigger": "schedule", "full_refresh": False, "selected": None}
        started = connection.execute(read_sql("ecom_lite.transform", "start_run"), wish).fetchone()
    assert started is not None and started[2] is full


def test_what_dbts_own_run_did_to_the_models_outlasts_many_quick_runs(warehouse: Address) -> None:
    with warehouse.connect("ecom_dbt", autocommit=True) as connection:
        for number in range(1, 9):
            connection.execute(
                "INSERT INTO ops.dbt_runs (trigger, started_at, status, load_xid_below, quick) "
                "VALUES ('schedule', now(), 'success', 5, %s)",
                [number > 2],
            )
            connection.execute("INSERT INTO ops.dbt_models (run_id, model, seconds) VALUES (%s, 'cohorts', 0)", [number])
        for statement, kept in (("forget_models", 3), ("forget_runs", 5)):
            connection.execute(read_sql("ecom_lite.transform", statement), {"run_id": 8, "kept": kept})
    assert rows(warehouse, "SELECT run_id FROM ops.dbt_models ORDER BY run_id") == [(2,), (6,), (7,), (8,)]
    assert rows(warehouse, "SELECT run_id FROM ops.dbt_runs ORDER BY run_id") == [(2,), (4,), (5,), (6,), (7,), (8,)]


def test_runs_are_recorded_and_rows_of_a_killed_process_are_closed(warehouse: Address, transform: Transform) -> None:
    with warehouse.connect("ecom_dbt") as connection:
        connection.execute(
            "INSERT INTO ops.dbt_runs (trigger, started_at, status, load_xid_below) VALUES ('schedule', now(), 'running', 5)"
        )
    run = transform.run("refresh")
    assert transform.last == run
    (dead, mine) = rows(
        warehouse, "SELECT status, finished_at IS NOT NULL, models, tests_passed, message FROM ops.dbt_runs ORDER BY run_id"
    )
    assert dead == ("error", True, 0, 0, "the process ended before this run did")
    assert mine == ("success", True, run.models, run.tests_passed, "") and run.models == MODELS and run.tests_passed >= 80


def test_a_run_says_whose_open_transaction_keeps_facts_out_of_the_marts(warehouse: Address, transform: Transform) -> None:
    said: list[str] = []
    with warehouse.connect("admin") as stranger:
        stranger.execute("SELECT pg_current_xact_id()")
        with warehouse.connect("ecom_loader") as loader:
            insert_lines(loader, some_lines(20))
        assert transform.run("refresh", said=said.append).message == "", "a moment is no reason to speak"
        with warehouse.connect("ecom_owner") as owner:
            owner.execute("UPDATE warehouse.fact_sales SET loaded_at = loaded_at - interval '1 hour'")
        run = transform.run("refresh", said=said.append)
        assert f"ecom_lite admin (pid {stranger.info.backend_pid}), role postgres" in run.message and run.status == "success"
        assert run.message in said and f"pg_terminate_backend({stranger.info.backend_pid})" in run.message
    settle(warehouse)
    assert transform.run("refresh").message == ""


def test_the_process_is_left_as_it_was(
    warehouse: Address, transform: Transform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """From a thread: no output, no password left, no foreign logging set-up, no network but loopback, no file in the repo."""
    load(warehouse, some_lines(5))
    asked: list[str] = []
    real = socket.getaddrinfo

    def listen(host: Any, *rest: Any, **more: Any) -> Any:
        asked.append(str(host))
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", listen)
    before = (logging.getLogger().handlers[:], logging.getLogger().level, sorted(PROJECT.rglob("*")))
    outcome: list[object] = []
    thread = threading.Thread(target=lambda: outcome.append(transform.run("schedule").status))
    thread.start()
    thread.join(timeout=120)
    assert outcome == ["success"]
    assert (logging.getLogger().handlers[:], logging.getLogger().level, sorted(PROJECT.rglob("*"))) == before
    assert capfd.readouterr() == ("", "")
    assert set(asked) <= {"127.0.0.1", "localhost", warehouse.host}
    password = warehouse.passwords["ecom_dbt"]
    assert not [name for name, value in os.environ.items() if value == password]
    written = [path for path in (tmp_path / "dbt").rglob("*") if path.is_file()]
    assert any(path.name == "dbt.log" for path in written)
    assert not [path for path in written if password.encode() in path.read_bytes()]


def test_two_threads_queue(warehouse: Address, tmp_path: Path) -> None:
    """dbt keeps its state in globals: also two Transforms of one process must not overlap."""
    load(warehouse, some_lines(30))
    both = [Transform(warehouse, PROJECT, tmp_path / str(n), threads=2) for n in range(2)]
    statuses: list[str] = []
    threads = [threading.Thread(target=lambda each=each: statuses.append(each.run("refresh").status)) for each in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert statuses == ["success", "success"]
    assert rows(warehouse, "SELECT sum(lines)::int FROM marts.daily_sales") == [(30,)]


def test_dbt_by_hand_beside_a_run_adds_no_facts_twice(warehouse: Address, transform: Transform, tmp_path: Path) -> None:
    """What a model holds is read behind its lock: here another run has taken the new facts in, and is about to commit."""
    load(warehouse, some_lines(20))
    transform.run("first facts")
    load(warehouse, some_lines(10, seed=2))
    cut = rows(warehouse, "SELECT ops.load_order_cut()")[0][0]
    by_hand = Dbt(warehouse, PROJECT, tmp_path / "hand", threads=2)
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(by_hand.build(cut, select=["daily_sales"])))
    with warehouse.connect("ecom_dbt") as other:
        model = f'"{warehouse.database}"."marts"."daily_sales"'
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [model])
        other.execute("UPDATE ops.mart_cuts SET load_xid_below = %s WHERE model = 'daily_sales'", [cut])
        thread.start()
        waits = (
            "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        wait_for(lambda: rows(warehouse, waits), "dbt waits for the other run")
    thread.join(timeout=DEADLINE_S)
    assert [outcome.errors for outcome in outcomes] == [[]]
    assert rows(warehouse, "SELECT sum(lines)::int FROM marts.daily_sales") == [(20,)]


def test_dbt_unit_tests_pass(warehouse: Address, transform: Transform, tmp_path: Path) -> None:
    transform.run("refresh")  # they read column types from the models
    outcome = Dbt(warehouse, PROJECT, tmp_path / "unit", threads=2).unit_tests()
    assert (list(outcome.failed), list(outcome.errors)) == ([], [])
    assert outcome.passed >= 30


def test_the_reader_still_reads_after_tables_were_swapped(warehouse: Address, transform: Transform) -> None:
    load(warehouse, some_lines(5))
    for full in (False, True):
        transform.run("refresh", full_refresh=full)
        settle(warehouse)
    for relation in ("customer_ltv", "product_performance", "daily_sales", "order_facts"):
        assert rows(warehouse, f"SELECT * FROM marts.{relation}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(warehouse, "SELECT FROM intermediate.stg_sales")
    with pytest.raises(psycopg.errors.UndefinedTable):
        rows(warehouse, "SELECT FROM public.customer_ltv")


def test_an_edited_project_is_read_again_and_a_broken_one_is_named(warehouse: Address, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT, project)
    transform = Transform(warehouse, project, tmp_path / "dbt", threads=2)
    assert transform.run("refresh").models == MODELS
    (project / "models" / "marts" / "extra.sql").write_text(
        "{{ config(materialized='view', contract={'enforced': false}) }} select 1 as one"
    )
    assert transform.run("refresh").models == MODELS + 1
    (project / "models" / "marts" / "extra.sql").write_text("select 1 as one from {{ ref('no_such_model') }}")
    with pytest.raises(TransformError, match="no_such_model"):
        transform.run("refresh")
    assert rows(warehouse, "SELECT status, message LIKE '%no_such_model%' FROM ops.dbt_runs ORDER BY run_id DESC LIMIT 1") == [
        ("error", True)
    ]


def test_a_database_that_does_not_answer_is_named(warehouse: Address, tmp_path: Path) -> None:
    transform = Transform(warehouse.with_database("no_such_database"), PROJECT, tmp_path / "dbt", threads=2)
    with pytest.raises(TransformError, match="no_such_database"):
        transform.run("schedule")


def test_a_run_of_some_models_builds_what_they_are_made_from_and_the_others_catch_up(
    warehouse: Address, transform: Transform
) -> None:
    load(warehouse, some_lines(20))
    assert transform.run("first facts").status == "success"
    load(warehouse, some_lines(30, seed=2))
    run = transform.run("refresh", select=["cohorts"])
    assert run.status == "selected" and {"cohorts", "int_customer_months", "int_movements"} <= {one.model for one in run.by_model}
    lines = "SELECT (SELECT sum(lines)::int FROM marts.daily_sales), (SELECT sum(orders) > 20 FROM marts.cohorts)"
    assert rows(warehouse, lines) == [(20, True)]
    assert transform.run("schedule").status == "success"
    assert rows(warehouse, lines) == [(50, True)]
    with pytest.raises(UsageError, match=r"no model 'cohort': did you mean cohorts"):
        transform.run("refresh", select=["cohort"])


def test_views_outlast_tables_that_are_made_anew_under_them(warehouse: Address, transform: Transform) -> None:
    load(warehouse, some_lines(30))
    assert transform.run("first facts").status == "success"
    # Temporary tables go when the server has ended their session, which is after dbt has closed it.
    there = (
        "SELECT relnamespace::regnamespace::text, relname FROM pg_class WHERE relkind IN ('r', 'v') AND relpersistence <> 't' "
        "ORDER BY 1, 2"
    )
    before = rows(warehouse, there)
    run = transform.run("refresh", select=["customer_ltv"], full_refresh=True)
    assert run.status == "selected" and {"customer_rfm", "basket_pairs", "return_problems"} <= {one.model for one in run.by_model}
    assert rows(warehouse, there) == before
    assert transform.run("schedule").status == "success"


def test_an_ordinary_run_is_quick_and_each_model_is_told_of(warehouse: Address, transform: Transform) -> None:
    for seed, quick in ((1, False), (2, True), (3, True)):
        load(warehouse, some_lines(20, seed=seed))
        said: list[str] = []
        run = transform.run("schedule", said=said.append)
        assert (run.status, run.quick) == ("success", quick)
        count = len(run.by_model)
        assert [line.split(":")[0] for line in said[:count]] == [f"{n + 1} of {count}" for n in range(count)], "in order"
        assert said[count:] == [f"asking {run.tests_passed} data tests"]
    told = "SELECT rows, tests_failed, error FROM ops.dbt_models WHERE model = 'daily_sales' ORDER BY run_id"
    found = rows(warehouse, told)
    assert len(found) == 3 and found[-1][0] >= 1 and all(row[1:] == (0, "") for row in found)
    with warehouse.connect("ecom_dbt") as connection:
        connection.execute("UPDATE marts.daily_sales SET net = net + 1")
    load(warehouse, some_lines(5, seed=4))
    run = transform.run("schedule")
    assert run.quick and run.status == "tests failed"
    assert rows(warehouse, told)[-1][1] >= 1 and "failures" in rows(warehouse, told)[-1][2]


def test_the_tests_of_a_view_over_all_customers_are_for_whole_runs_only(
    warehouse: Address, transform: Transform, tmp_path: Path
) -> None:
    transform.run("first")
    dbt = Dbt(warehouse, PROJECT, tmp_path / "plan", threads=2)
    dbt.parse()
    of = {model: [test.whole for test in dbt.tests() if test.model == model] for model in ("customer_rfm", "daily_sales")}
    assert len(of["customer_rfm"]) > 5 and all(of["customer_rfm"]) and not all(of["daily_sales"])


def test_a_model_of_the_users_own_that_is_a_table_follows_the_facts(warehouse: Address, tmp_path: Path) -> None:
    shipped.write(tmp_path / "own")
    transform = Transform(warehouse, tmp_path / "own" / "dbt_project", tmp_path / "dbt", threads=2)
    for seed in (1, 2, 3):
        load(warehouse, some_lines(20, seed=seed))
        run = transform.run("schedule")
        assert (run.status, run.quick) == ("success", False), "a plan knows merges only"
        assert rows(warehouse, "SELECT sum(sold) FROM marts.sold_by_title") == rows(
            warehouse, "SELECT sum(quantity) FROM warehouse.fact_sales"
        )
