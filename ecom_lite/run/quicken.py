"""The part of a run that makes what its JVMs lacked for a quick start: class archives, for the starts after this one."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from threading import Event
from typing import Final, Protocol

from ..errors import EcomLiteError, first_line
from ..observe.health import Health

SETTLE_S: Final = 20.0  # after ready: the first marts are built, and what a start loads has been loaded
AGAIN_S: Final = 20.0  # a JVM that had not yet loaded enough is looked at again
log = logging.getLogger("ecom_lite.supervise")


class Quickened(Protocol):
    """A server that starts from a class archive."""

    name: str

    @property
    def archive_missing(self) -> bool: ...
    def list_classes(self) -> bool: ...
    def build_archive(self, stop: Event | None = None) -> bool: ...


class Quicken:
    """Works at the lowest priority, one archive after the other, and never fails a run: what it cannot make is told and left."""

    name = "fast-start"

    def __init__(self, servers: Sequence[Quickened], settle_s: float = SETTLE_S, again_s: float = AGAIN_S) -> None:
        self._servers = servers
        self._settle_s = settle_s
        self._again_s = again_s
        self._told = ""

    def start(self) -> None:
        self._tell("later starts will be quicker: class archives are made in a while, at the lowest priority")

    def run(self, stop: Event) -> None:
        missing = [server for server in self._servers if server.archive_missing]
        stop.wait(self._settle_s)
        while missing and not stop.is_set():
            missing = [server for server in missing if not self._settled(server, stop)]
            if missing:
                stop.wait(self._again_s)
        stop.wait()

    def _settled(self, server: Quickened, stop: Event) -> bool:
        """Whether nothing is left to do for it."""
        if stop.is_set():
            return True
        try:
            if not server.list_classes():
                return False
            began = time.monotonic()
            self._tell(f"making {server.name}'s class archive, at the lowest priority")
            if server.build_archive(stop):
                self._tell(
                    f"{server.name}'s class archive was made in {time.monotonic() - began:.0f} s: later starts are quicker"
                )
                return True
            return stop.is_set()  # another run makes it: look again
        except (EcomLiteError, OSError) as error:
            self._tell(f"no class archive for {server.name}: {first_line(error)}")
            return True

    def _tell(self, what: str) -> None:
        log.info("%s: %s", self.name, what)
        self._told = what

    def stop(self) -> None:
        pass

    def health(self) -> Health:
        return Health(True, self._told)
