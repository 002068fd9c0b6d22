"""The names of the data folder, and files in it that only their owner may read."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ecom_lite.settings.data_dir import FILES, LOCK, OURS, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_private_file_is_replaced_whole_and_is_its_owners_alone_whatever_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    for leftover in (path, tmp_path / "secrets.json.new"):
        leftover.write_text("a longer text of a file that anybody may read")
        leftover.chmod(0o644)
    before = path.open()
    write_private(path, "new")
    assert path.read_text() == "new" and mode(path) == 0o600
    assert before.read().startswith("a longer text"), "who had it open reads on in the old one"
    before.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["secrets.json"]
    with pytest.raises(OSError):
        write_private(tmp_path / "nowhere" / "file", "x")


def test_a_reset_knows_every_name_and_the_drafts_of_files_but_not_the_lock() -> None:
    assert len(set(OURS)) == len(OURS) and LOCK not in OURS
    assert {f"{name}.new" for name in FILES} <= set(OURS)
