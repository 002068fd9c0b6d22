"""The lake's loop while there is no room: no pass, no file, and it says what it waits for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ecom_lite.lake.service import LakeService
from ecom_lite.observe.figures import ArchiveFigures
from ecom_lite.settings.tree import Lake
from ecom_lite.warehouse.connect import Address
from tests.running import Running
from tests.runs import wait_for

NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {})


class Beside:
    figures = ArchiveFigures()
    held = ""

    def hold(self, reason: str) -> None:
        self.held = reason

    def start(self) -> None: ...

    def raise_failure(self) -> None: ...

    def stop(self) -> None: ...


def test_while_it_is_held_it_writes_nothing_and_says_why(tmp_path: Path) -> None:
    told: list[Any] = []
    beside = Beside()
    service = LakeService(Lake(), NOWHERE, tmp_path / "lake", told.append, beside)
    service.hold("room")
    running = Running(service.run)
    wait_for(lambda: told and told[-1].waiting_for == "waits for room", "it says so")
    running.end()
    assert running.failure is None and beside.held == "room"
    assert told[-1].figures.passes == 0 and not list(tmp_path.rglob("*.parquet"))
