"""Runs that end by themselves, with a summary: the same seed ends in the same facts and marts; and a run in the background."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from ecom_lite.run.summary import WORDS
from tests.runs import LightRun, partitions_of, wait_for

EVENTS = 20_000
FIELDS = {"closes", "ready_s", "sent", "facts", "duplicates", "other", "dead", "foreign", "rss_mb", "dbt_runs", "load_rate"}
START = ("--start", "2026-01-01T00:00Z", "--seed", "21", "--events", str(EVENTS), "--json")
MORE_LOADERS_THAN_PARTITIONS = {"ECOM_LITE_LOAD__PROCESSES": "3", "ECOM_LITE_KAFKA__PARTITIONS": "2"}
FAULTS = ("late", "duplicate", "out_of_order", "malformed", "burst", "silence")


class Finished(NamedTuple):
    """A bounded run that has ended well."""

    run: LightRun
    summary: dict[str, Any]
    fingerprint: str


def finished(run: LightRun) -> Finished:
    assert run.wait(180) == 0, run.stderr
    summary = run.summary()
    assert summary["closes"], summary
    said = run.verb("check", "--fingerprint")
    assert said.returncode == 0, said.stderr
    assert len(said.stdout.strip()) == 64
    return Finished(run, summary, said.stdout.strip())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """As fast as it goes, by three loaders from two partitions: what comes out must not depend on either."""
    folder = tmp_path_factory.mktemp("undisturbed") / "data"
    run = LightRun(folder, *START, "--rate", "max", env=MORE_LOADERS_THAN_PARTITIONS)
    try:
        yield finished(run)
    finally:
        run.close()


def test_a_number_of_events_as_fast_as_it_goes(undisturbed: Finished) -> None:
    summary = undisturbed.summary
    assert set(summary) >= FIELDS
    assert set(summary) == {word for word in WORDS if not word.startswith("history_")}, "docs/summary.md explains each"
    assert summary["sent"] == EVENTS and summary["dead"] == summary["lost"] == 0 and summary["gaps"] == []
    assert summary["facts"] + summary["duplicates"] + summary["other"] == EVENTS
    assert summary["marts"] == summary["lake"] == summary["facts"] and summary["dbt_runs"] >= 1 and summary["restarts"] == {}
    assert 0 < summary["ready_s"] < summary["seconds"] and summary["rss_mb"] > 100 and summary["load_rate"] > 0
    undisturbed.run.assert_nothing_left()


def test_a_history_after_a_plain_run_is_refused_before_anything_starts(undisturbed: Finished) -> None:
    for extra in ((), ("--detach",)):
        run = LightRun(undisturbed.run.data_dir, "--seed", "21", "--history", "30d", *extra)
        assert run.wait() == 2, run.stderr
        assert "shop.history" in run.stderr and "30d" in run.stderr and "run --fresh" in run.stderr
        assert len(run.stderr.splitlines()) == 1, "no part came up, and no log is quoted"


def test_more_loaders_than_partitions_share_what_there_is(undisturbed: Finished) -> None:
    logs = undisturbed.run.data_dir / "logs"
    shares = [partitions_of(logs / f"{name}.log") for name in ("load", "load-2", "load-3")]
    assert set().union(*shares) == {0, 1}


def kill_and_wait(run: LightRun, part: str) -> None:
    """SIGKILL it while facts arrive, and wait for its successor."""
    before = run.state.get("facts", 0)
    wait_for(lambda: run.state.get("facts", 0) > before, "facts arrive")
    pid = run.note_processes()[part]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: run.note_processes().get(part, pid) != pid, f"{part} is started again")


@pytest.mark.timeout(500)
def test_the_same_seed_makes_the_same_facts_and_marts_whatever_is_killed(tmp_path: Path, undisturbed: Finished) -> None:
    # So many events for three quarters of a minute: nothing is killed after the last one.
    run = LightRun(tmp_path / "data", *START, "--rate", "200")
    try:
        run.wait_ready()
        for part in ("produce", "load", "postgres"):
            kill_and_wait(run, part)
        run.verb("rate", "max")  # the rest at once
        _, summary, fingerprint = finished(run)
        assert (summary["sent"], summary["facts"], summary["duplicates"]) == (EVENTS, undisturbed.summary["facts"], 0)
        assert summary["lake"] == summary["facts"]
        # DuckDB ends the lake's process where PostgreSQL goes in the middle of its ROLLBACK: whether it does is chance.
        assert set(summary["restarts"]) - {"lake"} == {"produce", "load", "postgres"}
        assert fingerprint == undisturbed.fingerprint
    finally:
        run.close()


@pytest.mark.long
def test_faults_change_no_mart_and_are_found_again_to_the_last_one(tmp_path: Path, undisturbed: Finished) -> None:
    faults = {f"ECOM_LITE_FAULTS__{name.upper()}": "10%" for name in FAULTS} | {"ECOM_LITE_FAULTS__LATE_S": "5"}
    run = LightRun(tmp_path / "data", *START, "--rate", "500", env=faults)
    try:
        _, summary, fingerprint = finished(run)
        assert summary["sent"] > EVENTS and summary["dead"] > 0 and summary["duplicates"] > 0
        assert summary["lake"] == summary["facts"]
        said = run.verb("check", "--json")
        assert said.returncode == 0, said.stderr
        found = json.loads(said.stdout)["faults"]
        broken = {kind: counts for kind, counts in found.items() if kind.startswith("malformed.")}
        assert len(broken) >= 12
        assert sum(counts["sent"] for counts in broken.values()) == summary["dead"]
        assert all(counts["sent"] == counts["found"] for counts in broken.values())
        assert found["duplicate"]["sent"] == summary["duplicates"]
        assert found["late"]["sent"] > 0 and found["out_of_order"]["sent"] > 0
        assert fingerprint == undisturbed.fingerprint
    finally:
        run.close()


def test_in_the_background_with_fresh_data(undisturbed: Finished) -> None:
    folder = undisturbed.run.data_dir
    started = LightRun(folder, "--fresh", "--detach", "--rate", "20", "--json")
    try:
        assert started.wait() == 0, started.stderr
        state = json.loads(started.stdout)
        process = psutil.Process(state["pid"])
        started.known |= {child.pid: child for child in [process, *process.children(recursive=True)]}
        assert state["state"] == "running" and len(started.known) > 4
        facts = wait_for(lambda: started.state.get("facts", 0), "facts are loaded")
        assert facts < EVENTS // 2, "the data of the earlier run is gone"
        assert "is ready after" in started.verb("logs", "run", "-n", "1000").stdout
        again = LightRun(folder, "--detach")
        assert again.wait() == 2 and f"pid {state['pid']}" in again.stderr
    finally:
        stopped = started.stop()
    assert stopped.returncode == 0, stopped.stderr
    started.assert_nothing_left()


def test_a_background_run_that_cannot_start_says_why(tmp_path: Path) -> None:
    run = LightRun(tmp_path / "data", "--detach", env={"ECOM_LITE_JARS__JAVA": "/nowhere/java"})
    assert run.wait() == 1
    assert "/nowhere/java" in run.stderr and "Traceback" not in run.stderr and run.stdout == ""


@pytest.mark.timeout(500)
def test_another_time_zone_takes_a_rebuild_and_reading_goes_on(tmp_path: Path) -> None:
    there, berlin = {"ECOM_LITE_SHOP__TIME_ZONE": "UTC"}, {"ECOM_LITE_SHOP__TIME_ZONE": "Europe/Berlin"}
    start = ("--start", "2026-01-01T00:00Z", "--events", "300", "--rate", "max", "--json")
    runs = [LightRun(tmp_path / "data", *start, env=there)]
    try:
        assert runs[0].wait() == 0, runs[0].stderr
        runs.append(LightRun(tmp_path / "data", *start, env=berlin))
        assert runs[1].wait() == 1 and "migrate --rebuild-marts" in runs[1].stderr, runs[1].stderr
        asked = runs[1].verb("sql", "--format", "csv", "SELECT count(*) AS days FROM marts.daily_sales")
        assert asked.returncode == 0 and asked.stdout.startswith("days"), asked.stderr
        changed = runs[1].verb("migrate", "--rebuild-marts")
        assert (changed.returncode, changed.stdout.strip()) == (0, "days by the clock of Europe/Berlin"), changed.stderr
        built = runs[1].verb("refresh")
        assert built.returncode == 0 and "built anew" in built.stdout + built.stderr, built
        runs.append(LightRun(tmp_path / "data", *start, env=berlin))  # the shop of before goes on
        assert runs[2].wait() == 0, runs[2].stderr
    finally:
        for run in runs:
            run.close()
