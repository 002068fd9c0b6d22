"""A fixed port that somebody else has: the run does not start, and names the port, the setting and who has it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs import LightRun


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("setting", ["KAFKA", "POSTGRES", "DASHBOARDS"])
def test_a_taken_port_is_named_with_its_owner(tmp_path: Path, taken: int, setting: str) -> None:
    run = LightRun(tmp_path / "data", env={f"ECOM_LITE_{setting}__PORT": str(taken)})
    try:
        assert run.wait(30) == 1
        assert str(taken) in run.stderr and str(os.getpid()) in run.stderr, run.stderr
        assert "Traceback" not in run.stderr and run.stdout == ""
    finally:
        run.close()
