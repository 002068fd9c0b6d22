"""`python -m ecom_lite.harness.victim`: a loader in a process of its own that strikes itself at a named point.

The first line of stdin is the job; a further line lets it go on where it waits; the end of stdin means drain and stop.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable

import psycopg
from msgspec import to_builtins

from ..errors import EcomLiteError
from ..load.decode import Batch
from ..load.loader import Loader
from ..load.write import Writer
from ..observe.logs import setup_stderr_logs
from ..settings.tree import Settings
from ..warehouse.connect import Address
from .hook import Hook, listen, say, told_lines
from .mutations import writer_class


def main() -> int:
    """Load as the job says until stdin ends; 0, or the exit code of the error, which is told."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told = told_lines()
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
    listen(told, go.set, stop.set)
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


if __name__ == "__main__":
    sys.exit(main())
