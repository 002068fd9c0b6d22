"""What nobody waits for is done here, one after the other, beside the tests: what a next test will ask for before what goes."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import PriorityQueue
from typing import Any, Final, TypeVar

T = TypeVar("T")

MAKE: Final = 0
DROP: Final = 1


class Aside:
    """A thread that does what is most urgent, and of that the oldest. Work that has not begun can be cancelled."""

    def __init__(self) -> None:
        self._queue: PriorityQueue[tuple[int, int, Future[Any], Callable[[], Any]]] = PriorityQueue()
        self._numbers = itertools.count()
        threading.Thread(target=self._work, name="aside", daemon=True).start()

    def do(self, urgency: int, work: Callable[[], T]) -> Future[T]:
        """What becomes of it."""
        future: Future[T] = Future()
        self._queue.put((urgency, next(self._numbers), future, work))
        return future

    def _work(self) -> None:
        while True:
            _, _, future, work = self._queue.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except BaseException as error:  # told to whoever asks
                    future.set_exception(error)
