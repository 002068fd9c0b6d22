"""Small adapters that make an engine, or a single step, a service."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Event, Thread
from typing import Final, Protocol

from ..errors import EngineError
from ..observe.health import Health
from .service import Dies, Service

WATCH_S: Final = 0.2


class Engine(Protocol):
    """What the supervisor needs of a server that we start and own."""

    def start(self) -> object: ...
    def stop(self) -> object: ...
    def kill(self) -> object: ...
    def log_tail(self, n: int = ...) -> str: ...
    def bound_log(self) -> None: ...
    @property
    def alive(self) -> bool: ...
    @property
    def pid(self) -> int | None: ...


class EngineService:
    """A server process: ready when its own `start` has proven it, dead when its process is gone."""

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self.engine = engine
        self.begun = 0.0
        self._ahead: Future[None] | None = None

    def ahead(self, then: Callable[[], object] = lambda: None) -> None:
        """Begin to start it now, and do `then` once it is up; the next `start` waits for both and raises what they have raised.
        Returns at once."""
        self.begun, self._ahead = time.monotonic(), Future()
        Thread(target=self._start_ahead, args=(self._ahead, then), name=f"ahead-{self.name}", daemon=True).start()

    def _start_ahead(self, done: Future[None], then: Callable[[], object]) -> None:
        try:
            self.engine.start()
            then()
        except BaseException as error:  # handed to the thread of `start`
            done.set_exception(error)
        else:
            done.set_result(None)

    def start(self) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            self.begun = 0.0
            self.engine.start()
        else:
            ahead.result()

    def run(self, stop: Event) -> None:
        while not stop.wait(WATCH_S):
            if not self.engine.alive:
                last = self.engine.log_tail(1).strip()
                raise EngineError(f"{self.name} died" + (f"; its log ends: {last}" if last else ""))
            self.engine.bound_log()

    def stop(self) -> None:
        self.engine.stop()
        ahead = self._ahead
        while ahead is not None and not ahead.done():  # nobody has waited for it: its child may just be beginning
            self.engine.stop()
            wait([ahead], WATCH_S)

    def kill(self) -> None:
        """End the process without a word: the supervisor sees it die."""
        self.engine.kill()

    def health(self) -> Health:
        return Health(self.engine.alive, "" if self.engine.alive else "not running", pid=self.engine.pid)


class Step:
    """Something done once at the start, such as the migrations; others may need it."""

    def __init__(self, name: str, action: Callable[[], object]) -> None:
        self.name = name
        self._action = action

    def start(self) -> None:
        self._action()

    def run(self, stop: Event) -> None:
        stop.wait()

    def stop(self) -> None:
        pass

    def health(self) -> Health:
        return Health(True)


class Behind:
    """A service that is begun once the run is ready: it takes nothing from the start, and nothing waits for it."""

    def __init__(self, service: Service, ready: Event) -> None:
        self.name = service.name
        self._service = service
        self._ready = ready
        self._begun = False
        self._up = False  # has been, once: before that its health would be that of a process which is not there yet

    def start(self) -> None:
        pass

    def run(self, stop: Event) -> None:
        while not self._ready.wait(WATCH_S):
            if stop.is_set():
                return
        if not stop.is_set():
            self._begun = True
            self._service.start()
            self._up = True
            self._service.run(stop)

    def stop(self) -> None:
        if self._begun:
            self._service.stop()

    def kill(self) -> None:
        """End its process without a word: the supervisor sees it die."""
        if self._begun and isinstance(self._service, Dies):
            self._service.kill()

    def health(self) -> Health:
        return self._service.health() if self._up else Health(True, "starting" if self._begun else "begins when the run is ready")


class Late:
    """A service that can only be built once what it needs is up (its address is not known before)."""

    def __init__(self, name: str, build: Callable[[], Service]) -> None:
        self.name = name
        self._build = build
        self._service: Service | None = None

    def start(self) -> None:
        self._service = self._build()
        self._service.start()

    def run(self, stop: Event) -> None:
        assert self._service is not None
        self._service.run(stop)

    def stop(self) -> None:
        if self._service is not None:
            self._service.stop()

    def health(self) -> Health:
        return self._service.health() if self._service is not None else Health(False, "not started")
