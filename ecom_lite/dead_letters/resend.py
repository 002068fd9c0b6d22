"""Sends dead letters again: to their partition, with their key, and with a header that names the letter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import psycopg
from kafka.errors import KafkaError, MessageSizeTooLargeError

from ..contract.events import FAULT_HEADER, PRODUCER_HEADER, Clock, utc_now
from ..contract.reader import Reader, make_reader
from ..contract.rejected import Rejected
from ..errors import EcomLiteError
from ..settings.currencies import DEFAULT
from ..settings.events import Events
from ..topic.batch_producer import BatchProducer
from ..topic.client import Config, explained
from ..warehouse.sqlfiles import read_sql
from .letters import LINK_HEADER, Headers, Place, decoded

AS_THEY_ARE: Final = Events()
SENDING_S: Final = 300  # longer than a producer waits for the broker
CHUNK: Final = 50  # letters in one transaction: at Kafka's usual limit 50 MB
NAMED: Final = 1000  # so many letters are named in the result, all are counted
NOT_KEPT: Final = {PRODUCER_HEADER, FAULT_HEADER, LINK_HEADER}  # the ledger would count it as sent by the shop again

SENT, WOULD_BE_SENT, REFUSED, TOO_LARGE, NOTHING = (
    "sent",
    "would be sent",
    "refused",
    "too large for Kafka",
    "neither key nor value",
)


@dataclass(frozen=True)
class Wish:
    """Which letters of a topic, and how. `value` replaces the bytes of the one letter that is named.

    `events` says how the loader reads what is sent, `currency` that of amounts that name none.
    """

    topic: str
    places: Sequence[Place] = ()
    reason: str | None = None
    again: bool = False
    force: bool = False
    dry_run: bool = False
    value: bytes | None = None
    events: Events = AS_THEY_ARE
    currency: str = DEFAULT


@dataclass
class Result:
    """What became of the letters that were meant. `named` has the first of them: (place, fate, where or why)."""

    topic: str
    dry_run: bool
    letters: int = 0
    resent_before: int = 0
    purged: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)  # by reason
    named: list[tuple[Place, str, str]] = field(default_factory=list)

    @property
    def sent(self) -> int:
        return self.fates[SENT]

    @property
    def would_be_sent(self) -> int:
        """In a dry run."""
        return self.fates[WOULD_BE_SENT]

    @property
    def failed(self) -> int:
        return self.fates[TOO_LARGE] + self.fates[NOTHING]

    def add(self, place: Place, fate: str, remark: str) -> None:
        self.fates[fate] += 1
        if len(self.named) < NAMED:
            self.named.append((place, fate, remark))

    def as_json(self) -> dict[str, Any]:
        return {
            "topic": self.topic,
            "dry_run": self.dry_run,
            "letters": self.letters,
            "sent": self.sent,
            "would_be_sent": self.would_be_sent,
            "refused": dict(self.refused),
            "resent_before": self.resent_before,
            "purged": self.purged,
            "failed": self.failed,
            "named": [{"letter": str(place), "fate": fate, "remark": remark} for place, fate, remark in self.named],
        }

    def __str__(self) -> str:
        count, what = (self.would_be_sent, "would be sent") if self.dry_run else (self.sent, "sent again")
        parts = [f"{count:,} of {self.letters:,} letters {what}"]
        if self.refused:
            reasons = ", ".join(f"{reason} {count:,}" for reason, count in self.refused.most_common())
            parts.append(f"{self.refused.total():,} would be dead letters again ({reasons}): --force sends them all the same")
        if self.resent_before:
            parts.append(f"{self.resent_before:,} re-sent before: --again sends again")
        if self.purged:
            parts.append(f"{self.purged:,} purged: there is nothing left to send")
        if self.failed:
            parts.append(f"{self.failed:,} cannot be sent")
        return "; ".join(parts)


@dataclass(frozen=True)
class _Letter:
    place: Place
    key: bytes | None
    value: bytes | None
    headers: Headers


def resend(connection: psycopg.Connection, config: Config | None, wish: Wish, clock: Clock = utc_now) -> Result:
    """Send what is meant, as ecom_producer, and mark each letter that the broker has acknowledged; the letters stay.

    A crash, or a broker that goes away, between the two can send a letter once more: the warehouse counts a line once.
    `config` may be None for a dry run. Raises EcomLiteError when a named letter is none, or Kafka does not answer.
    """
    result = Result(wish.topic, wish.dry_run)
    # While the broker is slow the transaction stands still. Ended by the server, its letters would be sent and not marked.
    connection.execute(f"SET idle_in_transaction_session_timeout = '{SENDING_S}s'".encode())
    chosen = _chosen(wish)
    row = connection.execute(read_sql(__package__, "marked"), chosen).fetchone()
    assert row is not None  # counts are always one row
    result.letters, result.resent_before, result.purged, before = row
    result.resent_before = 0 if wish.again else result.resent_before
    if result.letters < len(set(wish.places)):
        known = {Place(*found) for found in _known(connection, chosen)}
        missing = ", ".join(str(place) for place in wish.places if place not in known)
        raise EcomLiteError(f"there is no dead letter {missing} of topic {wish.topic}: `ecom_lite dead list` shows them")
    chosen |= {"again": wish.again, "before": before, "limit": CHUNK}
    reader = make_reader(wish.events, wish.currency)
    try:
        with _producer(config, wish) as producer:
            after, failure = Place(-1, -1), None
            while failure is None:
                with connection.transaction():
                    letters = _choose(connection, chosen, after)
                    accepted = [letter for letter in letters if _judge(letter, reader, wish, result, clock())]
                    if producer is not None:
                        failure = _send(connection, producer, accepted, wish, result)
                if not letters:
                    return result
                after = letters[-1].place
            raise failure
    except EcomLiteError as error:
        raise EcomLiteError(f"{error}; {result.sent:,} of {result.letters:,} letters were sent again before") from error


@contextmanager
def _producer(config: Config | None, wish: Wish) -> Iterator[BatchProducer | None]:
    """Yield a producer, or None for a dry run, which sends nothing."""
    if config is None or wish.dry_run:
        yield None
        return
    with explained(config, f"sending to topic {wish.topic}"):
        producer = BatchProducer(config)
        try:
            yield producer
        finally:
            producer.close(timeout=2)


def _chosen(wish: Wish) -> dict[str, Any]:
    places = wish.places or None
    return {
        "topic": wish.topic,
        "reason": wish.reason,
        "partitions": None if places is None else [place.partition for place in places],
        "offsets": None if places is None else [place.offset for place in places],
    }


def _known(connection: psycopg.Connection, chosen: dict[str, Any]) -> list[tuple[int, int]]:
    return connection.execute(read_sql(__package__, "places"), chosen).fetchall()


def _choose(connection: psycopg.Connection, chosen: dict[str, Any], after: Place) -> list[_Letter]:
    """The next letters behind `after`, locked until the transaction ends."""
    bounds = {"after_partition": after.partition, "after_offset": after.offset}
    rows = connection.execute(read_sql(__package__, "choose"), chosen | bounds).fetchall()
    return [_Letter(Place(*row[:2]), row[2], row[3], decoded(row[4])) for row in rows]


def _judge(letter: _Letter, reader: Reader, wish: Wish, result: Result, now: datetime) -> bool:
    """Whether to send it."""
    try:
        reader(letter.value if wish.value is None else wish.value, now)
    except Rejected as rejected:
        if not wish.force:
            result.refused[rejected.reason] += 1
            result.add(letter.place, REFUSED, str(rejected))
            return False
    if wish.dry_run:
        result.add(letter.place, WOULD_BE_SENT, "it is an event")
    return True


def _send(
    connection: psycopg.Connection,
    producer: BatchProducer,
    letters: Sequence[_Letter],
    wish: Wish,
    result: Result,
) -> KafkaError | None:
    """One chunk: sent, and what the broker has acknowledged is marked. Returns why another was not acknowledged."""
    futures: list[tuple[_Letter, Any]] = []
    partitions = producer.partitions_for(wish.topic) if letters else ()
    for letter in letters:
        value = letter.value if wish.value is None else wish.value
        if letter.key is None and value is None:
            result.add(letter.place, NOTHING, "the client cannot send it")
            continue
        link = f"{wish.topic}/{letter.place.partition}/{letter.place.offset}"
        # The client cannot send a header of null: it goes as empty.
        kept = [(name, header or b"") for name, header in letter.headers if name not in NOT_KEPT]
        partition = letter.place.partition if letter.place.partition in partitions else None
        try:
            future = producer.send(wish.topic, value, letter.key, [*kept, (LINK_HEADER, link.encode())], partition)
        except MessageSizeTooLargeError as error:
            result.add(letter.place, TOO_LARGE, str(error))
        else:
            futures.append((letter, future))
    producer.flush()
    failure: KafkaError | None = None
    sent: list[tuple[_Letter, Place]] = []
    for letter, future in futures:
        if future.succeeded():
            to = Place(future.value.topic_partition.partition, future.value.offset)
            sent.append((letter, to))
            result.add(letter.place, SENT, f"as {to}")
        elif isinstance(future.exception, MessageSizeTooLargeError):
            result.add(letter.place, TOO_LARGE, "the broker refuses it")
        else:
            failure = failure or future.exception or KafkaError("not acknowledged")
    _mark(connection, wish.topic, sent)
    return failure


def _mark(connection: psycopg.Connection, topic: str, sent: Sequence[tuple[_Letter, Place]]) -> None:
    if sent:
        connection.execute(
            read_sql(__package__, "mark_resent"),
            {
                "topic": topic,
                "partitions": [letter.place.partition for letter, _ in sent],
                "offsets": [letter.place.offset for letter, _ in sent],
                "resent_partitions": [to.partition for _, to in sent],
                "resent_offsets": [to.offset for _, to in sent],
            },
        )
