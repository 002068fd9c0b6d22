"""Which form a file of one's own events has, by its first bytes and its ending, and its records in turn."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Final, Literal, get_args

from ..errors import EcomLiteError, UsageError
from . import csv_rows, json_items, json_lines, parquet_rows
from .records import Record
from .source import DAMAGED, Source

Format = Literal["csv", "json", "jsonl", "parquet"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
TITLES: Final[dict[Format, str]] = {"csv": "CSV", "json": "a JSON array", "jsonl": "JSON lines", "parquet": "Parquet"}
ENDINGS: Final[dict[str, Format]] = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
# How files begin that cannot be read, and what to do.
_OTHERS: Final = {
    b"PK\x03\x04": "an Excel workbook or a ZIP archive: save it as CSV in UTF-8, or unpack it",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save it as CSV in UTF-8",
    b"Obj\x01": "Avro: send JSON lines, CSV or Parquet",
    b"BZh": "compressed by bzip2 (`bzcat FILE | ecom_lite produce -`)",
    b"\xfd7zXZ": "compressed by xz (`xzcat FILE | ecom_lite produce -`)",
    b"\xff\xfe": "in UTF-16: save it as UTF-8 (`iconv -f UTF-16 -t UTF-8 FILE`)",
    b"\xfe\xff": "in UTF-16: save it as UTF-8 (`iconv -f UTF-16 -t UTF-8 FILE`)",
}
_READERS: Final[dict[Format, Callable[[Source], Iterator[Record]]]] = {
    "csv": csv_rows.read, "json": json_items.read, "jsonl": json_lines.read, "parquet": parquet_rows.read,
}  # fmt: skip


def format_of(text: str | None) -> Format | None:
    """The option --format; UsageError where there is no such."""
    for form in FORMATS:
        if text == form:
            return form
    if text is None:
        return None
    raise UsageError(f"--format {text}: there is {', '.join(FORMATS)}")


def recognised(source: Source) -> Format:
    """The form that the file seems to have. Raises UsageError where it is of another kind."""
    head = source.head.removeprefix(BOM_UTF8)
    if head.startswith(parquet_rows.MAGIC):
        return "parquet"
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            raise UsageError(f"{source.title} is {what}")
    if b"\0" in head:
        raise UsageError(f"{source.title} is no text: JSON lines, a JSON array or CSV in UTF-8 is expected, or Parquet")
    start = head.lstrip()
    line = start.partition(b"\n")[0].rstrip()
    if start.startswith(b"[") or (start.startswith(b"{") and line[-1:] in b"{[,"):  # an array, or objects over several lines
        return "json"
    if start.startswith(b"{"):
        return "jsonl"
    ending = PurePath(source.name.removesuffix(".gz").removesuffix(".zst")).suffix.lower()
    return ENDINGS.get(ending) or ("csv" if csv_rows.looks_like_a_header(line) else "jsonl")


def records(source: Source, form: Format) -> Iterator[Record]:
    """The records of the file, in flat memory. UsageError where it cannot have this form, EcomLiteError where it ends early."""
    where = "the start"
    try:
        for record in _READERS[form](source):
            where = record.where
            yield record
    except DAMAGED as error:
        raise EcomLiteError(f"{source.title}, after {where}: {getattr(error, 'strerror', None) or error}") from None
