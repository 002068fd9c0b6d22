"""Who waits for the marts keeps nobody else waiting."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from ecom_lite.dashboards import Page
from ecom_lite.observe.status import RunStatus
from ecom_lite.warehouse.connect import Address
from tests.runs import wait_for
from tests.unit.dashboards.asking import ask

BOARDS = Path(__file__).resolve().parents[3] / "grafana" / "dashboards"
NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {"ecom_reader": "none"})  # no query is asked here
MANY = 50  # more than the threads that answers share
SOON_S = 20


@dataclass
class Built:
    status: str = "success"


class Slow:
    """Marts that are built when `go` is set."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go = threading.Event()

    def refresh(self, trigger: str, *, full_refresh: bool, select: Sequence[str], said: Callable[[str], None]) -> Built:
        self.begun.append(trigger)
        self.go.wait(3 * SOON_S)
        return Built()

    def require_known(self, select: Sequence[str]) -> None: ...

    def docs(self) -> Path:
        raise AssertionError("not asked for here")


def test_many_who_wait_for_the_marts_leave_threads_for_others() -> None:
    marts = Slow()
    page = Page(NOWHERE, BOARDS, "127.0.0.1", 0, RunStatus, marts=marts)
    page.start()
    try:
        with ExitStack() as opened:
            waiting = []
            for _ in range(MANY):
                waiting.append(opened.enter_context(closing(http.client.HTTPConnection("127.0.0.1", page.port, timeout=SOON_S))))
                waiting[-1].request("POST", "/api/refresh", b"", {"Authorization": f"Bearer {page.token}"})
            wait_for(lambda: len(marts.begun) == MANY, "all to be asked for")
            assert ask(page, "/api/status")[0] == 200
            marts.go.set()
            assert {each.getresponse().read() for each in waiting} == {b'{"run": {"status": "success"}}\n'}
    finally:
        marts.go.set()
        page.stop()
