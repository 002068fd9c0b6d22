"""Values of every kind as they are written for programs: lists, structs and maps, too."""

from __future__ import annotations

import io
import json
from typing import Any

import duckdb
import pytest

from ecom_lite.ask.formats import write_csv, write_json


def asked(statement: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    with duckdb.connect() as connection:
        found = connection.execute(statement)
        return [column[0] for column in found.description or ()], found.fetchall()


@pytest.mark.parametrize(
    ("value", "found", "shown"),
    [
        ("[1.20::decimal(9, 2), NULL]", ["1.20", None], "[1.20, NULL]"),
        ("['nan'::double, 1]", [None, 1.0], "[nan, 1.0]"),
        (
            "{'day': DATE '2026-11-28', 'at': 'inf'::double}",
            {"day": "2026-11-28", "at": None},
            "{day: 2026-11-28, at: inf}",
        ),
        ("MAP {DATE '2026-11-28': [true]}", {"2026-11-28": [True]}, "{2026-11-28: [true]}"),
        ("MAP {1.50::decimal(9, 2): 'a'}", {"1.50": "a"}, "{1.50: a}"),
        ("(SELECT histogram(n) FROM range(2) AS r (n))", {"0": 1, "1": 1}, "{0: 1, 1: 1}"),
    ],
)
def test_what_stands_within_a_value_is_written_as_if_it_stood_alone(value: str, found: object, shown: str) -> None:
    columns, rows = asked(f"SELECT {value} AS x")
    out = io.StringIO()
    write_json(columns, rows, out)
    assert json.loads(out.getvalue(), parse_constant=pytest.fail) == {"x": found}
    out = io.StringIO()
    write_csv(columns, rows, out)
    assert out.getvalue().splitlines()[1].strip('"') == shown
