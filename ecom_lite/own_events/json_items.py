"""A JSON array, or JSON objects over several lines, cut into its objects: each one's bytes as they stand there, in flat memory.

Only brackets and strings are looked at, so that a broken object is cut out like any other, and named.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Final

from ..contract.rejected import Rejected
from ..errors import EcomLiteError
from .records import MAX_RECORD_BYTES, Record, made, too_large
from .source import Source

CHUNK_BYTES: Final = 64 * 1024
# Up to the next bracket that is not within a string.
_TO_BRACKET: Final = re.compile(rb'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+([\[\]{}])', re.DOTALL)
_BETWEEN: Final = b" \t\r\n," + BOM_UTF8  # what may stand between two objects


def read(source: Source) -> Iterator[Record]:
    """The objects of the array, or of the file. What stands between them and is no comma is a record that is broken."""
    number, line = 0, 1
    depth = 0  # of brackets within an object
    arrays = 0  # that are open around the objects
    buffer, at, begin = b"", 0, 0  # what is read; up to where it is looked at; where the object, or the gap before it, begins
    cut = False  # the object is too long: its beginning is forgotten

    def record(end: int) -> Iterator[Record]:
        nonlocal number, line, begin, cut
        text = buffer[begin:end]
        line += buffer.count(b"\n", begin, end)
        begin = end
        if cut or text.strip(_BETWEEN):
            number += 1
            where = f"item {number:,} (line {line - text.count(10):,})"
            yield too_large(where) if cut else made(where, text.strip(_BETWEEN))
        cut = False

    while more := source.stream.read(CHUNK_BYTES):
        buffer, at, begin = buffer[begin:] + more, at - begin, 0
        while found := _TO_BRACKET.match(buffer, at):
            at, bracket = found.end(), found[1]
            if depth == 0:
                yield from record(at - 1)
                begin = at - 1 if bracket == b"{" else at
                depth, arrays = depth + (bracket == b"{"), arrays + (bracket == b"[") - (bracket == b"]")
                continue
            depth += 1 if bracket in b"{[" else -1
            if depth == 0:
                yield from record(at)
        if at - begin > MAX_RECORD_BYTES:
            line += buffer.count(b"\n", begin, at)
            begin, cut = at, True
        if len(buffer) - at > MAX_RECORD_BYTES + CHUNK_BYTES:
            raise EcomLiteError(
                f"{source.title}, item {number + 1:,} (from line {line:,}): no end within {MAX_RECORD_BYTES:,} bytes:"
                " is a quotation mark missing?"
            )
    yield from record(len(buffer))
    if arrays > 0 and depth == 0:
        yield Record(f"line {line:,}", None, Rejected("not_json", "the array is not closed: the file seems to be cut off"))
