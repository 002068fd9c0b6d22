"""The state file: whole or not at all, for its owner only."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ecom_lite.errors import EcomLiteError
from ecom_lite.live.state import STATE_FILE, read_state, write_state


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_state(tmp_path) == {}
    write_state(tmp_path, {"pid": 1, "where": tmp_path})
    write_state(tmp_path, {"pid": 2})
    assert read_state(tmp_path) == {"pid": 2}
    assert (tmp_path / STATE_FILE).stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [STATE_FILE]


def test_half_a_file_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_text('{"pid": ')
    assert read_state(tmp_path) == {}


def test_a_folder_that_went_away_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    shutil.rmtree(folder)
    with pytest.raises(EcomLiteError, match="gone cannot be written any more"):
        write_state(folder, {})
