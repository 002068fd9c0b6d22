"""The text of docs/tables.md, from the catalogue of a migrated database and from dbt's description of the marts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import yaml

from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.sqlfiles import read_sql

from .lineage import Lineage

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "tables.md"
MARTS: Final = ROOT / "dbt_project" / "models" / "marts" / "marts.yml"
SCHEMAS: Final = ("warehouse", "realtime", "ops")

HEAD: Final = """# The tables

<!-- Made by `make docs` from the comments in the database and from dbt_project/models/marts/marts.yml. Do not edit by hand. -->

Every table and view that `ecom_lite sql` and the role `ecom_reader` may read. `psql`'s `\\d+` shows the same words for the first
three schemas. Times are with time zone, and days are UTC; money is exact, in whatever currency the events are. Event time is the
`timestamp` of an event. Under each table: what it comes from (of a mart the tables, then the models on the way), or the role
that writes it (`ecom_loader`: loaders; `ecom_producer`: the shop; `ecom_stream`: Spark, and sums that are kept; `ecom_dbt`: dbt),
and the boards that draw it.
"""
MARTS_HEAD: Final = """
## marts

What dbt makes of the facts, first as soon as there are some, then every `transform.every_s`. What it needs on the way there is in
the schema `intermediate`, which only dbt reads.
"""
COLUMNS: Final = "| column | type | | what it is |\n|---|---|---|---|\n"


def read_catalogue(address: Address) -> list[dict[str, Any]]:
    """One row per column of each table and view of SCHEMAS: schema, table, kind, name, type, nullable, and the three comments."""
    with address.connect("ecom_reader") as reader:
        cursor = reader.execute(read_sql(__package__, "catalogue"), {"schemas": list(SCHEMAS)})
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def render(catalogue: list[dict[str, Any]], lineage: Lineage) -> str:
    """The whole page."""
    return "".join([HEAD, *_from_catalogue(catalogue, lineage), MARTS_HEAD, *_from_dbt(lineage)])


def marts() -> list[dict[str, Any]]:
    """dbt's models, as its YAML has them."""
    models: list[dict[str, Any]] = yaml.safe_load(MARTS.read_text("utf-8"))["models"]
    return models


def _from_catalogue(catalogue: list[dict[str, Any]], lineage: Lineage) -> Iterator[str]:
    for schema, of_schema in groupby(catalogue, lambda row: str(row["schema"])):
        rows = list(of_schema)
        yield f"\n## {schema}\n\n{rows[0]['schema_comment']}\n"
        for table, of_table in groupby(rows, lambda row: str(row["table"])):
            columns = list(of_table)
            kind = "View. " if columns[0]["kind"] == "v" else ""
            told = _told(lineage, f"{schema}.{table}")
            yield f"\n### {schema}.{table}\n\n{kind}{columns[0]['table_comment']}\n\n{told}{COLUMNS}"
            for column in columns:
                yield _row(column["name"], column["type"], column["nullable"], column["comment"])


def _from_dbt(lineage: Lineage) -> Iterator[str]:
    for model in marts():
        told = _told(lineage, f"marts.{model['name']}")
        yield f"\n### marts.{model['name']}\n\n{model['description']}\n\n{told}{COLUMNS}"
        for column in model["columns"]:
            needed = {"type": "not_null"} in column.get("constraints", [])
            yield _row(column["name"], column["data_type"], not needed, column["description"])


def _told(lineage: Lineage, table: str) -> str:
    told = lineage.told(table)
    return f"{told}\n\n" if told else ""


def _row(name: str, kind: str, nullable: bool, meaning: str) -> str:
    kind = kind.replace("timestamp with time zone", "timestamptz").replace(", ", ",")
    return f"| `{name}` | {kind} | {'may be null' if nullable else ''} | {meaning} |\n"
