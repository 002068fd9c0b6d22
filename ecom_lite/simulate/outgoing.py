"""One event on its way to the topic, and how to tell which one it is."""

from __future__ import annotations

from typing import Final

import msgspec

_ID: Final = b'"event_id":"'


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """`revenue_cents` is 0 unless `kind` is "order". `value` is None only for a tombstone sent on purpose."""

    key: bytes
    value: bytes | None
    kind: str  # the event type
    sequence: int  # of the order it belongs to, or that it precedes
    revenue_cents: int
    fault: str = ""  # "late", "out_of_order", "duplicate" or "malformed.<kind>": what was done to it on purpose

    @property
    def extra(self) -> bool:
        """True for a record beside the shop's stream: sent twice, or broken."""
        return self.fault.startswith(("duplicate", "malformed"))


def identity(value: bytes) -> str:
    """The event_id in the bytes of one of the shop's own events."""
    start = value.index(_ID) + len(_ID)
    return value[start : value.index(b'"', start)].decode()


def order_of(event_id: str) -> int:
    """The order that an event belongs to: `7-123-user5` -> 123."""
    return int(event_id.split("-")[1])
