"""Which table comes from which: dbt's models by their SQL, views and tables by PostgreSQL's catalogue; and who draws them."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Final

import yaml

from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.sqlfiles import read_sql

PROJECT: Final = Path(__file__).resolve().parents[2] / "dbt_project"
REFERENCE: Final = re.compile(r"(?:ref\('(?P<ref>\w+)'\)|source\('(?P<schema>\w+)', '(?P<table>\w+)'\))")
MACRO: Final = re.compile(r"{%-? macro (\w+)(\(.*?){%-? endmacro -?%}", re.DOTALL)
BOOKKEEPING: Final = "ops.mart_cuts"  # how far each mart is
ROLES: Final = ("ecom_loader", "ecom_producer", "ecom_stream", "ecom_dbt")


class Lineage:
    """What a table is made from, who writes it, and which boards draw it, by its name with the schema."""

    def __init__(self, address: Address, schemas: list[str]) -> None:
        with address.connect("ecom_reader") as reader:
            rows = reader.execute(read_sql(__package__, "lineage"), {"schemas": schemas, "roles": list(ROLES)}).fetchall()
        self.read = {table: sorted(sources) for table, sources, _ in rows}
        self.written = {table: [f"`{role}`" for role in roles] for table, _, roles in rows}
        self.boards: dict[str, list[str]] = defaultdict(list)
        for board in yaml.safe_load((PROJECT / "models" / "marts" / "exposures.yml").read_text("utf-8"))["exposures"]:
            for table in _referred(" ".join(board["depends_on"])):
                self.boards[table].append(board["label"])
        self.models, self.on_the_way = _models()

    def told(self, table: str) -> str:
        """In sentences, with links; empty where nothing is known."""
        said = []
        if table in self.models:
            way = ", ".join(f"`{name}`" for name in self.on_the_way[table])
            said.append(f"From {_links(self.models[table])}{f', by {way}' if way else ''}.")
        elif self.read.get(table):
            said.append(f"Reads {_links(self.read[table])}.")
        elif self.written.get(table):
            said.append(f"Written as {' and '.join(self.written[table])}.")
        if self.boards.get(table):
            said.append(f"On the boards {', '.join(self.boards[table])}.")
        return " ".join(said)


def _links(tables: list[str]) -> str:
    return ", ".join(f"[{table}](#{table.replace('.', '')})" for table in tables)


def _referred(text: str) -> list[str]:
    """The tables that a text refers to; a model is in the schema marts, or on the way there without one."""
    found = [f"{one['schema']}.{one['table']}" if one["table"] else _model(one["ref"]) for one in REFERENCE.finditer(text)]
    return [table for table in dict.fromkeys(found) if table != BOOKKEEPING]


def _with_macros(text: str, macros: dict[str, str]) -> str:
    """The text, and behind it those of the macros that it calls, themselves or by another one."""
    left = dict(macros)
    while called := [name for name in left if re.search(rf"\b{name}\(", text)]:
        text += "".join(left.pop(name) for name in called)
    return text


def _model(name: str) -> str:
    return name if name.startswith(("stg_", "int_")) else f"marts.{name}"


def _models() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Of each mart the tables that it is made from, and the models between them and it."""
    macros = {m[1]: m[2] for file in (PROJECT / "macros").glob("*.sql") for m in MACRO.finditer(file.read_text("utf-8"))}
    files = (PROJECT / "models").rglob("*.sql")
    texts = {_model(file.stem): _referred(_with_macros(file.read_text("utf-8"), macros)) for file in files}
    sources, between = {}, {}
    for model in texts:
        if not model.startswith("marts."):
            continue
        ends: dict[str, None] = {}
        way: dict[str, None] = {}
        todo = list(texts[model])
        while todo:
            one = todo.pop(0)
            if "." in one:
                ends[one] = None
            elif one not in way:
                way[one] = None
                todo += texts[one]
        sources[model], between[model] = sorted(ends), sorted(way)
    return sources, between
