"""Where the days part: files of one partition follow each other in offsets and in days."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from ecom_lite.archive.tail import Piece, Tail, day_of
from ecom_lite.topic.records import Record

OLDEST, YESTERDAY, TODAY = date(2026, 10, 28), date(2026, 11, 26), date(2026, 11, 27)


def at(day: int, hour: int = 12, month: int = 11) -> int:
    return int(datetime(2026, month, day, hour, tzinfo=UTC).timestamp() * 1000)


def record(offset: int, ms: int) -> Record:
    return Record(0, offset, ms, None, b"12345", ())


def shape(pieces: list[Piece]) -> list[tuple[int, int, date, list[int]]]:
    return [(piece.first, piece.end, piece.day, [record.offset for record in piece.records]) for piece in pieces]


@pytest.mark.parametrize(
    ("ms", "day"),
    [(at(27, 0), TODAY), (at(27, 0) - 1, YESTERDAY), (0, OLDEST), (at(28), TODAY), (10**18, TODAY), (-1, OLDEST)],
)
def test_a_day_stays_in_its_bounds(ms: int, day: date) -> None:
    assert day_of(ms, OLDEST, TODAY) == day


def test_records_of_one_day_are_one_piece_with_the_offsets_that_have_none() -> None:
    tail = Tail("t", 0, 10, None)
    assert tail.add([record(11, at(27)), record(12, at(27))], 15, OLDEST, TODAY) == []
    assert (len(tail), tail.bytes) == (2, 10)
    assert shape(tail.taken()) == [(10, 15, TODAY, [11, 12])]
    assert tail.taken() == [] and (tail.start, tail.bytes) == (15, 0)


def test_offsets_without_a_record_wait_for_one() -> None:
    tail = Tail("t", 0, 10, TODAY)
    assert tail.add([], 12, OLDEST, TODAY) == [] and tail.taken() == []
    tail.add([record(12, at(27))], 13, OLDEST, TODAY)
    assert shape(tail.taken()) == [(10, 13, TODAY, [12])]


def test_a_new_day_ends_the_piece() -> None:
    tail = Tail("t", 0, 0, None)
    records = [record(0, at(24)), record(1, at(26)), record(3, at(26)), record(4, at(27))]
    assert shape(tail.add(records, 5, OLDEST, TODAY)) == [(0, 1, date(2026, 11, 24), [0]), (1, 4, YESTERDAY, [1, 3])]
    assert shape(tail.taken()) == [(4, 5, TODAY, [4])]


def test_late_and_wild_times_stay_in_the_day_that_is() -> None:
    tail = Tail("t", 0, 0, None)
    records = [record(0, at(26)), record(1, at(27)), record(2, at(26)), record(3, -1), record(4, at(30)), record(5, 0)]
    assert shape(tail.add(records, 6, OLDEST, TODAY)) == [(0, 1, YESTERDAY, [0])]
    assert shape(tail.taken()) == [(1, 6, TODAY, [1, 2, 3, 4, 5])]


def test_the_day_goes_on_from_the_newest_file() -> None:
    tail = Tail("t", 0, 5, YESTERDAY)
    tail.add([record(5, at(20))], 6, OLDEST, TODAY)
    assert shape(tail.taken()) == [(5, 6, YESTERDAY, [5])]
    assert tail.add([record(6, at(27))], 7, OLDEST, TODAY) == []
    assert shape(tail.taken()) == [(6, 7, TODAY, [6])]


def test_what_is_older_than_what_is_kept_counts_as_of_the_oldest_day_that_is() -> None:
    tail = Tail("t", 0, 0, date(2026, 9, 1))
    assert tail.add([record(0, at(2, month=9)), record(1, at(1, month=1)), record(2, -1)], 3, OLDEST, TODAY) == []
    assert shape(tail.taken()) == [(0, 3, OLDEST, [0, 1, 2])]
    assert shape(tail.add([record(3, 0), record(4, at(27))], 5, OLDEST, TODAY)) == [(3, 4, OLDEST, [3])]
    assert shape(tail.taken()) == [(4, 5, TODAY, [4])]
