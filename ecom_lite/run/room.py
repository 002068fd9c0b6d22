"""Looks after the room on the disks that a run writes to, and tells those who must stop writing in time, and when to go on."""

from __future__ import annotations

import logging
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from typing import Final

from ..engines.pgfiles import CLUSTER
from ..observe.room import GB, Disk, Limits, Room, judge
from ..settings.data_dir import KAFKA, LAKE, POSTGRES, SPARK
from ..settings.tree import Settings

LOOK_EVERY_S: Final = 1.0
log = logging.getLogger("ecom_lite.supervise")
Usage = Callable[[Path], tuple[int, int, int]]  # total, used, free, as shutil.disk_usage


class RoomWatch:
    """`look` is a job of the schedule; `now` is for any thread. Only the run's own pause is ever ended by it.

    `usage` asks for a file system; a folder that is not there yet has none.
    """

    def __init__(self, settings: Settings, usage: Usage = shutil.disk_usage) -> None:
        run, folder = settings.run, settings.data_dir
        self._limits = Limits(run.disk_pause_percent, run.disk_wait_percent, run.disk_counts_gb * GB)
        # The cluster may be elsewhere where we are root, and any of these may be a link to another disk.
        self._places = [folder, *(folder / name for name in (KAFKA, POSTGRES, f"{POSTGRES}/{CLUSTER}", LAKE, SPARK))]
        self._usage = usage
        self._hearers: list[Callable[[Room], None]] = []
        self._news: deque[Room] = deque()
        self._lock = Lock()
        self.now = Room()
        self.look()

    def hear(self, changed: Callable[[Room], None]) -> None:
        """It is called with each change of the state, and once now where there is not enough."""
        self._hearers.append(changed)
        if self.now.scarce:
            changed(self.now)

    def held(self) -> str:
        """What writers wait for; "" where they need not."""
        return self.now.held

    def news(self) -> list[Room]:
        """Changes of the state since it was last asked."""
        found = []
        while self._news:
            found.append(self._news.popleft())
        return found

    def look(self) -> None:
        """Some file systems are asked: microseconds."""
        with self._lock:
            before = self.now
            room = judge(self._disks(), self._limits, before.state)
            self.now = room
            if room.state == before.state:
                return
            self._news.append(room)
            if room.scarce:
                log.warning("%s", room.problem)
            else:
                log.info("room again: %s", room.told)
            for changed in self._hearers:
                changed(room)

    def _disks(self) -> Iterator[Disk]:
        seen: set[int] = set()
        for place in self._places:
            try:
                device = place.stat().st_dev
                if device not in seen:
                    seen.add(device)
                    _, used, free = self._usage(place)
                    yield Disk(place, used, free)
            except OSError:
                continue  # not there yet, or a moment ago
