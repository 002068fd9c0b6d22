"""What is no order line: lines taken back, and the history of customers' profiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import msgspec
import psycopg

from ..contract.fields import OrderReversal, UserChange, fields_of
from ..warehouse.sqlfiles import fill_sql, read_sql
from .decode import Other


@dataclass(frozen=True, eq=False)
class Table:
    """Where the events of a type go: each of its fields into the column of the same name, but for these."""

    name: str
    event: type[OrderReversal] | type[UserChange]
    renamed: Mapping[str, str]
    left_out: frozenset[str]


NOT_KEPT: Final = frozenset({"event_id", "schema_version"})
RETURNS: Final = Table(
    "warehouse.fact_returns", OrderReversal, {"event_type": "kind", "timestamp": "returned_at"}, NOT_KEPT | {"user_id"}
)
CHANGES: Final = Table("warehouse.user_changes", UserChange, {"event_type": "kind", "timestamp": "changed_at"}, NOT_KEPT)


def insert_others(connection: psycopg.Connection, others: Sequence[Other]) -> Counter[int]:
    """How many of each partition were new. The customers' rows exist already. Raises psycopg.Error."""
    reversals = [other for other in others if isinstance(other.event, OrderReversal)]
    changed = [other for other in others if isinstance(other.event, UserChange)]
    new: Counter[int] = Counter()
    if reversals:
        new += _insert(connection, RETURNS, reversals)
    if changed:
        new += _insert(connection, CHANGES, changed)
        users = sorted({other.event.user_id for other in changed if other.event.user_id is not None})
        connection.execute(read_sql(__package__, "update_profiles"), {"user_ids": users})
    return new


def _insert(connection: psycopg.Connection, table: Table, others: Sequence[Other]) -> Counter[int]:
    rows = connection.execute(_statement(table), {"events": msgspec.json.encode(others).decode()})
    return Counter(partition for (partition,) in rows)


@cache
def _statement(table: Table) -> bytes:
    kept = [one for one in fields_of(table.event) if one.name not in table.left_out]
    return fill_sql(
        __package__,
        "insert_others",
        table=table.name,
        columns=", ".join(table.renamed.get(one.name, one.name) for one in kept),
        values=", ".join(f"coalesce(n.{one.name}, '')" if one.default == "" else f"n.{one.name}" for one in kept),
        record=", ".join(f"{one.name} {one.kind.column}" for one in kept),
    )
