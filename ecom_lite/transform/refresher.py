"""How a run is carried out: carefully, by dbt itself, or quickly, by the plan that dbt has made after a careful one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from ..errors import TransformError
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .dbt import ROLE, Dbt
from .plan import ModelPlan, TestPlan
from .quick import Say, Workers, ask, build, workers
from .results import Outcome, with_tests

WHOLE_TESTS_EVERY_S: Final = 3600.0  # of quick runs: tests that read all facts

logger = logging.getLogger("ecom_lite.transform")


@dataclass(frozen=True)
class Order:
    """What a run is to do."""

    cut: int
    full: bool
    decimals: int
    select: Sequence[str] = ()


@dataclass(frozen=True)
class Done:
    """What came of it, and how it was done."""

    outcome: Outcome
    quick: bool
    all_tests: bool


class Refresher:
    """Not thread-safe: the caller holds a lock, and the dbt lock of the warehouse."""

    def __init__(self, address: Address, dbt: Dbt, threads: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._address = address
        self._dbt = dbt
        self._threads = threads
        self._clock = clock
        self._good: tuple[object, ...] | None = None  # the state of project and schema that a careful run has left well
        self._models: Sequence[ModelPlan] | None = None
        self._why_not = ""  # there is no plan
        self._tests: Sequence[TestPlan] = ()
        self._tests_of: tuple[object, ...] | None = None  # the state for which they were compiled
        self._all_tests_at = 0.0
        self._failing: frozenset[str] = frozenset()  # tests that failed in the last run of all models

    def carry_out(self, order: Order, connection: psycopg.Connection, said: Say) -> Done:
        """Build and test. Raises TransformError where dbt cannot run at all, psycopg.Error where the database does not answer."""
        self._dbt.parse(order.decimals)
        if not order.full and not order.select and self._good == self._state(connection) and self._planned():
            return self._quickly(order, said)
        return self._carefully(order, connection, said)

    def _carefully(self, order: Order, connection: psycopg.Connection, said: Say) -> Done:
        built = self._dbt.build(
            order.cut, full_refresh=order.full, money_decimals=order.decimals, select=order.select, said=said
        )  # fmt: skip
        state = self._state(connection)
        if self._tests_of != state:
            self._tests, self._tests_of = self._dbt.tests(), state
        tests = self._tests
        if order.select:
            only = self._dbt.behind(order.select)
            tests = [test for test in tests if test.model in only and test.reads <= only]
        with workers(self._address, ROLE, self._threads) as on:
            outcome = _asked(built, tests, order.cut, on, said)
        if not order.select:
            self._good, self._models = (None if outcome.errors else state), None
            self._all_tests_at, self._failing = self._clock(), frozenset(outcome.failed)
        return Done(outcome, quick=False, all_tests=True)

    def _quickly(self, order: Order, said: Say) -> Done:
        now = self._clock()
        everything = now - self._all_tests_at >= WHOLE_TESTS_EVERY_S
        # One that failed is asked until it passes: else a run that leaves it out would say that all is well.
        tests = [test for test in self._tests if everything or not test.whole or test.name in self._failing]
        with workers(self._address, ROLE, self._threads) as on:
            built = build(self._models or (), order.cut, on, said, self._clock)
            outcome = _asked(built, tests, order.cut, on, said)
        self._failing = frozenset(outcome.failed)
        if everything:
            self._all_tests_at = now
        if outcome.errors:
            self._good = None  # dbt says more about what is wrong, and mends what can be mended
        return Done(outcome, quick=True, all_tests=everything)

    def _planned(self) -> bool:
        """Make the plan, unless there is one. False where dbt cannot: then each run is a careful one, and the log says why."""
        if self._models is None:
            try:
                self._models = self._dbt.plan()
            except TransformError as error:
                if str(error) != self._why_not:
                    logger.warning("every dbt run is a slow one: %s", error)
                self._models, self._why_not = (), str(error)
        return bool(self._models)

    def _state(self, connection: psycopg.Connection) -> tuple[object, ...]:
        row = connection.execute(read_sql(__package__, "stamp")).fetchone()
        return (self._dbt.readings, row)


def _asked(built: Outcome, tests: Sequence[TestPlan], cut: int, on: Workers, said: Say) -> Outcome:
    """A test is asked where all that it reads was built: else it would compare one run with another."""
    broken = {model.model for model in built.by_model if model.broken}
    asked = [test for test in tests if not test.reads & broken]
    if asked:
        said(f"asking {len(asked)} data tests")
    return with_tests(built, ask(asked, cut, on))
