"""Asks a broker who it is: for a person who wants to know whether the right one answers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kafka.admin import KafkaAdminClient

from ..errors import EcomLiteError
from .client import Config, explained, reachable


@dataclass(frozen=True)
class Cluster:
    """`version` is that of the API it speaks, such as 4.1; `partitions` by topic, 0 where it does not exist."""

    version: str
    cluster_id: str
    partitions: Mapping[str, int]
    latency_ms: float  # of one request and its answer


def ask_cluster(config: Config, topics: Sequence[str]) -> Cluster:
    """Blocks at most some seconds. Raises EcomLiteError that says why nobody answers."""
    where = ",".join(config["bootstrap_servers"])
    if not reachable(config):
        raise EcomLiteError(f"nothing listens at {where}: start that broker, or correct kafka.bootstrap")
    with explained(config, "asking the broker"):
        admin = KafkaAdminClient(**config)
        try:
            node = admin.describe_cluster()["brokers"][0]["broker_id"]
            version = ".".join(map(str, admin.get_broker_version_data(node).broker_version))
            began = time.monotonic()
            about = admin.describe_cluster()
            latency_ms = (time.monotonic() - began) * 1000
            found = admin.describe_topics(list(topics))
        finally:
            admin.close()
    counts = {each["name"]: 0 if each["error_code"] else len(each["partitions"]) for each in found}
    return Cluster(version, str(about["cluster_id"]), counts, latency_ms)
