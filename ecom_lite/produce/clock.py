"""The shop's clock at work: how many orders are due, what time they carry, and how long until the next one."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from ..settings.tree import Shop
from ..simulate import Timetable
from .pace import TICK_S, UNPACED_ORDERS, Pace
from .plan import Plan

log = logging.getLogger("ecom_lite.produce")

MOST_ORDERS: Final = 2_000  # at once, of those that a rate or the clock makes due
OUTRUN: Final = timedelta(minutes=1)  # further ahead of the real clock than this, a shop has been paced by a rate
BEHIND: Final = timedelta(seconds=5)  # so far behind it is worth a word when the clock has reached the present


class ShopClock:
    """Three stretches: the past at full speed; then by a rate, by the clock at a speed, or by the real clock ("natural").

    `now` is the real time (with a zone), `monotonic` seconds of a clock that only runs forward, `sequence` the next order that
    nothing was sent of.
    The shop's time never outruns the real one. For one thread.
    """

    def __init__(self, settings: Shop, plan: Plan, sequence: int, now: datetime, monotonic: float) -> None:
        self._settings = settings
        self._plan = plan
        self._table = Timetable(settings, plan.opened_at) if plan.opened_at is not None else None
        self._rhythm = self._table  # whose orders "natural" counts: any timetable will do where times are of the sending
        self._past = self._table.due(plan.live_from) if self._table is not None and plan.live_from is not None else 0
        self._speed = plan.speed
        self._offset: int | None = None  # of "natural": so many orders more than the timetable has; None: not yet known
        self._held = False
        self._anchor = (now, monotonic)  # of a clock with a speed: its time then
        # The next orders have the timetable's times.
        self._stamped = self._table is not None and (plan.keeps_time or plan.rate == "natural")
        self._by_rate = False  # the orders that are due are the pace's
        self._behind = self._silent = False
        if self._table is not None and plan.opened_at is not None:
            if 0 < sequence <= self._table.due(now):
                reached = max(self._table.time(sequence - 1), plan.live_from or plan.opened_at)
            else:
                reached = now if sequence else plan.live_from or plan.opened_at
            self._anchor = (min(now, reached), monotonic)
            self._behind = sequence < self._table.due(now - BEHIND)
        self.rate: float | str = plan.rate
        self._pace = Pace(self._orders_per_s(), monotonic)

    def _orders_per_s(self) -> float | None:
        return None if isinstance(self.rate, str) else self.rate

    def change_rate(self, rate: float | str, monotonic: float) -> None:
        """From now on by this rate, and no longer at a speed. Saying it again changes nothing."""
        if rate == self.rate and self._speed is None:
            return
        self.rate, self._speed, self._offset = rate, None, None
        self._pace.change(self._orders_per_s(), monotonic)

    @property
    def rated(self) -> bool:
        """Paced by a number of orders per second: what a burst can multiply."""
        return self._speed is None and not isinstance(self.rate, str)

    def past(self, sequence: int) -> bool:
        """Order `sequence` belongs to the past that is sent at full speed."""
        return sequence < self._past

    @property
    def has_past(self) -> bool:
        return self._past > 0

    def due(self, sequence: int, now: datetime, monotonic: float, factor: int = 1, again: int = 0) -> int:
        """How many orders to send now, from `sequence` on; some more than that may be due. `factor` multiplies a rate. So many
        are only made `again`: most of their events were sent before, so they wait for nothing."""
        self._release(monotonic)
        self._by_rate = False
        if self.past(sequence):
            self._stamped = True
            self._anchor = (self._plan.live_from or now, monotonic)  # a speed counts from the end of the past
            return min(UNPACED_ORDERS, self._past - sequence)
        self._silent = not factor
        if self._silent:
            return 0
        if self._speed is not None and self._table is not None:
            self._stamped = True
            orders = self._table.due(self._time(now, monotonic)) - sequence
            self._say_present(sequence + orders, now)
        elif self.rate == "natural":
            orders = self._natural(sequence, now, again)
        else:
            if self.rated:
                self._pace.change(float(self.rate) * factor, monotonic)
            self._by_rate = True
            orders = self._pace.due(monotonic)
            self._stamped = self._plan.keeps_time and self._table is not None
            if self._stamped and self._table is not None:
                most = self._table.due(now) - sequence
                if most < orders:
                    orders = most
                    self._say_present(sequence + orders, now)
        if again > orders:
            self._by_rate, orders = False, again
        return max(0, min(orders, MOST_ORDERS))

    def _natural(self, sequence: int, now: datetime, again: int) -> int:
        table = self._rhythm
        if table is None:
            table = self._rhythm = Timetable(self._settings, now)
        if self._offset is None:
            new = sequence + again
            ahead = self._table is None or table.due(now + OUTRUN) < new
            # Paced by a rate before, it has sent orders of the timetable's future: their times are those of the sending.
            outrun = ahead and not self._plan.keeps_time
            self._offset = new - table.due(now) if outrun else 0
            self._stamped = not outrun
        orders = table.due(now) + self._offset - sequence
        if self._stamped:
            self._say_present(sequence + orders, now)
        return orders

    def sent(self, orders: int) -> None:
        """So many of those that were due were sent."""
        if self._by_rate:
            self._pace.sent(orders)

    def times(self, now: datetime) -> datetime | Timetable:
        """What the orders that `due` has just named carry, as `Shop.batch` takes it."""
        return self._table if self._stamped and self._table is not None else now

    def wait_s(self, sequence: int, now: datetime, monotonic: float) -> float:
        """How long until order `sequence` is due, in real seconds; 0 where there is no time to lose."""
        if self.past(sequence):
            return 0.0
        if self._silent:  # what is due stays due
            return TICK_S
        if self._speed is not None and self._table is not None:
            time = self._time(now, monotonic)
            left_s = (self._table.time(sequence) - time).total_seconds() / (self._speed if time < now else 1)
        elif self.rate == "natural":
            if self._rhythm is None or self._offset is None:
                return 0.0
            left_s = (self._rhythm.time(sequence - self._offset) - now).total_seconds()
        else:
            left_s = self._pace.wait_s(monotonic)
            if self._stamped and self._table is not None:
                ahead_s = (self._table.time(sequence) - now).total_seconds()
                left_s = max(left_s, ahead_s)
        return 0.0 if left_s <= 0 else max(TICK_S, left_s)

    def hold(self, now: datetime, monotonic: float) -> None:
        """Paused: a clock with a speed stands still. Ends with the next `due`."""
        if not self._held:
            self._anchor = (self._time(now, monotonic), monotonic)
        self._held = True

    def _release(self, monotonic: float) -> None:
        if self._held:
            self._anchor = (self._anchor[0], monotonic)
        self._held = False

    def _time(self, now: datetime, monotonic: float) -> datetime:
        """Where the shop's clock should be: the real time, or that of a clock with a speed until it gets there."""
        if self._speed is None:
            return now
        if self._held:
            return min(now, self._anchor[0])
        passed_s = min((monotonic - self._anchor[1]) * self._speed, (now - self._anchor[0]).total_seconds())
        return self._anchor[0] + timedelta(seconds=max(0.0, passed_s))

    def reading(self, sequence: int, now: datetime, monotonic: float) -> tuple[str, float]:
        """(the shop's time as ISO 8601, or "" where it is the real one; how many seconds it is behind where it should be)."""
        if self._table is None or not (self._stamped or self.past(sequence)):
            return "", 0.0
        should = self._time(now, monotonic)
        time = min(should, self._table.time(sequence))
        target: datetime | None = should
        if self._speed is None and self.rate != "natural":  # a rate does not say where the clock should be
            target = self._plan.live_from if self.past(sequence) else None
        elif self._speed is not None and self.past(sequence):
            target = self._plan.live_from
        behind_s = max(0.0, (target - time).total_seconds()) if target is not None else 0.0
        return time.isoformat(timespec="seconds"), round(behind_s, 3)

    def _say_present(self, end: int, now: datetime) -> None:
        if self._behind and self._table is not None and self._table.due(now) <= end:
            self._behind = False
            log.info("the shop's clock has reached the present")
