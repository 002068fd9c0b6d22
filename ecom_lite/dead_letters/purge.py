"""Gives back the space of dead letters. The rows stay, so that the count closes and every offset stays accounted for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from ..contract.events import FAULT_HEADER, PRODUCER_HEADER
from ..warehouse.sqlfiles import read_sql
from .letters import LINK_HEADER


@dataclass(frozen=True)
class Wanted:
    """Which letters of a topic; those that were purged before are never meant."""

    topic: str
    reason: str | None = None
    older_than_s: float | None = None
    resent: bool = False


@dataclass(frozen=True)
class Size:
    """How much a purge is about, as of `moment`: what comes later stays."""

    letters: int
    bytes: int
    moment: datetime


def measure(connection: psycopg.Connection, wanted: Wanted) -> Size:
    row = connection.execute(read_sql(__package__, "purge_size"), vars(wanted)).fetchone()
    assert row is not None  # counts are always one row
    return Size(*row)


def purge(connection: psycopg.Connection, wanted: Wanted, size: Size) -> tuple[int, int]:
    """Empty key, value and headers of what was measured, as ecom_producer; (letters, bytes)."""
    ours = {"producer_header": PRODUCER_HEADER, "fault_header": FAULT_HEADER, "link": LINK_HEADER}
    row = connection.execute(read_sql(__package__, "purge"), vars(wanted) | ours | {"before": size.moment}).fetchone()
    assert row is not None
    letters, freed = row
    return letters, freed


def purge_old(connection: psycopg.Connection, topics: Iterable[str], days: float, now: datetime) -> int:
    """Empty what was found so long before `now`, as ecom_producer; how many letters. Costs what is emptied, not what is there.

    Also of other topics that nobody has loaded for as long; those that somebody does are kept as that run's settings say.
    """
    age_s = timedelta(days=days).total_seconds()
    idle = connection.execute(read_sql(__package__, "idle_topics"), {"now": now, "age_s": age_s})
    topics = dict.fromkeys([*topics, *(topic for (topic,) in idle.fetchall())])
    return sum(purge(connection, Wanted(topic, older_than_s=age_s), Size(0, 0, now))[0] for topic in topics)
