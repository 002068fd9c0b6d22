"""Parquet files of the raw archive: what goes in comes out, merged or not, and what a kill leaves does no harm."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from ecom_lite.archive import arrow
from ecom_lite.archive.files import LATEST_MS, ArchiveWriter, delete
from ecom_lite.archive.names import chains, listed, pattern, raw_folder
from ecom_lite.archive.read import ArchiveReader
from ecom_lite.archive.view import create_view, is_there
from ecom_lite.errors import LakeError
from ecom_lite.topic.records import Record

DAY = date(2026, 11, 27)
ABOUT = {"topic": "t", "topic_id": "0-1", "mark": 'it\'s "mine" ü'}
ODD = [
    Record(0, 3, -1, None, None, ()),
    Record(0, 4, 1764273600123, b"", b"", (("a", None), ("a", b""), ("", b"\0\xff"))),
    Record(0, 9, 0, bytes(range(256)), bytes(range(256)) * 40_000, (("имя" * 50, b"1"),)),
    Record(0, 10, LATEST_MS, b"k" * 17, None, ()),
]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[ArchiveWriter]:
    writer = ArchiveWriter(raw_folder(tmp_path))
    yield writer
    writer.close()


def plain(first: int, end: int) -> list[Record]:
    return [Record(0, n, 1764273600000 + n, b"%d" % n, b'{"n": %d}' % n, (("h", b"x"),)) for n in range(first, end)]


def read(lake: Path) -> list[Record]:
    reader = ArchiveReader(lake, ["t"])
    try:
        return [record for chunk in reader.records("t", 0) for record in chunk.records]
    finally:
        reader.close()


def test_what_was_written_is_not_kept_in_memory(writer: ArchiveWriter) -> None:
    """The collector looks seldom while records come and go: nothing large may wait for it."""
    gc.collect()
    gc.disable()
    try:
        for n in range(3):
            writer.write("t", 0, (n * 10, n * 10 + 10), DAY, plain(n * 10, n * 10 + 10), ABOUT)
        assert not [each for each in gc.get_objects() if isinstance(each, arrow.Table)]
    finally:
        gc.enable()


def test_what_goes_in_comes_out(writer: ArchiveWriter, tmp_path: Path) -> None:
    file = writer.write("t", 0, (2, 12), DAY, ODD, ABOUT)
    assert (file.first, file.end, file.bytes) == (2, 12, file.path.stat().st_size)
    assert read(tmp_path) == ODD and writer.about(file) == ABOUT
    reader = ArchiveReader(tmp_path, ["t", "other"])
    assert reader.about("t") == ABOUT and reader.count("t", 0) == 4 and reader.missing == {("t", 0): [(0, 2)]}
    chunks = list(reader.records("t", 0))
    assert [(chunk.first, chunk.end, chunk.day) for chunk in chunks] == [(2, 11, DAY), (11, 12, DAY)]
    assert reader.others == [] and ArchiveReader(tmp_path, ["other"]).others == ["t"]


@pytest.mark.parametrize("rows", [1, 8, 9, 2_047, 20_000])
def test_files_of_any_length_are_whole(writer: ArchiveWriter, tmp_path: Path, rows: int) -> None:
    records = plain(0, rows)
    records[rows // 2] = records[rows // 2]._replace(key=None, headers=())
    writer.write("t", 0, (0, rows), DAY, records, ABOUT)
    assert read(tmp_path) == records


def test_a_time_beyond_all_dates_is_none(writer: ArchiveWriter, tmp_path: Path) -> None:
    writer.write("t", 0, (0, 1), DAY, [Record(0, 0, LATEST_MS + 1, b"", b"", ())], ABOUT)
    assert [record.timestamp for record in read(tmp_path)] == [-1]


def test_a_merged_file_has_the_records_and_replaces_its_parts(writer: ArchiveWriter, tmp_path: Path) -> None:
    parts = [writer.write("t", 0, (n, n + 100), DAY, plain(n, n + 100), ABOUT) for n in range(0, 1_000, 100)]
    merged = writer.merge(parts)
    assert listed(raw_folder(tmp_path)) == [merged] and (merged.first, merged.end) == (0, 1_000)
    assert read(tmp_path) == plain(0, 1_000) and writer.about(merged) == ABOUT


def test_a_kill_in_the_midst_of_a_merge_shows_no_record_twice(writer: ArchiveWriter, tmp_path: Path) -> None:
    parts = [writer.write("t", 0, (n, n + 10), DAY, plain(n, n + 10), ABOUT) for n in (0, 10)]
    kept = shutil.copy(parts[1].path, tmp_path / "kept")
    merged = writer.merge(parts)
    shutil.copy(kept, parts[1].path)
    assert chains(listed(raw_folder(tmp_path)))[1] == [parts[1]]
    assert read(tmp_path) == plain(0, 20)
    view = create_view(tmp_path)
    assert view is not None and str(parts[1].path) not in view and str(merged.path) in view
    duck = duckdb.connect()
    duck.execute(view)
    assert duck.sql('SELECT count(*), count(DISTINCT "offset") FROM lake').fetchone() == (20, 20)


def test_the_view_shows_text_and_what_is_none(writer: ArchiveWriter, tmp_path: Path) -> None:
    assert create_view(tmp_path) is None and not is_there(tmp_path)
    records = [Record(0, 0, 0, b"7", '{"ü": 1}'.encode(), ()), Record(0, 1, 0, None, b"a\xffb", (("h", b"\0"),))]
    writer.write("t", 0, (0, 2), DAY, records, ABOUT)
    assert is_there(tmp_path)
    duck = duckdb.connect()
    duck.execute("SET TimeZone = 'UTC'")
    duck.execute(create_view(tmp_path) or "")
    found = duck.sql('SELECT topic, partition, "offset", broker_time::text, key, value, headers, date FROM lake ORDER BY 3')
    assert found.fetchall() == [
        ("t", 0, 0, "1970-01-01 00:00:00+00", "7", "{\"ü\": 1}", [], DAY),
        ("t", 0, 1, "1970-01-01 00:00:00+00", None, "a\\xFFb", [{"name": "h", "value": b"\0"}], DAY),
    ]  # fmt: skip


def test_a_folder_whose_name_is_a_pattern_is_not_the_folder_that_it_fits(tmp_path: Path) -> None:
    lakes = [tmp_path / name for name in ("run 1", "run [1]")]
    for at, lake in zip((0, 2), lakes, strict=True):
        writer = ArchiveWriter(raw_folder(lake))
        records = plain(at, at + 2)
        parts = [
            writer.write("t", 0, (n, n + 1), DAY, [records[n]._replace(offset=n)], {**ABOUT, "mark": f"{at}"}) for n in (0, 1)
        ]
        assert writer.about(parts[1])["mark"] == f"{at}"
        if lake == lakes[1]:
            writer.merge(parts)
        writer.close()
        assert [record.value for record in read(lake)] == [record.value for record in records]
        assert ArchiveReader(lake, ["t"]).count("t", 0) == 2
        duck = duckdb.connect()
        duck.execute(f"SET allowed_directories = ['{lake}/', '{pattern(lake)}/']")
        duck.execute(create_view(lake) or "")
        duck.execute("SET enable_external_access = false")
        assert duck.sql('SELECT value FROM lake ORDER BY "offset"').fetchall() == [((r.value or b"").decode(),) for r in records]


def test_a_failed_write_leaves_nothing(writer: ArchiveWriter, tmp_path: Path) -> None:
    def fail(point: str) -> None:
        raise OSError(f"no room at {point}")

    failing = ArchiveWriter(raw_folder(tmp_path), fail)
    with pytest.raises(OSError, match="no room at drafted"):
        failing.write("t", 0, (0, 5), DAY, plain(0, 5), ABOUT)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    failing.close()
    failing.close()
    writer.write("t", 0, (0, 5), DAY, plain(0, 5), ABOUT)
    assert read(tmp_path) == plain(0, 5)


def test_a_torn_file_is_named(writer: ArchiveWriter, tmp_path: Path) -> None:
    file = writer.write("t", 0, (0, 5), DAY, plain(0, 5), ABOUT)
    file.path.write_bytes(file.path.read_bytes()[:-20])
    with pytest.raises(LakeError, match=rf"{file.path} cannot be read: .*; move it away"):
        read(tmp_path)


def test_empty_days_go_with_their_last_file(writer: ArchiveWriter, tmp_path: Path) -> None:
    old = writer.write("t", 0, (0, 5), date(2026, 10, 1), plain(0, 5), ABOUT)
    new = writer.write("t", 0, (5, 6), DAY, plain(5, 6), ABOUT)
    delete([old])
    assert [path.name for path in raw_folder(tmp_path).iterdir()] == [new.path.parent.name]
