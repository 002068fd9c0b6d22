"""How psycopg says that a connection is gone."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import errors

# What is raised where a connection broke, or the server has ended it because we stood still: a new one goes on.
BROKEN: Final = (
    psycopg.OperationalError, psycopg.InterfaceError, errors.IdleInTransactionSessionTimeout, errors.TransactionTimeout,
)  # fmt: skip
