"""What became of a round, whatever it broke."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .expect import Violation


class Planned(Protocol):
    """What is told of a round's plan."""

    @property
    def number(self) -> int: ...
    @property
    def scenarios(self) -> str:
        """Their names, with a plus between them."""

    @property
    def phases(self) -> Sequence[object]:
        """Each says where it strikes."""

    @property
    def form(self) -> str:
        """Of its records."""


@dataclass
class Outcome:
    """What became of a round."""

    plan: Planned
    struck: bool = False
    notes: list[str] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    records: int = 0
    restarts: int = 0
    seconds: float = 0.0
    inherited_s: float | None = None  # from the moment that a loader froze for good until another had its partitions

    @property
    def ok(self) -> bool:
        return self.struck and not self.violations


def played(outcome: Outcome, play: Callable[[], None], close: Callable[[], None]) -> Outcome:
    """A round, from its opening to its account. A Violation is not raised: it is in the outcome. Closed in any case."""
    began = time.monotonic()
    try:
        play()
    except Violation as violation:
        outcome.violations.append(violation)
    finally:
        close()
    outcome.seconds = time.monotonic() - began
    return outcome
