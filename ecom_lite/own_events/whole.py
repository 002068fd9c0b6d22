"""Steps that Ctrl-C does not cut in two."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Whole:
    """`with whole:` holds Ctrl-C back to its end, within `with whole.kept():`. Cheap enough for each record of a file."""

    def __init__(self) -> None:
        self._inside = self._came = False

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Of no effect in another thread than the main one, which alone gets Ctrl-C, and where Ctrl-C is ignored."""
        before = signal.getsignal(signal.SIGINT)
        if not callable(before) or threading.current_thread() is not threading.main_thread():
            yield
            return

        def take(number: int, frame: FrameType | None) -> None:
            if self._inside:
                self._came = True
            else:
                before(number, frame)

        signal.signal(signal.SIGINT, take)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def __enter__(self) -> None:
        self._inside = True

    def __exit__(self, *_: object) -> None:
        self._inside = False
        if self._came:
            self._came = False
            raise KeyboardInterrupt
