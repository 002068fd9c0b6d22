"""The parts of the corpus: what a case is, and events as JSON text of which any field may be anything.

In a value, @ID@ stands for a number of its own, so that no two cases are the same order line.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, NamedTuple

NOW: Final = datetime(2026, 6, 1, 12, 0, 0, 1, tzinfo=UTC)
FACT, OTHER = "fact", "other"
Headers = tuple[tuple[str | bytes, bytes | None], ...]
NO_HEADERS: Final[Headers] = ()

BASE: Final = {
    "order_id": '"o-1"',
    "user_id": "7",
    "product_id": "@ID@",
    "product_title": '"Mug"',
    "category": '"Kitchen"',
    "price": "19.99",
    "quantity": "3",
    "revenue": "59.97",
    "timestamp": '"2026-01-01T00:00:00Z"',
}


class Case(NamedTuple):
    """A record and its fate: "fact", "other", or the reason of the dead letter. `says` must stand in the detail."""

    name: str
    value: bytes | None
    fate: str
    says: str = ""
    key: bytes | None = None
    headers: Headers = NO_HEADERS


def order(**raw: str) -> bytes:
    """A plain order line; `raw` replaces or adds fields by their JSON text."""
    return json_object(BASE | raw)


def without(name: str) -> bytes:
    return json_object({field: text for field, text in BASE.items() if field != name})


def reversal(**raw: str) -> bytes:
    base = {"event_type": '"order_returned"', "order_id": '"o-1"', "product_id": "@ID@", "quantity": "1"}
    return json_object(base | {"timestamp": '"2026-01-01"'} | raw)


def user(**raw: str) -> bytes:
    return json_object({"event_type": '"user_updated"', "user_id": "@ID@", "timestamp": '"2026-01-01"'} | raw)


def json_object(fields: dict[str, str]) -> bytes:
    return ("{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}").encode("utf-8", "surrogateescape")


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels
