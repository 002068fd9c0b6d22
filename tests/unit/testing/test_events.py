"""Events of the shop for a test: the same ones on each machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ecom_lite.testing.events import shop_events


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the machine were there."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_new_york")
def test_a_start_without_a_zone_is_utc_wherever_the_machine_is() -> None:
    events = shop_events(20, start=datetime(2026, 3, 1))
    assert events == shop_events(20, start=datetime(2026, 3, 1, tzinfo=UTC)) and events[0]["timestamp"].startswith(
        "2026-03-01T00:"
    )
