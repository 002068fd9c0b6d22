"""The one writer of the lake: takes facts in by load order, rows and cut in one DuckLake transaction, each fact once."""

from __future__ import annotations

import logging
import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import duckdb
import psycopg

from ..errors import EcomLiteError, LakeError, first_line
from ..warehouse.connect import Address
from ..warehouse.duck import POSTGRES, SECRET, close, engine, literal, log_in, options
from ..warehouse.refused import refused_login
from ..warehouse.sqlfiles import read_sql
from .attach import DUCKLAKE, LAKE, attach_lake

ROLE: Final = "ecom_lake"
NAME: Final = "ecom_lite lake"
LOCK_KEY: Final = 7_204_021  # advisory lock: held by the writer for as long as it lives
TAKEN_IN: Final = ("sales", "returns", "customers")  # by the order of loads
TABLES: Final = (*TAKEN_IN, "products", "order_versions", "daily")
PARTITIONED: Final = {"sales": "ordered_at", "returns": "returned_at"}  # by month
ATTRIBUTES: Final = {
    "text": "VARCHAR", "dimension": "VARCHAR", "integer": "BIGINT", "number": "DECIMAL(24, 6)", "boolean": "BOOLEAN",
}  # fmt: skip
OTHERS_END_S: Final = 5.0
POLL_S: Final = 0.02
MEMORY: Final = "400MB"
THREADS: Final = 1  # it runs beside everything else
# Syncs. Of each DuckLake keeps the statistics of the tables that changed (OBJECT_CACHE of duckdb_memory(), ducklake_table_stats),
# which nobody asks for again, until the snapshot expires: 9 KB in a new lake. A soak's process grew by 120 KB a sync between two
# attachments: most of that is in the C library's heap, which duckdb_memory() does not count. To attach takes 50 ms.
ATTACH_AFTER: Final = 200
SPILL: Final = "spill"  # the folder beside, for what does not fit into memory
FILE_SIZE: Final = "64MB"  # of what merging makes, at most
log = logging.getLogger("ecom_lite.lake")


class LakeBusy(EcomLiteError):
    """Another writer has the lake, or has just left it."""


class LakeBroken(EcomLiteError):
    """PostgreSQL, or a file of the lake, cannot be reached: the writer has let go of everything and can be opened anew."""


class Writer:
    """Open it, `sync` it again and again, close it. After LakeBroken or LakeBusy `open` it again. Not for several threads.

    The lake is what the rows in it say: whatever was loaded before the newest of them is in it. So there is no progress to keep
    in step with the rows, and nothing to find out after a COMMIT whose answer was lost.
    """

    def __init__(self, address: Address, folder: Path) -> None:
        self._address = address
        self._folder = folder
        self._warehouse: psycopg.Connection | None = None  # holds the lock
        self._lake: duckdb.DuckDBPyConnection | None = None
        self._since = 0
        self._synced = 0  # times, by this attachment

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """Where the tables' files are."""
        return self._folder

    @property
    def is_open(self) -> bool:
        return self._lake is not None

    @property
    def warehouse(self) -> psycopg.Connection:
        """The session that holds the lock, in autocommit."""
        assert self._warehouse is not None
        return self._warehouse

    def open(self) -> None:
        """Take the lock and attach; make the tables where they are missing, and the lake anew where its files are not what the
        catalogue says. Raises LakeBusy, LakeBroken; LakeError where the server does not let us in, which no waiting mends."""
        self.close()
        try:
            self._lock()
            self._settle_folder()
            self._attach()
            if lost := self._lost():
                log.warning("%s is missing or damaged: the lake is made anew from the facts", lost)
                self._forget()
                self._attach()
            for table in TABLES:
                self._make(table)
            self.ask(read_sql(__package__, "create_orders").decode())
            self._since = int(self.ask(read_sql(__package__, "cut").decode())[0][0] or 0)
            if self._since and not self.ask(f"FROM {LAKE}.order_versions LIMIT 1"):  # of a lake that had none
                self._add_orders(0, self._since)
        except (duckdb.Error, psycopg.Error, OSError) as error:
            broken = self._broken(error)
            if isinstance(error, psycopg.Error) and refused_login(error):
                raise LakeError(str(broken)) from None
            raise broken from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of everything. Safe to repeat."""
        lake, self._lake = self._lake, None
        warehouse, self._warehouse = self._warehouse, None
        if lake is not None:
            close(lake)
        if warehouse is not None:
            warehouse.close()

    def sync(self) -> int:
        """Take in all that was loaded since the last time; returns how many rows. Raises LakeBroken."""
        try:
            row = self.warehouse.execute("SELECT ops.load_order_cut()").fetchone()
            assert row is not None
            below = int(row[0])
            span = {"since": self._since, "below": below}
            found = self.warehouse.execute(read_sql(__package__, "news"), span).fetchone()
            assert found is not None
            news = dict(zip(TAKEN_IN, found, strict=True))
            if any(news.values()):
                if self._synced >= ATTACH_AFTER:
                    self._attach()
                self._take_in(news, self._since, below)
                self._synced += 1
            self._since = below
            return sum(news.values())
        except (duckdb.Error, psycopg.Error, OSError) as error:
            raise self._broken(error) from None

    def ask(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Of the lake. Raises duckdb.Error."""
        assert self._lake is not None
        return self._lake.execute(query, values or None).fetchall()

    def read(self, statement: bytes, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Of the warehouse, or of the catalogue. Raises LakeBroken."""
        try:
            return self.warehouse.execute(statement, values).fetchall()
        except psycopg.Error as error:
            raise self._broken(error) from None

    def carry_out(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """As `ask`, for what changes the lake. Raises LakeBroken."""
        try:
            return self.ask(query, **values)
        except duckdb.Error as error:
            raise self._broken(error) from None

    def _take_in(self, news: dict[str, int], since: int, below: int) -> None:
        attributes = self._attributes()
        span = {"since": since, "below": below, **selection(attributes)}
        self.ask("BEGIN")
        for name in attributes.keys() - self._columns("sales"):  # facts from before have none
            self.ask(f'ALTER TABLE {LAKE}.sales ADD COLUMN "{name}" {ATTRIBUTES[attributes[name]]}')
        for table, rows in news.items():
            if rows:
                query = read_sql(__package__, f"read_{table}").decode().format(**span)
                self.ask(f"INSERT INTO {LAKE}.{table} BY NAME SELECT * FROM postgres_query('pg', $query_)", query_=query)
        if news["sales"]:
            query = read_sql(__package__, "read_products").decode().format(**span)
            self.ask(read_sql(__package__, "add_products").decode(), query_=query)
            self._add_orders(since, below)
        self.ask("COMMIT")

    def _add_orders(self, since: int, below: int) -> None:
        """Those with lines of this span."""
        earlier, values = f"(FROM {LAKE}.sales LIMIT 0)", {}
        if since:
            earlier = "postgres_query('pg', $query_)"
            values["query_"] = read_sql(__package__, "read_earlier").decode().format(since=since, below=below)
        add = read_sql(__package__, "add_orders").decode().format(earlier=earlier)
        self.ask(add, since=since, below=below, **values)

    def _attributes(self) -> dict[str, str]:
        """Those of order lines that were ever declared: name and type."""
        return dict(self.warehouse.execute("SELECT name, type FROM ops.attributes ORDER BY declared_at, name").fetchall())

    def _columns(self, table: str) -> set[str]:
        found = f"SELECT column_name FROM duckdb_columns() WHERE database_name = '{LAKE}' AND table_name = '{table}'"
        return {name for (name,) in self.ask(found)}

    def _lock(self) -> None:
        self._warehouse = self._address.connect(ROLE, autocommit=True)
        row = self._warehouse.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY]).fetchone()
        if row != (True,):
            raise LakeBusy("another writer has the lake")
        give_up = time.monotonic() + OTHERS_END_S
        while self._warehouse.execute(read_sql(__package__, "end_others")).fetchone() != (0,):
            if time.monotonic() > give_up:
                raise LakeBusy("the sessions of the lake's last writer do not end")
            time.sleep(POLL_S)

    def _attach(self) -> None:
        if self._lake is not None:
            close(self._lake)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lake = lake = engine(POSTGRES, DUCKLAKE)
        self._synced = 0
        spill = literal(self._folder.parent / SPILL)  # the first copy groups all lines by order
        for setting in (
            f"memory_limit = {literal(MEMORY)}", f"threads = {THREADS}", "TimeZone = 'UTC'", f"temp_directory = {spill}",
            "enable_external_file_cache = false",  # few files are read twice, and it would grow up to the limit
        ):  # fmt: skip
            lake.execute(f"SET {setting}")
        # The lock keeps others out. Should one be here all the same, then two cannot both commit onto one snapshot.
        lake.execute("SET ducklake_max_retry_count = 0")
        log_in(lake, self._address, ROLE)
        place = options(self._address, NAME)
        lake.execute(f"ATTACH {literal(place)} AS pg (TYPE postgres, SECRET {SECRET}, READ_ONLY)")
        attach_lake(lake, place, self._folder, read_only=False)
        lake.execute(f"CALL ducklake_set_option('{LAKE}', 'target_file_size', '{FILE_SIZE}')")

    def _settle_folder(self) -> None:
        """The data folder may have been moved: whoever attaches the lake finds in the catalogue where it is now."""
        there = "SELECT to_regclass('ducklake.ducklake_metadata') IS NOT NULL"
        if self.warehouse.execute(there).fetchone() == (True,):
            change = "UPDATE ducklake.ducklake_metadata SET value = %(at)s WHERE key = 'data_path' AND value <> %(at)s"
            self.warehouse.execute(change, {"at": f"{self._folder}/"})

    def _lost(self) -> str:
        """The first file that is not what the catalogue says; "" where all are."""
        for (table,) in self.ask(f"SELECT table_name FROM duckdb_tables() WHERE database_name = '{LAKE}'"):
            listed = f"SELECT data_file, data_file_size_bytes FROM ducklake_list_files('{LAKE}', '{table}')"
            for name, size in self.ask(listed):
                file = Path(name)
                if not file.is_file() or file.stat().st_size != size:
                    return str(file)
        return ""

    def _forget(self) -> None:
        if self._lake is not None:
            close(self._lake)
        self.warehouse.execute(read_sql(__package__, "forget"))
        shutil.rmtree(self._folder, ignore_errors=True)

    def _make(self, table: str) -> None:
        if self.ask(f"SELECT 1 FROM duckdb_tables() WHERE database_name = '{LAKE}' AND table_name = '{table}'"):
            return
        self.ask("BEGIN")
        self.ask(read_sql(__package__, f"create_{table}").decode())
        if time_ := PARTITIONED.get(table):
            self.ask(f"ALTER TABLE {LAKE}.{table} SET PARTITIONED BY (year({time_}), month({time_}))")
        self.ask("COMMIT")

    def _broken(self, error: Exception) -> LakeBroken:
        self.close()
        said = first_line(error).replace(self._address.passwords[ROLE], "***")
        return LakeBroken(f"the lake cannot be written: {said}")


def selection(attributes: dict[str, str]) -> dict[str, str]:
    """What reads these of the facts: columns and joins."""
    columns = joins = ""
    for name, kind in attributes.items():
        columns += f', {f"attribute_{name}" if kind == "dimension" else "f"}."{name}"'
        if kind == "dimension":
            joins += f'\nLEFT JOIN warehouse.dim_{name} attribute_{name} ON attribute_{name}."{name}_key" = f."{name}_key"'
    return {"attributes": columns, "joins": joins}
