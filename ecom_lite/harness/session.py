"""A run of the tool: the engines once, then rounds, each repeated with a new draw where its strike did not happen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from ..engines.scratch import Scratch
from ..run.interrupts import undisturbed
from .loaders import Nursery
from .outcome import Outcome
from .servers import Servers
from .targets import LOADER, Target

ATTEMPTS: Final = 3  # to make one strike happen


class Session:
    """Plays rounds on one pair of servers."""

    def __init__(self, own: Servers, seed: int, only: Sequence[str] = (), target: Target = LOADER) -> None:
        self.servers, self.seed, self.only, self._target = own, seed, only, target
        self._nursery = Nursery(target.name, target.victim, own.logs, own.registry)
        self._played = 0

    def play(self, number: int, mutation: str | None = None) -> Outcome:
        """One round; where its strike was missed, up to ATTEMPTS times."""
        for attempt in range(ATTEMPTS):
            plan = self._target.draw(self.seed, number, attempt, self.only)
            self._played += 1
            self.servers.prepare(f"faults_{self._played + 1}")
            outcome = self._target.play(self.servers, self._nursery, plan, mutation, f"faults_{self._played}")
            if outcome.struck or outcome.violations:
                break
        return outcome

    def until_caught(self, mutation: str, numbers: Iterable[int], tell: Callable[[Outcome], None]) -> Outcome | None:
        """The first round in which the mutation shows, if there is one."""
        for number in numbers:
            outcome = self.play(number, mutation)
            tell(outcome)
            if outcome.violations:
                return outcome
        return None

    def close(self) -> None:
        self._nursery.close()


@contextmanager
def servers() -> Iterator[Servers]:
    """Started, in a temporary folder. They are stopped and the folder is removed, however the block ends."""
    scratch = Scratch("harness")
    try:
        own = Servers(scratch)
        try:
            own.start()
            yield own
        finally:
            with undisturbed():
                own.stop()
    finally:
        with undisturbed():
            scratch.remove()
