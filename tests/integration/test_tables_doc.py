"""docs/tables.md says what is in the database, and the database says what each table and column means."""

from __future__ import annotations

import os

from ecom_lite.warehouse.connect import Address

from .lineage import Lineage
from .tables_doc import PAGE, SCHEMAS, marts, read_catalogue, render

WRITE = "ECOM_LITE_WRITE_DOCS"  # set to 1: write the page instead of comparing it (`make docs`)


def test_every_schema_table_and_column_has_a_comment(template: Address) -> None:
    catalogue = read_catalogue(template)
    assert {row["schema"] for row in catalogue} == set(SCHEMAS)
    bare = [
        f"{row['schema']}.{row['table']}.{row['name']}"
        for row in catalogue
        if not (row["schema_comment"] and row["table_comment"] and row["comment"])
    ]
    assert not bare, "write COMMENT ON in a new migration"


def test_every_column_of_the_marts_is_described() -> None:
    bare = [f"{model['name']}.{one['name']}" for model in marts() for one in model["columns"] if not one.get("description")]
    assert not bare, "add a description in marts.yml"


def test_the_page_of_the_tables_is_current(template: Address) -> None:
    text = render(read_catalogue(template), Lineage(template, list(SCHEMAS)))
    if os.environ.get(WRITE) == "1":
        PAGE.write_text(text, "utf-8")
    assert PAGE.read_text("utf-8") == text, "run make docs"
