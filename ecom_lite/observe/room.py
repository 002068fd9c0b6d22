"""How much room is left on the disks that a run writes to, and what that means for it: judged by figures, without a disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import Struct

ENOUGH: Final = "enough"
LITTLE: Final = "little"  # the shop pauses
NONE: Final = "none"  # loaders, lake, dbt and Spark wait, too
STATES: Final = (ENOUGH, LITTLE, NONE)  # from the best to the worst
EASE_PERCENT: Final = 2.0  # so much more must be free than what began it, or it would begin and end all the time
GB: Final = 1e9


class Disk(NamedTuple):
    """One that the run writes to: a folder on it, and bytes as `df` counts them (what this user may have of it)."""

    place: Path
    used: int
    free: int


class Limits(NamedTuple):
    """Of a disk that is larger than `counts_bytes` no more than that counts: what matters there is what is free."""

    pause_percent: float
    wait_percent: float
    counts_bytes: float

    def needed(self, percent: float, disk: Disk) -> float:
        """Bytes that are free on it when it is so full."""
        return min(disk.used + disk.free, self.counts_bytes) * (100 - percent) / 100


class Room(Struct, frozen=True, kw_only=True):
    """Of the disk that has the least, by the limits of the settings."""

    state: str = ENOUGH  # enough, little (the shop pauses), none (loaders, lake, dbt and Spark wait, too)
    place: str = ""  # a folder on it; "" before the first look
    percent: float = 0.0  # that are in use
    free_bytes: int = 0
    enough_bytes: int = 0  # that must be free for the state to become better

    @property
    def scarce(self) -> bool:
        """The shop pauses."""
        return self.state != ENOUGH

    @property
    def told(self) -> str:
        """`the disk of /data is 96.1 % full, 0.78 GB are free`."""
        return f"the disk of {self.place} is {self.percent:.1f} % full, {self.free_bytes / GB:.2f} GB are free"

    @property
    def held(self) -> str:
        """What writers wait for; "" where they need not."""
        return f"room: {self.told}, it goes on at {self.enough_bytes / GB:.2f} GB" if self.state == NONE else ""

    @property
    def problem(self) -> str:
        """In one line for people; "" where there is enough."""
        if not self.scarce:
            return ""
        who = "the shop pauses" if self.state == LITTLE else "the shop pauses, and loaders, lake, dbt and Spark wait"
        return f"{self.told}: {who} until {self.enough_bytes / GB:.2f} GB are"


def judge(disks: Iterable[Disk], limits: Limits, before: str = ENOUGH) -> Room:
    """`before` is the state so far: it gets worse at a limit, and better only with EASE_PERCENT more than that."""
    return max(
        (_of(disk, limits, before) for disk in disks), key=lambda room: (STATES.index(room.state), room.percent), default=Room()
    )


def _of(disk: Disk, limits: Limits, before: str) -> Room:
    eased = {LITTLE: limits.pause_percent - EASE_PERCENT, NONE: limits.wait_percent - EASE_PERCENT}
    state = ENOUGH
    for worse, percent in ((LITTLE, limits.pause_percent), (NONE, limits.wait_percent)):
        kept = STATES.index(before) >= STATES.index(worse) and disk.free < limits.needed(eased[worse], disk)
        if kept or disk.free <= limits.needed(percent, disk):
            state = worse
    enough = 0 if state == ENOUGH else limits.needed(eased[state], disk)
    size = disk.used + disk.free
    return Room(
        state=state, place=str(disk.place), percent=round(100 * disk.used / size, 1) if size else 0.0, free_bytes=disk.free,
        enough_bytes=round(enough),
    )  # fmt: skip
