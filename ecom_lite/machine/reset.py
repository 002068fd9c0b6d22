"""Deletes what the data folder holds, and nothing else."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

from ..engines.child import ChildRegistry
from ..engines.pgfiles import remove_cluster
from ..errors import EcomLiteError
from ..live.lock import RunLock
from ..settings.data_dir import CHILDREN, GRAFANA, LOADERS, LOCK, OURS, PASSWORDS, POSTGRES
from ..settings.tree import Settings


def what_goes(settings: Settings) -> list[tuple[str, int]]:
    """(name, bytes) of each thing that a reset deletes."""
    return [(name, _size(settings.data_dir / name)) for name in OURS if (settings.data_dir / name).exists()]


def reset_data(settings: Settings, *, keep_grafana: bool) -> None:
    """Delete the data. Raises AlreadyRunning when a run holds the folder, or loaders alone work by what is in it."""
    data_dir = settings.data_dir
    if not data_dir.is_dir():
        return
    loaders = data_dir / LOADERS
    with RunLock(data_dir, "reset"), RunLock(loaders, "reset") if loaders.is_dir() else nullcontext():
        ChildRegistry(data_dir / CHILDREN).cleanup()
        kept = (GRAFANA, PASSWORDS) if keep_grafana else ()  # a server that runs elsewhere keeps its data and roles, too
        delete_stores(data_dir, [name for name in OURS if name not in kept])
        if not keep_grafana and {entry.name for entry in data_dir.iterdir()} <= {LOCK}:
            _delete(data_dir)  # while the lock is still ours: nobody can have begun a run in it


def delete_stores(data_dir: Path, names: Iterable[str]) -> None:
    """PostgreSQL's cluster, wherever it lives, and these. For who holds the folder. Raises EcomLiteError."""
    remove_cluster(data_dir / POSTGRES)
    for name in names:
        _delete(data_dir / name)


def _delete(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise EcomLiteError(f"{path} cannot be deleted: {error.strerror}") from error


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(_size_of_file(file) for file in path.rglob("*"))
    return _size_of_file(path)


def _size_of_file(path: Path) -> int:
    """0 for anything else, and for a file that a live run has just taken away."""
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0
