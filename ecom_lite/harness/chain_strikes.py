"""What each scenario does to the run. A strike that lasts returns how it ends, and when."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import psutil
import psycopg

from ..errors import EcomLiteError
from .chain_plan import ChainPhase
from .chain_run import PAGE
from .expect import POLL_S, wait_until

if TYPE_CHECKING:
    from .chain_rounds import ChainRound
    from .chain_run import ChainRun

PART_S: Final = 30.0  # for a part to have a process
DBT_S: Final = 30.0  # for a dbt run to be at work
STARTING_S: Final = (0.3, 2.5)
STOPPING_S: Final = (0.05, 1.5)
HOUR_S: Final = 3600
RUNNING: Final = "SELECT FROM ops.dbt_runs WHERE status = 'running'"

Ending = tuple[float, Callable[[], None]]  # the moment (monotonic), and what is done then


def strike(round_: ChainRound, phase: ChainPhase) -> tuple[bool, list[Ending]]:
    """Whether it happened, and what is still to be done to end it."""
    if phase.point == "dbt at work":
        if not _dbt_at_work(round_):
            return False, []
        time.sleep(phase.after_s / 3)  # a run takes one second, or a few
    else:
        time.sleep(phase.after_s)
    verb, _, what = phase.scenario.partition("-")
    match verb, what:
        case "kill", "run" | "dbt":
            return _kill_run(round_, phase), []
        case "kill", "page":
            round_.page = round_.run.starts, round_.run.restarts(PAGE)
            round_.run.tell(PAGE)
            return True, []
        case "cut", "dbt":
            return _kill(round_, "postgres"), []
        case "kill", part:
            return _kill(round_, part), []
        case "stop", part:
            return _stop(round_, part, phase.hold_s)
        case "clock", way:
            if round_.clock.refused:
                round_.outcome.notes.append(f"no clock to be turned here: {round_.clock.refused}")
                return True, []
            round_.clock.jump(HOUR_S if way == "ahead" else -HOUR_S)
            return True, []
    raise AssertionError(phase.scenario)


def _process(round_: ChainRound, part: str) -> psutil.Process:
    """A part that another strike has just ended is waited for."""
    run = round_.run
    if part == "run":
        return psutil.Process(run.pid)

    def found() -> int | None:
        run.require_alive()
        return run.parts().get(part)

    return psutil.Process(wait_until(found, f"{part} has a process", PART_S, run.log_tail))


def _kill(round_: ChainRound, part: str) -> bool:
    try:
        process = _process(round_, part)
        process.kill()
    except psutil.NoSuchProcess:
        return False
    round_.killed[part] = process.pid
    return True


def _stop(round_: ChainRound, part: str, hold_s: float) -> tuple[bool, list[Ending]]:
    """All of its processes, PostgreSQL's sessions too; of the main one, itself alone."""
    stopped = []
    try:
        process = _process(round_, part)
        for each in [process] if part == "run" else [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                os.kill(each.pid, signal.SIGSTOP)
                stopped.append(each)
    except psutil.NoSuchProcess:
        return False, []

    def go_on() -> None:
        for each in stopped:
            with suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGCONT)

    return bool(stopped), [(time.monotonic() + hold_s, go_on)]


def _kill_run(round_: ChainRound, phase: ChainPhase) -> bool:
    run, draw = round_.run, round_.draw
    if phase.point == "stopping":
        run.begin_stop()
        time.sleep(draw.uniform(*STOPPING_S))
    elif phase.point == "starting":
        run.kill()
        round_.begin()
        time.sleep(draw.uniform(*STARTING_S))
    happened = run.alive
    run.kill()
    return happened


def _dbt_at_work(round_: ChainRound) -> bool:
    """Have the marts built, and see the run begin. False where it was over before it was seen."""
    run = round_.run
    asked = threading.Thread(target=run.refresh_aside, name="refresh", daemon=True)
    asked.start()
    deadline = time.monotonic() + DBT_S
    while time.monotonic() < deadline:
        if _builds(run):
            return True
        if not asked.is_alive():
            return False
        time.sleep(POLL_S)
    return False


def _builds(run: ChainRun) -> bool:
    """Asked of the warehouse: the state file is of some moment of the last second, and dbt may need less."""
    try:
        return bool(run.ask(RUNNING))
    except (psycopg.Error, EcomLiteError):  # it is down, by another strike
        return False
