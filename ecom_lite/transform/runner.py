"""The runs of dbt: one at a time, each with one cut through the facts, each recorded in ops.dbt_runs."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any, Final

import psycopg

from ..errors import TransformError, first_line
from ..warehouse.connect import Address
from ..warehouse.currency import Missing, tell_missing
from ..warehouse.sqlfiles import read_sql
from .dbt import MONEY_DECIMALS, READER, ROLE, Dbt, Say
from .docs import docs_key
from .refresher import Done, Order, Refresher
from .results import ModelRun
from .select import require_known

LOCK_KEY: Final = 7_204_002  # advisory lock: two processes on one warehouse run dbt one after the other
LOCK_TIMEOUT_S: Final = 120
RUNS_KEPT: Final = 10_000  # in ops.dbt_runs: five weeks of one every five minutes
MODELS_OF: Final = 500  # of which ops.dbt_models tells
REST: Final = 4.0  # runs ahead of time: the marts rest for so many times as long as the last run took
LEAST_REST_S: Final = 10.0
HELD_S: Final = 30  # facts that wait for so long wait for somebody: a loader's transaction takes a fraction of a second

logger = logging.getLogger("ecom_lite.transform")


class _OneAtATime:
    """A lock that can say who has it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder = ""

    @contextmanager
    def turn(self, trigger: str, said: Say) -> Iterator[None]:
        if not self._lock.acquire(blocking=False):
            said(f"waiting for the dbt run in progress ({self._holder})")
            self._lock.acquire()
        try:
            self._holder = trigger
            yield
        finally:
            self._lock.release()


_one_at_a_time = _OneAtATime()  # of the process, not of a Transform: dbt keeps its state in globals


@dataclass(frozen=True)
class DbtRun:
    """One recorded run. `status` is success, tests failed or error; the marts hold exactly the facts with load_xid below the cut,
    unless it is error: then a model that failed still holds an older cut and catches up in the next run. Of a run of some
    models it is selected, or selected, tests failed: the others hold what they held."""

    run_id: int
    trigger: str
    status: str
    seconds: float
    models: int
    tests_passed: int
    tests_failed: int
    message: str
    load_xid_below: int
    quick: bool = False  # carried out by a plan, else by dbt itself
    all_tests: bool = True  # those that read all facts, too
    selected: Sequence[str] = ()
    by_model: Sequence[ModelRun] = ()


class Transform:
    """Runs the dbt project of `project_dir` against the warehouse. Safe from any thread: the runs of a process queue.

    Everything dbt writes (compiled SQL, its log) goes to `work_dir`; nothing is printed.
    """

    def __init__(
        self, address: Address, project_dir: Path, work_dir: Path, threads: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._address = address
        self._project_dir = project_dir
        self._work_dir = work_dir
        self._dbt = Dbt(address, project_dir, work_dir, threads)
        self._refresher = Refresher(address, self._dbt, threads, clock)
        self._clock = clock
        self._last: DbtRun | None = None

    @property
    def last(self) -> DbtRun | None:
        """The newest finished run of this process."""
        return self._last

    def docs(self, reader: Address) -> Path:
        """dbt's documentation of the project as one HTML file, made where it is not there yet: in a second, behind any run.

        The database is asked as `reader`, for its catalogues. Raises TransformError.
        """
        try:
            with reader.connect(READER, autocommit=True) as connection:
                (stamp,) = _row(connection.execute(read_sql(__package__, "stamp")))
        except psycopg.Error as error:
            raise TransformError(f"dbt's documentation needs the database: {first_line(error)}") from error
        folder = self._work_dir / "docs"
        page = folder / f"{docs_key(self._project_dir, stamp)}.html"
        if not page.is_file():
            with _one_at_a_time.turn("docs", lambda text: None):
                made = self._dbt.docs(reader, folder / "making")
            for old in folder.glob("*.html"):
                old.unlink()
            made.replace(page)
            shutil.rmtree(made.parent)
        return page

    def run(
        self, trigger: str, *, full_refresh: bool = False, select: Sequence[str] = (), said: Say = lambda text: None
    ) -> DbtRun:  # fmt: skip
        """Build the marts and test them; blocks until done, behind any other run. `said` hears of the waiting and of each model.

        `select` builds some models only, with all that they are made from. A failing test or model is in the returned run and in
        ops.dbt_runs. Raises TransformError where dbt cannot run at all: the project cannot be read, the database does not answer,
        another process holds the dbt lock for LOCK_TIMEOUT_S; UsageError where there is no such model.
        """
        with _one_at_a_time.turn(trigger, said), self._session() as connection:
            if select:
                require_known(select, self._dbt.models())
            started = self._clock()
            connection.execute(read_sql(__package__, "close_leftovers"))
            wish = {"trigger": trigger, "full_refresh": full_refresh, "selected": list(select) or None}
            run_id, cut, full, decimals = _row(connection.execute(read_sql(__package__, "start_run"), wish))
            if full and not full_refresh:
                said("rates, currency or days are other ones since the last run: the marts are built anew from all facts")
            held = _held_back(connection, cut)
            if held:
                said(held)
            order = Order(cut, full, max(decimals, MONEY_DECIMALS), select)
            try:
                done = self._refresher.carry_out(order, connection, said)
                warnings = [text for text in (held, _without_rate(connection, cut)) if text]
                run = _finished(run_id, trigger, order, done, self._clock() - started, warnings)
            except TransformError as error:
                run = DbtRun(run_id, trigger, "error", self._clock() - started, 0, 0, 0, str(error), cut, selected=select)
                self._record(connection, run)
                raise
            self._record(connection, run)
        return run

    def _record(self, connection: psycopg.Connection, run: DbtRun) -> None:
        self._last = run
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(read_sql(__package__, "finish_run"), vars(run))
            cursor.executemany(
                read_sql(__package__, "add_model"), [{"run_id": run.run_id, **vars(model)} for model in run.by_model]
            )
            cursor.execute(read_sql(__package__, "forget_models"), {"run_id": run.run_id, "kept": MODELS_OF})
            cursor.execute(read_sql(__package__, "forget_runs"), {"run_id": run.run_id, "kept": RUNS_KEPT})
        level = logging.WARNING if run.message else logging.INFO
        text = "dbt run %d (%s): %s, %d models, %d tests passed, %d failed, %.1f s%s"
        detail = f": {run.message}" if run.message else ""
        logger.log(
            level, text, run.run_id, run.trigger, run.status, run.models, run.tests_passed, run.tests_failed, run.seconds, detail
        )

    @contextmanager
    def _session(self) -> Iterator[psycopg.Connection]:
        """A connection that holds the dbt lock of this warehouse; closing it frees the lock."""
        try:
            with self._address.connect(ROLE, autocommit=True) as connection:
                connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'")
                connection.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
                yield connection
        except psycopg.errors.LockNotAvailable:
            raise TransformError(
                f"another ecom_lite process has been running dbt on {self._address.database} for {LOCK_TIMEOUT_S} s: "
                "wait for it, or stop that process"
            ) from None
        except psycopg.Error as error:
            raise TransformError(
                f"dbt was not run: {self._address.host}:{self._address.port}/{self._address.database}: {str(error).strip()}"
            ) from error


def new_facts_exist(address: Address) -> bool:
    """Whether a run started now would take facts that no good run has taken. Cheap: two index lookups. Raises psycopg.Error."""
    with address.connect(ROLE, autocommit=True) as connection:
        taken, below = _row(connection.execute(read_sql(__package__, "bounds")))
        # A plan for "some row matches" would walk the whole table when none does.
        connection.execute("SET enable_seqscan = off")
        (found,) = _row(connection.execute(read_sql(__package__, "new_facts"), {"taken": taken, "below": below}))
    return bool(found)


def many_facts_wait(address: Address, many: int) -> bool:
    """Whether a run ahead of time is worth it: so many facts wait, the last run ended well, and the marts have rested since.

    Cheap: what waits is counted up to `many`. Raises psycopg.Error.
    """
    with address.connect(ROLE, autocommit=True) as connection:
        row = connection.execute(read_sql(__package__, "rested"), {"least_s": LEAST_REST_S, "times": REST}).fetchone()
        if row is None:
            return False
        connection.execute("SET enable_seqscan = off")  # as above
        bounds = {"taken": row[0], "below": row[1], "most": many}
        (waiting,) = _row(connection.execute(read_sql(__package__, "count_waiting"), bounds))
    return bool(waiting >= many)


def _held_back(connection: psycopg.Connection, cut: int) -> str:
    """Whose open transaction keeps facts out of the marts, in words; "" where none does."""
    connection.execute("SET enable_seqscan = off")  # a plan for one old row would walk the whole table
    row = connection.execute(read_sql(__package__, "held_back"), {"cut": cut, "patience_s": HELD_S}).fetchone()
    connection.execute("RESET enable_seqscan")
    if row is None:
        return ""
    since, pid, role, what, place = row
    since = since.astimezone(UTC)
    if pid is None:
        holder, end = f"the prepared transaction {what!r}", f"ROLLBACK PREPARED '{what}'"
    else:
        holder, end = f"the transaction of {what or 'an unnamed program'} (pid {pid})", f"SELECT pg_terminate_backend({pid})"
    return (
        f"facts loaded since {since:%Y-%m-%d %H:%M:%S} UTC are not in the marts: they wait for {holder}, role {role}, database "
        f"{place}, which has been open since before then; end it there, or as an administrator: {end}"
    )


def _without_rate(connection: psycopg.Connection, cut: int) -> str:
    """Which lines are in no sum of money because their currency has no rate, in words; "" where all have one."""
    taken, _ = _row(connection.execute(read_sql(__package__, "bounds")))
    connection.execute("SET enable_seqscan = off")  # a plan for one such row would walk the whole table
    connection.execute(read_sql(__package__, "see_currencies"), {"taken": taken, "below": cut})
    connection.execute("RESET enable_seqscan")
    missing = connection.execute(read_sql(__package__, "missing_rates")).fetchall()
    return tell_missing([Missing(*row) for row in missing])


def _finished(run_id: int, trigger: str, order: Order, done: Done, seconds: float, warnings: list[str]) -> DbtRun:
    outcome = done.outcome
    if outcome.errors:
        status = "error"
    elif order.select:
        status = "selected, tests failed" if outcome.failed else "selected"
    else:
        status = "tests failed" if outcome.failed else "success"
    return DbtRun(
        run_id, trigger, status, seconds, outcome.models, outcome.passed, len(outcome.failed),
        "; ".join([*outcome.errors, *outcome.failed, *warnings]), order.cut, done.quick, done.all_tests, tuple(order.select),
        tuple(outcome.by_model),
    )  # fmt: skip


def _row(cursor: psycopg.Cursor[Any]) -> Any:
    row = cursor.fetchone()
    assert row is not None, "the statement always returns a row"
    return row
