"""What is asked for next is made before what goes is dropped, and nothing of it ends the thread."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from ecom_lite.testing.aside import DROP, MAKE, Aside

WAIT_S = 60


class Busy:
    """Work that takes until it may end."""

    def __init__(self, aside: Aside) -> None:
        self._begun, self.may_end = threading.Event(), threading.Event()
        aside.do(DROP, self._take_long)
        assert self._begun.wait(WAIT_S)

    def _take_long(self) -> None:
        self._begun.set()
        self.may_end.wait(WAIT_S)


def test_what_is_made_comes_before_what_goes_and_the_oldest_first() -> None:
    aside, done = Aside(), list[str]()
    busy = Busy(aside)
    waiting = [aside.do(urgency, partial(done.append, name)) for urgency, name in ((DROP, "a"), (MAKE, "b"), (DROP, "c"))]
    busy.may_end.set()
    for each in waiting:
        each.result(WAIT_S)
    assert done == ["b", "a", "c"]


def test_what_has_not_begun_can_be_cancelled_and_a_failure_is_told() -> None:
    aside = Aside()
    busy = Busy(aside)
    never, fails, last = aside.do(MAKE, lambda: 1), aside.do(MAKE, lambda: 1 // 0), aside.do(MAKE, lambda: 2)
    assert never.cancel()
    busy.may_end.set()
    with pytest.raises(ZeroDivisionError):
        fails.result(WAIT_S)
    assert last.result(WAIT_S) == 2 and never.cancelled()
