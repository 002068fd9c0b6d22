"""What figures are in: the reporting currency, as it stands in the database, and what has no rate to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import psycopg

from ..settings.currencies import DECIMALS
from .sqlfiles import read_sql


class Missing(NamedTuple):
    """Order lines of one currency that no rate leads from to the reporting one: of ops.missing_rates."""

    currency: str
    reporting: str
    lines: int
    first_day: date
    last_day: date


def tell_missing(missing: Sequence[Missing]) -> str:
    """In words, with what to do; "" for none."""
    if not missing:
        return ""
    named = ", ".join(f"{one.currency} ({_counted(one.lines)}, {one.first_day} .. {one.last_day})" for one in missing)
    return f"no rate to {missing[0].reporting}: {named}; these lines are in no sum of money until `ecom_lite rates load` has one"


def _counted(lines: int) -> str:
    return "1 line" if lines == 1 else f"{lines:,} lines"


def set_reporting_currency(connection: psycopg.Connection, code: str) -> bool:
    """Whether it was another one before. As ecom_owner, in the transaction of the caller."""
    wanted = {"currency": code, "decimals": DECIMALS[code]}
    return connection.execute(read_sql(__package__, "set_reporting_currency"), wanted).rowcount > 0
