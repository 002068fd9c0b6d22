"""Reads the raw archive back: each record once, in the order of its partition, whatever a kill has left beside."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb

from ..errors import LakeError, first_line
from ..topic.records import Record
from ..warehouse.sqlfiles import read_sql
from .files import ABOUT
from .names import ArchiveFile, chains, gaps, label, listed, pattern, raw_folder

ROWS: Final = 5_000  # in memory at once


@dataclass(frozen=True)
class Chunk:
    """Records of a partition in order; it accounts for the offsets [first, end), also for those without a record.

    They came on `day` or, of a partition that had no news for long, before.
    """

    first: int
    end: int
    day: date
    records: Sequence[Record]


class ArchiveReader:
    """The archive in `lake` as it is now. `missing`: offsets [first, end) that no file has, by topic and partition.

    Raises LakeError where a file cannot be read.
    """

    def __init__(self, lake: Path, topics: Sequence[str]) -> None:
        self._folder = raw_folder(lake)
        self._duck = duckdb.connect(":memory:", config={"threads": 1, "autoinstall_known_extensions": "false"})
        self._duck.execute("SET TimeZone = 'UTC'")
        found, _ = chains(listed(self._folder))
        names = {label(topic): topic for topic in topics}
        self.chains = {(names[name], part): files for (name, part), files in found.items() if name in names}
        self._others = {name for name, _ in found if name not in names}
        ends = self._known()
        self.missing = {place: gone for place, end in ends.items() if (gone := gaps(self.chains.get(place, []), end))}

    def close(self) -> None:
        """Safe to repeat."""
        self._duck.close()

    @property
    def places(self) -> list[tuple[str, int]]:
        """Topics and partitions of which there is something."""
        return sorted(self.chains)

    def about(self, topic: str) -> dict[str, Any]:
        """What a newest file of a topic says of it: its id, and the mark of the warehouse. Raises LakeError."""
        newest = max((files[-1] for (name, _), files in self.chains.items() if name == topic), key=lambda file: file.day)
        return self._about(newest)

    @property
    def mark(self) -> str:
        """Of the warehouse that loaded these topics; empty where no file knows it. Raises LakeError."""
        newest = [files[-1] for files in self.chains.values()]
        return next((mark for file in newest if (mark := str(self._about(file).get("mark", "")))), "")

    @property
    def others(self) -> list[str]:
        """Labels of further topics that have files here."""
        return sorted(self._others)

    def count(self, topic: str, partition: int) -> int:
        """Records of a partition. Raises LakeError."""
        files = self.chains[topic, partition]
        row = self._asked("count", files[0], files=[pattern(file.path) for file in files]).fetchone()
        return int(row[0] or 0) if row else 0

    def records(self, topic: str, partition: int) -> Iterator[Chunk]:
        """All of a partition, chunk after chunk: without a gap but for those in `missing`. Raises LakeError."""
        for file in self.chains[topic, partition]:
            begin = file.first
            cursor = self._asked("records", file, file=pattern(file.path))
            try:
                while rows := cursor.fetchmany(ROWS):
                    records = [_record(partition, row) for row in rows]
                    end = records[-1].offset + 1
                    yield Chunk(begin, end, file.day, records)
                    begin = end
            except duckdb.Error as error:
                raise _unreadable(file, error) from None
            if begin < file.end:
                yield Chunk(begin, file.end, file.day, ())

    def _known(self) -> dict[tuple[str, int], int]:
        """Partitions of which there is something, or was: up to which offset, as the newest file of each partition says."""
        found: dict[tuple[str, int], int] = {}
        for (topic, partition), files in self.chains.items():
            archived = {int(other): end for other, end in self._about(files[-1]).get("archived", {}).items()}
            for other, end in (archived | {partition: files[-1].end}).items():
                found[topic, other] = max(end, found.get((topic, other), 0))
        return found

    def _about(self, file: ArchiveFile) -> dict[str, Any]:
        row = self._asked("about", file, file=pattern(file.path), key=ABOUT).fetchone()
        return dict(json.loads(row[0])) if row and row[0] else {}

    def _asked(self, statement: str, of: ArchiveFile, /, **values: Any) -> duckdb.DuckDBPyConnection:
        try:
            return self._duck.execute(read_sql(__package__, statement).decode(), values)
        except duckdb.Error as error:
            raise _unreadable(of, error) from None


def _record(partition: int, row: Sequence[Any]) -> Record:
    offset, ms, key, value, names, values = row
    headers = tuple(zip(names, values, strict=True)) if names else ()
    return Record(partition, offset, ms, key, value, headers)


def _unreadable(file: ArchiveFile, error: duckdb.Error) -> LakeError:
    return LakeError(f"{file.path} cannot be read: {first_line(error)}; move it away to go on without its offsets")
