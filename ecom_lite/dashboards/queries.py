"""Runs panels' SQL as ecom_reader: read only, bounded in time, rows and concurrency, and once for all who look."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from threading import BoundedSemaphore
from typing import Any, Final, cast

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from ..errors import DashboardError
from ..warehouse.connect import Address
from .answer import STATEMENT_TIMEOUT_S, Answer, State, explain
from .board import Annotation, Board, Option, Panel, Variable
from .cache import Cache
from .frames import Frame, frame, moved, time_series
from .macros import Expanded, expand, variables_in
from .marks import Mark, marks_of
from .timerange import ALL, TimeRange, before, bounds, parse_range, step_ms
from .turnstile import Busy
from .values import MAX_OPTIONS, Chosen, NotAmong, options_of, values_of

logger = logging.getLogger("ecom_lite.dashboards")

CONNECTIONS: Final = 3
AWAY_S, AWAY_WAIT_S = 5.0, 0.2  # so long a server that was waited for in vain is away, and is given this time only
WAIT_S: Final = 5.0  # for a free connection
MAX_ROWS: Final = 5_000
MAX_POINTS: Final = 20_000  # of a time series, whose rows come by time: what is too much would be the newest
CACHED_ANSWERS: Final = 300
# A slow query may use at most 1/(1+REST) of one connection's time, however short its board's refresh is.
REST: Final = 3.0
# Share of a board's refresh for which an answer is fresh: below one, so that each refresh of one browser shows news. At most the
# seconds below: who comes anew to a board of a minute would else see panels of different moments side by side.
FRESH_SHARE: Final = 0.8
FRESH_MOST_S: Final = 4.0
RETRY_S: Final = 2.0  # what cannot be shown now is asked again soon, so that a page heals quickly
FIRST_DAY_SQL: Final = "SELECT min(date)::timestamp AT TIME ZONE 'UTC' FROM warehouse.dim_date"
FIRST_DAY_TTL_S: Final = 60.0
OPTIONS_TTL_S: Final = 10.0
PREVIOUS_TTL_S: Final = 60.0  # at most; what was hardly changes
_RANGED: Final = re.compile(r"\$__(?:time|unixEpoch|from|to)|\$\{__(?:from|to)\}")


Values = Mapping[str, tuple[str, ...]]


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
        self._away_until = float("-inf")  # by the clock
        self._cache = Cache(clock, CACHED_ANSWERS)
        self._free = BoundedSemaphore(connections)  # the pool itself does not tell one that is in use from one that cannot be had
        self._pool = ConnectionPool(
            lambda: address.conninfo("ecom_reader", application_name="ecom_lite dashboards", options=settings),
            kwargs={"autocommit": True, "prepare_threshold": None},  # a plan is made for the values it is asked with
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

    def panel(
        self, board: Board, panel: Panel, start: str, end: str, chosen: Chosen | None = None, compare: bool = False
    ) -> Answer:
        """What `panel` shows from `start` to `end` (`now-30m`, epoch ms, `all`) with the `chosen` values of variables; one query
        serves all who ask at once. With `compare` also what the range before it showed.

        A failing query is an Answer with state "error". Raises DashboardError when the range is not understood, or a variable
        may not have its value, and Busy when no connection has become free in time.
        """
        start, end = bounds(start, end, board.refresh_ms)
        time_range = self._range(start, end)
        step = step_ms(time_range, panel.points, panel.least_step_ms)
        try:
            values = self._values(board, [query.raw_sql for query in panel.queries], chosen or {})
        except psycopg.Error as error:
            state, message = explain(error)
            return Answer(state, message, (), time_range, step, self._now(), 0.0)
        sql = ((query.raw_sql, query.format) for query in panel.queries)
        key = (start, end, panel.points, panel.least_step_ms, *sorted(values.items()), *sql)
        fresh_s = _fresh_s(board)

        def keep_s(answer: Answer, took_s: float) -> float:
            return kept_s(answer, took_s, fresh_s)

        answer = cast(Answer, self._cache.get(key, lambda: self._answer(panel, time_range, values), keep_s))
        if not compare:
            return answer

        def keep_previous_s(_: object, took_s: float) -> float:
            return max(fresh_s, REST * took_s, min(step / 1000, PREVIOUS_TTL_S))

        previous: Any = ()
        if start != ALL and _ranged(panel) and answer.state in ("ok", "empty"):
            previous = self._cache.get(
                ("previous", *key), lambda: self._previous(panel, answer.time_range, answer.step_ms, values), keep_previous_s
            )
        return replace(answer, previous=previous)

    def options(self, board: Board) -> dict[str, Sequence[Option]]:
        """What each variable may be, without "All"; none for a textbox. Raises DashboardError, Busy and psycopg.Error."""
        return {each.name: () if each.type == "textbox" else self._options(each) for each in board.variables}

    def require(self, board: Board, chosen: Chosen) -> None:
        """Raises DashboardError for a value that no panel of the board would take; what cannot be known now passes."""
        try:
            values_of(board.variables, chosen, self._options_with(chosen))
        except psycopg.Error:
            return

    def marks(self, board: Board, start: str, end: str, chosen: Chosen | None = None) -> list[Mark]:
        """What the board's annotations mark in the range, in order of time. One whose query fails has none, and is logged.

        Raises as `panel`.
        """
        start, end = bounds(start, end, board.refresh_ms)
        time_range = self._range(start, end)
        found: list[Mark] = []
        for annotation in board.annotations:
            if annotation.enable:
                found += self._marks(board, annotation, (start, end), time_range, chosen or {})
        return sorted(found, key=lambda mark: mark.at)

    def _marks(
        self, board: Board, annotation: Annotation, bound: tuple[str, str], time_range: TimeRange, chosen: Chosen
    ) -> tuple[Mark, ...]:
        raw_sql = annotation.query.raw_sql

        def read() -> tuple[Mark, ...]:
            try:
                return marks_of(annotation, self._run(expand(raw_sql, time_range, step_ms(time_range), values)))
            except (psycopg.Error, DashboardError) as error:
                if isinstance(error, Busy):
                    raise
                if explain(error)[0] == "error":
                    logger.warning("annotation %s: %s", annotation.name, error)
                return ()

        try:
            values = self._values(board, [raw_sql], chosen)
        except psycopg.Error:
            return ()
        key = ("marks", annotation.name, annotation.color, *bound, *sorted(values.items()), raw_sql)
        keep_s = _fresh_s(board)
        return cast("tuple[Mark, ...]", self._cache.get(key, read, lambda _, took_s: max(keep_s, REST * took_s)))

    def _range(self, start: str, end: str) -> TimeRange:
        return parse_range(start, end, self._now(), self._first_day() if start == ALL else None)

    def _values(self, board: Board, texts: Sequence[str], chosen: Chosen) -> Values:
        """Of the variables that the texts have; others change nothing."""
        used = frozenset[str]().union(*map(variables_in, texts))
        variables = [variable for variable in board.variables if variable.name in used]
        return values_of(variables, chosen, self._options_with(chosen))

    def _options_with(self, chosen: Chosen) -> Callable[[Variable], Sequence[Option]]:
        """Options, read again where a chosen value is not among those that are kept: it may be new."""

        def options(variable: Variable) -> Sequence[Option]:
            found = self._options(variable)
            try:
                values_of([variable], chosen, lambda _: found)
            except NotAmong:
                return self._options(variable, RETRY_S)
            return found

        return options

    def _options(self, variable: Variable, keep_s: float = OPTIONS_TTL_S) -> Sequence[Option]:
        if variable.type != "query":
            return variable.options

        def read() -> Sequence[Option] | psycopg.Error:
            try:
                with self._connection() as connection:
                    return options_in(connection, variable)
            except psycopg.Error as error:
                if explain(error)[0] == "error":
                    logger.warning("variable %s: %s", variable.name, error)
                return error  # kept for a moment: who asks next does not wait for a lost database, too

        def keep(found: object, _: float) -> float:
            return min(keep_s, RETRY_S) if isinstance(found, psycopg.Error) else keep_s

        found = self._cache.get(("options", variable.sql, keep_s), read, keep)
        if isinstance(found, psycopg.Error):
            raise found
        return cast("Sequence[Option]", found)

    def _previous(self, panel: Panel, shown: TimeRange, step: int, values: Values) -> tuple[Frame, ...]:
        earlier, by_ms = before(shown, step)
        if earlier.start >= earlier.end:
            return ()
        answer = self._answer(panel, earlier, values)
        return tuple(moved(each, by_ms) for each in answer.frames) if answer.state == "ok" else ()

    def _answer(self, panel: Panel, time_range: TimeRange, values: Values) -> Answer:
        begin = self._clock()
        frames: list[Frame] = []
        state: State = "ok"
        message = ""
        step = step_ms(time_range, panel.points, panel.least_step_ms)
        try:
            for query in panel.queries:
                expanded = expand(query.raw_sql, time_range, step, values)
                is_series = query.format == "time_series"
                result = self._run(expanded, MAX_POINTS if is_series else MAX_ROWS)
                frames.append(time_series(result, expanded.fill, time_range) if is_series else result)
            if not any(value is not None for each in frames for row in each.rows for value in row):
                state, message = "empty", _nothing(panel)
        except Busy:
            raise  # no answer: the next who asks tries again
        except (psycopg.Error, DashboardError) as error:
            frames = []
            state, message = explain(error)
            if state == "error":
                logger.warning("panel %s (%s): %s", panel.id, panel.title, error)
        return Answer(state, message, tuple(frames), time_range, step, self._now(), self._clock() - begin)

    def _run(self, query: Expanded, most: int = MAX_ROWS) -> Frame:
        with self._connection() as connection, connection.cursor() as cursor:
            # The text is a file of ours with timestamps of ours; what viewers give is bound by the server.
            cursor.execute(query.sql.encode(), query.parameters)
            rows: Sequence[Sequence[Any]] = cursor.fetchmany(most + 1)
            columns = cursor.description or []
            names, oids = [column.name for column in columns], [column.type_code for column in columns]
            return frame(names, oids, rows[:most], len(rows) > most)

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        if not self._free.acquire(timeout=self._wait_s):
            raise Busy("busy: other panels are being computed")
        try:
            # Once it was waited for in vain, the other panels of a board do not wait as long, one after the other.
            away = self._clock() < self._away_until
            with self._pool.connection(timeout=min(AWAY_WAIT_S, self._wait_s) if away else self._wait_s) as connection:
                yield connection
        except PoolTimeout:
            self._away_until = self._clock() + AWAY_S
            raise
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


def kept_s(answer: Answer, took_s: float, fresh_s: float) -> float:
    """How long an answer is kept that took so long. An error by a question that was not computed until its time was up costs
    nothing: it is asked again soon."""
    if answer.state == "error" and took_s < STATEMENT_TIMEOUT_S:
        return RETRY_S
    return max(fresh_s if answer.state == "ok" else RETRY_S, REST * took_s)


def _nothing(panel: Panel) -> str:
    """The panel's own words, as in Grafana; those of one that has only a sign for it (`-`) are ours."""
    own = str(panel.field_config.get("defaults", {}).get("noValue") or "")
    if any(char.isalpha() for char in own):
        return own
    return "No data in this time range" if _ranged(panel) else "No data yet"


def _ranged(panel: Panel) -> bool:
    return any(_RANGED.search(query.raw_sql) for query in panel.queries)


def options_in(connection: psycopg.Connection, variable: Variable) -> Sequence[Option]:
    """What a variable may be, from its list or the database. Raises psycopg.Error and DashboardError."""
    if variable.type != "query":
        return variable.options
    with connection.cursor() as cursor:
        cursor.execute(variable.sql.encode())
        rows = cursor.fetchmany(MAX_OPTIONS)
        return options_of([column.name for column in cursor.description or ()], rows)


def _fresh_s(board: Board) -> float:
    """How long an answer is shown to whoever asks."""
    return min(board.refresh_ms / 1000 * FRESH_SHARE, FRESH_MOST_S)
