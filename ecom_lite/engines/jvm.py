"""What the Java servers that we start have in common: their command, a temporary folder of their own, a class archive."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Final

from ..settings.data_dir import write_plain
from .child import Child, ChildRegistry, inherited
from .class_archive import ClassArchive
from .server import Server

LOGGING: Final = "log4j2.properties"
TMP: Final = "tmp"


class JvmServer(Server):
    """A server in a JVM that works in `work_dir`. With an `archive_dir` it starts from a class archive there once there is one;
    until then a run that ends by itself leaves the list to make it from.
    """

    min_classes = 1  # that a whole run loads; an archive of fewer is not worth it
    stdin_pipe = False  # whether the JVM is told its end by the end of its stdin
    _child: Child

    def __init__(
        self,
        work_dir: Path,
        log: Path,
        *,
        java: Path,
        heap: Sequence[str],
        flags: Sequence[str],
        classpath: Sequence[Path],
        main: Sequence[str],
        registry: ChildRegistry | None,
        archive_dir: Path | None,
    ) -> None:
        super().__init__()
        self.work_dir = work_dir.absolute()
        self.log = log.absolute()
        self._tmp = self.work_dir / TMP
        self._java = java.absolute()
        self._before = [str(self._java), *heap, *flags]
        self._after = [f"-Djava.io.tmpdir={self._tmp}", f"-Dlog4j2.configurationFile={LOGGING}"]
        self._after += ["-cp", os.pathsep.join(map(str, classpath))]
        self._main = list(main)
        self._registry = registry
        self._archive: ClassArchive | None = None
        if archive_dir is not None:
            self._archive = ClassArchive(
                self.name.lower(), archive_dir.absolute(), self.work_dir / "classes.lst",
                java=self._java, flags=flags, classpath=classpath, min_classes=self.min_classes,
            )  # fmt: skip
        self._child = self._java_child(self.name, self._main)  # each start makes a new one

    def _java_child(self, name: str, main: Sequence[str], archive: Sequence[str] = ()) -> Child:
        """A JVM with the server's settings, for its own program or a tool of it."""
        argv = [*self._before, *archive, *self._after, *main]
        return Child(
            name, argv, log=self.log, env=self._env(), cwd=self.work_dir, stdin_pipe=self.stdin_pipe, registry=self._registry
        )

    def _env(self) -> Mapping[str, str]:
        return inherited()

    def _server_child(self) -> Child:
        return self._java_child(self.name, self._main, self._archive.jvm_args() if self._archive is not None else [])

    def _prepare(self, log_settings: str) -> None:
        """At each start: an empty temporary folder (a killed JVM leaves its unpacked native libraries), settings of the log."""
        shutil.rmtree(self._tmp, ignore_errors=True)
        self._tmp.mkdir(parents=True, mode=0o700)
        write_plain(self.work_dir / LOGGING, log_settings)

    def stop(self, grace_s: float) -> bool:
        """Stop the JVM, by force after `grace_s`; True when it went by itself. Safe before start and twice."""
        ran = self.alive
        graceful = super().stop(grace_s)
        if ran and graceful and self._archive is not None:
            self._archive.keep_list()
        return graceful

    @property
    def archive_ready(self) -> bool:
        """Whether the JVM starts from a class archive."""
        return self._archive is not None and self._archive.ready

    @property
    def archive_missing(self) -> bool:
        """Whether there is no archive, and may be one."""
        return self._archive is not None and not self._archive.ready

    @property
    def archive_wanted(self) -> bool:
        """Whether `build_archive` has something to do: an earlier run has listed its classes, and there is no archive yet."""
        return self._archive is not None and self._archive.buildable

    def list_classes(self) -> bool:
        """From what the JVM has loaded until now an archive may be made: True when that is enough for one."""
        return self._archive is not None and (self._archive.buildable or (self.alive and self._archive.keep_list()))

    def build_archive(self, stop: Event | None = None) -> bool:
        """Make the class archive for later starts, at the lowest priority; blocks, or until `stop`. True when there is one.

        Safe at any time: beside a JVM that runs, and when nothing is to be done. Raises EngineError.
        """
        log = self.log.with_name(f"{self.log.stem}-archive.log")
        return self._archive is not None and self._archive.build(log, self._registry, stop=stop)
