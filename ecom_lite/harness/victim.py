"""`python -m ecom_lite.harness.victim`: a loader in a process of its own that strikes itself at a named point.

The first line of stdin is the job; a further line lets it go on where it waits; the end of stdin means drain and stop.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import psycopg
from msgspec import to_builtins

from ..load.decode import Batch
from ..load.loader import Loader
from ..load.write import Writer
from ..settings.tree import Settings
from ..warehouse.connect import Address
from .hook import Hook, Job, Work, say, victim
from .mutations import writer_class


def load(job: Job, hook: Hook) -> Work:
    """A loader of this job, which loads until it is told to stop."""
    make = _with_one_point_more(writer_class(job["mutation"]))
    loader = Loader(
        Settings.model_validate(job["settings"]), Address(**job["address"]), job["bootstrap"], instance=job["instance"],
        report=lambda figures: say(to_builtins(figures)),
        make_writer=lambda address, topics: make(address, topics, at=hook), session_timeout_ms=job["session_ms"],
    )  # fmt: skip
    return lambda stop: loader.run(stop, job["drain_s"])


def _with_one_point_more(writer: type[Writer]) -> Callable[..., Writer]:
    """The point "handed": the writer has the batch, and holds no lock yet."""

    class Pointed(writer):  # type: ignore[misc, valid-type]
        def _is_in(self, connection: psycopg.Connection, batch: Batch) -> bool:
            self._at("handed")
            return bool(super()._is_in(connection, batch))

    return Pointed


if __name__ == "__main__":
    sys.exit(victim(load))
