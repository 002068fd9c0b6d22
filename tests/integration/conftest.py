"""What the tests of the loader, of dead letters and of the count share: a topic, a warehouse, ways to load and to stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecom_lite.engines.jars import JarCache
from ecom_lite.engines.spark import SparkGateway
from ecom_lite.load import deadletters
from ecom_lite.produce import ledger, producer
from ecom_lite.stream.session import close_session
from ecom_lite.topic import batch_producer, client
from ecom_lite.warehouse.connect import Address
from tests.runs import START_S

from .loading import Bench
from .streaming import Shop


@pytest.fixture(scope="module", autouse=True)
def slowly() -> Iterator[None]:
    """Servers that are there, and only slow, have ten seconds for an answer, and four where a producer is stopped: on a busy
    machine they need more."""
    with pytest.MonkeyPatch.context() as patience:
        patience.setattr(client, "REQUEST_TIMEOUT_MS", 30_000)
        patience.setattr(batch_producer, "METADATA_TIMEOUT_MS", 30_000)  # also for the topic of transactions, made at their first
        patience.setattr(deadletters, "ACK_TIMEOUT_S", 30)
        patience.setattr(producer, "STOP_SLOWLY_S", 40.0)
        patience.setattr(ledger, "WRITE_S", 40.0)
        yield


@pytest.fixture
def bench(kafka_bootstrap: str, topic: str, warehouse: Address) -> Bench:
    return Bench(kafka_bootstrap, topic, warehouse)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, java: Path, jar_cache: JarCache) -> Iterator[SparkGateway]:
    folder = tmp_path_factory.mktemp("spark")
    jars, archive_dir = jar_cache.classpath("spark"), jar_cache.root.parent / "cds"
    gateway = SparkGateway(folder / "work", folder / "logs", java=java, jars=jars, memory_mb=512, archive_dir=archive_dir)
    gateway.start(START_S)
    yield gateway
    close_session()
    gateway.stop()


@pytest.fixture
def shop(kafka_bootstrap: str, topic: str) -> Iterator[Shop]:
    shop = Shop(kafka_bootstrap, topic)
    yield shop
    shop.close()
