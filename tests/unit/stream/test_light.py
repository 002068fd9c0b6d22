"""The minutes without Spark, on a database that only notes what it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ecom_lite.stream.light import KEEP_PROGRESS_S, PRUNE_EVERY_S, LightMinutes
from ecom_lite.warehouse.sqlfiles import read_sql

NAMES = {
    read_sql("ecom_lite.stream", name): name
    for name in ("light_lock", "light_cut", "light_clear", "light_rebuild", "light_add", "light_advance", "light_duration",
                 "light_progress", "prune_progress")
}  # fmt: skip
ANSWERS = {"light_cut": (10, 20, None), "light_add": (5, 2), "light_duration": (1.5,)}


class Notes:
    """Stands in for the address of a warehouse with five facts more each time."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    @contextmanager
    def connect(self, role: str) -> Iterator[Notes]:
        yield self

    def execute(self, text: bytes, values: Any = None) -> Notes:
        self.asked.append((NAMES[text], values))
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        return ANSWERS.get(self.asked[-1][0])


def test_the_record_of_its_passes_is_pruned_once_an_hour() -> None:
    now, notes = [0.0], Notes()
    address: Any = notes
    light = LightMinutes(address, lambda: now[0])
    pruned = []
    for now[0] in (0.0, 1.0, PRUNE_EVERY_S - 1, PRUNE_EVERY_S, PRUNE_EVERY_S + 1):
        notes.asked.clear()
        assert light.refresh() == 2
        pruned += [(now[0], values) for name, values in notes.asked if name == "prune_progress"]
    wanted = {"query": "light", "keep_s": KEEP_PROGRESS_S}
    assert pruned == [(0.0, wanted), (PRUNE_EVERY_S, wanted)]
