"""One hash over facts and marts: equal for equal content, on any machine, however it got there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from ..errors import CheckFailed
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql

# Each has a file in sql/fingerprint: natural keys and values in a fixed order. What tells how the content came here (surrogate
# keys, load times and transactions, offsets) is left out.
WAREHOUSE: Final = (
    "fact_sales", "fact_returns", "user_changes", "dim_user", "dim_product", "dim_category", "dim_date"
)  # fmt: skip
MARTS: Final = ("customer_ltv", "product_performance", "daily_sales", "sales_by_attribute")


@dataclass(frozen=True)
class Fingerprint:
    """`fingerprint` is the hash of the hashes of both parts; all are sha256 in hex. `rows` are counts by table.

    `marts_behind` counts facts and changed profiles that the marts do not have yet: unless it is 0, equal content does not
    mean equal marts.
    """

    fingerprint: str
    facts: str
    marts: str
    rows: dict[str, int]
    marts_behind: int

    def raise_if_behind(self) -> None:
        """CheckFailed when the marts are not those of the facts."""
        if self.marts_behind:
            raise CheckFailed(
                f"the marts lack {self.marts_behind:,} facts or profile changes, so this hash compares with no other: "
                "run `ecom_lite refresh` first"
            )


def fingerprint(address: Address) -> Fingerprint:
    """Hash one moment of the warehouse, a live one too. Under 1 s for 500,000 facts; memory does not grow with them.

    Raises CheckFailed when the tables are not there, psycopg.OperationalError when the server cannot be reached.
    """
    rows: dict[str, int] = {}
    try:
        with address.connect("ecom_reader") as reader:
            reader.execute(read_sql(__package__, "fingerprint/session"))
            facts = _hash(reader, WAREHOUSE, rows)
            behind = reader.execute(read_sql(__package__, "fingerprint/behind")).fetchone()
            marts = _hash(reader, MARTS, rows)
    except psycopg.ProgrammingError as error:
        raise CheckFailed(f"the fingerprint could not be taken: {str(error).strip()}") from None
    whole = hashlib.sha256(f"{facts} {marts}".encode()).hexdigest()
    return Fingerprint(whole, facts, marts, rows, int(behind[0]) if behind else 0)


def _hash(reader: psycopg.Connection, tables: tuple[str, ...], rows: dict[str, int]) -> str:
    digest = hashlib.sha256()
    for table in tables:
        rows[table] = 0
        digest.update(f"\n{table}\n".encode())  # so that a row cannot pass for one of the next table
        if table in MARTS and not _exists(reader, table):
            continue  # no dbt run yet: as good as empty
        with reader.cursor() as cursor:
            with cursor.copy(_copy(table)) as copy:
                for chunk in copy:
                    digest.update(chunk)
            rows[table] = cursor.rowcount
    return digest.hexdigest()


def _copy(table: str) -> sql.Composed:
    query: Any = read_sql(__package__, f"fingerprint/{table}").decode()
    return sql.SQL("COPY ({}\n) TO STDOUT").format(sql.SQL(query))


def _exists(reader: psycopg.Connection, mart: str) -> bool:
    row = reader.execute("SELECT to_regclass(%s) IS NOT NULL", [f"marts.{mart}"]).fetchone()
    return row is not None and bool(row[0])
