"""What figures are in: the reporting currency, as it stands in the database."""

from __future__ import annotations

import psycopg

from ..settings.currencies import DECIMALS
from .sqlfiles import read_sql


def set_reporting_currency(connection: psycopg.Connection, code: str) -> bool:
    """Whether it was another one before. As ecom_owner, in the transaction of the caller."""
    wanted = {"currency": code, "decimals": DECIMALS[code]}
    return connection.execute(read_sql(__package__, "set_reporting_currency"), wanted).rowcount > 0
