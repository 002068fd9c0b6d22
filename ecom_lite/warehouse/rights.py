"""What an administrator's role must be allowed, so that our roles, the database and the schemas come about: docs/cluster.md."""

from __future__ import annotations

from typing import Final

import psycopg

from .connect import ROLES, Address
from .sqlfiles import read_sql

OLDEST: Final = 18  # the first with foreign keys that are declared and not enforced


def too_old(server: psycopg.Connection) -> bool:
    """Whether its version is too old for our schema."""
    return server.info.server_version < OLDEST * 10_000


def lacking(address: Address) -> list[str]:
    """What `roles.ensure_database_and_roles` does and the administrator's role may not, in words; [] where nothing is lacking.

    Raises psycopg.Error.
    """
    with address.with_database("postgres").connect("admin") as admin:
        values = {"database": address.database, "roles": list(ROLES)}
        row = admin.execute(read_sql(__package__, "lacking_rights"), values).fetchone()
    found, look_inside = row if row is not None else ([], False)
    if look_inside:
        with address.connect("admin") as admin:
            if not any(public_schema(admin)):
                found.append(f"let others create tables in schema public of {address.database}")
    return list(found)


def public_schema(admin: psycopg.Connection) -> tuple[bool, bool]:
    """Of the connection's database: whether ecom_owner may create in its schema `public`, and whether we may allow it."""
    row = admin.execute(read_sql(__package__, "public_schema")).fetchone()
    assert row is not None
    return bool(row[0]), bool(row[1])
