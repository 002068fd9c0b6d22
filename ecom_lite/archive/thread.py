"""The raw archive beside the lake's own loop: a thread that is not lost without a word."""

from __future__ import annotations

import logging
import threading
from typing import Final, Protocol

from ..observe.figures import ArchiveFigures

DRAIN_S: Final = 20.0
SLACK_S: Final = 5.0
log = logging.getLogger("ecom_lite.archive")


class Loop(Protocol):
    """What an Archive is here."""

    @property
    def figures(self) -> ArchiveFigures: ...

    def hold(self, reason: str) -> None: ...

    def run(self, stop: threading.Event, drain_s: float) -> None: ...


class ArchiveThread:
    """Runs `loop` from `start` to `stop`; both may be called twice, `stop` also before `start`."""

    def __init__(self, loop: Loop, drain_s: float = DRAIN_S) -> None:
        self._loop = loop
        self._drain_s = drain_s
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="raw-archive", daemon=True)

    @property
    def figures(self) -> ArchiveFigures:
        """The newest of the loop."""
        return self._loop.figures

    def hold(self, reason: str) -> None:
        """Write no file while there is a reason to; from any thread."""
        self._loop.hold(reason)

    def start(self) -> None:
        if self._thread.ident is None:
            self._thread.start()

    def raise_failure(self) -> None:
        """Whatever has ended it: none of what an archive waits for by itself."""
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Blocks until what the topics hold now is archived, or its time is over."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(self._drain_s + SLACK_S)

    def _run(self) -> None:
        try:
            self._loop.run(self._stop, self._drain_s)
        except BaseException as error:
            log.exception("the raw archive died")
            self._failure = error
