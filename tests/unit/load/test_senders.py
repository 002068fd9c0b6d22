"""What a loader sends to Kafka itself, where the broker is away: dead letters, and order lines for Spark."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError

from ecom_lite.load import deadletters, judged
from ecom_lite.load.deadletters import DeadLetterTopic
from ecom_lite.load.decode import Batch, DeadLetter, Part
from ecom_lite.load.judged import JudgedTopic
from ecom_lite.load.retry import Stopped
from ecom_lite.load.topics import Topics
from ecom_lite.topic.records import Record

LETTER = DeadLetter(0, 7, 1_700_000_000_000, None, b"x", (), "not_json", "malformed", "Rejected")
LINE = b'{"order_id":"o","user_id":1,"product_id":1,"price":1,"quantity":1,"timestamp":"2026-01-01"}'


class Future:
    exception = None

    def failed(self) -> bool:
        return False

    def succeeded(self) -> bool:
        return False


class Away:
    """A client whose broker went away after it had been made: kafka-python's close raises what its flush does."""

    closed = 0

    def __init__(self, **_: object) -> None:
        pass

    def send(self, *_: object, **__: object) -> Future:
        return Future()

    def flush(self, timeout: float | None = None) -> None:
        raise KafkaTimeoutError("Timeout waiting for flush")

    def close(self, timeout: float) -> None:
        Away.closed += 1
        self.flush(timeout)


def test_letters_that_no_broker_has_taken_do_not_fail_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(deadletters, "KafkaProducer", Away)
    topic = DeadLetterTopic({}, Topics("events"), "events.dlq")
    topic.send([LETTER])
    assert "1 dead letters are in ops.dead_letters but not on topic events.dlq" in caplog.text
    topic.close()
    topic.close()
    assert Away.closed == 1


def test_no_client_is_made_while_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    pauses: list[float] = []
    monkeypatch.setattr(judged, "BatchProducer", made.append)

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise Stopped

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        topic = JudgedTopic({"bootstrap_servers": [place]}, "events.judged", pause)
        topic.wanted = True
        batch = Batch()
        batch.add(Part(0, [Record(0, 0, 0, None, LINE, ())], 0, 1, 1), datetime(2026, 6, 1, tzinfo=UTC))
        with pytest.raises(Stopped):
            topic.send(batch)
    assert not made and f"nothing listens at {place}" in topic.waiting_for
