"""The proxy reads Kafka's frames: it cuts, passes on, holds up or leaves unanswered the produce request that it was told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest

from ecom_lite.harness.kafka_proxy import KafkaFrames, KafkaProxy, RequestTrap
from tests.runs import wait_for

METADATA = 3
PATIENCE_S = 60


def request(number: int, api_key: int = 0, size: int = 40) -> bytes:
    body = api_key.to_bytes(2, "big") + (9).to_bytes(2, "big") + number.to_bytes(4, "big") + b"x" * size
    return len(body).to_bytes(4, "big") + body


def answer(number: int) -> bytes:
    return (9).to_bytes(4, "big") + number.to_bytes(4, "big") + b"ready"


def test_frames_are_found_however_the_bytes_are_cut() -> None:
    messages = [request(1), request(2, METADATA, 0), answer(3)]
    stream = b"".join(messages)
    for size in (1, 3, 7, len(stream)):
        frames = KafkaFrames()
        assert [m for i in range(0, len(stream), size) for m in frames.feed(stream[i : i + size])] == messages


class Broker:
    """Takes one connection, keeps what it gets, and answers each request that it has whole."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.got = b""
        self.ended = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self.listener.accept()
        frames = KafkaFrames()
        with connection, suppress(OSError):
            while data := connection.recv(65_536):
                self.got += data
                for message in frames.feed(data):
                    with suppress(OSError):  # cut while it answers: what was sent before that is still to be read
                        connection.sendall(answer(int.from_bytes(message[8:12], "big")))
        self.ended.set()


@pytest.fixture
def broker() -> Iterator[Broker]:
    made = Broker()
    with closing(made.listener):
        yield made


@pytest.fixture
def proxied(broker: Broker) -> Iterator[Callable[[RequestTrap], tuple[KafkaProxy, socket.socket]]]:
    opened: list[KafkaProxy | socket.socket] = []

    def make(trap: RequestTrap) -> tuple[KafkaProxy, socket.socket]:
        client: list[socket.socket] = []
        dies = trap.what in ("hold", "pass")
        proxy = KafkaProxy(broker.listener.getsockname(), trap, lambda: client[0].close() if dies else None)
        client.append(socket.create_connection(("127.0.0.1", proxy.port)))
        client[0].settimeout(PATIENCE_S)
        opened.extend((proxy, *client))
        return proxy, client[0]

    yield make
    for each in opened:
        each.close()


Proxied = Callable[[RequestTrap], tuple[KafkaProxy, socket.socket]]


def all_of(client: socket.socket) -> bytes:
    back = b""
    try:
        while data := client.recv(65_536):
            back += data
    except OSError:
        pass  # cut, or dead
    return back


def test_the_second_produce_request_is_cut_after_its_share(broker: Broker, proxied: Proxied) -> None:
    proxy, client = proxied(RequestTrap("cut", 2, share=0.5))
    client.sendall(request(1) + request(2, METADATA) + request(3))
    all_of(client)
    assert proxy.struck.is_set() and broker.ended.wait(PATIENCE_S)
    assert broker.got == request(1) + request(2, METADATA) + request(3)[: len(request(3)) // 2]


def test_the_answer_to_it_is_swallowed_and_those_before_it_are_not(broker: Broker, proxied: Proxied) -> None:
    proxy, client = proxied(RequestTrap("answer", 2))
    client.sendall(request(1))
    assert client.recv(100) == answer(1)
    client.sendall(request(2, METADATA) + request(3))
    assert all_of(client) in (b"", answer(2))
    assert proxy.struck.is_set() and broker.ended.wait(PATIENCE_S) and broker.got.endswith(request(3))


def test_no_answer_comes_any_more_from_the_one_that_it_was_told_on(broker: Broker, proxied: Proxied) -> None:
    proxy, client = proxied(RequestTrap("mute", 2))
    client.sendall(request(1))
    assert client.recv(100) == answer(1)
    client.sendall(request(2) + request(3, METADATA))
    assert proxy.struck.wait(PATIENCE_S)
    wait_for(lambda: broker.got.endswith(request(3, METADATA)), "all that was asked")
    client.settimeout(0.05)
    with pytest.raises(TimeoutError):
        client.recv(100)


def test_it_is_passed_on_before_its_sender_dies(broker: Broker, proxied: Proxied) -> None:
    proxy, client = proxied(RequestTrap("pass", 1))
    client.sendall(request(1))
    assert proxy.struck.wait(PATIENCE_S) and broker.ended.wait(PATIENCE_S) and broker.got == request(1)


def test_what_is_held_up_arrives_after_its_sender_has_died_and_the_broker_answers(broker: Broker, proxied: Proxied) -> None:
    proxy, client = proxied(RequestTrap("hold", 2))
    client.sendall(request(1) + request(2) + request(3, METADATA))
    assert proxy.struck.wait(PATIENCE_S)
    wait_for(lambda: broker.got, "the request before it")
    assert broker.got == request(1) and not broker.ended.is_set()
    assert proxy.release()
    assert broker.got == request(1) + request(2) + request(3, METADATA)


def test_requests_for_anything_else_are_left_alone(broker: Broker, proxied: Proxied) -> None:
    proxy, client = proxied(RequestTrap("cut", 1))
    client.sendall(request(1, METADATA))
    assert client.recv(100) == answer(1) and not proxy.struck.is_set()
    assert not proxy.release(), "nothing was held up"
