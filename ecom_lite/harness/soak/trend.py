"""Whether a figure grows: the slope of its medians over time, and whether that slope is more than its noise.

Theil and Sen's estimator: the middle of the slopes between any two points, with an interval by Kendall's statistic
(P. K. Sen, 1968). It does not mind the jumps that a kill makes, as least squares would.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import sqrt
from statistics import median
from typing import Final, NamedTuple

BLOCKS: Final = 24
WARM: Final = 0.125  # of the time, in the beginning, is not counted: caches fill
SURE: Final = 1.96  # of a normal distribution: 95 of 100
LITTLE: Final = 0.02  # of its level, over the whole time: nobody calls that growth
LEAST_BLOCKS: Final = 6

Point = tuple[float, float]  # when, in seconds, and how much


class Trend(NamedTuple):
    """`low` .. `high` is where the slope lies by 95 of 100, all in the figure's unit per hour; `level` is its middle."""

    level: float
    least: float
    most: float
    slope: float
    low: float
    high: float
    hours: float  # that were counted

    @property
    def flat(self) -> bool:
        """No growth beyond the noise, or so little that it is none; what shrinks does not grow."""
        return self.low <= 0 or self.slope * self.hours <= LITTLE * self.level


def trend(points: Sequence[Point], blocks: int = BLOCKS) -> Trend | None:
    """Of one figure; None where there is too little of it."""
    if not points:
        return None
    begun, ended = points[0][0], points[-1][0]
    begun += WARM * (ended - begun)
    width = (ended - begun) / blocks
    if width <= 0:
        return None
    parts: dict[int, list[Point]] = {}
    for at, value in points:
        if at >= begun:
            parts.setdefault(min(int((at - begun) / width), blocks - 1), []).append((at, value))
    middles = [(median(at for at, _ in part) / 3600, median(value for _, value in part)) for _, part in sorted(parts.items())]
    if len(middles) < LEAST_BLOCKS:
        return None
    slopes = sorted((later[1] - earlier[1]) / (later[0] - earlier[0]) for earlier, later in combinations(middles, 2))
    count = len(middles)
    spread = SURE * sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, round((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, round((len(slopes) + spread) / 2))
    values = [value for at, value in points if at >= begun]
    return Trend(
        median(value for _, value in middles), min(values), max(values), median(slopes), slopes[low], slopes[high],
        (ended - begun) / 3600,
    )  # fmt: skip
