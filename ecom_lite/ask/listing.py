"""The list of tables, and one table's columns, as text that fits a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any, Final

from .catalogue import Catalogue, Table
from .grid import cut

LEAST_COMMENT: Final = 20


def tables(catalogue: Catalogue, width: int, word: str = "") -> list[str]:
    """A line per table, by schema: its name, about how many rows, what one of them is. `word`: of this schema, or with it in the
    name; [] where there is none."""
    return list(_tables(catalogue.shown(word), dict(catalogue.comments), width))


def schema(table: Table, width: int) -> list[str]:
    """What the table is, and a line per column: name, type (`?`: may be null), meaning."""
    kinds = [column.type + ("?" if column.nullable else "") for column in table.columns]
    name = max((len(column.name) for column in table.columns), default=0)
    wide = max(map(len, kinds), default=0)
    size = "a view" if table.rows is None else f"about {table.rows:,} row{'' if table.rows == 1 else 's'}"
    lines = textwrap.wrap(f"{table.qualified}, {size}" + (f". {table.comment}" if table.comment else ""), width)
    for column, kind in zip(table.columns, kinds, strict=True):
        start = f"  {column.name.ljust(name)}  {kind.ljust(wide)}"
        lines.append(cut(f"{start}  {column.comment}".rstrip(), max(width, len(start) + LEAST_COMMENT)))
    return lines


def _tables(tables: list[Table], comments: dict[str, str], width: int) -> Iterator[str]:
    if not tables:
        return
    name = max(len(table.name) for table in tables)
    size = max(len(_size(table)) for table in tables)
    for number, (of, members) in enumerate(groupby(tables, lambda table: table.schema)):
        if number:
            yield ""
        comment = comments.get(of, "")
        yield cut(f"{of}: {_first_sentence(comment)}" if comment else of, width)
        for table in members:
            start = f"  {table.name.ljust(name)}  {_size(table).rjust(size)}"
            yield cut(f"{start}  {_first_sentence(table.comment)}".rstrip(), max(width, len(start) + LEAST_COMMENT))


def _size(table: Table) -> str:
    return "view" if table.rows is None else f"{table.rows:,}"


def _first_sentence(comment: str) -> str:
    return comment.partition(". ")[0].partition("\n")[0]


def as_json(catalogue: Catalogue, word: str = "") -> dict[str, Any]:
    """The same for programs, with the columns."""
    found = [
        {
            "schema": table.schema, "name": table.name, "rows": table.rows, "comment": table.comment,
            "columns": [asdict(column) for column in table.columns],
        }
        for table in catalogue.shown(word)
    ]  # fmt: skip
    return {"tables": found}
