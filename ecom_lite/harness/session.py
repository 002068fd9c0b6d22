"""A run of the tool: the engines once, then rounds, each repeated with a new draw where its strike did not happen."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..run.interrupts import undisturbed
from .bench import Bench
from .loaders import Nursery
from .plan import draw_plan
from .rounds import Outcome, Round
from .strikes import strike

ATTEMPTS: Final = 3  # to make one strike happen


class Session:
    """Plays rounds on one bench."""

    def __init__(self, bench: Bench, seed: int, only: Sequence[str] = ()) -> None:
        self.bench, self.seed, self.only = bench, seed, only
        self._nursery = Nursery(bench.logs)
        self._played = 0

    def play(self, number: int, mutation: str | None = None) -> Outcome:
        """One round; where its strike was missed, up to ATTEMPTS times."""
        for attempt in range(ATTEMPTS):
            plan = draw_plan(self.seed, number, attempt, self.only)
            self._played += 1
            round_ = Round(self.bench, self._nursery, plan, mutation, f"faults_{self._played}")
            self.bench.prepare(f"faults_{self._played + 1}")
            outcome = round_.play(strike)
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
def benches() -> Iterator[Bench]:
    """Engines in a temporary folder. They are stopped and the folder is removed, however the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="ecom_lite_faults_"))
    bench = Bench(folder)
    try:
        bench.start()
        yield bench
    finally:
        with undisturbed():
            bench.stop()
            shutil.rmtree(folder, ignore_errors=True)
