"""Owns a JVM's class archive: a server's classes parsed and checked once, which halves the CPU of its start and more.

A run lists the classes it loads; `build` makes the archive from the list; later runs map it. The JVM compares Java version and
jars by itself and goes on without an archive that does not fit. Of Kafka 60 MB and 3 s to make, of Spark 200 MB and 15 s.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ecom_lite.engines.child import Child, ChildRegistry
from ecom_lite.engines.java import java_version

BUILD_DEADLINE_S: Final = 300.0
BUILD_HEAP: Final = "-Xmx1g"
BUILD_NICE: Final = "19"
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
        key = "\n".join([str(java.resolve()), str(java_version(java)), *flags, *map(_identity, _jars(classpath))])
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
            return [f"-XX:SharedArchiveFile={self.path}", *QUIET]
        self._listing.unlink(missing_ok=True)
        return [] if self._list.is_file() else [f"-XX:DumpLoadedClassList={self._listing}"]

    def keep_list(self) -> None:
        """Call after the JVM has ended by itself: the list of its classes is whole then."""
        try:
            with self._listing.open("rb") as file:
                if sum(1 for _ in file) < self._min_classes:
                    return
            self._list.parent.mkdir(parents=True, exist_ok=True)
            draft = self._list.with_name(f"{self._list.name}.{os.getpid()}")
            shutil.copyfile(self._listing, draft)
            draft.replace(self._list)
        except FileNotFoundError:
            return

    def discard(self) -> None:
        """Remove archive and list: a JVM did not start with it."""
        self.path.unlink(missing_ok=True)
        self._list.unlink(missing_ok=True)

    def build(self, log: Path, registry: ChildRegistry | None = None, deadline_s: float = BUILD_DEADLINE_S) -> bool:
        """Make the archive from the list, at the lowest priority, with 500 MB for that time. Blocks. The list goes.

        True when there is an archive afterwards, False when there is nothing to make it from. Raises EngineError.
        """
        if not self.buildable:
            return self.ready
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        nice = ["nice", "-n", BUILD_NICE] if shutil.which("nice") else []
        child = Child(
            "Java's class archive",
            [
                *(*nice, str(self._java), BUILD_HEAP, *self._flags, "-Xshare:dump", *QUIET),
                *(f"-XX:SharedClassListFile={self._list}", f"-XX:SharedArchiveFile={draft}", "-cp", self._classpath),
            ],
            log=log,
            registry=registry,
        )
        try:
            child.start()
            if child.wait(deadline_s) != 0 or not draft.is_file():
                raise child.failure(f"making {self.path}")
            draft.replace(self.path)
            self._list.unlink(missing_ok=True)
        finally:
            child.kill()
            draft.unlink(missing_ok=True)
        return True


def _jars(classpath: Sequence[Path]) -> list[Path]:
    """The files of a class path; a folder's `*` stands for its jars."""
    return [jar for entry in classpath for jar in (sorted(entry.parent.glob("*.jar")) if entry.name == "*" else [entry])]


def _identity(jar: Path) -> str:
    found = jar.stat()
    return f"{jar}:{found.st_size}:{found.st_mtime_ns}"
