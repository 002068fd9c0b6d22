"""A real producer process, as a run has it: with nothing beside it, and from its first event to the loader's last commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Final, NamedTuple

from ..errors import EcomLiteError
from ..observe.figures import ProducerFigures
from ..run.jobs import produce_job
from ..settings.override import ShopOverride
from ..settings.tree import Faults, Settings
from ..topic.client import end_offsets
from ..warehouse.connect import Address
from .backlog import Sent
from .process import MEGABYTE, WATCH_S, WorkerProcess, check, loader_process, pid_of, reach_of
from .recount import close, in_ledger, on_topic
from .rig import Rig
from .usage import Memory, Usage
from .watch import Watch

LOOK_S: Final = 0.01  # how exactly the end of the sending is known
LIFE_S: Final = 1.0  # how often it is asked whether the processes live


class Produced(NamedTuple):
    """From the producer's word that it sends to its word that all is acknowledged and in its ledger."""

    sent: Sent
    usage: Usage
    rss_start_mb: float
    rss_peak_mb: float
    rss_growth_mb: float  # from a quarter of the time on

    @property
    def rate(self) -> float:
        return self.sent.events / self.sent.seconds

    def cpu_us(self, part: str) -> float:
        """CPU time of a part per event, the process's start excluded."""
        return self.usage.parts[part] / self.sent.events * 1e6


class ProducerProcess(WorkerProcess[ProducerFigures]):
    """`python -m ecom_lite.run.worker produce` of `events` events at `--rate max`, without faults."""

    def __init__(self, rig: Rig, settings: Settings, address: Address, events: int) -> None:
        job = produce_job(unpaced(settings), reach_of(rig, settings, address), events=events, until=None, override=ShopOverride())
        super().__init__(rig, "produce", job, ProducerFigures, "sending events")

    def until_done(self, alive: Callable[[], None] = lambda: None) -> None:
        """Raises EcomLiteError when it has died, or what `alive` raises."""
        pause, looked = Event(), time.monotonic()
        while not self.done:
            # Seldom: once somebody has asked after its end, what it has used can be read no more.
            if time.monotonic() - looked > LIFE_S:
                looked = time.monotonic()
                self.check()
                alive()
            pause.wait(LOOK_S)


def unpaced(settings: Settings) -> Settings:
    """The settings' shop as fast as it goes, its events with the time of sending."""
    shop = settings.shop.model_copy(update={"rate": "max", "start": None, "history": None, "speed": None})
    return settings.model_copy(update={"shop": shop, "faults": Faults()})


@contextmanager
def producer_process(rig: Rig, settings: Settings, address: Address, events: int) -> Iterator[ProducerProcess]:
    """Not started; stopped at the end."""
    process = ProducerProcess(rig, settings, address, events)
    try:
        yield process
    finally:
        process.stop()


def produce(rig: Rig, settings: Settings, address: Address, events: int) -> Produced:
    """Send `events` events to the new topic of `settings`; the ledger must be what is there then. Raises CheckFailed."""
    with producer_process(rig, settings, address, events) as process:
        process.start()
        began = time.monotonic()
        pids = {"producer": process.pid, "postgres": pid_of(rig.servers.postgres), "kafka": pid_of(rig.servers.kafka)}
        before = Usage.now(pids)
        with Memory(pids["producer"]) as memory:
            process.until_done()
            seconds = time.monotonic() - began
            usage = Usage.now(pids).since(before)
    if usage.parts["producer"] < 0:
        raise EcomLiteError("the producer was gone before its clocks could be read: the machine is too busy to measure on")
    sent = close(in_ledger(address), on_topic(settings, rig.client), events, seconds)
    return Produced(sent, usage, memory.start_bytes / MEGABYTE, memory.peak_bytes / MEGABYTE, memory.growth_bytes() / MEGABYTE)


def end_to_end(rig: Rig, settings: Settings, address: Address, events: int) -> float:
    """Events per second with a loader process beside it, from the producer's word that it sends to the loader's last commit.

    Raises CheckFailed unless each event of the ledger is a fact or another event.
    """
    topic = settings.kafka.topic
    with (
        Watch(address, topic, WATCH_S) as watch,
        loader_process(rig, settings, address) as loader,
        producer_process(rig, settings, address, events) as process,
    ):
        loader.start()
        process.start()
        began = time.monotonic()
        process.until_done(loader.check)
        last = watch.until(end_offsets(rig.client, topic), loader.check)
    check(address, topic, close(in_ledger(address), None, events, last.monotonic_s - began))
    return events / (last.monotonic_s - began)
