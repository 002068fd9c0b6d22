"""The state file: whole or not at all, for its owner only."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ecom_lite.errors import EcomLiteError
from ecom_lite.live.state import Database, RunState, forget_state, read_state, write_state
from ecom_lite.settings.data_dir import STATE


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    write_state(tmp_path, RunState(pid=1))
    state = RunState(pid=2, control_token="hush", postgres=Database(host="h", port=1, database="d"))
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    assert (tmp_path / STATE).stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [STATE]
    assert "hush" not in state.as_json() and json.loads(state.as_json())["pid"] == 2


def test_half_a_file_counts_as_none(tmp_path: Path) -> None:
    for text in ('{"version": 1, "pid": ', "", '{"version": 1, "pid": "two"}'):
        (tmp_path / STATE).write_text(text)
        assert read_state(tmp_path) is None


def test_the_state_of_another_version_is_refused_in_words_and_can_be_forgotten(tmp_path: Path) -> None:
    (tmp_path / STATE).write_text('{"state": "running", "parts": []}')  # from before there were versions
    with pytest.raises(
        EcomLiteError, match=r"written by another version of ecom_lite.*or stop the run and start it with this one"
    ):
        read_state(tmp_path)
    forget_state(tmp_path)
    forget_state(tmp_path)
    assert read_state(tmp_path) is None


def test_a_folder_that_went_away_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    shutil.rmtree(folder)
    with pytest.raises(EcomLiteError, match="gone can no longer be written"):
        write_state(folder, RunState())
