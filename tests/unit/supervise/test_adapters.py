"""A service that is begun behind the start of a run."""

from __future__ import annotations

import threading

from ecom_lite.observe.health import Health
from ecom_lite.supervise.adapters import Behind
from ecom_lite.supervise.supervisor import Supervisor
from tests.runs import wait_for


class Part:
    """Counts what is asked of it."""

    name = "part"

    def __init__(self) -> None:
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def run(self, stop: threading.Event) -> None:
        stop.wait()
        self.calls.append("run")

    def stop(self) -> None:
        self.calls.append("stop")

    def kill(self) -> None:
        self.calls.append("kill")

    def health(self) -> Health:
        return Health(False, "of the part")


class SlowPart(Part):
    """Its start takes until it is let go on."""

    def __init__(self, goes_on: threading.Event) -> None:
        super().__init__()
        self._goes_on = goes_on

    def start(self) -> None:
        super().start()
        self._goes_on.wait(60)


def supervised(behind: Behind) -> Supervisor:
    supervisor = Supervisor(restarts=3, restart_window_s=60, ready_timeout_s=10, listener=lambda *_: None)
    supervisor.add(behind)
    return supervisor


def test_the_run_is_ready_without_it_and_it_begins_then() -> None:
    part, ready = Part(), threading.Event()
    behind = Behind(part, ready)
    supervisor = supervised(behind)
    assert supervisor.start() and part.calls == [] and behind.health().ok
    behind.kill()
    ready.set()
    wait_for(lambda: behind.health() == Health(False, "of the part"), "it is begun")
    assert part.calls == ["start"]
    supervisor.kill("part")
    supervisor.stop()
    assert part.calls == ["start", "kill", "run", "stop"]


def test_while_it_starts_it_is_not_unwell() -> None:
    ready, goes_on = threading.Event(), threading.Event()
    part = SlowPart(goes_on)
    behind = Behind(part, ready)
    supervisor = supervised(behind)
    assert supervisor.start()
    ready.set()
    wait_for(lambda: part.calls == ["start"], "its start")
    assert behind.health() == Health(True, "starting")
    goes_on.set()
    wait_for(lambda: behind.health() == Health(False, "of the part"), "it is begun")
    supervisor.stop()


def test_one_that_was_never_begun_is_not_stopped() -> None:
    part = Part()
    supervisor = supervised(Behind(part, threading.Event()))
    supervisor.start()
    supervisor.stop()
    assert part.calls == []
