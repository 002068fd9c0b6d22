"""Carries out a plan: each model in a transaction of its own, as soon as those before it are done, on a few connections."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue
from typing import Final

import psycopg

from ..errors import TransformError
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .plan import ModelPlan, Taken, TestPlan, fill, has_tokens
from .results import SKIPPED, ModelRun, Outcome, TestResult, brief

TESTS_AT_ONCE: Final = 12  # of one query

Say = Callable[[str], None]
Clock = Callable[[], float]


class Workers:
    """A few connections of dbt's role, each used by one thread at a time. Closed at the end."""

    def __init__(self, connections: Sequence[psycopg.Connection]) -> None:
        self._free: SimpleQueue[psycopg.Connection] = SimpleQueue()
        for connection in connections:
            self._free.put(connection)
        self.threads = ThreadPoolExecutor(len(connections), thread_name_prefix="dbt model")

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        one = self._free.get()
        try:
            yield one
        finally:
            self._free.put(one)


@contextmanager
def workers(address: Address, role: str, count: int) -> Iterator[Workers]:
    """Raises psycopg.Error where the database does not answer."""
    with ExitStack() as open_ones:
        connections = [open_ones.enter_context(address.connect(role, autocommit=True)) for _ in range(count)]
        for connection in connections:
            connection.execute(read_sql(__package__, "session"))
        made = Workers(connections)
        open_ones.callback(made.threads.shutdown)
        yield made


def build(models: Sequence[ModelPlan], cut: int, on: Workers, said: Say, clock: Clock = time.monotonic) -> Outcome:
    """Build all models; one that fails holds back those behind it, and the others go on."""
    waiting = list(models)
    known = {model.model for model in waiting}
    done: dict[str, ModelRun] = {}
    at_work: dict[Future[ModelRun], ModelPlan] = {}

    def ends(run: ModelRun, how: str) -> None:
        done[run.model] = run
        said(f"{len(done)} of {len(known)}: {run.model}, {how}")

    while waiting or at_work:
        for model in list(waiting):
            before = model.after & known
            if any(name in done and done[name].broken for name in before):
                waiting.remove(model)
                ends(ModelRun(model.model, 0.0, error=SKIPPED, broken=True), SKIPPED)
            elif before <= done.keys():
                waiting.remove(model)
                at_work[on.threads.submit(_build_one, model, cut, on, clock)] = model
        for future in wait(at_work, return_when=FIRST_COMPLETED).done:
            del at_work[future]
            run = future.result()
            ends(run, f"{run.seconds:.2f} s{', failed' if run.broken else ''}")
    runs = [done[model.model] for model in models]
    errors = [f"model {run.model}: {run.error}" for run in runs if run.broken and run.seconds]
    return Outcome(sum(not run.broken for run in runs), 0, [], errors, runs)


def _build_one(model: ModelPlan, cut: int, on: Workers, clock: Clock) -> ModelRun:
    with on.connection() as connection:
        began = clock()
        try:
            rows = _carry_out(connection, model, cut)
        except (psycopg.Error, TransformError) as error:
            return ModelRun(model.model, max(clock() - began, 1e-6), error=brief(error), broken=True)
        return ModelRun(model.model, clock() - began, rows)


def _carry_out(connection: psycopg.Connection, model: ModelPlan, cut: int) -> int:
    """The rows that were written. What a model holds is read behind its lock, and committed with its rows."""
    texts = [*model.hooks_before, model.create, model.merge, *model.hooks_after]
    rows = 0
    with connection.transaction():
        taken: Taken | None = None
        for text in texts:
            if taken is None and has_tokens(text):
                taken = _taken(connection)
            cursor = connection.execute(fill(text, cut, taken or {}).encode())
            if text is model.merge:
                rows = max(cursor.rowcount, 0)
    return rows


def _taken(connection: psycopg.Connection) -> Taken:
    return {(model, part): below for model, part, below in connection.execute(read_sql(__package__, "taken")).fetchall()}


def ask(tests: Sequence[TestPlan], cut: int, on: Workers) -> list[TestResult]:
    """The tests' answers, several by one query; where such a query fails each is asked alone."""
    groups = [tests[first : first + TESTS_AT_ONCE] for first in range(0, len(tests), TESTS_AT_ONCE)]
    return [result for found in on.threads.map(lambda group: _ask_group(group, cut, on), groups) for result in found]


def _ask_group(group: Sequence[TestPlan], cut: int, on: Workers) -> list[TestResult]:
    with on.connection() as connection:
        taken = _taken(connection) if any(has_tokens(test.sql) for test in group) else {}
        try:
            return _answers(connection, group, cut, taken)
        except (psycopg.Error, TransformError):
            return [_ask_one(connection, test, cut, taken) for test in group]


def _ask_one(connection: psycopg.Connection, test: TestPlan, cut: int, taken: Taken) -> TestResult:
    try:
        return _answers(connection, [test], cut, taken)[0]
    except (psycopg.Error, TransformError) as error:
        return TestResult(test.name, test.model, passed=False, message=brief(error), broken=True)


def _answers(connection: psycopg.Connection, group: Sequence[TestPlan], cut: int, taken: Taken) -> list[TestResult]:
    asked = [f"(select {n} as test, * from ({fill(test.sql, cut, taken)}) answer)" for n, test in enumerate(group)]
    found = connection.execute("\nunion all\n".join(asked).encode()).fetchall()
    results = []
    for n, failures, failed in sorted(found):
        test = group[n]
        results.append(TestResult(test.name, test.model, not failed, f"{failures} failures" if failed else ""))
    return results
