"""What only reads is told by DuckDB's own parser: of all that a text has, however it is cut."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from ecom_lite.ask.reading import require_reading
from ecom_lite.errors import OnlyReads


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute("SET enable_external_access = false")
        yield made


@pytest.mark.parametrize(
    "text", ["SELECT 1", "EXPLAIN SELECT 1", "EXPLAIN ANALYZE SELECT 1", "PIVOT (SELECT 1 AS a) ON a USING sum(a)"]
)
def test_what_reads_is_let_through(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    require_reading(connection, text)


@pytest.mark.parametrize("last", ["SELECT 1", "EXPLAIN SELECT 1", "EXPLAIN ANALYZE SELECT 1 AS b$x$"])
@pytest.mark.parametrize("first", ["CREATE TABLE t (i int)", "COPY (SELECT 1) TO 'x.csv'", "SELECT 1 AS a$x$; DROP TABLE t"])
def test_nothing_may_stand_before_a_question(connection: duckdb.DuckDBPyConnection, first: str, last: str) -> None:
    with pytest.raises(OnlyReads, match="only reads: give a SELECT"):
        require_reading(connection, f"{first}; {last}")
