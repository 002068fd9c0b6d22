"""Owns the temporary folder in which a tool starts servers of its own. What a killed tool has left is cleared by the next one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import psutil

from ..errors import EngineError
from ..settings.data_dir import CHILDREN, POSTGRES
from ..system import is_ours, lock, memory_folder
from . import pgfiles
from .registry import ChildRegistry

PREFIX: Final = "ecom_lite_"
LOCK: Final = "owner.lock"  # held as long as its process lives; only a folder that has it is ever cleared
UMOUNT_TIMEOUT_S: Final = 10


class Scratch:
    """A fresh folder in the system's temporary folder. Making one first clears those whose process has died.

    A server of ours in it is in `postgres`; children that shall not survive us are in `registry`. Raises EngineError.
    `folder` is one that is there, empty but for locks, named as those that are made here; nothing is cleared then.
    """

    def __init__(self, purpose: str, folder: Path | None = None) -> None:
        if folder is None:
            clear_dead()
        try:
            self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}_")) if folder is None else folder
            self._lock = _hold(self.path)
        except OSError as error:
            raise EngineError(f"no temporary folder for {purpose}: {error}; set TMPDIR to a folder with space") from None
        self.registry = ChildRegistry(self.path / CHILDREN)

    def remove(self) -> None:
        """Unmount and delete all of it, and the cluster where it lives elsewhere. The servers must not run. Twice is fine."""
        _remove(self.path)
        self._lock.close()


def clear_dead() -> list[Path]:
    """End and delete what killed tools of this user have left: their children, mounts, clusters, folders. Returns the folders."""
    cleared = []
    places = filter(None, [Path(tempfile.gettempdir()), memory_folder()])
    for file in (each for place in places for each in place.glob(f"{PREFIX}*/{LOCK}")):
        folder = file.parent
        with suppress(OSError):  # it is being deleted just now
            found = folder.lstat()
            if not is_ours(found) or folder.is_symlink():
                continue  # anybody may put a folder there, and name processes to be killed in it
            with file.open("r+") as owned:
                if not lock(owned, wait=False):
                    continue  # its owner lives
                ChildRegistry(folder / CHILDREN).cleanup()
                _remove(folder)
                cleared.append(folder)
    return cleared


def _hold(folder: Path) -> IO[str]:
    """The lock is taken before anybody can find its file."""
    draft = folder / f"{LOCK}.new"
    file = draft.open("w", encoding="utf-8")
    lock(file)
    json.dump({"pid": os.getpid(), "started": psutil.Process().create_time()}, file)
    file.flush()
    draft.replace(folder / LOCK)
    return file


def _remove(folder: Path) -> None:
    if not folder.is_dir():
        return
    link = folder / POSTGRES / pgfiles.CLUSTER
    roots = {folder.resolve(), *([link.readlink().parent] if link.is_symlink() else [])}
    for disk in psutil.disk_partitions(all=True):
        if roots & set(Path(disk.mountpoint).parents):
            with suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(["umount", disk.mountpoint], capture_output=True, timeout=UMOUNT_TIMEOUT_S, check=False)
    pgfiles.remove_cluster(folder / POSTGRES)
    for entry in folder.iterdir():  # the lock's file last: without it nobody would ever clear the rest
        if entry.name == LOCK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
