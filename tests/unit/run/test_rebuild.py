"""When the records of an archive were on the broker, as far as it can be known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ecom_lite.archive.read import Chunk
from ecom_lite.run.rebuild import slices
from ecom_lite.topic.records import Record

DAY = date(2026, 11, 20)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
MIDNIGHT_MS = round(MIDNIGHT.timestamp() * 1000)


@pytest.mark.parametrize(
    ("times", "now"),
    [
        ([], MIDNIGHT),
        ([-1], MIDNIGHT),
        ([MIDNIGHT_MS - 5], MIDNIGHT),
        ([MIDNIGHT_MS + 1_500, MIDNIGHT_MS + 1_000], MIDNIGHT + timedelta(seconds=1.5)),
        ([MIDNIGHT_MS + 10 * 86_400_000], MIDNIGHT + timedelta(days=1)),
        ([MIDNIGHT_MS * 1_000], MIDNIGHT + timedelta(days=1)),  # microseconds: the year 58,000
        ([2**63 - 1], MIDNIGHT + timedelta(days=1)),
    ],
    ids=["none", "unknown", "before", "newest", "a clock ahead", "microseconds", "largest"],
)
def test_a_slice_came_on_the_day_of_its_file_whatever_clock_its_producer_had(times: list[int], now: datetime) -> None:
    """Else an event from the future would be a fact of the new warehouse, and was a dead letter of the old one."""
    records = [Record(0, offset, ms, None, b"{}", ()) for offset, ms in enumerate(times)]
    (found,) = slices([Chunk(0, len(times), DAY, records)])
    assert (found.now, found.records) == (now, records)
