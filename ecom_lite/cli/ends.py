"""How a signal ends a command."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

# By what a handler raises: an exception, or the exit code of one.
_OF: Final[dict[object, int]] = {
    KeyboardInterrupt: signal.SIGINT, **{128 + number: number for number in (signal.SIGINT, signal.SIGTERM)}
}  # fmt: skip
ONCE_MORE_S: Final = 0.02  # by then Python is out of the callback that swallowed it


def ended(number: int, frame: object) -> None:
    """Handler of a signal: end by the way of `finally`, with the shell's exit code for it."""
    raise SystemExit(128 + number)


def take_signals() -> None:
    """Ctrl-C and SIGTERM end the command, wherever they find it. For the main thread.

    One that arrives in the callback of a weak reference, or in a `__del__`, Python prints and forgets: it is sent again.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, ended)  # so that engines, locks and temporary files go
    sys.unraisablehook = _sent_again


def _sent_again(lost: UnraisableHookArgs) -> None:
    number = _OF.get(getattr(lost.exc_value, "code", None) if lost.exc_type is SystemExit else lost.exc_type)
    if number is None:
        sys.__unraisablehook__(lost)
    else:
        _thread.start_new_thread(_send, (number,))  # not by threading: its locks may just be held


def _send(number: int) -> None:
    time.sleep(ONCE_MORE_S)
    signal.pthread_kill(threading.main_thread().ident or 0, number)  # wakes it, too


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
