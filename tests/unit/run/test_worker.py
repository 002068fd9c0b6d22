"""What a worker's last word says of its end."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from threading import Event
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from ecom_lite.observe.figures import LoaderFigures, WorkerReport
from ecom_lite.run import worker

FIGURES = WorkerReport(figures=LoaderFigures(facts=9), ready=True)


@pytest.mark.parametrize("told", [False, True], ids=["by itself", "by SIGTERM"])
def test_one_that_was_told_to_stop_is_not_done(monkeypatch: pytest.MonkeyPatch, told: bool) -> None:
    """Its run would take it for one that had a fixed amount to do: nothing is loaded any more, and all is well."""
    handlers: dict[int, Callable[[int, None], None]] = {}

    def role(line: bytes, lines: worker.Lines, stop: Event, report: worker.Report) -> None:
        report(FIGURES)
        if told:
            handlers[signal.SIGTERM](signal.SIGTERM, None)
            assert stop.is_set()

    def keep(number: int, handler: Any) -> None:
        handlers[number] = handler

    said = io.BytesIO()
    ends, begins = os.pipe()
    os.write(begins, b"{}\n")
    monkeypatch.setattr("ecom_lite.run.worker.os", SimpleNamespace(read=lambda _, size: os.read(ends, size)))
    monkeypatch.setattr(signal, "signal", keep)
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=said))
    monkeypatch.setattr(sys, "argv", ["worker", "load"])
    monkeypatch.setitem(worker.ROLES, "load", (role, "json", LoaderFigures))
    assert worker.main() == 0
    os.close(begins)
    os.close(ends)
    last = msgspec.json.decode(said.getvalue().splitlines()[-1], type=WorkerReport[LoaderFigures])
    assert (last.figures.facts, last.done) == (9, not told)
