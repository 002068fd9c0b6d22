"""One record of a file of one's own events: where it stands, its bytes, and what is wrong with it where it cannot be sent."""

from __future__ import annotations

from typing import Final, NamedTuple

from ..contract.rejected import Rejected

MAX_RECORD_BYTES: Final = 1_040_000  # Kafka's usual limit of a record, without what it adds


class Record(NamedTuple):
    """`value` None cannot be sent, and `problem` says why. `where` is `line 7`, `item 7 (line 42)` or `row 7`."""

    where: str
    value: bytes | None
    problem: Rejected | None = None


def made(where: str, value: bytes) -> Record:
    """A record of these bytes, unless they are too long for Kafka."""
    return too_large(where) if len(value) > MAX_RECORD_BYTES else Record(where, value)


def too_large(where: str) -> Record:
    return Record(where, None, Rejected("too_large", f"more than {MAX_RECORD_BYTES:,} bytes, too long for Kafka"))
