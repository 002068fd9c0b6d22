"""What the simulated shop is told while it runs: rate, pause, faults. Kept here, so that a restarted producer does it too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from ..settings.tree import Settings

Change = Mapping[str, object]


class Wishes:
    """The wishes of this run. `tell` hands a change to the producer; `figures` are what the producer says of itself."""

    def __init__(self, settings: Settings, tell: Callable[[Change], None], figures: Callable[[], Mapping[str, Any]]) -> None:
        self._tell = tell
        self._figures = figures
        self._lock = Lock()
        self._rate: object = None  # None: as the settings say
        self._paused = False
        self._faults: dict[str, object] = {name: getattr(settings.faults, name) for name in settings.faults.switches()}

    def change(self, change: Change) -> dict[str, object]:
        """Take over `{"rate": ..., "paused": ..., "faults": {...}}`, each of them if given; returns what is in force now,
        with `applied`: whether that is all that was wished for."""
        with self._lock:
            self._rate = change.get("rate", self._rate)
            self._paused = bool(change.get("paused", self._paused))
            faults = change.get("faults")
            if isinstance(faults, Mapping):
                self._faults.update(faults)
            if change:
                self._tell(self._all())
            now = dict(self._figures().get("control") or {})
            wanted = {**self._all(), "faults": {name: share for name, share in self._faults.items() if share}}
            return {**now, "applied": all(now.get(name) == wish for name, wish in wanted.items())}

    def now(self) -> dict[str, object]:
        """For a producer that is started."""
        with self._lock:
            return self._all()

    def _all(self) -> dict[str, object]:
        rate = {} if self._rate is None else {"rate": self._rate}
        return {**rate, "paused": self._paused, "faults": dict(self._faults)}
