"""What becomes of the raw archive's files: which are merged into one, and which are too old. Only decides, touches none."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Final

from .names import ArchiveFile, Place

FULL_BYTES: Final = 4 * 1024 * 1024  # a file of so many is left as it is
MOST_BYTES: Final = 64 * 1024 * 1024  # one merge reads no more
TOGETHER: Final = 16  # so many neighbours of like size become one: each record is written anew once per power of 16
LOOSE: Final = 64  # small files of one partition and day, whatever their sizes: more are merged
SMALLEST_BYTES: Final = 1024


def due(chain: Sequence[ArchiveFile]) -> list[ArchiveFile]:
    """Files of one partition, in order, that should become one now; none where all is well."""
    for run in _runs(chain):
        over = run[-1].day < chain[-1].day  # nothing comes to a day once a later one has begun
        found = _block(run) or _rest(run, 2 if over else LOOSE + 1)
        if found:
            return found
    return []


def wanted(chains: Mapping[Place, Sequence[ArchiveFile]], without: Container[Place]) -> Iterator[tuple[Place, list[ArchiveFile]]]:
    """What should be merged, one after the other, the partition with the most files first. Whoever merges puts the new file into
    its chain, or the partition among those to do without, before asking for the next."""
    for place in sorted(chains, key=lambda place: len(chains[place]), reverse=True):
        while place not in without and (files := due(chains[place])):
            yield place, files


def expired(chains: Mapping[Place, Sequence[ArchiveFile]], today: date, keep_days: int) -> list[ArchiveFile]:
    """Files of days before the last `keep_days`, but never a partition's newest: it says where to go on."""
    oldest = today - timedelta(days=keep_days)
    return [file for chain in chains.values() for file in chain[:-1] if file.day < oldest]


def _runs(chain: Sequence[ArchiveFile]) -> Iterator[list[ArchiveFile]]:
    """Neighbours that could be one file: of one day, without a gap, none of them full."""
    run: list[ArchiveFile] = []
    for file in chain:
        if run and (file.bytes >= FULL_BYTES or file.day != run[-1].day or file.first != run[-1].end):
            yield run
            run = []
        if file.bytes < FULL_BYTES:
            run.append(file)
    if run:
        yield run


def _block(run: Sequence[ArchiveFile]) -> list[ArchiveFile]:
    """TOGETHER neighbours of like size, the newest first: they are the smallest."""
    for _, files in reversed([(tier, list(group)) for tier, group in groupby(run, _tier)]):
        if len(files) >= TOGETHER:
            return files[:TOGETHER]
    return []


def _rest(run: Sequence[ArchiveFile], enough: int) -> list[ArchiveFile]:
    if len(run) < enough:
        return []
    taken: list[ArchiveFile] = []
    size = 0
    for file in run:
        size += file.bytes
        if taken and size > MOST_BYTES:
            break
        taken.append(file)
    return taken if len(taken) > 1 else []


def _tier(file: ArchiveFile) -> int:
    """By powers of 16."""
    return max(1, file.bytes // SMALLEST_BYTES).bit_length() // 4
