"""How alerts stand, in the database: ops.alerts, ops.alert_changes and the outbox, written in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import psycopg

from ..warehouse.sqlfiles import read_sql
from .rules import Rule
from .states import Standing, State

ROLE: Final = "ecom_stream"
KEPT_CHANGES: Final = 10_000
MOST_WAITING: Final = 1_000  # by outlet; beyond that the oldest are dropped, and said
REMOVED: Final = "removed"


@dataclass(frozen=True)
class Change:
    """Of one rule, found at `at`. `since`: when it had come to `before`."""

    rule: Rule
    at: datetime
    before: State | None
    after: str
    since: datetime
    value: float | None
    told: str

    @property
    def published(self) -> bool:
        """Firing, and over: what the outlets tell."""
        return self.after == "firing" or self.before == "firing"


def locked_standings(writer: psycopg.Connection) -> dict[str, Standing]:
    """As they were last written; another evaluator waits until this transaction ends."""
    writer.execute(read_sql(__package__, "lock"))
    rows = writer.execute(read_sql(__package__, "standings")).fetchall()
    return {rule: Standing(state, since, value, told, problem) for rule, state, since, value, told, problem in rows}


def write_standings(writer: psycopg.Connection, now: datetime, found: Iterable[tuple[Rule, Standing]]) -> None:
    with writer.cursor() as cursor:
        cursor.executemany(
            read_sql(__package__, "write_standing"),
            [
                {
                    "rule": rule.name, "title": rule.title, "severity": rule.severity, "state": standing.state,
                    "since": standing.since, "now": now, "value": standing.value, "unit": rule.unit, "told": standing.told,
                    "problem": standing.problem, "what_to_do": rule.what_to_do, "board": rule.board,
                }
                for rule, standing in found
            ],
        )  # fmt: skip


def forget(writer: psycopg.Connection, known: Sequence[str], now: datetime, outlets: Sequence[str]) -> None:
    """Rules that are there no more."""
    values = {"known": list(known), "now": now, "removed": REMOVED, "outlets": list(outlets)}
    writer.execute(read_sql(__package__, "forget"), values)


def write_change(writer: psycopg.Connection, change: Change, outlets: Sequence[str]) -> int:
    """Into the history and, where it is to be told, into the outbox; its number."""
    rule = change.rule
    row = writer.execute(
        read_sql(__package__, "write_change"),
        {
            "at": change.at, "rule": rule.name, "title": rule.title, "severity": rule.severity, "before": change.before,
            "after": change.after, "since": change.since, "value": change.value, "unit": rule.unit, "told": change.told,
            "what_to_do": rule.what_to_do, "board": rule.board, "outlets": list(outlets if change.published else ()),
        },
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def prune(writer: psycopg.Connection) -> int:
    """Keep history and outbox bounded; how many were dropped that had still to be told."""
    row = writer.execute(read_sql(__package__, "prune"), {"kept": KEPT_CHANGES, "waiting": MOST_WAITING}).fetchone()
    return int(row[0]) if row else 0


def write_evaluator(writer: psycopg.Connection, seen: Mapping[str, object]) -> None:
    """What the evaluating run sees of itself: `up_since`, `now`, `free`, `total`."""
    writer.execute(read_sql(__package__, "write_evaluator"), seen)
