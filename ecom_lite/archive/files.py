"""Files of the raw archive: written, merged, deleted, each in one step that a kill cannot halve."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any, Final

import duckdb

from ..topic.records import Headers, Record
from ..warehouse.sqlfiles import read_sql
from . import arrow
from .names import DRAFT, ArchiveFile, file_path, parse, pattern

MEMORY_LIMIT_MB: Final = 256  # of DuckDB; beyond it a merge fails, and the files stay as they are
GROUP_BYTES: Final = 8 * 1024 * 1024  # of a row group, uncompressed: what is in memory of it
MIN_GROUP_ROWS: Final = 2_048
COMPRESSION: Final = "zstd"
TIMES: Final = b"tsm:UTC"
LATEST_MS: Final = 253_402_300_799_999  # the end of the year 9999
ABOUT: Final = "ecom_lite"  # the key of what a file says of itself

# topic, topic_id (empty where the broker names none), mark (of the warehouse that loads it), archived (by partition of the topic,
# up to which offset all was in files: a file that is gone is missed)
About = Mapping[str, Any]


def _pass(point: str) -> None:
    """Nobody is watching."""


class ArchiveWriter:
    """Owns an in-memory DuckDB that writes Parquet. For one thread. Raises duckdb.Error, OSError.

    `at` is called at the points between which a kill could make a difference: "drafted" (whole, under a draft's name), "placed"
    (under its own), "merging" (the merged file is placed, what it replaces is there too) and "merged". Tests strike there.
    """

    def __init__(self, folder: Path, at: Callable[[str], None] = _pass) -> None:
        self.folder = folder
        self._at = at
        self._duck = duckdb.connect(
            ":memory:",
            config={
                "threads": 1, "memory_limit": f"{MEMORY_LIMIT_MB}MB", "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false", "python_enable_replacements": "false",
                "enable_external_file_cache": "false",  # each file is read once, to be merged
            },
        )  # fmt: skip
        self._duck.execute("SET TimeZone = 'UTC'")
        self._duck.execute("SET temp_directory = ''")

    def close(self) -> None:
        """Safe to repeat."""
        self._duck.close()

    def write(
        self, topic: str, partition: int, extent: tuple[int, int], day: date, records: Sequence[Record], about: About
    ) -> ArchiveFile:
        """The file of these offsets, there and safe on the disk when this returns."""
        target = file_path(self.folder, topic, partition, *extent, day)
        self._duck.register("records", _table(records))
        try:
            with _draft(target, self._at) as draft:
                source = f"SELECT {_literal(topic)} AS topic, {partition:d}::INTEGER AS partition, * FROM records"
                self._copy(source, draft, about, len(records))
        finally:
            self._duck.unregister("records")
        return _made(target)

    def merge(self, files: Sequence[ArchiveFile]) -> ArchiveFile:
        """One file in the place of these, which follow each other without a gap and are of one day."""
        first, last, paths = files[0], files[-1], [pattern(file.path) for file in files]
        about = self.about(last)
        target = file_path(self.folder, about["topic"], first.partition, first.first, last.end, last.day)
        rows, size = self._one("sizes", files=paths)
        with _draft(target, self._at) as draft:
            source = f"FROM read_parquet([{', '.join(map(_literal, paths))}])"
            self._copy(source, draft, about, max(MIN_GROUP_ROWS, GROUP_BYTES * rows // max(1, size)))
        for file in files:
            self._at("merging")
            file.path.unlink(missing_ok=True)
        self._at("merged")
        return _made(target)

    def about(self, file: ArchiveFile) -> dict[str, Any]:
        """What the file says of the topic it is of."""
        (found,) = self._one("about", file=pattern(file.path), key=ABOUT)
        return dict(json.loads(found)) if found else {}

    def _copy(self, source: str, draft: Path, about: About, group_rows: int) -> None:
        told = _literal(json.dumps(dict(about)))
        rows = max(MIN_GROUP_ROWS, group_rows)
        self._duck.execute(
            f"COPY ({source}) TO {_literal(draft)} (FORMAT parquet, COMPRESSION {COMPRESSION}, USE_TMP_FILE false, "
            f"ROW_GROUP_SIZE {rows}, KV_METADATA {{{ABOUT}: {told}}})"
        )

    def _one(self, statement: str, **values: Any) -> tuple[Any, ...]:
        row = self._duck.execute(read_sql(__package__, statement).decode(), values).fetchone()
        assert row is not None
        return row


def delete(files: Iterable[ArchiveFile]) -> None:
    """Delete files, the oldest offsets first, and the folders of days that are empty then."""
    folders = set()
    for file in sorted(files):
        file.path.unlink(missing_ok=True)
        folders.add(file.path.parent)
    for folder in folders:
        if not any(folder.iterdir()):
            folder.rmdir()


@contextmanager
def _draft(target: Path, at: Callable[[str], None]) -> Iterator[Path]:
    """A name to write under; at the end of the block the file has its own name, and both are on the disk."""
    made = not target.parent.is_dir()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(target.name + DRAFT)
    try:
        yield draft
        _to_disk(draft)
        at("drafted")
        draft.replace(target)
        at("placed")
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _to_disk(target.parent)
    if made:
        _to_disk(target.parent.parent)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _made(path: Path) -> ArchiveFile:
    file = parse(path, path.stat().st_size)
    assert file is not None
    return file


def _table(records: Sequence[Record]) -> arrow.Table:
    _, offsets, times, keys, values, headers = zip(*records, strict=True)
    if min(times) < 0 or max(times) > LATEST_MS:  # -1 is none; what is beyond all dates is none that anybody could read
        times = tuple(ms if 0 <= ms <= LATEST_MS else None for ms in times)
    return arrow.Table(
        len(records),
        [
            arrow.numbers("offset", offsets),
            arrow.numbers("broker_time", times, TIMES),
            arrow.blobs("key", keys),
            arrow.blobs("value", values),
            _headers(headers),
        ],
    )


def _headers(headers: Sequence[Headers]) -> arrow.Column:
    pairs = list(chain.from_iterable(headers))
    names, values = [name for name, _ in pairs], [value for _, value in pairs]
    inside = arrow.structs("header", len(pairs), [arrow.texts("name", names), arrow.blobs("value", values)])
    return arrow.lists("headers", list(map(len, headers)), inside)


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
