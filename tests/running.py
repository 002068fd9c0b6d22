"""A loop of the product in a thread of the test: it ends with the `with` block, and what it raised is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread

END_DEADLINE_S = 60.0


class Running:
    """Calls `loop(stop)` in a thread from now on; `loop` returns soon after `stop` is set."""

    def __init__(self, loop: Callable[[Event], object]) -> None:
        self.stop = Event()
        self.failure: BaseException | None = None
        self._thread = Thread(target=self._run, args=(loop,), name="test-loop", daemon=True)
        self._thread.start()

    def _run(self, loop: Callable[[Event], object]) -> None:
        try:
            loop(self.stop)
        except BaseException as error:
            self.failure = error

    def end(self) -> float:
        """Stop it; how many seconds that took."""
        began = time.monotonic()
        self.stop.set()
        self._thread.join(END_DEADLINE_S)
        assert not self._thread.is_alive(), f"the loop did not end within {END_DEADLINE_S:g} s"
        return time.monotonic() - began

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
