"""Says no to a statement that does more than read the warehouse and the lake: by DuckDB's own parser, before it is run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import duckdb

from ..errors import OnlyReads

# Table functions that touch nothing but what is handed to them, what is attached, and (held by allowed_directories) the lake.
HARMLESS: Final = frozenset((
    "duckdb_columns", "duckdb_constraints", "duckdb_databases", "duckdb_extensions", "duckdb_functions", "duckdb_indexes",
    "duckdb_keywords", "duckdb_schemas", "duckdb_settings", "duckdb_tables", "duckdb_types", "duckdb_views",
    "ducklake_current_snapshot", "ducklake_list_files", "ducklake_snapshots",
    "ducklake_table_changes", "ducklake_table_info", "ducklake_table_insertions", "generate_series",
    "histogram", "histogram_values", "icu_calendar_names", "json_each", "json_tree", "parquet_file_metadata", "parquet_metadata",
    "parquet_scan", "parquet_schema", "pg_timezone_names", "pragma_show", "pragma_table_info", "pragma_version", "range",
    "read_parquet", "repeat", "repeat_row", "seq_scan", "summary", "unnest",
))  # fmt: skip
READING: Final = "SELECT, FROM, WITH, VALUES, DESCRIBE, SHOW, SUMMARIZE, PIVOT, or an EXPLAIN of one of these"
_ALL_FUNCTIONS: Final = (
    "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE function_type IN ('table', 'table_macro', 'pragma')"
)


def require_reading(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    """Raise OnlyReads unless the one statement in `text` only reads; duckdb.Error where it cannot be parsed.

    `connection` must be closed to the outside already: to parse an IMPORT reads files.
    """
    statements = connection.extract_statements(text)
    kind = statements[-1].type
    others = [statement for statement in statements[:-1] if statement.query]  # a PIVOT makes a type first, which has no text
    if kind == duckdb.StatementType.EXPLAIN and not others:  # with ANALYZE it is run
        require_reading(connection, _explained(text))
        return
    if kind != duckdb.StatementType.SELECT or others:
        name = (others[0] if others else statements[-1]).type.name.replace("_", " ")
        raise OnlyReads(f"`ecom_lite sql` only reads: give a {READING}; this is of the kind {name}")
    tree = _tree(connection, statements[-1].query)
    if tree is None:
        known = {name for (name,) in connection.execute(_ALL_FUNCTIONS).fetchall()}
        found = set(re.findall(r"\w+", text.lower())) & known
    else:
        found = {name.lower() for name in _table_functions(tree)}
    if refused := sorted(found - HARMLESS):
        raise OnlyReads(
            f"`ecom_lite sql` only reads the warehouse and the lake: the function {refused[0]} is not for that; "
            "`SHOW ALL TABLES` lists what can be read"
        )


def _explained(text: str) -> str:
    """What stands behind EXPLAIN, ANALYZE and options in parentheses."""
    code = text.encode()
    places = [place for place, _ in duckdb.tokenize(text)]
    words = [re.match(rb"\w*|.", code[place:])[0].upper() or code[place : place + 1] for place in places]  # type: ignore[index]
    at = words.index(b"EXPLAIN") + 1
    if words[at] == b"(" and words[at + 1] in (b"ANALYZE", b"FORMAT"):
        at = words.index(b")", at) + 1
    elif words[at] == b"ANALYZE":
        at += 1
    return code[places[at] :].decode()


def _tree(connection: duckdb.DuckDBPyConnection, statement: str) -> Any:
    """The parsed statement; None for the one kind of SELECT that DuckDB cannot show, a PIVOT that looks for its columns."""
    row = connection.execute("SELECT json_serialize_sql(?)", [statement]).fetchone() if statement else None
    tree = {"error": True} if row is None else json.loads(row[0])
    return None if tree["error"] else tree


def _table_functions(tree: Any) -> Iterator[str]:
    """The names of all table functions that it calls, at any depth."""
    if isinstance(tree, dict):
        if tree.get("type") == "TABLE_FUNCTION":
            yield str(tree["function"]["function_name"])
        for part in tree.values():
            yield from _table_functions(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from _table_functions(part)
