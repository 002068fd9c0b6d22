"""A job of a run: the bytes of dead letters that are older than they are to be kept."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from ..contract.events import utc_now
from ..warehouse.connect import Address

ROLE: Final = "ecom_producer"
log = logging.getLogger("ecom_lite.load")


def purge_letters(address: Address, topics: Iterable[str], days: int) -> None:
    """Raises psycopg.Error where PostgreSQL is away."""
    from ..dead_letters.letters import connected
    from ..dead_letters.purge import purge_old

    with connected(address, ROLE) as connection:
        if gone := purge_old(connection, topics, days, utc_now()):
            log.info("%d dead letters are older than load.dead_letter_days = %d: their bytes are gone, the rows stay", gone, days)
