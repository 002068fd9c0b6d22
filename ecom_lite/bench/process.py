"""Real worker processes, as a run has them; the loader's from a backlog to committed facts, with the cost and the account."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec

from ..engines.from_settings import logs_dir
from ..engines.server import Server
from ..errors import CheckFailed, EcomLiteError
from ..observe.figures import LoaderFigures
from ..run.jobs import WORKER, WorkerJob, load_job
from ..run.loaders import workers
from ..run.reach import Reach
from ..settings.tree import Settings
from ..supervise.worker import WorkerService
from ..topic.client import end_offsets
from ..warehouse.connect import Address
from .backlog import Sent
from .rig import Rig, ask
from .usage import Memory, Usage
from .waits import Waits
from .watch import Watch

WATCH_S: Final = 0.02  # how exactly begin and end of a load are known
DRAIN_S: Final = 5.0
MEGABYTE: Final = 1e6

F = TypeVar("F", bound=msgspec.Struct)


class Loaded(NamedTuple):
    """`seconds` begin when the loader has claimed its partitions; `seconds_with_start` when its process is spawned."""

    events: int
    seconds: float
    seconds_with_start: float
    usage: Usage  # from the claim on
    cpu_with_start_s: float
    rss_start_mb: float
    rss_peak_mb: float
    postgres: Mapping[str, float]  # share of the time by what the loader's session does

    @property
    def rate(self) -> float:
        return self.events / self.seconds

    def cpu_us(self, part: str) -> float:
        """CPU time of a part per event, the process's start excluded."""
        return self.usage.parts[part] / self.events * 1e6


class WorkerProcess(Generic[F]):
    """`python -m ecom_lite.run.worker <role>` with one job."""

    def __init__(self, rig: Rig, role: str, job: WorkerJob, figures: type[F], doing: str) -> None:
        self._role, self._doing = role, doing
        self._service = WorkerService(
            WORKER, role, lambda: job, figures, log=logs_dir(rig.settings) / f"{role}.log", registry=rig.servers.registry,
            ready_s=rig.settings.run.ready_timeout_s, stop_s=DRAIN_S,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        pid = self._service.child.pid
        if pid is None:
            raise self._death()
        return pid

    @property
    def done(self) -> bool:
        """It had a fixed amount to do, and says that it has done it."""
        report = self._service.report
        return report is not None and report.done

    def start(self) -> None:
        """Spawn it; returns when it says that it can work."""
        self._service.start()

    def check(self) -> None:
        """Raises EcomLiteError when it has died."""
        if not self._service.child.alive and not self.done:
            raise self._death()

    def stop(self) -> None:
        self._service.stop()

    def _death(self) -> EcomLiteError:
        report = self._service.report
        said = "" if report is None else report.error
        return EcomLiteError(f"{self._role} ended: {said}") if said else self._service.child.failure(self._doing)


class LoaderProcess(WorkerProcess[LoaderFigures]):
    """On one topic and one warehouse; started when it has claimed its partitions."""

    def __init__(self, rig: Rig, settings: Settings, address: Address) -> None:
        job = load_job(settings, reach_of(rig, settings, address), "bench", DRAIN_S)
        super().__init__(rig, "load", job, LoaderFigures, "loading the backlog")


@contextmanager
def loader_process(rig: Rig, settings: Settings, address: Address) -> Iterator[LoaderProcess]:
    """Not started; stopped at the end."""
    process = LoaderProcess(rig, settings, address)
    try:
        yield process
    finally:
        process.stop()


def load(rig: Rig, settings: Settings, address: Address, sent: Sent) -> Loaded:
    """Load a whole backlog by one loader process, and see that every event has become what it must. Raises CheckFailed."""
    topic = settings.kafka.topic
    ends = end_offsets(rig.client, topic)
    (above,) = ask(address, "newest_xid")
    with Watch(address, topic, WATCH_S) as watch, loader_process(rig, settings, address) as process:
        spawned = time.monotonic()
        process.start()
        pids = {"loader": process.pid, "postgres": pid_of(rig.servers.postgres), "kafka": pid_of(rig.servers.kafka)}
        before = Usage.now(pids)
        with Memory(pids["loader"]) as memory, Waits(address) as waits:
            last = watch.until(ends, process.check)
            after = Usage.now(pids)
        claimed = watch.seen[0]
    check(address, topic, sent, above)
    begun = min(claimed.monotonic_s, before.at_s)
    return Loaded(
        sent.events, last.monotonic_s - begun, last.monotonic_s - spawned, after.since(before), after.parts["loader"],
        memory.start_bytes / MEGABYTE, memory.peak_bytes / MEGABYTE, waits.shares(),
    )  # fmt: skip


def load_by(count: int, rig: Rig, settings: Settings, address: Address, sent: Sent) -> float:
    """Events/s of so many loader processes that share a backlog, from the first claim to the last commit. Raises CheckFailed."""
    topic, reach = settings.kafka.topic, reach_of(rig, settings, address)
    ends = end_offsets(rig.client, topic)
    (above,) = ask(address, "newest_xid")
    several = settings.model_copy(update={"load": settings.load.model_copy(update={"processes": count})})
    services = workers(several, lambda: reach, rig.settings.data_dir, rig.servers.registry, DRAIN_S)

    def alive() -> None:
        for service in services:
            if not service.child.alive:
                raise service.child.failure("loading the backlog")

    with Watch(address, topic, WATCH_S) as watch, ThreadPoolExecutor(count) as pool:
        try:
            for started in [pool.submit(service.start) for service in services]:
                started.result()
            last = watch.until(ends, alive)
        finally:
            for stopped in [pool.submit(service.stop) for service in services]:
                stopped.result()
    check(address, topic, sent, above)
    return sent.events / (last.monotonic_s - watch.seen[0].monotonic_s)


def check(address: Address, topic: str, sent: Sent, above: int = 0) -> None:
    """Raises CheckFailed unless each event is there exactly once; facts up to transaction `above` are not of this topic."""
    facts, duplicates, other, dead, rows, cents, letters = ask(address, "account", {"topic": topic, "above": above})
    found = {
        "facts counted": facts, "facts in the table": rows, "their revenue in cents": cents, "other events": other,
        "duplicates": duplicates, "dead letters counted": dead, "dead letters in the table": letters,
    }  # fmt: skip
    wanted = {
        "facts counted": sent.lines, "facts in the table": sent.lines, "their revenue in cents": sent.cents,
        "other events": sent.events - sent.lines, "duplicates": 0, "dead letters counted": 0, "dead letters in the table": 0,
    }  # fmt: skip
    wrong = [f"{name}: {found[name]}, not {number}" for name, number in wanted.items() if found[name] != number]
    if wrong:
        raise CheckFailed(f"the loader's count does not close on topic {topic} of {sent.events} events: {'; '.join(wrong)}")


def reach_of(rig: Rig, settings: Settings, address: Address) -> Reach:
    """A topic and a warehouse of the rig."""
    return Reach(address, rig.reach.bootstrap, settings.kafka)


def pid_of(server: Server | None) -> int:
    """Of an engine of the rig."""
    return (server.pid if server is not None else None) or 0
