"""Schema migrations: numbered .sql files, one transaction each, recorded with a checksum."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files

import psycopg

from ..errors import MigrationError
from ..settings.tree import Currency
from .attributes import declare, require
from .calendar import set_time_zone
from .connect import Address
from .currency import set_reporting_currency
from .moved import settle, was_moved

LOCK_KEY = 7_204_001  # advisory lock: two starts at once migrate one after the other
_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")


@dataclass(frozen=True)
class Migration:
    """One file of migrations/: its number, its name, its SQL and the SQL's sha256."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def bundled() -> list[Migration]:
    """The migrations of this version, in order."""
    found = []
    for entry in files(__package__).joinpath("migrations").iterdir():
        match = _NAME.match(entry.name)
        if match:
            found.append(Migration(int(match[1]), entry.name, entry.read_text(encoding="utf-8")))
    return sorted(found, key=lambda migration: migration.number)


def migrate(
    address: Address,
    migrations: Sequence[Migration] | None = None,
    currency: Currency | None = None,
    attributes: Mapping[str, str] | None = None,
    time_zone: str | None = None,
    rebuild_marts: bool = False,
) -> list[str]:
    """Apply what is missing, as ecom_owner, and return the names applied. Safe to repeat and to run twice at once.

    What figures are in is set by `currency`; columns are added for `attributes` that are new, by name and type; days are those of
    `time_zone`, another one than before only with `rebuild_marts`. None leaves each as it is.
    A warehouse that was moved here from another server is made to go on here.
    Raises MigrationError when an applied file was edited, when the database is newer than this program, or when a file fails.
    """
    wanted = bundled() if migrations is None else list(migrations)
    with address.connect("ecom_owner") as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        connection.execute(
            "CREATE TABLE IF NOT EXISTS public.ecom_lite_migrations ("
            "number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, "
            "applied_at timestamptz NOT NULL DEFAULT now())"
        )
        connection.commit()
        applied = {
            number: (name, checksum)
            for number, name, checksum in connection.execute("SELECT number, name, checksum FROM public.ecom_lite_migrations")
        }
        _refuse_drift(wanted, applied)
        fresh = [migration for migration in wanted if migration.number not in applied]
        if currency is not None:  # for facts that were loaded before they had one
            connection.execute("SELECT set_config('ecom_lite.default_currency', %s, false)", [currency.default])
        for migration in fresh:
            _apply(connection, migration)
        settle(connection)
        if currency is not None:
            set_reporting_currency(connection, currency.of_figures)
        made = []
        if time_zone is not None and set_time_zone(connection, time_zone, rebuild=rebuild_marts):
            made.append(f"days by the clock of {time_zone}")
        connection.commit()
        connection.autocommit = True  # from here on each change is a transaction of its own
        made += [] if attributes is None else declare(connection, attributes)
        return [*(migration.name for migration in fresh), *made]


def _refuse_drift(wanted: Sequence[Migration], applied: dict[int, tuple[str, str]]) -> None:
    by_number = {migration.number: migration for migration in wanted}
    for number, (name, checksum) in sorted(applied.items()):
        if number not in by_number:
            raise MigrationError(
                f"the database has migration {name}, which this version of ecom_lite does not know: "
                "update ecom_lite, or start new data with `ecom_lite run --fresh`"
            )
        if by_number[number].checksum != checksum:
            raise MigrationError(
                f"migration {name} was edited after it was applied (checksum {by_number[number].checksum[:12]}, "
                f"applied {checksum[:12]}): put the file back and write a new migration"
            )


def _apply(connection: psycopg.Connection, migration: Migration) -> None:
    try:
        connection.execute(migration.sql.encode())
        connection.execute(
            "INSERT INTO public.ecom_lite_migrations (number, name, checksum) VALUES (%s, %s, %s)",
            [migration.number, migration.name, migration.checksum],
        )
        connection.commit()
    except psycopg.Error as error:
        with suppress(psycopg.Error):  # the connection may be the one that broke
            connection.rollback()
        raise MigrationError(f"migration {migration.name} failed: {str(error).strip()} (SQLSTATE {error.sqlstate})") from error


def require_schema(address: Address, attributes: Mapping[str, str] | None = None) -> None:
    """Raises MigrationError when the schema is missing, older or newer; psycopg.OperationalError when nobody answers.

    Also when it has not the columns of `attributes`.
    """
    with address.connect("ecom_owner", autocommit=True) as owner:
        row = owner.execute("SELECT to_regclass('public.ecom_lite_migrations')").fetchone()
        known = row is not None and row[0] is not None
        query = "SELECT number, name FROM public.ecom_lite_migrations"
        applied: dict[int, str] = dict(owner.execute(query).fetchall()) if known else {}
        moved = was_moved(owner)
    ours = {migration.number: migration.name for migration in bundled()}
    missing = [name for number, name in sorted(ours.items()) if number not in applied]
    if not applied:
        raise MigrationError(f"{address.place} has no schema of ecom_lite: run `ecom_lite migrate` first")
    if missing:
        raise MigrationError(
            f"the schema in {address.place} is older than this version, it lacks {', '.join(missing)}: run `ecom_lite migrate`"
        )
    if newer := sorted(applied.keys() - ours.keys()):
        raise MigrationError(
            f"the schema in {address.place} is newer than this version, it has {applied[newer[-1]]}: update ecom_lite here"
        )
    if moved:
        raise MigrationError(f"the warehouse in {address.place} was moved there from another server: run `ecom_lite migrate`")
    if attributes:
        with address.connect("ecom_owner", autocommit=True) as owner:
            require(owner, attributes)
