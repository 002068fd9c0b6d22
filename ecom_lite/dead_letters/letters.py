"""What is known of dead letters: the reasons with their counts, the newest ones, and one with its original bytes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg

from ..contract.rejected import REASONS
from ..errors import EcomLiteError, UsageError, first_line
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql

LINK_HEADER: Final = "ecom_lite.resent_from"  # on a record that was sent again: topic/partition/offset of the letter
_LINK: Final = re.compile(rb"([A-Za-z0-9._-]{1,249})/([0-9]{1,10})/([0-9]{1,19})")
_PLACE: Final = re.compile(r"([0-9]{1,10}):([0-9]{1,19})", re.ASCII)

Headers = list[tuple[str, bytes | None]]


class Place(NamedTuple):
    """Where in its topic a letter is. Written 2:17."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"

    @classmethod
    def of(cls, text: str) -> Place:
        """From "2:17"; UsageError where it is something else."""
        match = _PLACE.fullmatch(text)
        if match is None or int(match[1]) >= 2**31 or int(match[2]) >= 2**63:
            raise UsageError(f"{text!r}: give PARTITION:OFFSET, such as 2:17; `ecom_lite dead list` shows them")
        return cls(int(match[1]), int(match[2]))


@dataclass(frozen=True)
class Letter:
    """One dead letter without its bytes. Sizes are None where there was nothing (no key, a tombstone) or no longer is."""

    topic: str
    place: Place
    reason: str
    detail: str
    broker_time: datetime | None
    loaded_at: datetime
    key_bytes: int | None
    value_bytes: int | None
    link: str | None  # the letter that it was sent again from: topic/partition/offset
    resent_at: datetime | None
    resent_to: Place | None
    purged_at: datetime | None
    purged_bytes: int | None
    loaded_again: bool  # what was sent again has been read by the loader
    died_again: bool

    @property
    def mark(self) -> str:
        """What was done with it, in a few words."""
        marks = []
        if self.resent_to is not None:
            fate = "dead again" if self.died_again else "accepted" if self.loaded_again else "not loaded yet"
            marks.append(f"re-sent as {self.resent_to}, {fate}")
        if self.purged_at is not None:
            marks.append("purged")
        return "; ".join(marks)

    def as_json(self) -> dict[str, Any]:
        return {
            "topic": self.topic,
            "partition": self.place.partition,
            "offset": self.place.offset,
            "reason": self.reason,
            "meaning": REASONS.get(self.reason),
            "detail": self.detail,
            "broker_time": iso(self.broker_time),
            "loaded_at": iso(self.loaded_at),
            "key_bytes": self.key_bytes,
            "value_bytes": self.value_bytes,
            "resent_from": self.link,
            "resent_at": iso(self.resent_at),
            "resent_to": None if self.resent_to is None else str(self.resent_to),
            "dead_again": self.died_again,
            "purged_at": iso(self.purged_at),
            "purged_bytes": self.purged_bytes,
        }


@dataclass(frozen=True)
class Reason:
    """All letters of one reason."""

    reason: str
    letters: int
    first: datetime
    last: datetime
    bytes: int
    resent: int
    purged: int

    @property
    def meaning(self) -> str:
        return REASONS.get(self.reason, "a reason of another version of ecom_lite")

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "first": iso(self.first), "last": iso(self.last), "meaning": self.meaning}


@dataclass(frozen=True)
class Content:
    """The record as it was read. All None and [] where it was purged; value None is a tombstone, too."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    error_class: str


@contextmanager
def connected(address: Address, role: str) -> Iterator[psycopg.Connection]:
    """A connection, each statement a transaction; EcomLiteError where the schema is of an older version."""
    try:
        with address.connect(role, autocommit=True) as connection:
            yield connection
    except (psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable) as error:
        raise EcomLiteError(f"the warehouse is of an older version ({first_line(error)}): `ecom_lite migrate`") from None


def known_reason(reason: str | None) -> str | None:
    """The same reason; UsageError where there is none of this name."""
    if reason is not None and reason not in REASONS:
        raise UsageError(f"--reason {reason!r}: there is {', '.join(REASONS)}")
    return reason


def reasons(connection: psycopg.Connection, topic: str, reason: str | None = None) -> list[Reason]:
    """The most frequent reason first."""
    rows = connection.execute(read_sql(__package__, "reasons"), {"topic": topic, "reason": reason})
    return [Reason(*row) for row in rows]


def other_topics(connection: psycopg.Connection, topic: str) -> dict[str, int]:
    """Dead letters of topics that are not this one."""
    return dict(connection.execute(read_sql(__package__, "topics"), {"topic": topic}).fetchall())


def newest(connection: psycopg.Connection, topic: str, reason: str | None, limit: int) -> list[Letter]:
    return _letters(connection, topic, reason=reason, limit=limit)


def find(connection: psycopg.Connection, topic: str, place: Place) -> Letter:
    """The letter at this place. Raises EcomLiteError where there is none."""
    found = _letters(connection, topic, place=place, limit=1)
    if not found:
        raise EcomLiteError(f"there is no dead letter {place} of topic {topic}: `ecom_lite dead list` shows which there are")
    return found[0]


def content(connection: psycopg.Connection, letter: Letter) -> Content:
    """The letter's key, value and headers as they were on the topic."""
    wanted = {"topic": letter.topic, "partition": letter.place.partition, "offset": letter.place.offset}
    row = connection.execute(read_sql(__package__, "content"), wanted).fetchone()
    if row is None:
        raise EcomLiteError(f"dead letter {letter.place} of topic {letter.topic} is gone")
    key, value, headers, error_class = row
    return Content(key, value, decoded(headers), error_class)


def decoded(headers: list[list[str | None]]) -> Headers:
    """Headers as they were read, from [[name, base64 value], ...]."""
    return [(name or "", None if value is None else base64.b64decode(value)) for name, value in headers]


def _letters(
    connection: psycopg.Connection, topic: str, *, limit: int, reason: str | None = None, place: Place | None = None
) -> list[Letter]:
    partition, offset = place or (None, None)
    wanted = {"topic": topic, "reason": reason, "partition": partition, "offset": offset, "link": LINK_HEADER, "limit": limit}
    return [_letter(*row) for row in connection.execute(read_sql(__package__, "newest"), wanted)]


def _letter(
    topic: str, partition: int, offset: int, reason: str, detail: str, broker_time: datetime | None, loaded_at: datetime,
    key_bytes: int | None, value_bytes: int | None, link: str | None, resent_at: datetime | None, resent_partition: int | None,
    resent_offset: int | None, purged_at: datetime | None, purged_bytes: int | None, loaded_again: bool, died_again: bool,
) -> Letter:  # fmt: skip
    resent_to = None if resent_partition is None or resent_offset is None else Place(resent_partition, resent_offset)
    return Letter(
        topic, Place(partition, offset), reason, detail, broker_time, loaded_at, key_bytes, value_bytes, _link(link), resent_at,
        resent_to, purged_at, purged_bytes, loaded_again, died_again,
    )  # fmt: skip


def _link(header: str | None) -> str | None:
    """The link, if it is one: anybody can send such a header."""
    try:
        match = _LINK.fullmatch(base64.b64decode(header or ""))
    except binascii.Error:
        return None
    return None if match is None else match[0].decode()


def iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
