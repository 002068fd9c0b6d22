"""Owns time ranges: what a viewer may ask for (`now-30m`, epoch ms, `all`), and how coarse a series then is."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ..errors import DashboardError

ALL: Final = "all"
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
DEFAULT_POINTS: Final = 240

_RELATIVE: Final = re.compile(r"^now(?:-(\d{1,12})([smhdw]))?$")
_EPOCH_MS: Final = re.compile(r"^\d{1,14}$")
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_DURATION: Final = re.compile(r"^(\d{1,6})(ms|[smhdwy])$")  # a year is what `step_text` makes of the widest step

# Grafana's rounding of a series' step: up to LIMITS[i] milliseconds becomes STEPS[i].
_LIMITS: Final = (
    *(15, 35, 75, 150, 350, 750, 1_500, 3_500, 7_500, 12_500, 17_500, 25_000, 45_000, 90_000, 210_000, 450_000),
    *(750_000, 1_050_000, 1_500_000, 2_700_000, 5_400_000, 9_000_000, 16_200_000, 32_400_000, 86_400_000, 604_800_000),
    *(1_814_400_000, 3_628_800_000),
)
_STEPS: Final = (
    *(10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000),
    *(600_000, 900_000, 1_200_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000),
    *(604_800_000, 2_592_000_000, 31_536_000_000),
)


@dataclass(frozen=True)
class TimeRange:
    """From `start` to `end`, both aware, in UTC."""

    start: datetime
    end: datetime

    @property
    def start_ms(self) -> int:
        return epoch_ms(self.start)

    @property
    def end_ms(self) -> int:
        return epoch_ms(self.end)


def before(shown: TimeRange, step: int) -> tuple[TimeRange, int]:
    """The range before, as long, and how many milliseconds before: its length in whole steps (of which a day stays a day, when
    its bounds were widened a little), so that points of both stand above each other.
    """
    back_ms = max((2 * (shown.end_ms - shown.start_ms) + step) // (2 * step), 1) * step
    back = timedelta(milliseconds=back_ms)
    return TimeRange(max(shown.start - back, EARLIEST), max(shown.end - back, EARLIEST)), back_ms


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970, exact."""
    return (moment - EARLIEST) // timedelta(milliseconds=1)


def parse_range(start: str, end: str, now: datetime, first: datetime | None = None) -> TimeRange:
    """The range a viewer asked for. `start` may be `all`, which means `first` (the oldest data) where that is known, else a day.

    Raises DashboardError when a bound is neither relative (`now-30m`) nor epoch ms, or when the range is empty.
    """
    finish = _moment(end, now)
    begin = (first or finish - timedelta(days=1)) if start == ALL else _moment(start, now)
    if begin >= finish:
        raise DashboardError(f"time range {start} .. {end} is empty: it must begin before it ends")
    return TimeRange(begin, finish)


def bounds(start: str, end: str, grain_ms: int) -> tuple[str, str]:
    """The two as all write them who mean the same: `now-60s` for `now-1m`, epoch milliseconds widened to whole `grain_ms`. What
    is not understood stays as it is.
    """
    return _bound(start, grain_ms, 0), _bound(end, grain_ms, grain_ms - 1)


def _bound(text: str, grain_ms: int, up_ms: int) -> str:
    if match := _RELATIVE.match(text):
        seconds = int(match[1] or 0) * _UNITS_S[match[2] or "s"]
        return f"now-{seconds}s" if seconds else "now"
    if _EPOCH_MS.match(text):
        return str((int(text) + up_ms) // grain_ms * grain_ms)
    return text


def _moment(text: str, now: datetime) -> datetime:
    if match := _RELATIVE.match(text):
        seconds = int(match[1] or 0) * _UNITS_S[match[2] or "s"]
        try:
            return max(now - timedelta(seconds=seconds), EARLIEST)
        except OverflowError:
            return EARLIEST
    if _EPOCH_MS.match(text):
        return min(EARLIEST + timedelta(milliseconds=int(text)), LATEST)
    raise DashboardError(f"time {text[:40]!r} is not understood: use now, now-30m, now-90d or milliseconds since 1970")


def duration_ms(text: str) -> int:
    """`30s`, `5m`, `1d` in milliseconds. Raises DashboardError."""
    match = _DURATION.match(text)
    if not match or int(match[1]) == 0:
        raise DashboardError(f"duration {text!r} is not understood: use 30s, 5m, 1h, 1d or 1w")
    return int(match[1]) * (1 if match[2] == "ms" else _UNITS_S[match[2]] * 1000)


def step_ms(time_range: TimeRange, points: int = DEFAULT_POINTS, at_least_ms: int = 0) -> int:
    """The width of one point when the range is drawn with about `points` points, rounded as Grafana rounds it."""
    raw = (time_range.end_ms - time_range.start_ms) / points
    return max(_STEPS[bisect.bisect_right(_LIMITS, raw)], at_least_ms, 1)


def step_text(milliseconds: int) -> str:
    """A step as `$__interval` says it: whole units, the largest that is not below one (`90 s` is `1m`)."""
    for unit, size in (("y", 31_536_000_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)):
        if milliseconds >= size:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"
