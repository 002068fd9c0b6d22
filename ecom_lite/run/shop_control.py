"""The overrides of this run's simulated shop: handed to the producer, and kept, so that a restarted one has them too."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from msgspec.structs import asdict

from ..observe.figures import ControlAnswer, InForce
from ..settings.override import ShopOverride
from ..settings.tree import Settings


class ShopControl:
    """`send` hands an override to the producer; `in_force` is what the producer says it does. For any thread."""

    def __init__(self, settings: Settings, send: Callable[[ShopOverride], None], in_force: Callable[[], InForce]) -> None:
        self._send = send
        self._in_force = in_force
        self._lock = Lock()
        shares = {name: float(getattr(settings.faults, name)) for name in settings.faults.switches()}
        self._override = ShopOverride(paused=False, faults=shares)

    @property
    def override(self) -> ShopOverride:
        """All of this run's, for a producer that is started."""
        return self._override  # no lock: who sends holds it, and may wait for the very start that asks here

    def no_room(self, scarce: bool) -> None:
        """The run's own pause, beside that of a person."""
        with self._lock:
            self._override = self._override.then(ShopOverride(no_room=scarce))
            self._send(self._override)

    def change(self, override: ShopOverride) -> ControlAnswer:
        """Add an override (an empty one changes nothing); what is in force now."""
        with self._lock:
            self._override = self._override.then(override)
            if override != ShopOverride():
                self._send(self._override)
            now = self._in_force()
            wanted: dict[str, object] = {
                "paused": self._override.paused,
                "faults": {name: share for name, share in self._override.faults.items() if share},
            }
            if self._override.campaigns:
                wanted["campaigns"] = {name: share for name, share in self._override.campaigns.items() if share}
            if self._override.rate is not None:
                wanted["rate"] = self._override.rate
            applied = all(getattr(now, name) == value for name, value in wanted.items())
            return ControlAnswer(**asdict(now), applied=applied)
