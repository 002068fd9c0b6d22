"""Owns what must stay the same as long as a checkpoint lives: the settings it was made with, and the broker it read from."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..errors import StreamError
from ..settings.tree import Settings
from .session import STATE_STORE

RESET: Final = "start with new data by `ecom_lite run --fresh`, or delete all of it by `ecom_lite reset`"
Offsets = Mapping[int, int]
log = logging.getLogger("ecom_lite.stream")


@dataclass(frozen=True)
class Checkpoint:
    """The folder of one query's checkpoint, and a small JSON beside it that says how it was made."""

    folder: Path

    @property
    def identity_file(self) -> Path:
        return self.folder.with_name(self.folder.name + ".json")

    @property
    def begun(self) -> bool:
        """Whether a query has run on it."""
        return any(self.folder.glob("offsets/[0-9]*"))

    def discard(self) -> None:
        """Delete it, where there is one."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.identity_file.unlink(missing_ok=True)

    def guard(self, settings: Settings, cluster_id: str) -> bool:
        """Remember at first use what the checkpoint depends on; True at that first use.

        Later raises StreamError when any of it has changed: Spark would go on with wrong figures, or fail less clearly.
        """
        now = {
            "spark.shuffle_partitions": settings.spark.shuffle_partitions,
            "kafka.topic": settings.kafka.topic,
            "Kafka cluster": cluster_id,
            "state store": STATE_STORE,
        }
        before = self._identity()
        if not self.begun or before is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            fresh = self.identity_file.with_suffix(".new")
            fresh.write_text(json.dumps(now, indent=1), "utf-8")
            fresh.replace(self.identity_file)
            return not self.begun
        changed = [f"{name} = {now[name]}, but it was {before[name]}" for name in now if before.get(name, now[name]) != now[name]]
        if changed:
            raise StreamError(
                f"The Spark checkpoint {self.folder} was made with other settings: {'; '.join(changed)}. "
                f"Set the old value again, or {RESET}."
            )
        return False

    def _identity(self) -> dict[str, object] | None:
        """What it was made with; None where nobody has written that, or a loss of power has torn it."""
        try:
            found = json.loads(self.identity_file.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def unfit(self, written: int) -> str:
        """Why no query can go on from here, or "": `written` is the newest micro-batch that PostgreSQL has, -1 for none.

        A loss of power may leave a file torn or missing, a database may be another one or an older copy. Then it is not known
        any more which lines are counted, and the query must begin anew.
        """
        newest = {kind: self._newest(kind) for kind in ("offsets", "commits")}
        for kind, number in newest.items():
            if number >= 0 and not _is_whole(self.folder / kind / str(number), 2 if kind == "offsets" else 1):
                return f"{self.folder / kind / str(number)} is not whole"
        if written > newest["offsets"]:
            return f"PostgreSQL has micro-batch {written}, of which {self.folder} knows nothing"
        if written < newest["commits"]:
            return f"PostgreSQL has not micro-batch {newest['commits']}, which {self.folder} has ended"
        return ""

    def _newest(self, kind: str) -> int:
        return max((int(path.name) for path in self.folder.glob(f"{kind}/[0-9]*") if path.name.isdecimal()), default=-1)

    def next_offsets(self, topic: str) -> dict[int, int]:
        """Where the query goes on reading, by partition; {} before its first batch."""
        batches = sorted(int(path.name) for path in self.folder.glob("offsets/[0-9]*") if path.name.isdecimal())
        for batch in reversed(batches):
            try:
                lines = (self.folder / "offsets" / str(batch)).read_text("utf-8").splitlines()
                offsets = json.loads(lines[2])[topic]
                return {int(partition): int(offset) for partition, offset in offsets.items()}
            except (OSError, ValueError, IndexError, KeyError):
                continue  # torn by a crash: Spark goes on from the one before
        return {}

    def compare(self, topic: str, first: Offsets, end: Offsets) -> None:
        """Warn of records that retention removed unread. StreamError when the topic ends before where the checkpoint is."""
        for partition, offset in sorted(self.next_offsets(topic).items()):
            if offset > end.get(partition, 0):
                raise StreamError(
                    f"The Spark checkpoint {self.folder} has read topic {topic}, partition {partition}, up to offset {offset}, "
                    f"but the topic ends at {end.get(partition, 0)}: it was made anew or is another one. "
                    f"Point kafka.bootstrap at the old one, or {RESET}."
                )
            if offset < first.get(partition, 0):
                log.warning(
                    "topic %s, partition %d: retention removed offsets %d to %d before the stream read them",
                    *(topic, partition, offset, first[partition] - 1),
                )


def _is_whole(file: Path, objects: int) -> bool:
    """A version, and so many lines of JSON."""
    try:
        version, *lines = file.read_text("utf-8").splitlines()
        return version.startswith("v") and len([json.loads(line) for line in lines]) >= objects
    except (OSError, ValueError):
        return False
