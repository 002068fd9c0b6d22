"""When a number is out of bounds: past a threshold, or too far from what the same weekday had. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

MEASURES: Final = ("percent", "deviations")
TO_SIGMA: Final = 1.4826  # a median absolute deviation, so many times, is a standard deviation where the numbers are normal
LEAST_SPREAD: Final = 0.05  # of the median: weeks that were all alike do not make each small step an alarm


@dataclass(frozen=True)
class Verdict:
    """`out` None: it cannot be judged, and `told` says why. `value` is what the question gave."""

    out: bool | None
    value: float | None
    told: str


Ask = Callable[[datetime], "float | None"]  # the question at a moment


@dataclass(frozen=True)
class Threshold:
    """Out of bounds when more than `above` or less than `below`."""

    above: float | None = None
    below: float | None = None

    def judge(self, ask: Ask, now: datetime, zone: str, unit: str) -> Verdict:
        value = ask(now)
        if value is None:
            return Verdict(None, None, "its question has no data")
        out = (self.above is not None and value > self.above) or (self.below is not None and value < self.below)
        return Verdict(out, value, f"{shown(value)}{_space(unit)} (fires {self.shown()})")

    def shown(self) -> str:
        """`above 5`."""
        bounds = [
            f"below {shown(self.below)}" if self.below is not None else "",
            f"above {shown(self.above)}" if self.above is not None else "",
        ]
        return " or ".join(filter(None, bounds))


@dataclass(frozen=True)
class Deviation:
    """Out of bounds when too far from the median of the same question at the same time of the last `weeks` weeks.

    A week without a number above 0 had nothing to compare with; `at_least` so many must have. `measure`: percent of the median,
    or deviations: how many times the weeks' own (robust) spread.
    """

    weeks: int = 4
    at_least: int = 2
    measure: Literal["percent", "deviations"] = "percent"
    above: float | None = None
    below: float | None = None

    def judge(self, ask: Ask, now: datetime, zone: str, unit: str) -> Verdict:
        value = ask(now)
        if value is None:
            return Verdict(None, None, "its question has no data")
        before = [past for moment in weeks_before(now, self.weeks, zone) if (past := ask(moment)) is not None and past > 0]
        if len(before) < self.at_least:
            few = f"{len(before)} of the last {self.weeks} weeks have something at this time, {self.at_least} are needed"
            return Verdict(None, value, f"nothing to compare with: {few}")
        far = self.distance(value, before)
        out = (self.above is not None and far > self.above) or (self.below is not None and far < self.below)
        usual = f"{shown(value)}{_space(unit)}, usually {shown(statistics.median(before))}: {far:+.0f}{self._mark()}"
        return Verdict(out, value, f"{usual} (fires {self.shown()})")

    def distance(self, value: float, before: Sequence[float]) -> float:
        """How far from usual, in the unit of the bounds. `before` holds numbers above 0."""
        usual = statistics.median(before)
        if self.measure == "percent":
            return 100 * (value - usual) / usual
        spread = TO_SIGMA * statistics.median(abs(each - usual) for each in before)
        return (value - usual) / max(spread, LEAST_SPREAD * usual)

    def shown(self) -> str:
        """`below -60 % or above +150 %`."""
        bounds = [
            f"{name} {bound:+g}{self._mark()}"
            for name, bound in (("below", self.below), ("above", self.above))
            if bound is not None
        ]
        return " or ".join(bounds)

    def _mark(self) -> str:
        return " %" if self.measure == "percent" else " deviations"


def weeks_before(now: datetime, weeks: int, zone: str) -> list[datetime]:
    """The same time of the same weekday by the clock of `zone`, one to `weeks` weeks ago: across a change of the clocks, too."""
    place = ZoneInfo(zone)
    wall = now.astimezone(place).replace(tzinfo=None)
    return [(wall - timedelta(weeks=week)).replace(tzinfo=place).astimezone(UTC) for week in range(1, weeks + 1)]


def shown(value: float) -> str:
    """`1,234` or `0.52`."""
    return f"{value:,.0f}" if abs(value) >= 1_000 or value == int(value) else f"{value:.3g}"


def _space(unit: str) -> str:
    return f" {unit}" if unit else ""
