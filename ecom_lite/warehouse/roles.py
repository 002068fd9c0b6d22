"""The roles: who may do what, and how they get their passwords. The server is sent verifiers only, so its log has no password."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

import psycopg
from psycopg import sql
from psycopg.errors import DuplicateDatabase, UniqueViolation

from ..errors import MigrationError
from .connect import LIVENESS, READER_STATEMENT_TIMEOUT_S, ROLES, Address
from .passwords import PASSWORD_BYTES, Passwords
from .rights import OLDEST, lacking, public_schema, too_old

LOCK_KEY: Final = 7_204_003  # advisory lock: two machines make roles, or change passwords, one after the other
# A client that stands still in a transaction, or whose machine is lost, holds its locks and the cut of all that follows the load
# order. Between two statements of ours lie milliseconds; dbt's are far apart when the run is busy. Readers hold up nobody.
# The lake's catalogue stands still for as long as rows are copied, and holds up nobody.
STANDS_STILL_S: Final = {
    role: {"ecom_dbt": 60, "ecom_lake": 3600}.get(role, 10) for role in ROLES if role != "ecom_reader"
}  # fmt: skip


def ensure_database_and_roles(address: Address, shared: Passwords | None = None) -> None:
    """Create the database and the roles where they are missing, and set the passwords. Safe to repeat.

    `shared`: the server has other users, too. Roles that are there then keep their passwords; for those that are missing,
    passwords are made and kept there. Raises MigrationError that names the rights which the administrator's role has not got.
    """
    if shared is not None:
        _require_version(address)
    if shared is not None and (rights := lacking(address)):
        raise MigrationError(
            f"{address.admin} at {address.place} may not {', '.join(rights)}: let a superuser grant that (docs/cluster.md), "
            "or put another role into postgres.url"
        )
    with address.with_database("postgres").connect("admin", autocommit=True) as admin:
        with admin.transaction():
            admin.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])
            present = _present(admin)
            missing = [role for role in ROLES if role not in present]
            if shared is not None:
                shared.make(missing)
            for role in missing:
                admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
            _set(admin, ROLES if shared is None else missing, address.passwords)
            # The owner makes the schemas of the marts and of the lake's catalogue, so it must be able to act as these.
            admin.execute("GRANT ecom_dbt, ecom_lake TO ecom_owner")
            _set_limits(admin)
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [address.database]).fetchone():
            statement = "CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0"
            if _is_superuser(admin):  # whoever is none may make the owner's role, and yet not act as it
                statement += " OWNER ecom_owner"
            with suppress(DuplicateDatabase, UniqueViolation):  # another machine was quicker
                admin.execute(sql.SQL(statement).format(sql.Identifier(address.database)))
    with address.connect("admin") as admin:
        admin.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])  # two who grant at once: "tuple concurrently updated"
        database = sql.Identifier(address.database)
        admin.execute(sql.SQL("GRANT CREATE, CONNECT, TEMPORARY ON DATABASE {} TO ecom_owner").format(database))
        everybody = sql.SQL(", ").join(map(sql.Identifier, ROLES))
        admin.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, everybody))
        admin.execute(sql.SQL("GRANT TEMPORARY ON DATABASE {} TO ecom_loader, ecom_stream, ecom_dbt").format(database))
        admin.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO ecom_dbt").format(database))
        if not public_schema(admin)[0]:
            admin.execute("GRANT USAGE, CREATE ON SCHEMA public TO ecom_owner")


def _require_version(address: Address) -> None:
    with address.with_database("postgres").connect("admin") as admin:
        if too_old(admin):
            version = admin.info.parameter_status("server_version")
            raise MigrationError(
                f"PostgreSQL at {address.place} is version {version}, and this needs {OLDEST} or newer: update that server, put "
                "another one into postgres.url, or leave postgres.url out"
            )


def rotate_passwords(address: Address, passwords: Passwords) -> None:
    """Give every role that is there a new password, all or none, and keep them in `passwords`. Sessions that are open stay."""
    before = passwords.kept()
    made = {role: secrets.token_urlsafe(PASSWORD_BYTES) for role in ROLES}
    with address.with_database("postgres").connect("admin") as admin:
        admin.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])
        _set(admin, _present(admin), made)
        passwords.write(made)  # before the COMMIT: a password that nobody has kept must never come into force
        try:
            admin.commit()
        except BaseException:
            passwords.write(before)
            raise


def _present(admin: psycopg.Connection) -> set[str]:
    return {name for (name,) in admin.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(ROLES)])}


def _set(admin: psycopg.Connection, roles: Iterable[str], passwords: Mapping[str, str]) -> None:
    for role in roles:
        verifier = admin.pgconn.encrypt_password(passwords[role].encode(), role.encode(), b"scram-sha-256")
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier.decode()))
        admin.execute(statement)


def _set_limits(admin: psycopg.Connection) -> None:
    """What the server keeps of each role's sessions, whoever opens them."""
    settings = {role: {_server_side(name): value for name, value in LIVENESS.items()} for role in ROLES}
    for role, seconds in STANDS_STILL_S.items():
        settings[role]["idle_in_transaction_session_timeout"] = seconds * 1000
    settings["ecom_reader"] |= {"default_transaction_read_only": 1, "statement_timeout": READER_STATEMENT_TIMEOUT_S * 1000}
    for role, values in settings.items():
        for name, value in values.items():
            admin.execute(sql.SQL("ALTER ROLE {} SET {} = {}").format(sql.Identifier(role), sql.Identifier(name), value))
    # A duplicate in the loader's straight COPY is expected, and no error for the server's log. Only a superuser can allow that.
    if _is_superuser(admin):
        admin.execute("GRANT SET ON PARAMETER log_min_messages TO ecom_loader")


def _is_superuser(admin: psycopg.Connection) -> bool:
    return admin.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,)


def _server_side(name: str) -> str:
    """PostgreSQL's name of a libpq setting of LIVENESS."""
    return name if name.startswith("tcp_") else f"tcp_{name}"
