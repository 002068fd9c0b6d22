"""What happens by the clock: APScheduler with the settings that skip nothing, as one supervised service."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from threading import Event, Lock
from typing import Final

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from ..errors import first_line
from ..observe.clock import ClockWatch
from ..observe.health import Health

RETRY_S: Final = 5.0
THREADS: Final = 12  # as many as a run has jobs: those that wait for a database keep none of the others from its turn
INSTANCES: Final = 1_000
LOOK_S: Final = 0.5  # at the clock, and at what has failed
AGAIN_S: Final = 10.0  # after a failure, at the latest; twice as long after each further one
LONGEST: Final = 10  # doublings
_NOTHING: Final = object()  # what a turn returns in which nothing was tried: whether the job is well is not known by it
log = logging.getLogger("ecom_lite.supervise")


class Schedule:
    """Jobs that repeat. A job that raises is logged and runs again at its next time, or AGAIN_S later where that is sooner: what
    it needed may be back by then. Two runs of one job never overlap.

    A time that comes while the job still works is let pass without a word. `wall` is the clock that the jobs go by, in epoch
    seconds; `monotonic` tells when that is put back.
    """

    name = "schedule"

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._jobs: list[tuple[str, Callable[[], object], float, bool]] = []
        self._scheduler: BackgroundScheduler | None = None
        self._problems: dict[str, str] = {}  # by job; gone once the job has gone well again
        self._failures: dict[str, int] = {}  # in a row
        self._failed: SimpleQueue[str] = SimpleQueue()  # jobs whose next time is to be looked at

    def every(self, name: str, seconds: float, job: Callable[[], object], *, at_once: bool = False) -> None:
        """Register before `start`. With `at_once` the first run is now, else after the first interval."""
        self._jobs.append((name, _one_at_a_time(job), seconds, at_once))

    def when(self, name: str, seconds: float, condition: Callable[[], bool], action: Callable[[], object]) -> None:
        """Look every `seconds` whether `condition` holds; once it does, run `action`, and look no more when that went well.

        An `action` that raises or returns False is tried again, RETRY_S later at the earliest.
        """

        # A flag, and the job stays: a scheduler that shuts down waits for us with the lock in hand that removing it would take.
        not_before = 0.0

        def look() -> object:
            nonlocal not_before
            if time.monotonic() < not_before < math.inf:
                return _NOTHING
            if not_before < math.inf and condition():
                not_before = time.monotonic() + RETRY_S
                if action() is not False:
                    not_before = math.inf
            return None

        self._jobs.append((name, _one_at_a_time(look), seconds, True))

    def start(self) -> None:
        scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(THREADS)},
            # The second finds the first at work and returns. With a small limit APScheduler would warn of each that it skips.
            job_defaults={"max_instances": INSTANCES, "coalesce": True, "misfire_grace_time": None},
            timezone="UTC",
        )
        scheduler.add_listener(self._hear, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_EXECUTED)
        for name, job, seconds, at_once in self._jobs:
            extra = {"next_run_time": datetime.now().astimezone()} if at_once else {}
            scheduler.add_job(job, "interval", seconds=seconds, id=name, name=name, **extra)
        scheduler.start()
        self._scheduler = scheduler

    def run(self, stop: Event) -> None:
        """Look after the clock: where it is put back, by a person or a time server, all jobs would stand still until it is again
        what it was. (Where it is put ahead they are due, each once.)"""
        clock = ClockWatch(self._wall, self._monotonic)
        while not stop.wait(LOOK_S):
            if seconds := clock.put_back_s():
                self._put_back(seconds)
            while not self._failed.empty():
                self._run_again(self._failed.get())

    def _put_back(self, seconds: float) -> None:
        scheduler = self._scheduler
        if scheduler is None:
            return
        log.warning("the clock was put back by %.0f s: the times of all jobs go with it", seconds)
        for job in scheduler.get_jobs():
            with suppress(JobLookupError):  # it is being stopped
                job.modify(next_run_time=job.next_run_time - timedelta(seconds=seconds))

    def _run_again(self, name: str) -> None:
        """Not in the thread of the job: a scheduler that shuts down waits for that, with the lock in hand that this takes."""
        scheduler = self._scheduler
        failures = self._failures.get(name, 0)
        if scheduler is None or not failures:
            return
        soon = datetime.fromtimestamp(self._wall(), UTC) + timedelta(seconds=AGAIN_S * 2.0 ** min(failures - 1, LONGEST))
        with suppress(JobLookupError):
            job = scheduler.get_job(name)
            if job is not None and job.next_run_time is not None and soon < job.next_run_time:
                job.modify(next_run_time=soon)

    def stop(self) -> None:
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            scheduler.shutdown(wait=True)

    def health(self) -> Health:
        problems = "; ".join(list(self._problems.values()))
        return Health(not problems, problems)

    def _hear(self, event: JobExecutionEvent) -> None:
        if event.code == EVENT_JOB_EXECUTED:
            if event.retval is not _NOTHING:
                self._problems.pop(event.job_id, None)
                self._failures.pop(event.job_id, None)
        elif event.code == EVENT_JOB_MISSED:
            log.warning("job %s missed its time", event.job_id)
        else:
            self._problems[event.job_id] = f"{event.job_id}: {first_line(event.exception)}"
            log.error("job %s failed: %s", event.job_id, event.exception)
            self._failures[event.job_id] = self._failures.get(event.job_id, 0) + 1
            self._failed.put(event.job_id)


def _one_at_a_time(job: Callable[[], object]) -> Callable[[], object]:
    """The job, which does nothing while it is at work already."""
    at_work = Lock()

    def run() -> object:
        if not at_work.acquire(blocking=False):
            return _NOTHING
        try:
            return job()
        finally:
            at_work.release()

    return run
