"""Whether a topic is the one that was loaded, where no topic id says so: the newest record loaded must still be there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError

from .claims import made_anew
from .write import broker_time

LIMIT_S: Final = 3.0  # to read a record of each partition; less than after which a loader without a word counts as silent
POLL_MS: Final = 100


def prove_same(client: Mapping[str, Any], loaded: Mapping[TopicPartition, tuple[int, datetime]]) -> None:
    """Compare with what was `loaded` by partition: offset and broker time. A record that has gone (compacted) proves nothing.

    Raises LoadError when a topic is another one, KafkaError when the broker does not answer.
    """
    if not loaded:
        return
    consumer = KafkaConsumer(**client, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest", max_poll_records=1)
    try:
        left = {part: offset for part, (offset, _) in loaded.items()}
        consumer.assign(list(left))
        for part, offset in left.items():
            consumer.seek(part, offset)
        give_up = time.monotonic() + LIMIT_S
        while left:
            if time.monotonic() > give_up:
                raise KafkaTimeoutError(f"the newest records loaded could not be read within {LIMIT_S:g} s")
            for part, records in consumer.poll(timeout_ms=POLL_MS).items():
                offset, then = loaded[part]
                now = broker_time(records[0].timestamp) if records[0].offset == offset else then
                if now != then:
                    where = f"the record at offset {offset} of {part.topic}[{part.partition}]"
                    raise made_anew(f"{where} was loaded with the time {then} and has {now} now")
            passed = [part for part, offset in left.items() if (consumer.position(part) or 0) > offset]
            for part in passed:
                del left[part]
                consumer.pause(part)
    finally:
        consumer.close(autocommit=False)
