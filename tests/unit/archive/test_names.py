"""File names of the raw archive: what they say, and what holds when a kill has left more files than there should be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ecom_lite.archive.names import ArchiveFile, chains, drafts, file_path, gaps, label, listed, parse

DAY = date(2026, 11, 27)


def a_file(first: int, end: int, topic: str = "t", partition: int = 0) -> ArchiveFile:
    found = parse(file_path(Path("raw"), topic, partition, first, end, DAY), 7)
    assert found is not None
    return found


@pytest.mark.parametrize("topic", ["ecommerce_events", "a-1", "a-1-2-3", "x.parquet", "t" * 240])
def test_a_name_says_what_is_in_the_file(topic: str) -> None:
    path = file_path(Path("raw"), topic, 3, 17, 42, DAY)
    assert len(path.name) <= 255 - len(".new")
    assert parse(path, 7) == ArchiveFile(label(topic), 3, 17, 42, DAY, path, 7)


def test_very_long_topics_do_not_share_a_name() -> None:
    assert label("t" * 239 + "a") != label("t" * 239 + "b")


@pytest.mark.parametrize(
    "path",
    [
        "date=2026-11-27/t-0-1-2.csv", "date=2026-11-27/t-0-1.parquet", "date=2026-13-27/t-0-1-2.parquet",
        "other/t-0-1-2.parquet", "date=2026-11-27/t-0-2-2.parquet", "date=2026-11-27/t-0-3-2.parquet",
        "date=2026-11-27/t-0-1-2.parquet.new",
    ],
)  # fmt: skip
def test_other_names_are_none_of_ours(path: str) -> None:
    assert parse(Path("raw") / path) is None


def test_files_that_a_merged_one_has_replaced_are_told_from_the_rest() -> None:
    parts, whole, after = [a_file(0, 5), a_file(5, 9)], a_file(0, 9), a_file(9, 12)
    found, replaced = chains([after, *parts, whole, a_file(3, 4, partition=1)])
    assert found == {("t", 0): [whole, after], ("t", 1): [a_file(3, 4, partition=1)]}
    assert replaced == parts


def test_gaps_are_what_no_file_accounts_for() -> None:
    assert gaps([a_file(0, 5), a_file(5, 9)]) == []
    assert gaps([a_file(2, 5), a_file(7, 9)]) == [(0, 2), (5, 7)]
    assert gaps([a_file(0, 5)], 7) == [(5, 7)] and gaps([], 7) == [(0, 7)] and gaps([a_file(0, 9)], 7) == []


def test_a_listing_has_the_order_of_offsets_and_no_drafts(tmp_path: Path) -> None:
    for first, end, partition in ((1_000_000_000_000, 1_000_000_000_005, 0), (999, 1000, 0), (5, 6, 11), (5, 6, 2)):
        path = file_path(tmp_path, "t", partition, first, end, DAY)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12")
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(b"1")
    assert [(file.partition, file.first, file.bytes) for file in listed(tmp_path)] == [
        (0, 999, 2), (0, 1_000_000_000_000, 2), (2, 5, 2), (11, 5, 2)
    ]  # fmt: skip
    assert list(drafts(tmp_path)) == [draft]
    assert listed(tmp_path / "nowhere") == []
