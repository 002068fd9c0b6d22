"""What one check's error does to the others, on a database that only keeps account of its transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg

from ecom_lite.check.moment import Moment
from ecom_lite.check.named import parse


class Reader:
    """A transaction that an error ends, unless it was within a savepoint; readers may not look into one schema."""

    broken = False

    def __init__(self) -> None:
        self._ended = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error:
            self._ended = False  # back to the savepoint
            raise

    def cursor(self, name: str) -> Any:
        return self

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *how: object) -> None:
        pass

    def execute(self, text: bytes, values: dict[str, Any] | None = None) -> Any:
        if self._ended:
            raise psycopg.errors.InFailedSqlTransaction("current transaction is aborted")
        if values and str(values.get("relation", "")).startswith("intermediate."):
            self._ended = True
            raise psycopg.errors.InsufficientPrivilege("permission denied for schema intermediate")
        return self

    description = (SimpleNamespace(name="left"), SimpleNamespace(name="right"))

    def fetchmany(self, count: int) -> list[tuple[int, int]]:
        return [(1, 1)]


def test_one_that_needs_what_is_not_for_readers_leaves_the_others_alone() -> None:
    reader: Any = Reader()
    moment = Moment(reader, {}, 10)
    wrong = parse("wrong", "-- needs: intermediate.int_returns\nSELECT 1", Path("wrong.sql"))
    states = [moment.run(check).state for check in (wrong, parse("right", "SELECT 1 AS left, 1 AS right", Path("right.sql")))]
    assert states == ["error", "pass"]
