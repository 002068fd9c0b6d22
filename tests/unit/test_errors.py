"""What the system refuses is told with the file, the reason and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.errors import EcomLiteError, in_words, without_login
from ecom_lite.settings.data_dir import naming, write_plain, write_private


def test_a_file_that_cannot_be_replaced_or_written_is_named(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    with pytest.raises(OSError) as replaced:
        write_private(taken, "x")
    assert in_words(replaced.value).startswith(f"{taken}: Is a directory: something else has this name")
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    with pytest.raises(OSError) as written:
        write_plain(full, "x")
    assert in_words(written.value) == f"{full}: No space left on device: make room there, or name another place"


def test_what_names_its_file_keeps_the_name(tmp_path: Path) -> None:
    with pytest.raises(OSError) as opened, naming(tmp_path):
        (tmp_path / "none").read_text()
    assert in_words(opened.value) == f"{tmp_path / 'none'}: No such file or directory"


def test_other_errors_are_their_own_message() -> None:
    assert in_words(EcomLiteError("the roof is on fire")) == "the roof is on fire"
    assert in_words(ConnectionRefusedError(111, "Connection refused")) == "Connection refused"
    assert in_words(TimeoutError()) == "TimeoutError"


def test_a_login_is_taken_out_of_an_address_whatever_the_password_holds() -> None:
    assert without_login("fetch https://me:p@ss:w@jars.example/m2: refused") == "fetch https://***@jars.example/m2: refused"
    assert without_login("https://jars.example/m2/a@b and http://jars.example?x=a@b") == (
        "https://jars.example/m2/a@b and http://jars.example?x=a@b"
    )
