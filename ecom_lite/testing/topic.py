"""The warehouse of one test, in the shared engines of its session: the keeper does the work, this asks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .lease import Lease
from .line import result
from .warehouse import WAIT_S, LightWarehouse

if TYPE_CHECKING:
    from ..check.verdict import Report
    from ..transform import DbtRun


class TopicWarehouse(LightWarehouse):
    """A topic, a database and a loader of a test's own, on engines that are shared: nobody else sends to it or loads from it."""

    def __init__(self, lease: Lease, known: Mapping[str, str], wait_s: float = WAIT_S) -> None:
        self._lease = lease
        self.bootstrap, self.topic, self.conninfo = known["bootstrap"], known["topic"], known["conninfo"]
        self.wait_s = wait_s

    def reset(self) -> None:
        """All that was sent and loaded is gone; topic and database keep their names. Takes about as long as a new one."""
        self._lease.ask("reset", self.topic)

    def wait_loaded(self, timeout_s: float | None = None) -> None:
        self._lease.ask("wait", self.topic, self.wait_s if timeout_s is None else timeout_s)

    def refresh(self) -> DbtRun:
        from ..transform import DbtRun

        return result(self._lease.ask("refresh", self.topic), DbtRun)

    def check(self) -> Report:
        return self._report(marts=True)

    def _check_count(self) -> Report:
        return self._report(marts=False)

    def _report(self, *, marts: bool) -> Report:
        from ..check.verdict import Report

        return result(self._lease.ask("check", self.topic, marts), Report)


@contextmanager
def topic_warehouse(lease: Lease, name: str, flags: Mapping[str, Any], wait_s: float) -> Iterator[TopicWarehouse]:
    """One that goes at the end; `name` is its topic's, or empty. Raises EcomLiteError where the engines do not start."""
    warehouse = TopicWarehouse(lease, lease.ask("open", name, dict(flags)), wait_s)
    try:
        yield warehouse
    finally:
        lease.close(warehouse.topic)
