"""What the producer says of itself once a second: of this run, of the shop's stream as a whole, and of its clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from ..observe.figures import ProducerFigures
from .clock import ShopClock
from .course import Course
from .ledger import Ledger
from .overrides import Overrides

REPORT_S: Final = 1.0

Report = Callable[[ProducerFigures], None]


class Figures:
    """The producer's loop sets the public attributes; records are counted from the run's first recovery on."""

    def __init__(self, report: Report, ledger: Ledger, course: Course, overrides: Overrides) -> None:
        self.state = "starting"
        self.sent = self.errors = self.recovered = self.unacked = 0
        self.first_sequence = 0
        self.until: int | None = None  # so many events of the stream are to be in the broker
        self.history_events: int | None = None  # of the stream, when its past was sent
        self.clock: ShopClock | None = None
        self._report = report
        self._ledger = ledger
        self._course = course
        self._overrides = overrides
        self._base: int | None = None  # the ledger's records when this run's own count began
        self._last: tuple[float, int] | None = None  # (monotonic time, acknowledged records) of the last report

    def begin(self, clock: ShopClock, recovered: int) -> None:
        """From what is in the ledger now on, records and orders count as this run's."""
        self.clock = clock
        self.recovered = recovered
        self.first_sequence = self._course.sequence
        self._base = self._ledger.events

    @property
    def acked(self) -> int:
        """Records of this run that are in the broker and in the ledger."""
        return 0 if self._base is None else self._ledger.events - self._base

    def tell(self, now: float, wall: datetime, force: bool = False) -> None:
        """Once per REPORT_S, or now; `rate` is acknowledged records per second since the last time."""
        if self._last is None:
            self._last = (now, self.acked)
        since, acked_then = self._last
        if not force and now - since < REPORT_S:
            return
        acked = self.acked
        self._last = (now, acked)
        self._report(
            ProducerFigures(
                state=self.state,
                shop=self._course.shop_id,
                sent=self.sent,
                acked=acked,
                unacked=self.unacked,
                recovered=self.recovered,
                rate=round((acked - acked_then) / (now - since), 1) if now > since else 0.0,
                orders=self._course.sequence - self.first_sequence,
                next_sequence=self._ledger.next_sequence,
                stream_events=self._ledger.stream_events,
                until=self.until,
                errors=self.errors,
                ledger="in memory" if self._ledger.away else "written",
                fault_events=dict(self._ledger.faults),
                **(self._of_the_clock(self.clock, now, wall) if self.clock is not None else {}),
            )
        )

    def _of_the_clock(self, clock: ShopClock, now: float, wall: datetime) -> dict[str, Any]:
        sequence = self._course.sequence
        time, behind_s = clock.reading(sequence, wall, now)
        sent = clock.has_past and not clock.past(sequence)
        earlier = sent and self.history_events is None  # by an earlier process
        return {
            "history": "" if earlier else "sent" if sent else "sending" if clock.has_past else "",
            "history_events": self.history_events or (self._ledger.stream_events if earlier else 0),
            "behind_s": behind_s,
            "shop_time": time,
            "control": self._overrides.in_force(clock.rate, self._course.faults.held, self._course.on),
        }
