"""A run of the tool: rounds, each repeated with a new draw where its strike did not happen, on engines that are started once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from ..engines.scratch import Scratch
from ..run.interrupts import undisturbed
from .expect import Violation
from .loaders import Nursery
from .outcome import Outcome
from .servers import Servers
from .targets import LOADER, Alone, Target

ATTEMPTS: Final = 3  # to make one strike happen


class Player(ABC):
    """Plays rounds of one target."""

    def __init__(self, target: Target, seed: int, only: Sequence[str] = ()) -> None:
        self.target, self.seed, self.only = target, seed, only

    def play(self, number: int, mutation: str | None = None) -> Outcome:
        """One round; where its strike was missed, up to ATTEMPTS times."""
        for attempt in range(ATTEMPTS):
            outcome = self._once(self.target.draw(self.seed, number, attempt, self.only), mutation)
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

    def end_leg(self) -> list[Violation]:
        """End what the rounds so far have in common, where they have anything; what is wrong with that."""
        return []

    @abstractmethod
    def _once(self, plan: Any, mutation: str | None) -> Outcome: ...

    @abstractmethod
    def versions(self) -> list[str]:
        """The servers, by name and version."""

    @abstractmethod
    def close(self) -> None: ...


class Session(Player):
    """Plays rounds on one pair of servers."""

    def __init__(self, own: Servers, seed: int, only: Sequence[str] = (), target: Alone = LOADER) -> None:
        super().__init__(target, seed, only)
        self.servers, self._alone = own, target
        self._nursery = Nursery(target.name, target.victim, own.logs, own.registry)
        self._played = 0

    def _once(self, plan: Any, mutation: str | None) -> Outcome:
        self._played += 1
        self.servers.prepare(f"faults_{self._played + 1}")
        return self._alone.play(self.servers, self._nursery, plan, mutation, f"faults_{self._played}")

    def versions(self) -> list[str]:
        return self.servers.versions()

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
