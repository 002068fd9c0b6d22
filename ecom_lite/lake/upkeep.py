"""What keeps the lake small: small files are merged, snapshots expire, and files that nothing needs any more are deleted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ..warehouse.duck import literal
from ..warehouse.sqlfiles import read_sql
from .attach import LAKE
from .writer import Writer

MERGE_EVERY_S: Final = 60.0
EXPIRE_EVERY_S: Final = 600.0
ORPHANS_EVERY_S: Final = 3600.0
STILL_READ_S: Final = 900  # a file that was merged away may still be read so long
ORPHAN_S: Final = 3600  # a file that is in no catalogue may still be being written so long
PATTERN: Final = "*?["  # what makes one of a path
log = logging.getLogger("ecom_lite.lake")


@dataclass(frozen=True)
class Tier:
    """Files of a size are merged once a partition has so many: each row is written anew once per tier, not once per merge."""

    least: int
    most: int
    files: int


TIERS: Final = (Tier(0, 1 << 20, 16), Tier(1 << 20, 32 << 20, 8))


def ago(seconds: float) -> datetime:
    """So long before now."""
    return datetime.now(UTC) - timedelta(seconds=seconds)


class Upkeep:
    """Call it between two passes of the writer: it does what is due. `ago` says which moment of the world's clock was so many
    seconds of `clock` ago."""

    def __init__(
        self, writer: Writer, keep_snapshots_h: float, clock: Callable[[], float] = time.monotonic,
        tiers: Sequence[Tier] = TIERS, ago: Callable[[float], datetime] = ago,
    ) -> None:  # fmt: skip
        self._writer = writer
        self._tiers = tiers
        self._keep_s = keep_snapshots_h * 3600
        self._clock, self._ago = clock, ago
        now = clock()
        self._merged = self._expired = now
        self._looked = now - ORPHANS_EVERY_S  # a writer that was killed may have left some

    def __call__(self) -> None:
        """Raises LakeBroken."""
        now = self._clock()
        if now - self._merged >= MERGE_EVERY_S:
            self._merged = now
            self.merge()
            self.delete(STILL_READ_S)
        if now - self._expired >= EXPIRE_EVERY_S:
            self._expired = now
            self.expire()
        if now - self._looked >= ORPHANS_EVERY_S:
            self._looked = now
            self.delete_orphans(ORPHAN_S)

    def merge(self) -> int:
        """Merge where a partition has many files of one size; returns how many files there are less."""
        merged = 0
        for tier in self._tiers:
            values = {"least": tier.least, "most": tier.most, "files": tier.files}
            crowded = self._writer.read(read_sql(__package__, "crowded"), values)
            for (table,) in crowded:
                sizes = f"min_file_size => {tier.least}, max_file_size => {tier.most}"
                done = self._writer.carry_out(f"CALL ducklake_merge_adjacent_files('{LAKE}', '{table}', {sizes})")
                merged += sum(before - after for *_, before, after in done)
        return merged

    def expire(self) -> None:
        """Forget snapshots that are older than they are to be kept."""
        self._writer.carry_out(f"CALL ducklake_expire_snapshots('{LAKE}', older_than => {self._moment(self._keep_s)})")

    def delete(self, unused_s: float) -> int:
        """Delete files that no snapshot has needed for so long; returns how many."""
        return len(self._writer.carry_out(f"CALL ducklake_cleanup_old_files('{LAKE}', older_than => {self._moment(unused_s)})"))

    def delete_orphans(self, old_s: float) -> int:
        """Delete files of that age that were written and never committed; returns how many."""
        # DuckLake looks for them by a pattern: in "run [1]" it would find the files of "run 1", which are of another lake.
        if set(PATTERN) & set(str(self._writer.folder)):
            return 0
        found = self._writer.carry_out(f"CALL ducklake_delete_orphaned_files('{LAKE}', older_than => {self._moment(old_s)})")
        if found:
            log.info("deleted %d files that a writer has left", len(found))
        return len(found)

    def _moment(self, seconds: float) -> str:
        return f"TIMESTAMPTZ {literal(self._ago(seconds).isoformat())}"
