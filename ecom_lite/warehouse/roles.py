"""The roles: who may do what, and the passwords made at first run (0600 in the data folder)."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import psycopg
from psycopg import sql

from ..settings.data_dir import SECRETS, write_private
from .connect import READER_STATEMENT_TIMEOUT_S, ROLES, Address


def load_passwords(data_dir: Path) -> dict[str, str]:
    """The roles' passwords, made at first use and kept in `secrets.json` (0600) in the data folder."""
    path = data_dir / SECRETS
    known: dict[str, str] = json.loads(path.read_text()) if path.is_file() else {}
    missing = [role for role in ROLES if role not in known]
    if missing:
        known |= {role: secrets.token_urlsafe(24) for role in missing}
        data_dir.mkdir(parents=True, exist_ok=True)
        write_private(path, json.dumps(known))
    return known


def ensure_database_and_roles(address: Address) -> None:
    """Create the database and the roles where they are missing, and set the passwords. Safe to repeat."""
    with address.with_database("postgres").connect("admin", autocommit=True) as admin:
        _ensure_roles(admin, address)
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [address.database]).fetchone():
            statement = "CREATE DATABASE {} OWNER ecom_owner ENCODING 'UTF8' TEMPLATE template0"
            admin.execute(sql.SQL(statement).format(sql.Identifier(address.database)))
    with address.connect("admin", autocommit=True) as admin:
        database = sql.Identifier(address.database)
        admin.execute(sql.SQL("GRANT CREATE, CONNECT, TEMPORARY ON DATABASE {} TO ecom_owner").format(database))
        admin.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO ecom_loader, ecom_dbt").format(database))
        admin.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO ecom_dbt").format(database))


def _ensure_roles(admin: psycopg.Connection, address: Address) -> None:
    present = {name for (name,) in admin.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(ROLES)])}
    for role in ROLES:
        verb = "ALTER" if role in present else "CREATE"
        statement = sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}")
        admin.execute(statement.format(sql.Identifier(role), sql.Literal(address.passwords[role])))
    # A duplicate in the loader's straight COPY is expected, and no error for the server's log. Only a superuser can allow that.
    if admin.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,):
        admin.execute("GRANT SET ON PARAMETER log_min_messages TO ecom_loader")
    # The owner makes the marts schema for dbt, so it must be able to act as it.
    admin.execute("GRANT ecom_dbt TO ecom_owner")
    admin.execute("ALTER ROLE ecom_reader SET default_transaction_read_only = on")
    admin.execute(f"ALTER ROLE ecom_reader SET statement_timeout = '{READER_STATEMENT_TIMEOUT_S}s'")
