"""The wall clock of the processes of a run: it jumps for all of them at once, what measures time goes on, nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecom_lite.harness.clock import WallClock

HOUR_S = 3600
SLACK_S = 60
# Says both clocks when a line comes; then waits for something that does not come, which must not take an hour.
PROGRAM = """
import datetime, sys, threading, time
for line in sys.stdin:
    print(time.time(), time.monotonic(), datetime.datetime.now(datetime.UTC).timestamp(), flush=True)
threading.Event().wait(0.01)
"""


@pytest.fixture
def clock() -> Iterator[WallClock]:
    clock = WallClock()
    try:
        if clock.refused:
            pytest.skip(clock.refused)
        yield clock
    finally:
        clock.close()


def test_it_jumps_for_a_process_that_runs_and_back(clock: WallClock) -> None:
    command, environment = [sys.executable, "-c", PROGRAM], {**os.environ, **clock.environment}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdin is not None and process.stdout is not None

        def said() -> tuple[float, float, float]:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            wall, monotonic, other = map(float, process.stdout.readline().split())
            return wall - time.time(), monotonic - time.monotonic(), other - time.time()

        for jump, there in ((0, 0), (HOUR_S, HOUR_S), (-2 * HOUR_S, -HOUR_S), (HOUR_S, 0)):
            clock.jump(jump)
            wall, monotonic, other = said()
            assert abs(wall - there) < SLACK_S and abs(other - there) < SLACK_S and abs(monotonic) < SLACK_S
        clock.jump(HOUR_S)
        process.stdin.close()
        assert process.wait(SLACK_S) == 0


def test_without_it_nothing_is_changed_and_its_folder_goes(clock: WallClock) -> None:
    folder = Path(clock.environment["LD_PRELOAD"]).parent
    clock.jump(HOUR_S)
    code = "import time; print(time.time())"
    plain = {name: value for name, value in os.environ.items() if name not in clock.environment}
    done = subprocess.run([sys.executable, "-c", code], env=plain, capture_output=True, text=True, check=True)
    assert abs(float(done.stdout) - time.time()) < SLACK_S
    clock.close()
    assert not folder.exists()
