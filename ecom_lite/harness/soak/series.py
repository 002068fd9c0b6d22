"""The figures of a phase as series over its time: one for each part or store, and measure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from .look import Look
from .trend import Point, Trend, trend

MB: Final = 1e6
ALL: Final = "all"


class Measure(NamedTuple):
    """`by` is what it is told by; `unit` is that of `value` after `per` has been divided by."""

    key: str
    title: str
    unit: str
    per: float
    summed: bool  # whether the sum of all makes sense


MEASURES: Final = (
    Measure("memory", "Memory (PSS)", "MB", MB, True),
    Measure("handles", "Open handles", "", 1, True),
    Measure("threads", "Threads", "", 1, True),
    Measure("disk", "Disk", "MB", MB, True),
    Measure("delay", "Delay, p95 of 5 s", "ms", 1, False),
)


class Series(NamedTuple):
    """One figure over the phase. `trend` is None where there is too little of it."""

    measure: Measure
    name: str
    points: Sequence[Point]
    trend: Trend | None


def series_of(looks: Sequence[Look]) -> list[Series]:
    """All of a phase, in the order of MEASURES; of a measure by parts, their names in order, then all together."""
    found = []
    for measure in MEASURES:
        if measure.key == "delay":
            points = [(each.at_s, each.delay_p95_ms) for each in looks if each.delay_p95_ms >= 0]
            found.append(_series(measure, "load", points))
            continue
        names = sorted({name for each in looks for name in getattr(each, measure.key)})
        for name in names:
            values = ((each.at_s, getattr(each, measure.key).get(name)) for each in looks)
            found.append(_series(measure, name, ((at, value) for at, value in values if value)))
        if measure.summed:
            found.append(_series(measure, ALL, ((each.at_s, sum(getattr(each, measure.key).values())) for each in looks)))
    return found


def _series(measure: Measure, name: str, points: Iterable[Point]) -> Series:
    scaled = [(at, value / measure.per) for at, value in points]
    return Series(measure, name, scaled, trend(scaled))
