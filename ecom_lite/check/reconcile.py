"""The count that must close: sent = broker = facts + duplicates + other + dead; marts = facts; closed windows = facts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import duckdb
import psycopg

from ..errors import CheckFailed
from ..events import FAULT_HEADER, PRODUCER_HEADER
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .duck import attach
from .faults import OwnDead, fault_lines
from .ledger import Ledger, read_ledger
from .lines import Line, Report, between, equal

__all__ = ["CATCH_UP_S", "EndOffsets", "Line", "Report", "reconcile"]

CATCH_UP_S: Final = 60.0  # how long the loader may take to reach the offsets of this moment
LEDGER_FLUSH_S: Final = 3.0  # a live producer writes its ledger at least this often
POLL_S: Final = 0.1

EndOffsets = Callable[[], Mapping[int, int]]


def reconcile(
    address: Address,
    topic: str,
    end_offsets: EndOffsets,
    *,
    producing: bool,
    catch_up_s: float = CATCH_UP_S,
    spark: bool = True,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Report:
    """Take the count, of a live run too: wait until the loader has reached the broker's end of this moment, then compare.

    `producing` says that a producer is sending: its ledger is then read before and after, and the count must lie between.
    """
    with psycopg.connect(address.conninfo("ecom_reader"), autocommit=True) as reader:
        before = read_ledger(reader)
        ends_before = dict(end_offsets())
        _catch_up(reader, topic, ends_before, clock() + catch_up_s, clock, wait)
        figures, own_dead = _figures(address, topic)
        after = _ledger_after(reader, clock, wait) if producing else read_ledger(reader)
        ends_after = dict(end_offsets())
    records = figures["accounted"] - figures["markers"] - figures["lost"]
    figures |= {
        "sent": (before if producing else after).events,
        "broker": records,
        "foreign": records - figures["own"],
    }
    lines = [
        between("sent (ledger) = own records on the broker", before.events, figures["own"], after.events),
        between(
            "broker's offsets = offsets accounted for",
            sum(ends_before.values()),
            figures["next_offsets"],
            sum(ends_after.values()),
        ),
        equal(
            "records = facts + duplicates + other + dead",
            records,
            figures["facts"] + figures["duplicates"] + figures["other"] + figures["dead"],
            f"{figures['own']:,} own, {figures['foreign']:,} foreign",
        ),
        equal("facts counted = rows of fact_sales", figures["facts"], figures["fact_rows"]),
        equal("other events counted = rows of fact_returns + user_changes", figures["other"], figures["other_rows"]),
        equal("dead letters counted = rows of dead_letters", figures["dead"], figures["dead_rows"]),
        equal("facts without a dimension row", figures["orphans"], 0),
        equal("offsets lost to retention", figures["lost"], 0),
    ]
    lines += fault_lines(before, after, own_dead, figures)
    lines += _mart_lines(figures)
    if spark:
        lines += _window_lines(figures)
    return Report(lines, figures)


def _mart_lines(figures: dict[str, Any]) -> list[Line]:
    marts = figures.pop("marts")
    figures["mart_lines"] = 0 if marts is None else int(marts["mart_lines"])
    if marts is None:
        return [Line("marts = facts", "no dbt run yet", "", figures["fact_rows"] == 0, "run `ecom_lite refresh`")]
    behind = figures["fact_rows"] - marts["fact_rows"]
    note = f"of dbt run {marts['run_id']}; {behind:,} facts are newer" if behind else f"of dbt run {marts['run_id']}"
    return [
        equal("lines in daily_sales = facts", marts["mart_lines"], marts["fact_rows"], note),
        equal("revenue in daily_sales = facts", marts["daily_revenue"], marts["fact_revenue"]),
        equal("revenue in product_performance = facts", marts["product_revenue"], marts["fact_revenue"]),
        equal("revenue in customer_ltv = facts", marts["customer_revenue"], marts["fact_revenue"]),
    ]


def _window_lines(figures: dict[str, Any]) -> list[Line]:
    windows = figures.pop("windows")
    figures["window_lines"], figures["late_rows"] = int(windows["window_lines"] or 0), int(windows["late_rows"] or 0)
    if windows["until"] is None:
        return [Line("closed minutes = facts", "no minute is closed yet", "", True, "the stream has seen no event")]
    late = figures["late_rows"]
    missing = windows["fact_lines"] - windows["window_lines"]
    note = f"minutes up to {windows['until']:%Y-%m-%d %H:%M}" + (f"; {late:,} late lines were not counted" if late else "")
    right = windows["fact_lines"]
    # A late line that is a duplicate too is dropped without being missed: late rows are an upper bound.
    return [Line("lines in closed minutes = facts", windows["window_lines"], right, 0 <= missing <= late, note)]


def _ledger_after(reader: psycopg.Connection, clock: Callable[[], float], wait: Callable[[float], None]) -> Ledger:
    """The ledger once the producer has written it again, so that it covers all that was loaded until now."""
    query = "SELECT now(), (SELECT max(updated_at) FROM ops.sent_ledger)"
    row = reader.execute(query).fetchone()
    started = row[0] if row else None
    deadline = clock() + LEDGER_FLUSH_S
    while clock() < deadline:
        row = reader.execute(query).fetchone()
        if row and row[1] is not None and started is not None and row[1] > started:
            break
        wait(POLL_S)
    return read_ledger(reader)


def _catch_up(
    reader: psycopg.Connection,
    topic: str,
    ends: Mapping[int, int],
    deadline: float,
    clock: Callable[[], float],
    wait: Callable[[float], None],
) -> None:
    while True:
        rows = reader.execute("SELECT partition, next_offset FROM ops.consumer_offsets WHERE topic = %s", [topic]).fetchall()
        positions: dict[int, int] = dict(rows)
        if all(positions.get(partition, 0) >= end for partition, end in ends.items()) or clock() > deadline:
            return
        wait(POLL_S)


def _figures(address: Address, topic: str) -> tuple[dict[str, Any], OwnDead]:
    """All counts of one moment: DuckDB reads PostgreSQL in one transaction."""
    connection = attach(address)
    try:
        connection.execute("BEGIN TRANSACTION")
        figures = _row(connection, "offsets", topic) | _row(connection, "tables") | _row(connection, "orphans")
        figures["marts"] = _row(connection, "marts") if _has_marts(connection) else None
        figures["windows"] = _row(connection, "windows")
        headers = {"producer_header": PRODUCER_HEADER, "fault_header": FAULT_HEADER}
        own_dead = OwnDead.from_rows(connection.execute(_sql("own_dead"), headers).fetchall())
        connection.execute("COMMIT")
    except duckdb.Error as error:
        raise CheckFailed(f"the count could not be taken: {str(error).strip()}") from None
    finally:
        connection.close()
    return figures, own_dead


def _has_marts(connection: duckdb.DuckDBPyConnection) -> bool:
    found = connection.execute(
        "SELECT (SELECT count(*) FROM duckdb_tables() WHERE database_name = 'ecom' AND schema_name = 'marts' "
        "AND table_name IN ('daily_sales', 'customer_ltv', 'product_performance')), "
        "(SELECT count(*) FROM ecom.ops.dbt_runs WHERE status IN ('success', 'tests failed'))"
    ).fetchone()
    return found is not None and found[0] == 3 and found[1] > 0


def _row(connection: duckdb.DuckDBPyConnection, name: str, topic: str | None = None) -> dict[str, Any]:
    cursor = connection.execute(_sql(name), {"topic": topic} if topic is not None else None)
    columns = [column[0] for column in cursor.description or []]
    row = cursor.fetchone()
    return dict(zip(columns, row, strict=True)) if row is not None else {}


def _sql(name: str) -> str:
    return read_sql(__package__, name).decode()
