"""One run per data folder: an advisory lock that dies with the process, and a note of who holds it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

from ..errors import AlreadyRunning, EcomLiteError, NotRunning
from ..settings.data_dir import LOCK, naming
from ..system import lock

HOLDER_S: Final = 0.3  # one that is about to end is waited for
LOOKERS_S: Final = 5.0  # ... and those who only look, each of which may be put aside in its look by a busy machine
POLL_S: Final = 0.02


class RunLock:
    """Held while a run (or a command that starts engines) owns the data folder. Use as a context manager."""

    def __init__(self, data_dir: Path, purpose: str) -> None:
        self._path = data_dir / LOCK
        self._purpose = purpose
        self._file: IO[str] | None = None

    def __enter__(self) -> RunLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def acquire(self) -> None:
        """Raises AlreadyRunning, naming the holder, when another process has it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = self._path.open("a+", encoding="utf-8")
        except OSError as error:
            raise EcomLiteError(
                f"the data folder {self._path.parent} cannot be used: {error.strerror}; choose another by --data-dir"
            ) from None
        if not _lock(file, self._path.parent):
            file.close()
            who = holder(self._path.parent) or {}
            raise AlreadyRunning(f"{in_use(self._path.parent, who)}, or choose another folder by --data-dir") from None
        self._file = file
        with naming(self._path):
            file.truncate(0)
            file.write(json.dumps({"pid": os.getpid(), "purpose": self._purpose}))
            file.flush()

    def release(self) -> None:
        """Safe to repeat. The file stays: removing it would let two runs hold two different files."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None


def in_use(data_dir: Path, who: Mapping[str, Any]) -> str:
    """For a user who wants the folder that another has, see `holder`: who that is, and what to do."""
    purpose = who.get("purpose", "run")
    way = "see it with `ecom_lite status`, end it with `ecom_lite stop`" if purpose == "run" else "wait for its end, or end it"
    return f"{data_dir} is in use by `ecom_lite {purpose}`, pid {who.get('pid', 'unknown')}: {way}"


def _lock(file: IO[str], data_dir: Path) -> bool:
    """True when it is taken. A command that only looks whether somebody holds it (see `holder`) is in the way for a moment."""
    began = time.monotonic()
    while not lock(file, wait=False):
        waited_s = time.monotonic() - began
        if waited_s > LOOKERS_S or (waited_s > HOLDER_S and holder(data_dir) is not None):
            return False
        time.sleep(POLL_S)
    return True


def holder(data_dir: Path) -> dict[str, Any] | None:
    """Who holds the folder now: {"pid", "purpose"}; None when nobody does."""
    try:
        with (data_dir / LOCK).open("r", encoding="utf-8") as file:
            if not lock(file, shared=True, wait=False):
                text = file.read()
                return dict(json.loads(text)) if text else {}
    except (OSError, ValueError):
        return None
    return None


def require_run(data_dir: Path) -> None:
    """Raises NotRunning, which names who else has it, unless a run holds the folder."""
    who = holder(data_dir)
    if who is None:
        raise NotRunning(f"nothing runs in {data_dir}: start with `ecom_lite run`")
    if who.get("purpose", "run") != "run":
        raise NotRunning(f"no run: `ecom_lite {who['purpose']}`, pid {who.get('pid')}, is using {data_dir}")
