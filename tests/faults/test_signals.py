"""Ctrl-C in a real terminal: while starting, once, twice; and a terminal that is closed."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs import COMMAND, ENDS_S, LightRun, wait_for

pytestmark = pytest.mark.timeout(600)  # whole runs
CTRL_C = b"\x03"
READ_S = 10.0
CALLED_OFF_S = 40.0  # a few seconds, on a busy machine several times as many; a start may take run.ready_timeout_s, 120 s
AT_ONCE_S = 20.0  # where the end is a graceful one, producer, loader and Kafka itself are waited for in turn, ten seconds each
# Makes the terminal on stdin the controlling one, so that a key can become a signal, and becomes the command after it.
OWN_TERMINAL = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"


class TerminalRun(LightRun):
    """A light run on a pseudo-terminal of its own; `screen` is all that it ever wrote there."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.data_dir, self.known, self.screen = data_dir, {}, b""
        self.env = {**os.environ, "ECOM_LITE_GRAFANA__ENABLED": "false", "TERM": "xterm-256color", "COLUMNS": "100"}
        self.keyboard, terminal = pty.openpty()
        termios.tcsetwinsize(terminal, (30, 100))
        command = [sys.executable, "-c", OWN_TERMINAL, *COMMAND, "run", "--light", "--data-dir", str(data_dir), *options]
        self.process = subprocess.Popen(
            command, stdin=terminal, stdout=terminal, stderr=terminal, env=self.env, start_new_session=True,
        )  # fmt: skip
        os.close(terminal)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        ended = False
        while True:
            try:
                if select.select([self.keyboard], [], [], 0.2)[0]:
                    data = os.read(self.keyboard, 65536)
                    if not data:
                        return
                    self.screen += data
                elif ended:
                    return
                ended = self.process.poll() is not None  # then one look more: it may have written before that
            except (OSError, ValueError):
                return

    def wait(self, deadline_s: float = ENDS_S) -> int:
        """As ever, and until all that it wrote is on the screen."""
        code = super().wait(deadline_s)
        self._reader.join(READ_S)
        return code

    @property
    def stderr(self) -> str:
        """Without colours and cursor movements."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.screen.decode("utf-8", "replace"))

    def press(self, key: bytes) -> None:
        self.note_processes()
        os.write(self.keyboard, key)

    def close(self) -> None:
        super().close()
        self._reader.join(READ_S)
        os.close(self.keyboard)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("signals") / "data"


@pytest.fixture
def run(folder: Path) -> Iterator[TerminalRun]:
    run = TerminalRun(folder, "--rate", "50")
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
        run.note_processes()
        run._reader.join(READ_S)
        os.close(run.keyboard)


@pytest.mark.parametrize("moment", ["postgres", "load"])
def test_ctrl_c_while_it_starts(run: TerminalRun, moment: str) -> None:
    wait_for(lambda: moment in run.note_processes(), f"{moment} is being started")
    asked = time.monotonic()
    run.press(CTRL_C)
    assert run.wait() == 130, run.stderr
    assert time.monotonic() - asked < CALLED_OFF_S
    assert "Traceback" not in run.stderr and "is ready after" not in run.stderr
    run.assert_nothing_left()


def test_ctrl_c_once_ends_it_gracefully_and_gives_the_terminal_back(run: TerminalRun) -> None:
    run.wait_ready()
    wait_for(lambda: "✔ load" in run.stderr and "events" in run.stderr, "the live view is drawn")
    run.press(CTRL_C)
    assert run.wait() == 130
    assert "stopping the parts" in run.stderr and "stopped after" in run.stderr and "Traceback" not in run.stderr
    assert run.screen.rfind(b"\x1b[?25h") > run.screen.rfind(b"\x1b[?25l"), "the cursor is shown again"
    run.assert_nothing_left()


def test_ctrl_c_twice_ends_it_at_once(run: TerminalRun) -> None:
    run.wait_ready()
    kafka = run.note_processes()["kafka"]
    os.kill(kafka, signal.SIGSTOP)  # so that a graceful stop would take long
    run.press(CTRL_C)
    wait_for(lambda: "stopping" in run.stderr, "the first is heard")
    asked = time.monotonic()
    run.press(CTRL_C)
    assert run.wait() == 130
    assert time.monotonic() - asked < AT_ONCE_S
    assert "stopped at once" in run.stderr and "Traceback" not in run.stderr
    run.assert_nothing_left()


def test_a_closed_terminal_ends_it_gracefully(run: TerminalRun) -> None:
    run.wait_ready()
    run.signal(signal.SIGHUP)
    assert run.wait() == 128 + signal.SIGHUP
    run.assert_nothing_left()


def test_all_is_well_after_all_that(folder: Path) -> None:
    run = LightRun(folder, "--events", "100", "--rate", "max", "--json")
    try:
        assert run.wait() == 0, run.stderr
        assert run.summary()["closes"]
    finally:
        run.close()
