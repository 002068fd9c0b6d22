"""How late Spark's figures are at several rates, what its JVM costs beside a loader, and how fast it works off a backlog."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import psutil

from ..engines.from_settings import spark_gateway
from ..engines.spark import SparkGateway
from ..errors import CheckFailed, EcomLiteError, UsageError
from ..settings.tree import Settings
from ..stream.source import settle_source
from ..stream.stream import Stream
from ..terminal.terminal import Terminal
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .backlog import Sent, fill, trickle
from .latency import percentile, timestamps
from .process import loader_process
from .rig import Rig, ask
from .told import Figures, measured
from .usage import Usage

RATES: Final = "500,2000,5000"  # events/s
NEEDED_BYTES: Final = 4 << 30
WATCH_S: Final = 0.01
WARM_SHARE: Final = 0.5  # of the seconds at a rate: the Java compiler is at work, and does not count
RESTART_EVENTS, RESTART_RATE = 1000, 20_000  # sent while the JVM is dead
PATIENCE_S: Final = 120.0


class Seen(NamedTuple):
    """So many records were in committed micro-batches at this time of the wall clock."""

    at_s: float
    records: int


class Progress:
    """A thread that asks again and again how many records Spark has committed; a failure of it is raised by `until`."""

    def __init__(self, address: Address) -> None:
        self.seen: list[Seen] = [Seen(time.time(), 0)]
        self._address = address
        self._end = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._look, name="bench-progress", daemon=True)

    def __enter__(self) -> Progress:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(timeout=5)

    def until(self, records: int) -> Seen:
        """The first sight of so many. Raises EcomLiteError when there are no more for PATIENCE_S."""
        while True:
            newest = self.seen[-1]
            if newest.records >= records:
                return next(one for one in self.seen if one.records >= records)
            if self._failure is not None:
                raise self._failure
            if time.time() - newest.at_s > PATIENCE_S:
                raise EcomLiteError(f"Spark made no progress for {PATIENCE_S:g} s: {newest.records} of {records} records")
            self._end.wait(WATCH_S)

    def _look(self) -> None:
        try:
            with self._address.connect("ecom_reader", autocommit=True) as connection:
                while not self._end.wait(WATCH_S):
                    (records,) = connection.execute(read_sql(__package__, "stream_records")).fetchone() or (0,)
                    if records > self.seen[-1].records:
                        self.seen.append(Seen(time.time(), records))
        except Exception as error:
            self._failure = error


def rates_of(text: str) -> list[int]:
    """`500,5000` as numbers. Raises UsageError."""
    try:
        rates = [int(part.replace("_", "")) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--rates {text}: whole numbers with commas between them, such as {RATES}") from None
    if min(rates) < 1:
        raise UsageError(f"--rates {text}: at least one event a second")
    return rates


def bench_stream(settings: Settings, terminal: Terminal, *, rates: str, seconds: float, backlog: int, command: str) -> Figures:
    """docs/benchmarks.md says what each figure is. Raises UsageError, EcomLiteError, CheckFailed."""
    wanted = rates_of(rates)

    def measure(own: Rig) -> Figures:
        topic = own.topic("stream")
        with own.warehouse("stream") as address, _stream(own, topic, address) as (stream, jvm):
            return _measure(own, topic, address, stream, jvm, wanted, seconds, backlog, terminal)

    return measured(settings, terminal, NEEDED_BYTES, measure, command)


@contextmanager
def _stream(own: Rig, settings: Settings, address: Address) -> Iterator[tuple[Stream, SparkGateway]]:
    """Not started; its JVM is."""
    gateway = spark_gateway(settings, own.servers.registry)
    gateway.start()
    try:
        settle_source(settings.model_copy(update={"run": settings.run.model_copy(update={"light": False})}), address, own.client)
        stream = Stream(settings, address, own.reach.bootstrap, settings.data_dir, gateway)
        try:
            yield stream, gateway
        finally:
            stream.stop()
    finally:
        gateway.stop()


def _measure(
    own: Rig, settings: Settings, address: Address, stream: Stream, gateway: SparkGateway, rates: Sequence[int], seconds: float,
    backlog: int, terminal: Terminal,
) -> Figures:  # fmt: skip
    stop = threading.Event()
    runs = threading.Thread(target=stream.run, args=(stop,), name="bench-stream")
    found = []
    with Progress(address) as progress, loader_process(own, settings, address) as loader:
        sent = fill(settings, own.client, backlog)
        first = 0
        began = time.time()
        stream.start()
        runs.start()
        try:
            done = progress.until(backlog)
            opening = progress.seen[1]
            caught_up = (backlog - opening.records) / max(done.at_s - opening.at_s, 1e-3)
            terminal.say(f"backlog {caught_up:,.0f} events/s")
            loader.start()
            total, first = sent.events, backlog
            for rate in rates:
                pids = {"jvm": gateway.pid or 0, "loader": loader.pid}
                found.append(_at(own, settings, stream, progress, pids, rate, seconds, total, first))
                total, first = total + found[-1]["events"], first + found[-1]["events"]
                at = found[-1]
                terminal.say(f"{rate:,}/s: p50 {at['p50_ms']} p95 {at['p95_ms']} ms, JVM {at['jvm_cores']} cores")
            progress.until(total)
        finally:
            stop.set()
            runs.join()
        restart_s = _restart_s(own, settings, stream, gateway, progress, total, first)
        total += RESTART_EVENTS
        progress.until(total)
        stream.stop()
        _check(address, settings, total)
    return {
        "rates": found, "backlog": backlog, "catch_up": round(caught_up), "trigger_s": settings.spark.trigger_s,
        "first_figure_s": round(opening.at_s - began, 2), "restart_s": round(restart_s, 2),
        "ratios": {
            "p95_most_to_least": round(found[-1]["p95_ms"] / found[0]["p95_ms"], 2),
            "jvm_us_to_loader_us": round(found[-1]["jvm_us"] / max(found[-1]["loader_us"], 1e-9), 1),
        },
    }  # fmt: skip


def _restart_s(
    own: Rig, settings: Settings, stream: Stream, gateway: SparkGateway, progress: Progress, before: int, first_order: int
) -> float:
    """From a SIGKILL of the JVM to the figures of events that were sent meanwhile. Without the pause of a supervisor."""
    gateway.kill()
    killed = time.time()
    stream.stop()
    trickle(settings, own.client, RESTART_RATE, RESTART_EVENTS / RESTART_RATE, first_order)
    gateway.start()
    stream.start()
    return progress.until(before + RESTART_EVENTS).at_s - killed


def _at(
    own: Rig, settings: Settings, stream: Stream, progress: Progress, pids: dict[str, int], rate: int, seconds: float,
    before: int, first_order: int,
) -> dict[str, Any]:  # fmt: skip
    box: list[Sent] = []
    work = threading.Thread(
        target=lambda: box.append(trickle(settings, own.client, rate, seconds, first_order)), name="bench-shop"
    )
    work.start()
    work.join(seconds * WARM_SHARE)
    warm, warm_at = Usage.now(pids), time.time()
    work.join()
    used = Usage.now(pids).since(warm)
    if not box:
        raise EcomLiteError(f"the benchmark's shop could not send {rate} events/s")
    events = box[0].events
    progress.until(before + events)
    stamps = sorted(ms for _, _, ms in timestamps(settings, own.client, before + events))[before:]
    counts = [one.records for one in progress.seen]
    # A micro-batch takes all that is there, so the k-th oldest record is in the first one with which there are more than k.
    delays = [(ms, progress.seen[bisect_right(counts, before + n)].at_s * 1000 - ms) for n, ms in enumerate(stamps)]
    # All of them where we stood still so long that all was sent by the time at which the rest should have begun.
    late = sorted(delay for ms, delay in delays if ms >= warm_at * 1000) or sorted(delay for _, delay in delays)
    sent = rate * used.at_s
    return {
        "rate": rate, "events": events, "p50_ms": round(percentile(late, 0.5)), "p95_ms": round(percentile(late, 0.95)),
        "p99_ms": round(percentile(late, 0.99)), "jvm_cores": round(used.parts["jvm"] / used.at_s, 2),
        "jvm_us": round(used.parts["jvm"] / sent * 1e6), "loader_us": round(used.parts["loader"] / sent * 1e6, 1),
        "jvm_mb": psutil.Process(pids["jvm"]).memory_info().rss >> 20,
        "phases_ms": stream.recent_progress().phases_ms, "cores_busy": round(used.cores_busy(), 2),
    }  # fmt: skip


def _check(address: Address, settings: Settings, records: int) -> None:
    """The loader has all of them, and the minutes hold what the facts hold."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        loaded, facts, minutes = ask(address, "stream_account", {"topic": settings.kafka.topic})
        if (loaded, minutes) == (records, facts):
            return
        if time.monotonic() > give_up:
            raise CheckFailed(f"of {records} records {loaded} are loaded; {facts} facts, but the minutes have {minutes} lines")
        threading.Event().wait(0.2)


def print_stream(figures: Figures) -> None:
    """A row for each rate."""
    from ..terminal.printing import print_table
    from .printed import print_circumstances

    columns = ["events/s", "p50_ms", "p95_ms", "p99_ms", "jvm_cores", "jvm_us", "jvm_mb", "loader_us", "of a batch, ms"]
    rows = [
        (
            f"{at['rate']:,}", at["p50_ms"], at["p95_ms"], at["p99_ms"], at["jvm_cores"], at["jvm_us"], at["jvm_mb"],
            at["loader_us"],
            ", ".join(f"{phase} {ms}" for phase, ms in at["phases_ms"].items() if ms >= 5),
        )
        for at in figures["rates"]
    ]  # fmt: skip
    print_table(columns, rows)
    caught_up = f"{figures['catch_up']:,} events/s" if figures["catch_up"] else "in one micro-batch"
    print(f"backlog of {figures['backlog']:,}: {caught_up}; first figure after {figures['first_figure_s']} s")
    print(f"a killed JVM: figures again after {figures['restart_s']} s")
    print_circumstances(f"a micro-batch every {figures['trigger_s']:g} s", figures)
