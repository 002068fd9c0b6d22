"""The account of a round: DuckDB reads the topic's raw bytes, decides in SQL what each record is, and compares the warehouse.

None of the loader's code is used, nor `ecom_lite.contract.events`: two mistakes would have to agree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from ..ask.duck import attach
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .expect import Violation
from .shapes import CONTRACT
from .topic import Raw

# Each is a query whose every row is a difference: (what, expected, found).
CHECKS: Final = (
    "facts", "contents", "sums", "products", "dead_letters", "others", "offsets", "batches", "references", "gaps", "lake",
)  # fmt: skip
SHOWN: Final = 5


@dataclass(frozen=True)
class Lost:
    """Offsets [start, end) of a partition that were removed before they were loaded."""

    partition: int
    start: int
    end: int


@dataclass(frozen=True)
class Account:
    """What the account is taken of. `refused_quantity` is that of lines which the round's database refuses, `form` that of the
    foreign records: it says where in them the fields of an event stand. `lake` is the folder of the round's lake."""

    address: Address
    topic: str
    records: Sequence[Raw]
    ends: Mapping[int, int]
    first_offsets: Mapping[int, int]
    lost: Sequence[Lost]
    refused_quantity: int | None
    form: str = CONTRACT
    lake: Path | None = None


def differences(account: Account, further: Sequence[str] = ()) -> list[Violation]:
    """All that does not agree, by CHECKS and `further` ones; at most SHOWN of each check."""
    duck = attach(account.address, account.lake)
    try:
        duck.execute("USE memory.main")
        judge(duck, account)
        return [found for check in (*CHECKS, *further) for found in compared(duck, check)]
    finally:
        duck.close()


def compared(duck: duckdb.DuckDBPyConnection, check: str) -> list[Violation]:
    """What one check says of the tables that `judge` has made."""
    rows = duck.execute(_sql(check)).fetchall()
    found = [Violation(f"{check}: {what}", str(expected), str(got)) for what, expected, got in rows[:SHOWN]]
    if len(rows) > SHOWN:
        found.append(Violation(check, "no difference", f"{len(rows) - SHOWN:,} more differences like these"))
    return found


def judge(duck: duckdb.DuckDBPyConnection, account: Account) -> None:
    """Make the tables `judged` (a row for each record with its reason where it is a dead letter, else for each of its lines),
    `lost` and `partitions`."""
    rows = [
        {
            "partition": partition,
            "offset": offset,
            "hex": None if value is None else value.hex(),
            "text": _text(value),
            "own": own,
        }
        for partition, offset, value, own in account.records
    ]
    lost = [{"partition": lost.partition, "start": lost.start, "end": lost.end} for lost in account.lost]
    partitions = [
        {"partition": partition, "first": account.first_offsets.get(partition, 0), "end": end}
        for partition, end in account.ends.items()
    ]
    # As JSON: DuckDB takes a Python list element by element, 0.2 ms each.
    for name, table in (("records", rows), ("lost", lost), ("partitions", partitions)):
        duck.execute(_sql(name), {"rows": json.dumps(table)})
    duck.execute(_sql("macros"))
    duck.execute(_sql("documents"))
    if account.form != CONTRACT:
        duck.execute(_sql(f"documents_{account.form}"))
    duck.execute(_sql("judged"), {"refused_quantity": account.refused_quantity})
    if account.form != CONTRACT:
        duck.execute(_sql("whole"))


def _text(value: bytes | None) -> str | None:
    """Here and not in SQL, where one value that is no UTF-8 makes DuckDB look at all of them one by one."""
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _sql(name: str) -> str:
    return read_sql(__package__, name).decode()
