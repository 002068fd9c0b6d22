"""What annotations put on the time axis of a board's panels: rows of their queries, as moments with a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from ..errors import DashboardError
from .board import Annotation
from .frames import Frame, require_time

MAX_MARKS: Final = 500  # of one annotation: more of them are a wall
TIME: Final = "time"
_SECONDS_BELOW: Final = 100_000_000_000  # what macros give; from there on a number is milliseconds


@dataclass(frozen=True)
class Mark:
    """One moment, or (with `end`) a span; epoch milliseconds."""

    at: int
    end: int | None
    text: str
    name: str
    color: str
    tags: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def marks_of(annotation: Annotation, found: Frame) -> tuple[Mark, ...]:
    """The rows of its query, in order of time. Raises DashboardError without a column `time`, or for one that is text."""
    names = [column.name.lower() for column in found.columns]
    if TIME not in names:
        raise DashboardError(f"annotation {annotation.name} needs a column named time, its query has {', '.join(names)}")
    rows = (dict(zip(names, row, strict=True)) for row in found.rows)
    marks = [_mark(annotation, row) for row in rows if row[TIME] is not None]
    return tuple(sorted(marks, key=lambda mark: mark.at)[-MAX_MARKS:])


def _mark(annotation: Annotation, row: Mapping[str, Any]) -> Mark:
    end = row.get("timeend")
    return Mark(
        at=_ms(row[TIME]),
        end=None if end is None else _ms(end),
        text=str(row.get("text") or ""),
        name=annotation.name,
        color=annotation.color,
        tags=tuple(tag.strip() for tag in str(row.get("tags") or "").split(",") if tag.strip()),
    )


def _ms(value: float) -> int:
    require_time(value)
    return int(value * 1000 if value < _SECONDS_BELOW else value)
