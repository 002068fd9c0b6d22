"""What docs/lake.md shows does what it says: each statement through `sql`, the lines of Python where what they need is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from ecom_lite.ask.session import Session
from ecom_lite.warehouse.connect import Address

from .lake_page import PAGE, a_lake, prepare, run_lines

STATEMENTS = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def lake(warehouse: Address, data_dir: Path) -> Iterator[Path]:
    with a_lake(warehouse, data_dir) as folder:
        yield folder


def test_every_statement_of_the_page_has_an_answer(warehouse: Address, lake: Path) -> None:
    session = Session(warehouse, lake)
    try:
        for text in STATEMENTS:
            question = text.strip().removesuffix(";").replace("'10 minutes'", "'0 minutes'")  # so old is no lake here
            assert session.ask(question, lambda connection: connection.fetchall()), text
    finally:
        session.close()
    assert len(STATEMENTS) >= 7


@pytest.fixture
def shown(
    warehouse: Address, lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """What the page's lines below these headings print."""
    prepare(warehouse, tmp_path, monkeypatch)

    def run(*headings: str) -> str:
        capsys.readouterr()
        run_lines(*headings)
        return capsys.readouterr().out

    return run


def test_the_lines_of_python_read_the_lake(shown: Callable[..., str]) -> None:
    assert "Garden" in shown("From elsewhere")


def test_the_lines_for_pandas_read_the_lake(shown: Callable[..., str]) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed here, and the product does without")
    said = shown("From elsewhere", "pandas")
    assert "category" in said and "2026-03-0" in said


def test_the_lines_for_polars_read_the_lake_and_an_export(shown: Callable[..., str]) -> None:
    pytest.importorskip("polars", reason="polars is not installed here, and the product does without")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed here, and the product does without")
    said = shown("From elsewhere", "polars", "Plain files")
    assert "Garden" in said and "2026-03-0" in said and "order_id" in said


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
