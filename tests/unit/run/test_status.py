"""The run's status, built from what its services say."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest

from ecom_lite.observe.figures import InForce, ProducerFigures, StreamFigures
from ecom_lite.observe.health import Health
from ecom_lite.observe.meter import Meter
from ecom_lite.observe.status import PartStatus, RunStatus, Totals
from ecom_lite.run.status import part_status, processes, run_status
from ecom_lite.settings.load import load_settings
from ecom_lite.supervise.supervisor import Supervisor
from tests.runs import wait_for


class Part:
    """A service that is as well as it is told."""

    def __init__(self, name: str, health: Health) -> None:
        self.name = name
        self.told = health
        self.starts = Event()
        self.starts.set()

    def start(self) -> None:
        self.starts.wait()

    def run(self, stop: Event) -> None:
        stop.wait()

    def stop(self) -> None:
        self.starts.set()

    def health(self) -> Health:
        return self.told


def supervised(*parts: Part) -> Supervisor:
    supervisor = Supervisor(restarts=0, restart_window_s=60, ready_timeout_s=10, listener=lambda *_: None)
    for part in parts:
        supervisor.add(part)
    return supervisor


def status(supervisor: Supervisor | None, tmp_path: Path, **flags: Any) -> RunStatus:
    meter = Meter(tmp_path)
    meter.totals, meter.sent_per_s = Totals(facts=7, dead=2), 4.6
    return run_status("running", load_settings(env={}, flags=flags), meter, supervisor, began=0.0)


def test_before_there_are_parts_it_has_the_settings_and_the_meter_s_figures(tmp_path: Path) -> None:
    found = status(None, tmp_path, **{"shop.rate": 50, "shop.seed": 3})
    assert (found.rate, found.seed, found.facts, found.dead, found.sent_per_s, found.parts) == (50, 3, 7, 2, 5, {})
    assert found.stream is None and found.dbt is None and not found.paused


def test_what_parts_report_is_in_it(tmp_path: Path) -> None:
    control = InForce(rate="max", paused=True, faults={"late": 0.1}, held=4)
    producer = Part(
        "produce", Health(True, figures=ProducerFigures(control=control, shop_time="2026-01-01T00:00", history="sent"))
    )
    stream = Part("stream", Health(True, figures=StreamFigures(batch=2, rows_per_s=1, batch_ms=5)))
    supervisor = supervised(producer, stream)
    supervisor.start()
    try:
        found = status(supervisor, tmp_path, **{"shop.rate": 50})
    finally:
        supervisor.stop()
    assert (found.rate, found.paused, found.faults, found.held) == ("max", True, {"late": 0.1}, 4)
    assert (found.shop_time, found.history) == ("2026-01-01T00:00", "sent")
    assert found.stream is not None and found.stream.batch == 2
    assert msgspec.json.decode(msgspec.json.encode(found), type=RunStatus) == found


@pytest.mark.parametrize("health", [Health(True, pid=41), Health(False, "silent for 7 s", pid=42)])
def test_a_part_is_ok_when_it_is_ready_and_well(health: Health) -> None:
    part, late = Part("load", health), Part("page", Health(True))
    late.starts.clear()
    supervisor = supervised(part, late)
    assert part_status(supervisor)["load"] == PartStatus()
    begun = Event()
    begun.set()
    assert not supervisor.start(begun)
    try:
        wait_for(lambda: supervisor.slot("load").state == "ready" and supervisor.slot("page").state == "starting", "one of two")
        found = part_status(supervisor)
        assert (found["load"].state, found["load"].ok, found["load"].detail) == ("ready", health.ok, health.detail)
        assert (found["page"].state, found["page"].ok) == ("starting", False), "what is not ready is not well"
        assert processes(supervisor) == {health.pid: "load"}
    finally:
        supervisor.stop()
