"""The pytest fixture for users' own tests: a real Kafka, a real PostgreSQL warehouse and the real loader between them.

from ecom_lite.testing import ecom_lite_warehouse  # in conftest.py

def test_my_producer(ecom_lite_warehouse):
    my_producer(bootstrap=ecom_lite_warehouse.bootstrap, topic=ecom_lite_warehouse.topic)
    ecom_lite_warehouse.wait_loaded()
    assert ecom_lite_warehouse.query("SELECT count(*) FROM warehouse.fact_sales") == [(1000,)]
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, LiteralString

import pytest
from kafka import KafkaProducer

from .check.reconcile import Report, reconcile
from .engines.registry import ChildRegistry
from .live.lock import RunLock
from .machine.prepare import fetch_jars
from .run.app import App
from .settings.load import load_settings
from .supervise.supervisor import Supervisor
from .terminal.terminal import Terminal

if TYPE_CHECKING:
    from .transform import DbtRun

POLL_S: Final = 0.05


class LightWarehouse:
    """A warehouse that loads whatever is sent to `topic` at `bootstrap`. No simulated shop, no Spark, no page."""

    def __init__(self, app: App, supervisor: Supervisor) -> None:
        self._app = app
        self._supervisor = supervisor
        self.bootstrap = app.bootstrap
        self.topic = app.settings.kafka.topic

    @property
    def conninfo(self) -> str:
        """A libpq connection string of the role that may read everything."""
        return self._app.address.conninfo("ecom_reader")

    def query(self, statement: LiteralString, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one SQL statement in PostgreSQL's dialect, read-only. Raises psycopg.Error."""
        with self._app.address.connect("ecom_reader") as reader:
            return reader.execute(statement, list(parameters)).fetchall()

    def send(self, events: Iterable[Mapping[str, object]]) -> int:
        """Send events as JSON, keyed by user_id, and return how many once the broker has acknowledged them all."""
        producer = KafkaProducer(**self._app.client, value_serializer=lambda event: json.dumps(event).encode())
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
        deadline = time.monotonic() + timeout_s
        ends = {partition: end for partition, end in self._app.end_offsets().items() if end}
        while True:
            rows = self.query("SELECT partition, next_offset FROM ops.consumer_offsets WHERE topic = %s", [self.topic])
            loaded = dict(rows)
            if all(loaded.get(partition, 0) >= end for partition, end in ends.items()):
                return
            if time.monotonic() > deadline:
                state = self._supervisor.slot("load").state
                raise TimeoutError(
                    f"not loaded after {timeout_s:g} s: the topic ends at {ends}, loaded are {loaded}; load is {state}"
                )
            time.sleep(POLL_S)

    def refresh(self) -> DbtRun:
        """Build the marts from the facts now. Raises TransformError."""
        return self._app.run_dbt("refresh")

    def check(self) -> Report:
        """The count; `.closes` says whether it does. Call `refresh` before: the marts are part of it."""
        return reconcile(self._app.address, self.topic, self._app.end_offsets, producing=False)


@contextmanager
def light_warehouse(data_dir: Path, **flags: Any) -> Iterator[LightWarehouse]:
    """A warehouse in `data_dir`, ready in about 4 s, stopped at the end. `flags` are settings: load__flush_ms=50."""
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    settings = load_settings(flags={"run.data_dir": data_dir, "run.light": True, **dotted})
    fetch_jars(settings, Terminal(quiet=True), ["kafka"])
    run = settings.run
    with RunLock(settings.data_dir, "testing"):
        ChildRegistry(settings.data_dir / "children.json").cleanup()
        app = App(settings)
        supervisor = Supervisor(
            restarts=run.restarts,
            restart_window_s=run.restart_window_s,
            ready_timeout_s=run.ready_timeout_s,
            listener=lambda *_: None,
        )
        app.add_engines(supervisor)
        app.add_loader(supervisor)
        try:
            supervisor.start()
            yield LightWarehouse(app, supervisor)
        finally:
            supervisor.stop()
            if app.own_postgres:
                app.postgres.remove()


@pytest.fixture(scope="session")
def ecom_lite_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LightWarehouse]:
    """One warehouse for the whole session."""
    with light_warehouse(tmp_path_factory.mktemp("ecom_lite")) as warehouse:
        yield warehouse
