"""The columns of declared attributes: added to the facts, and to the views over them, where the settings declare new ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Final

import psycopg
from psycopg.errors import DeadlockDetected, LockNotAvailable

from ..errors import MigrationError
from .sqlfiles import fill_sql, read_sql

COLUMN_TYPES: Final = {"text": "text", "integer": "bigint", "number": "numeric(24, 6)", "boolean": "boolean"}
DIMENSION: Final = "dimension"
VIEWS: Final = ("order_lines", "sales")  # over the facts, which they call f
LOCK_TIMEOUT_S: Final = 2  # whoever asks for the facts after us waits as long
PATIENCE_S: Final = 60.0
PAUSE_S: Final = 0.5
_SELECT_ENDS: Final = "\n   FROM "  # in what PostgreSQL writes of a view; a sub-select's stands deeper


def declare(
    connection: psycopg.Connection,
    declared: Mapping[str, str],
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Make what is declared and not there yet, as ecom_owner under the lock of the migrations; returns what was made.

    One transaction each, none of which rewrites a row or waits long for a lock: what is stopped in the midst is gone on with.
    Raises MigrationError where an attribute has changed its type, where its name is taken, or where the facts cannot be had.
    """
    known = _known(connection)
    _refuse_changed(declared, known)
    made = []
    for name, kind in declared.items():
        if name not in known:
            _refuse_taken(connection, name, kind)
            _patiently(connection, f"attribute {name}", partial(_add, connection, name, kind), clock, wait)
            made.append(f"attribute {name} ({kind})")
    for view in VIEWS:
        _patiently(connection, f"the attributes in warehouse.{view}", partial(_show, connection, view), clock, wait)
    with connection.transaction():
        connection.execute(read_sql(__package__, "still_declared"), {"names": list(declared)})
    return made


def require(connection: psycopg.Connection, declared: Mapping[str, str]) -> None:
    """Raises MigrationError where the warehouse has not what the settings declare."""
    known = _known(connection)
    _refuse_changed(declared, known)
    if missing := [name for name in declared if name not in known]:
        raise MigrationError(
            f"events.attributes declares {', '.join(missing)}, which the warehouse has no column for: run `ecom_lite migrate` "
            "with these settings first"
        )


def _known(connection: psycopg.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, type FROM ops.attributes ORDER BY declared_at, name").fetchall())


def _refuse_changed(declared: Mapping[str, str], known: Mapping[str, str]) -> None:
    for name, kind in declared.items():
        if known.get(name, kind) != kind:
            raise MigrationError(
                f'events.attributes.{name} = "{kind}": the warehouse has it as {known[name]}, and a column keeps its type. Put '
                f'"{known[name]}" back, or declare another one beside it: [events.attributes] {name}_2 = "{kind}" and '
                f'[events.fields] {name}_2 = "{name}"'
            )


def _refuse_taken(connection: psycopg.Connection, name: str, kind: str) -> None:
    wanted = {"relations": ["fact_sales", *VIEWS]}
    found: dict[str, list[str]] = dict(connection.execute(read_sql(__package__, "relation_columns"), wanted).fetchall())
    columns = {name} if kind != DIMENSION else {name, f"{name}_key"}
    taken = [f"warehouse.{table} has a column {one}" for table, names in found.items() for one in sorted(columns & set(names))]
    if kind == DIMENSION and f"dim_{name}" in found:
        taken = [f"there is a table warehouse.dim_{name}"]
    if taken:
        raise MigrationError(f"events.attributes.{name}: {taken[0]} already: give the attribute another name")


def _add(connection: psycopg.Connection, name: str, kind: str) -> None:
    if kind == DIMENSION:
        connection.execute(fill_sql(__package__, "add_attribute_dimension", attribute=name))
    else:
        connection.execute(fill_sql(__package__, "add_attribute", attribute=name, type=COLUMN_TYPES[kind]))
    connection.execute("INSERT INTO ops.attributes (name, type) VALUES (%s, %s)", [name, kind])


def _show(connection: psycopg.Connection, view: str) -> None:
    """Columns are added at the end of the view as it is: its rights, its comments and what stands on it stay."""
    relation = f"warehouse.{view}"
    query = (
        "SELECT pg_get_viewdef(to_regclass(%(view)s), true), array_agg(attname::text) "
        "FROM pg_attribute WHERE attrelid = to_regclass(%(view)s) AND attnum > 0"
    )
    definition, columns = connection.execute(query, {"view": relation}).fetchone() or (None, None)
    missing = {} if definition is None else {n: kind for n, kind in _known(connection).items() if n not in columns}
    if not missing:
        return
    selected, ends, rest = definition.removesuffix(";").partition(_SELECT_ENDS)
    for name, kind in missing.items():
        selected += f', {f"attribute_{name}" if kind == DIMENSION else "f"}."{name}"'
        if kind == DIMENSION:
            rest += f' LEFT JOIN warehouse.dim_{name} attribute_{name} ON attribute_{name}."{name}_key" = f."{name}_key"'
    connection.execute(f"CREATE OR REPLACE VIEW {relation} AS {selected}{ends}{rest}".encode())
    for name in missing:
        text = f"Attribute `{name}`, by events.attributes; null where the order line had none."
        connection.execute(f"""COMMENT ON COLUMN {relation}."{name}" IS '{text}'""".encode())


def _patiently(
    connection: psycopg.Connection,
    what: str,
    change: Callable[[], None],
    clock: Callable[[], float],
    wait: Callable[[float], None],
) -> None:
    """The change in a transaction of its own, again and again until it gets its locks."""
    give_up = clock() + PATIENCE_S
    while True:
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")
                change()
                return
        except (LockNotAvailable, DeadlockDetected):
            if clock() > give_up:
                raise MigrationError(f"{what}: {_in_the_way(connection)}; try again later") from None
            wait(PAUSE_S)
        except psycopg.Error as error:
            raise MigrationError(f"{what}: {str(error).strip()} (SQLSTATE {error.sqlstate})") from error


def _in_the_way(connection: psycopg.Connection) -> str:
    with suppress(psycopg.Error), connection.transaction():
        row = connection.execute(read_sql(__package__, "in_the_way")).fetchone()
        if row is not None and row[2] is not None:
            return f"warehouse.fact_sales is in use by a transaction of {row[1]} (pid {row[0]}) that is {row[2]:.0f} s old"
    return "warehouse.fact_sales is in use"
