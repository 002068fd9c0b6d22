"""File names of the raw archive: they say which offsets of which partition are in which file, and nothing else has to."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

RAW: Final = "raw"  # in the lake's folder
DAY: Final = "date="
SUFFIX: Final = ".parquet"
DRAFT: Final = ".new"  # behind the name of a file that is not whole yet
LONGEST_LABEL: Final = 180  # a file's name has 255 bytes
DIGITS: Final = 12  # offsets are padded, so that a listing has their order
_NAME: Final = re.compile(r"(?P<label>.+)-(?P<partition>\d+)-(?P<first>\d+)-(?P<end>\d+)\.parquet")

Place = tuple[str, int]  # a topic's label and a partition


@dataclass(frozen=True, order=True)
class ArchiveFile:
    """One file: it accounts for the offsets [first, end) of a partition, also for those without a record."""

    label: str
    partition: int
    first: int
    end: int
    day: date
    path: Path
    bytes: int = 0

    @property
    def place(self) -> Place:
        return self.label, self.partition


def raw_folder(lake: Path) -> Path:
    """Where the archive is."""
    return lake / RAW


def label(topic: str) -> str:
    """How files of a topic begin: its name, or of a very long one what tells it from all others."""
    if len(topic) <= LONGEST_LABEL:
        return topic
    return f"{topic[: LONGEST_LABEL - 17]}-{hashlib.sha256(topic.encode()).hexdigest()[:16]}"


def file_path(folder: Path, topic: str, partition: int, first: int, end: int, day: date) -> Path:
    """Where the file of these offsets belongs, in the archive at `folder`."""
    name = f"{label(topic)}-{partition}-{first:0{DIGITS}d}-{end:0{DIGITS}d}{SUFFIX}"
    return folder / f"{DAY}{day.isoformat()}" / name


def pattern(path: Path) -> str:
    """The path as DuckDB takes it, to which a name is a pattern: "data[1]" would be the folder "data1"."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def parse(path: Path, size: int = 0) -> ArchiveFile | None:
    """What a path says; None where it is no file of the archive."""
    found = _NAME.fullmatch(path.name)
    if found is None or not path.parent.name.startswith(DAY):
        return None
    try:
        day = date.fromisoformat(path.parent.name.removeprefix(DAY))
    except ValueError:
        return None
    first, end = int(found["first"]), int(found["end"])
    return ArchiveFile(found["label"], int(found["partition"]), first, end, day, path, size) if first < end else None


def days(folder: Path) -> list[Path]:
    """The folders of days, the oldest first."""
    return sorted(path for path in folder.glob(f"{DAY}*") if path.is_dir())


def listed(folder: Path) -> list[ArchiveFile]:
    """All files of the archive in the order of their partitions and offsets; also those that a merged one has replaced."""
    found = []
    for day in days(folder):
        for path in day.glob(f"*{SUFFIX}"):
            try:
                file = parse(path, path.stat().st_size)
            except FileNotFoundError:  # merged into another a moment ago
                continue
            if file is not None:
                found.append(file)
    return sorted(found)


def drafts(folder: Path) -> Iterator[Path]:
    """What a kill has left half written."""
    for day in days(folder):
        yield from day.glob(f"*{SUFFIX}{DRAFT}")


def chains(files: Iterable[ArchiveFile]) -> tuple[dict[Place, list[ArchiveFile]], list[ArchiveFile]]:
    """Per partition the files that have each offset once, in order; and those that a bigger file has replaced.

    A merged file is put in its place before the files that it is made from are deleted: a kill in between leaves both.
    """
    by_place: dict[Place, list[ArchiveFile]] = defaultdict(list)
    replaced = []
    for file in sorted(files, key=lambda file: (file.place, file.first, -file.end)):
        chain = by_place[file.place]
        if chain and file.end <= chain[-1].end:
            replaced.append(file)
        else:
            chain.append(file)
    return dict(by_place), replaced


def gaps(chain: Sequence[ArchiveFile], until: int = 0) -> list[tuple[int, int]]:
    """The offsets [first, end) below `until`, or below the end of the last file, that no file accounts for."""
    found, begin = [], 0
    for file in chain:
        if file.first > begin:
            found.append((begin, file.first))
        begin = max(begin, file.end)
    if begin < until:
        found.append((begin, until))
    return found
