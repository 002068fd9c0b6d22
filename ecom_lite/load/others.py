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
CHANGE_KEYS: Final = ("user_id", "event_type", "timestamp")


def insert_others(connection: psycopg.Connection, others: Sequence[Other]) -> Counter[int]:
    """How many of each partition were new. The customers' rows exist already. Raises psycopg.Error."""
    reversals = [other for other in others if isinstance(other.event, OrderReversal)]
    changed = [other for other in others if isinstance(other.event, UserChange)]
    new: Counter[int] = Counter()
    if reversals:
        new += _insert_returns(connection, reversals)
    if changed:
        new += _insert_changes(connection, changed)
    return new


def _insert_changes(connection: psycopg.Connection, changed: Sequence[Other]) -> Counter[int]:
    rows = connection.execute(_changes_statement(), {"events": msgspec.json.encode(changed).decode()}).fetchall()
    users = {"user_ids": sorted({user for _, user, _ in rows})}
    if rows:
        connection.execute(read_sql(__package__, "lock_users"), users)
        connection.execute(read_sql(__package__, "update_profiles"), users)
    return Counter(partition for partition, _, is_new in rows if is_new)


@cache
def _changes_statement() -> bytes:
    kept = [one for one in fields_of(CHANGES.event) if one.name not in CHANGES.left_out]
    fields = [one.name for one in kept if one.name not in CHANGE_KEYS]
    return fill_sql(
        __package__,
        "insert_changes",
        keys=", ".join(CHANGE_KEYS),
        greatest=", ".join(f'max({name} COLLATE "C") AS {name}' for name in fields),
        fields=", ".join(fields),
        old=", ".join(f"c.{name}" for name in fields),
        greater=", ".join(f'greatest(c.{name} COLLATE "C", excluded.{name})' for name in fields),
        record=", ".join(f"{one.name} {one.kind.column}" for one in kept),
    )


def _insert_returns(connection: psycopg.Connection, reversals: Sequence[Other]) -> Counter[int]:
    rows = connection.execute(_returns_statement(), {"events": msgspec.json.encode(reversals).decode()})
    return Counter(partition for (partition,) in rows)


@cache
def _returns_statement() -> bytes:
    kept = [one for one in fields_of(RETURNS.event) if one.name not in RETURNS.left_out]
    return fill_sql(
        __package__,
        "insert_returns",
        columns=", ".join(RETURNS.renamed.get(one.name, one.name) for one in kept),
        values=", ".join(f"coalesce(n.{one.name}, '')" if one.default == "" else f"n.{one.name}" for one in kept),
        record=", ".join(f"{one.name} {one.kind.column}" for one in kept),
    )
