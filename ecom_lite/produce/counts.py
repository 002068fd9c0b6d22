"""What the ledger counts: the records of one partition by kind and fault, and from where a restart must read."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field, replace
from typing import Final

NO_ORDER: Final = 2**63  # no shop gets there
MOST_CHECKPOINTS: Final = 1_000  # above it every other one is forgotten: a restart then reads a little more


@dataclass
class Counts:
    """What one partition holds of one shop, as acknowledged. Every own record below `next_offset` is in it.

    `order_lines` and `other_events` are the shop's stream; `events` has the duplicates and broken copies too.
    """

    events: int = 0
    order_lines: int = 0
    other_events: int = 0
    revenue_cents: int = 0
    next_offset: int = 0
    resume_offset: int = 0  # every event of orders from the ledger's `next_sequence` on lies here or above
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, tally: Tally, next_offset: int) -> None:
        """Book a stretch of records that ends right before `next_offset`."""
        self.events += tally.lines + tally.others + tally.extras
        self.order_lines += tally.lines
        self.other_events += tally.others
        self.revenue_cents += tally.cents
        self.next_offset = next_offset
        self.faults.update(tally.faults)

    def copy(self) -> Counts:
        return replace(self, faults=self.faults.copy())


@dataclass(slots=True)
class Tally:
    """Records not yet in the ledger."""

    lines: int = 0
    others: int = 0
    extras: int = 0  # duplicates and broken copies
    cents: int = 0
    lowest: int = NO_ORDER  # the first order that one of them belongs to, extras aside
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def records(self) -> int:
        return self.lines + self.others + self.extras


class Checkpoints:
    """From where to read after a restart: what was acknowledged when an order had not yet been made lies below its events."""

    def __init__(self) -> None:
        self._points: deque[tuple[int, dict[int, int]]] = deque()  # (first order not yet made, acknowledged offsets)

    def advance(self, counts: dict[int, Counts], next_sequence: int, made: int) -> None:
        """Move the resume offsets up to the last checkpoint that `next_sequence` has reached, and make a new one.

        `made`: no event of this order or a later one had been handed out when `counts` were acknowledged.
        """
        if not self._points or self._points[-1][0] < made:
            self._points.append((made, {partition: count.next_offset for partition, count in counts.items()}))
        while self._points and self._points[0][0] <= next_sequence:
            for partition, offset in self._points.popleft()[1].items():
                counts[partition].resume_offset = max(counts[partition].resume_offset, offset)
        if len(self._points) > MOST_CHECKPOINTS:
            self._points = deque([*self._points][::2])
