"""The pytest fixture for users' own tests: a real Kafka, a real PostgreSQL warehouse and the real loader between them.

from ecom_lite.testing import ecom_lite_warehouse  # in conftest.py

def test_my_producer(ecom_lite_warehouse):
    my_producer(bootstrap=ecom_lite_warehouse.bootstrap, topic=ecom_lite_warehouse.topic)
    ecom_lite_warehouse.wait_loaded()
    assert ecom_lite_warehouse.query("SELECT count(*) FROM warehouse.fact_sales") == [(1000,)]
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, LiteralString

import pytest
from kafka import KafkaProducer

from .check.reconcile import Report, reconcile
from .run.loaders import wait_loaded, workers
from .run.marts import Marts
from .run.servers import Servers, servers
from .settings.load import load_settings
from .terminal.terminal import Terminal
from .warehouse.offsets import offsets_of

if TYPE_CHECKING:
    from .transform import DbtRun

POLL_S: Final = 0.05


class LightWarehouse:
    """A warehouse that loads whatever is sent to `topic` at `bootstrap`. No simulated shop, no Spark, no page."""

    def __init__(self, started: Servers) -> None:
        self._started = started
        self._reach = started.reach
        self._marts = Marts(started.settings, lambda: self._reach.address)
        self.bootstrap = self._reach.bootstrap
        self.topic = self._reach.kafka.topic

    @property
    def conninfo(self) -> str:
        """A libpq connection string of the role that may read everything."""
        return self._reach.address.conninfo("ecom_reader")

    def query(self, statement: LiteralString, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one SQL statement in PostgreSQL's dialect, read-only. Raises psycopg.Error."""
        with self._reach.address.connect("ecom_reader") as reader:
            return reader.execute(statement, list(parameters)).fetchall()

    def send(self, events: Iterable[Mapping[str, object]]) -> int:
        """Send events as JSON, keyed by user_id, and return how many once the broker has acknowledged them all."""
        producer = KafkaProducer(**self._reach.client, value_serializer=lambda event: json.dumps(event).encode())
        try:
            sent = [producer.send(self.topic, dict(event), key=str(event.get("user_id", "")).encode()) for event in events]
            for future in sent:
                future.get(timeout=30)
        finally:
            producer.close()
        return len(sent)

    def wait_loaded(self, timeout_s: float = 30.0) -> None:
        """Block until every record that is on the topic now has become a fact, a duplicate, another event or a dead letter.

        Raises TimeoutError that says how far the loader came.
        """
        address, ends = self._reach.address, {place: end for place, end in self._reach.end_offsets().items() if end}
        if wait_loaded(address, ends, timeout_s, threading.Event(), POLL_S):
            return
        with address.connect("ecom_reader") as reader:
            loaded = offsets_of(reader, self._reach.topics)
        state = self._started.supervisor.slot("load").state
        raise TimeoutError(f"not loaded after {timeout_s:g} s: the topic ends at {ends}, loaded are {loaded}; load is {state}")

    def refresh(self) -> DbtRun:
        """Build the marts from the facts now. Raises TransformError."""
        return self._marts.refresh("refresh")

    def check(self) -> Report:
        """The count; `.closes` says whether it does. Call `refresh` before: the marts are part of it."""
        return reconcile(self._reach.address, self._reach.topics, self._reach.end_offsets, producing=False)


@contextmanager
def light_warehouse(data_dir: Path, **flags: Any) -> Iterator[LightWarehouse]:
    """A warehouse in `data_dir`, ready in about 4 s, stopped at the end. `flags` are settings: load__flush_ms=50."""
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    settings = load_settings(flags={"run.data_dir": data_dir, "run.light": True, **dotted})
    quiet = Terminal(quiet=True)
    with servers(settings, "testing", quiet, restarts=settings.run.restarts, temporary=True, sets_clock=True) as started:
        for loader in workers(settings, lambda: started.reach, settings.data_dir, started.registry):
            started.supervisor.add(loader, ["schema", "topics"])
        started.supervisor.start()
        yield LightWarehouse(started)


@pytest.fixture(scope="session")
def ecom_lite_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LightWarehouse]:
    """One warehouse for the whole session."""
    with light_warehouse(tmp_path_factory.mktemp("ecom_lite")) as warehouse:
        yield warehouse
