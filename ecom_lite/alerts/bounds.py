"""When a number is out of bounds: past a threshold, or too far from what the same weekday had. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ..settings.section import Section
from .fields import Chance, Less, More, Number, Weeks, one_of
from .question import Answer

TO_SIGMA: Final = 1.4826  # a median absolute deviation, so many times, is a standard deviation where the numbers are normal
LEAST_SPREAD: Final = 0.05  # of the median: weeks that were all alike do not make each small step an alarm


@dataclass(frozen=True)
class Verdict:
    """`out` None: it cannot be judged, and `told` says why. `value` is what the question gave."""

    out: bool | None
    value: float | None
    told: str


Ask = Callable[[datetime], "Answer | None"]  # the question at a moment


class Threshold(Section):
    """Out of bounds when more than `above` or less than `below`."""

    above: Number | None = None
    below: Number | None = None

    @model_validator(mode="after")
    def _some_number_is_well(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("[threshold]: give above, below, or both")
        if self.above is not None and self.below is not None and self.below > self.above:
            raise ValueError(
                f"threshold.below = {self.below:g}: it is more than above = {self.above:g}, so that no number is well"
            )
        return self

    def judge(self, ask: Ask, now: datetime, zone: str, unit: str) -> Verdict:
        answer = ask(now)
        if answer is None:
            return Verdict(None, None, "its question has no data")
        value = answer.value
        out = (self.above is not None and value > self.above) or (self.below is not None and value < self.below)
        return Verdict(out, value, f"{shown(value)}{_space(unit)} (fires {self.shown()})")

    def shown(self) -> str:
        """`above 5`."""
        bounds = [
            f"below {shown(self.below)}" if self.below is not None else "",
            f"above {shown(self.above)}" if self.above is not None else "",
        ]
        return " or ".join(filter(None, bounds))


class Deviation(Section):
    """Out of bounds when too far from the median of the same question at the same time of the last `weeks` weeks.

    A week without a number above 0 had nothing to compare with; `at_least` so many must have. `measure`: percent of the median,
    or deviations: how many times the weeks' own (robust) spread. With `chance` it has to be so many times further away than what
    counting brings by chance, too: a few orders more or less are a large share of a few.
    """

    weeks: Weeks = 4
    at_least: int = Field(default_factory=lambda known: min(2, known["weeks"]))
    measure: Annotated[Literal["percent", "deviations"], one_of("percent", "deviations")] = "percent"
    above: More | None = None
    below: Less | None = None
    chance: Chance | None = None

    @field_validator("at_least", mode="before")
    @classmethod
    def _of_the_weeks(cls, value: Any, info: ValidationInfo) -> Any:
        weeks = info.data.get("weeks", 1)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= weeks:
            raise ValueError(f"give a whole number from 1 to {weeks}")
        return value

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("[deviation]: give above, below, or both")
        return self

    def judge(self, ask: Ask, now: datetime, zone: str, unit: str) -> Verdict:
        answer = ask(now)
        if answer is None:
            return Verdict(None, None, "its question has no data")
        value = answer.value
        before = [past for moment in weeks_before(now, self.weeks, zone) if (past := ask(moment)) is not None and past.value > 0]
        if len(before) < self.at_least:
            few = f"{len(before)} of the last {self.weeks} weeks have something at this time, {self.at_least} are needed"
            return Verdict(None, value, f"nothing to compare with: {few}")
        weeks = [past.value for past in before]
        usual, far = statistics.median(weeks), self.distance(value, weeks)
        out = (self.above is not None and far > self.above) or (self.below is not None and far < self.below)
        told = f"{shown(value)}{_space(unit)}, usually {shown(usual)}: {far:+.0f}{self._mark()}"
        by_chance = self._by_chance(answer, before)
        if out and abs(value - usual) <= by_chance:
            return Verdict(False, value, f"{told}, but up to {shown(by_chance)} more or less may be chance")
        return Verdict(out, value, f"{told} (fires {self.shown()})")

    def _by_chance(self, answer: Answer, before: Sequence[Answer]) -> float:
        """Of events that come independently of each other a sum has the variance of its value, times the step of one event."""
        if self.chance is None:
            return 0.0
        usual, step = statistics.median(past.value for past in before), statistics.median(past.step for past in before)
        return self.chance * math.sqrt(abs(answer.value) * answer.step + usual * step)

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
        return " or ".join(bounds) + (", beyond chance" if self.chance else "")

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
