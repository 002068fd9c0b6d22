"""A warehouse with settings and engines of its own, as a run has them: for what cannot be set for a test in shared engines."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..check.reconcile import Report, reconcile
from ..run.loaders import wait_loaded, workers
from ..run.marts import Marts
from ..run.servers import Servers, servers
from ..settings.libpq import restored_variables
from ..settings.load import load_settings
from ..terminal.terminal import Terminal
from ..warehouse.offsets import offsets_of
from .options import OWN_KAFKA, OWN_POSTGRES
from .place import checks_of
from .warehouse import LightWarehouse

if TYPE_CHECKING:
    from ..transform import DbtRun

POLL_S: Final = 0.05


class OwnWarehouse(LightWarehouse):
    """On servers of its own, or on those that its settings name."""

    def __init__(self, started: Servers) -> None:
        self._started = started
        self._reach = started.reach
        self._marts = Marts(started.settings, lambda: self._reach.address)
        self.bootstrap = self._reach.bootstrap
        self.topic = self._reach.kafka.topic
        self.conninfo = self._reach.address.conninfo("ecom_reader")

    def wait_loaded(self, timeout_s: float | None = None) -> None:
        limit_s = self.wait_s if timeout_s is None else timeout_s
        address, ends = self._reach.address, {place: end for place, end in self._reach.end_offsets().items() if end}
        if wait_loaded(address, ends, limit_s, threading.Event(), POLL_S):
            return
        with address.connect("ecom_reader") as reader:
            loaded = offsets_of(reader, self._reach.topics)
        state = self._started.supervisor.slot("load").state
        raise TimeoutError(f"not loaded after {limit_s:g} s: the topic ends at {ends}, loaded are {loaded}; load is {state}")

    def refresh(self) -> DbtRun:
        return self._marts.refresh("refresh")

    def check(self) -> Report:
        return reconcile(self._reach.address, self._reach.topics, self._reach.end_offsets, producing=False)

    def _check_count(self) -> Report:
        checks = checks_of(marts=False)
        return reconcile(self._reach.address, self._reach.topics, self._reach.end_offsets, producing=False, checks=checks)

    def _client(self) -> Mapping[str, Any]:
        return self._reach.client


@contextmanager
def light_warehouse(data_dir: Path, **flags: Any) -> Iterator[LightWarehouse]:
    """A warehouse in `data_dir`, ready in about 4 s, stopped at the end. `flags` are settings: load__flush_ms=50. Only they can
    name servers that run elsewhere (kafka__bootstrap, postgres__url): a test never reaches those of a config.toml. libpq's own
    variables (PGSSLMODE and the like) are out of the environment until the end."""
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    ours = (OWN_KAFKA if "kafka.bootstrap" not in dotted else {}) | (OWN_POSTGRES if "postgres.url" not in dotted else {})
    settings = load_settings(flags={"run.data_dir": data_dir, "run.light": True, **ours, **dotted})
    quiet = Terminal(quiet=True)
    with (
        restored_variables(),
        servers(settings, "testing", quiet, restarts=settings.run.restarts, temporary=True, sets_clock=True) as started,
    ):
        for loader in workers(settings, lambda: started.reach, settings.data_dir, started.registry):
            started.supervisor.add(loader, ["schema", "topics"])
        started.supervisor.start()
        yield OwnWarehouse(started)
