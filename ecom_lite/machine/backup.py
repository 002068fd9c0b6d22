"""A data folder as one file, and back: all stores of one moment, while nothing runs, PostgreSQL's cluster wherever it lives."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import stat
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, NamedTuple

from .. import __version__
from ..engines import pgfiles
from ..engines.child import ChildRegistry
from ..errors import EcomLiteError, UsageError, in_words
from ..live.lock import RunLock
from ..settings.data_dir import CHILDREN, DRAFT, LOADERS, LOGS, OURS, POSTGRES, STATE
from ..settings.tree import Settings
from ..system import NOBODY, account_for
from .reset import delete_stores

MANIFEST: Final = "backup.json"  # the first member
FORMAT: Final = 1
QUICK: Final = 1  # gzip's level: of these files 9 makes a tenth less, in six times the time
LEFT: Final = {LOGS, STATE, CHILDREN, LOADERS}  # of the run that was, and no data

PID_FILES: Final = ("postmaster.pid", "postmaster.opts")
KEPT: Final = [name for name in OURS if name not in LEFT and not name.endswith(DRAFT)]
CLUSTER: Final = PurePosixPath(POSTGRES, pgfiles.CLUSTER)


class Made(NamedTuple):
    """`files` were put into it, or taken out of it; `size` is their bytes, `packed` those of the archive."""

    files: int
    size: int
    packed: int


@dataclass(frozen=True)
class Manifest:
    """What an archive says of itself."""

    made: str  # ISO 8601
    version: str  # of ecom_lite
    elsewhere: list[str]  # servers that it does not hold: Kafka, PostgreSQL


def backup(settings: Settings, file: Path) -> Made:
    """Write all of the data folder to `file`, a gzipped tar that only its owner may read: there are passwords in it.

    Raises AlreadyRunning while a run holds the folder, UsageError where there is nothing, or the file is there already,
    and EcomLiteError where it cannot be written. A file that is not whole is not left behind.
    """
    data_dir = settings.data_dir
    if not any((data_dir / name).exists() for name in KEPT):
        raise UsageError(f"{data_dir} holds no data: start in the folder of your run, or name its data by --data-dir")
    if file.exists():
        raise UsageError(f"{file} is there already: name another file")
    draft = file.with_name(file.name + DRAFT)
    with RunLock(data_dir, "backup"):
        ChildRegistry(data_dir / CHILDREN).cleanup()
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
                with gzip.GzipFile("", "wb", QUICK, raw) as packed, tarfile.open(mode="w|", fileobj=packed) as archive:
                    _add_manifest(archive, _manifest(settings))
                    files, size = _add_all(archive, data_dir)
                raw.flush()
                os.fsync(raw.fileno())
            draft.replace(file)
        except OSError as error:
            raise EcomLiteError(f"no backup was made: {in_words(error)}") from None
        finally:
            draft.unlink(missing_ok=True)
    return Made(files, size, file.stat().st_size)


def restore(settings: Settings, file: Path) -> tuple[Made, Manifest]:
    """Fill the data folder, which holds no data yet, from such a file.

    Raises AlreadyRunning, UsageError where there is data or the file is no backup, and EcomLiteError where it is torn or cannot
    be written: the folder then holds no data, as before.
    """
    data_dir = settings.data_dir
    try:
        # Not by tarfile's own gzip, which takes a file that ends too early for one that is over, and looks at no checksum.
        with file.open("rb") as raw, gzip.GzipFile(fileobj=raw) as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
            members = iter(archive)
            manifest = _read_manifest(archive, next(members, None), file)
            if there := [name for name in OURS if (data_dir / name).exists() and name != CHILDREN]:
                raise UsageError(
                    f"{data_dir} holds data ({', '.join(there)}): restore into another folder by --data-dir, "
                    "or `ecom_lite reset` first"
                )
            with RunLock(data_dir, "restore"):
                try:
                    files, size = _take_out(archive, members, data_dir, file)
                    while packed.read(1 << 20):  # up to the checksum over all of it
                        pass
                except BaseException:
                    delete_stores(data_dir, KEPT)
                    raise
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, UnicodeError) as error:
        raise EcomLiteError(f"{file} is no whole backup: {error}; nothing was restored") from None
    except OSError as error:
        raise EcomLiteError(f"nothing was restored: {in_words(error)}") from None
    return Made(files, size, file.stat().st_size), manifest


def _manifest(settings: Settings) -> dict[str, Any]:
    elsewhere = {"Kafka": settings.kafka.bootstrap, "PostgreSQL": settings.postgres.url.get_secret_value()}
    return {
        "format": FORMAT, "version": __version__, "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "elsewhere": [name for name, address in elsewhere.items() if address],
    }  # fmt: skip


def _add_manifest(archive: tarfile.TarFile, manifest: dict[str, Any]) -> None:
    content = json.dumps(manifest).encode()
    member = tarfile.TarInfo(MANIFEST)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, io.BytesIO(content))


def _add_all(archive: tarfile.TarFile, data_dir: Path) -> tuple[int, int]:
    files = size = 0
    for name in KEPT:
        for path, member_name in _walk(data_dir / name, PurePosixPath(name), data_dir.resolve()):
            member = archive.gettarinfo(str(path), str(member_name))
            member.uid = member.gid = 0  # whose they are is decided where they are restored
            member.uname = member.gname = ""
            if member.isdir():
                archive.addfile(member)
                continue
            member.type, member.linkname = tarfile.REGTYPE, ""  # of two names of one file each becomes its own
            member.size = path.stat().st_size
            with path.open("rb") as content:
                archive.addfile(member, content)
            files += 1
            size += member.size
    return files, size


def _walk(path: Path, name: PurePosixPath, data_dir: Path) -> Iterator[tuple[Path, PurePosixPath]]:
    """Folders and plain files, folders first. A link is what it points to, as a cluster's elsewhere; one into the data folder
    itself, sockets and pid files are left out."""
    if path.is_symlink():
        path = path.resolve()
        if path.is_relative_to(data_dir):
            return
    if path.is_dir():
        yield path, name
        for each in sorted(path.iterdir()):
            yield from _walk(each, name / each.name, data_dir)
    elif path.is_file() and path.name not in PID_FILES:
        yield path, name


def _read_manifest(archive: tarfile.TarFile, first: tarfile.TarInfo | None, file: Path) -> Manifest:
    content = archive.extractfile(first) if first is not None and first.name == MANIFEST else None
    if content is None:
        raise UsageError(f"{file} was not made by `ecom_lite backup`")
    try:
        found = json.loads(content.read())
        kind, manifest = found["format"], Manifest(str(found["made"]), str(found["version"]), list(found["elsewhere"]))
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{file} was not made by `ecom_lite backup`") from None
    if kind != FORMAT:
        raise UsageError(f"{file} was made by ecom_lite {manifest.version}, in a form unknown to this version: use that one")
    return manifest


def _take_out(archive: tarfile.TarFile, members: Iterator[tarfile.TarInfo], data_dir: Path, file: Path) -> tuple[int, int]:
    account = account_for(NOBODY)
    home: Path | None = None
    files = size = 0
    for member in members:
        name = PurePosixPath(member.name)
        ours = bool(name.parts) and name.parts[0] in KEPT and ".." not in name.parts
        if not ours or not (member.isdir() or member.isreg()):
            raise EcomLiteError(f"{file} holds {member.name!r}, which no backup has: nothing was restored")
        path, of_cluster = data_dir / name, name.is_relative_to(CLUSTER)
        if of_cluster:
            if home is None:  # linked at once: what is restored in part goes by the link
                home = pgfiles.cluster_home(data_dir / POSTGRES, account)
                pgfiles.link_cluster(data_dir / POSTGRES, home)
            path = home / name.relative_to(POSTGRES)
        if member.isdir():
            path.mkdir(mode=0o700, exist_ok=True)
        else:
            content = archive.extractfile(member)
            assert content is not None
            size += _write(content, path)
            files += 1
        path.chmod(stat.S_IMODE(member.mode))
        if of_cluster and account is not None:
            os.chown(path, account.uid, account.gid)
    return files, size


def _write(content: IO[bytes], path: Path) -> int:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        shutil.copyfileobj(content, file, 1 << 20)
        return file.tell()
