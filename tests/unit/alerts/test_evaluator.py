"""When a rule is judged, on a database that remembers nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ecom_lite.alerts.bounds import Verdict
from ecom_lite.alerts.evaluator import Evaluator, Limits

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


class Forgetful:
    """Stands in for an address, its connections and their cursors."""

    @contextmanager
    def connect(self, *_: object, **__: object) -> Iterator[Forgetful]:
        yield self

    transaction = cursor = connect

    def execute(self, *_: object) -> Forgetful:
        return self

    executemany = execute

    def fetchall(self) -> list[Any]:
        return []

    def fetchone(self) -> tuple[int]:
        return (0,)


def test_a_rule_that_waits_after_the_start_does_not_wait_for_a_clock_that_was_put_back(tmp_path: Path) -> None:
    lag: Any = SimpleNamespace(
        name="lag", title="", severity="critical", unit="", what_to_do="", board="", every_s=None, for_s=0, after_start_s=60,
        bounds=SimpleNamespace(judge=lambda *_: Verdict(True, 9.0, "9")),
    )  # fmt: skip
    nowhere: Any = Forgetful()
    evaluator = Evaluator(nowhere, [lag], Limits(), tmp_path, NOW + timedelta(hours=1))

    def state(moment: datetime) -> str:
        evaluator.round(moment)
        return evaluator.figures["lag"].state

    assert state(NOW + timedelta(hours=2)) == "firing"
    assert [state(NOW + timedelta(seconds=s)) for s in (0, 50, 70)] == ["unknown", "unknown", "firing"]
