"""Which files of the raw archive are merged, and which are too old."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from ecom_lite.archive.names import ArchiveFile, Place, file_path
from ecom_lite.archive.upkeep import FULL_BYTES, LOOSE, TOGETHER, due, expired, wanted

TODAY = date(2026, 11, 27)
KB = 1024


def chain(sizes: list[int], day: date = TODAY, start: int = 0) -> list[ArchiveFile]:
    return [
        ArchiveFile("t", 0, n, n + 1, day, file_path(Path("raw"), "t", 0, n, n + 1, day), size)
        for n, size in enumerate(sizes, start)
    ]


def merged(files: list[ArchiveFile], group: list[ArchiveFile]) -> list[ArchiveFile]:
    at, first, last = files.index(group[0]), group[0], group[-1]
    path = file_path(Path("raw"), "t", 0, first.first, last.end, last.day)
    size = sum(file.bytes for file in group)
    return [*files[:at], ArchiveFile("t", 0, first.first, last.end, last.day, path, size), *files[at + len(group) :]]


def test_few_files_are_left_alone() -> None:
    assert due(chain([3 * KB] * (TOGETHER - 1))) == [] and due([]) == []


def test_neighbours_of_like_size_become_one() -> None:
    files = chain([900 * KB] * 3 + [3 * KB] * (TOGETHER + 2))
    assert due(files) == files[3 : 3 + TOGETHER]


def test_a_gap_is_never_merged_over() -> None:
    files = chain([3 * KB] * 10) + chain([3 * KB] * 10, start=11)
    assert due(files) == []


def test_full_files_are_left_as_they_are() -> None:
    assert due(chain([FULL_BYTES] * 100)) == []


def test_a_day_that_is_over_becomes_few_files() -> None:
    yesterday = chain([3 * KB] * 5 + [FULL_BYTES] + [900 * KB] * 2, TODAY - timedelta(days=1))
    today = chain([3 * KB], start=8)
    assert due(yesterday) == [], "it goes on until a record of a later day comes"
    assert due(yesterday + today) == yesterday[:5]
    assert due([*merged(yesterday, yesterday[:5]), *today]) == yesterday[6:]
    settled = merged(merged(yesterday, yesterday[:5]), yesterday[6:])
    assert due([*settled, *today]) == []


def test_a_day_of_files_stays_few_and_is_seldom_written_anew() -> None:
    files: list[ArchiveFile] = []
    written = 0
    for number in range(8_640):
        files += chain([(3 if number % 3 else 40) * KB], start=number)  # of two sizes: no sixteen neighbours are alike
        while group := due(files):
            written += sum(file.bytes for file in group)
            files = merged(files, group)
        assert len(files) <= LOOSE + 60
    assert written <= 5 * sum(file.bytes for file in files)


def test_the_newest_file_stays_however_old_it_is() -> None:
    old = chain([KB, KB], TODAY - timedelta(days=40))
    edge = chain([KB], TODAY - timedelta(days=30), start=2)
    kept = {("t", 0): old + edge, ("t", 1): old}
    assert expired(kept, TODAY, 30) == [*old, old[0]]


def test_all_partitions_have_their_turn_the_one_with_the_most_files_first() -> None:
    """One merge each time is too few for 20 partitions, each of which has a new file every ten seconds."""
    chains = {("t", number): chain([3 * KB] * (TOGETHER * (1 + number % 2))) for number in range(40)}
    given_up: set[Place] = {("t", 39)}
    order = []
    for place, files in wanted(chains, given_up):
        order.append(place)
        if place == ("t", 7):
            given_up.add(place)  # as one that memory does not suffice for
        else:
            chains[place] = merged(chains[place], files)
    assert order[:4] == [("t", 1), ("t", 1), ("t", 3), ("t", 3)] and order[-1] == ("t", 38)
    assert {place: len(files) for place, files in chains.items() if len(files) > 2} == {("t", 7): 32, ("t", 39): 32}
