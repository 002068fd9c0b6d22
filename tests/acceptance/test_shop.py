"""The simulated shop as its user meets it: a past before the present, what is refused, steering."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.runs import ENDS_S, LightRun, wait_for

DAYS = 30
QUIET = timedelta(hours=12)  # so small a shop may have no order in a whole night
SMALL = {"ECOM_LITE_SHOP__ORDERS_PER_DAY": "60", "ECOM_LITE_SHOP__CUSTOMERS": "300"}


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LightRun]:
    """A run with a history, that has ended."""
    run = LightRun(tmp_path_factory.mktemp("past") / "data", "--history", f"{DAYS}d", "--json", env=SMALL)
    try:
        run.wait_ready()
        # Not after some seconds: on a busy machine a part of the past may still be to be sent.
        wait_for(
            lambda: run.state["history"] == "sent" and (run.state["dbt"] or {}).get("succeeded_at"), "the past's marts", ENDS_S
        )
        run.signal(signal.SIGINT)
        assert run.wait() == 128 + signal.SIGINT, run.stderr
        yield run
    finally:
        run.close()


def asked(run: LightRun, question: str) -> dict[str, Any]:
    """The one row of the answer."""
    said = run.verb("sql", "--json", question)
    assert said.returncode == 0, said.stderr
    return dict(json.loads(said.stdout))


def test_a_past_is_sent_first_and_is_in_the_marts_soon(past: LightRun) -> None:
    summary = past.summary()
    assert summary["closes"], summary
    assert {"history_sent_s", "history_loaded_s", "history_marts_s"} <= summary.keys()
    assert summary["history_events"] <= summary["sent"]
    shop = asked(past, "SELECT opened_at, live_from FROM ops.shops")
    opened_at, live_from = (datetime.fromisoformat(shop[name]) for name in ("opened_at", "live_from"))
    assert opened_at.date() == live_from.date() - timedelta(days=DAYS)
    sales = asked(past, "SELECT max(ordered_at) AS newest, count(*) FILTER (WHERE ordered_at > now()) AS ahead FROM fact_sales")
    newest = datetime.fromisoformat(sales["newest"])
    assert newest > live_from - QUIET and sales["ahead"] == 0
    days = asked(past, "SELECT count(*) AS days, min(date) AS first, max(date) AS last FROM marts.daily_sales")
    first, last = date.fromisoformat(days["first"]), date.fromisoformat(days["last"])
    # Of today there is nothing for an hour after midnight: its first order has not come yet.
    assert first == opened_at.date() and last >= newest.date() and days["days"] == (last - first).days + 1


def test_another_past_is_refused_and_the_same_is_told_once(past: LightRun) -> None:
    other = LightRun(past.data_dir, "--history", "3d", env=SMALL)
    assert other.wait() == 2, other.stderr
    assert "shop.history was 30d and is 3d" in other.stderr and "--fresh" in other.stderr
    again = LightRun(past.data_dir, "--for", "1s", "--json", env=SMALL)
    assert again.wait() == 0, again.stderr
    assert "history_events" not in again.summary()


def test_a_shop_that_cannot_be_is_refused_at_once(tmp_path: Path) -> None:
    run = LightRun(tmp_path / "data", "--speed", "60", "--rate", "5")
    assert run.process.wait(ENDS_S) == 2 and "paced by one of them" in run.stderr, run.stderr
    assert not (tmp_path / "data" / "postgres").exists(), "nothing was started"


def test_it_is_steered_while_it_runs(tmp_path: Path) -> None:
    run = LightRun(tmp_path / "data", "--rate", "20")
    try:
        run.wait_ready()
        said = run.verb("rate", "400")
        assert (said.returncode, "400 orders/s" in said.stdout + said.stderr) == (0, True), said
        wait_for(lambda: run.state.get("sent_per_s", 0) > 300, "the rate is followed")
        paused = run.verb("pause", "--json")
        assert paused.returncode == 0 and json.loads(paused.stdout)["paused"] is True, paused.stderr
        wait_for(lambda: run.state["paused"] and run.state["sent_per_s"] == 0, "a paused shop sends nothing")
        assert run.verb("fault", "malformed=20%", "late=1%").returncode == 0
        resumed = run.verb("resume")
        assert resumed.returncode == 0, resumed.stderr
        wait_for(lambda: run.state.get("dead", 0) > 20, "broken events arrive")
        # A producer that is killed comes back as it was told to be.
        os.kill(run.note_processes()["produce"], signal.SIGKILL)
        wait_for(
            lambda: run.state["parts"]["produce"]["restarts"] == 1 and run.state["parts"]["produce"]["state"] == "ready",
            "it is back",
        )
        told = (400.0, False, {"malformed": 0.2, "late": 0.01})

        def in_force() -> bool:
            """It says nothing of its clock while the broker lets it wait."""
            now = json.loads(run.verb("fault", "--json").stdout)
            return (now["rate"], now["paused"], now["faults"]) == told

        wait_for(in_force, lambda: f"it does what it was told: {run.verb('fault', '--json')}")
        assert run.verb("fault", "off").returncode == 0
        refused = run.verb("fault", "lateness=5%")
        assert refused.returncode == 2 and "no such fault" in refused.stderr
        assert "control_token" not in run.verb("status", "--json").stdout
        checked = run.verb("check", "--json")
        assert checked.returncode == 0, checked.stderr
    finally:
        run.close()
    assert run.verb("rate", "5").returncode == 2, "nothing runs any more"
