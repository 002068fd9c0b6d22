"""Rates in the warehouse: written, each once, corrected, and listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import psycopg

from ..errors import EcomLiteError
from ..warehouse.connect import Address
from ..warehouse.currency import Missing
from ..warehouse.sqlfiles import read_sql
from .file import Rate

ROLE: Final = "ecom_loader"
LOCK_TIMEOUT_S: Final = 60


@dataclass(frozen=True)
class Loaded:
    """What became of a file. `touched`: facts are worth something else now, so the next dbt run builds the marts anew."""

    reporting: str
    new: int
    corrected: int
    same: int
    touched: bool

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Listed:
    """The rates of one currency: `rate` is that of the last day."""

    currency: str
    reporting: str
    days: int
    first_day: date
    last_day: date
    rate: Decimal


def reporting_currency(address: Address) -> str:
    """What figures are in. Raises psycopg.Error."""
    with address.connect("ecom_reader", autocommit=True) as reader:
        row = reader.execute(read_sql(__package__, "reporting")).fetchone()
    assert row is not None, "the table has one row"
    return str(row[0])


def put_rates(address: Address, rates: Sequence[Rate], reporting: str) -> Loaded:
    """All of them in one transaction, behind which no fact is loaded that it has not looked at. Safe to repeat."""
    try:
        with address.connect(ROLE) as connection:
            connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")
            connection.execute(read_sql(__package__, "hold_loaders"))
            connection.execute(read_sql(__package__, "incoming"))
            with connection.cursor().copy("COPY incoming_rates (currency, day, rate) FROM STDIN") as copy:
                for rate in rates:
                    copy.write_row(rate)
            row = connection.execute(read_sql(__package__, "put"), {"reporting": reporting}).fetchone()
            assert row is not None, "the statement always returns a row"
            new, corrected = row
            touched = connection.execute(read_sql(__package__, "touch"), {"reporting": reporting}).rowcount > 0
    except psycopg.errors.LockNotAvailable:
        raise EcomLiteError(
            f"a loader has been in the midst of a transaction for {LOCK_TIMEOUT_S} s: nothing was loaded; try again"
        ) from None
    return Loaded(reporting, new, corrected, len(rates) - new - corrected, touched)


def list_rates(address: Address) -> tuple[list[Listed], list[Missing]]:
    """All currencies that have rates, and those of facts that have none. The second reads all facts."""
    with address.connect("ecom_reader") as reader:
        listed = [Listed(*row) for row in reader.execute(read_sql(__package__, "list")).fetchall()]
        missing = [Missing(*row) for row in reader.execute(read_sql(__package__, "missing")).fetchall()]
    return listed, missing


def days_of(address: Address, currency: str) -> list[tuple[date, str, Decimal]]:
    """Day, reporting currency and rate of one currency, the newest first."""
    with address.connect("ecom_reader") as reader:
        return reader.execute(read_sql(__package__, "days"), {"currency": currency}).fetchall()
