"""A batch accounts for every offset, with or without a record, and remembers what it read."""

from __future__ import annotations

from datetime import UTC, datetime

from ecom_lite.contract.events import PRODUCER_HEADER
from ecom_lite.load.decode import Batch, Part, dead_letter
from ecom_lite.topic.records import Headers, Record

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LINE = (
    b'{"order_id":"o","user_id":1,"product_id":1,"product_title":"t","category":"c","price":1,"quantity":1,"revenue":1,'
    b'"timestamp":"2026-01-01"}'
)
CHANGE = b'{"event_type":"user_updated","user_id":1,"timestamp":"2026-01-01"}'


def read(offset: int, value: bytes | None = LINE, timestamp: int = 1_700_000_000_000, headers: Headers = ()) -> Record:
    return Record(3, offset, timestamp, None, value, headers)


def batch_of(*parts: Part) -> Batch:
    batch = Batch(mark=b"here")
    for part in parts:
        batch.add(part, NOW)
    return batch


def test_holes_before_between_and_after_records_belong_to_the_extent() -> None:
    batch = batch_of(Part(3, [read(12), read(15, CHANGE)], 10, 20, epoch=7), Part(3, [read(20, None)], 20, 21, epoch=7))
    extent = batch.extents[3]
    assert (extent.start, extent.end, extent.records, extent.epoch) == (10, 21, 3, 7)
    assert (len(batch.lines), len(batch.others), len(batch.dead), batch.records) == (1, 1, 1, 3)


def test_markers_alone_move_the_extent_and_are_no_records() -> None:
    batch = batch_of(Part(3, (), 10, 12, epoch=1))
    assert (batch.extents[3].end, batch.extents[3].records, batch.records, batch.oldest_ms) == (12, 0, 0, None)


def test_times_that_are_none_do_not_count() -> None:
    batch = batch_of(Part(3, [read(0, timestamp=-1), read(1, timestamp=5)], 0, 2, 1), Part(4, [read(0, timestamp=0)], 0, 1, 1))
    assert (batch.oldest_ms, batch.newest_ms) == (5, 5)


def test_own_records_are_known_by_the_mark_in_their_first_header() -> None:
    reads = [
        read(0, headers=((PRODUCER_HEADER, b"seed-7@here"),)),
        read(1, headers=(("y", b"seed-7@here"),)),
        read(2, b"bad", headers=((PRODUCER_HEADER, b"seed-8@here"), ("y", None))),
        read(3, headers=((PRODUCER_HEADER, b"seed-7@elsewhere"),)),
        read(4, headers=((PRODUCER_HEADER, b"here@"),)),
        read(5, headers=((PRODUCER_HEADER, None),)),
    ]
    assert batch_of(Part(3, reads, 0, 6, 1)).extents[3].own == 2


def test_a_refused_event_becomes_a_dead_letter_of_the_same_offset_and_nothing_else_changes() -> None:
    batch = batch_of(Part(3, [read(0), read(1), read(2, CHANGE)], 0, 3, 1))
    letter = dead_letter(batch.original(3, 1), "refused_by_database", "x" * 1000 + "\ud800", "CheckViolation")
    smaller = batch.without({(3, 1): letter})
    assert [line.offset for line in smaller.lines] == [0] and len(smaller.others) == 1
    assert smaller.dead == [letter] and letter.value == LINE and len(letter.detail) == 500
    assert smaller.records == batch.records == 3 and smaller.extents == batch.extents
