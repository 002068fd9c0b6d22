"""A worker process is as well as its newest report says, and not well when reports stop coming."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import msgspec
import pytest

from ecom_lite.engines.child import Child
from ecom_lite.observe.figures import LoaderFigures, WorkerReport
from ecom_lite.observe.health import SILENT_S
from ecom_lite.supervise.worker import FROZEN_S, WorkerService
from tests.running import Running
from tests.runs import DEADLINE_S, wait_for

ECHO = """
import sys
for line in sys.stdin:  # reports what it is told, and logs it
    print(line, end='', flush=True)
    print(line, end='', file=sys.stderr, flush=True)
"""


class Nonsense(msgspec.Struct):
    figures: str = "none"


class Clock:
    now = 0.0
    asked = 0

    def __call__(self) -> float:
        self.asked += 1
        return self.now


SAYS = """
import sys
for said in sys.argv[1:]:  # one for each line that it is given
    sys.stdin.readline()
    print(said, flush=True)
"""
READY = WorkerReport(figures=LoaderFigures(facts=1, lags={"0": 5}), ready=True)
DONE = WorkerReport(figures=LoaderFigures(facts=9), ready=True, done=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(tmp_path: Path, clock: Clock) -> Iterator[WorkerService[LoaderFigures]]:
    service = WorkerService(
        "nobody",
        "load",
        lambda: READY,
        LoaderFigures,
        log=tmp_path / "load.log",
        registry=None,
        ready_s=DEADLINE_S,
        stop_s=5,
        clock=clock,
    )
    service.child = Child(
        "load", [sys.executable, "-c", ECHO], log=tmp_path / "load.log", stdin_pipe=True, stdout="pipe", registry=None
    )
    service.start()
    yield service
    service.stop()


def test_a_worker_takes_no_module_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file there may have the name of any module: the installed command does not look there either."""
    (tmp_path / "msgspec.py").write_text("raise SystemExit('somebody else')")
    monkeypatch.chdir(tmp_path)
    service = WorkerService(
        "ecom_lite.run.worker", "load", Nonsense, LoaderFigures, log=tmp_path / "load.log", registry=None, ready_s=DEADLINE_S,
        stop_s=DEADLINE_S,
    )  # fmt: skip
    service.prepare()
    service.stop()
    assert service.child.returncode == 0, service.child.log_tail()


def test_it_is_well_while_it_reports(worker: WorkerService[LoaderFigures]) -> None:
    health = worker.health()
    assert health.ok and health.detail == "" and health.pid == worker.child.pid
    assert health.figures == LoaderFigures(facts=1, lags={"0": 5})


def test_a_worker_whose_reports_stop_is_not_well_until_one_comes(worker: WorkerService[LoaderFigures], clock: Clock) -> None:
    clock.now = SILENT_S
    assert worker.health().ok
    clock.now = SILENT_S + 2
    assert not worker.health().ok and worker.health().detail == "silent for 7 s"
    worker.send(READY)
    wait_for(lambda: worker.health().ok, "the report")


def test_one_that_stays_silent_is_ended_so_that_it_is_started_again(worker: WorkerService[LoaderFigures], clock: Clock) -> None:
    wait_for(lambda: worker.report is not None, "the first report")
    with Running(worker.run) as running:

        def half_a_second_later() -> bool:
            clock.now += 0.5
            return running.failure is not None

        wait_for(half_a_second_later, "it is given up")
        assert str(running.failure) == f"load was silent for {FROZEN_S:g} s, as if frozen, and was ended"
    assert not worker.child.alive and clock.now >= FROZEN_S


def test_a_worker_is_not_blamed_for_the_time_that_we_stood_still(worker: WorkerService[LoaderFigures], clock: Clock) -> None:
    wait_for(lambda: worker.report is not None, "the first report")
    asked = clock.asked
    with Running(worker.run) as running:
        wait_for(lambda: clock.asked > asked + 1, "a look before it, beside that of the report")
        clock.now = 10 * FROZEN_S
        wait_for(lambda: worker.health().ok, "it is looked at anew")
    assert running.failure is None and worker.child.alive


def test_what_it_waits_for_is_told(worker: WorkerService[LoaderFigures]) -> None:
    worker.send(WorkerReport(figures=LoaderFigures(), ready=True, waiting_for="waits for PostgreSQL: refused"))
    wait_for(lambda: not worker.health().ok, "the report")
    assert worker.health().detail == "waits for PostgreSQL: refused"


def test_a_worker_that_is_done_is_well_though_it_has_ended(worker: WorkerService[LoaderFigures], clock: Clock) -> None:
    worker.send(WorkerReport(figures=LoaderFigures(facts=9), ready=True, done=True))
    wait_for(lambda: worker.health().done, "the report")
    worker.stop()
    clock.now = 1000
    assert worker.health().ok and worker.health().figures == LoaderFigures(facts=9)


class Late(WorkerService[LoaderFigures]):
    """Hears that its child is done only once that has ended, as on a busy machine."""

    def _take(self, line: bytes) -> None:
        if b'"done":true' in line:
            wait_for(lambda: not self.child.alive, "its end")
        super()._take(line)


@pytest.mark.parametrize("reports", [[DONE], [READY, DONE]])
def test_one_that_has_ended_is_heard_out_before_it_is_judged(
    reports: list[WorkerReport[LoaderFigures]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecom_lite.supervise.worker.POLL_S", 0.001)  # who judges looks more often than who hears
    log, says = tmp_path / "load.log", [msgspec.json.encode(report).decode() for report in reports]
    service = Late("nobody", "load", lambda: READY, LoaderFigures, log=log, registry=None, ready_s=DEADLINE_S, stop_s=5)
    service.child = Child("load", [sys.executable, "-c", SAYS, *says], log=log, stdin_pipe=True, stdout="pipe", registry=None)
    service.start()
    with Running(service.run) as running:
        service.send(READY)
        wait_for(lambda: service.health().done, "its last word")
    assert running.failure is None and service.figures.facts == 9
    service.stop()


class Ended(Child):
    """Tells when somebody has seen that it has ended."""

    seen = Event()

    def wait(self, timeout_s: float) -> int | None:
        code = super().wait(timeout_s)
        self.seen.set()
        return code


class Slow(WorkerService[LoaderFigures]):
    """Takes the last report but one only when its child has ended, as on a busy machine."""

    def _take(self, line: bytes) -> None:
        if b'"facts":2,' in line:
            Ended.seen.wait(DEADLINE_S)
        super()._take(line)


def test_one_that_is_stopped_is_heard_out_before_its_pipe_is_closed(tmp_path: Path) -> None:
    reports = [READY, WorkerReport(figures=LoaderFigures(facts=2), ready=True), DONE]
    log, says = tmp_path / "load.log", [msgspec.json.encode(report).decode() for report in reports]
    service = Slow("nobody", "load", lambda: READY, LoaderFigures, log=log, registry=None, ready_s=30, stop_s=DEADLINE_S)
    service.child = Ended("load", [sys.executable, "-c", SAYS, *says], log=log, stdin_pipe=True, stdout="pipe", registry=None)
    service.start()
    service.stop()
    assert service.figures.facts == 9


def test_a_dead_one_s_figures_are_kept_once(worker: WorkerService[LoaderFigures]) -> None:
    worker.stop()
    assert not worker.health().ok and worker.figures == worker.last_figures == LoaderFigures(facts=1, lags={"0": 5})
    assert worker.lives == ((), worker.figures)
    worker.start()
    assert worker.lives[0] == (LoaderFigures(facts=1, lags={"0": 5}),) and worker.figures.facts == 1


def test_what_is_no_report_is_passed_over(worker: WorkerService[LoaderFigures]) -> None:
    worker.send(Nonsense())
    worker.send(WorkerReport(figures=LoaderFigures(facts=2), ready=True))
    wait_for(lambda: worker.figures.facts == 2, "the report after it")


def test_its_log_is_kept_within_its_bound_while_it_runs(
    worker: WorkerService[LoaderFigures], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecom_lite.engines.child.LIMIT_BYTES", 2_000)
    log = worker.child.log
    with Running(worker.run):
        for facts in range(100):
            worker.send(WorkerReport(figures=LoaderFigures(facts=facts), ready=True))
        wait_for(lambda: worker.figures.facts == 99 and log.stat().st_size < 2_000, "the log is cut")
    assert log.with_name("load.log.1").stat().st_size <= 4_000
