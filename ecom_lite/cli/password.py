"""A verb for the log-in of the page: password."""

from __future__ import annotations

import getpass
import sys

from ..errors import UsageError
from .base import cli


@cli.command()
def password() -> None:
    """Hash a password for dashboards.password.

    Asks for it twice, or takes the first line of stdin where that is no terminal. The hash (scrypt) goes to stdout; from it
    nobody can read the password.

    \b
    ecom_lite password
    ECOM_LITE_DASHBOARDS__PASSWORD=$(ecom_lite password < file) ecom_lite run
    """
    from ..settings.password import LEAST_CHARS, MOST_CHARS, hashed, is_hash

    if sys.stdin.isatty():
        given = getpass.getpass("password: ", sys.stderr)
        if getpass.getpass("once more: ", sys.stderr) != given:
            raise UsageError("these were two different passwords: nothing was made")
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    if not LEAST_CHARS <= len(given) <= MOST_CHARS or is_hash(given):
        raise UsageError(f"give a password of {LEAST_CHARS} to {MOST_CHARS:,} characters")
    print(hashed(given))
