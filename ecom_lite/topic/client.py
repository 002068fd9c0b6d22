"""How a room reaches Kafka: client settings, topics, offsets, and errors in words a user can act on."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource
from kafka.errors import (
    AuthorizationError,
    ClusterAuthorizationFailedError,
    FencedInstanceIdError,
    GroupAuthorizationFailedError,
    InvalidReplicationFactorError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    SaslAuthenticationFailedError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailedError,
    UnsupportedCodecError,
    UnsupportedSaslMechanismError,
)

from ..errors import ConfigError, EcomLiteError
from ..settings.tree import Kafka as KafkaSettings
from .net_client import NetClient, TlsFailedError

BOOTSTRAP_TIMEOUT_MS: Final = 10_000
REQUEST_TIMEOUT_MS: Final = 10_000
PATIENCE_MS: Final = 60_000
# For one question to a broker that is known to be up: one that gets no CPU for a while is no error.
PATIENT: Final = {"bootstrap_timeout_ms": PATIENCE_MS, "request_timeout_ms": PATIENCE_MS}
RECONNECT_BACKOFF_MAX_MS: Final = 1_000  # a restarted broker is found again within a second
PROBE_TIMEOUT_S: Final = 1.0
POLL_S: Final = 0.1
PLACE_S: Final = 10.0  # until a broker that has stood still is counted in again
TOPICS_READY_MS: Final = 30_000
DEAD_LETTER_MAX_BYTES: Final = 4 * 1024 * 1024  # a record of Kafka's default limit, with the headers that say what is wrong
_HOST: Final = re.compile(r"[^:\[\]]+|\[[^\[\]]+\]")
# What a refusal is about, and which right is needed.
REFUSED: Final = {
    TopicAuthorizationFailedError: "a topic (needed are Read to load, Write to send)",
    GroupAuthorizationFailedError: "a consumer group (needed is Read)",
    TransactionalIdAuthorizationFailedError: "a transactional id (needed is Write)",
    ClusterAuthorizationFailedError: "something of the cluster (needed is IdempotentWrite, of brokers before 2.8)",
}

Config = dict[str, Any]  # keyword arguments that KafkaProducer, KafkaConsumer and KafkaAdminClient all take


def client_config(kafka: KafkaSettings, bootstrap: str) -> Config:
    """What every Kafka client needs to reach `bootstrap` ("host:port,..."). ConfigError on settings that cannot work."""
    config: Config = {
        "bootstrap_servers": [f"{host}:{port}" for host, port in addresses(bootstrap)],
        "client_id": "ecom_lite",
        "security_protocol": kafka.security_protocol,
        "bootstrap_timeout_ms": BOOTSTRAP_TIMEOUT_MS,
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        "reconnect_backoff_max_ms": RECONNECT_BACKOFF_MAX_MS,
        "kafka_client": NetClient,
    }
    if kafka.security_protocol.startswith("SASL"):
        if not (kafka.sasl_mechanism and kafka.sasl_username):
            raise ConfigError(
                f"kafka.security_protocol = {kafka.security_protocol} needs kafka.sasl_mechanism and kafka.sasl_username"
            )
        config["sasl_mechanism"] = kafka.sasl_mechanism
        config["sasl_plain_username"] = kafka.sasl_username
        config["sasl_plain_password"] = kafka.sasl_password.get_secret_value()
    if kafka.ssl_cafile:
        if not Path(kafka.ssl_cafile).is_file():
            raise ConfigError(f"kafka.ssl_cafile = {kafka.ssl_cafile!r}: no such file")
        config["ssl_cafile"] = kafka.ssl_cafile
    return config


def addresses(bootstrap: str) -> list[tuple[str, int]]:
    """The (host, port) pairs of "host:port,host:port"; ConfigError when it is none. An address of IPv6 keeps its brackets."""
    pairs = []
    for part in bootstrap.split(","):
        host, _, port = part.strip().rpartition(":")
        if not _HOST.fullmatch(host) or not port.isdecimal() or not 0 < int(port) < 65_536:
            brackets = ", and an address of IPv6 stands in brackets" if host.count(":") > 1 else ""
            raise ConfigError(f"kafka.bootstrap = {bootstrap!r}: {part.strip()!r} is not host:port{brackets}")
        pairs.append((host, int(port)))
    return pairs


@contextmanager
def explained(config: Mapping[str, Any], doing: str) -> Iterator[None]:
    """Turn what kafka-python raises inside the block into an EcomLiteError that says what to do. Only for the border:
    loops that retry look at the KafkaError itself, which stays as the cause."""
    try:
        yield
    except KafkaError as error:
        raise EcomLiteError(f"{doing}: {explain(config, error)}") from error


def explain(config: Mapping[str, Any], error: KafkaError) -> str:
    where = ",".join(config["bootstrap_servers"])
    if isinstance(error, SaslAuthenticationFailedError | UnsupportedSaslMechanismError):
        return f"Kafka at {where} refused the login: {error}; check kafka.sasl_mechanism, _username and _password"
    if isinstance(error, AuthorizationError):
        what = next((what for kind, what in REFUSED.items() if isinstance(error, kind)), "this request")
        return f"Kafka at {where} refuses {_user(config)} {what}: {error}; docs/cluster.md lists all that is needed"
    if isinstance(error, UnsupportedCodecError):
        return f"{error}: the topic has records compressed so; `pip install 'kafka-python[snappy,zstd]'` and start again"
    if isinstance(error, MessageSizeTooLargeError):
        return f"Kafka at {where}: a record is larger than the topic's max.message.bytes: {error}"
    if isinstance(error, FencedInstanceIdError):
        return f"Kafka at {where}: another process has joined the group under our name; only one can"
    if not isinstance(error, KafkaTimeoutError):
        return f"Kafka at {where}: {type(error).__name__}: {error}"
    refusals = [reason for pair in addresses(where) if (reason := _refusal(*pair))]
    if len(refusals) == len(config["bootstrap_servers"]):
        return f"no Kafka at {where} ({'; '.join(refusals)}): is it running, and is kafka.bootstrap right?"
    if why := _unread(config):
        return f"kafka.ssl_cafile = {config['ssl_cafile']!r} has no certificates in PEM form that can be read: {why}"
    if isinstance(error, TlsFailedError):
        return (
            f"{where} accepts connections, but its TLS handshake fails: {error.args[0]}; check kafka.security_protocol"
            f" ({config['security_protocol']}), kafka.ssl_cafile, and what listens there"
        )
    return (
        f"{where} accepts connections but gave no answer as Kafka with kafka.security_protocol ="
        f" {config['security_protocol']}: check that and kafka.sasl_*, kafka.ssl_cafile, and what listens there"
    )


def _unread(config: Mapping[str, Any]) -> str:
    """Why the authorities' certificates cannot be read, of which the client's own error says nothing; empty where they can."""
    try:
        if "ssl_cafile" in config and "SSL" in config["security_protocol"].split("_"):
            ssl.create_default_context(cafile=config["ssl_cafile"])
    except OSError as error:  # ssl.SSLError is one
        return error.strerror or str(error)
    return ""


def _user(config: Mapping[str, Any]) -> str:
    return str(config.get("sasl_plain_username") or "us")


def _refusal(host: str, port: int) -> str | None:
    """Why no TCP connection comes about, or None where it does."""
    try:
        with socket.create_connection((host.strip("[]"), port), timeout=PROBE_TIMEOUT_S):
            return None
    except OSError as error:
        return f"{host}:{port} {error.strerror or error}"


def reachable(config: Config) -> bool:
    """Whether one of the addresses accepts a TCP connection. Quick on loopback, at most PROBE_TIMEOUT_S per address.

    Ask it before making a client in a loop: a client that fails to bootstrap blocks for BOOTSTRAP_TIMEOUT_MS.
    """
    return not all(_refusal(*pair) for pair in addresses(",".join(config["bootstrap_servers"])))


def ensure_topics(
    config: Config, topic: str, partitions: int, dlq_topic: str, judged_topic: str | None = None, further: Sequence[str] = (),
    alerts_topic: str | None = None,
) -> int:  # fmt: skip
    """Create `topic` and the `further` ones (with `partitions`), `dlq_topic` and `alerts_topic` (with one) and `judged_topic`
    (with as many as `topic` has) where they are missing; safe to repeat and to race.

    Returns how many partitions `topic` has: an existing one keeps its own number. Blocks until all have leaders.
    """
    names = [topic, *further, dlq_topic, *(name for name in (judged_topic, alerts_topic) if name is not None)]
    with _admin(config, f"making topics {' and '.join(names)}") as admin:
        found = {each["name"]: len(each["partitions"]) for each in admin.describe_topics(names) if not each["error_code"]}
        wanted: dict[str, dict[str, Any]] = {name: {"num_partitions": found.get(topic, partitions)} for name in names}
        wanted |= {name: {"num_partitions": partitions} for name in further}
        wanted[dlq_topic] = {"num_partitions": 1, "configs": {"max.message.bytes": str(DEAD_LETTER_MAX_BYTES)}}
        if alerts_topic is not None:
            wanted[alerts_topic] = {"num_partitions": 1}
        for name, options in wanted.items():
            if name not in found:
                try:
                    _create(admin, name, options)
                except TopicAlreadyExistsError:
                    pass  # somebody else was quicker
                except TopicAuthorizationFailedError as error:
                    raise EcomLiteError(
                        f"Kafka has no topic {name} that {_user(config)} may see, nor may it make one: grant Create and Read or "
                        f"Write on topic {name}, or make it, with {options['num_partitions']} partitions (docs/cluster.md)"
                    ) from error
        admin.wait_for_topics(names, TOPICS_READY_MS)
        (described,) = admin.describe_topics([topic])
        return len(described["partitions"])


def _create(admin: KafkaAdminClient, name: str, options: Mapping[str, Any]) -> None:
    """A broker that has stood still for seconds is fenced until its next heartbeat: until then no replica has a place."""
    give_up = time.monotonic() + PLACE_S
    while True:
        try:
            admin.create_topics({name: options})
            return
        except InvalidReplicationFactorError:
            if time.monotonic() >= give_up:
                raise
        time.sleep(POLL_S)


@contextmanager
def _admin(config: Config, doing: str) -> Iterator[KafkaAdminClient]:
    with explained(config, doing):
        admin = KafkaAdminClient(**config)
        try:
            yield admin
        finally:
            admin.close()


def max_message_bytes(config: Config, topic: str) -> int | None:
    """The most bytes that the topic takes in one batch; None where the broker does not let us see it."""
    name = "max.message.bytes"
    with _admin(config, f"asking for {name} of topic {topic}") as admin:
        found = admin.describe_configs([ConfigResource("TOPIC", topic, [name])], config_filter="all")
    value = found.get("topic", {}).get(topic, {}).get(name)
    return None if value is None else int(value["value"])


def end_offsets(config: Config, topic: str) -> dict[int, int]:
    """Per partition the offset below which all records can be read, transactions of foreign producers included.

    Raises EcomLiteError, also when there is no such topic.
    """
    return offset_range({**config, "isolation_level": "read_committed"}, topic)[1]


def ends_of(config: Config, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """`end_offsets` of several topics, by topic and partition."""
    return {(topic, partition): end for topic in topics for partition, end in end_offsets(config, topic).items()}


def offset_range(config: Config, topic: str) -> tuple[dict[int, int], dict[int, int]]:
    """Per partition the first offset still kept, and the offset that the next record will get."""
    doing = f"asking for the offsets of topic {topic}"
    with explained(config, doing):
        consumer = KafkaConsumer(**config, group_id=None, enable_auto_commit=False)
        try:
            parts = partitions_of(consumer, topic)
            first, end = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
        finally:
            consumer.close()
    return {part.partition: first[part] for part in parts}, {part.partition: end[part] for part in parts}


def partitions_of(consumer: KafkaConsumer, topic: str) -> list[TopicPartition]:
    """The topic's partitions in order; EcomLiteError when it does not exist."""
    numbers = consumer.partitions_for_topic(topic)
    if not numbers:
        raise EcomLiteError(f"Kafka has no topic {topic}: check its name in the settings, or let `ecom_lite run` make it")
    return [TopicPartition(topic, number) for number in sorted(numbers)]
