"""Which data tests a run asks, with a dbt and a database that only say what they were asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from ecom_lite.transform import refresher
from ecom_lite.transform.plan import TestPlan
from ecom_lite.transform.refresher import WHOLE_TESTS_EVERY_S, Order, Refresher
from ecom_lite.transform.results import ModelRun, Outcome, TestResult
from ecom_lite.warehouse.connect import Address

NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {"ecom_dbt": "hidden"})
TESTS = [TestPlan(name, "daily_sales", frozenset(), name.startswith("whole"), "") for name in ("cheap", "whole", "whole too")]
BUILT = Outcome(1, 0, [], [], [ModelRun("daily_sales", 0.1)])


class Runs:
    """One run of all models after the other; `failing` are the tests that fail now."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.failing, self._asked = 0.0, set[str](), list[str]()
        dbt: Any = SimpleNamespace(
            parse=lambda decimals: None, readings=1, tests=lambda: TESTS, plan=lambda: ["a plan"], build=lambda cut, **how: BUILT
        )
        self._refresher = Refresher(NOWHERE, dbt, 1, lambda: self.now)
        monkeypatch.setattr(refresher, "workers", self._workers)
        monkeypatch.setattr(refresher, "build", lambda *how: BUILT)
        monkeypatch.setattr(refresher, "ask", self._ask)

    @contextmanager
    def _workers(self, address: Address, role: str, count: int) -> Iterator[None]:
        yield None

    def _ask(self, tests: Sequence[TestPlan], cut: int, on: object) -> list[TestResult]:
        self._asked = [test.name for test in tests]
        return [TestResult(test.name, test.model, test.name not in self.failing) for test in tests]

    def run(self) -> tuple[bool, list[str], Sequence[str]]:
        """Whether it was a quick one, what was asked, what has failed."""
        connection: Any = SimpleNamespace(execute=lambda text: SimpleNamespace(fetchone=lambda: ("stamp",)))
        done = self._refresher.carry_out(Order(5, full=False, decimals=2), connection, lambda text: None)
        return done.quick, self._asked, done.outcome.failed


def test_a_test_that_failed_is_asked_until_it_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs(monkeypatch)
    assert runs.run() == (False, ["cheap", "whole", "whole too"], [])
    assert runs.run() == (True, ["cheap"], [])
    runs.now, runs.failing = WHOLE_TESTS_EVERY_S, {"whole"}
    assert runs.run() == (True, ["cheap", "whole", "whole too"], ["whole"])
    assert runs.run() == (True, ["cheap", "whole"], ["whole"]), "no run says that all is well before it is"
    runs.failing = set()
    assert runs.run() == (True, ["cheap", "whole"], [])
    assert runs.run() == (True, ["cheap"], [])
