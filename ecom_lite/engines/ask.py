"""Asks a program something and reads its answer: which version it is, how it was built."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence

from ecom_lite.errors import EngineError

TRIES = 3


def ask(command: Sequence[object], timeout_s: float) -> tuple[str, str]:
    """Its (stdout, stderr). Raises EngineError where it cannot be run, fails, or takes longer than `timeout_s` seconds.

    It gets a session of its own: Ctrl-C in the terminal is for us alone. One that comes in the instant before that session
    begins still ends the program; it is then asked again, and we go on to stop as we were told to.
    """
    words = [str(word) for word in command]
    for tries_left in reversed(range(TRIES)):
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=timeout_s, start_new_session=True)
            if done.returncode == -signal.SIGINT and tries_left:
                continue
            done.check_returncode()
        except (OSError, subprocess.SubprocessError) as error:
            raise EngineError(f"{words[0]} does not run: {error}") from error
        return done.stdout, done.stderr
    raise AssertionError("the last try answers or raises")
