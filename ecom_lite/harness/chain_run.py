"""The whole program as a child of the harness, in a data folder of its own: started, struck, watched, steered, ended."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg

from ..engines.child import Child, ChildRegistry
from ..errors import EcomLiteError
from ..live.client import LiveRun
from ..live.state import RunState, read_state
from ..run.reach import Reach, live_reach
from ..settings.data_dir import CHILDREN
from ..settings.override import FAULTS, ShopOverride
from .expect import Violation, wait_until
from .own import jars, own_settings

PROGRAM: Final = f"{__package__}.chain_victim"
PAGE: Final = "page"  # the part without a process
PARTS: Final = {"Kafka": "kafka", "PostgreSQL": "postgres", "Spark": "spark"}  # name of the child -> of the part
READY_S: Final = 150.0
BACK_S: Final = 150.0  # all is well again after a strike
STOP_S: Final = 150.0
HELD_POLL_S: Final = 0.1
GONE_S: Final = 30.0
LOADED: Final = "SELECT coalesce(sum(next_offset - first_offset), 0)::bigint FROM ops.consumer_offsets"
TAIL_LINES: Final = 12
CONFIG: Final = "harness.toml"


class ChainRun:
    """One data folder, and the run in it. `flags` are its settings, `environment` what its processes are given beside ours."""

    def __init__(self, folder: Path, log: Path, flags: Mapping[str, object], environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.settings = own_settings({**flags, "run.data_dir": folder})
        self._log = log
        own = {f"ECOM_LITE_{name.upper().replace('.', '__')}": str(value) for name, value in {**jars(), **flags}.items()}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ECOM_LITE_")}
        self.environment = {**clean, **own, **environment}
        self.config = folder / CONFIG  # an empty one, and no ./config.toml
        self.config.write_text("", "utf-8")
        self._child: Child | None = None
        self._live = LiveRun(folder)
        self.mode = ""
        self.ended_by_us = True
        self.starts = 0

    # Its life.

    def begin(self, mode: str, mutation: str | None) -> None:
        """Start it; it is not ready yet."""
        command = [sys.executable, "-m", PROGRAM, mutation or "none", "run", *(["--light"] if mode == "light" else [])]
        self._child = Child(
            "run", [*command, *self.place], log=self._log, env=self.environment, stdin_pipe=True,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
        self._child.start()
        self.mode, self.ended_by_us = mode, False
        self.starts += 1

    @property
    def place(self) -> list[str]:
        """The options by which a verb finds it."""
        return ["--data-dir", str(self.folder), "--config", str(self.config)]

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    @property
    def pid(self) -> int:
        pid = None if self._child is None else self._child.pid
        return 0 if pid is None else pid

    def wait_well(self, patience_s: float) -> None:
        """Until every part is ready and well. Violation where that takes longer, or the run ends by itself."""
        wait_until(self.all_well, "every part is ready and well", patience_s, self._how_it_is)

    def all_well(self) -> bool:
        """Whether every part is ready and well. Violation where the run has ended by itself."""
        self.require_alive()
        state = self.state
        if state is None or state.pid != self.pid or state.state != "running":
            return False
        return all(part.state == "ready" and part.ok for part in state.parts.values())

    def _how_it_is(self) -> str:
        state = self.state
        if state is None:
            return self.log_tail()
        bad = {name: f"{part.state}: {part.detail}" for name, part in state.parts.items() if part.state != "ready" or not part.ok}
        return f"{state.state}, {bad or 'all ready'}\n{self.log_tail()}"

    def require_alive(self) -> None:
        if not self.alive and not self.ended_by_us:
            code = None if self._child is None else self._child.returncode
            raise Violation("run", "it carries on", f"it ended by itself, code {code}", self.log_tail())

    def kill(self) -> None:
        """SIGKILL of the main process alone: nothing that it has started may outlive it."""
        family = self.family()
        self.ended_by_us = True
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
        self._reap(family)

    def begin_stop(self) -> None:
        self.ended_by_us = True
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)

    def stop(self) -> None:
        """As `ecom_lite stop`: what was sent is loaded first. Violation where it does not end, or leaves something behind."""
        if self._child is None or not self.alive:
            return
        family = self.family()
        self.begin_stop()
        code = self._child.wait(STOP_S)
        if code != 128 + signal.SIGTERM:
            found = "it still runs" if code is None else f"exit code {code}"
            raise Violation("run", "a graceful stop, exit code 143", found, self.log_tail())
        self._reap(family)

    def _reap(self, family: Sequence[psutil.Process]) -> None:
        wait_until(
            lambda: not any(map(_lives, family)), "nothing of a run outlives its main process", GONE_S,
            lambda: str([process for process in family if _lives(process)]),
        )  # fmt: skip
        if self._child is not None:
            self._child.kill()  # closes the pipes

    def close(self) -> None:
        """End it, however it is."""
        self.ended_by_us = True
        family = self.family()
        if self._child is not None:
            self._child.kill()
        for process in family:
            with suppress(psutil.Error):
                process.kill()

    # Its processes.

    def parts(self) -> dict[str, int]:
        """The process of each part that has one of its own."""
        found = ChildRegistry(self.folder / CHILDREN).entries()
        return {PARTS.get(entry["name"], entry["name"]): entry["pid"] for entry in found if psutil.pid_exists(entry["pid"])}

    def family(self) -> list[psutil.Process]:
        try:
            main = psutil.Process(self.pid) if self.pid else None
            return [] if main is None else [main, *main.children(recursive=True)]
        except psutil.Error:
            return []

    def tell(self, word: str) -> None:
        """What `chain_victim` hears."""
        assert self._child is not None and self._child.stdin is not None
        self._child.stdin.write(f"{word}\n".encode())
        self._child.stdin.flush()

    def log_tail(self) -> str:
        return "" if self._child is None else self._child.log_tail(TAIL_LINES)

    # What is true of it, and steering.

    @property
    def state(self) -> RunState | None:
        return read_state(self.folder)

    def restarts(self, part: str) -> int:
        """How often it was started again, as far as the run has told."""
        state = self.state
        return state.parts[part].restarts if state is not None and part in state.parts else 0

    @property
    def reach(self) -> Reach:
        return live_reach(self.settings)

    def ask(self, query: str, role: str = "ecom_reader") -> list[tuple[Any, ...]]:
        """Of the warehouse. Raises psycopg.Error."""
        with self.reach.address.connect(role, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def loaded(self) -> int:
        """How many records are accounted for; -1 while nobody can say."""
        try:
            return int(self.ask(LOADED)[0][0])
        except (psycopg.Error, EcomLiteError):
            return -1

    def wait_flowing(self) -> None:
        """Until all is well and further events are loaded."""
        self.wait_well(BACK_S)
        wait_until(lambda: self.loaded() >= 0, "the warehouse answers", BACK_S)
        before = self.loaded()
        wait_until(lambda: self.loaded() > before >= 0, f"more than {before:,} records are loaded", BACK_S, self._how_it_is)
        self.require_alive()

    def pause(self) -> None:
        """And nothing is held back any more: what waits to be overtaken goes sooner while others still come."""
        self._steer(ShopOverride(faults=dict.fromkeys(FAULTS, 0.0)))
        wait_until(lambda: self.held() == 0, "no late event is still to come", BACK_S, self.log_tail, HELD_POLL_S)
        self._steer(ShopOverride(paused=True))

    def resume(self, faults: Mapping[str, float]) -> None:
        self._steer(ShopOverride(paused=False, faults=faults))

    def _steer(self, override: ShopOverride) -> None:
        self._patiently(lambda: self._live.change(override), "the shop is steered")

    def held(self) -> int:
        """How many late events of the shop are still to come, also while it is paused."""
        return int(self._patiently(self._live.in_force, "the shop is asked").held)

    def refresh(self, full: bool) -> None:
        """Have the marts built. Violation where that fails."""
        figures = self._patiently(lambda: self._live.refresh(full_refresh=full, select=[]), "the marts are built")
        if figures["status"] != "success":
            raise Violation("marts", "a dbt run that succeeds", json.dumps(figures)[:2_000], self.log_tail())

    def refresh_aside(self) -> None:
        """The same, for a thread that nobody waits for: it may be cut off."""
        with suppress(EcomLiteError):
            self._live.refresh(full_refresh=False, select=[])

    def _patiently(self, action: Any, what: str) -> Any:
        """A page that was struck may be just coming back, and PostgreSQL's last sessions may have died under a dbt run."""
        deadline, said = time.monotonic() + BACK_S, ""
        while time.monotonic() < deadline:
            self.require_alive()
            try:
                return action()
            except EcomLiteError as error:
                said = str(error)
                time.sleep(0.2)
        raise Violation("progress", what, said, self.log_tail())


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
