"""What there is to ask about: every schema, table, view and column that a reader may read, with what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from ..settings.bundled import bundled
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .duck import ROLE

if TYPE_CHECKING:  # late: the start of `sql` does without
    import psycopg

SCHEMAS: Final = ("warehouse", "marts", "realtime", "ops")  # unqualified names are looked for in the first
UNCOUNTED: Final = -1  # rows of a small table: to be counted
INTERNAL: Final = ("stg_", "int_")  # dbt's own, on the way to a mart
TABLES_OF_LAKE: Final = "lake"
TABLES_OF_LAKE_COMMENT: Final = "The facts as Parquet files, some seconds old: for questions that read many of them."
LAKE: Final = "memory.main"
LAKE_COMMENT: Final = "The topics' records as they came: the raw archive, Parquet files by day."


@dataclass(frozen=True)
class Column:
    """One column; `type` is PostgreSQL's."""

    name: str
    type: str
    nullable: bool
    comment: str


@dataclass(frozen=True)
class Table:
    """One table or view. `rows` is the server's estimate where it is large; None of a view."""

    schema: str
    name: str
    rows: int | None
    comment: str
    columns: tuple[Column, ...]

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def internal(self) -> bool:
        return self.schema == "marts" and self.name.startswith(INTERNAL)


@dataclass(frozen=True)
class Catalogue:
    """All of them, in the order in which people read them; `comments` are those of the schemas."""

    tables: tuple[Table, ...] = ()
    comments: tuple[tuple[str, str], ...] = ()

    def find(self, name: str) -> Table | None:
        """By `schema.table`, or by the name alone: of several that of the first schema. Case does not matter."""
        wanted = name.replace('"', "").lower().removeprefix("ecom.")
        return next((table for table in self.tables if wanted in (table.qualified.lower(), table.name.lower())), None)

    def shown(self, word: str = "") -> list[Table]:
        """Those for people: of this schema, with this word in their name or their schema's, or this very `schema.table`.

        Without a word all.
        """
        word = word.lower()
        tables = [table for table in self.tables if not table.internal]
        if "." in word:
            return [table for table in tables if word in (table.schema, table.qualified)]
        return [table for table in tables if word == table.schema] or [
            table for table in tables if word in table.name or word in table.schema
        ]

    @property
    def schemas(self) -> list[str]:
        return list(dict.fromkeys(table.schema for table in self.tables))


def read_catalogue(address: Address, *, lake: bool = False) -> Catalogue:
    """What is there now, asked as the reader. `lake`: there is the view of the Parquet files, too. Raises psycopg.Error."""
    with address.connect(ROLE, autocommit=True) as reader:
        cursor = reader.execute(read_sql(__package__, "catalogue"), {"schemas": list(SCHEMAS)})
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
        counted = {at: _count(reader, *at) for at in {(row["schema"], row["table"]) for row in rows if row["rows"] == UNCOUNTED}}
        there = reader.execute("SELECT to_regclass('ducklake.ducklake_column_tag') IS NOT NULL").fetchone() == (True,)
        of_lake = reader.execute(read_sql(__package__, "lake_catalogue")).fetchall() if there else []
    rows = [{**row, "rows": counted.get((row["schema"], row["table"]), row["rows"])} for row in rows]
    tables = [_table(list(columns)) for _, columns in groupby(rows, lambda row: (row["schema"], row["table"]))]
    tables += [_of_lake(list(columns)) for _, columns in groupby(of_lake, lambda row: row[0])]
    if lake:
        tables.append(Table(LAKE, "lake", None, LAKE_COMMENT, ()))
    comments = {row["schema"]: row["schema_comment"] or "" for row in rows} | {TABLES_OF_LAKE: TABLES_OF_LAKE_COMMENT}
    return Catalogue(tuple(_with_dbts_words(tables)), tuple(comments.items()))


def _count(reader: psycopg.Connection, schema: str, table: str) -> int:
    from psycopg import sql

    row = reader.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))).fetchone()
    return int(row[0]) if row is not None else 0


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    first = rows[0]
    columns = tuple(Column(row["name"], _short(row["type"]), row["nullable"], row["comment"] or "") for row in rows)
    return Table(first["schema"], first["table"], first["rows"], first["table_comment"] or "", columns)


def _of_lake(rows: Sequence[tuple[Any, ...]]) -> Table:
    name, *_, count, comment, _ = rows[0]
    columns = tuple(Column(row[1], row[2], row[3], row[6]) for row in rows)
    return Table(TABLES_OF_LAKE, name, count, comment, columns)


def _short(kind: str) -> str:
    kind = kind.replace("timestamp with time zone", "timestamptz").replace("timestamp without time zone", "timestamp")
    return kind.replace("character varying", "varchar").replace("double precision", "double")


def _with_dbts_words(tables: Iterable[Table]) -> list[Table]:
    """The marts have no comments in the database: dbt's project describes them."""
    words = _dbts_words()
    found = []
    for table in tables:
        model = words.get(table.name, {}) if table.schema == "marts" else {}
        said = {column["name"]: column.get("description", "") for column in model.get("columns", ())}
        columns = tuple(replace(column, comment=column.comment or said.get(column.name, "")) for column in table.columns)
        found.append(replace(table, comment=table.comment or model.get("description", ""), columns=columns))
    return found


def _dbts_words() -> dict[str, dict[str, Any]]:
    """Name of a mart -> its entry in dbt's YAML."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    models: dict[str, dict[str, Any]] = {}
    for file in sorted((bundled("dbt_project") / "models" / "marts").glob("*.yml")):
        document = yaml.load(file.read_text("utf-8"), Loader=loader) or {}
        models |= {model["name"]: model for model in document.get("models") or ()}
    return models
