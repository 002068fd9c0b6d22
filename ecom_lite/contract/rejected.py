"""Why a record is no event: the reasons of dead letters, each once, and the words that tell which."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

import msgspec

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
    "nul_byte": "a text has a NUL character, which PostgreSQL cannot store",
    "bad_timestamp": "not a date, or outside 2000-01-01 .. now + 1 day",
    "revenue_mismatch": "revenue is not price x quantity to the cent",
    "refused_by_database": "valid here, but PostgreSQL refused the row (the detail has its SQLSTATE)",
}
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_MAGIC: Final = (
    (b"\xef\xbb\xbf", "JSON behind a byte order mark"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"{\0", "UTF-16"),
    (b"\0{", "UTF-16"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"Obj\x01", "an Avro file"),
    (b"\0", "a schema registry's format (a zero byte and a schema id in front)"),
)


class Rejected(Exception):
    """A record that is no event: becomes a dead letter with `reason` (a key of REASONS) and a `detail` for people."""

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
        raise Rejected("not_utf8", f"byte {error.start}: {error.reason}{_looks_like(value)}") from None


def not_json(value: bytes, error: Exception) -> Rejected:
    """For a document that the decoder cannot read, by the decoder's complaint."""
    text = str(error)
    if "truncated" in text and _HALF.search(value):  # what the decoder says of it
        text = "half of a surrogate pair, which is no character"
    if isinstance(error, RecursionError):
        text = "nested too deep to be read"
    return Rejected("not_json", text + _looks_like(value))


def _looks_like(value: bytes) -> str:
    """What the bytes may be instead, by how they begin."""
    return next((f"; it looks like {kind}" for start, kind in _MAGIC if value.startswith(start)), "")


def explain(error: msgspec.ValidationError, document: dict[str, Any]) -> Rejected:
    """For an object that breaks the contract of its event type, by the decoder's complaint."""
    text = str(error)
    if "missing required field" in text:
        return Rejected("missing_field", text)
    if "matching regex" in text:  # of an id
        name = text.rpartition("$.")[2].rstrip("`")
        return Rejected("out_of_range", f"{name} {short(document.get(name))} is not made of 1 to 19 digits")
    if "Expected `" in text and any(mark in text for mark in (">", "<", "length")):
        return Rejected("out_of_range", text)
    return Rejected("wrong_type", text)


def short(value: object, limit: int = 60) -> str:
    """A value in a message."""
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= limit else text[:limit] + "..."
