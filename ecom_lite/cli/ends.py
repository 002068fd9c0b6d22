"""How a signal ends a command."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


def ended(number: int, frame: object) -> None:
    """Handler of a signal: end by the way of `finally`, with the shell's exit code for it."""
    raise SystemExit(128 + number)


@contextmanager
def before_the_start() -> Iterator[None]:
    """A signal in here ends the command in one line; a run has handlers of its own from its first part to its last."""

    def stopped(number: int, frame: object) -> None:
        os.write(2, b"ecom_lite: stopped before anything was started\n")
        ended(number, frame)

    previous = {number: signal.signal(number, stopped) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
