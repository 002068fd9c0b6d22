"""Who accepts connections and then says nothing, at the TLS handshake or later: each client gives up in time, and says why."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from kafka.errors import KafkaConnectionError
from kafka.protocol.metadata import MetadataRequest

from ecom_lite.errors import EcomLiteError
from ecom_lite.settings.tree import Kafka
from ecom_lite.topic.batch_producer import BatchProducer
from ecom_lite.topic.client import Config, client_config, explained, max_message_bytes, offset_range
from ecom_lite.topic.net_client import NetClient
from tests.cluster.certificates import Authority

LIMIT_MS: Final = 500
REQUEST_MS: Final = 600  # a consumer takes no less
HANG_S: Final = 20.0  # who takes longer waits for ever
KEYS: Final = {3: 12, 17: 1, 18: 4, 36: 2}  # the requests for metadata, SASL and versions, each up to this version


def config_of(server: socket.socket, protocol: str, **options: object) -> Config:
    login = {"sasl_mechanism": "PLAIN", "sasl_username": "shop", "sasl_password": "secret"} if "SASL" in protocol else {}
    settings = Kafka.model_validate({"security_protocol": protocol, **login, **options})
    limits = {"bootstrap_timeout_ms": LIMIT_MS, "request_timeout_ms": REQUEST_MS}
    return client_config(settings, f"127.0.0.1:{server.getsockname()[1]}") | limits


def produce(config: Config, topic: str) -> None:
    with explained(config, f"sending to {topic}"):
        BatchProducer(config).close(timeout=0)


Ask = Callable[[Config, str], object]
ASKING: Final[list[Ask]] = [max_message_bytes, offset_range, produce]  # an admin client, a consumer, a producer


def told(ask: Ask, config: Config) -> str:
    """The error's words. In a thread of its own: a test must not wait for ever with the client."""
    found: list[str] = []

    def run() -> None:
        try:
            ask(config, "events")
        except EcomLiteError as error:
            found.append(str(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(HANG_S)
    assert not thread.is_alive(), f"{ask.__name__} waits for ever"
    return found[0]


@contextmanager
def silent() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@contextmanager
def serving(serve: Callable[[socket.socket], None]) -> Iterator[socket.socket]:
    """`serve` has each connection, and they stay open until the end where it does not close them."""
    kept: list[socket.socket] = []

    def accept(server: socket.socket) -> None:
        with suppress(OSError):  # the server is closed
            while True:
                kept.append(server.accept()[0])
                kept[-1].settimeout(HANG_S)
                with suppress(OSError):
                    serve(kept[-1])

    with silent() as server:
        threading.Thread(target=accept, args=[server], daemon=True).start()
        try:
            yield server
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            for peer in kept:
                peer.close()


def greet(peer: socket.socket) -> None:
    """Answers the first request, which is that for the versions."""
    request = peer.recv(4096)
    keys = b"".join(struct.pack(">hhhB", key, 0, newest, 0) for key, newest in KEYS.items())
    answer = request[8:12] + struct.pack(">hB", 0, len(KEYS) + 1) + keys + struct.pack(">iB", 0, 0)
    peer.sendall(struct.pack(">i", len(answer)) + answer)


@pytest.mark.parametrize("ask", ASKING)
def test_a_handshake_that_is_not_answered_ends_and_is_said(ask: Ask) -> None:
    with silent() as server:
        words = told(ask, config_of(server, "SSL"))
        assert re.search(r"TLS handshake fails: no answer within 0\.\d s; check kafka\.security_protocol \(SSL\)", words), words
        if ask is max_message_bytes:
            assert "TLS handshake fails: no answer" in told(ask, config_of(server, "SASL_SSL"))


@pytest.mark.parametrize("ask", ASKING)
def test_silence_after_the_greeting_has_its_limit_from_the_library(ask: Ask) -> None:
    with serving(greet) as server:
        assert "gave no answer as Kafka with kafka.security_protocol = SASL_PLAINTEXT" in told(
            ask, config_of(server, "SASL_PLAINTEXT")
        )


@pytest.mark.parametrize(("ask", "protocol"), [(max_message_bytes, "PLAINTEXT"), (offset_range, "SSL")])
def test_a_client_that_cannot_be_made_leaves_nothing_behind(ask: Ask, protocol: str) -> None:
    with silent() as server:
        told(ask, config_of(server, protocol) | {"client_id": "unmade"})
        assert "kafka-io-unmade" not in [thread.name for thread in threading.enumerate()]


def test_who_ends_the_handshake_is_said() -> None:
    with serving(socket.socket.close) as server:
        words = told(max_message_bytes, config_of(server, "SSL"))
        assert "accepts connections, but its TLS handshake fails: " in words and "no answer within" not in words


def test_a_later_connection_has_a_limit_too_and_leaves_no_socket() -> None:
    with silent() as server:
        config = config_of(server, "SSL") | {"socket_connection_setup_timeout_ms": LIMIT_MS}
        network: Any = config["kafka_client"](**config)
        with closing(network):
            answer = network.send("bootstrap-0", MetadataRequest(topics=[]))
            network.poll(timeout_ms=HANG_S * 1000, future=answer)
            assert isinstance(answer.exception, KafkaConnectionError)
            assert "Handshake failed: no answer within 0." in str(answer.exception)
            peer = server.accept()[0]
            with closing(peer):
                peer.settimeout(HANG_S)
                while peer.recv(4096):  # the client's hello, and then the end of the connection
                    pass


def test_a_client_that_is_closed_during_a_handshake_leaves_no_socket() -> None:
    with silent() as server:
        config = config_of(server, "SSL")
        network: Any = NetClient(**config)
        network.send("bootstrap-0", MetadataRequest(topics=[]))
        with closing(network):
            network.poll(timeout_ms=50)
            peer = server.accept()[0]
        with closing(peer):
            peer.settimeout(HANG_S)
            while peer.recv(4096):
                pass


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
@pytest.mark.parametrize("protocol", ["SSL", "SASL_SSL"])
def test_a_handshake_goes_well_and_a_certificate_of_others_is_said(tmp_path: Path, protocol: str) -> None:
    ours, others = Authority(tmp_path / "ours"), Authority(tmp_path / "others")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*ours.sign("broker", "127.0.0.1"))
    kept: list[ssl.SSLSocket] = []

    def secured(peer: socket.socket) -> None:
        kept.append(context.wrap_socket(peer, server_side=True))
        greet(kept[-1])

    with serving(secured) as server:
        words = told(max_message_bytes, config_of(server, protocol, ssl_cafile=str(ours.file)))
        assert f"gave no answer as Kafka with kafka.security_protocol = {protocol}" in words  # it is silent after the greeting
        words = told(max_message_bytes, config_of(server, protocol, ssl_cafile=str(others.file)))
        assert "TLS handshake fails: " in words and "certificate verify failed" in words
    for peer in kept:
        peer.close()
