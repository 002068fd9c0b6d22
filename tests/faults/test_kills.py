"""SIGKILL of every part in turn during one run, then of the whole run: all comes back, nothing is left, the count closes."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from tests.runs import START_S, LightRun, wait_for

pytestmark = pytest.mark.timeout(600)  # each part is killed, and the run is waited for
PARTS = ("load", "produce", "postgres", "kafka", "lake")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LightRun]:
    run = LightRun(tmp_path_factory.mktemp("kills") / "data", "--rate", "100", "--seed", "11")
    try:
        yield run.wait_ready()
    finally:
        run.close()


def test_as_root_the_database_runs_as_somebody_else(run: LightRun) -> None:
    if os.geteuid() != 0:
        pytest.skip("we are no root: this run shows that none is needed")
    owners = {name: psutil.Process(pid).uids().real for name, pid in run.note_processes().items()}
    assert owners["postgres"] != 0 and owners["kafka"] == owners["load"] == 0


def flowing(run: LightRun) -> bool:
    """Whether new facts arrive."""
    before = run.state.get("facts", 0)
    wait_for(lambda: run.state.get("facts", 0) > before, f"facts grow beyond {before}", START_S)
    return True


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back_and_events_flow(run: LightRun, part: str) -> None:
    assert flowing(run)

    def ready(restarts: int) -> bool:
        found = run.state["parts"][part]
        return bool(found["restarts"] >= restarts and found["state"] == "ready" and part in run.note_processes())

    wait_for(lambda: ready(0), f"{part} is at work", START_S)
    # The lake may have died with PostgreSQL before: see below.
    pid, restarts = run.note_processes()[part], run.state["parts"][part]["restarts"]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: run.note_processes().get(part, pid) != pid, f"{part} is started again", START_S)
    wait_for(lambda: ready(restarts + 1), f"{part} is ready", START_S)
    assert flowing(run)
    wait_for(lambda: f"{part} died and is started again" in run.stderr and f"{part} is back" in run.stderr, "the words of it")


def test_the_count_closes_after_all_that(run: LightRun) -> None:
    wait_for(lambda: (run.state["dbt"] or {}).get("status") == "success", "a dbt run that was cut off is made again", START_S)
    said = run.verb("check", "--json")
    counts = json.loads(said.stdout)
    assert said.returncode == 0 and counts["closes"], said.stdout
    assert counts["foreign"] == 0 and counts["dead"] == 0
    events = run.verb("sql", "--json", "SELECT service FROM ops.service_events WHERE event = 'restarted'").stdout.splitlines()
    assert {json.loads(line)["service"] for line in events} == set(PARTS)


def test_what_happened_to_the_parts_is_kept_in_its_order(run: LightRun) -> None:
    """Also what came before PostgreSQL was up, and while it was down."""
    said = run.verb("sql", "--json", "SELECT * FROM ops.service_events")
    assert said.returncode == 0, said.stderr
    told = sorted((json.loads(line) for line in said.stdout.splitlines()), key=lambda each: each["at"])
    for part in PARTS:
        events = [each["event"] for each in told if each["service"] == part]
        # DuckDB ends the lake's process where PostgreSQL goes in the middle of its ROLLBACK: then it has died once more.
        deaths = range(1, 3) if part == "lake" else range(1, 2)
        assert events in [["starting", "ready", *["died", "restarted"] * count] for count in deaths], (part, events)
    names = [f"{each['service']} {each['event']}" for each in told]
    assert names.index("postgres ready") < names.index("load starting"), "as they were started"
    assert len({each["at"] for each in told}) == len(told), "each at its own time"


def test_nothing_survives_a_kill_of_the_whole_run_and_the_next_goes_on(run: LightRun) -> None:
    assert flowing(run)
    run.signal(signal.SIGKILL)
    run.process.wait()
    run.assert_nothing_left()
    said = run.verb("status")
    assert said.returncode == 2 and "nothing runs" in said.stderr
    after = LightRun(run.data_dir, "--events", "200", "--rate", "max", "--seed", "11", "--json")
    assert after.wait() == 0, after.stderr
    summary = after.summary()
    assert summary["closes"] and summary["restarts"] == {} and summary["foreign"] == 0 and summary["dead"] == 0
    after.assert_nothing_left()
    raw = after.verb(
        "sql", "--json", 'SELECT count(*) AS records, count(DISTINCT (partition, "offset")) AS places FROM memory.main.lake'
    )
    accounted = "SELECT sum(facts + duplicates + other + dead)::bigint AS records FROM ops.consumer_offsets"
    account = json.loads(after.verb("sql", "--json", accounted).stdout)
    assert json.loads(raw.stdout) == {**account, "places": account["records"]}, "each record is in the raw archive, once"
