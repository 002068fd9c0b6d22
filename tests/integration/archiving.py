"""A raw archive for a test: in a thread, or as a process that kills itself at a point of its work; and what is in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ecom_lite.archive.archive import Archive
from ecom_lite.archive.files import ArchiveWriter
from ecom_lite.archive.names import ArchiveFile, raw_folder
from ecom_lite.archive.read import ArchiveReader
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.tree import Settings
from ecom_lite.topic.records import Record
from tests.running import Running

POINTS = ("drafted", "placed", "merging", "merged")
EVERY_S = 0.05
Row = tuple[int, int, int, bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...]]


def settings_for(*topics: str, **flags: Any) -> Settings:
    """The first topic is kafka.topic, each further one a source's."""
    events = {f"more{n}": {"topic": topic} for n, topic in enumerate(topics[1:])}
    given = {name.replace("__", "."): value for name, value in flags.items()}
    return load_settings(env={}, flags={"kafka.topic": topics[0], **({"events": events} if events else {}), **given})


def archiving(bootstrap: str, lake: Path, *topics: str, drain_s: float = 50, **options: Any) -> tuple[Archive, Running]:
    archive = Archive(settings_for(*topics), bootstrap, lake, **{"every_s": EVERY_S, **options})
    return archive, Running(lambda stop: archive.run(stop, drain_s))


def archive_all(bootstrap: str, lake: Path, *topics: str, **options: Any) -> Archive:
    """Run an archive until all is in it that the topics hold now."""
    archive, running = archiving(bootstrap, lake, *topics, **options)
    running.end()
    if running.failure is not None:
        raise running.failure
    return archive


def archive_records(lake: Path, records: Sequence[Record], topic: str = "t", day: date = date(2026, 11, 27)) -> ArchiveFile:
    """One file with these records, without a broker."""
    writer = ArchiveWriter(raw_folder(lake))
    try:
        extent = records[0].offset, records[-1].offset + 1
        return writer.write(topic, records[0].partition, extent, day, records, {"topic": topic})
    finally:
        writer.close()


def archived(lake: Path, topic: str) -> list[Row]:
    """All records of a topic that the archive has, partition after partition."""
    reader = ArchiveReader(lake, [topic])
    try:
        chunks = (chunk for _, partition in reader.places for chunk in reader.records(topic, partition))
        return [(*record,) for chunk in chunks for record in chunk.records]
    finally:
        reader.close()


def start_victim(bootstrap: str, lake: Path, topic: str, point: str, nth: int) -> subprocess.Popen[bytes]:
    """An archive in a process that kills itself when it passes a point for the nth time."""
    return subprocess.Popen([sys.executable, "-m", __name__, bootstrap, str(lake), topic, point, str(nth)], stdin=subprocess.PIPE)


def main() -> None:
    bootstrap, lake, topic, point, nth = sys.argv[1:]
    left = int(nth)

    def strike(passed: str) -> None:
        nonlocal left
        left -= passed == point
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    stop = threading.Event()

    def until_stdin_ends() -> None:
        os.read(0, 1)
        stop.set()

    threading.Thread(target=until_stdin_ends, daemon=True).start()
    Archive(settings_for(topic), bootstrap, Path(lake), every_s=EVERY_S, at=strike).run(stop, 30)


if __name__ == "__main__":
    main()
