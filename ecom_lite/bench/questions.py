"""Twelve questions of an analyst, each asked of the lake and of the same facts in PostgreSQL; the answers must be equal."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any, Final

import duckdb
import msgspec
import psycopg

from ..ask.session import Session
from ..errors import CheckFailed, EcomLiteError
from ..lake.writer import Writer
from ..settings.data_dir import DBT, LAKE, LAKE_TABLES
from ..settings.tree import Settings
from ..terminal.terminal import Terminal
from ..warehouse.connect import Address
from .checks import made_checkable, timed
from .marts import BYTES_PER_FACT, CUSTOMERS, ENGINES_BYTES, PRODUCTS, filled
from .rig import Rig
from .told import Figures, measured

ASKED: Final = 5  # times, of which the middle one counts; once before, so that all is warm
LAKE_NAMES: Final = {"sales": "lake.sales", "orders": "lake.orders", "returns": "lake.returns"}
WAREHOUSE_NAMES: Final = {
    "sales": """(SELECT l.*, l."timestamp" AS ordered_at, (l."timestamp" AT TIME ZONE 'UTC')::date AS day,
        extract(hour FROM l."timestamp" AT TIME ZONE 'UTC') AS hour FROM warehouse.order_lines l)""",
    "orders": """(SELECT order_id, min(user_id) AS user_id, (min("timestamp") AT TIME ZONE 'UTC')::date AS day, count(*) AS lines,
        sum(revenue) AS revenue FROM warehouse.order_lines GROUP BY order_id)""",
    "returns": "warehouse.fact_returns",
}
PATIENCE_S: Final = 300.0
DIGITS: Final = 4

Rows = list[tuple[Any, ...]]


def questions() -> dict[str, str]:
    """Name -> SQL that both understand, with names in braces for the tables."""
    folder = files(__package__).joinpath("sql", "questions")
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return {file.name[3:].removesuffix(".sql"): file.read_text("utf-8") for file in found}


def bench_sql(settings: Settings, terminal: Terminal, *, facts: int, command: str) -> Figures:
    """Of each question: ms warm on the lake and in PostgreSQL, and of a command of its own on the lake; of each check the like.

    Raises CheckFailed where an answer differs, or a check does not pass, and EcomLiteError.
    """

    def measure(own: Rig) -> Figures:
        with own.warehouse("questions") as address:
            terminal.say(f"{facts:,} facts")
            filled(own, address, facts)
            data_dir = own.settings.data_dir
            with Writer(address.only("ecom_lake"), data_dir / LAKE / LAKE_TABLES) as writer:
                writer.open()
                writer.sync()
            asked = compared(address, data_dir, terminal.say)
            terminal.say("  kept sums, minutes and marts, for the checks")
            made_checkable(address, data_dir / DBT / "checks", own.settings.transform.threads)
            return {"facts": facts, "questions": asked, "checks": timed(address, terminal.say)}

    shop = settings.shop.model_copy(update={"customers": CUSTOMERS, "products": PRODUCTS})
    needed = ENGINES_BYTES + facts * BYTES_PER_FACT
    return measured(settings.model_copy(update={"shop": shop}), terminal, needed, measure, command)


def compared(address: Address, data_dir: Path, say: Callable[[str], None] = lambda _: None, asked: int = ASKED) -> Figures:
    """The figures by question. Raises CheckFailed where an answer differs."""
    found: Figures = {}
    session = Session(address, data_dir / LAKE, timeout_s=PATIENCE_S)
    try:
        with address.connect("ecom_reader", autocommit=True) as reader:
            reader.execute(f"SET statement_timeout = '{PATIENCE_S:.0f}s'")
            reader.execute("SET TimeZone = 'UTC'")
            for name, text in questions().items():
                lake_ms, of_lake = _timed(partial(session.ask, text.format(**LAKE_NAMES), _all), asked)
                warehouse_ms, there = _timed(partial(_ask, reader, text.format(**WAREHOUSE_NAMES)), asked)
                if _plain(of_lake) != _plain(there):
                    raise CheckFailed(f"question {name}: the lake answers otherwise than PostgreSQL")
                command_ms = _command(address, data_dir, text.format(**LAKE_NAMES))
                found[name] = {
                    "lake_ms": round(lake_ms, 1), "postgres_ms": round(warehouse_ms, 1), "command_ms": round(command_ms),
                    "rows": len(of_lake),
                }  # fmt: skip
                say(f"  {name}: {lake_ms:.0f} ms, PostgreSQL {warehouse_ms:.0f} ms, a command of its own {command_ms:.0f} ms")
    finally:
        session.close()
    return found


def _all(connection: duckdb.DuckDBPyConnection) -> Rows:
    return connection.fetchall()


def _ask(reader: psycopg.Connection, text: str) -> Rows:
    return reader.execute(text.encode()).fetchall()


def _timed(ask: Callable[[], Rows], asked: int) -> tuple[float, Rows]:
    answer = ask()
    times = []
    for _ in range(asked):
        began = time.perf_counter()
        ask()
        times.append(time.perf_counter() - began)
    return median(times) * 1000, answer


def _command(address: Address, data_dir: Path, statement: str) -> float:
    """ms of a new process that imports what `ecom_lite sql` does, attaches, asks and prints."""
    began = time.perf_counter()
    given = msgspec.json.encode(address.only("ecom_reader").by_value())
    done = subprocess.run(
        [sys.executable, "-m", "ecom_lite.bench.asked", str(data_dir), statement], input=given, capture_output=True, check=False
    )
    if done.returncode:
        raise EcomLiteError(f"a question of the benchmark's own failed: {done.stderr.decode().strip()[-300:]}")
    return (time.perf_counter() - began) * 1000


def _plain(rows: Iterable[Sequence[Any]]) -> list[tuple[str, ...]]:
    return [tuple(_value(value) for value in row) for row in rows]


def _value(value: Any) -> str:
    if isinstance(value, int | float | Decimal):
        return f"{float(value):.{DIGITS}f}"
    return value.isoformat()[:10] if isinstance(value, date) else str(value)  # the questions know days
