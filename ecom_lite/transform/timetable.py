"""When the marts are built: with the first facts, once more a minute later, then at the pace of the settings, or before it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from .runner import LEAST_REST_S, REST, DbtRun

FIRST_FACTS_EVERY_S: Final = 0.5  # how often it is looked for them
FIRST_MINUTE_S: Final = 60.0  # after the start
FIRST_MINUTE_EVERY_S: Final = 5.0
EARLY_EVERY_S: Final = 5.0  # how often it is looked whether many facts wait


class Jobs(Protocol):
    """A schedule: `every` repeats; `when` looks until the condition holds, then acts once (again while it returns False)."""

    def every(self, name: str, seconds: float, job: Callable[[], object]) -> None: ...
    def when(self, name: str, seconds: float, condition: Callable[[], bool], action: Callable[[], object]) -> None: ...


class Past(Protocol):
    """A shop's history on its way into the warehouse."""

    @property
    def expected(self) -> bool: ...
    def pending(self) -> bool: ...
    def in_marts(self) -> None: ...


def add_runs(
    jobs: Jobs, every_s: float, refresh: Callable[[str], DbtRun], new_facts: Callable[[], bool], past: Past,
    *, early: Callable[[], bool] | None = None, held: Callable[[], str] = str, clock: Callable[[], float] = time.monotonic,
) -> None:  # fmt: skip
    """Put the runs of dbt on the schedule; `refresh` is told what triggered it.

    `early` says whether a run ahead of the pace is worth it now. The pace lets a turn pass while such a run is at work, or
    has just ended: never two back to back. While `held` names something to wait for there is no run, and no word of it.
    """
    at_work = threading.Lock()
    ended: tuple[float, float] | None = None  # the last early run: when it ended, how long it took

    def first() -> bool:
        run = refresh("history" if past.expected else "first facts")
        if past.expected:
            past.in_marts()
        return run.status != "error"

    def in_advance() -> None:
        nonlocal ended
        with at_work:
            began = clock()
            refresh("many facts")
            ended = clock(), clock() - began

    def by_pace() -> None:
        if held() or (ended is not None and clock() < ended[0] + max(LEAST_REST_S, REST * ended[1])):
            return
        if at_work.acquire(blocking=False):
            at_work.release()
            refresh("schedule")

    soon = clock() + FIRST_MINUTE_S
    # While a past is being loaded its marts would be built again and again.
    jobs.when("first facts", FIRST_FACTS_EVERY_S, lambda: not held() and not past.pending() and new_facts(), first)
    # The first facts are a handful: marts made of them would look broken until the next run.
    jobs.when(
        "first minute", FIRST_MINUTE_EVERY_S, lambda: clock() > soon and not held() and not past.pending(),
        lambda: refresh("first minute"),
    )  # fmt: skip
    jobs.every("dbt", every_s, by_pace)
    if early is not None:
        ahead = early

        def look() -> None:
            if not held() and not past.pending() and ahead():
                in_advance()

        jobs.every("many facts", min(EARLY_EVERY_S, every_s), look)
