"""Tells a server that answers and does not let us in from one that is away: the first no waiting mends."""

from __future__ import annotations

import re
from typing import Final

import psycopg

LOGIN_CLASSES: Final = ("28", "3D")
# While a connection is being made libpq keeps the SQLSTATE to itself: the server's words tell.
_LOGIN_WORDS: Final = (
    ("28P01", re.compile(r"password authentication failed for user")),
    ("28000", re.compile(r'role "[^"]*" (does not exist|is not permitted to log in)|no pg_hba\.conf entry|rejects connection')),
    ("3D000", re.compile(r'database "[^"]*" does not exist')),
)


def refused_login(error: psycopg.Error) -> str | None:
    """The SQLSTATE when the server answers and does not let us in; None for anything else."""
    if error.sqlstate is not None:
        return error.sqlstate if error.sqlstate.startswith(LOGIN_CLASSES) else None
    return next((state for state, words in _LOGIN_WORDS if words.search(str(error))), None)
