"""Whether a server that the settings name lets our roles in with the passwords that are kept here, and what helps when not."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from ..errors import MigrationError, first_line
from ..settings.data_dir import PASSWORDS, ROLES_FILE
from ..settings.tree import Settings
from ..warehouse.connect import ROLES
from ..warehouse.passwords import shared_passwords
from ..warehouse.refused import refused_login
from .reach import named_address

ROTATE = "`ecom_lite migrate --rotate-passwords`"


def refusal(settings: Settings, error: psycopg.Error) -> MigrationError | None:
    """What to tell where the server answered and did not let a role of ours in; None for any other error."""
    state = refused_login(error)
    if state is None:
        return None
    said = f"PostgreSQL does not let ecom_lite's roles in: {first_line(error)} (SQLSTATE {state})"
    if not settings.postgres.url.get_secret_value():
        return MigrationError(f"{said}; the next start of `ecom_lite run` sets their passwords")
    file = shared_passwords(settings).path
    return MigrationError(
        f"{said}. Where no machine has used {named_address(settings).place} yet, "
        f"`ecom_lite migrate` makes the roles and the schema. Where one has, copy the roles' passwords from there: "
        f"{PASSWORDS}/{ROLES_FILE} in its data folder (or its postgres.passwords_file) to {file} here. "
        f"Where they are lost, {ROTATE} makes new ones: all other machines then need the new file"
    )


def tell_former(settings: Settings, say: Callable[[str, str], None]) -> None:
    """One line where the roles still have passwords of an earlier version, which follow from the administrator's."""
    if set(ROLES) - shared_passwords(settings).kept().keys():
        say(
            f"the roles' passwords at {named_address(settings).place} follow from the one in postgres.url, as an earlier version "
            f"made them: give them random ones by {ROTATE}",
            "yellow",
        )
