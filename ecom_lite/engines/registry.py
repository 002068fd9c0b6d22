"""Owns the record of our live children on disk, so that the next start can clear what a killed run left behind."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypedDict

import psutil

from ecom_lite.errors import EngineError
from ecom_lite.settings.data_dir import DRAFT, naming

CREATE_TIME_TOLERANCE_S = 2.0
POLL_S = 0.02


class Entry(TypedDict):
    """One child: its pid is only believed together with its start time, because pids are reused."""

    pid: int
    create_time: float
    name: str


class ChildRegistry:
    """A JSON file that lists the children now running. Safe to use from several threads of one process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def add(self, pid: int, name: str) -> None:
        """Record a child just started; a child that is gone already is not recorded. Raises OSError, which names the file."""
        try:
            created = psutil.Process(pid).create_time()
        except psutil.Error:
            return
        with self._edit() as entries:
            entries.append({"pid": pid, "create_time": created, "name": name})

    def remove(self, pid: int) -> None:
        """Forget a child that has ended; twice is fine. Where the file cannot be written it stays, and is passed over later."""
        with suppress(OSError), self._edit() as entries:
            entries[:] = [entry for entry in entries if entry["pid"] != pid]

    def entries(self) -> list[Entry]:
        """What the file says now; a missing or torn file counts as empty."""
        try:
            found = json.loads(self.path.read_text("utf-8"))
            return [Entry(pid=int(e["pid"]), create_time=float(e["create_time"]), name=str(e["name"])) for e in found]
        except (OSError, ValueError, TypeError, KeyError):
            return []

    def cleanup(self, deadline_s: float = 30.0) -> list[str]:
        """Kill the children an earlier run left behind, wait until they are gone, and return their names.

        Call it before the first `add`, by the one run that holds the data folder. Raises EngineError when one cannot be
        killed within `deadline_s`.
        """
        killed: list[str] = []
        victims: list[psutil.Process] = []
        for entry in self.entries():
            process = _same_process(entry)
            if process is None or process.pid == os.getpid():
                continue
            family = [*_children(process), process]
            for member in family:
                with _ignore_gone():
                    member.kill()
            victims += family
            killed.append(f"{entry['name']} (pid {entry['pid']})")
        give_up = time.monotonic() + deadline_s
        while alive := [process for process in victims if _is_alive(process)]:
            if time.monotonic() > give_up:
                pids = ", ".join(str(process.pid) for process in alive)
                raise EngineError(
                    f"Processes of an earlier run are still alive after {deadline_s:.0f} s: pid {pids} "
                    f"(recorded in {self.path}). End them with `kill -9 {pids.replace(',', '')}` and start again."
                )
            time.sleep(POLL_S)
        with self._edit() as entries:
            entries.clear()
        return killed

    @contextmanager
    def _edit(self) -> Iterator[list[Entry]]:
        with self._lock:
            entries = self.entries()
            yield entries
            with naming(self.path):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                draft = self.path.with_name(self.path.name + DRAFT)
                draft.write_text(json.dumps(entries), "utf-8")
                draft.replace(self.path)


def _same_process(entry: Entry) -> psutil.Process | None:
    try:
        process = psutil.Process(entry["pid"])
        same = abs(process.create_time() - entry["create_time"]) < CREATE_TIME_TOLERANCE_S
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


@contextmanager
def _ignore_gone() -> Iterator[None]:
    try:
        yield
    except psutil.NoSuchProcess:
        pass
    except psutil.AccessDenied as error:
        raise EngineError(f"A process of an earlier run cannot be ended: {error}") from error
