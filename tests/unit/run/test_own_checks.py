"""When a run takes the user's own checks, and what becomes of their last results where it does not."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from ecom_lite.run.own_checks import OwnChecks
from ecom_lite.settings.load import load_settings
from ecom_lite.warehouse.sqlfiles import read_sql


@pytest.mark.parametrize(("every_s", "taken", "forgets"), [(60, [("your own checks", 60)], 0), (None, [], 1)])
def test_what_nobody_takes_any_more_is_forgotten(every_s: float | None, taken: list[tuple[str, float]], forgets: int) -> None:
    asked: list[tuple[bytes, Any]] = []
    writer = SimpleNamespace(
        execute=lambda text, values: asked.append((text, values)),
        cursor=lambda: SimpleNamespace(executemany=lambda text, rows: asked.extend((text, row) for row in rows)),
    )
    address: Any = SimpleNamespace(connect=lambda role: nullcontext(writer))
    regular: list[tuple[str, float]] = []
    schedule: Any = SimpleNamespace(
        every=lambda name, seconds, job: regular.append((name, seconds)),
        when=lambda name, seconds, condition, action: condition() and action(),
    )
    flags = {} if every_s is None else {"check.every_s": every_s}
    OwnChecks(load_settings(env={}, flags=flags), lambda: address).register(schedule)
    assert regular == taken
    assert asked == [(read_sql("ecom_lite.run", "forget_checks"), {"names": []})] * forgets
