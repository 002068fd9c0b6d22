"""The lake's loop while there is no room: no pass, no file, and it says what it waits for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecom_lite.lake import service as serving
from ecom_lite.lake.service import LakeService
from ecom_lite.lake.writer import LakeBroken, Writer
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


def test_marts_that_cannot_be_read_do_not_keep_the_lake_from_being_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    class Idle(Writer):
        @property
        def is_open(self) -> bool:
            return True

        def sync(self) -> int:
            return 0

        def read(self, statement: bytes, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
            return [(0, 0, 0)]

    def broken() -> int:
        raise LakeBroken("column d.lines does not exist")

    monkeypatch.setattr(serving, "Writer", Idle)
    monkeypatch.setattr(serving, "Upkeep", lambda writer, keep_h: lambda: calls.append("upkeep"))
    monkeypatch.setattr(serving, "Daily", lambda writer: broken)
    told: list[Any] = []
    service = LakeService(Lake(), NOWHERE, tmp_path / "lake", told.append)
    running = Running(service.run)
    wait_for(lambda: len(calls) > 1, "upkeep is called again and again")
    running.end()
    assert running.failure is None and told[-1].waiting_for == "column d.lines does not exist"
