"""Owns a JVM's class archive: a server's classes parsed and checked once, which halves the CPU of its start and more.

A run lists the classes it loads; `build` makes the archive from the list; later runs map it. The JVM compares Java version and
jars by itself and goes on without an archive that does not fit. Of Kafka 60 MB and 5 s to make, of Spark 190 MB and 27 s.
Why not the AOT cache of Java 25: docs/decisions/0043-class-archives-made-unasked.md.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Final

from ecom_lite.engines.child import Child, ChildRegistry
from ecom_lite.engines.java import java_version
from ecom_lite.errors import EngineError
from ecom_lite.system import at_lowest_priority, lock

BUILD_DEADLINE_S: Final = 600.0
BUILD_HEAP: Final = "-Xmx1g"
FREE_BYTES: Final = 1 << 30  # less room than that on the disk: no archive
KEPT: Final = 4  # archives of one server: other versions, flags and environments share the folder
POLL_S: Final = 0.2
QUIET: Final = ("-Xlog:cds=off", "-Xlog:cds+dynamic=off", "-Xlog:cds+heap=off")  # else a start has lines of it in its log


class ClassArchive:
    """The archive of server `name`: one for each Java, set of jars and set of flags, in a folder shared by all data folders.

    `listing` is where a run lists its classes. A run that ended early has listed fewer than `min_classes`: not worth an archive.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        listing: Path,
        *,
        java: Path,
        flags: Sequence[str],
        classpath: Sequence[Path],
        min_classes: int,
    ) -> None:
        self._java = java
        self._flags = list(flags)
        self._classpath = os.pathsep.join(map(str, classpath))
        self._min_classes = min_classes
        self._family = f"{name}-*.jsa"
        key = "\n".join([str(java.resolve()), str(java_version(java)), *flags, *map(identity, jars_of(classpath))])
        self.path = folder / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.jsa"
        self._list = self.path.with_suffix(".classes")
        self._listing = listing

    @property
    def ready(self) -> bool:
        """Whether there is an archive to start with."""
        return self.path.is_file()

    @property
    def buildable(self) -> bool:
        """Whether there is none, but the list to make it from."""
        return not self.ready and self._list.is_file()

    def jvm_args(self) -> list[str]:
        """What to start the JVM with: use the archive, or list classes for it."""
        if self.ready:
            with suppress(OSError):
                os.utime(self.path)  # it is in use: `_forget_unused` looks at that
            return [f"-XX:SharedArchiveFile={self.path}", *QUIET]
        self._listing.unlink(missing_ok=True)
        return [] if self._list.is_file() else [f"-XX:DumpLoadedClassList={self._listing}"]

    def keep_list(self) -> bool:
        """Keep what the JVM has listed until now for `build`: whole lines, and only where they are enough. True when they are.

        Of a JVM that has been at work for a while, or has ended by itself: all that a start needs is listed then.
        """
        try:
            lines = self._listing.read_bytes().splitlines(keepends=True)
            if lines and not lines[-1].endswith(b"\n"):
                lines.pop()
            if len(lines) < self._min_classes:
                return False
            self._list.parent.mkdir(parents=True, exist_ok=True)
            draft = self._list.with_name(f"{self._list.name}.{os.getpid()}")
            draft.write_bytes(b"".join(lines))
            draft.replace(self._list)
            return True
        except FileNotFoundError:
            return False

    def discard(self) -> None:
        """Remove archive and list: a JVM did not start with it."""
        self.path.unlink(missing_ok=True)
        self._list.unlink(missing_ok=True)

    def build(
        self, log: Path, registry: ChildRegistry | None = None, deadline_s: float = BUILD_DEADLINE_S, stop: Event | None = None
    ) -> bool:
        """Make the archive from the list, at the lowest priority, with 500 MB for that time. Blocks. The list goes.

        True when there is an archive afterwards; False when there is nothing to make it from, another process makes it, or
        `stop` was set. Raises EngineError.
        """
        if not self.buildable:
            return self.ready
        with self._alone() as alone:
            return self._build(log, registry, deadline_s, stop or Event()) if alone and self.buildable else self.ready

    def _build(self, log: Path, registry: ChildRegistry | None, deadline_s: float, stop: Event) -> bool:
        if (free := shutil.disk_usage(self.path.parent).free) < FREE_BYTES:
            raise EngineError(f"no class archive is made in {self.path.parent}: {free >> 20} MB are free there, not 1,024")
        for left in self.path.parent.glob(f"{self.path.name}.*"):  # by one that was killed: nobody else is at work
            left.unlink(missing_ok=True)
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        child = Child(
            "Java's class archive",
            [
                *(*at_lowest_priority(), str(self._java), BUILD_HEAP, *self._flags, "-Xshare:dump", *QUIET),
                *(f"-XX:SharedClassListFile={self._list}", f"-XX:SharedArchiveFile={draft}", "-cp", self._classpath),
            ],
            log=log,
            registry=registry,
        )
        give_up = time.monotonic() + deadline_s
        try:
            child.start()
            while (code := child.wait(POLL_S)) is None and time.monotonic() < give_up:
                if stop.is_set():
                    return False
            if code != 0 or not draft.is_file():
                raise child.failure(f"making {self.path}")
            draft.replace(self.path)
            self._list.unlink(missing_ok=True)
        finally:
            child.kill()
            draft.unlink(missing_ok=True)
        self._forget_unused()
        return True

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether no other process makes this archive now."""
        file = self.path.with_suffix(".lock")
        with file.open("w") as held:
            if not lock(held, wait=False):
                yield False
                return
            yield True
            file.unlink(missing_ok=True)

    def _forget_unused(self) -> None:
        """Of this server's archives only those stay that were used last."""
        found = sorted(self.path.parent.glob(self._family), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in found[KEPT:]:
            file.unlink(missing_ok=True)


def jars_of(classpath: Sequence[Path]) -> list[Path]:
    """The files of a class path; a folder's `*` stands for its jars."""
    return [jar for entry in classpath for jar in (sorted(entry.parent.glob("*.jar")) if entry.name == "*" else [entry])]


def identity(jar: Path) -> str:
    """Changes when the jar does."""
    found = jar.stat()
    return f"{jar}:{found.st_size}:{found.st_mtime_ns}"
