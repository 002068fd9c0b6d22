"""Which days the lake takes: its statement, on a DuckDB alone."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from ecom_lite.warehouse.sqlfiles import read_sql

LAKE = "ecom_lite.lake"
FIGURES = 13
PAGE = (Path(__file__).parents[3] / "docs" / "lake.md").read_text(encoding="utf-8")


def test_a_clock_that_was_put_back_doubles_no_day() -> None:
    connection = duckdb.connect()
    connection.execute("ATTACH ':memory:' AS lake")
    create = read_sql(LAKE, "create_daily").decode().split(";")[0]
    connection.execute(create)
    connection.execute(create.replace("lake.daily", "mart"))
    connection.execute("CREATE MACRO postgres_query(catalog_, query_) AS TABLE FROM mart")

    (shown,) = re.findall(r"```sql\n([^`]* FROM lake\.daily [^`]*)```", PAGE)

    def after_run(figure: int, load_xid: int, as_of: str) -> int:
        """How many days were new."""
        connection.execute("DELETE FROM mart")
        connection.execute(f"INSERT INTO mart VALUES ('2026-11-27', {f'{figure}, ' * FIGURES} {load_xid}, '{as_of}')")
        row = connection.execute(read_sql(LAKE, "add_daily").decode(), {"query_": ""}).fetchone()
        return 0 if row is None else int(row[0])

    assert after_run(1, 100, "2026-11-27 12:00:00+00") == 1
    assert after_run(2, 200, "2026-11-27 10:00:00+00") == 1  # the clock was put back by hours
    assert [row[1] for row in connection.execute(shown).fetchall()] == [2], "what docs/lake.md shows says so, too"
    assert after_run(2, 300, "2026-11-27 10:05:00+00") == 0
    assert after_run(1, 400, "2026-11-27 10:10:00+00") == 1  # what is as it was before is new, too
    assert after_run(3, 400, "2026-11-27 10:15:00+00") == 1  # the same facts, in other money
    assert after_run(3, 500, "2026-11-27 12:05:00+00") == 0
