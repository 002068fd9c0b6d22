"""The partitions that are ours: the group assigns them, the table says where to go on, a poll accounts for every offset."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event
from typing import Any, Final
from uuid import UUID

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import MemberToRemove
from kafka.errors import (
    IllegalStateError,
    KafkaError,
    LogTruncationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from ..topic.client import partitions_of
from .claims import Claimed, TopicIds, made_anew
from .decode import Part
from .topics import STEP, Topics

POSITION_MS: Final = 1000
CLOSE_MS: Final = 2000
Prove = Callable[[Mapping[int, int], Mapping[int, int], TopicIds], None]  # (first offsets, ends, topic ids): the same topics
TakeOver = Callable[[Mapping[int, int], TopicIds], Mapping[int, Claimed]]  # (first offsets, topic ids) -> claims
log = logging.getLogger("ecom_lite.load")

# What poll and position raise where the client's position is not (or no longer) one that the table gave.
_MOVED = (NoOffsetForPartitionError, OffsetOutOfRangeError, LogTruncationError, IllegalStateError)


@dataclass(slots=True)
class Claim:
    """A partition that is ours: all offsets below `next_offset` were handed out under `epoch`."""

    next_offset: int
    epoch: int


@contextmanager
def membership(consumer: KafkaConsumer, client: Mapping[str, Any]) -> Iterator[None]:
    """Close the consumer at the end of the block. A good end also leaves the group, so that others have its partitions at once.

    After an error, as after a kill, the member stays until its session times out: a restart under its name goes on as it.
    """
    try:
        yield
    except BaseException:
        consumer.close(autocommit=False, timeout_ms=CLOSE_MS)
        raise
    member = consumer.group_metadata()  # closing forgets it
    consumer.close(autocommit=False, timeout_ms=CLOSE_MS)
    if member.member_id:
        _leave(member, client)


def _leave(member: Any, client: Mapping[str, Any]) -> None:
    """What a consumer does not do itself where its member has a name (a static member)."""
    try:
        admin = KafkaAdminClient(**{**client, "bootstrap_timeout_ms": CLOSE_MS, "request_timeout_ms": CLOSE_MS})
        try:
            # With both ids: whoever has taken the name over meanwhile stays.
            who = MemberToRemove(member_id=member.member_id, group_instance_id=member.group_instance_id)
            admin.remove_group_members(member.group_id, [who])
        finally:
            admin.close()
    except KafkaError as error:
        log.info("the group learns of this end by the session timeout: %r", error)


class _Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """Only notes that the assignment changes: callbacks run on the client's IO thread, the loop acts on it."""

    def __init__(self, consumer: KafkaConsumer, changed: Event) -> None:
        self._consumer = consumer
        self._changed = changed
        self.answered = False  # the group has said which partitions are ours, perhaps none

    def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        self._changed.set()
        # A rebalance begins. Where new partitions caused it, kafka-python 3.0 forgets it when a poll ends before the group has
        # answered: no assignment and no heartbeat, for good. This flag makes the next poll go on with it.
        self._consumer._coordinator.request_rejoin()

    def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        self.answered = True
        self._changed.set()

    def on_partitions_lost(self, lost: Sequence[TopicPartition]) -> None:
        self._changed.set()


class Source:
    """Reads the topics with a consumer whose `auto_offset_reset` is "none". For one thread, but `changed` may be set by any.

    Partitions are numbers as `topics` gives them. Once `changed` is set nothing is handed out until `take_over` has claimed all
    partitions anew.
    """

    def __init__(self, consumer: KafkaConsumer, topics: Topics, prove: Prove, take: TakeOver) -> None:
        self.changed = Event()
        self.claims: dict[int, Claim] = {}
        self._consumer = consumer
        self._topics = topics
        self._prove = prove
        self._take = take
        self._claimed_ids: dict[str, UUID | None] = {}
        self._listener = _Assignment(consumer, self.changed)
        consumer.subscribe(topics.names, listener=self._listener)
        for topic in topics.names:  # now rather than after a first assignment without it; raises where there is no such topic
            partitions_of(consumer, topic)

    @property
    def stands_by(self) -> bool:
        """The group has more members than there are partitions, and none is left for us."""
        return self._listener.answered and not self._consumer.assignment()

    def take_over(self) -> None:
        """Claim all partitions that are assigned now. Raises LoadError when a topic is not the one that was loaded."""
        self.changed.clear()  # first: whatever changes from here on is for the next time
        self.claims = {}
        parts = sorted(tp for tp in self._consumer.assignment() if tp.topic in self._topics)
        if not parts:
            return
        try:
            beginnings = {self._topics.of(tp): offset for tp, offset in self._consumer.beginning_offsets(parts).items()}
            ends = self.ends(parts)
            self._claimed_ids = self._topic_ids()
            self._prove(beginnings, ends, self._claimed_ids)
        except KafkaError as error:
            if not error.retriable:
                raise
            log.warning("Kafka does not answer, %s is claimed later: %r", ", ".join(self._topics.names), error)
            self.changed.set()
            return
        for partition, claimed in self._take(beginnings, self._claimed_ids).items():
            self._seek(partition, claimed, ends[partition])
        begins = {p if p < STEP else self._topics.called(p): c.next_offset for p, c in sorted(self.claims.items())}
        log.info("loading %s from %s", ", ".join(self._topics.names), begins)

    def _seek(self, partition: int, claimed: Claimed, end: int) -> None:
        place = self._topics.place(partition)
        if claimed.next_offset > end:
            raise made_anew(
                f"{place.topic}[{place.partition}] ends at offset {end}, but offsets up to {claimed.next_offset} were loaded"
            )
        if claimed.was < claimed.next_offset:
            log.error(
                "%s[%d]: offsets %d .. %d are LOST: retention removed them before they were loaded",
                place.topic, place.partition, claimed.was, claimed.next_offset - 1,
            )  # fmt: skip
        try:
            self._consumer.seek(place, claimed.next_offset)
        except ValueError:  # revoked a moment ago
            self.changed.set()
            return
        self.claims[partition] = Claim(claimed.next_offset, claimed.epoch)

    def poll(self, timeout_s: float, max_records: int) -> list[Part]:
        """What came, by partition, without a gap: offsets that have no record (markers, compacted) are in the parts too."""
        try:
            polled = self._consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=max_records)
            ends = {tp: self._consumer.position(tp, timeout_ms=POSITION_MS) for tp in self._partitions()}
        except _MOVED:
            self.changed.set()
        except KafkaError as error:  # also what has ended the heartbeat, which the next poll begins anew
            if not error.retriable:
                raise
            log.warning("Kafka does not answer, reading goes on when it does: %r", error)
            self.changed.set()
            time.sleep(timeout_s)
        if any(found not in (None, self._claimed_ids.get(topic)) for topic, found in self._topic_ids().items()):
            self.changed.set()
        # The group may have moved positions (None: to one not yet known): what was read under the old claims proves nothing.
        if self.changed.is_set() or None in ends.values():
            self.changed.set()
            return []
        parts = []
        for tp, end in ends.items():
            partition = self._topics.of(tp)
            claim = self.claims[partition]
            if end > claim.next_offset:
                parts.append(Part(partition, polled.get(tp, ()), claim.next_offset, end, claim.epoch))
                claim.next_offset = end
        return parts

    def ends(self, parts: Sequence[TopicPartition] | None = None) -> dict[int, int]:
        """Per partition (of ours, if none are named) the offset up to which records can be read now."""
        wanted = self._partitions() if parts is None else parts
        return {self._topics.of(tp): offset for tp, offset in self._consumer.end_offsets(wanted).items()}

    def reached(self, ends: Mapping[int, int]) -> bool:
        return all(self.claims[p].next_offset >= end for p, end in ends.items() if p in self.claims)

    def lags(self, committed: Mapping[int, int], *, fetching: bool) -> dict[str, int]:
        """By partition, records on the broker that are not in the warehouse: as of the last fetch, or as it says now."""
        highs = self._highs() if fetching else self._asked()
        lags = {self._topics.of(tp): high or 0 for tp, high in highs.items()}
        return {self._topics.called(p): max(0, high - committed.get(p, 0)) for p, high in lags.items()}

    def _highs(self) -> dict[TopicPartition, int | None]:
        highs = {}
        for tp in self._partitions():
            with suppress(IllegalStateError):  # revoked a moment ago
                highs[tp] = self._consumer.highwater(tp)
        return highs

    def _asked(self) -> dict[TopicPartition, int | None]:
        try:
            return self._consumer.end_offsets(self._partitions(), timeout_ms=POSITION_MS) if self.claims else {}
        except KafkaError:  # it is away, too
            return self._highs()

    def _topic_ids(self) -> dict[str, UUID | None]:
        """As of the client's newest metadata; None where the broker (before 3.1) names none."""
        return {topic: self._consumer._cluster.topic_id(topic) for topic in self._topics.names}

    def _partitions(self) -> list[TopicPartition]:
        return [self._topics.place(partition) for partition in self.claims]
