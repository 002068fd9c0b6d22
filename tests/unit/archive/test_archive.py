"""An archive that is to end tries a few times, whatever the first error is; what it writes is proven on real engines."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError

from ecom_lite.archive import archive as module
from ecom_lite.archive.archive import LAST_TRIES, Archive
from ecom_lite.settings.load import load_settings


class Sessions:
    """Stands where the archive's sessions stand: each has an outcome, True or an error, and remembers its time to drain."""

    def __init__(self, *outcomes: object, before: Callable[[], None] = lambda: None) -> None:
        self.outcomes = list(outcomes)
        self.drains: list[float] = []
        self._before = before

    def __call__(self, *_: Any) -> Sessions:
        return self

    def run(self, stop: threading.Event, drain_s: float) -> bool:
        self.drains.append(drain_s)
        self._before()
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return bool(outcome)


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def archived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: threading.Event) -> Callable[..., None]:
    """Runs an archive with these sessions."""

    def run(sessions: Sessions, drain_s: float = 60) -> None:
        monkeypatch.setattr(module, "Session", sessions)
        Archive(load_settings(env={}), "127.0.0.1:1", tmp_path).run(stop, drain_s)

    return run


def test_an_error_of_a_moment_leaves_nothing_out_at_the_end(archived: Callable[..., None], stop: threading.Event) -> None:
    stop.set()
    sessions = Sessions(KafkaTimeoutError("busy"), KafkaTimeoutError("busy"), True)
    archived(sessions)
    assert sessions.outcomes == [] and all(0 < drain_s <= 60 for drain_s in sessions.drains)


@pytest.mark.parametrize("outcome", [KafkaTimeoutError("busy"), False])
def test_one_that_is_told_to_end_before_it_begins_anew_does_so(
    archived: Callable[..., None], stop: threading.Event, outcome: object
) -> None:
    sessions = Sessions(outcome, True, before=stop.set)
    archived(sessions)
    assert sessions.outcomes == []


def test_what_refuses_again_and_again_is_left_in_the_end(archived: Callable[..., None], stop: threading.Event) -> None:
    stop.set()
    sessions = Sessions(*(KafkaTimeoutError("away") for _ in range(LAST_TRIES + 1)))
    archived(sessions)
    assert len(sessions.drains) == LAST_TRIES


def test_the_time_to_drain_is_that_of_all_tries_together(archived: Callable[..., None], stop: threading.Event) -> None:
    stop.set()
    sessions = Sessions(KafkaTimeoutError("away"), True)
    archived(sessions, drain_s=0)
    assert sessions.drains == [0] and sessions.outcomes == [True]
