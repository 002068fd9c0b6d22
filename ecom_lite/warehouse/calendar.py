"""By which clock the marts count days: the setting `shop.time_zone`, as it stands in the database."""

from __future__ import annotations

import psycopg
from psycopg.errors import InvalidParameterValue

from ..errors import MigrationError
from .sqlfiles import read_sql


def set_time_zone(connection: psycopg.Connection, zone: str, *, rebuild: bool = False) -> bool:
    """Write the zone; whether it was another one before. As ecom_owner, in the transaction of the caller.

    Raises MigrationError where marts count days by another clock, unless `rebuild`: then the next run of dbt builds them anew;
    and where PostgreSQL does not know the zone.
    """
    (present, marts) = connection.execute(read_sql(__package__, "time_zone")).fetchone() or (zone, False)
    if present == zone:
        return False
    try:
        connection.execute("SELECT now() AT TIME ZONE %s::text", [zone])
    except InvalidParameterValue:  # Python has a list of its own: `localtime`, or a city that is newer than the server
        raise MigrationError(
            f'shop.time_zone = "{zone}": PostgreSQL knows no time zone of this name; its own list is in pg_timezone_names'
        ) from None
    if marts and not rebuild:
        raise MigrationError(
            f'shop.time_zone = "{zone}", but the marts of this warehouse count days by the clock of {present}: put "{present}" '
            "back, or run `ecom_lite migrate --rebuild-marts` once: the next refresh then builds all marts anew, by the new clock"
        )
    connection.execute(read_sql(__package__, "set_time_zone"), {"zone": zone})
    connection.execute(read_sql(__package__, "rebuild_marts"))
    return True
