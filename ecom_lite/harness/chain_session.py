"""A run of the tool against the whole chain: rounds of one leg share a data folder; what has shown a difference is put away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..run.interrupts import undisturbed
from .chain_plan import draw_shop
from .chain_rounds import ChainRound, Leg
from .clock import WallClock
from .expect import Violation
from .outcome import Outcome
from .session import Player
from .targets import CHAIN


class ChainSession(Player):
    """Each leg begins with a fresh folder, and ends with a graceful stop."""

    def __init__(self, seed: int, only: Sequence[str] = ()) -> None:
        super().__init__(CHAIN, seed, only)
        self._clock = WallClock()
        self._leg: Leg | None = None
        self._servers: list[str] = []
        self._of: tuple[int, str | None] | None = None  # its number, and its mutation

    def _once(self, plan: Any, mutation: str | None) -> Outcome:
        left: list[Violation] = []
        if self._of != (plan.leg, mutation):
            left = self.end_leg()
            self._leg, self._of = Leg(draw_shop(self.seed, plan.leg), self._clock, mutation), (plan.leg, mutation)
        assert self._leg is not None
        outcome = ChainRound(self._leg, plan).play()
        self._servers = self._servers or self._leg.versions()
        outcome.violations += left
        if outcome.violations:
            self._put_away()
        return outcome

    def end_leg(self) -> list[Violation]:
        """Stop the run as anybody would; what is wrong with that."""
        try:
            if self._leg is not None:
                self._leg.run.stop()
        except Violation as violation:
            return [violation]
        finally:
            self._put_away()
        return []

    def _put_away(self) -> None:
        leg, self._leg, self._of = self._leg, None, None
        if leg is not None:
            with undisturbed():
                leg.close()

    def versions(self) -> list[str]:
        return self._servers

    def close(self) -> None:
        self._put_away()
        with undisturbed():
            self._clock.close()
