"""Where a live run's warehouse is: the same as its state says, or nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from ecom_lite.live.database import live_database
from ecom_lite.live.lock import RunLock
from ecom_lite.live.state import Database, RunState, write_state
from ecom_lite.settings.data_dir import STATE

STATES = RunState(state="running", pid=os.getpid(), postgres=Database(host="127.0.0.1", port=5, database="shop"))


def test_a_live_run_tells(tmp_path: Path) -> None:
    with RunLock(tmp_path, "run"):
        write_state(tmp_path, STATES)
        assert live_database(tmp_path) == ("127.0.0.1", 5, "shop")
    assert live_database(tmp_path) is None, "it is over"
    with RunLock(tmp_path, "sql"):
        assert live_database(tmp_path) is None, "no run"


@pytest.mark.parametrize(
    "state",
    [replace(STATES, postgres=None), replace(STATES, version=99), replace(STATES, pid=1)],
    ids=["starting", "other", "earlier"],
)
def test_what_takes_a_closer_look(tmp_path: Path, state: RunState) -> None:
    with RunLock(tmp_path, "run"):
        write_state(tmp_path, state)
        assert live_database(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"postgres": {"host": "x"}, "version": 1}), "null"])
def test_half_a_file_is_nothing(tmp_path: Path, text: str) -> None:
    with RunLock(tmp_path, "run"):
        (tmp_path / STATE).write_text(text)
        assert live_database(tmp_path) is None
