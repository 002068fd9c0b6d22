"""The summaries that let a query skip most of the facts: made by vacuum, soon, and without a word in the server's log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecom_lite.engines.postgres import PostgresServer
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate
from ecom_lite.warehouse.passwords import load_passwords
from ecom_lite.warehouse.roles import ensure_database_and_roles
from tests.runs import START_S, wait_for

ROWS = 600_000  # far more new ranges than the 256 that a server's queue of requests holds
FEW = 55_000  # of these that come later: a tenth
DUE = 50_000  # after so many vacuum comes
VACUUM_S = 100  # it rests again and again, and everything else comes first
FACTS = """
INSERT INTO warehouse.fact_sales (order_id, product_key, user_key, category_key, date_key, ordered_at, quantity,
                                  unit_price, revenue, source_partition, source_offset, load_xid)
SELECT n::text, 1, 1, 1, 20260101, timestamptz '2026-01-01 00:00Z' + n * interval '1 second', 1, 1, 1, 0, n,
       pg_current_xact_id()::text::bigint
FROM generate_series(%s::bigint, %s) AS n
"""
INDEXES = ("fact_sales_ordered_at", "fact_sales_load_xid")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    folder = tmp_path_factory.mktemp("summaries")
    server = PostgresServer(folder / "postgres", folder / "logs")
    server.start(START_S)
    yield server
    server.stop()
    server.remove()


@pytest.fixture(scope="module")
def facts(server: PostgresServer) -> Address:
    """A warehouse that facts have just been loaded into, faster than vacuum comes."""
    passwords = load_passwords(server.data_dir)
    address = Address(server.host, server.port, "ecom_lite", "postgres", server.superuser_password, passwords)
    ensure_database_and_roles(address)
    migrate(address)
    insert(address, 0, ROWS)
    return address


def insert(address: Address, first: int, count: int, at_once: int = 5_000) -> None:
    with address.connect("admin", autocommit=True) as admin:
        for begin in range(first, first + count, at_once):
            admin.execute(FACTS, [begin, begin + at_once - 1])


def test_a_load_leaves_no_line_in_the_servers_log(server: PostgresServer, facts: Address) -> None:
    assert "summarization" not in (Path(server.log).read_text("utf-8"))


@pytest.mark.timeout(400)
def test_vacuum_comes_by_itself_and_leaves_no_filled_range_without_a_summary(facts: Address) -> None:
    with facts.connect("admin", autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")  # a minute otherwise
        admin.execute("SELECT pg_reload_conf()")
        counted = "SELECT autovacuum_count FROM pg_stat_user_tables WHERE relname = 'fact_sales'"
        at_work = "SELECT FROM pg_stat_progress_vacuum WHERE relid = 'warehouse.fact_sales'::regclass"

        def vacuumed(only: str = "true") -> int:
            return int((admin.execute(f"{counted} AND {only}".encode()).fetchone() or [0])[0])

        # A vacuum that is still at work would forget of the few those that came behind its back, and so would one between them.
        rests = f"n_ins_since_vacuum <= {DUE} AND NOT EXISTS ({at_work})"
        first = wait_for(lambda: vacuumed(rests), "vacuum has been at the facts", VACUUM_S)
        insert(facts, ROWS, FEW, at_once=FEW)
        wait_for(lambda: vacuumed() > first, "vacuum has been at those that came later, though they are but a few", VACUUM_S)
        for index in INDEXES:
            made = admin.execute("SELECT brin_summarize_new_values(%s::regclass)", [f"warehouse.{index}"]).fetchone()
            assert made == (1,), "only the last range, which is not full, had no summary"
        # A day in the middle is found by its summaries: it reads a few pages of the table, not all of it.
        day = "SELECT count(*) FROM warehouse.fact_sales WHERE ordered_at >= '2026-01-02Z' AND ordered_at < '2026-01-02 01:00Z'"
        assert admin.execute(day).fetchone() == (3600,)
        (plan,) = admin.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + day).fetchone() or ([],)
        assert "fact_sales_ordered_at" in str(plan) and rechecked(plan[0]["Plan"]) < ROWS / 20


def rechecked(node: dict[str, object]) -> int:
    """Rows that were read and thrown away."""
    below = node.get("Plans", [])
    assert isinstance(below, list)
    return int(str(node.get("Rows Removed by Index Recheck", 0))) + sum(rechecked(part) for part in below)
