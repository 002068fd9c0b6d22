"""What a round says when something is not as promised, and the waiting that ends in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

POLL_S: Final = 0.01


class Violation(Exception):
    """A promise that was not kept: which, what was expected, what was found, and the end of a log where it helps."""

    def __init__(self, check: str, expected: str, found: str, log: str = "") -> None:
        super().__init__(f"{check}: expected {expected}; found {found}")
        self.check, self.expected, self.found, self.log = check, expected, found, log


def wait_until(
    condition: Callable[[], Any], what: str, patience_s: float, otherwise: Callable[[], str] = lambda: "", poll_s: float = POLL_S
) -> Any:
    """The first true value of `condition`; Violation after `patience_s`, with what `otherwise` says then."""
    began = time.monotonic()
    while not (value := condition()):
        if time.monotonic() - began > patience_s:
            raise Violation("progress", what, f"nothing of it within {patience_s:g} s", otherwise())
        time.sleep(poll_s)
    return value
