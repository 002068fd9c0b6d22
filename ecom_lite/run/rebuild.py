"""An empty warehouse from the raw archive alone: read by the lake's reader, loaded by the loader's own code, then the marts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import TYPE_CHECKING, Any, Final

from ..archive.names import raw_folder
from ..archive.read import ArchiveReader, Chunk
from ..check.fingerprint import fingerprint
from ..errors import LakeError, TransformError, UsageError
from ..load.replay import Replay, Replayed, Slice, topic_id_of
from ..settings.data_dir import LAKE
from ..settings.tree import Settings
from .marts import Marts
from .servers import servers

if TYPE_CHECKING:
    from ..terminal.terminal import Terminal

SAY_EVERY_S: Final = 5.0
GAPS_SHOWN: Final = 10
DAY_MS: Final = 86_400_000


@dataclass(frozen=True)
class Rebuilt:
    """What came of it. `missing`: offsets [first, end) that the archive does not have, by topic and partition."""

    loaded: Replayed
    missing: dict[tuple[str, int], list[tuple[int, int]]]
    seconds: float
    fingerprint: str

    def as_json(self) -> dict[str, Any]:
        gaps = [
            {"topic": topic, "partition": partition, "first": first, "last": end - 1}
            for (topic, partition), found in sorted(self.missing.items())
            for first, end in found
        ]
        return {**self.loaded.as_json(), "missing": gaps, "seconds": round(self.seconds, 1), "fingerprint": self.fingerprint}


def rebuild(settings: Settings, terminal: Terminal, *, with_gaps: bool) -> Rebuilt:
    """Fill the warehouse of the settings, which must be empty. Our own PostgreSQL is started for it, or made.

    Raises UsageError where there is no archive or the warehouse has facts; LakeError where the archive lacks offsets and not
    `with_gaps`, or a file cannot be read; AlreadyRunning beside a live run.
    """
    began = time.monotonic()
    reader = ArchiveReader(settings.data_dir / LAKE, settings.topics)
    try:
        folder = raw_folder(settings.data_dir / LAKE)
        if not reader.places:
            there = f"; there are files of {', '.join(reader.others)}" if reader.others else ""
            raise UsageError(f"{folder} has no records of {', '.join(settings.topics)}{there}: nothing can be rebuilt from it")
        if reader.missing and not with_gaps:
            raise LakeError(f"{_told(reader.missing)}; `ecom_lite rebuild --with-gaps` does without them and notes them as lost")
        if reader.others:
            terminal.say(f"left out, as no setting names them: files of {', '.join(reader.others)}", "yellow")
        with servers(settings, "rebuild", terminal, kafka=False, sets_clock=True) as started:
            with terminal.busy("starting PostgreSQL"):
                started.supervisor.start()
            address = started.reach.address
            with Replay(settings, address, reader.mark) as replay:
                replay.begin()
                _load_all(reader, replay, terminal)
                terminal.say("all records are loaded, the marts are built")
                run = Marts(settings, lambda: address).refresh("refresh", said=lambda text: None)
                if run.status != "success":
                    raise TransformError(f"all records are loaded, the marts are not built: dbt says {run.status}: {run.message}")
                replay.end()
            found = fingerprint(address)
        return Rebuilt(replay.done, reader.missing, time.monotonic() - began, found.fingerprint)
    finally:
        reader.close()


def _load_all(reader: ArchiveReader, replay: Replay, terminal: Terminal) -> None:
    total = sum(reader.count(*place) for place in reader.places)
    next_word = time.monotonic() + SAY_EVERY_S

    def told(found: Iterable[Slice]) -> Iterator[Slice]:
        nonlocal next_word
        for each in found:
            yield each
            if time.monotonic() >= next_word:
                next_word = time.monotonic() + SAY_EVERY_S
                terminal.say(f"{replay.done.records:,} of {total:,} records are loaded")

    for topic, partition in reader.places:
        replay.load(topic, partition, topic_id_of(reader.about(topic)), told(slices(reader.records(topic, partition))))


def slices(chunks: Iterable[Chunk]) -> Iterator[Slice]:
    """What the archive has, as the loader takes it. How far in the future an event may lie is judged as of then, not as of now:
    by the broker's time of the newest record, and where that is none, by the day of the file, after which none of it came."""
    return map(_slice, chunks)


def _slice(chunk: Chunk) -> Slice:
    day = datetime.combine(chunk.day, time_of_day(), UTC)
    newest_ms = max((record.timestamp for record in chunk.records), default=-1)
    into_day_ms = newest_ms - round(day.timestamp() * 1000)  # a producer may have set any time: what is no day's is cut off
    now = day + timedelta(milliseconds=min(max(into_day_ms, 0), DAY_MS))
    return Slice(chunk.first, chunk.end, now, list(chunk.records))


def _told(missing: dict[tuple[str, int], list[tuple[int, int]]]) -> str:
    gaps = [
        f"{topic}[{partition}] {first} .. {end - 1}"
        for (topic, partition), found in sorted(missing.items())
        for first, end in found
    ]
    more = f" and {len(gaps) - GAPS_SHOWN} more" if len(gaps) > GAPS_SHOWN else ""
    return f"the archive lacks the offsets {', '.join(gaps[:GAPS_SHOWN])}{more}"
