"""Whether the lake has all that is loaded, and the waiting for it."""

from __future__ import annotations

import threading
import time
from typing import Final

import psycopg

from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql

POLL_S: Final = 0.1


def wait_level(address: Address, limit_s: float, give_up: threading.Event, poll_s: float = POLL_S) -> bool:
    """Until the lake has all facts, returns and changes of customers that are committed now or meanwhile (True); `give_up` is
    set or the time is over (False)."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            with address.connect("ecom_reader", autocommit=True) as reader:
                while not give_up.is_set() and time.monotonic() < deadline:
                    if reader.execute(read_sql(__package__, "level")).fetchone() == (True,):
                        return True
                    give_up.wait(poll_s)
        except (psycopg.OperationalError, psycopg.errors.UndefinedTable):  # away for a moment; no catalogue yet
            give_up.wait(poll_s)
        if give_up.is_set() or time.monotonic() > deadline:
            return False
