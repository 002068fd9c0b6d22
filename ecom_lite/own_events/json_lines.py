"""JSON lines: one record a line, as it stands there."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator

from .records import MAX_RECORD_BYTES, Record, too_large
from .source import Source


def read(source: Source) -> Iterator[Record]:
    """The lines that are not blank."""
    number = 0
    while text := source.stream.readline(MAX_RECORD_BYTES + 2):
        number += 1
        where = f"line {number:,}"
        value = text.removeprefix(BOM_UTF8 if number == 1 else b"").rstrip(b"\r\n")
        if len(value) > MAX_RECORD_BYTES:
            while text and not text.endswith(b"\n"):
                text = source.stream.readline(MAX_RECORD_BYTES + 2)
            yield too_large(where)
        elif value.strip():
            yield Record(where, value)
