"""Answers that many ask for at once: each is computed once, and kept for as long as whoever computes it says."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class Cache:
    """Answers by key, each computed by one thread while the others who ask wait for it; the least used go first."""

    def __init__(self, clock: Callable[[], float], size: int) -> None:
        self._clock = clock
        self._size = size
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[object, ...], tuple[Future[object], float]] = OrderedDict()

    def get(self, key: tuple[object, ...], compute: Callable[[], object], keep_s: Callable[[Any, float], float]) -> object:
        """The value of `key`: kept for `keep_s(value, seconds it took)`, else computed. Raises what `compute` does."""
        with self._lock:
            found = self._entries.get(key)
            if found is not None and (not found[0].done() or self._clock() < found[1]):
                self._entries.move_to_end(key)
                future, mine = found[0], False
            else:
                future, mine = Future(), True
                self._entries[key] = (future, 0.0)
                self._entries.move_to_end(key)
                while len(self._entries) > self._size:
                    self._entries.popitem(last=False)
        if mine:
            begin = self._clock()
            try:
                value = compute()
                expires = self._clock() + keep_s(value, self._clock() - begin)
            except BaseException as error:
                future.set_exception(error)
            else:
                with self._lock:  # before it is there: who asks then would else have it computed once more
                    if self._entries.get(key, (None,))[0] is future:
                        self._entries[key] = (future, expires)
                future.set_result(value)
        return future.result()
