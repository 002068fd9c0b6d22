"""What the loader will make of a record: its events or what is wrong, and the customer and the time that it has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from ..contract.events import Event, event_time
from ..contract.fields import MAX_ID
from ..contract.reader import Reader
from ..contract.rejected import Rejected
from .records import Record
from .source import Source

TAIL_BYTES: Final = 4096


class Judged(NamedTuple):
    """A record, judged. `key` is its customer, `time` its event time, where it has them."""

    record: Record
    events: Sequence[Event]
    key: bytes | None
    time: datetime | None
    problem: Rejected | None


def judge(record: Record, read: Reader, now: datetime) -> Judged:
    """The record as `read` sees it. Raises nothing."""
    if record.value is None:
        return Judged(record, (), None, None, record.problem)
    try:
        events = read(record.value, now)
    except Rejected as rejected:
        return Judged(record, (), *_glean(record.value, now), rejected)
    first = events[0]
    return Judged(record, events, None if first.user_id is None else str(first.user_id).encode(), first.timestamp, None)


def last_time(source: Source, read: Reader, now: datetime) -> datetime | None:
    """The event time of the last line of a regular file."""
    if source.path is None:
        return None
    with source.path.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - TAIL_BYTES))
        lines = file.read().rstrip().splitlines()
    return judge(Record("", lines[-1]), read, now).time if lines else None


def _glean(value: bytes, now: datetime) -> tuple[bytes | None, datetime | None]:
    """Key and time of what is no event, as far as it has them: it then arrives among the others of its customer."""
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
