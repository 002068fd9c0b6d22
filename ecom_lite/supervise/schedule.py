"""What happens by the clock: APScheduler with the settings that skip nothing, as one supervised service."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Final, NamedTuple

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from ..errors import first_line
from ..observe.health import Health

RETRY_S: Final = 5.0
THREADS: Final = 4
log = logging.getLogger("ecom_lite.supervise")


class _Job(NamedTuple):
    name: str
    work: Callable[[], float | None]  # returns the seconds from this run's time to the next one's; None: never again
    first_s: float
    retry_s: float  # from a run that raised to the next one


class Schedule:
    """Jobs that repeat. A job that raises is logged and runs again at its next time; two runs of one job never overlap.

    The scheduler knows one time of a job only: the next one is planned when a run has ended.
    """

    name = "schedule"

    def __init__(self) -> None:
        self._jobs: dict[str, _Job] = {}
        self._scheduler: BackgroundScheduler | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._problems: dict[str, str] = {}  # by job; gone once the job has gone well again

    def every(self, name: str, seconds: float, job: Callable[[], object], *, at_once: bool = False) -> None:
        """Register before `start`. With `at_once` the first run is now, else after the first interval."""

        def work() -> float:
            job()
            return seconds

        self._jobs[name] = _Job(name, work, 0.0 if at_once else seconds, seconds)

    def when(self, name: str, seconds: float, condition: Callable[[], bool], action: Callable[[], object]) -> None:
        """Look every `seconds` whether `condition` holds; once it does, run `action`, and look no more when that went well.

        An `action` that raises or returns False is tried again, RETRY_S after it began at the earliest.
        """

        def look() -> float | None:
            if not condition():
                return seconds
            return RETRY_S if action() is False else None

        self._jobs[name] = _Job(name, look, 0.0, RETRY_S)

    def start(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS)
        self._scheduler = BackgroundScheduler(
            executors={"default": self._threads}, job_defaults={"misfire_grace_time": None}, timezone="UTC"
        )
        self._scheduler.add_listener(self._hear, EVENT_JOB_ERROR | EVENT_JOB_EXECUTED)
        now = datetime.now(UTC)
        for job in self._jobs.values():
            self._plan(self._scheduler, job, now + timedelta(seconds=job.first_s))
        self._scheduler.start()

    def run(self, stop: Event) -> None:
        stop.wait()

    def stop(self) -> None:
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None and self._threads is not None:
            # It must not wait itself: it would with the lock in hand that a job which ends meanwhile takes to plan its next run.
            scheduler.shutdown(wait=False)
            self._threads.shutdown(wait=True)

    def health(self) -> Health:
        problems = "; ".join(list(self._problems.values()))
        return Health(not problems, problems)

    def _plan(self, scheduler: BackgroundScheduler, job: _Job, at: datetime, turn: int = 0) -> None:
        scheduler.add_job(job.work, "date", run_date=at, id=f"{job.name}#{turn}", name=job.name)

    def _hear(self, event: JobExecutionEvent) -> None:
        name, _, turn = event.job_id.rpartition("#")
        job = self._jobs[name]
        if event.code == EVENT_JOB_EXECUTED:
            self._problems.pop(job.name, None)
            wait_s = event.retval
        else:
            self._problems[job.name] = f"{job.name}: {first_line(event.exception)}"
            log.error("job %s failed: %s", job.name, event.exception)
            wait_s = job.retry_s
        scheduler = self._scheduler
        if scheduler is not None and wait_s is not None:
            began = event.scheduled_run_time
            took_s = (datetime.now(UTC) - began).total_seconds()
            # Times that passed while it ran are left out. Under another id: a quick run is heard of before its own is free again.
            at = began + timedelta(seconds=wait_s * max(1, math.ceil(took_s / wait_s)))
            self._plan(scheduler, job, at, turn=1 - int(turn))
