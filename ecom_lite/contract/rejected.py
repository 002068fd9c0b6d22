"""Why a record is not a valid event: the reasons of dead letters, and what the detail of each says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import msgspec

from . import hints

MAX_EVENT_BYTES: Final = 1_000_000
MAX_DETAIL_CHARS: Final = 400  # of a rejection, before what is not printable becomes escapes

# Declared once: the loader, `check`, the dashboards and the docs use these names.
REASONS: Final[dict[str, str]] = {
    "empty": "no value at all (a tombstone) or zero bytes",
    "too_large": f"more than {MAX_EVENT_BYTES:,} bytes",
    "not_utf8": "the bytes are not UTF-8",
    "not_json": "the text is not one JSON value, or nested too deep to be read",
    "not_an_object": "valid JSON, but not an object",
    "unknown_type": "event_type is none of the known ones",
    "missing_field": "a field that the event type needs is absent",
    "wrong_type": "a field has another JSON type than the contract says",
    "out_of_range": "a number, an id, or the length of a text is outside its limits",
    "unknown_currency": "currency is no ISO 4217 code",
    "nul_byte": "a text has a NUL character, which PostgreSQL cannot store",
    "bad_timestamp": "not a date, or outside 2000-01-01 .. now + 1 day",
    "revenue_mismatch": "revenue is not price x quantity to the smallest unit of the currency",
    "refused_by_database": "valid here, but PostgreSQL refused the row (the detail has its SQLSTATE)",
}
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_NAME: Final = re.compile(r"`\$\.(\w+)`|field `(\w+)`")


class Rejected(Exception):
    """A record that is not a valid event: it becomes a dead letter with `reason` (a key of REASONS) and a `detail` for people."""

    def __init__(self, reason: str, detail: str) -> None:
        detail = printable(detail[:MAX_DETAIL_CHARS])
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def printable(text: str) -> str:
    """The text with every character that a terminal may act on, or a database refuse, as a \\x or \\u escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def refuse_not_utf8(value: bytes) -> None:
    """Raises Rejected."""
    try:
        value.decode()
    except UnicodeDecodeError as error:
        raise Rejected("not_utf8", f"byte {error.start}: {error.reason}{hints.of_bytes(value)}") from None


def not_json(value: bytes, error: Exception) -> Rejected:
    """For a document that the decoder cannot read, by the decoder's complaint."""
    text = str(error)
    if "truncated" in text and _HALF.search(value):  # what the decoder says of it
        text = "half of a surrogate pair, which is no character"
    if isinstance(error, RecursionError):
        text = "nested too deep to be read"
    return Rejected("not_json", text + hints.of_bytes(value))


def explain(error: msgspec.ValidationError, document: dict[str, Any], known: Iterable[str]) -> Rejected:
    """For an object that breaks the contract of its event type, by the decoder's complaint; `known` are the type's fields."""
    text = str(error)
    named = _NAME.search(text)
    name = (named[1] or named[2]) if named else ""
    if "missing required field" in text:
        return Rejected("missing_field", text + hints.of_missing(name, document, known))
    if "matching regex" in text:  # of an id
        return Rejected("out_of_range", f"{name} {short(document.get(name))} is not made of 1 to 19 digits")
    if "Expected `" in text and any(mark in text for mark in (">", "<", "length")):
        return Rejected("out_of_range", text + hints.of_range(name, document.get(name)))
    return Rejected("wrong_type", text + hints.of_type(name, document.get(name)))


def short(value: object, limit: int = 60) -> str:
    """A value in a message."""
    try:
        text = str(value) if isinstance(value, Decimal) else repr(value)
    except RecursionError:  # it could just be read, and is written some frames deeper
        return "(nested too deep to be shown)"
    return text if len(text) <= limit else text[:limit] + "..."
