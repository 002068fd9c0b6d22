"""Ctrl-C, SIGTERM and SIGHUP: the first one asks for a graceful end, the second one ends at once; and none while we clean up."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """While entered, the first signal sets `asked`; the second calls `at_once` and ends the process with 128 + its number.

    Signals that are ignored (nohup) stay so. For the main thread.
    """

    def __init__(self, at_once: Callable[[], None]) -> None:
        self.asked = threading.Event()
        self.number: int | None = None
        self._at_once = at_once
        self._before: dict[signal.Signals, Any] = {}

    @property
    def exit_code(self) -> int:
        """0 where no signal came."""
        return 0 if self.number is None else 128 + self.number

    def __enter__(self) -> Interrupts:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        # By a thread of its own: this one may just hold the lock of the very event that is to be set.
        first, self.number = self.number is None, number
        work = self.asked.set if first else self._end
        threading.Thread(target=work, name=f"signal-{number}", daemon=True).start()

    def _end(self) -> None:
        try:
            self._at_once()
        finally:
            os._exit(self.exit_code)


@contextmanager
def undisturbed() -> Iterator[None]:
    """SIGINT and SIGTERM wait meanwhile: an impatient Ctrl-C must not leave a server behind.

    One that came is delivered at the end, unless the end is that of a signal already. In another thread than the main one,
    which never gets them, this is nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    ending = isinstance(sys.exc_info()[1], (KeyboardInterrupt, SystemExit))
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came and not ending:
            signal.raise_signal(came[0])
