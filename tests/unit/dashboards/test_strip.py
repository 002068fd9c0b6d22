"""The strip above the panels tells the same health as `status`, of all loaders together."""

from __future__ import annotations

from typing import Any

import pytest

from ecom_lite.dashboards.strip import strip
from ecom_lite.observe.figures import AlertFigures, DbtFigures
from ecom_lite.observe.room import Room
from ecom_lite.observe.status import PartStatus, RunStatus

WELL = PartStatus(state="ready", ok=True)


def services(**parts: PartStatus) -> Any:
    return strip(RunStatus(state="running", parts={name.replace("_", "-"): part for name, part in parts.items()}))["services"]


def test_a_part_that_is_ready_and_not_well_is_not_green() -> None:
    """A loader that waits for PostgreSQL is ready: it was green here while `status` showed it in yellow."""
    assert services(load=PartStatus(state="ready", detail="waits for PostgreSQL: refused")) == {
        "loader": {"ok": False, "detail": "waits for PostgreSQL: refused"}
    }


@pytest.mark.parametrize("state", ["waiting", "starting", "restarting", "stopping", "stopped", "failed"])
def test_a_part_in_any_other_state_is_not_green_and_says_its_state(state: str) -> None:
    assert services(kafka=PartStatus(state=state)) == {"kafka": {"ok": False, "detail": state}}


def test_each_loader_counts_and_the_one_that_is_not_well_is_named() -> None:
    assert services(load=WELL, load_2=WELL)["loader"] == {"ok": True, "detail": "ready"}
    assert services(load=WELL, load_2=PartStatus(state="restarting"))["loader"] == {"ok": False, "detail": "load-2: restarting"}
    silent = PartStatus(state="ready", detail="silent for 7 s")
    both = services(load=PartStatus(state="starting"), load_2=WELL, load_11=silent)["loader"]
    assert both == {"ok": False, "detail": "load: starting; load-11: silent for 7 s"}


def test_parts_that_are_elsewhere_or_have_no_step_are_left_out() -> None:
    assert services(schema=WELL, page=WELL, loadstone=WELL, produce=WELL) == {"producer": {"ok": True, "detail": "ready"}}


def test_figures_are_the_run_s() -> None:
    dbt = DbtFigures(run_id=1, trigger="t", status="success", seconds=0.5)
    found = strip(RunStatus(sent_per_s=9, loaded_per_s=8, lag=7, facts=6, dead=5, dbt=dbt))
    assert (found["producer_rate"], found["loader_rate"], found["lag"], found["facts"], found["dead_letters"]) == (9, 8, 7, 6, 5)
    assert found["last_dbt_run"]["status"] == "success" and strip(RunStatus())["last_dbt_run"] is None


def test_it_names_the_alerts_that_fire() -> None:
    alerts = {
        state: AlertFigures(title=f"It is {state}", severity="critical", state=state, since="", at="")
        for state in ("ok", "pending", "firing", "unknown")
    }
    assert strip(RunStatus(alerts=alerts))["firing"] == [{"title": "It is firing", "severity": "critical"}]
    assert strip(RunStatus())["firing"] == []


def test_a_disk_without_room_is_in_the_bar_of_every_board() -> None:
    scarce = Room(state="little", place="/data", percent=96.0, free_bytes=10**9, enough_bytes=2 * 10**9)
    found = strip(RunStatus(room=scarce))["firing"]
    assert found == [{"title": scarce.problem, "severity": "critical"}] and strip(RunStatus())["firing"] == []
