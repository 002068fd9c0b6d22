"""The row that `events try` shows of an event has the attributes that are declared, behind the contract's columns."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from ecom_lite.contract.reader import make_reader
from ecom_lite.own_events.attempt import row_of
from ecom_lite.settings.events import Events

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LINE = {"order_id": "A1", "user_id": 1, "product_id": 5, "price": 2, "quantity": 1, "timestamp": "2026-11-01T00:00:00Z"}


def test_a_row_has_the_declared_attributes_last() -> None:
    reader = make_reader(Events.model_validate({"attributes": {"channel": "text", "gift": "boolean", "store": "dimension"}}))
    (event,) = reader(json.dumps(LINE | {"channel": "web", "gift": False}).encode(), NOW)
    assert row_of("line 1", event, ["channel", "gift", "store"])[-3:] == ("web", False, "")
    assert row_of("line 1", event)[-1] == "2026-11-01T00:00:00Z"
