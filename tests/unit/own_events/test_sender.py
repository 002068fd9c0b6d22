"""The sender of a file's records, without a broker: what goes out, what is waited for, and what a refusal does."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import cast

import pytest
from kafka.errors import KafkaError, MessageSizeTooLargeError

from ecom_lite.own_events import sender as line_sender
from ecom_lite.own_events.sender import LineSender, batch_bytes
from ecom_lite.topic.batch_producer import BATCH_BYTES, BatchProducer
from tests.runs import wait_for
from tests.unit.topic.packed import NoBroker


class Broker(NoBroker):
    """Acknowledges everything as soon as somebody waits for it, and remembers how much that was."""

    def __init__(self, partitions: int = 4) -> None:
        super().__init__(partitions)
        self.waiting = self.most_waiting = 0
        self.sender = LineSender(cast(BatchProducer, self), "t", sleep=self.acknowledge)

    def acknowledge(self, _seconds: float) -> None:
        self.most_waiting = max(self.most_waiting, self.sender.sent - self.sender.acknowledged)
        for batch in self.handed[self.waiting :]:
            batch.complete(0, -1)
        self.waiting = len(self.handed)


def test_records_go_out_whole_with_their_key_and_without_headers() -> None:
    broker = Broker()
    records = [(b"%d" % (number % 50) if number % 7 else None, b'{"n": %d}' % number) for number in range(3_000)]
    for key, value in records:
        broker.sender.send(value, key)
    broker.sender.drain()
    read = [record for batch in broker.handed for record in batch.read()]
    assert sorted((one.value, one.key) for one in read if one.key) == sorted((value, key) for key, value in records if key)
    assert {one.value for one in read if not one.key} == {value for key, value in records if key is None}
    assert len(read) == 3_000 and not any(one.headers for one in read)
    of_one = [one.value for one in read if one.key == b"11"]
    assert of_one == [value for key, value in records if key == b"11"], "in order"
    assert broker.sender.acknowledged == broker.sender.sent == 3_000


def test_the_file_waits_for_a_broker_that_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_sender, "TURN_S", 0.0)
    broker = Broker()
    for number in range(50_000):
        broker.sender.send(b"%d" % number, b"%d" % (number % 1000))
    assert broker.most_waiting == line_sender.MAX_UNACKED


def test_large_records_are_bounded_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_sender, "TURN_S", 0.0)
    broker, noise = Broker(), random.Random(1).randbytes(1_000_000)
    for _ in range(100):
        broker.sender.send(noise, b"1")
    assert 32 <= broker.most_waiting <= 35, "megabytes"


def test_a_lone_record_goes_out_while_nothing_else_is_to_be_sent() -> None:
    broker = Broker()
    assert broker.sender.rest() is None, "there is nothing to come back for"
    broker.sender.send(b"alone", b"1")
    wait_s = broker.sender.rest()
    assert wait_s is not None and 0 < wait_s <= 0.02
    wait_for(lambda: broker.sender.rest() and broker.handed, "it is sent")
    broker.acknowledge(0)
    assert broker.sender.rest() is None
    assert broker.sender.acknowledged == 1


@pytest.mark.parametrize(
    "then",
    [lambda sender: sender.send(b"4", None), lambda sender: sender.rest(), lambda sender: sender.drain()],
    ids=["send", "rest", "drain"],
)
def test_a_batch_that_is_refused_ends_it(then: Callable[[LineSender], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_sender, "TURN_S", 0.0)
    broker = Broker(partitions=1)
    for value in (b"1", b"2"):
        broker.sender.send(value, None)
        broker.sender.drain()
    broker.sender.send(b"3", None)
    broker.sender.drain(limit_s=0)
    broker.handed[-1].abort(MessageSizeTooLargeError("no"))
    with pytest.raises(KafkaError, match="no"):
        then(broker.sender)
    assert broker.sender.acknowledged == 2


def test_batches_fit_into_a_topic_that_takes_small_ones_only() -> None:
    assert batch_bytes(None) == batch_bytes(1_048_588) == BATCH_BYTES
    assert batch_bytes(8_000) == 7_000
