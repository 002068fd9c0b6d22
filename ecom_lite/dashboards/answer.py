"""What a panel answers: rows, or one line for people on why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import psycopg
from psycopg import errors as pg

from ..errors import first_line
from .frames import Frame
from .timerange import TimeRange

STATEMENT_TIMEOUT_S: Final = 15
MARTS_WAITING: Final = "Waiting for the first dbt run"
# Of a server that is not there, stops, starts, or lets nobody else in; what else is "operational" (a full disk) has its reason.
AWAY: Final = ("08", "57P", "53300")

State = Literal["ok", "empty", "waiting", "error"]


@dataclass(frozen=True)
class Answer:
    """What a panel has to show: `frames` in the order of its queries, or a `message` for people instead.

    `previous` are the frames of the range before this one, their times moved into it; None where nobody has asked.
    """

    state: State
    message: str
    frames: tuple[Frame, ...]
    time_range: TimeRange
    step_ms: int
    at: datetime
    took_s: float
    previous: tuple[Frame, ...] | None = None

    def shown(self) -> dict[str, Any]:
        """What there is to draw."""
        found: dict[str, Any] = {"state": self.state, "message": self.message, "frames": [each.as_json() for each in self.frames]}
        if self.previous is not None:
            found["previous"] = [each.as_json() for each in self.previous]
        return found

    def moment(self) -> dict[str, Any]:
        """Of what time it is, and how long it took."""
        return {
            "from": self.time_range.start_ms,
            "to": self.time_range.end_ms,
            "at": self.at.timestamp() * 1000,
            "took_ms": round(self.took_s * 1000, 1),
        }

    def as_json(self) -> dict[str, Any]:
        return self.shown() | self.moment()


def explain(error: Exception) -> tuple[State, str]:
    """What a panel says instead of its data, in one line for people."""
    if isinstance(error, pg.UndefinedTable | pg.InvalidSchemaName) and "marts." in str(error):
        return "waiting", MARTS_WAITING
    if isinstance(error, pg.QueryCanceled):
        return "error", f"This query took more than {STATEMENT_TIMEOUT_S} s and was stopped"
    if isinstance(error, psycopg.OperationalError) and (error.sqlstate or AWAY[0]).startswith(AWAY):
        return "error", "The database cannot be reached"
    return "error", first_line(error)
