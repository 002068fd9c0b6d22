"""`python -m ecom_lite.run.worker load|produce`: one loop in a process of its own, told by stdin, reporting by stdout.

The first line of stdin is the job; each further one is a change to what is being done; its end means stop.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..errors import EcomLiteError
from ..observe.logs import setup_stderr_logs
from ..settings.tree import Settings
from ..warehouse.connect import Address

Job = Mapping[str, Any]  # settings, address, bootstrap; and per role: instance, drain_s, until, paused
Report = Callable[[Mapping[str, object]], None]
Changes = Iterator[Mapping[str, Any]]  # ends when stdin does


def _load(job: Job, changes: Changes, stop: threading.Event, report: Report) -> None:
    from ..load.loader import Loader

    def told(figures: Mapping[str, object]) -> None:
        # In a group that has more members than the topic has partitions some stand by: they are ready too.
        report({"ready": bool(figures["partitions"] or figures["standing_by"]), **figures})

    loader = Loader(Settings.model_validate(job["settings"]), Address(**job["address"]), job["bootstrap"],
                    instance=job["instance"], report=told)  # fmt: skip
    _listen(changes, lambda change: None, stop)
    loader.run(stop, job["drain_s"])


def _produce(job: Job, changes: Changes, stop: threading.Event, report: Report) -> None:
    from ..produce import Producer

    def told(figures: Mapping[str, object]) -> None:
        report({"ready": figures.get("state") not in ("starting", "recovering", "failed"), **figures})

    producer = Producer(Settings.model_validate(job["settings"]), Address(**job["address"]), job["bootstrap"], report=told)
    producer.control(job.get("control") or {})
    _listen(changes, producer.control, stop)
    producer.run(stop, events=job.get("events"), until=job.get("until"))


ROLES = {"load": (_load, "ecom_lite.load.loader"), "produce": (_produce, "ecom_lite.produce")}


def main() -> int:
    """Run the role named on the command line until stdin closes, SIGTERM comes, or its work is done."""
    role, room = ROLES[sys.argv[1]]
    stop, started = threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set() if started.is_set() else os._exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    importlib.import_module(room)  # the job comes once Kafka and PostgreSQL are up: until then there is time for this
    told = _lines()
    job: Job | None = next(told, None)
    if job is None:
        return 0  # the run was stopped before it was ready
    started.set()
    setup_stderr_logs(job["settings"]["run"]["log_level"])
    last: dict[str, object] = {}

    def report(figures: Mapping[str, object]) -> None:
        last.clear()
        last.update(figures)
        print(json.dumps(figures, default=str), flush=True)

    try:
        role(job, told, stop, report)
        report({**last, "ready": True, "done": True})
        return 0
    except EcomLiteError as error:
        report({**last, "error": str(error), "exit_code": error.exit_code})
        return error.exit_code


def _lines() -> Iterator[Mapping[str, Any]]:
    # Not sys.stdin: Python aborts at its end when a daemon thread sits in a buffered read.
    rest = b""
    while chunk := os.read(0, 65_536):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from map(json.loads, lines)


def _listen(changes: Changes, take: Callable[[Mapping[str, object]], None], stop: threading.Event) -> None:
    """Hand on each change in a thread, and set `stop` at the end of stdin."""

    def listen() -> None:
        for change in changes:
            take(change)
        stop.set()

    threading.Thread(target=listen, name="stdin", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
