"""The lines of a file of one's own events: opened, read in flat memory, and judged by the contract of the topic."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec

from ..contract.events import Clock, event_time, parse
from ..contract.fields import MAX_ID
from ..contract.rejected import Rejected
from ..errors import EcomLiteError, UsageError

MAX_LINE_BYTES: Final = 1_040_000  # Kafka's usual limit of a record, without what it adds
PEEK_BYTES: Final = 4096
# How files of other kinds begin.
_MAGIC: Final = {
    b"\x1f\x8b": ", but compressed by gzip (`zcat FILE | ecom_lite produce -`)",
    b"\x28\xb5\x2f\xfd": ", but compressed by Zstandard (`zstdcat FILE | ecom_lite produce -`)",
    b"PK\x03\x04": ", but a ZIP archive",
    b"PAR1": ", but Parquet",
    b"\xff\xfe": ", or in UTF-16",
    b"\xfe\xff": ", or in UTF-16",
}


class Line(NamedTuple):
    """One line that is not blank. `value` None was too long to keep; `time` is the event time where there is one."""

    number: int
    value: bytes | None
    key: bytes | None
    time: datetime | None
    problem: Rejected | None


@contextmanager
def opened(name: str, say: Callable[[str], None]) -> Iterator[BinaryIO]:
    """File `name`, or stdin for "-". Raises UsageError where there is none to read."""
    if name == "-":
        if sys.stdin.isatty():
            say("reading events from the terminal, one a line; Ctrl-D ends them")
        yield sys.stdin.buffer
        return
    path = Path(name)
    if path.is_dir():
        raise UsageError(f"{name} is a folder: name a file of JSON lines")
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise UsageError(f"{name}: no such file; - reads stdin") from None
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from None
    with file:
        yield file


def read(file: BinaryIO, name: str, clock: Clock) -> Iterator[Line]:
    """The lines that are not blank, judged. Raises UsageError where the file is of another kind than text."""
    number = 0
    while text := _next(file, name, number + 1):
        number += 1
        value = text.rstrip(b"\r\n")
        if number == 1:
            _require_text(value, name)
        if not value.strip():
            continue
        if len(value) > MAX_LINE_BYTES:
            while text and not text.endswith(b"\n"):
                text = _next(file, name, number)
            too_large = Rejected("too_large", f"more than {MAX_LINE_BYTES:,} bytes, too long for Kafka")
            yield Line(number, None, None, None, too_large)
        else:
            yield judge(number, value, clock())


def _next(file: BinaryIO, name: str, number: int) -> bytes:
    try:
        return file.readline(MAX_LINE_BYTES + 2)
    except OSError as error:
        raise EcomLiteError(f"{name}, line {number:,}: {error.strerror or error}") from None


def last_time(file: BinaryIO, now: datetime) -> datetime | None:
    """The event time of a regular file's last line; the position in the file stays."""
    if not file.seekable():
        return None
    here = file.tell()
    try:
        end = file.seek(0, 2)
        file.seek(max(0, end - PEEK_BYTES))
        lines = file.read().rstrip().splitlines()
        return judge(0, lines[-1], now).time if lines else None
    finally:
        file.seek(here)


def _require_text(start: bytes, name: str) -> None:
    what = next((what for magic, what in _MAGIC.items() if start.startswith(magic)), "")
    if what or b"\0" in start[:PEEK_BYTES]:
        raise UsageError(f"{'stdin' if name == '-' else name} is no text{what}: one JSON object a line, in UTF-8, is expected")


def judge(number: int, value: bytes, now: datetime) -> Line:
    """What the loader will make of a line, and the customer and the moment that it belongs to."""
    try:
        event = parse(value, now)
    except Rejected as rejected:
        key, time = _glean(value, now)
        return Line(number, value, key, time, rejected)
    return Line(number, value, None if event.user_id is None else str(event.user_id).encode(), event.timestamp, None)


def _glean(value: bytes, now: datetime) -> tuple[bytes | None, datetime | None]:
    """Key and time of a line that is no event, as far as it has them: it then arrives among the others of its customer."""
    try:
        found = msgspec.json.decode(value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None, None
    if not isinstance(found, dict):
        return None, None
    user, moment = found.get("user_id"), found.get("timestamp")
    is_id = isinstance(user, int) and not isinstance(user, bool)
    if isinstance(user, str) and 0 < len(user) <= MAX_ID:
        user, is_id = int(user) if user.isascii() and user.isdecimal() else user, True
    try:
        time = event_time(moment, now) if isinstance(moment, str | int | float) and not isinstance(moment, bool) else None
    except Rejected:
        time = None
    return str(user).encode() if is_id else None, time
