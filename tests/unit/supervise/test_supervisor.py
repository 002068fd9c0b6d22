"""Start order, readiness, restarts within limits, the first cause, stop order: with services that do as they are told."""

from __future__ import annotations

import errno
import threading
import time
from types import SimpleNamespace

import pytest

from ecom_lite.errors import EcomLiteError
from ecom_lite.observe.health import Health
from ecom_lite.supervise.adapters import EngineService, Late, Step
from ecom_lite.supervise.supervisor import Supervisor
from tests.runs import wait_for

DEADLINE_S = 60.0


class Fake:
    """Dies when `die` is set, and does not get ready while `hold` is not."""

    def __init__(self, name: str, journal: list[str]) -> None:
        self.name, self.journal = name, journal
        self.hold, self.die, self.cancelled = threading.Event(), threading.Event(), threading.Event()
        self.hold.set()
        self.refuse: EcomLiteError | None = None

    def start(self) -> None:
        self.journal.append(f"start {self.name}")
        self.cancelled.clear()
        while not self.hold.wait(0.005):
            if self.cancelled.is_set():
                raise EcomLiteError("cancelled")
        if self.refuse is not None:
            raise self.refuse
        self.journal.append(f"ready {self.name}")

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(0.005):
            if self.die.is_set():
                self.die.clear()
                raise EcomLiteError(f"{self.name} fell over")

    def stop(self) -> None:
        self.cancelled.set()
        self.journal.append(f"stop {self.name}")

    def health(self) -> Health:
        return Health(True)


class Prepared(Fake):
    def prepare(self) -> None:
        self.journal.append(f"prepare {self.name}")


class House:
    def __init__(self, restarts: int = 3, ready_timeout_s: float = DEADLINE_S) -> None:
        self.journal: list[str] = []
        self.events: list[tuple[str, str]] = []
        self.supervisor = Supervisor(
            restarts=restarts,
            restart_window_s=60,
            ready_timeout_s=ready_timeout_s,
            listener=lambda name, event, detail: self.events.append((name, event)),
        )

    def add(self, name: str, *needs: str, kind: type[Fake] = Fake) -> Fake:
        service = kind(name, self.journal)
        self.supervisor.add(service, needs)
        return service


@pytest.fixture(autouse=True)
def no_thread_is_left() -> object:
    before = set(threading.enumerate())  # another fixture of the session may keep a run of its own
    yield
    wait_for(
        lambda: not [t for t in threading.enumerate() if t.name.startswith("svc-") and t not in before], "service threads end"
    )
    return None


def test_parts_start_when_what_they_need_is_ready_and_stop_in_reverse() -> None:
    house = House()
    house.add("kafka"), house.add("postgres"), house.add("load", "kafka", "postgres"), house.add("produce", "load")
    assert house.supervisor.start()
    assert house.journal.index("start load") > max(house.journal.index("ready kafka"), house.journal.index("ready postgres"))
    assert house.journal.index("start produce") > house.journal.index("ready load")
    house.supervisor.stop()
    stops = list(dict.fromkeys(entry for entry in house.journal if entry.startswith("stop")))
    assert stops == ["stop produce", "stop load", "stop postgres", "stop kafka"]
    before = list(house.journal)
    house.supervisor.stop()
    assert house.journal == before, "twice is once"


def test_parts_that_need_nothing_of_each_other_start_side_by_side() -> None:
    house = House()
    slow, _ = house.add("kafka"), house.add("postgres")
    slow.hold.clear()
    starter = threading.Thread(target=house.supervisor.start)
    starter.start()
    wait_for(lambda: "ready postgres" in house.journal, "postgres does not wait for kafka")
    slow.hold.set()
    starter.join(DEADLINE_S)
    house.supervisor.stop()


def test_slow_preparations_are_made_while_the_needed_parts_start() -> None:
    house = House()
    kafka, _ = house.add("kafka"), house.add("load", "kafka", kind=Prepared)
    kafka.hold.clear()
    starter = threading.Thread(target=house.supervisor.start)
    starter.start()
    wait_for(lambda: "prepare load" in house.journal, "load is prepared")
    assert "start load" not in house.journal
    kafka.hold.set()
    starter.join(DEADLINE_S)
    assert house.journal.count("prepare load") == 1
    house.supervisor.stop()


def test_what_was_only_prepared_is_undone_too() -> None:
    house = House()
    kafka, _ = house.add("kafka"), house.add("load", "kafka", kind=Prepared)
    kafka.hold.clear()
    abort = threading.Event()
    results: list[bool] = []
    starter = threading.Thread(target=lambda: results.append(house.supervisor.start(abort)))
    starter.start()
    wait_for(lambda: "prepare load" in house.journal, "load is prepared")
    abort.set()
    starter.join(DEADLINE_S)
    house.supervisor.stop()
    assert results == [False]
    assert "stop load" in house.journal and "start load" not in house.journal
    assert "stop kafka" in house.journal, "a start that still waits is cancelled"


def test_a_part_that_dies_is_started_again() -> None:
    house = House()
    kafka = house.add("kafka")
    house.supervisor.start()
    kafka.die.set()
    wait_for(lambda: ("kafka", "restarted") in house.events, "kafka is back")
    assert house.journal.count("start kafka") == 2
    assert house.supervisor.slot("kafka").restarted == 1
    assert house.supervisor.failure is None
    house.supervisor.stop()
    assert house.events.count(("kafka", "died")) == 1


def test_a_restart_waits_for_what_it_needs() -> None:
    house = House(restarts=1)
    kafka, load = house.add("kafka"), house.add("load", "kafka")
    house.supervisor.start()
    kafka.hold.clear()
    kafka.die.set()
    wait_for(lambda: house.journal.count("start kafka") == 2, "kafka is being started again")
    load.die.set()
    wait_for(lambda: ("load", "died") in house.events, "load died")
    assert house.journal.count("start load") == 1
    kafka.hold.set()
    wait_for(lambda: ("load", "restarted") in house.events, "load is back")
    assert house.journal[::-1].index("ready load") < house.journal[::-1].index("ready kafka"), "after kafka's second start"
    house.supervisor.stop()


def test_a_part_that_has_lived_long_waits_longer_and_longer_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else all its restarts are used up within a second, while what it needs is away for three."""
    waits: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            return super().wait(0.001)

    monkeypatch.setattr("ecom_lite.supervise.supervisor.random", SimpleNamespace(uniform=lambda low, high: high))
    supervisor = Supervisor(restarts=5, restart_window_s=DEADLINE_S, ready_timeout_s=DEADLINE_S, listener=lambda *_: None)
    load = Fake("load", [])
    supervisor.add(load)
    supervisor.start()
    now = time.monotonic()
    monkeypatch.setattr("ecom_lite.supervise.supervisor.time", SimpleNamespace(monotonic=lambda: now + 2 * DEADLINE_S))
    supervisor.slot("load").stop = Stop()
    load.refuse = EcomLiteError("nobody answers")
    load.die.set()
    assert supervisor.failed.wait(DEADLINE_S)
    supervisor.stop()
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2]


def test_too_many_deaths_fail_the_run_and_the_first_cause_is_named() -> None:
    house = House(restarts=1)
    kafka = house.add("kafka")
    house.supervisor.start()
    kafka.die.set()
    wait_for(lambda: ("kafka", "restarted") in house.events, "kafka is back once")
    kafka.die.set()
    assert house.supervisor.failed.wait(DEADLINE_S)
    assert house.supervisor.failure is not None
    message = str(house.supervisor.failure)
    assert "kafka died 2 times within 60 s" in message and "kafka fell over" in message
    house.supervisor.stop()
    assert str(house.supervisor.failure) == message


def test_a_part_that_cannot_start_fails_the_run_with_its_own_error() -> None:
    house = House()
    house.add("kafka").refuse = EcomLiteError("no Java")
    house.add("load", "kafka")
    with pytest.raises(EcomLiteError, match="no Java"):
        house.supervisor.start()
    house.supervisor.stop()
    assert "start load" not in house.journal


def test_a_part_that_is_not_ready_in_time_is_named() -> None:
    house = House(ready_timeout_s=0.1)
    slow = house.add("kafka")
    slow.hold.clear()
    house.add("load", "kafka")
    with pytest.raises(EcomLiteError, match=r"not ready after 0\.1 s: kafka, load"):
        house.supervisor.start()
    house.supervisor.stop()


def test_a_bug_in_a_part_is_a_death_too() -> None:
    house = House()

    def broken() -> None:
        raise ZeroDivisionError("oops")

    house.supervisor.add(Step("schema", broken))
    with pytest.raises(EcomLiteError, match="schema did not start: oops"):
        house.supervisor.start()
    house.supervisor.stop()


def test_one_part_can_be_stopped_alone() -> None:
    house = House()
    house.add("kafka"), house.add("produce")
    house.supervisor.start()
    house.supervisor.stop("produce")
    assert house.supervisor.slot("produce").state == "stopped"
    assert set(house.supervisor.health()) == {"kafka"}
    house.supervisor.stop()


def test_stop_before_start_and_abandon_do_no_harm() -> None:
    house = House()
    kafka = house.add("kafka")
    house.supervisor.stop()
    earlier = set(threading.enumerate())
    other = House()
    kafka = other.add("kafka")
    other.supervisor.start()
    other.supervisor.abandon()
    kafka.die.set()
    wait_for(lambda: not [t for t in set(threading.enumerate()) - earlier if t.name == "svc-kafka"], "its thread ends")
    assert other.journal.count("start kafka") == 1
    other.supervisor.stop()


def test_a_need_that_does_not_exist_is_a_mistake() -> None:
    house = House()
    with pytest.raises(ValueError, match="kafka"):
        house.add("load", "kafka")


def test_late_builds_its_service_when_started_and_again_after_a_death() -> None:
    journal: list[str] = []
    built: list[Fake] = []

    def build() -> Fake:
        built.append(Fake("page", journal))
        return built[-1]

    late = Late("page", build)
    assert not late.health().ok
    late.stop()
    late.start()
    late.start()
    late.stop()
    assert len(built) == 2 and journal[-1] == "stop page"


def test_an_engine_is_dead_when_its_process_is() -> None:
    class Engine:
        alive = False
        pid = None

        def start(self) -> None: ...
        def stop(self) -> None: ...
        def kill(self) -> None: ...
        def bound_log(self) -> None: ...
        def log_tail(self, n: int = 1) -> str:
            return "FATAL: out of beer"

    service = EngineService("postgres", Engine())
    with pytest.raises(EcomLiteError, match="postgres died; its log ends: FATAL: out of beer"):
        service.run(threading.Event())
    assert not service.health().ok


def test_whatever_goes_wrong_in_preparing_a_part_is_its_failure_at_once() -> None:
    class Unwritable(Prepared):
        def prepare(self) -> None:
            raise IsADirectoryError(errno.EISDIR, "Is a directory", "/logs/load.log")

    house = House()
    kafka, _ = house.add("kafka"), house.add("load", "kafka", kind=Unwritable)
    kafka.hold.clear()
    with pytest.raises(EcomLiteError, match=r"^load did not start: /logs/load\.log: Is a directory: "):
        house.supervisor.start()
    house.supervisor.stop()
    assert ("load", "failed") in house.events


class Killed(Fake):
    def kill(self) -> None:
        self.die.set()


def test_a_part_that_is_killed_on_purpose_comes_back_and_is_spared_before_the_run_would_end() -> None:
    house = House(restarts=3)
    house.add("load", kind=Killed)
    assert house.supervisor.start()
    for times in (1, 2):
        house.supervisor.kill("load")
        wait_for(lambda times=times: house.supervisor.slot("load").restarted == times, "it is back")  # type: ignore[misc]
    with pytest.raises(EcomLiteError, match=r"load has died 2 times within 60 s, and the run ends at more than 3"):
        house.supervisor.kill("load")
    assert not house.supervisor.failed.is_set()
    house.supervisor.stop()


def test_what_has_no_process_or_is_not_ready_is_not_killed() -> None:
    house = House()
    house.add("schema"), house.add("load", kind=Killed)
    for name in ("schema", "nobody"):
        with pytest.raises(EcomLiteError, match=f"{name} is no process of this run"):
            house.supervisor.kill(name)
    with pytest.raises(EcomLiteError, match="load is waiting just now: wait until it is ready"):
        house.supervisor.kill("load")
