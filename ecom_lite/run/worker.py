"""`python -m ecom_lite.run.worker load|produce`: one loop in a process of its own, its job on stdin, its figures on stdout.

The first line of stdin is the job; each further one is an override of the shop's settings; its end means stop.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping

import msgspec

from ..errors import EcomLiteError
from ..observe.logs import setup_stderr_logs
from ..settings.override import ShopOverride
from ..settings.show import read_sections
from .jobs import LoadJob, ProduceJob

Report = Callable[[Mapping[str, object]], None]
Lines = Iterator[bytes]  # ends when stdin does


def _load(line: bytes, lines: Lines, stop: threading.Event, report: Report) -> None:
    from ..load.loader import Loader

    job = msgspec.json.decode(line, type=LoadJob)
    setup_stderr_logs(job.log_level)

    def figures(figures: Mapping[str, object]) -> None:
        # In a group that has more members than the topic has partitions some stand by: they are ready too.
        report({"ready": bool(figures["partitions"] or figures["standing_by"]), **figures})

    loader = Loader(read_sections(job.settings), job.address, job.bootstrap, instance=job.instance, report=figures)
    _listen(lines, lambda line: None, stop)
    loader.run(stop, job.drain_s)


def _produce(line: bytes, lines: Lines, stop: threading.Event, report: Report) -> None:
    from ..produce import Producer

    job = msgspec.json.decode(line, type=ProduceJob)
    setup_stderr_logs(job.log_level)

    def figures(figures: Mapping[str, object]) -> None:
        report({"ready": figures.get("state") not in ("starting", "recovering", "failed"), **figures})

    producer = Producer(read_sections(job.settings), job.address, job.bootstrap, report=figures)
    producer.override(job.override)
    _listen(lines, lambda line: producer.override(msgspec.json.decode(line, type=ShopOverride)), stop)
    producer.run(stop, events=job.events, until=job.until)


ROLES = {"load": (_load, "ecom_lite.load.loader"), "produce": (_produce, "ecom_lite.produce")}


def main() -> int:
    """Run the role named on the command line until stdin closes, SIGTERM comes, or its work is done."""
    role, room = ROLES[sys.argv[1]]
    stop, started = threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set() if started.is_set() else os._exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    importlib.import_module(room)  # the job comes once Kafka and PostgreSQL are up: until then there is time for this
    lines = _lines()
    job = next(lines, None)
    if job is None:
        return 0  # the run was stopped before it was ready
    started.set()
    last: dict[str, object] = {}

    def report(figures: Mapping[str, object]) -> None:
        last.clear()
        last.update(figures)
        print(json.dumps(figures, default=str), flush=True)

    try:
        role(job, lines, stop, report)
        report({**last, "ready": True, "done": True})
        return 0
    except EcomLiteError as error:
        report({**last, "error": str(error), "exit_code": error.exit_code})
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
