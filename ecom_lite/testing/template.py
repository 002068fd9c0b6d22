"""Owns the template of a test session's PostgreSQL: a cluster that is initialised and migrated once per version, then copied."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from .. import __version__
from ..engines import pgfiles
from ..engines.postgres import PASSWORD_FILE
from ..settings.data_dir import SECRETS
from ..warehouse.migrate import bundled

FOLDER: Final = "testing"  # in the user's cache
MANIFEST: Final = "manifest.json"  # path -> bytes of each file; the last one that is written
KEPT: Final = 3
DRAFT_S: Final = 3_600.0  # a draft that is older is that of a keeper that was killed
LAYOUT: Final = "2"  # of the template itself: another one is another template
COPY: Final = ("cp", "-a", "--reflink=auto")  # blocks are shared where the file system can
UNWANTED: Final = ("postmaster.pid", "postmaster.opts")


class ClusterTemplate:
    """The template for this version's migrations and this PostgreSQL, in the user's cache, 0700: it has the roles' passwords."""

    def __init__(self, cache: Path) -> None:
        key = [LAYOUT, __version__, pgfiles.version_of(pgfiles.find_install()), *(each.checksum for each in bundled())]
        self.path = cache / FOLDER / f"postgres-{hashlib.sha256(chr(10).join(key).encode()).hexdigest()[:16]}"

    def copy(self, data_dir: Path, home: Path) -> bool:
        """Its cluster to `home`, its passwords to `data_dir` and the folder above; False where there is none, or not all
        of it."""
        cluster = home / pgfiles.CLUSTER
        try:
            manifest = json.loads((self.path / MANIFEST).read_text("utf-8"))
            if _sizes(self.path / pgfiles.CLUSTER) != manifest:
                raise OSError(f"{self.path} is not what was made")
            shutil.copy(self.path / SECRETS, data_dir.parent / SECRETS)
            shutil.copy(self.path / PASSWORD_FILE, data_dir / PASSWORD_FILE)
            _copy(self.path / pgfiles.CLUSTER, cluster)
            os.utime(self.path)
            return True
        except FileNotFoundError:
            return False
        except (OSError, ValueError, subprocess.SubprocessError):
            self.discard()
            shutil.rmtree(cluster, ignore_errors=True)
            return False

    def keep(self, data_dir: Path, home: Path) -> None:
        """Take this cluster, which must be shut down. A template that cannot be written is none."""
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with suppress(OSError, subprocess.SubprocessError):
            draft.mkdir(mode=0o700, parents=True)
            cluster = draft / pgfiles.CLUSTER
            _copy(home / pgfiles.CLUSTER, cluster)
            for name in UNWANTED:
                (cluster / name).unlink(missing_ok=True)
            shutil.copy(data_dir / PASSWORD_FILE, draft / PASSWORD_FILE)
            shutil.copy(data_dir.parent / SECRETS, draft / SECRETS)
            (draft / MANIFEST).write_text(json.dumps(_sizes(cluster)), "utf-8")
            draft.rename(self.path)
        shutil.rmtree(draft, ignore_errors=True)  # another session was quicker
        self._forget_unused()

    def discard(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def _forget_unused(self) -> None:
        """Of other versions only those stay that were used last, and no draft that nobody works at any more."""
        with suppress(OSError):
            used = sorted(((each.stat().st_mtime, each) for each in self.path.parent.glob("postgres-*")), reverse=True)
            drafts = [folder for at, folder in used if "." in folder.name and at < time.time() - DRAFT_S]
            whole = [folder for _, folder in used if "." not in folder.name and (folder / MANIFEST).is_file()]
            for folder in (*drafts, *whole[KEPT:]):
                shutil.rmtree(folder, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    """With owners and modes, as PostgreSQL wants them."""
    if shutil.which(COPY[0]) and subprocess.run([*COPY, source, target], capture_output=True, check=False).returncode == 0:
        return
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)
    owner = source.stat()
    for folder, _, files in os.walk(target):
        for name in ("", *files):
            os.chown(Path(folder) / name, owner.st_uid, owner.st_gid)


def _sizes(folder: Path) -> dict[str, int]:
    sizes = {}
    for place, _, files in os.walk(folder):
        below = os.path.relpath(place, folder)
        sizes.update({f"{below}/{name}": os.lstat(f"{place}/{name}").st_size for name in files})
    return sizes
