"""What all servers that we start have in common: one child process, a loopback port, a way to call a start off."""

from __future__ import annotations

import threading

from ..errors import EngineError
from .child import Child
from .ports import LOOPBACK


class Server:
    """Base of the engines. `name` is what messages call it; the port is known after the first start."""

    name = "the server"

    def __init__(self) -> None:
        self.host = LOOPBACK
        self._port: int | None = None
        self._child: Child | None = None
        self._cancelled = threading.Event()  # set by a stop from another thread while it starts

    @property
    def port(self) -> int:
        """Its port on loopback; picked by the first `start()`."""
        if self._port is None:
            raise EngineError(f"{self.name} has no port before it was started once.")
        return self._port

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    def bound_log(self) -> None:
        """Keep its log within its bound; to be called again and again while it runs."""
        if self._child is not None:
            self._child.bound_log()

    def log_tail(self, n: int = 20) -> str:
        """The last lines of its log."""
        return "" if self._child is None else self._child.log_tail(n)

    def stop(self, grace_s: float) -> bool:
        """End it, by force after `grace_s`; True when it went by itself. Safe before start, after a crash and twice."""
        self._cancelled.set()
        return True if self._child is None else self._child.stop(grace_s)

    def kill(self) -> None:
        """End it now. Safe before start, after a crash and twice."""
        self._cancelled.set()
        if self._child is not None:
            self._child.kill()

    def _begin(self) -> None:
        """The first line of every start: refuse a second one, forget an earlier stop."""
        if self.alive:
            raise EngineError(f"{self.name} is running already (pid {self.pid}).")
        self._cancelled.clear()
