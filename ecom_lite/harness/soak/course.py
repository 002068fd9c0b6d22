"""A day of a shop in fast motion, then hours at full load with faults and kills: started, looked at, struck, counted, stopped."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import psutil

from ...engines.scratch import Scratch
from ...errors import EcomLiteError
from ...run.interrupts import undisturbed
from ...settings.data_dir import LOGS
from ..chain_plan import KILLED, SPARK
from ..chain_run import PAGE, READY_S, ChainRun
from ..expect import Violation
from .look import Ended, Kill, Line, look

PARTS: Final = (*KILLED, PAGE)  # what is killed. The main process is not: how it grows over hours is the question
SPEED: Final = 60
LOOK_S: Final = 10.0
KILL_S: Final = 60.0
TICK_S: Final = 0.25
BACK_S: Final = 180.0  # a part that takes longer has not come back
CHECK_S: Final = 600.0
NEVER: Final = -1.0
COMMON: Final[Mapping[str, object]] = {
    "grafana.enabled": False, "run.restarts": 1_000, "run.fast_start": False, "shop.seed": 17,
    "kafka.retention_mb": 64, "kafka.retention_hours": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Phase:
    """`flags` are the run's settings, `faults` the shares of the events; a part is killed every minute where `kills`."""

    name: str
    seconds: float
    flags: Mapping[str, object]
    faults: Mapping[str, float]
    kills: bool


def phases(day_hours: float, hours: float) -> list[Phase]:
    """So many hours of the shop's clock, then so many of ours."""
    # Few enough customers that all are known soon: what is remembered of each one (up to 200,000) would look like a leak.
    known = {"shop.customers": 5_000, "shop.products": 300}
    day = {"shop.speed": SPEED, "shop.orders_per_day": 200_000, **known}
    load = {"shop.rate": 450, "faults.late_s": 20, **known}
    faults = {"late": 0.05, "duplicate": 0.02, "out_of_order": 0.02, "malformed": 0.01, "burst": 0.02, "silence": 0.02}
    return [
        Phase("day", day_hours * 3600 / SPEED, day, {}, False),
        Phase("load", hours * 3600, load, faults, True),
    ]


class Course:
    """One phase in a data folder of its own. `tell` is given each line as it comes."""

    def __init__(self, phase: Phase, seed: int, tell: Callable[[Line], None]) -> None:
        self._phase, self._tell = phase, tell
        self._draw = random.Random(f"soak/{seed}/{phase.name}")
        self._scratch = Scratch("soak")
        folder = self._scratch.path
        self._run = ChainRun(folder, folder / LOGS / "run.log", {**COMMON, **phase.flags}, {})
        self._began = 0.0
        self._struck: tuple[float, str, int] | None = None  # when, what, and which process it was; of the page, which start

    def play(self) -> None:
        """All of it; Ctrl-C ends it early, with its count all the same, and is raised then. Raises Violation where the run ends
        by itself, or does not start or stop as it should."""
        run, phase = self._run, self._phase
        run.begin(SPARK, None)
        run.wait_well(READY_S)
        run.resume(phase.faults)
        self._began = time.monotonic()
        cut: KeyboardInterrupt | None = None
        try:
            self._strike_and_look()
        except KeyboardInterrupt as interrupt:
            cut = interrupt
        while self._struck is not None:
            self._see_back()
            time.sleep(TICK_S)
        run.pause()
        closes, said = self._check()
        self._tell(look(run, phase.name, round(self._at(), 1)))
        self._tell(Ended(phase.name, round(self._at(), 1), closes, said, run.starts))
        run.stop()
        if cut is not None:
            raise cut

    def _strike_and_look(self) -> None:
        """Until the time is over."""
        run, phase = self._run, self._phase
        next_look, next_kill = 0.0, KILL_S
        while (at := self._at()) < phase.seconds:
            run.require_alive()
            if at >= next_look:
                self._tell(look(run, phase.name, round(at, 1)))
                next_look = at + LOOK_S
            self._see_back()
            if phase.kills and at >= next_kill and self._struck is None and self._kill():
                next_kill += KILL_S
            time.sleep(TICK_S)

    def close(self) -> None:
        """End it, however it is, and delete its folder."""
        with undisturbed():
            self._run.close()
            self._scratch.remove()

    def _at(self) -> float:
        return time.monotonic() - self._began

    def _kill(self) -> bool:
        """One that is just being started again is left, and another one drawn at the next tick."""
        part = self._draw.choice(PARTS)
        if part == PAGE:
            self._struck = self._at(), part, self._run.restarts(PAGE)
            self._run.tell(PAGE)
            return True
        pid = self._run.parts().get(part)
        if pid is None:
            return False
        try:
            psutil.Process(pid).kill()
        except psutil.NoSuchProcess:
            return False
        self._struck = self._at(), part, pid
        return True

    def _see_back(self) -> None:
        if self._struck is None:
            return
        at, part, which = self._struck
        took = self._at() - at
        back = self._run.restarts(PAGE) > which if part == PAGE else self._run.parts().get(part, which) != which
        if back and self._run.all_well():
            self._tell(Kill(self._phase.name, round(at, 1), part, round(took, 1)))
        elif took < BACK_S:
            return
        else:
            self._tell(Kill(self._phase.name, round(at, 1), part, NEVER))
        self._struck = None

    def _check(self) -> tuple[bool, str]:
        """What the product itself says of its count, and the names of the checks that fail."""
        command = [sys.executable, "-m", "ecom_lite", "check", "--json", *self._run.place]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=CHECK_S, env=self._run.environment)
            found = json.loads(done.stdout)
            states = {check["name"]: check["state"] for check in found["checks"]}
        except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError) as error:
            return False, f"no answer: {error!r}"
        others = [f"{name}: {state}" for name, state in states.items() if state != "pass"]
        said = f"{len(states) - len(others)} of {len(states)} checks pass" + (f" ({', '.join(others)})" if others else "")
        return bool(found["closes"]), said


def played(phase: Phase, seed: int, tell: Callable[[Line], None]) -> str:
    """Play it; what was wrong, or an empty text."""
    course = Course(phase, seed, tell)
    try:
        course.play()
    except (Violation, EcomLiteError) as error:
        return f"{phase.name}: {error}\n{getattr(error, 'log', '')}"
    finally:
        course.close()
    return ""
