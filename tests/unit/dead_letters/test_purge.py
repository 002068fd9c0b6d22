"""Which topics' old letters are emptied."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import psycopg

from ecom_lite.dead_letters.purge import purge_old
from ecom_lite.warehouse.sqlfiles import read_sql

NOW = datetime(2026, 6, 1, tzinfo=UTC)
IDLE = read_sql("ecom_lite.dead_letters", "idle_topics")


class Letters:
    """Two old letters in each topic; nobody loads "left" any more, nor "mine"."""

    def __init__(self) -> None:
        self.purged: list[str] = []
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, statement: bytes, values: Mapping[str, Any]) -> Letters:
        if statement == IDLE:
            assert values == {"now": NOW, "age_s": 30 * 86_400}
            self._rows = [("left",), ("mine",)]
        else:
            self.purged.append(values["topic"])
            self._rows = [(2, 100)]
        return self

    def fetchone(self) -> tuple[Any, ...]:
        return self._rows[0]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows


def test_topics_that_nobody_loads_any_more_are_emptied_too_and_each_once() -> None:
    letters = Letters()
    assert purge_old(cast(psycopg.Connection, letters), ["mine", "new"], 30, NOW) == 6
    assert letters.purged == ["mine", "new", "left"]
