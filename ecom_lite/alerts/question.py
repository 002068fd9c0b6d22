"""The question of a rule: one SQL statement that gives a number at a moment, asked as the reader and for a short time only."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ..errors import first_line

if TYPE_CHECKING:  # a fifth of a second: the rules are read before a run starts
    import psycopg

# What a question may ask for, with the type that PostgreSQL is told.
VALUES: Final[Mapping[str, str]] = {"now": "timestamptz", "window": "interval", "marts_every_s": "float8"}
_ASKED: Final = re.compile(r"\$([a-z_]\w*)(?!\w*\$)", re.I)
_EMPTY: Final = re.compile(r"--[^\n]*|/\*.*?\*/|[\s;]", re.S)


class QuestionFailed(Exception):
    """The database refused, or the answer is not one number: the message says so in one line."""


@dataclass(frozen=True)
class Question:
    """`text` as it stands in the file. Raises ValueError where it asks for something that there is not, or holds no statement."""

    text: str

    def __post_init__(self) -> None:
        if not _EMPTY.sub("", self.text):
            raise ValueError("it holds no SQL statement")
        for name in _ASKED.findall(self.text):
            if name not in VALUES:
                raise ValueError(f"there is no ${name}; there is {', '.join('$' + each for each in VALUES)}")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What it asks for, each once."""
        return tuple(dict.fromkeys(_ASKED.findall(self.text)))

    @cached_property
    def statement(self) -> str:
        """With numbered parameters. As a part of another SELECT it can be one statement only, and one that reads."""
        return f"{_BEFORE}{self.filled({name: f'${place}::{VALUES[name]}' for place, name in enumerate(self.names, 1)})}{_AFTER}"

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with pieces of SQL in the place of what it asks for."""
        return _ASKED.sub(lambda match: values[match[1]], self.text).strip().rstrip(";").rstrip()


_BEFORE: Final = "SELECT * FROM (\n"
_AFTER: Final = "\n) AS answer LIMIT 2"


@dataclass(frozen=True)
class Given:
    """What questions may ask for beside the moment."""

    marts_every_s: float = 300.0


@dataclass(frozen=True)
class Answer:
    """A number, and the step by which one event moves it, where that is asked for."""

    value: float
    step: float = 0.0


def ask(
    reader: psycopg.Connection, question: Question, now: datetime, window_s: float | None, given: Given, *, steps: bool = False
) -> Answer | None:
    """The answer at this moment; None where there is no number. `reader` is in autocommit, with a time-out set.

    With `steps` the question has to give two numbers: the second is the step.

    Raises QuestionFailed, and psycopg.OperationalError where the connection is lost.
    """
    import psycopg

    known = {"now": now, "window": timedelta(seconds=window_s or 0), "marts_every_s": given.marts_every_s}
    cursor = psycopg.RawCursor(reader)
    try:
        rows = cursor.execute(question.statement.encode(), [known[name] for name in question.names]).fetchall()
    except psycopg.Error as error:
        if reader.closed:
            raise
        raise QuestionFailed(_told(question, error)) from None
    columns, wanted = len(cursor.description or ()), 2 if steps else 1
    if columns != wanted or len(rows) > 1:
        found = f"{columns} column{'s' * (columns != 1)}" if columns != wanted else "several rows"
        asked_for = "two numbers: the value, and how far one event moves it (deviation.chance)" if steps else "one number"
        raise QuestionFailed(f"its question gives {found}: it must give one row with {asked_for}")
    numbers = [_number(each) for each in rows[0]] if rows else []
    if not numbers or (value := numbers[0]) is None:
        return None
    if not steps or value == 0:
        return Answer(value)
    if (step := numbers[1]) is None or step <= 0:
        raise QuestionFailed(f"its question gives {rows[0][1]} as how far one event moves it: it must give a number above 0")
    return Answer(value, step)


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise QuestionFailed(f"its question gives {value!r}: it must give a number")
    number = float(value)
    return number if math.isfinite(number) else None


def _told(question: Question, error: psycopg.Error) -> str:
    import psycopg

    if isinstance(error, psycopg.errors.QueryCanceled):
        return "its question took longer than alerts.timeout_s"
    place = error.diag.statement_position
    line = question.statement.count("\n", 0, max(0, int(place) - 1)) if place else 0
    return f"its question failed{f', line {line}' if line else ''}: {error.diag.message_primary or first_line(error)}"
