"""`python -m ecom_lite.worker load|produce`: one loop in a process of its own, told by stdin, reporting by stdout."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from .config import Settings
from .errors import EcomLiteError
from .observe.logs import setup_stderr_logs
from .warehouse.connect import Address

Job = Mapping[str, Any]  # settings, address, bootstrap; and per role: instance, drain_s, events


def _load(job: Job, stop: threading.Event, report: Callable[[Mapping[str, object]], None]) -> None:
    from .load.loader import Loader

    def told(figures: Mapping[str, object]) -> None:
        report({"ready": bool(figures["partitions"]), **figures})

    loader = Loader(Settings.model_validate(job["settings"]), Address(**job["address"]), job["bootstrap"],
                    instance=job["instance"], report=told)  # fmt: skip
    loader.run(stop, job["drain_s"])


def _produce(job: Job, stop: threading.Event, report: Callable[[Mapping[str, object]], None]) -> None:
    from .produce import Producer

    def told(figures: Mapping[str, object]) -> None:
        report({"ready": figures.get("state") != "recovering", **figures})

    settings = Settings.model_validate(job["settings"])
    Producer(settings, Address(**job["address"]), job["bootstrap"], report=told).run(stop, events=settings.shop.events)


ROLES = {"load": (_load, "ecom_lite.load.loader"), "produce": (_produce, "ecom_lite.produce")}


def main() -> int:
    """Run the role named on the command line until stdin closes, SIGTERM comes, or its work is done."""
    role, room = ROLES[sys.argv[1]]
    stop, started = threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set() if started.is_set() else os._exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    importlib.import_module(room)  # the job comes once Kafka and PostgreSQL are up: until then there is time for this
    line = sys.stdin.readline()
    if not line:
        return 0  # the run was stopped before it was ready
    started.set()
    job: Job = json.loads(line)
    setup_stderr_logs(job["settings"]["run"]["log_level"])
    threading.Thread(target=_stop_at_end_of_stdin, args=(stop,), name="stdin", daemon=True).start()
    last: dict[str, object] = {}

    def report(figures: Mapping[str, object]) -> None:
        last.clear()
        last.update(figures)
        print(json.dumps(figures, default=str), flush=True)

    try:
        role(job, stop, report)
        report({**last, "ready": True, "done": True})
        return 0
    except EcomLiteError as error:
        report({**last, "error": str(error)})
        return error.exit_code


def _stop_at_end_of_stdin(stop: threading.Event) -> None:
    # Not sys.stdin.read: Python aborts at its end when a daemon thread sits in a buffered read.
    while os.read(0, 4096):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
