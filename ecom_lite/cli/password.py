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
        try:
            given = sys.stdin.readline().rstrip("\r\n")
            given.encode()
        except UnicodeError:  # a page sends UTF-8: nobody could log in by it
            raise UsageError("the password on stdin is not UTF-8 text: save the file as UTF-8") from None
    if not LEAST_CHARS <= len(given) <= MOST_CHARS or is_hash(given):
        raise UsageError(f"give a password of {LEAST_CHARS} to {MOST_CHARS:,} characters")
    print(hashed(given))
