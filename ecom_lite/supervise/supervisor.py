"""Starts services when what they need is ready, watches them, restarts them within limits, stops them in reverse."""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ..errors import EcomLiteError, in_words
from ..observe.health import Health
from .service import Begun, Dies, Prepares, Service

FIRST_BACKOFF_S: Final = 0.2
MAX_BACKOFF_S: Final = 5.0
NEEDS_POLL_S: Final = 0.02
UNBLOCK_EVERY_S: Final = 0.2
SPARE_DEATHS: Final = 2  # who is killed on purpose may still die once by accident
JOIN_S: Final = 60.0  # a service that does not return from run() by then is left behind
log = logging.getLogger("ecom_lite.supervise")
Listener = Callable[[str, str, str], None]  # service, event, detail


@dataclass
class Slot:
    """One service and what became of it."""

    service: Service
    needs: tuple[str, ...]
    state: str = "waiting"  # waiting, starting, ready, restarting, stopping, stopped, failed
    started_s: float = 0.0
    starting: bool = False  # its start() is at work, the first time or after a death
    restarts: deque[float] = field(default_factory=deque)
    restarted: int = 0
    ready: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def name(self) -> str:
        return self.service.name


class Supervisor:
    """Services are stopped in the reverse of the order they were added in.

    `restarts` in `restart_window_s` seconds are allowed per service; past that `failure` is set and `failed` fires: the first
    cause decides. `listener` hears every change and must not raise.
    """

    def __init__(self, *, restarts: int, restart_window_s: float, ready_timeout_s: float, listener: Listener) -> None:
        self._limit = restarts
        self._window_s = restart_window_s
        self._ready_timeout_s = ready_timeout_s
        self._listener = listener
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.slots: list[Slot] = []
        self.failed = threading.Event()
        self.failure: EcomLiteError | None = None

    def hear(self, listener: Listener) -> None:
        """From now on `listener` hears every change. Before `start`."""
        self._listener = listener

    def add(self, service: Service, needs: Sequence[str] = ()) -> None:
        """Register a service before `start`; `needs` are names of services added before."""
        unknown = set(needs) - {slot.name for slot in self.slots}
        if unknown:
            raise ValueError(f"{service.name} needs {sorted(unknown)}, which were not added before it")
        self.slots.append(Slot(service, tuple(needs)))

    def start(self, abort: threading.Event | None = None) -> bool:
        """Start everything, each part as soon as what it needs is ready; blocks until all are ready, or `abort` is set (False).

        Raises the first part's EcomLiteError, or one that names the parts that were not ready in time.
        """
        for slot in self.slots:
            slot.thread = threading.Thread(target=self._live, args=(slot,), name=f"svc-{slot.name}", daemon=True)
            slot.thread.start()
        deadline = time.monotonic() + self._ready_timeout_s
        for slot in self.slots:
            while not slot.ready.wait(0.05):
                if self.failed.is_set() or self._stopping.is_set():
                    break
                if abort is not None and abort.is_set():
                    return False
                if time.monotonic() > deadline:
                    late = ", ".join(s.name for s in self.slots if not s.ready.is_set())
                    self._fail(EcomLiteError(f"not ready after {self._ready_timeout_s:g} s: {late}; see `ecom_lite logs`"))
        if self.failure is not None:
            raise self.failure
        return not self._stopping.is_set()

    def stop(self, *names: str) -> None:
        """Stop these services, or all, in reverse order; each gets its own time. Safe to repeat, from any thread."""
        if not names:
            self._stopping.set()
        for slot in reversed(self.slots):
            if names and slot.name not in names:
                continue
            with self._lock:
                if slot.state == "stopped":
                    continue
                was_waiting, slot.state = slot.state == "waiting", "stopping"
            slot.stop.set()
            self._join(slot)
            self._quietly_stop(slot)
            slot.state = "stopped"
            if not was_waiting:
                self._tell(slot, "stopped")

    def abandon(self) -> None:
        """Restart nothing any more, wait for nothing: for a process that ends at once."""
        self._stopping.set()
        for slot in self.slots:
            slot.stop.set()

    def kill(self, name: str) -> None:
        """End the process of a ready part as an accident would; it is started again, as after any death. Raises EcomLiteError
        where that cannot be, or may end the run: it has no process of its own here, or may hardly die once more."""
        slot = next((slot for slot in self.slots if slot.name == name), None)
        if slot is None or not isinstance(slot.service, Dies):
            raise EcomLiteError(f"{name} is no process of this run")
        if slot.state != "ready" or self._stopping.is_set():
            raise EcomLiteError(f"{name} is {slot.state} just now: wait until it is ready")
        recent = [moment for moment in list(slot.restarts) if moment > time.monotonic() - self._window_s]
        if len(recent) + SPARE_DEATHS > self._limit:
            raise EcomLiteError(
                f"{name} has died {len(recent)} times within {self._window_s:g} s, and the run ends at more than {self._limit} "
                "(run.restarts): wait a while"
            )
        log.warning("%s is killed on purpose", name)
        slot.service.kill()

    def health(self) -> dict[str, Health]:
        """What each ready service says of itself; never raises."""
        return {slot.name: slot.service.health() for slot in self.slots if slot.ready.is_set() and slot.state == "ready"}

    def slot(self, name: str) -> Slot:
        return next(slot for slot in self.slots if slot.name == name)

    def _live(self, slot: Slot) -> None:
        """The life of one service: start, run, and again after a death, until it is stopped or dies too often."""
        if not self._prepare(slot):
            return
        backoff_s = FIRST_BACKOFF_S
        while self._wait_for_needs(slot):
            began = math.inf  # it has not run yet: the life before this one says nothing of how well it starts
            try:
                self._start(slot)
                began = time.monotonic()
                slot.service.run(slot.stop)
                cause: BaseException | None = None
            except EcomLiteError as error:
                cause = error
            except Exception as error:
                log.exception("%s died", slot.name)
                cause = error
            if slot.stop.is_set():
                return
            message = in_words(cause) if cause is not None else "it ended by itself"
            if not slot.ready.is_set():
                self._fail(_as_failure(slot, message, cause), slot)
                return
            self._tell(slot, "died", message)
            now = time.monotonic()
            slot.restarts.append(now)
            while slot.restarts and slot.restarts[0] < now - self._window_s:
                slot.restarts.popleft()
            if len(slot.restarts) > self._limit:
                limit = f"{slot.name} died {len(slot.restarts)} times within {self._window_s:g} s, the last time: {message}"
                self._fail(EcomLiteError(limit), slot)
                return
            if now - began > self._window_s:
                backoff_s = FIRST_BACKOFF_S
            slot.state = "restarting"
            self._quietly_stop(slot)
            slot.stop.wait(backoff_s * random.uniform(0.5, 1.0))
            backoff_s = min(backoff_s * 2, MAX_BACKOFF_S)

    def _prepare(self, slot: Slot) -> bool:
        """What can be done before the parts that are needed are ready. False when it failed, and the run with it."""
        if isinstance(slot.service, Prepares):
            try:
                slot.service.prepare()
            except Exception as error:
                if not isinstance(error, EcomLiteError):
                    log.exception("%s could not be prepared", slot.name)
                self._fail(_as_failure(slot, in_words(error), error), slot)
                return False
        return True

    def _wait_for_needs(self, slot: Slot) -> bool:
        """Block until what it needs is ready, after a death too: a start without it would only count as one more death."""
        needed = [self.slot(name) for name in slot.needs]
        while not all(need.state == "ready" for need in needed):
            if self.failed.is_set() or slot.stop.wait(NEEDS_POLL_S):
                return False
        return not slot.stop.is_set()

    def _start(self, slot: Slot) -> None:
        again = slot.ready.is_set()
        if not again:
            slot.state = "starting"
            self._tell(slot, "starting")
        began = time.monotonic()
        slot.starting = True
        try:
            slot.service.start()
        finally:
            slot.starting = False
        began = slot.service.begun if isinstance(slot.service, Begun) and slot.service.begun else began
        slot.started_s = time.monotonic() - began
        with self._lock:
            if slot.state in ("starting", "restarting"):
                slot.state = "ready"
        if again:
            slot.restarted += 1
        self._tell(slot, "restarted" if again else "ready", f"{slot.started_s:.1f} s")
        slot.ready.set()  # last: who waits for it has then heard of it too

    def _fail(self, error: EcomLiteError, slot: Slot | None = None) -> None:
        with self._lock:
            if slot is not None:
                slot.state = "failed"
            if self.failure is None and not self._stopping.is_set():
                self.failure = error
        if slot is not None:
            self._tell(slot, "failed", str(error))
        self.failed.set()

    def _join(self, slot: Slot) -> None:
        """Wait for its thread. A start that still waits for its part is unblocked, again and again: it may just be beginning."""
        give_up = time.monotonic() + JOIN_S
        while slot.thread is not None and slot.thread.is_alive() and slot.thread is not threading.current_thread():
            if slot.starting:
                self._quietly_stop(slot)
            slot.thread.join(UNBLOCK_EVERY_S)
            if time.monotonic() > give_up:
                log.error("%s does not end and is left behind", slot.name)
                return

    def _quietly_stop(self, slot: Slot) -> None:
        try:
            slot.service.stop()
        except Exception as error:
            log.warning("%s did not stop cleanly: %s", slot.name, error)

    def _tell(self, slot: Slot, event: str, detail: str = "") -> None:
        level = logging.ERROR if event in ("died", "failed") else logging.INFO
        log.log(level, "%s %s%s", slot.name, event, f": {detail}" if detail else "")
        self._listener(slot.name, event, detail)


def _as_failure(slot: Slot, message: str, cause: BaseException | None) -> EcomLiteError:
    return cause if isinstance(cause, EcomLiteError) else EcomLiteError(f"{slot.name} did not start: {message}")
