"""The loaders of a run, or of `ecom_lite load`: worker processes in one consumer group, shown as one where they are."""

from __future__ import annotations

import hashlib
import platform
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import psycopg

from ..engines.registry import ChildRegistry
from ..observe.figures import LoaderFigures, together
from ..observe.status import LOADER
from ..settings.data_dir import LOGS
from ..settings.tree import Settings
from ..supervise.supervisor import Supervisor
from ..supervise.worker import WorkerService
from ..warehouse.connect import Address
from ..warehouse.offsets import Place, offsets_of, reached
from .jobs import WORKER, load_job
from .reach import Reach

Loader = WorkerService[LoaderFigures]

ROLE: Final = LOADER
STOP_SLACK_S: Final = 5.0  # beyond the time to drain
POLL_S: Final = 0.1
SUMS: Final = ("records", "facts", "duplicates", "other", "dead", "batches")


def names(count: int) -> list[str]:
    """load, load-2, load-3, ..."""
    return [ROLE, *(f"{ROLE}-{number}" for number in range(2, count + 1))]


def instance(folder: Path, name: str) -> str:
    """The member's name in the group. After a restart it is the same, so that the new process takes the partitions over at once.

    Another host, folder or loader has another: two of one name would throw each other out.
    """
    place = hashlib.sha256(f"{platform.node()} {folder}".encode()).hexdigest()[:12]
    return f"{ROLE}-{place}{name.removeprefix(ROLE)}"


def workers(
    settings: Settings, reach: Callable[[], Reach], folder: Path, registry: ChildRegistry, drain_s: float | None = None,
    held: Callable[[], str] = str,
) -> list[Loader]:  # fmt: skip
    """load.processes services; `reach` is asked once the servers are up, and `held` what they must wait for. Logs go to
    `folder`/logs."""
    drain_s = settings.run.stop_timeout_s if drain_s is None else drain_s

    def worker(name: str) -> Loader:
        return WorkerService(
            WORKER,
            ROLE,
            lambda: load_job(settings, reach(), instance(folder, name), drain_s, held()),
            LoaderFigures,
            name=name,
            log=folder / LOGS / f"{name}.log",
            registry=registry,
            ready_s=settings.run.ready_timeout_s,
            stop_s=drain_s + STOP_SLACK_S,
        )

    return [worker(name) for name in names(settings.load.processes)]


def all_lives(services: Iterable[Loader]) -> LoaderFigures:
    """Their figures as those of one loader; what the processes before these have counted is in it."""
    each: list[LoaderFigures] = []
    for service in services:
        earlier, now = service.lives
        each += [*(figures.ended() for figures in earlier), now]
    return together(each)


def loaded(services: Iterable[Loader]) -> dict[str, int]:
    """What they have loaded in all their lives."""
    figures = all_lives(services)
    return {name: getattr(figures, name) for name in SUMS}


def stop_all(supervisor: Supervisor, loaders: Sequence[str]) -> None:
    """Stop them at the same time: each may drain for as long as one alone might."""
    threads = [threading.Thread(target=supervisor.stop, args=(name,), name=f"stop-{name}") for name in loaders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def wait_loaded(
    address: Address, ends: Mapping[Place, int], limit_s: float, give_up: threading.Event, poll_s: float = POLL_S
) -> bool:
    """Until every offset below `ends` is accounted for (True), `give_up` is set or the time is over."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            with address.connect("ecom_reader", autocommit=True) as reader:
                while not give_up.is_set() and time.monotonic() < deadline:
                    if reached(offsets_of(reader, {topic for topic, _ in ends}), ends):
                        return True
                    give_up.wait(poll_s)
        except psycopg.OperationalError:
            give_up.wait(poll_s)
        if give_up.is_set() or time.monotonic() > deadline:
            return False
