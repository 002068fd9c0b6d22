"""The history of the prompt: kept in a file of its owner's, however it looks."""

from __future__ import annotations

import json
import readline
from pathlib import Path

import pytest

from ecom_lite.ask.editor import KEPT, Editor


def nothing(before: str, word: str, line: str) -> list[str]:
    return []


def entries() -> list[str]:
    return [readline.get_history_item(number) for number in range(1, readline.get_current_history_length() + 1)]


def test_what_was_asked_is_there_in_the_next_session(tmp_path: Path) -> None:
    file = tmp_path / "history"
    first = Editor(file, nothing)
    for entry in ("SELECT 1;", "SELECT 1;", "SELECT 'two\nlines', 'é';", ".tables"):
        first.remember(entry)
    Editor(file, nothing)
    assert entries() == ["SELECT 1;", "SELECT 'two\nlines', 'é';", ".tables"]
    assert file.stat().st_mode & 0o777 == 0o600 and len(file.read_text("utf-8").splitlines()) == 3


def test_an_entry_with_line_ends_of_unicode_or_bytes_that_are_no_text_is_kept(tmp_path: Path) -> None:
    file, asked = tmp_path / "history", ["SELECT 'a\u2028b\x85c';", "SELECT '\udce9';"]
    for entry in asked:
        Editor(file, nothing).remember(entry)
    Editor(file, nothing)
    assert entries() == asked
    file.write_text(file.read_text() + '"SELECT 1;"\n' * (2 * KEPT - 3) + "".join(file.read_text().splitlines(True)))
    Editor(file, nothing)
    assert entries()[-2:] == asked and len(entries()) == KEPT


def test_a_file_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    file = tmp_path / "history"
    file.write_text("")
    file.chmod(0o644)
    Editor(file, nothing).remember("SELECT 1;")
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_is_no_entry_is_nothing(tmp_path: Path) -> None:
    file = tmp_path / "history"
    file.write_bytes(b'{"a": 1}\nnonsense\n\xff\n"SELECT 1;"\n\n7\n"half')
    Editor(file, nothing)
    assert entries() == ["SELECT 1;"]


def test_a_long_file_is_cut_to_the_newest(tmp_path: Path) -> None:
    file = tmp_path / "history"
    file.write_text("".join(json.dumps(f"SELECT {number};") + "\n" for number in range(2 * KEPT + 1)))
    Editor(file, nothing)
    assert len(entries()) == KEPT and entries()[-1] == f"SELECT {2 * KEPT};"
    assert len(file.read_text().splitlines()) == KEPT and file.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    editor = Editor(tmp_path / "missing" / "history", nothing)
    with pytest.raises(FileNotFoundError):
        editor.remember("SELECT 1;")
    editor.remember("SELECT 2;")
    assert entries() == ["SELECT 1;", "SELECT 2;"]
