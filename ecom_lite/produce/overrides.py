"""Overrides of the shop's settings, handed from any thread to the producer's loop, and what is in force."""

from __future__ import annotations

from collections.abc import Mapping
from queue import Empty, SimpleQueue

from ..observe.figures import InForce
from ..settings.override import ShopOverride
from ..settings.tree import Faults


class Overrides:
    """`put` from any thread; `apply` and the rest in the producer's own."""

    def __init__(self, faults: Faults) -> None:
        self.paused = self.no_room = False
        self.faults = faults
        self.rate: float | str | None = None  # None: as the settings say
        self.campaigns: dict[str, float] = {}  # wanted: shares of the price by category
        self._waiting: SimpleQueue[ShopOverride] = SimpleQueue()

    def put(self, override: ShopOverride) -> None:
        """Its values are valid ones; faults that this version does not know are ignored."""
        self._waiting.put(override)

    def apply(self) -> bool:
        """Take over what was put since the last call; False where that was nothing."""
        applied = False
        while True:
            try:
                override = self._waiting.get_nowait()
            except Empty:
                return applied
            applied = True
            if override.rate is not None:
                self.rate = override.rate if isinstance(override.rate, str) else float(override.rate)
            if override.paused is not None:
                self.paused = override.paused
            if override.no_room is not None:
                self.no_room = override.no_room
            known = {name: share for name, share in override.faults.items() if name in Faults.model_fields}
            self.faults = self.faults.model_copy(update=known)
            self.campaigns = {name: share for name, share in {**self.campaigns, **override.campaigns}.items() if share}

    def in_force(self, rate: float | str, held: int, campaigns: Mapping[str, float]) -> InForce:
        """With the clock's rate, how many events are held back, and the campaigns that go on."""
        shares = self.faults.model_dump(exclude={"late_s"})
        faults = {name: share for name, share in shares.items() if share}
        return InForce(
            rate=rate, paused=self.paused, no_room=self.no_room, faults=faults, held=held, campaigns=dict(campaigns)
        )  # fmt: skip
