"""Owns the JVM's class archive: Spark's classes parsed and checked once, which more than halves the CPU of a start.

The first run lists the classes it loads; `build` makes the archive from the list; later runs map it. The JVM compares Java
version and jars by itself and goes on without an archive that does not fit.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from ecom_lite.engines.child import Child, ChildRegistry
from ecom_lite.engines.java import java_version

BUILD_DEADLINE_S: Final = 300.0
BUILD_HEAP: Final = "-Xmx1g"
BUILD_NICE: Final = "19"
MIN_CLASSES: Final = 10_000  # a run that ended early has listed fewer: not worth an archive


class ClassArchive:
    """One archive per Java, Spark and set of flags, in a folder shared by all data folders. About 200 MB."""

    def __init__(self, folder: Path, work_dir: Path, java: Path, flags: Sequence[str], classpath: str) -> None:
        self._java = java
        self._flags = list(flags)
        self._classpath = classpath
        key = "\n".join([str(java), str(java_version(java)), version("pyspark"), classpath, *flags])
        name = "spark-" + hashlib.sha256(key.encode()).hexdigest()[:16]
        self.path = folder / f"{name}.jsa"
        self._list = folder / f"{name}.classes"
        self._listing = work_dir / "classes.lst"

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
            return [f"-XX:SharedArchiveFile={self.path}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"]
        self._listing.unlink(missing_ok=True)
        return [] if self._list.is_file() else [f"-XX:DumpLoadedClassList={self._listing}"]

    def keep_list(self) -> None:
        """Call after the JVM has ended by itself: the list of its classes is whole then."""
        try:
            with self._listing.open("rb") as file:
                if sum(1 for _ in file) < MIN_CLASSES:
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
        """Make the archive from the list, at the lowest priority: some 15 s of CPU and 500 MB for that time. Blocks.

        True when there is an archive afterwards. A failure is no error, only no archive; its reason is in `log`.
        """
        if not self.buildable:
            return self.ready
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        nice = ["nice", "-n", BUILD_NICE] if shutil.which("nice") else []
        child = Child(
            "Spark's class archive",
            [
                *(*nice, str(self._java), BUILD_HEAP, *self._flags, "-Xshare:dump", "-Xlog:cds=off", "-Xlog:cds+heap=off"),
                *(f"-XX:SharedClassListFile={self._list}", f"-XX:SharedArchiveFile={draft}", "-cp", self._classpath),
            ],
            log=log,
            registry=registry,
        )
        try:
            child.start()
            if child.wait(deadline_s) == 0 and draft.is_file():
                draft.replace(self.path)
        finally:
            child.kill()
            draft.unlink(missing_ok=True)
        return self.ready
