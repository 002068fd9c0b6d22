"""A day of the lake in minutes: its clock runs ahead by one pass each time, and all that it keeps stays bounded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from ecom_lite.lake.reader import open_lake
from ecom_lite.lake.upkeep import STILL_READ_S, Upkeep
from ecom_lite.lake.writer import TABLES, Writer
from ecom_lite.warehouse.connect import Address
from tests.runs import wait_for

from .facts import insert_bulk, rows, settle

EVERY_S = float(os.environ.get("ECOM_LITE_SOAK_EVERY_S", "30"))  # of the told clock, between two passes
HOURS = float(os.environ.get("ECOM_LITE_SOAK_HOURS", "24"))
KEEP_H = float(os.environ.get("ECOM_LITE_SOAK_KEEP_H", "4"))  # snapshots
LINES = 60  # each pass
BEGIN = datetime(2026, 2, 28, 12, tzinfo=UTC)  # a month ends in it
SHOWN = 12  # lines of the table
MERGED_AT = 16  # small files of a month are merged when there are so many
FILES_A_PASS = 3  # order lines of two months, orders
EXPIRED_EVERY_S = 600


class ToldClock:
    """Goes on by one pass at a time, and knows which moment of the world's clock each of its seconds was."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._moments = [datetime.now(UTC)]

    def go_on(self) -> None:
        self.seconds += EVERY_S
        self._moments.append(datetime.now(UTC))

    def ago(self, seconds: float) -> datetime:
        passes = int((self.seconds - seconds) // EVERY_S)
        return self._moments[passes] if passes >= 0 else self._moments[0] - timedelta(hours=1)


@dataclass(frozen=True)
class Size:
    """What there is at a moment of the told clock."""

    hours: float
    files: int
    bytes: int
    snapshots: int
    catalogue_rows: int
    catalogue_bytes: int
    files_on_disk: int
    bytes_on_disk: int


def size(writer: Writer, folder: Path, clock: ToldClock) -> Size:
    ((live, size, snapshots, catalogue),) = writer.read(sql("soak_size"))
    names = writer.read(b"SELECT tablename FROM pg_tables WHERE schemaname = 'ducklake'")
    counts = " + ".join(f"(SELECT count(*) FROM ducklake.{name})" for (name,) in names)
    ((in_catalogue,),) = writer.read(f"SELECT {counts}".encode())
    on_disk = [file.stat().st_size for file in folder.rglob("*.parquet")]
    return Size(clock.seconds / 3600, live, size, snapshots, in_catalogue, catalogue, len(on_disk), sum(on_disk))


def sql(name: str) -> bytes:
    return files(__package__).joinpath("sql", f"{name}.sql").read_bytes()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_day_of_passes_leaves_bounded_files_snapshots_and_bytes(warehouse: Address, tmp_path: Path) -> None:
    folder, clock, sizes = tmp_path / "lake", ToldClock(), []
    passes = round(HOURS * 3600 / EVERY_S)
    insert_bulk(warehouse, 0, users=50)
    with Writer(warehouse.only("ecom_lake"), folder) as writer, warehouse.connect("admin", autocommit=True) as loader:
        writer.open()
        upkeep = Upkeep(writer, KEEP_H, clock=lambda: clock.seconds, ago=clock.ago)
        for number in range(1, passes + 1):
            at = BEGIN + timedelta(seconds=clock.seconds)
            loader.execute(sql("soak_lines"), {"at": at, "first": number * LINES, "lines": LINES})
            writer.sync()
            clock.go_on()
            upkeep()
            if number % max(1, passes // 120) == 0:
                sizes.append(size(writer, folder, clock))
        settle(warehouse)
        wait_for(lambda: writer.sync() == 0, "the lake has everything")
        sizes.append(size(writer, folder, clock))
    print(f"\n{passes:,} passes of {LINES} lines, one each {EVERY_S:g} s; snapshots are kept {KEEP_H:g} h")
    print("hours  files  snapshots  rows of the catalogue  MB of it  MB of files  files on disk  MB on disk")
    for each in sizes[:: max(1, len(sizes) // SHOWN)]:
        print(
            f"{each.hours:5.1f} {each.files:6} {each.snapshots:10,} {each.catalogue_rows:22,}"
            f" {each.catalogue_bytes / 1e6:8.2f} {each.bytes / 1e6:12.2f} {each.files_on_disk:14}"
            f" {each.bytes_on_disk / 1e6:12.2f}"
        )
    (held,) = rows(warehouse, "SELECT count(*), sum(revenue) FROM warehouse.order_lines")
    with open_lake(warehouse) as reader:
        assert reader.execute("SELECT count(*), sum(revenue) FROM lake.sales").fetchall() == [held]

    # Two months per table; what a minute brings comes on top, for merges are a minute apart; deletion waits a quarter of an hour.
    per_minute = max(1, round(60 / EVERY_S))
    assert max(each.files for each in sizes) <= len(TABLES) + 2 * (MERGED_AT + per_minute + 8)
    kept = round((KEEP_H * 3600 + EXPIRED_EVERY_S) / EVERY_S)
    assert max(each.snapshots for each in sizes) <= 2 * kept, "a pass makes one snapshot, a merge another"
    waiting = round(STILL_READ_S / EVERY_S) + MERGED_AT + per_minute  # passes whose files may be there still, merged away
    assert max(each.files_on_disk - each.files for each in sizes) <= FILES_A_PASS * waiting + MERGED_AT
    early, late = (max(each.catalogue_rows for each in part) for part in (sizes[: len(sizes) // 2], sizes[len(sizes) // 2 :]))
    assert late < 1.3 * early, "the catalogue has stopped growing by the middle"
    assert sizes[-1].bytes / held[0] < 60, "bytes of a line"
