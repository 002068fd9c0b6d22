"""The topics of one loader: each partition of each of them has one number, so that what counts by partition never mixes two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kafka import TopicPartition

STEP: Final = 1_000_000  # more partitions than any topic has


class Topics:
    """`main` is kafka.topic: its partitions are numbered as they are. Those of a further topic come behind its own number (of
    ops.sources: 1, 2, ...) times STEP: 2000003 is partition 3 of topic number 2. Inside a loader, and in `source_partition` of
    what it writes, a partition is such a number; to Kafka, to the offsets and to people it is (topic, partition).
    """

    def __init__(self, main: str, further: Iterable[str] = ()) -> None:
        self.main = main
        self.further = tuple(further)
        self._numbers = {main: 0}
        self._names = {0: main}

    def learn(self, numbers: Mapping[str, int]) -> None:
        """The numbers of the further topics, from the warehouse."""
        self._numbers = {self.main: 0} | {topic: numbers[topic] for topic in self.further}
        self._names = {number: topic for topic, number in self._numbers.items()}

    @property
    def names(self) -> list[str]:
        return [self.main, *self.further]

    def __contains__(self, topic: str) -> bool:
        return topic in self._numbers

    def number(self, topic: str) -> int:
        return self._numbers[topic]

    def of(self, part: TopicPartition) -> int:
        """The number of this partition."""
        return self._numbers[part.topic] * STEP + int(part.partition)

    def place(self, partition: int) -> TopicPartition:
        """Which partition it is."""
        number, inside = divmod(partition, STEP)
        return TopicPartition(self._names[number], inside)

    def called(self, partition: int) -> str:
        """For people and labels: `3`, or `web_orders/3` of a further topic."""
        topic, inside = self.place(partition)
        return str(inside) if topic == self.main else f"{topic}/{inside}"

    def columns(self, partitions: Iterable[int]) -> dict[str, Any]:
        """As two arrays for a statement."""
        places = [self.place(partition) for partition in partitions]
        return {"topics": [place.topic for place in places], "partitions": [place.partition for place in places]}
