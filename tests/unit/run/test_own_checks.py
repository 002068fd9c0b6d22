"""When a run takes the user's own checks, what it keeps of their results, and what becomes of the last ones where it does not."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ecom_lite.check import reconcile
from ecom_lite.check.verdict import FAIL, Result
from ecom_lite.run.own_checks import TOLD_CHARS, OwnChecks
from ecom_lite.settings.load import load_settings
from ecom_lite.warehouse.sqlfiles import read_sql

FORGET = read_sql("ecom_lite.run", "forget_checks")


class Writer:
    """Stands in for the address of a warehouse, and notes what is written."""

    def __init__(self) -> None:
        self.written: list[tuple[bytes, Any]] = []

    def connect(self, role: str) -> Any:
        return nullcontext(self)

    def cursor(self) -> Writer:
        return self

    def only(self, role: str) -> Writer:
        return self

    def execute(self, text: bytes, values: Any) -> None:
        self.written.append((text, values))

    def executemany(self, text: bytes, rows: list[Any]) -> None:
        self.written += [(text, row) for row in rows]


@pytest.mark.parametrize(("every_s", "taken", "forgets"), [(60, [("your own checks", 60)], 0), (None, [], 1)])
def test_what_nobody_takes_any_more_is_forgotten(every_s: float | None, taken: list[tuple[str, float]], forgets: int) -> None:
    regular: list[tuple[str, float]] = []
    schedule: Any = SimpleNamespace(
        every=lambda name, seconds, job: regular.append((name, seconds)),
        when=lambda name, seconds, condition, action: condition() and action(),
    )
    flags = {} if every_s is None else {"check.every_s": every_s}
    warehouse: Any = Writer()
    OwnChecks(load_settings(env={}, flags=flags), lambda: warehouse).register(schedule)
    assert (regular, warehouse.written) == (taken, [(FORGET, {"names": []})] * forgets)


def test_of_a_large_row_that_differs_the_status_has_the_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.sql").write_text("SELECT letter FROM ops.dead_letters")
    monkeypatch.setattr(
        reconcile, "reconcile",
        lambda *asked, checks, **how: SimpleNamespace(results=[Result(checks[0], FAIL, reason="a line\n" * 10_000)]),
    )  # fmt: skip
    warehouse: Any = Writer()
    mine = OwnChecks(load_settings(env={}, flags={"check.folder": tmp_path}), lambda: warehouse)
    mine.take()
    told = mine.figures["mine"].told
    assert told.startswith("a line a line ") and len(told) == TOLD_CHARS
    assert [values.get("told") for _, values in warehouse.written] == [None, told]
