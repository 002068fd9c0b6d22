"""Runs that end by themselves, with a summary; and a run in the background."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.runs import COMMAND, LightRun, wait_for

EVENTS = 5000
FIELDS = {"closes", "ready_s", "sent", "facts", "duplicates", "other", "dead", "foreign", "rss_mb", "dbt_runs", "load_rate"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("bounded") / "data"
    yield folder
    subprocess.run([*COMMAND, "reset", "--yes", "--data-dir", str(folder)], capture_output=True, check=True)


def test_a_number_of_events_as_fast_as_it_goes(folder: Path) -> None:
    run = LightRun(folder, "--events", str(EVENTS), "--rate", "max", "--seed", "7", "--json")
    assert run.wait() == 0, run.stderr
    summary = run.summary()
    assert set(summary) >= FIELDS
    assert summary["closes"] is True and summary["sent"] == EVENTS and summary["dead"] == 0
    assert summary["facts"] + summary["duplicates"] + summary["other"] == EVENTS == summary["sent"]
    assert summary["marts"] == summary["facts"] and summary["dbt_runs"] >= 1 and summary["restarts"] == {}
    assert 0 < summary["ready_s"] < summary["seconds"] and summary["rss_mb"] > 100 and summary["load_rate"] > 0
    run.assert_nothing_left()


def test_a_history_after_a_plain_run_is_refused_before_anything_starts(folder: Path) -> None:
    for extra in ((), ("--detach",)):
        run = LightRun(folder, "--seed", "7", "--history", "30d", *extra)
        assert run.wait() == 2
        assert "shop.history = 30d cannot be set now" in run.stderr and "run --fresh" in run.stderr
        assert len(run.stderr.splitlines()) == 1, "no part came up, and no log is quoted"


def test_in_the_background_with_fresh_data(folder: Path) -> None:
    started = LightRun(folder, "--fresh", "--detach", "--rate", "20", "--json")
    try:
        assert started.wait() == 0, started.stderr
        state = json.loads(started.stdout)
        process = psutil.Process(state["pid"])
        started.known |= {child.pid: child for child in [process, *process.children(recursive=True)]}
        assert state["state"] == "running" and len(started.known) > 4
        facts = wait_for(lambda: started.state.get("facts", 0), "facts are loaded")
        assert facts < EVENTS // 2, "the data of the earlier run is gone"
        assert "is ready after" in started.verb("logs", "run").stdout
        again = LightRun(folder, "--detach")
        assert again.wait() == 2 and f"pid {state['pid']}" in again.stderr
    finally:
        stopped = started.verb("stop")
    assert stopped.returncode == 0, stopped.stderr
    started.assert_nothing_left()


def test_a_background_run_that_cannot_start_says_why(tmp_path: Path) -> None:
    run = LightRun(tmp_path / "data", "--detach", env={"ECOM_LITE_JARS__JAVA": "/nowhere/java"})
    assert run.wait() == 1
    assert "/nowhere/java" in run.stderr and "Traceback" not in run.stderr and run.stdout == ""
