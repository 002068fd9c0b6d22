"""The life of `ecom_lite load`: loaders without a run of their own, beside servers or a run that are there."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

import psycopg

from ..engines.registry import ChildRegistry
from ..errors import EcomLiteError, first_line
from ..live.lock import RunLock
from ..observe.logs import setup_file_logs
from ..observe.status import RunStatus
from ..settings.data_dir import CHILDREN, LOADERS, LOGS
from ..settings.tree import Settings
from ..supervise.supervisor import Supervisor
from ..terminal.terminal import Terminal
from ..warehouse.migrate import require_schema
from .interrupts import Interrupts
from .joined import joined_reach
from .loaders import all_lives, loaded, stop_all, workers
from .logins import refusal, tell_former
from .metrics_server import metrics_server
from .reach import Reach
from .status import part_status

TICK_S: Final = 0.5
AWAY_S: Final = 1.0
KILL_S: Final = 2.0  # for what is left when it ends at once


def load_only(settings: Settings, for_s: float | None, terminal: Terminal) -> tuple[int, dict[str, Any]]:
    """Run loaders until a signal, the end of `for_s`, or a loader that fails for good: (exit code, what was loaded).

    Raises EcomLiteError.
    """
    reach, folder = joined_reach(settings), settings.data_dir / LOADERS
    with RunLock(folder, "load"):
        setup_file_logs(folder, settings.run.log_level)
        registry = ChildRegistry(folder / CHILDREN)
        registry.cleanup()
        life = LoadOnly(settings, reach, registry, for_s, terminal)
        with metrics_server(settings.load.metrics_port, life.status) as url:
            return life.execute({"metrics": url} if url else {})


class LoadOnly:
    """One such life."""

    def __init__(
        self, settings: Settings, reach: Reach, registry: ChildRegistry, for_s: float | None, terminal: Terminal
    ) -> None:
        run = settings.run
        self._settings = settings
        self._folder = settings.data_dir / LOADERS
        self._reach = reach
        self._registry = registry
        self._for_s = for_s
        self._terminal = terminal
        self._interrupts = Interrupts(self._end_at_once)
        self._said: dict[str, str] = {}
        self._loaders = workers(settings, lambda: reach, self._folder, registry)
        self._names = [loader.name for loader in self._loaders]
        self._supervisor = Supervisor(
            restarts=run.restarts, restart_window_s=run.restart_window_s, ready_timeout_s=run.ready_timeout_s,
            listener=terminal.heard,
        )  # fmt: skip
        for loader in self._loaders:
            self._supervisor.add(loader)

    def execute(self, addresses: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Blocks; the banner shows `addresses` too. Raises EcomLiteError."""
        with self._interrupts:
            began = time.monotonic()
            limit = self._end_later()
            if not self._wait_for_schema():
                return self._ended({}, "PostgreSQL")
            self._terminal.begin(self._names)
            ready = False
            try:
                ready = self._supervisor.start(self._interrupts.asked)
                limit.cancel()
                if ready:
                    self._end_later()
                    self._terminal.end()
                    shown = {**self._reach.shown(), **addresses, "logs": f"{self._folder / LOGS}"}
                    self._terminal.banner(time.monotonic() - began, shown)
                    self._watch()
                    self._terminal.doing("loading what is left")
            finally:
                self._terminal.end()
                stop_all(self._supervisor, self._names)
            if self._supervisor.failure is not None:
                raise self._supervisor.failure
            return self._ended(self._summary(time.monotonic() - began), "" if ready else "Kafka or PostgreSQL")

    def status(self) -> RunStatus:
        """How the loaders are now. For any thread."""
        parts = part_status(self._supervisor)
        return RunStatus(state="running", pid=os.getpid(), load=all_lives(self._loaders), parts=parts)

    def _summary(self, seconds: float) -> dict[str, Any]:
        restarts = {slot.name: slot.restarted for slot in self._supervisor.slots if slot.restarted}
        return {"processes": len(self._loaders), **loaded(self._loaders), "restarts": restarts, "seconds": round(seconds, 1)}

    def _end_later(self) -> threading.Timer:
        """Ask for the end after `for_s`: counted from the start for servers that are away, and anew once all is ready."""
        timer = threading.Timer(self._for_s or threading.TIMEOUT_MAX, self._interrupts.asked.set)
        timer.daemon = True
        if self._for_s is not None:
            timer.start()
        return timer

    def _ended(self, summary: dict[str, Any], missed: str) -> tuple[int, dict[str, Any]]:
        if missed and self._interrupts.number is None:
            raise EcomLiteError(f"nothing was loaded: {missed} did not answer within the {self._for_s:g} s of --for")
        return self._interrupts.exit_code, summary

    def _watch(self) -> None:
        while not self._interrupts.asked.wait(TICK_S):
            health = self._supervisor.health()
            for name in self._names:
                detail = health[name].detail if name in health else ""
                if detail and not self._said.get(name):
                    self._terminal.say(f"{name}: {detail}", "yellow")
                elif self._said.get(name) and not detail and name in health:
                    self._terminal.say(f"{name} goes on", "green")
                self._said[name] = detail
            if self._supervisor.failed.is_set():
                return

    def _wait_for_schema(self) -> bool:
        """Until PostgreSQL answers; False when a signal comes before. Raises MigrationError for a schema of another version."""
        said, address = False, self._reach.address
        while not self._interrupts.asked.is_set():
            try:
                require_schema(address, self._settings.events.attributes)
                if self._settings.postgres.url.get_secret_value():
                    tell_former(self._settings, self._terminal.say)
                return True
            except psycopg.OperationalError as error:
                told = refusal(self._settings, error)
                if told is not None:
                    raise told from None
                if not said:
                    self._terminal.say(f"PostgreSQL is away, waiting: {first_line(error)}", "yellow")
                    said = True
                self._interrupts.asked.wait(AWAY_S)
        return False

    def _end_at_once(self) -> None:
        os.write(2, b"stopped at once; the next loader goes on from what was committed\n")
        self._supervisor.abandon()
        self._registry.cleanup(deadline_s=KILL_S)
