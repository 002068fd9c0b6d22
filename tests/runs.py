"""A run of the real command line as a child of a test: start it, use the verbs beside it, see that it leaves nothing behind."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil

from ecom_lite.live.state import read_state

DEADLINE_S: Final = 60.0
START_S: Final = 120.0  # until all parts of a run are ready
ENDS_S: Final = 240.0  # a run that ends by itself: its start, the last dbt run and the lake's last pass, beside other tests
VERB_S: Final = 180.0  # `check` alone is as patient as two minutes: for the first marts, then for the loader
STOP_S: Final = 150.0  # a dbt run at work is waited for, and the lake takes in what is left
GONE_S: Final = 60.0  # PostgreSQL without its run gives its sessions five seconds to end
FIRST_POLL_S: Final = 0.005  # then twice as long each time
POLL_S: Final = 0.05
PARTS: Final = {"Kafka": "kafka", "PostgreSQL": "postgres"}  # name of the child -> of the part
COMMAND: Final = (sys.executable, "-m", "ecom_lite")
started: Final[list[LightRun]] = []  # all of this process: conftest ends those that a test that failed has left


def wait_for(
    condition: Callable[[], Any],
    what: str | Callable[[], str],
    deadline_s: float = DEADLINE_S,
    pause: Callable[[float], object] = time.sleep,
) -> Any:
    """The first true value of `condition`, or a failure that names what was waited for (a function is asked when it fails)."""
    deadline, pause_s = time.monotonic() + deadline_s, FIRST_POLL_S
    while True:
        late = time.monotonic() > deadline  # before it is looked: a machine that stood still is looked at once more
        if found := condition():
            return found
        if late:
            raise AssertionError(f"not within {deadline_s:g} s: {what if isinstance(what, str) else what()}")
        pause(pause_s)
        pause_s = min(2 * pause_s, POLL_S)


def partitions_of(log: Path) -> set[int]:
    """Those of the newest assignment that a loader has logged."""
    found = re.findall(r"loading \S+ from (\{.*\})", log.read_text()) if log.exists() else []
    return set(ast.literal_eval(found[-1])) if found else set()


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def wait_until_gone(processes: Iterable[psutil.Process], deadline_s: float = DEADLINE_S) -> None:
    """Until none of them is alive (a zombie is not)."""
    watched = list(processes)
    wait_for(lambda: not any(map(is_alive, watched)), lambda: f"these are gone: {list(filter(is_alive, watched))}", deadline_s)


class LightRun:
    """`ecom_lite run --light` in `data_dir`, in a session of its own. `known` collects every process it ever had."""

    light: Sequence[str] = ("--light",)

    def __init__(self, data_dir: Path, *options: str, env: Mapping[str, str] | None = None, wrap: Sequence[str] = ()) -> None:
        self.data_dir = data_dir
        self.env = {**os.environ, "ECOM_LITE_GRAFANA__ENABLED": "false", **(env or {})}
        self.known: dict[int, psutil.Process] = {}
        self.outputs = data_dir.parent / f"out {time.monotonic_ns()}"
        self.outputs.mkdir(parents=True)
        with (self.outputs / "stdout").open("wb") as out, (self.outputs / "stderr").open("wb") as err:
            self.process = subprocess.Popen(
                [*wrap, *COMMAND, "run", *self.light, "--data-dir", str(data_dir), *options],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=self.env, start_new_session=True,
            )  # fmt: skip
        started.append(self)

    @property
    def stdout(self) -> str:
        return (self.outputs / "stdout").read_text()

    @property
    def stderr(self) -> str:
        return (self.outputs / "stderr").read_text()

    @property
    def state(self) -> dict[str, Any]:
        """What `ecom_lite status --json` has, and the token; {} before the first."""
        state = read_state(self.data_dir)
        return {} if state is None else dict(json.loads(msgspec.json.encode(state)))

    def note_processes(self) -> dict[str, int]:
        """Remember all processes of the run; the pid of each part by its name."""
        try:  # first: whatever it names has begun, and is found below
            entries = json.loads((self.data_dir / "children.json").read_text())
        except (OSError, ValueError):
            entries = []
        try:
            family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        except psutil.Error:
            family = []
        self.known |= {process.pid: process for process in family}
        return {PARTS.get(entry["name"], entry["name"]): entry["pid"] for entry in entries if entry["pid"] in self.known}

    def wait_state(self, state: str, deadline_s: float = START_S) -> LightRun:
        def reached() -> bool:
            self.note_processes()
            assert self.process.poll() is None or self.state.get("state") == state, self.stderr
            return bool(self.state.get("state") == state and self.state.get("pid") == self.process.pid)

        wait_for(reached, lambda: f"state {state}: {self.state}", deadline_s)
        return self

    def wait_ready(self) -> LightRun:
        return self.wait_state("running")

    def verb(self, *arguments: str, deadline_s: float = VERB_S) -> subprocess.CompletedProcess[str]:
        """Another `ecom_lite` command on the same data folder."""
        command = [*COMMAND, *arguments, "--data-dir", str(self.data_dir)]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=deadline_s)

    def stop(self) -> subprocess.CompletedProcess[str]:
        """The verb, with more patience than a person has."""
        return self.verb("stop", "--timeout", f"{STOP_S:g}")

    def signal(self, number: signal.Signals) -> None:
        self.note_processes()
        self.process.send_signal(number)

    def wait(self, deadline_s: float = ENDS_S) -> int:
        """Its exit code; while waiting, remember its processes."""

        def ended() -> bool:
            self.note_processes()
            return self.process.poll() is not None

        wait_for(ended, lambda: f"the run ends; it said: {self.stderr}", deadline_s)
        return self.process.returncode

    def summary(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        found = json.loads(self.stdout)
        assert isinstance(found, dict)
        return found

    def assert_nothing_left(self) -> None:
        """No process that the run ever had is alive."""
        assert self.known, "no process was noted: the test itself is wrong"
        wait_until_gone(self.known.values(), GONE_S)

    def end(self) -> None:
        """End it, however the test went. The folder stays."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.assert_nothing_left()

    def close(self) -> None:
        """For fixtures: end it, and clean up what lives outside the folder, too."""
        try:
            self.end()
        finally:
            self.verb("reset", "--yes")
