"""What `ecom_lite sql` takes: questions to the warehouse and the lake, and nothing that writes, connects or shows a secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ecom_lite.ask.duck import attach, query
from ecom_lite.errors import QueryError
from ecom_lite.topic.records import Record
from ecom_lite.warehouse.connect import Address

from .archiving import archive_records

KIND, FUNCTION, FILE = (
    "only reads: give a SELECT",
    "only reads the warehouse and the lake: the function",
    "disabled by configuration",
)
QUESTIONS = [
    "SELECT count(*) FROM fact_sales",
    "FROM dim_category",
    "WITH a AS (SELECT 1 AS i) FROM a",
    "VALUES (1), (2)",
    "TABLE dim_product",
    "DESCRIBE fact_sales",
    "SHOW TABLES",
    "SHOW ALL TABLES",
    "SUMMARIZE memory.main.lake",
    "EXPLAIN SELECT count(*) FROM fact_sales",
    "EXPLAIN ANALYZE SELECT count(*) FROM memory.main.lake",
    "explain /* why */ (ANALYZE, FORMAT json) -- so\n FROM memory.main.lake",
    "PIVOT memory.main.lake ON topic USING sum(partition)",
    "PIVOT memory.main.lake ON topic IN ('x') USING sum(partition)",
    "UNPIVOT memory.main.lake ON partition",
    "SELECT * FROM (PIVOT memory.main.lake ON topic USING sum(partition))",
    "SELECT partition FROM memory.main.lake WHERE topic = 'x';",
    "FROM read_parquet('{lake}/*.parquet')",
    "FROM '{lake}/day.parquet'",
    "SELECT unnest([1, 2]), t.range FROM range(3) t",
    "SELECT 'COPY x TO y; postgres_attach(1)' AS harmless",
    "PRAGMA table_info('memory.main.lake')",
    "FROM histogram_values(memory.main.lake, partition)",
    "SELECT table_name FROM information_schema.tables",
]
OWNER = "host={host} port={port} dbname={database} user=ecom_owner password={owner}"
TRIES = [
    # Files
    ("COPY (SELECT 1) TO '{lake}/new.csv'", KIND),
    ("COPY dim_category TO '{lake}/new.parquet' (FORMAT parquet)", KIND),
    ("COPY memory.main.lake FROM '{lake}/day.parquet'", KIND),
    ("COPY FROM DATABASE ecom TO memory", KIND),
    ("EXPORT DATABASE '{lake}/new'", KIND),
    ("IMPORT DATABASE '/etc'", FILE),
    ("EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/new.csv'", KIND),
    ("EXPLAIN (ANALYZE, FORMAT json) COPY (SELECT 1) TO '{lake}/new.csv'", KIND),
    ("explain/**/analyze--\ncopy (SELECT 1) TO '{lake}/new.csv'", KIND),
    ("SELECT 1; COPY (SELECT 1) TO '{lake}/new.csv'", KIND),
    ("COPY (SELECT 1) TO '{lake}/new.csv'; SELECT 1", KIND),
    ("COPY (SELECT 1) TO '{lake}/new.csv'; EXPLAIN SELECT 1", KIND),
    ("SELECT 1 AS a$x$; COPY (SELECT 1) TO '{lake}/new.csv'; EXPLAIN SELECT 1 AS b$x$", KIND),
    ("FROM enable_logging(storage = 'file', storage_config = {{'path': '{lake}/new'}})", FUNCTION + " enable_logging"),
    ("CALL enable_logging(storage = 'file', storage_path = '{lake}/new')", KIND),
    ("FROM enable_profiling(save_location = '{lake}/new.txt')", FUNCTION + " enable_profiling"),
    ("PRAGMA profiling_output = '{lake}/new.json'", KIND),
    ("FROM read_csv('/etc/passwd')", FUNCTION + " read_csv"),
    ("FROM read_text('/etc/passwd')", FUNCTION + " read_text"),
    ("FROM read_blob('{lake}/day.parquet')", FUNCTION + " read_blob"),
    ("FROM glob('/etc/*')", FUNCTION + " glob"),
    ("FROM read_parquet('/etc/passwd')", FILE),
    ("FROM read_parquet('{lake}/../outside.parquet')", FILE),
    ("FROM '/etc/passwd.parquet'", FILE),
    # Other servers, other sessions, other databases
    ("ATTACH '{lake}/new.db'", KIND),
    ("ATTACH '" + OWNER + "' AS again (TYPE postgres)", KIND),
    ("DETACH ecom", KIND),
    ("USE memory", KIND),
    ("FROM postgres_scan('" + OWNER + "', 'warehouse', 'dim_category')", FUNCTION + " postgres_scan"),
    ("SELECT (SELECT count(*) FROM Postgres_Scan_Pushdown('" + OWNER + "', 'ops', 'batches'))", FUNCTION + " postgres_scan"),
    ("CALL postgres_attach('" + OWNER + "')", KIND),
    ("WITH a AS (FROM system.main.postgres_attach('" + OWNER + "')) FROM a", FUNCTION + " postgres_attach"),
    ("DESCRIBE FROM postgres_attach('" + OWNER + "')", FUNCTION + " postgres_attach"),
    ("PIVOT (FROM \"postgres_attach\"('" + OWNER + "')) ON name USING count(*)", FUNCTION + " postgres_attach"),
    ("FROM postgres_query('ecom', 'SELECT pg_terminate_backend(1)')", FUNCTION + " postgres_query"),
    ("FROM postgres_execute('ecom', 'CREATE TEMP TABLE x (i int)')", FUNCTION + " postgres_execute"),
    ("FROM query('FROM postgres_' || 'query(''ecom'', ''SELECT 1'')')", FUNCTION + " query"),
    ("FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))", FUNCTION + " json_execute"),
    ("INSTALL httpfs", KIND),
    ("LOAD httpfs", KIND),
    # Rows, things, settings
    ("INSERT INTO dim_category (category) VALUES ('x')", KIND),
    ("UPDATE fact_sales SET quantity = 1", KIND),
    ("DELETE FROM fact_sales", KIND),
    ("MERGE INTO dim_category c USING dim_product p ON (c.category = p.title) WHEN MATCHED THEN DELETE", KIND),
    ("DROP TABLE fact_sales", KIND),
    ("CREATE TEMP TABLE mine AS SELECT 1", KIND),
    ("CREATE VIEW memory.main.mine AS SELECT 1", KIND),
    ("CREATE MACRO memory.main.mine() AS 1", KIND),
    ("PREPARE mine AS SELECT 1", KIND),
    ("EXECUTE mine", KIND),
    ("SET lock_configuration = false", KIND),
    ("RESET enable_external_access", KIND),
    ("CHECKPOINT", KIND),
    ("FROM force_checkpoint()", FUNCTION + " force_checkpoint"),
    ("BEGIN", KIND),
    ("VACUUM", KIND),
    # Secrets
    ("CREATE SECRET mine (TYPE postgres, HOST 'h')", KIND),
    ("FROM duckdb_secrets()", FUNCTION + " duckdb_secrets"),
    ("FROM duckdb_secrets(redact = false)", FUNCTION + " duckdb_secrets"),
    ("FROM which_secret('postgres:', 'postgres')", FUNCTION + " which_secret"),
    ("SELECT getenv('HOME')", "getenv"),
    ("FROM connection", "does not exist"),
]  # fmt: skip


class Attached:
    """One attached warehouse, a lake of one file, and the words that stand for their places in the statements."""

    def __init__(self, address: Address, folder: Path) -> None:
        lake = folder / "lake"
        lake.mkdir()
        for file in (lake / "day.parquet", folder / "outside.parquet"):
            duckdb.sql(f"COPY (SELECT 1 AS number, 'x' AS kind) TO '{file}' (FORMAT parquet)")
        archive_records(lake, [Record(0, 0, 0, None, b"{}", ())], topic="x")
        self.lake = lake
        self.connection = attach(address, lake)
        self.secrets = [*address.passwords.values(), address.admin_password]
        self.words = {
            "lake": str(lake), "host": address.host, "port": str(address.port), "database": address.database,
            "owner": address.passwords["ecom_owner"],
        }  # fmt: skip

    def ask(self, statement: str) -> str:
        return str(query(self.connection, statement.format(**self.words), 100))


@pytest.fixture(scope="module")
def attached(template: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attached]:
    attached = Attached(template, tmp_path_factory.mktemp("reading"))
    yield attached
    attached.connection.close()


@pytest.mark.parametrize("statement", QUESTIONS)
def test_a_question_is_answered_and_shows_no_password(attached: Attached, statement: str) -> None:
    answer = attached.ask(statement)
    assert not [secret for secret in attached.secrets if secret in answer]


@pytest.mark.parametrize(("statement", "reason"), TRIES)
def test_what_is_no_question_is_refused_for_its_reason_and_leaves_nothing(
    attached: Attached, statement: str, reason: str
) -> None:
    with pytest.raises(QueryError) as refused:
        attached.ask(statement)
    said = str(refused.value)
    assert reason in said and not [secret for secret in attached.secrets if secret in said]
    assert sorted(entry.name for entry in attached.lake.iterdir()) == ["day.parquet", "raw"]
    assert "again" not in attached.ask("SHOW DATABASES")
