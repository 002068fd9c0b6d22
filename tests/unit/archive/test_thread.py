"""The thread of the raw archive: it ends when told to, and what ends it before is raised by whoever watches it."""

from __future__ import annotations

import threading

import pytest

from ecom_lite.archive.thread import ArchiveThread
from ecom_lite.observe.figures import ArchiveFigures
from tests.runs import wait_for


class Counting:
    """Notes how often it ran, and with what time to drain."""

    def __init__(self) -> None:
        self.figures = ArchiveFigures(records=3)
        self.runs: list[float] = []
        self.ended = False
        self.held = ""

    def hold(self, reason: str) -> None:
        self.held = reason

    def run(self, stop: threading.Event, drain_s: float) -> None:
        self.runs.append(drain_s)
        stop.wait()
        self.ended = True


class Dying:
    figures = ArchiveFigures()

    def hold(self, reason: str) -> None:
        raise AssertionError("nobody holds it")

    def run(self, stop: threading.Event, drain_s: float) -> None:
        raise RuntimeError("no such thing")


def test_it_runs_once_and_ends_when_told_to() -> None:
    loop = Counting()
    thread = ArchiveThread(loop, 7)
    thread.start()
    thread.start()
    wait_for(lambda: bool(loop.runs), "it runs")
    thread.raise_failure()
    thread.stop()
    thread.stop()
    assert loop.runs == [7] and loop.ended and thread.figures.records == 3


def test_it_can_be_stopped_before_it_was_started() -> None:
    loop = Counting()
    ArchiveThread(loop).stop()
    assert loop.runs == []


def test_what_ends_it_is_raised() -> None:
    thread = ArchiveThread(Dying())
    thread.start()

    def failed() -> bool:
        try:
            thread.raise_failure()
        except RuntimeError:
            return True
        return False

    wait_for(failed, "the failure is there")
    with pytest.raises(RuntimeError, match="no such thing"):
        thread.raise_failure()
    thread.stop()


def test_what_it_must_wait_for_reaches_the_loop() -> None:
    loop = Counting()
    ArchiveThread(loop, 7).hold("room")
    assert loop.held == "room"
