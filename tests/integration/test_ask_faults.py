"""A question and what may befall it: another writer, a time limit, a Ctrl-C, a backend or a whole server that is killed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest

from ecom_lite.ask.catalogue import read_catalogue
from ecom_lite.ask.near import explained
from ecom_lite.ask.session import Session, left_behind
from ecom_lite.engines.postgres import PostgresServer
from ecom_lite.errors import QueryError, TookTooLong, WarehouseLost
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate
from ecom_lite.warehouse.passwords import load_passwords
from ecom_lite.warehouse.roles import ensure_database_and_roles

from ..runs import DEADLINE_S, START_S, wait_for

SLOW = "FROM slow"
COUNT = "SELECT count(*) FROM dim_category"
ENDLESS = "SELECT count(*) FROM range(100_000_000) a, range(100_000_000) b WHERE a.range * b.range = 7"
OURS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'ecom_lite sql %' AND state = 'active'"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One of its own: it is killed."""
    folder = tmp_path_factory.mktemp("ask")
    server = PostgresServer(folder / "postgres", folder / "logs", settings={"fsync": "off"})
    server.start(START_S)
    yield server
    server.remove()


@pytest.fixture(scope="module")
def address(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Address:
    passwords = load_passwords(tmp_path_factory.mktemp("passwords"))
    address = Address(server.host, server.port, "shop", "postgres", server.superuser_password, passwords)
    ensure_database_and_roles(address)
    migrate(address)
    with address.connect("admin", autocommit=True) as admin:
        admin.execute("CREATE VIEW warehouse.slow AS SELECT 1 AS one FROM pg_sleep(60)")
        admin.execute("GRANT SELECT ON warehouse.slow TO ecom_reader")
    return address


def first(connection: duckdb.DuckDBPyConnection) -> Any:
    row = connection.fetchone()
    return None if row is None else row[0]


def busy(address: Address) -> list[int]:
    with address.connect("admin", autocommit=True) as admin:
        return [pid for (pid,) in admin.execute(OURS)]


def befallen(session: Session, address: Address, what: Callable[[int], object]) -> QueryError:
    """Ask the slow question, let it befall its backend, and return what the question raised."""
    raised: list[BaseException] = []

    def ask() -> None:
        try:
            session.ask(SLOW, first)
        except BaseException as error:
            raised.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    (pid,) = wait_for(lambda: busy(address), "the question runs")
    what(pid)
    asking.join(DEADLINE_S)
    assert not asking.is_alive() and isinstance(raised[0], QueryError), raised
    return raised[0]


def test_all_that_a_question_reads_is_of_one_moment(address: Address) -> None:
    session = Session(address)

    def twice(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
        before = first(connection)
        with address.connect("admin", autocommit=True) as admin:
            admin.execute("INSERT INTO warehouse.dim_category (category) VALUES ('between')")
        return before, first(connection.execute(COUNT))

    before, between = session.ask(COUNT, twice)
    assert before == between and session.ask(COUNT, first) == before + 1
    session.close()


@pytest.mark.parametrize("question", [SLOW, ENDLESS])
def test_a_question_ends_in_time_and_leaves_the_server_alone(
    address: Address, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecom_lite.ask.session.END_S", DEADLINE_S)  # a machine that stands still ends nothing
    session = Session(address, timeout_s=0.5)
    with pytest.raises(TookTooLong, match=r"longer than 0\.5 s"):
        session.ask(question, first)
    wait_for(lambda: not busy(address), "the server has ended it, too")
    assert not session.stuck
    wait_for(lambda: not left_behind(), "its thread is gone")
    session.close()


def test_after_a_question_that_failed_the_next_one_is_answered(address: Address) -> None:
    session = Session(address)
    for wrong in ("FROM nowhere", "SELECT 'many'::integer", "DROP TABLE dim_category"):
        with pytest.raises(QueryError):
            session.ask(wrong, first)
        assert session.ask("SELECT 7", first) == 7
    assert not session.lost
    session.close()


def test_the_rows_of_small_tables_are_known_after_a_crash_has_taken_the_statistics(address: Address) -> None:
    with address.connect("admin", autocommit=True) as admin:
        admin.execute("INSERT INTO warehouse.dim_category (category) VALUES ('one'), ('two')")
        admin.execute("TRUNCATE ops.service_events")
        admin.execute("SELECT pg_stat_force_next_flush()")
        admin.execute("SELECT pg_stat_reset()")
        # What is written after the crash is all that the new statistics know.
        admin.execute("INSERT INTO warehouse.dim_category (category) VALUES ('three'), ('four')")
        admin.execute("SELECT pg_stat_force_next_flush()")
        admin.execute("SELECT 1")
        (categories,) = admin.execute("SELECT count(*) FROM warehouse.dim_category").fetchone() or (0,)
    rows = {table.qualified: table.rows for table in read_catalogue(address).tables}
    assert rows["warehouse.dim_category"] == categories > 0 and rows["ops.calendar"] == 1
    assert rows["ops.service_events"] == 0 and rows["warehouse.sales"] is None


def test_a_table_that_was_made_since_is_found(address: Address) -> None:
    session = Session(address)
    session.ask(COUNT, first)
    with address.connect("admin", autocommit=True) as admin:
        admin.execute("CREATE TABLE warehouse.newest AS SELECT 5 AS five")
        admin.execute("GRANT SELECT ON warehouse.newest TO ecom_reader")
    assert session.ask("FROM newest", first) == 5
    session.close()


def test_parquet_has_what_the_question_answers(address: Address, tmp_path: Path) -> None:
    file = tmp_path / "answer.parquet"
    session = Session(address, output=file)
    assert session.export("SELECT range AS i FROM range(5000) ORDER BY i DESC; -- all") == 5000
    assert duckdb.sql(f"SELECT min(i), max(i), count(*) FROM '{file}'").fetchone() == (0, 4999, 5000)
    assert session.export("PIVOT (SELECT 'a' AS kind, 2 AS n) ON kind USING sum(n)") == 1
    session.close()


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("FROM dim_categry", "no table dim_categry; did you mean warehouse.dim_category"),
        ("FROM realtime.fact_sales", "no table realtime.fact_sales; did you mean warehouse.fact_sales?"),
        ("FROM dead_letters", "no table dead_letters; did you mean ops.dead_letters?"),
        ("SELECT quantiti FROM fact_sales", "no column quantiti; did you mean quantity?"),
        ("SELECT email FROM fact_sales", "no column email here; it is in warehouse.dim_user"),
        ("SELECT summ(1)", "no function summ; did you mean sum?"),
    ],
)
def test_a_name_that_is_not_there_is_told_which_is_near(address: Address, question: str, words: str) -> None:
    session = Session(address)
    with pytest.raises(QueryError) as refused:
        session.ask(question, first)
    assert explained(str(refused.value), question, lambda: read_catalogue(address)).startswith(words)
    session.close()


def test_a_killed_backend_is_a_message(address: Address) -> None:
    session, killed = Session(address), list[int]()

    def kill(pid: int) -> None:
        killed.append(pid)
        os.kill(pid, signal.SIGKILL)

    lost = befallen(session, address, kill)
    assert isinstance(lost, WarehouseLost) and address.place in str(lost) and "COPY" not in str(lost)
    assert session.lost
    session.close()

    def again() -> bool:
        try:
            with address.connect("admin"):
                return True
        except Exception:
            return False

    # Whoever was faster than the news of the death would still be let in, and thrown out a moment later.
    wait_for(lambda: not psutil.pid_exists(killed[0]), "the server has heard of it")
    wait_for(again, "the server has recovered")


def test_a_killed_server_is_a_message_and_a_new_session_goes_on(server: PostgresServer, address: Address) -> None:
    session = Session(address)
    lost = befallen(session, address, lambda _: server.kill())
    assert isinstance(lost, WarehouseLost) and "\n" not in str(lost)
    with pytest.raises(QueryError):
        session.ask(COUNT, first)
    session.close()
    with pytest.raises(QueryError, match="cannot be reached"):
        Session(address)
    server.start(START_S)
    fresh = Session(address)
    assert fresh.ask("SELECT 7", first) == 7
    fresh.close()
