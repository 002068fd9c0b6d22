"""What docs/lake.md shows does what it says: each statement through `sql`, the lines of Python with the command's own answer."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ecom_lite.ask.session import Session
from ecom_lite.lake.attach import DUCKLAKE
from ecom_lite.lake.reader import statement
from ecom_lite.lake.writer import Writer
from ecom_lite.settings.data_dir import LAKE, LAKE_TABLES
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.duck import POSTGRES, engine

from .facts import change_profile, load, some_lines

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "lake.md").read_text("utf-8")
STATEMENTS = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
LINES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def lake(warehouse: Address, data_dir: Path) -> Iterator[Path]:
    change_profile(warehouse, 3, "Ada", "Paris", "FR")
    load(warehouse, some_lines(120))
    with Writer(warehouse.only("ecom_lake"), data_dir / LAKE / LAKE_TABLES) as writer:
        writer.open()
        writer.sync()
    yield data_dir / LAKE


def test_every_statement_of_the_page_has_an_answer(warehouse: Address, lake: Path) -> None:
    session = Session(warehouse, lake)
    try:
        for text in STATEMENTS:
            question = text.strip().removesuffix(";").replace("'10 minutes'", "'0 minutes'")  # so old is no lake here
            assert session.ask(question, lambda connection: connection.fetchall()), text
    finally:
        session.close()
    assert len(STATEMENTS) >= 7


def test_the_lines_of_python_read_the_lake(
    warehouse: Address, lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """DuckDB gets its extensions from their packages here, where a user's fetches them."""
    attach = statement(warehouse).partition("\n")[2]
    monkeypatch.setattr(subprocess, "check_output", lambda command, **_: attach if command[1:] == ["lake", "attach"] else "")
    prepared = engine(POSTGRES, DUCKLAKE)
    monkeypatch.setattr(duckdb, "connect", lambda: prepared)
    (lines,) = LINES
    made: dict[str, Any] = {}
    exec(lines, made)
    assert len(made["sales"].fetchall()) == 3 and "Garden" in capsys.readouterr().out


def test_the_files_of_the_newest_snapshot_are_the_rows(warehouse: Address, lake: Path) -> None:
    session = Session(warehouse, lake)
    try:
        files = session.ask(
            "SELECT data_file FROM ducklake_list_files('lake', 'sales')", lambda connection: connection.fetchall()
        )
    finally:
        session.close()
    with duckdb.connect() as plain:
        assert plain.execute("SELECT count(*) FROM read_parquet(?)", [[name for (name,) in files]]).fetchall() == [(120,)]
