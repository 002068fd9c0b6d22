"""The lines of Python of docs/lake.md, by the heading that they stand under, and what they need to run in a test."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ecom_lite.lake.attach import DUCKLAKE
from ecom_lite.lake.export import export
from ecom_lite.lake.reader import open_lake, statement
from ecom_lite.lake.writer import Writer
from ecom_lite.settings.data_dir import LAKE, LAKE_TABLES
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.duck import POSTGRES, engine

from .facts import change_profile, load, some_lines

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "lake.md").read_text("utf-8")
LINES = 120
A_DAY = """
SELECT day AS date, count(*) AS lines, count(DISTINCT order_id) AS orders, sum(quantity) AS units, sum(revenue) AS gross,
       0 AS discounts, sum(revenue) AS revenue, 0 AS returned_units, 0 AS returns, sum(revenue) AS net,
       count(DISTINCT user_id) AS customers, 0 AS returned_of_orders, max(load_xid) AS load_xid, now() AS as_of
FROM lake.sales GROUP BY day
"""


@contextmanager
def a_lake(warehouse: Address, data_dir: Path) -> Iterator[Path]:
    """With LINES order lines in two files."""
    change_profile(warehouse, 3, "Ada", "Paris", "FR")
    with Writer(warehouse.only("ecom_lake"), data_dir / LAKE / LAKE_TABLES) as writer:
        writer.open()
        for seed in (1, 2):
            load(warehouse, some_lines(LINES // 2, seed=seed))
            writer.sync()
        writer.ask(f"INSERT INTO lake.daily BY NAME {A_DAY}")  # dbt would take longer than all the rest
    yield data_dir / LAKE


def prepare(warehouse: Address, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's answer without a run, DuckDB with its extensions (a user's fetches them), and the export."""
    with open_lake(warehouse) as reader:
        export(reader, folder / "november")
    attach = statement(warehouse).partition("\n")[2]
    monkeypatch.setattr(subprocess, "check_output", lambda command, **_: attach if command[1:] == ["lake", "attach"] else "")
    prepared = engine(POSTGRES, DUCKLAKE)
    monkeypatch.setattr(duckdb, "connect", lambda: prepared)
    monkeypatch.chdir(folder)


def run_lines(*headings: str) -> dict[str, Any]:
    """The names that these parts of the page have made, one after the other as by somebody who reads on."""
    made: dict[str, Any] = {}
    for heading in headings:
        (part,) = re.findall(rf"^#+ {heading}\n(.*?)(?=^#|\Z)", without_comments(PAGE), re.DOTALL | re.MULTILINE)
        blocks = re.findall(r"```python\n(.*?)```", part, re.DOTALL)
        assert blocks, f"{heading} has lines of Python"
        for block in blocks:
            exec(block, made)
    return made


def without_comments(page: str) -> str:
    """A line of code that begins with # is no heading."""
    return re.sub(r"```sh\n.*?```", "", page, flags=re.DOTALL)
