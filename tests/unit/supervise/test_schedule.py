"""What happens by the clock: nothing overlaps, nothing stops after an error, `when` looks until it holds once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import pytest

from ecom_lite.supervise import schedule as schedules
from ecom_lite.supervise.schedule import LOOK_S, Schedule
from tests.runs import wait_for

DEADLINE_S = 60.0


@pytest.fixture
def schedule() -> Iterator[Schedule]:
    schedule = Schedule()
    yield schedule
    schedule.stop()


def test_a_job_repeats_and_starts_at_once_when_asked(schedule: Schedule) -> None:
    often, never = threading.Semaphore(0), threading.Event()
    schedule.every("often", 0.02, often.release, at_once=True)
    schedule.every("seldom", 3600, never.set)
    schedule.start()
    for _ in range(3):
        assert often.acquire(timeout=DEADLINE_S)
    assert not never.is_set()
    assert schedule.health().ok


def test_a_job_that_raises_is_shown_and_runs_again(schedule: Schedule) -> None:
    runs = threading.Semaphore(0)

    def broken() -> None:
        runs.release()
        raise RuntimeError("no luck")

    schedule.every("broken", 0.02, broken, at_once=True)
    schedule.start()
    for _ in range(3):
        assert runs.acquire(timeout=DEADLINE_S)
    assert "broken: no luck" in schedule.health().detail


def test_a_job_that_failed_is_not_well_while_it_tries_again_for_longer_than_its_interval(schedule: Schedule) -> None:
    """A database that does not answer takes ten seconds to say so; a job of each second has ten turns meanwhile."""
    again, go_on, ticks = threading.Event(), threading.Event(), threading.Semaphore(0)
    fails = [True, False]

    def slow() -> None:
        if fails.pop(0):
            raise RuntimeError("no answer")
        again.set()
        go_on.wait(DEADLINE_S)
        fails.append(False)

    schedule.every("slow", 0.02, slow, at_once=True)
    schedule.every("clock", 0.02, ticks.release, at_once=True)
    schedule.start()
    assert again.wait(DEADLINE_S)
    for _ in range(20):
        assert ticks.acquire(timeout=DEADLINE_S)
    assert schedule.health().detail == "slow: no answer"
    go_on.set()
    wait_for(lambda: schedule.health().ok, "it has gone well")


def test_what_has_failed_is_not_well_until_it_is_tried_again(schedule: Schedule) -> None:
    """Between two tries of `when` it is only looked at."""
    failed, ticks = threading.Event(), threading.Semaphore(0)

    def action() -> None:
        failed.set()
        raise RuntimeError("database away")

    schedule.when("first facts", 0.02, lambda: True, action)
    schedule.every("clock", 0.02, ticks.release, at_once=True)
    schedule.start()
    assert failed.wait(DEADLINE_S)
    for _ in range(20):
        assert ticks.acquire(timeout=DEADLINE_S)
    assert schedule.health().detail == "first facts: database away"


def test_a_job_that_failed_is_not_left_until_its_next_time_where_that_is_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "AGAIN_S", 0.05)
    runs, fails = threading.Semaphore(0), [True, True, False]

    def hourly() -> None:
        runs.release()
        if fails.pop(0):
            raise RuntimeError("the database is away")

    schedule, stop = Schedule(), threading.Event()
    schedule.every("hourly", 3600, hourly, at_once=True)
    schedule.start()
    running = threading.Thread(target=schedule.run, args=(stop,))
    running.start()
    try:
        for _ in range(3):
            assert runs.acquire(timeout=DEADLINE_S)
        wait_for(lambda: schedule.health().ok, "it has gone well")
        assert not runs.acquire(timeout=2 * LOOK_S), "what went well has its own time again"
    finally:
        stop.set()
        running.join()
        schedule.stop()


def test_a_clock_that_is_put_back_does_not_make_the_jobs_wait() -> None:
    put_back_s, ran, stop = 0.0, threading.Event(), threading.Event()
    schedule = Schedule(wall=lambda: 1e9 - put_back_s, monotonic=lambda: 0.0)
    schedule.every("hourly", 3600, ran.set)
    schedule.start()
    running = threading.Thread(target=schedule.run, args=(stop,))
    running.start()
    try:
        assert not ran.wait(2 * LOOK_S)
        put_back_s = 3600
        assert ran.wait(DEADLINE_S), "by the clock as it was an hour has passed"
    finally:
        stop.set()
        running.join()
        schedule.stop()


def test_two_runs_of_one_job_never_overlap(schedule: Schedule) -> None:
    busy, overlapped, twice = threading.Lock(), threading.Event(), threading.Semaphore(0)
    pause = threading.Event()

    def slow() -> None:
        if not busy.acquire(blocking=False):
            overlapped.set()
            return
        pause.wait(0.1)
        busy.release()
        twice.release()

    schedule.every("slow", 0.01, slow, at_once=True)
    schedule.start()
    for _ in range(3):
        assert twice.acquire(timeout=DEADLINE_S)
    assert not overlapped.is_set()


def test_all_jobs_that_wait_for_a_database_hold_up_no_other(schedule: Schedule) -> None:
    """A run with all that can be switched on has eleven beside the one that looks after the room on the disk."""
    waiting, go_on, looks = threading.Semaphore(0), threading.Event(), threading.Semaphore(0)

    def wait() -> None:
        waiting.release()
        go_on.wait(DEADLINE_S)

    for number in range(11):
        schedule.every(f"job {number}", 3600, wait, at_once=True)
    schedule.every("room", 0.05, looks.release)
    schedule.start()
    try:
        assert all(waiting.acquire(timeout=10) for _ in range(11))
        assert looks.acquire(timeout=10)
    finally:
        go_on.set()


def test_when_acts_once_as_soon_as_its_condition_holds(schedule: Schedule) -> None:
    holds, looks, acted = threading.Event(), threading.Semaphore(0), threading.Semaphore(0)

    def condition() -> bool:
        looks.release()
        return holds.is_set()

    schedule.when("first facts", 0.02, condition, acted.release)
    schedule.start()
    for _ in range(3):
        assert looks.acquire(timeout=DEADLINE_S)
    assert not acted.acquire(blocking=False)
    holds.set()
    assert acted.acquire(timeout=DEADLINE_S)
    assert not acted.acquire(timeout=0.2)


def test_when_tries_again_what_failed(schedule: Schedule, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL may go away just while the first dbt run is at work."""
    monkeypatch.setattr("ecom_lite.supervise.schedule.RETRY_S", 0.02)
    tries, third = threading.Semaphore(0), threading.Event()
    answers: Iterator[bool | Exception] = iter([RuntimeError("database away"), False, True])

    def action() -> bool:
        tries.release()
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        if answer:
            third.set()
        return answer

    schedule.when("first facts", 0.02, lambda: True, action)
    schedule.start()
    assert third.wait(DEADLINE_S)
    third.clear()
    assert not third.wait(0.2), "and then no more"
    assert schedule.health().ok, "what went well in the end is no problem any more"


def test_what_takes_longer_than_its_interval_is_not_started_and_refused_meanwhile(
    schedule: Schedule, caplog: pytest.LogCaptureFixture
) -> None:
    """APScheduler says so in its log each time: twice a second while the first dbt run works."""
    acting, go_on, ticks = threading.Event(), threading.Event(), threading.Semaphore(0)

    def action() -> None:
        acting.set()
        go_on.wait(DEADLINE_S)

    schedule.when("first facts", 0.01, lambda: True, action)
    schedule.every("slow", 0.01, lambda: go_on.wait(DEADLINE_S), at_once=True)
    schedule.every("clock", 0.01, ticks.release, at_once=True)
    with caplog.at_level(logging.WARNING, logger="apscheduler"):
        schedule.start()
        assert acting.wait(DEADLINE_S)
        for _ in range(20):
            assert ticks.acquire(timeout=DEADLINE_S)
        go_on.set()
        schedule.stop()
    told = [record.getMessage() for record in caplog.records if record.name.startswith("apscheduler")]
    assert told == [], "whatever threads of other tests may say"


def test_a_job_that_was_late_runs_at_its_next_time_and_not_again_for_each_that_it_missed(schedule: Schedule) -> None:
    runs: list[float] = []
    over: list[float] = []
    last = threading.Event()

    def job() -> None:
        runs.append(time.monotonic())
        if len(runs) == 1:
            threading.Event().wait(2)  # twenty intervals
            over.append(time.monotonic())
        if len(runs) == 11:
            last.set()

    schedule.every("job", 0.1, job, at_once=True)
    schedule.start()
    assert last.wait(DEADLINE_S)
    assert runs[10] - over[0] > 0.5, "of ten runs not half are made to catch up"


def test_stop_while_when_acts_does_not_hang(schedule: Schedule) -> None:
    acting, go_on = threading.Event(), threading.Event()

    def action() -> None:
        acting.set()
        go_on.wait(DEADLINE_S)

    schedule.when("first facts", 0.02, lambda: True, action)
    schedule.start()
    assert acting.wait(DEADLINE_S)
    stopper = threading.Thread(target=schedule.stop)
    stopper.start()
    stopper.join(0.1)  # it is now waiting for the job
    go_on.set()
    stopper.join(DEADLINE_S)
    assert not stopper.is_alive()


def test_stop_waits_for_the_job_in_hand_and_is_safe_twice_and_before_start(schedule: Schedule) -> None:
    schedule.stop()
    begun, done = threading.Event(), threading.Event()

    def job() -> None:
        begun.set()
        threading.Event().wait(0.1)
        done.set()

    schedule.every("job", 3600, job, at_once=True)
    schedule.start()
    assert begun.wait(DEADLINE_S)
    schedule.stop()
    assert done.is_set()
    schedule.stop()
