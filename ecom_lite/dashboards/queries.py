"""Runs panels' SQL as ecom_reader: read only, bounded in time, rows and concurrency, and once for all who look."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import BoundedSemaphore
from typing import Any, Final, Literal, cast

import psycopg
from psycopg import errors as pg
from psycopg_pool import ConnectionPool, PoolTimeout

from ..errors import DashboardError, first_line
from ..warehouse.connect import Address
from .board import Board, Panel
from .cache import Cache
from .frames import Frame, frame, time_series
from .macros import expand
from .timerange import ALL, TimeRange, bounds, parse_range, step_ms
from .turnstile import Busy

logger = logging.getLogger("ecom_lite.dashboards")

CONNECTIONS: Final = 3
STATEMENT_TIMEOUT_S: Final = 15
WAIT_S: Final = 5.0  # for a free connection
MAX_ROWS: Final = 5_000
CACHED_ANSWERS: Final = 200
# A slow query may use at most 1/(1+REST) of one connection's time, however short its board's refresh is.
REST: Final = 3.0
# Share of a board's refresh for which an answer is fresh: below one, so that each refresh of one browser shows news.
FRESH_SHARE: Final = 0.8
RETRY_S: Final = 2.0  # what cannot be shown now is asked again soon, so that a page heals quickly
FIRST_DAY_SQL: Final = "SELECT min(date)::timestamp AT TIME ZONE 'UTC' FROM warehouse.dim_date"
FIRST_DAY_TTL_S: Final = 60.0
MARTS_WAITING: Final = "Waiting for the first dbt run"

State = Literal["ok", "empty", "waiting", "error"]


@dataclass(frozen=True)
class Answer:
    """What a panel has to show: `frames` in the order of its queries, or a `message` for people instead."""

    state: State
    message: str
    frames: tuple[Frame, ...]
    time_range: TimeRange
    at: datetime
    took_s: float

    def as_json(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "message": self.message,
            "frames": [each.as_json() for each in self.frames],
            "from": self.time_range.start_ms,
            "to": self.time_range.end_ms,
            "at": self.at.timestamp() * 1000,
            "took_ms": round(self.took_s * 1000, 1),
        }


class Queries:
    """Panels' data. Methods may be called from any thread; `close` may be called twice."""

    def __init__(
        self,
        address: Address,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        connections: int = CONNECTIONS,
        wait_s: float = WAIT_S,
    ) -> None:
        settings = f"-c statement_timeout={STATEMENT_TIMEOUT_S}s -c default_transaction_read_only=on -c timezone=UTC"
        self._now = now
        self._clock = clock
        self._wait_s = wait_s
        self._cache = Cache(clock, CACHED_ANSWERS)
        self._free = BoundedSemaphore(connections)  # the pool itself does not tell one that is in use from one that cannot be had
        self._pool = ConnectionPool(
            lambda: address.conninfo("ecom_reader", application_name="ecom_lite dashboards", options=settings),
            kwargs={"autocommit": True},
            min_size=1,
            max_size=connections,
            max_idle=60,
            name="dashboards",
            open=False,
        )

    def open(self) -> None:
        """Start connecting in the background; does not wait for the server."""
        self._pool.open()

    def close(self) -> None:
        """Close all connections. Blocks a few seconds at most."""
        self._pool.close(timeout=2)

    def panel(self, board: Board, panel: Panel, start: str, end: str) -> Answer:
        """What `panel` shows from `start` to `end` (`now-30m`, epoch ms, `all`); one query serves all who ask at once.

        A failing query is an Answer with state "error". Raises DashboardError when the range is not understood, and Busy when
        no connection has become free in time.
        """
        start, end = bounds(start, end, board.refresh_ms)
        first = self._first_day() if start == ALL else None
        time_range = parse_range(start, end, self._now(), first)
        sql = ((query.raw_sql, query.format) for query in panel.queries)
        key = (start, end, panel.points, panel.least_step_ms, *sql)
        fresh_s = board.refresh_ms / 1000 * FRESH_SHARE

        def keep_s(answer: Answer, took_s: float) -> float:
            return RETRY_S if answer.state != "ok" else max(fresh_s, REST * took_s)

        return cast(Answer, self._cache.get(key, lambda: self._answer(panel, time_range), keep_s))

    def _answer(self, panel: Panel, time_range: TimeRange) -> Answer:
        begin = self._clock()
        frames: list[Frame] = []
        state: State = "ok"
        message = ""
        step = step_ms(time_range, panel.points, panel.least_step_ms)
        try:
            for query in panel.queries:
                expanded = expand(query.raw_sql, time_range, step)
                result = self._run(expanded.sql)
                is_series = query.format == "time_series"
                frames.append(time_series(result, expanded.fill, time_range) if is_series else result)
            if not any(value is not None for each in frames for row in each.rows for value in row):
                state, message = "empty", "No data in this time range" if _ranged(panel) else "No data yet"
        except Busy:
            raise  # no answer: the next who asks tries again
        except (psycopg.Error, DashboardError) as error:
            frames = []
            state, message = explain(error)
            if state == "error":
                logger.warning("panel %s (%s): %s", panel.id, panel.title, error)
        return Answer(state, message, tuple(frames), time_range, self._now(), self._clock() - begin)

    def _run(self, sql: str) -> Frame:
        with self._connection() as connection, connection.cursor() as cursor:
            # The text is a file of ours with timestamps of ours; `execute` without parameters leaves % alone.
            cursor.execute(sql.encode())
            rows: Sequence[Sequence[Any]] = cursor.fetchmany(MAX_ROWS + 1)
            columns = cursor.description or []
            names, oids = [column.name for column in columns], [column.type_code for column in columns]
            return frame(names, oids, rows[:MAX_ROWS], len(rows) > MAX_ROWS)

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        if not self._free.acquire(timeout=self._wait_s):
            raise Busy("busy: other panels are being computed")
        try:
            with self._pool.connection(timeout=self._wait_s) as connection:
                yield connection
        finally:
            self._free.release()

    def _first_day(self) -> datetime | None:
        def read() -> datetime | None:
            try:
                with self._connection() as connection:
                    row = connection.execute(FIRST_DAY_SQL).fetchone()
                return row[0] if row else None
            except psycopg.Error:
                return None

        return cast("datetime | None", self._cache.get(("first day",), read, lambda *_: FIRST_DAY_TTL_S))


def _ranged(panel: Panel) -> bool:
    return any("$__time" in query.raw_sql for query in panel.queries)


def explain(error: Exception) -> tuple[State, str]:
    """What a panel says instead of its data, in one line for people."""
    if isinstance(error, pg.UndefinedTable | pg.InvalidSchemaName) and "marts." in str(error):
        return "waiting", MARTS_WAITING
    if isinstance(error, pg.QueryCanceled):
        return "error", f"This query took more than {STATEMENT_TIMEOUT_S} s and was stopped"
    if isinstance(error, PoolTimeout | psycopg.OperationalError):
        return "error", "The database cannot be reached"
    return "error", first_line(error)
