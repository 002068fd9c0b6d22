"""`python -m ecom_lite.harness.victim`: a loader in a process of its own that strikes itself at a named point.

The first line of stdin is the job; a further line lets it go on where it waits; the end of stdin means drain and stop.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import psycopg
from msgspec import to_builtins

from ..errors import EcomLiteError
from ..load.decode import Batch
from ..load.loader import Loader
from ..load.write import Writer
from ..observe.logs import setup_stderr_logs
from ..settings.tree import Settings
from ..warehouse.connect import Address
from .mutations import writer_class

WAIT_S: Final = 30.0


class Hook:
    """Called by the writer at each point; acts at the n-th time of the one that it was told."""

    def __init__(self, strike: Mapping[str, Any] | None, go: threading.Event) -> None:
        self._strike = strike or {"point": "", "nth": 0, "act": ""}
        self._seen: Counter[str] = Counter()
        self._go = go

    def __call__(self, point: str) -> None:
        self._seen[point] += 1
        if point != self._strike["point"] or self._seen[point] != self._strike["nth"]:
            return
        say({"at": point, "nth": self._seen[point]})
        match self._strike["act"]:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                # To this thread: one to the process may meet another first, and this one goes on to its COMMIT.
                signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
            case "wait":
                self._go.wait(WAIT_S)


def say(message: Mapping[str, object]) -> None:
    """One line on stdout, in one write: whatever happens next, it is out."""
    os.write(1, (json.dumps(message, default=str) + "\n").encode())


def main() -> int:
    """Load as the job says until stdin ends; 0, or the exit code of the error, which is told."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told = _lines()
    job = next(told, None)
    if job is None:
        return 0  # a spare that was not needed
    setup_stderr_logs("info")
    stop, go = threading.Event(), threading.Event()
    hook, make = Hook(job["strike"], go), _with_one_point_more(writer_class(job["mutation"]))
    loader = Loader(
        Settings.model_validate(job["settings"]), Address(**job["address"]), job["bootstrap"], instance=job["instance"],
        report=lambda figures: say(to_builtins(figures)),
        make_writer=lambda address, topics: make(address, topics, at=hook), session_timeout_ms=job["session_ms"],
    )  # fmt: skip
    threading.Thread(target=_listen, args=(told, go.set, stop.set), name="stdin", daemon=True).start()
    try:
        loader.run(stop, job["drain_s"])
    except EcomLiteError as error:
        say({"error": str(error)})
        return error.exit_code
    say({"done": True})
    return 0


def _with_one_point_more(writer: type[Writer]) -> Callable[..., Writer]:
    """The point "handed": the writer has the batch, and holds no lock yet."""

    class Pointed(writer):  # type: ignore[misc, valid-type]
        def _is_in(self, connection: psycopg.Connection, batch: Batch) -> bool:
            self._at("handed")
            return bool(super()._is_in(connection, batch))

    return Pointed


def _lines() -> Iterator[Mapping[str, Any]]:
    rest = b""
    while chunk := os.read(0, 65_536):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from map(json.loads, lines)


def _listen(told: Iterator[Mapping[str, Any]], go: Callable[[], None], stop: Callable[[], None]) -> None:
    for _ in told:
        go()
    go()
    stop()


if __name__ == "__main__":
    sys.exit(main())
