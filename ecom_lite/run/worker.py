"""`python -m ecom_lite.run.worker load|produce|lake`: one loop in a process of its own, its job on stdin, its figures on stdout.

The first line of stdin is the job; each further one is an override of the shop's settings, or what the others must wait for;
its end means stop.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from ..errors import EcomLiteError
from ..observe.figures import LakeFigures, LoaderFigures, ProducerFigures, WorkerReport
from ..observe.logs import setup_stderr_logs
from ..settings.override import ShopOverride
from ..settings.show import read_sections
from .jobs import Hold, LakeJob, LoadJob, ProduceJob

Report = Callable[[WorkerReport[Any]], None]
Lines = Iterator[bytes]  # ends when stdin does


def _load(line: bytes, lines: Lines, stop: threading.Event, report: Report) -> None:
    from ..load.loader import Loader

    job = msgspec.json.decode(line, type=LoadJob)
    setup_stderr_logs(job.log_level)

    def told(figures: LoaderFigures) -> None:
        # In a group that has more members than the topic has partitions some stand by: they are ready too.
        ready, waits = bool(figures.partitions or figures.standing_by), figures.waiting_for
        report(WorkerReport(figures=figures, ready=ready, waiting_for=waits and f"waits for {waits}"))

    loader = Loader(read_sections(job.settings), job.address, job.bootstrap, instance=job.instance, report=told)
    loader.hold(job.held)
    _listen(lines, lambda line: loader.hold(msgspec.json.decode(line, type=Hold).reason), stop)
    loader.run(stop, job.drain_s)


def _produce(line: bytes, lines: Lines, stop: threading.Event, report: Report) -> None:
    from ..produce.producer import Producer

    job = msgspec.json.decode(line, type=ProduceJob)
    setup_stderr_logs(job.log_level)

    def told(figures: ProducerFigures) -> None:
        report(WorkerReport(figures=figures, ready=figures.state not in ("starting", "recovering", "failed")))

    producer = Producer(read_sections(job.settings), job.address, job.bootstrap, report=told)
    producer.override(job.override)
    _listen(lines, lambda line: producer.override(msgspec.json.decode(line, type=ShopOverride)), stop)
    producer.run(stop, events=job.events, until=job.until)


def _lake(line: bytes, lines: Lines, stop: threading.Event, report: Report) -> None:
    from ..archive.archive import Archive
    from ..archive.thread import ArchiveThread
    from ..lake.service import LakeService
    from ..warehouse.mark import known_mark

    job = msgspec.json.decode(line, type=LakeJob)
    setup_stderr_logs(job.log_level)
    settings, folder = read_sections(job.settings), Path(job.folder)
    archiving = None
    if settings.lake.raw_days:
        archive = Archive(settings, job.bootstrap, folder, mark=known_mark(job.address, "ecom_lake"))
        archiving = ArchiveThread(archive)
    service = LakeService(settings.lake, job.address, folder / job.tables, report, archiving)
    service.hold(job.held)
    _listen(lines, lambda line: service.hold(msgspec.json.decode(line, type=Hold).reason), stop)
    service.run(stop)


ROLES: Final = {
    "load": (_load, "ecom_lite.load.loader", LoaderFigures),
    "lake": (_lake, "ecom_lite.lake.service", LakeFigures),
    "produce": (_produce, "ecom_lite.produce.producer", ProducerFigures),
}


def main() -> int:
    """Run the role named on the command line until stdin closes, SIGTERM comes, or its work is done."""
    role, room, figures = ROLES[sys.argv[1]]
    stop, started = threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set() if started.is_set() else os._exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    importlib.import_module(room)  # the job comes once Kafka and PostgreSQL are up: until then there is time for this
    lines = _lines()
    job = next(lines, None)
    if job is None:
        return 0  # the run was stopped before it was ready
    started.set()
    last: WorkerReport[Any] = WorkerReport(figures=figures())

    def report(now: WorkerReport[Any]) -> None:
        nonlocal last
        last = now
        sys.stdout.buffer.write(msgspec.json.encode(now) + b"\n")
        sys.stdout.buffer.flush()

    try:
        role(job, lines, stop, report)
        # Told to stop is not done: where it was not its run that told it so, by SIGTERM, it is started again.
        report(replace(last, ready=True, done=not stop.is_set()))
        return 0
    except EcomLiteError as error:
        report(replace(last, error=str(error), exit_code=error.exit_code))
        return error.exit_code


def _lines() -> Lines:
    # Not sys.stdin: Python aborts at its end when a daemon thread sits in a buffered read.
    rest = b""
    while chunk := os.read(0, 65_536):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def _listen(lines: Lines, take: Callable[[bytes], None], stop: threading.Event) -> None:
    """Hand on each line in a thread, and set `stop` at the end of stdin."""

    def listen() -> None:
        for line in lines:
            take(line)
        stop.set()

    threading.Thread(target=listen, name="stdin", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
