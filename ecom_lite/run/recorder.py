"""Records how the run is, every few seconds, for the dashboards: one row in ops.health_samples."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from ..errors import EcomLiteError
from ..observe.samples import ROLE, add_sample, thin_samples
from ..observe.status import RunStatus
from ..topic.ends import TopicEnds
from ..warehouse.offsets import Place, offsets_of
from .reach import Reach

SAMPLE_EVERY_S: Final = 5.0
THIN_EVERY: Final = 120  # samples
log = logging.getLogger("ecom_lite.supervise")


class Recorder:
    """`take` is a job of the schedule. `reach` is asked once the servers are up; `written` is the run's status of this second."""

    def __init__(self, reach: Callable[[], Reach], written: Callable[[], RunStatus]) -> None:
        self._reach = reach
        self._written = written
        self._lock = threading.Lock()
        self._ends: TopicEnds | None = None
        self._taken = 0
        self._silent = False  # the broker did not answer when it was asked last
        self._closed = False

    def take(self) -> None:
        """One sample. A broker that is away leaves its part empty. Raises psycopg.Error where PostgreSQL is away."""
        reach, status = self._reach(), self._written()
        with reach.address.only(ROLE).connect(ROLE, autocommit=True) as connection:
            # Before the broker is asked: what is loaded meanwhile then counts as lag, and no end is below what is loaded.
            loaded = offsets_of(connection, reach.topics)
            ends = self._ask(reach, status)
            add_sample(
                connection, reach.kafka.topic, loaded, ends, parts=status.parts, memory=status.resident_bytes,
                disk=status.disk_bytes, stream=status.stream,
            )  # fmt: skip
            if self._taken % THIN_EVERY == 0:
                thin_samples(connection)
            self._taken += 1

    def close(self) -> None:
        """Safe before `take`, twice, and while it works."""
        with self._lock:
            ends, self._ends, self._closed = self._ends, None, True
        if ends is not None:
            ends.close()

    def _ask(self, reach: Reach, status: RunStatus) -> dict[Place, int]:
        """The topics' ends; {} while the topics are not made yet, or where the broker does not answer."""
        if "topics" in status.parts and status.parts["topics"].state != "ready":
            return {}
        try:
            with self._lock:
                if self._closed:
                    return {}
                if self._ends is None or self._ends.config != reach.client:
                    self._ends = TopicEnds(reach.client, reach.topics)
                ends = self._ends
            found = ends.ask()
        except EcomLiteError as error:
            if not self._silent:
                log.warning("no lag is recorded: %s", error)
            self._silent = True
            return {}
        self._silent = False
        return found
