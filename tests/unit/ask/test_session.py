"""A session without a server: what it asks once more, and which errors it takes for the server's."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ecom_lite.archive.files import ArchiveWriter, delete
from ecom_lite.archive.names import listed, raw_folder
from ecom_lite.archive.view import create_view
from ecom_lite.ask import duck
from ecom_lite.ask.session import Session
from ecom_lite.errors import QueryError, WarehouseLost
from ecom_lite.topic.records import Record
from ecom_lite.warehouse.connect import Address

NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {})
DAY = date(2026, 11, 27)
ABOUT = {"topic": "t", "topic_id": "0-1", "mark": "mine"}
COUNT = "SELECT count(*) FROM memory.main.lake"


@pytest.fixture
def session_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Session]:
    """A session on a DuckDB without a warehouse, which has the view of this archive."""

    def attach(address: Address, lake_dir: Path | None = None, **more: Any) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        if lake_dir is not None:
            connection.execute(create_view(lake_dir) or "")
        connection.execute("ATTACH ':memory:' AS ecom")
        connection.execute("USE ecom")
        return connection

    monkeypatch.setattr(duck, "attach", attach)
    return lambda *lake, output=None: Session(NOWHERE, *lake, output=output)


def first(connection: duckdb.DuckDBPyConnection) -> Any:
    row = connection.fetchone()
    return None if row is None else row[0]


@pytest.mark.parametrize(
    "question",
    [
        "SELECT 'Connection refused'::int",
        "SELECT CAST('no connection to the server' AS DATE)",
        "SELECT error('canceling statement due to statement timeout')",
        "SELECT strptime('terminating connection', '%Y')",
        'FROM "Connection refused"',
        'SELECT "Connection refused" FROM (SELECT 1)',
        "SELECT 'terminating connection' FATAL Error",
    ],
)
def test_words_of_a_question_are_not_taken_for_the_servers(session_of: Callable[..., Session], question: str) -> None:
    session = session_of()
    with pytest.raises(QueryError) as refused:
        session.ask(question, first)
    assert type(refused.value) is QueryError and not session.lost


@pytest.mark.parametrize(
    "said",
    [
        'IO Error: Unable to connect to Postgres at "x": connection to server at "h", port 1 failed: Connection refused',
        'Invalid Error: Failed to prepare COPY "COPY (SELECT 1)": server closed the connection unexpectedly',
        'Binder Error: Failed to prepare query "SELECT 1": FATAL:  terminating connection due to administrator command',
        "Invalid Input Error: Attempting to fetch from an unsuccessful or closed streaming query result\n"
        "Error: IO Error: Unable to read binary COPY data from Postgres: server closed the connection unexpectedly",
        "FATAL Error: Failed: database has been invalidated because of a previous fatal error.",
    ],
)
def test_a_server_that_is_gone_is_told_as_such(session_of: Callable[..., Session], said: str) -> None:
    def fails(connection: duckdb.DuckDBPyConnection) -> Any:
        raise duckdb.Error(said)

    session = session_of()
    with pytest.raises(WarehouseLost):
        session.ask("SELECT 1", fails)
    assert session.lost


def test_files_that_are_merged_away_are_looked_for_once_more(tmp_path: Path, session_of: Callable[..., Session]) -> None:
    writer = ArchiveWriter(raw_folder(tmp_path))
    parts = [
        writer.write("t", 0, (n, n + 10), DAY, [Record(0, at, 0, b"k", b"v", ()) for at in range(n, n + 10)], ABOUT)
        for n in (0, 10, 20)
    ]
    kept = shutil.copy(parts[1].path, tmp_path / "kept")
    merged = writer.merge(parts[:2])
    shutil.copy(kept, parts[1].path)  # as after a kill: the view has to name the files
    asking, writing = session_of(tmp_path), session_of(tmp_path, output=tmp_path / "out.parquet")
    writer.merge([merged, parts[2]])
    assert asking.ask(COUNT, first) == 30
    assert writing.export("FROM memory.main.lake") == 30
    writer.close()
    late = session_of(tmp_path)
    delete(listed(raw_folder(tmp_path)))
    with pytest.raises(QueryError, match="No files found"):
        late.ask(COUNT, first)
