"""What a loader remembers of the dimensions, and how much of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from ecom_lite.load import dimensions
from ecom_lite.load.decode import Batch, Part
from ecom_lite.load.dimensions import Dimensions
from ecom_lite.topic.records import Record

NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Keys:
    """A connection that has a key for whatever is looked up."""

    def execute(self, query: str | bytes, values: Any) -> list[tuple[str, int]]:
        return [(name, len(name)) for name in values[0]] if isinstance(query, str) else []


def batch(lines: Sequence[dict[str, Any]]) -> Batch:
    plain = {"order_id": "o", "user_id": 1, "product_id": 1, "price": 1, "quantity": 1, "timestamp": "2026-01-01"}
    records = [Record(0, n, 0, None, json.dumps(plain | line).encode(), ()) for n, line in enumerate(lines)]
    made = Batch()
    made.add(Part(0, records, 0, len(records), 1), NOW)
    return made


@pytest.mark.parametrize("field", ["user_id", "product_id", "category"])
def test_a_cache_that_is_full_is_emptied_whatever_fills_it(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dimensions, "MAX_CACHED", 100)
    known, connection = Dimensions(), Keys()
    for first in range(0, 1000, 50):
        known.resolve(connection, batch([{field: f"x{first + n}"} for n in range(50)]))  # type: ignore[arg-type]
        assert max(len(known.users), len(known.products), len(known.categories)) <= 150
