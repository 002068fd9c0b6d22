"""The roles: who may do what, and the passwords made at first run (0600 in the data folder)."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from ..settings.data_dir import SECRETS, write_private
from .connect import LIVENESS, READER_STATEMENT_TIMEOUT_S, ROLES, Address

# A client that stands still in a transaction, or whose machine is lost, holds its locks and the cut of all that follows the load
# order. Between two statements of ours lie milliseconds; dbt's are far apart when the run is busy. Readers hold up nobody.
STANDS_STILL_S: Final = {role: 60 if role == "ecom_dbt" else 10 for role in ROLES if role != "ecom_reader"}


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
    # The owner makes the marts schema for dbt, so it must be able to act as it.
    admin.execute("GRANT ecom_dbt TO ecom_owner")
    settings = {role: {_server_side(name): value for name, value in LIVENESS.items()} for role in ROLES}
    for role, seconds in STANDS_STILL_S.items():
        settings[role]["idle_in_transaction_session_timeout"] = seconds * 1000
    settings["ecom_reader"] |= {"default_transaction_read_only": 1, "statement_timeout": READER_STATEMENT_TIMEOUT_S * 1000}
    for role, values in settings.items():
        for name, value in values.items():
            admin.execute(sql.SQL("ALTER ROLE {} SET {} = {}").format(sql.Identifier(role), sql.Identifier(name), value))


def _server_side(name: str) -> str:
    """PostgreSQL's name of a libpq setting of LIVENESS."""
    return name if name.startswith("tcp_") else f"tcp_{name}"
