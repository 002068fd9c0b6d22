"""The simulated shop as its user meets it: the same seed through kills, a past before the present, faults counted, steering."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runs import LightRun, wait_for

START = ("--start", "2026-01-01T00:00Z", "--seed", "21")
FAULTS = ("late", "duplicate", "out_of_order", "malformed", "burst", "silence")


def finished(run: LightRun) -> dict[str, Any]:
    """Its summary, once it has ended well."""
    assert run.wait(180) == 0, run.stderr
    summary = run.summary()
    assert summary["closes"], summary
    return summary


def fingerprint(run: LightRun) -> str:
    said = run.verb("check", "--fingerprint")
    assert said.returncode == 0, said.stderr
    assert len(said.stdout.strip()) == 64
    return said.stdout.strip()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], str]]:
    run = LightRun(tmp_path_factory.mktemp("undisturbed") / "data", *START, "--events", "6000", "--rate", "max", "--json")
    try:
        summary = finished(run)
        yield summary, fingerprint(run)
    finally:
        run.close()


def kill_and_wait(run: LightRun, part: str) -> None:
    """SIGKILL it while facts arrive, and wait for its successor."""
    before = run.state.get("facts", 0)
    wait_for(lambda: run.state.get("facts", 0) > before, "facts arrive")
    pid = run.note_processes()[part]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: run.note_processes().get(part, pid) != pid, f"{part} is started again")


def test_the_same_seed_makes_the_same_facts_and_marts_whatever_is_killed(
    tmp_path: Path, undisturbed: tuple[dict[str, Any], str]
) -> None:
    run = LightRun(tmp_path / "data", *START, "--events", "6000", "--rate", "300", "--json")
    try:
        run.wait_ready()
        for part in ("produce", "load", "postgres"):
            kill_and_wait(run, part)
        summary = finished(run)
        assert (summary["sent"], summary["facts"], summary["duplicates"]) == (6000, undisturbed[0]["facts"], 0)
        assert set(summary["restarts"]) == {"produce", "load", "postgres"}
        assert fingerprint(run) == undisturbed[1]
    finally:
        run.close()


def test_faults_change_no_mart_and_are_found_again_to_the_last_one(
    tmp_path: Path, undisturbed: tuple[dict[str, Any], str]
) -> None:
    faults = {f"ECOM_LITE_FAULTS__{name.upper()}": "10%" for name in FAULTS} | {"ECOM_LITE_FAULTS__LATE_S": "5"}
    run = LightRun(tmp_path / "data", *START, "--events", "6000", "--rate", "500", "--json", env=faults)
    try:
        summary = finished(run)
        assert summary["sent"] > 6000 and summary["dead"] > 0 and summary["duplicates"] > 0
        said = run.verb("check", "--json")
        assert said.returncode == 0, said.stderr
        found = json.loads(said.stdout)["faults"]
        broken = {kind: counts for kind, counts in found.items() if kind.startswith("malformed.")}
        assert len(broken) >= 12
        assert sum(counts["sent"] for counts in broken.values()) == summary["dead"]
        assert all(counts["sent"] == counts["found"] for counts in broken.values())
        assert found["duplicate"]["sent"] == summary["duplicates"]
        assert found["late"]["sent"] > 0 and found["out_of_order"]["sent"] > 0
        assert fingerprint(run) == undisturbed[1]
    finally:
        run.close()


def test_a_past_is_sent_first_and_is_in_the_marts_soon(tmp_path: Path) -> None:
    size = {"ECOM_LITE_SHOP__ORDERS_PER_DAY": "60", "ECOM_LITE_SHOP__CUSTOMERS": "300"}
    run = LightRun(tmp_path / "data", "--history", "30d", "--for", "8s", "--json", env=size)
    try:
        summary = finished(run)
        assert {"history_sent_s", "history_loaded_s", "history_marts_s"} <= summary.keys()
        assert summary["history_events"] <= summary["sent"]
        days = json.loads(
            run.verb("sql", "--json", "SELECT count(*) AS days, max(date) = current_date AS live FROM marts.daily_sales").stdout
        )
        assert days == {"days": 31, "live": True}
        ahead = run.verb("sql", "--json", "SELECT count(*) AS n FROM fact_sales WHERE ordered_at > now()").stdout
        assert json.loads(ahead) == {"n": 0}
    finally:
        run.close()


def test_a_shop_that_cannot_be_is_refused_at_once_and_another_past_too(tmp_path: Path) -> None:
    run = LightRun(tmp_path / "data", "--speed", "60", "--rate", "5")
    assert run.process.wait(30) == 2 and "paced by one of them" in run.stderr, run.stderr
    assert not (tmp_path / "data" / "postgres").exists(), "nothing was started"
    size = {"ECOM_LITE_SHOP__ORDERS_PER_DAY": "60"}
    first = LightRun(tmp_path / "data", "--history", "2d", "--for", "1s", env=size)
    try:
        assert first.wait() == 0, first.stderr
        other = LightRun(tmp_path / "data", "--history", "3d", env=size)
        assert other.wait() == 2, other.stderr
        assert "shop.history was 2d and is 3d" in other.stderr and "--fresh" in other.stderr
        again = LightRun(tmp_path / "data", "--for", "1s", "--json", env=size)
        assert again.wait() == 0, again.stderr
        assert "history_events" not in again.summary(), "the past is told once"
    finally:
        first.close()


def test_it_is_steered_while_it_runs(tmp_path: Path) -> None:
    run = LightRun(tmp_path / "data", "--rate", "20")
    try:
        run.wait_ready()
        said = run.verb("rate", "400")
        assert (said.returncode, "400 orders/s" in said.stdout + said.stderr) == (0, True), said
        wait_for(lambda: run.state.get("sent_per_s", 0) > 300, "the rate is followed")
        assert json.loads(run.verb("pause", "--json").stdout)["paused"] is True
        wait_for(lambda: run.state.get("sent_per_s") == 0, "a paused shop sends nothing")
        assert run.state["paused"] is True
        assert run.verb("fault", "malformed=20%", "late=1%").returncode == 0
        run.verb("resume")
        wait_for(lambda: run.state.get("dead", 0) > 20, "broken events arrive")
        # A producer that is killed comes back as it was told to be.
        os.kill(run.note_processes()["produce"], signal.SIGKILL)
        wait_for(
            lambda: run.state["parts"]["produce"]["restarts"] == 1 and run.state["parts"]["produce"]["state"] == "ready",
            "it is back",
        )
        now = json.loads(run.verb("fault", "--json").stdout)
        assert (now["rate"], now["paused"], now["faults"]) == (400.0, False, {"malformed": 0.2, "late": 0.01})
        assert run.verb("fault", "off").returncode == 0
        refused = run.verb("fault", "lateness=5%")
        assert refused.returncode == 2 and "no such fault" in refused.stderr
        assert "control_token" not in run.verb("status", "--json").stdout
        checked = run.verb("check", "--json")
        assert checked.returncode == 0, checked.stderr
    finally:
        run.close()
    assert run.verb("rate", "5").returncode == 2, "nothing runs any more"
