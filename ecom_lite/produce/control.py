"""What the shop is told while it runs: rate, pause and faults, handed from any thread to the producer's loop."""

from __future__ import annotations

from collections.abc import Mapping
from queue import Empty, SimpleQueue

from ..settings.tree import Faults


class Control:
    """`tell` from any thread; `apply` and the rest in the producer's own."""

    def __init__(self, faults: Faults) -> None:
        self.paused = False
        self.faults = faults
        self.rate: float | str | None = None  # what was last wished for; None: as the settings say
        self._told: SimpleQueue[Mapping[str, object]] = SimpleQueue()

    def tell(self, change: Mapping[str, object]) -> None:
        """`{"rate": orders per second | "max" | "natural", "paused": bool, "faults": {name: share}}`, each if it is to change.

        The values are valid ones; other keys are ignored.
        """
        self._told.put(change)

    def apply(self) -> bool:
        """Take over what was told since the last call; False where that was nothing."""
        told = False
        while True:
            try:
                change = self._told.get_nowait()
            except Empty:
                return told
            told = True
            rate, faults = change.get("rate"), change.get("faults")
            if isinstance(rate, int | float | str) and not isinstance(rate, bool):
                self.rate = rate if isinstance(rate, str) else float(rate)
            if "paused" in change:
                self.paused = bool(change["paused"])
            if isinstance(faults, Mapping):
                known = {name: value for name, value in faults.items() if name in Faults.model_fields}
                self.faults = self.faults.model_copy(update=known)

    def figures(self, rate: float | str) -> dict[str, object]:
        """What is in force: shares that are 0 are left out."""
        shares = self.faults.model_dump(exclude={"late_s"})
        return {"rate": rate, "paused": self.paused, "faults": {name: share for name, share in shares.items() if share}}
