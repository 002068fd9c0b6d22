"""One shop's way through its stream: which events come next, what faults do to them, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ..settings.tree import Faults as FaultSettings
from ..settings.tree import Shop as ShopSettings
from ..simulate import Campaign, Faults, Outgoing, Shop, Timetable, changed, identity
from .recover import Recovered


class Course:
    """Begins anew, at each new client, from what the broker really has. For one thread.

    `sequence` is the next order to make; of order `made` and later ones nothing was made yet.
    """

    def __init__(self, settings: ShopSettings, faults: FaultSettings) -> None:
        self._seed = settings.seed
        self._settings = settings
        self._shop = Shop(settings)
        self.campaigns: tuple[Campaign, ...] = ()
        self._present: set[str] = set()
        self._highest = -1
        self.faults = Faults(self._seed, faults)
        self.shop_id = self._shop.shop_id
        self.sequence = self.made = 0
        self.events = 0  # of the stream: in the broker when it began, and those made since

    def open(self, settings: ShopSettings, campaigns: Sequence[Campaign] = ()) -> None:
        """The shop as it was opened, which the settings of this start may leave unsaid, with all campaigns it ever had."""
        self._settings, self.campaigns = settings, tuple(campaigns)
        self._shop = Shop(settings, campaigns)

    def campaigns_with(self, wanted: Mapping[str, float]) -> tuple[Campaign, ...]:
        """All campaigns, were these the ones that go on: what begins or ends does so at the first order not made yet."""
        return changed(self.campaigns, wanted, self.made)

    def promote(self, campaigns: Sequence[Campaign]) -> None:
        """These are the campaigns now. They must be kept before: whoever makes an order again makes it by them."""
        self.open(self._settings, campaigns)

    @property
    def on(self) -> dict[str, float]:
        """The campaigns that go on: shares of the price by category."""
        return {each.category: each.discount for each in self.campaigns if each.end is None}

    def begin(self, sequence: int, recovered: Recovered, events: int) -> None:
        """From order `sequence` on, leaving out the events that the broker has. `events` are in the broker."""
        self.faults = Faults(self._seed, self.faults.settings)  # what was held back is made again
        self._present, self._highest = recovered.present, recovered.highest
        self.sequence, self.made, self.events = sequence, max(sequence, recovered.highest + 1), events

    def make(self, orders: int, most: int | None, times: datetime | Timetable, now_s: float) -> list[Outgoing]:
        """What to send now of the next `orders` orders, of whose events `most` are wanted. `now_s` is for the faults.

        An order that `most` cuts is left to the next run, as far as it is not in the broker by then.
        """
        batch = self._shop.batch(self.sequence, orders, times)
        end = self.sequence + orders
        self.made = max(self.made, end)
        if self._present:
            batch = [event for event in batch if identity(event.value or b"") not in self._present]
            if end > self._highest:
                self._present = set()
        if most is not None and len(batch) > most:
            end = batch[most].sequence
            batch = batch[:most]
        self.sequence = end
        self.events += len(batch)
        return self.faults.take(batch, now_s)

    @property
    def again(self) -> int:
        """How many orders are made again, up to the last one of which the broker has an event."""
        return max(0, self._highest + 1 - self.sequence)

    @property
    def next_sequence(self) -> int:
        """The first order that was not handed out whole."""
        held = self.faults.lowest if self.faults.held else None
        return self.sequence if held is None else min(held, self.sequence)
