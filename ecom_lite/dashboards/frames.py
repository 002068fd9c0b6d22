"""Shapes query results for drawing: JSON-able values, and long time series turned wide and filled as Grafana does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final, Literal

from ..errors import DashboardError
from .macros import Fill
from .timerange import TimeRange, epoch_ms

Kind = Literal["time", "number", "string", "boolean"]
MAX_FILLED_POINTS: Final = 20_000
TIME_COLUMN: Final = "time"
LONG_COLUMNS: Final = 3  # time, name of the series, value

# PostgreSQL's type oids: bool; int8, int2, int4, float4, float8, numeric; date, timestamp, timestamptz
_KINDS: Final[dict[int, Kind]] = {
    **dict.fromkeys((20, 21, 23, 700, 701, 1700), "number"),
    **dict.fromkeys((1082, 1114, 1184), "time"),
    16: "boolean",
}


@dataclass(frozen=True)
class Column:
    """A column's heading and what its values are; times are epoch milliseconds."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Frame:
    """One query's result: columns, and rows of JSON-able values."""

    columns: tuple[Column, ...]
    rows: list[list[Any]]
    cut: bool = False

    def as_json(self) -> dict[str, Any]:
        columns = [{"name": column.name, "kind": column.kind} for column in self.columns]
        return {"columns": columns, "rows": self.rows, "cut": self.cut}


def frame(names: Sequence[str], oids: Sequence[int], rows: Sequence[Sequence[Any]], cut: bool = False) -> Frame:
    """A result set of PostgreSQL as a frame."""
    columns = tuple(Column(name, _KINDS.get(oid, "string")) for name, oid in zip(names, oids, strict=True))
    return Frame(columns, [[plain(value) for value in row] for row in rows], cut)


def plain(value: Any) -> Any:
    """A PostgreSQL value for JSON: exact money becomes a number to draw, times epoch ms, what is no number null."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal | float):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, datetime):
        return epoch_ms(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, date):
        return epoch_ms(datetime.combine(value, time(), UTC))
    return str(value)


def moved(found: Frame, by_ms: int) -> Frame:
    """The same rows, the times of its column `time` later by so much."""
    names = [column.name if column.kind == "time" else "" for column in found.columns]
    if TIME_COLUMN not in names:
        return found
    at = names.index(TIME_COLUMN)
    rows = [[*row[:at], None if row[at] is None else row[at] + by_ms, *row[at + 1 :]] for row in found.rows]
    return Frame(found.columns, rows, found.cut)


def require_time(value: Any) -> None:
    """Raises DashboardError for a moment that is text, as of to_char."""
    if isinstance(value, str):
        raise DashboardError(f"a time is a timestamp, a date or seconds since 1970, not the text {value[:40]!r}")


def time_series(long: Frame, fill: Fill | None, time_range: TimeRange) -> Frame:
    """A `time_series` result: a first column `time` in epoch ms, then one number column per series, in order of time.

    Three columns (time, name, value) are turned wide: one series per name. Raises DashboardError without `time`, or for one that
    is text.
    """
    names = [column.name for column in long.columns]
    if TIME_COLUMN not in names:
        raise DashboardError(f"a time series needs a column named time, this query has {', '.join(names)}")
    at = names.index(TIME_COLUMN)
    scale = 1 if long.columns[at].kind == "time" else 1000  # macros give seconds since 1970
    others = [index for index in range(len(names)) if index != at]
    label = next((index for index in others if long.columns[index].kind == "string"), None)
    series: dict[str, None] = {}
    points: dict[int, dict[str, Any]] = {}
    for row in long.rows:
        if row[at] is None:
            continue
        require_time(row[at])
        cell = points.setdefault(int(row[at] * scale), {})
        for index in others:
            if index == label:
                continue
            alone = len(names) == LONG_COLUMNS
            name = names[index] if label is None else str(row[label]) if alone else f"{names[index]} {row[label]}"
            series[name] = None
            cell[name] = row[index]
    ordered = [name for name in series] if label is None else sorted(series)
    if fill is not None and series:
        _fill(points, ordered, fill, time_range)
    rows = [[moment, *(points[moment].get(name) for name in ordered)] for moment in sorted(points)]
    columns = (Column(TIME_COLUMN, "time"), *(Column(name, "number") for name in ordered))
    return Frame(columns, rows, long.cut)


def _fill(points: dict[int, dict[str, Any]], names: Sequence[str], fill: Fill, time_range: TimeRange) -> None:
    first = time_range.start_ms // fill.step_ms * fill.step_ms
    if (time_range.end_ms - first) // fill.step_ms > MAX_FILLED_POINTS:
        raise DashboardError(f"a point each {fill.step_ms} ms over this range is more than {MAX_FILLED_POINTS} points")
    for moment in range(first, time_range.end_ms + 1, fill.step_ms):
        points.setdefault(moment, {})
    last: dict[str, Any] = {}
    for moment in sorted(points):
        cell = points[moment]
        for name in names:
            if cell.get(name) is None:
                cell[name] = last.get(name) if fill.value == "previous" else fill.value
            last[name] = cell[name]
