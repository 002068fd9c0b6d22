"""Where an answer goes: a file is replaced, a device is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import duckdb
import pytest

from ecom_lite.ask.answer import Wish, answer, parquet_draft
from ecom_lite.ask.formats import CSV, PARQUET, TABLE
from ecom_lite.ask.session import Session

T = TypeVar("T")


class Asking:
    """What an answer needs of a session, without a warehouse."""

    def ask(self, statement: str, take: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        with duckdb.connect() as connection:
            return take(connection.execute(statement))


@pytest.mark.parametrize("form", [CSV, TABLE])
def test_a_file_is_replaced_and_a_device_is_not(tmp_path: Path, form: str) -> None:
    session, device, file = cast(Session, Asking()), tmp_path / "null.csv", tmp_path / "answer.csv"
    device.symlink_to("/dev/null")
    file.write_text("old")
    for output in (device, file):
        assert answer(session, "SELECT 1 AS x", Wish(form, output=output)).rows == 1
    assert device.is_symlink() and device.is_char_device() and file.read_text().splitlines()[0] == "x"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["answer.csv", "null.csv"]


def test_parquet_for_a_device_is_made_elsewhere(tmp_path: Path) -> None:
    device = tmp_path / "null.parquet"
    device.symlink_to("/dev/null")
    with parquet_draft(Wish(PARQUET, output=device)) as draft:
        assert draft is not None and draft.parent != tmp_path
        draft.write_bytes(b"PAR1")
    assert device.is_char_device() and not draft.exists()


def test_a_file_that_is_open_as_a_device_is_written_to(tmp_path: Path) -> None:
    """As /dev/stdout, of `>> answer.csv`: by root a file took the place of the device."""
    with (tmp_path / "answer.csv").open("a") as file:
        print("# one", file=file, flush=True)
        assert answer(cast(Session, Asking()), "SELECT 1 AS x", Wish(CSV, output=Path(f"/dev/fd/{file.fileno()}"))).rows == 1
    assert (tmp_path / "answer.csv").read_text() == "# one\nx\n1\n"
