"""Kafka client settings and the words for what goes wrong, without a broker."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from kafka.errors import InvalidReplicationFactorError

from ecom_lite.errors import ConfigError, EcomLiteError
from ecom_lite.settings.tree import Kafka
from ecom_lite.topic import client
from ecom_lite.topic.client import addresses, client_config, ensure_topics, max_message_bytes, reachable


def kafka(**settings: object) -> Kafka:
    return Kafka.model_validate(settings)


@pytest.fixture
def silent_port() -> int:
    """A port of this machine where nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def test_addresses() -> None:
    assert addresses("a:1, b.example:9092") == [("a", 1), ("b.example", 9092)]
    for wrong in ("", "a", "a:", ":1", "a:b", "a:0", "a:99999", "a:1,", "[]:1", "[::1]", "PLAINTEXT://a:1"):
        with pytest.raises(ConfigError, match=r"kafka\.bootstrap"):
            addresses(wrong)


def test_an_address_of_ipv6_stands_in_brackets_for_the_client_and_without_for_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[str, int]] = []

    def create_connection(address: tuple[str, int], timeout: float) -> socket.socket:
        tried.append(address)
        return socket.socket()

    config = client_config(kafka(), "[2001:db8::7]:9092,[::1]:9093")
    assert config["bootstrap_servers"] == ["[2001:db8::7]:9092", "[::1]:9093"]
    monkeypatch.setattr(socket, "create_connection", create_connection)
    assert reachable(config) and tried == [("2001:db8::7", 9092)]
    with pytest.raises(ConfigError, match="in brackets"):
        addresses("::1:9092")


def test_plain_settings_carry_no_security() -> None:
    config = client_config(kafka(), "localhost:9092")
    assert config["bootstrap_servers"] == ["localhost:9092"]
    assert not [name for name in config if name.startswith(("sasl", "ssl"))]


def test_sasl_settings(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.touch()
    config = client_config(
        kafka(
            security_protocol="SASL_SSL",
            sasl_mechanism="SCRAM-SHA-256",
            sasl_username="shop",
            sasl_password="secret",
            ssl_cafile=str(ca),
        ),
        "broker:9093",
    )
    assert (config["sasl_mechanism"], config["sasl_plain_username"]) == ("SCRAM-SHA-256", "shop")
    assert config["sasl_plain_password"] == "secret"
    assert config["ssl_cafile"] == str(ca)


def test_settings_that_cannot_work_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"kafka\.sasl_mechanism"):
        client_config(kafka(security_protocol="SASL_PLAINTEXT"), "a:1")
    with pytest.raises(ConfigError, match=r"kafka\.ssl_cafile .* no such file"):
        client_config(kafka(ssl_cafile=str(tmp_path / "none.pem")), "a:1")


def test_an_unreachable_address_is_said_in_words(silent_port: int) -> None:
    config = client_config(kafka(), f"127.0.0.1:{silent_port}")
    assert not reachable(config)
    with pytest.raises(EcomLiteError, match=rf"no Kafka at 127\.0\.0\.1:{silent_port}.*refused.*kafka\.bootstrap"):
        max_message_bytes({**config, "bootstrap_timeout_ms": 200}, "events")


def test_something_else_behind_the_port_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        config = client_config(kafka(), f"127.0.0.1:{server.getsockname()[1]}")
        assert reachable(config)
        with pytest.raises(EcomLiteError, match=r"gave no answer as Kafka.*security_protocol"):
            max_message_bytes({**config, "bootstrap_timeout_ms": 1000}, "events")


def test_a_file_without_certificates_is_named_as_the_cause(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("a key, perhaps")
    with socket.create_server(("127.0.0.1", 0)) as server:
        config = client_config(kafka(security_protocol="SSL", ssl_cafile=str(file)), f"127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(EcomLiteError, match=r"kafka\.ssl_cafile = '.*ca\.pem' has no certificates .*: .*X509"):
            max_message_bytes({**config, "bootstrap_timeout_ms": 300}, "events")


class Fenced:
    """A broker without topics that its controller has fenced: it may have none, until it is asked for the `tries`th time."""

    def __init__(self, tries: int) -> None:
        self._left = tries
        self.made: list[str] = []

    def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        return [{"name": name, "error_code": 0 if name in self.made else 3, "partitions": [{}] * 4} for name in names]

    def create_topics(self, wanted: dict[str, Any]) -> None:
        self._left -= 1
        if self._left > 0:
            raise InvalidReplicationFactorError("All brokers are currently fenced.")
        self.made += wanted

    def wait_for_topics(self, names: list[str], timeout_ms: float) -> None:
        assert self.made == names and timeout_ms > 0

    def close(self) -> None:
        pass


def test_a_broker_that_was_fenced_for_a_moment_is_waited_for_and_one_without_a_place_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = client_config(kafka(), "127.0.0.1:9")
    monkeypatch.setattr(client, "POLL_S", 0.001)
    monkeypatch.setattr(client, "KafkaAdminClient", lambda **_: Fenced(3))
    assert ensure_topics(config, "events", 4, "dead") == 4
    monkeypatch.setattr(client, "PLACE_S", 0.0)
    with pytest.raises(EcomLiteError, match="InvalidReplicationFactorError"):
        ensure_topics(config, "events", 4, "dead")
