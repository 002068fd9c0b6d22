"""The contract between the supervisor and anything it keeps alive."""

from __future__ import annotations

from threading import Event
from typing import Protocol, runtime_checkable

from ..observe.health import Health


class Service(Protocol):
    """Anything the supervisor starts, watches, restarts and stops.

    `start` returns when the part has proven itself by a real round trip, or raises EcomLiteError.
    `run` blocks until `stop` is set; returning before, or raising, means the part died and is restarted.
    `stop` frees everything; it is safe to call twice, before `start`, and after a crash, from any thread.
    `health` is quick, never blocks and never raises.
    """

    name: str

    def start(self) -> None: ...

    def run(self, stop: Event) -> None: ...

    def stop(self) -> None: ...

    def health(self) -> Health: ...


@runtime_checkable
class Dies(Protocol):
    """A service with a process of its own, which can be killed as an accident would; `run` then sees its death."""

    def kill(self) -> None: ...


@runtime_checkable
class Prepares(Protocol):
    """A service with something slow to do that needs no other part: the supervisor has it done while those start.

    `prepare` returns at once (it may leave a process or thread at work) or raises EcomLiteError; `stop` undoes it.
    """

    def prepare(self) -> None: ...


@runtime_checkable
class Begun(Protocol):
    """A service that may have begun to start before the supervisor did: when, of time.monotonic(); 0.0 where it has not."""

    begun: float
