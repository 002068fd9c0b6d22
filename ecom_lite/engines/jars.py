"""Owns the jars our engines need: the lock that names them, the cache that holds them, and how they get there.

`jars.lock` (coordinates and sha256, no address) is made from `jgo.toml` by `python -m ecom_lite.engines.relock`.
No jar is used, or even put in place, before its sha256 matches the lock. With everything cached, no network is touched.
"""

from __future__ import annotations

import hashlib
import os
import threading
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from ecom_lite.engines.download import Interrupted, copy, download
from ecom_lite.errors import JarError, without_login
from ecom_lite.system import lock

LOCK = Path(__file__).with_name("jars.lock")
PARALLEL_DOWNLOADS = 4

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def path(self) -> str:
        """Where a Maven repository keeps it, relative to the repository's root."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.filename}"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


@cache
def load_lock(path: Path = LOCK) -> dict[str, tuple[Jar, ...]]:
    """The groups of the lock and their jars. Raises JarError when the file cannot be read."""
    try:
        groups = tomllib.loads(path.read_text("utf-8"))
        return {group: tuple(Jar(**entry) for entry in entries) for group, entries in groups.items()}
    except (OSError, tomllib.TOMLDecodeError, TypeError, AttributeError) as error:
        raise JarError(f"The jar lock {path} cannot be read: {error}. Install ecom_lite again.") from error


def default_cache_dir() -> Path:
    """The per-user cache folder, shared by all data folders."""
    return Path(platformdirs.user_cache_dir("ecom_lite"))


class JarCache:
    """The jars on this machine, in Maven layout under `cache_dir`/jars; another machine may use it as `offline_dir`.

    `mirror`: base address of a repository in Maven layout, instead of Maven Central.
    `offline_dir`: a folder with the jars, flat or in Maven layout; when given, the network is never used.
    Jars of the user's local Maven repository are used too when their hash is right.
    """

    def __init__(
        self,
        cache_dir: Path | None = None,
        mirror: str | None = None,
        offline_dir: Path | None = None,
        *,
        lock: Path = LOCK,
        local_maven: Path | None = None,
    ) -> None:
        if mirror is not None and urlsplit(mirror).scheme not in ("http", "https"):
            raise JarError(
                f"The jar mirror {without_login(mirror)!r} is not an http or https address of a Maven-layout repository."
            )
        self.root = (cache_dir or default_cache_dir()) / "jars"
        self._mirror = mirror
        self._offline_dir = offline_dir
        self._lock_path = lock
        self._local_maven = local_maven

    def jars(self, group: str) -> tuple[Jar, ...]:
        """The jars of a group of the lock, in classpath order."""
        groups = load_lock(self._lock_path)
        if group not in groups:
            raise JarError(f"The jar lock has no group {group!r}; it has {', '.join(sorted(groups))}.")
        return groups[group]

    def missing(self, group: str) -> list[Jar]:
        """The jars of the group that are not in the cache, or are there with a wrong hash."""
        return [jar for jar in self.jars(group) if _sha256(self.root / jar.path) != jar.sha256]

    def classpath(self, group: str) -> list[Path]:
        """The jar files of the group, each checked against the lock. Raises JarError when any is missing or changed."""
        files = []
        for jar in self.jars(group):
            file = self.root / jar.path
            got = _sha256(file)
            if got != jar.sha256:
                state = "is not in the jar cache" if got is None else f"has sha256 {got}, expected {jar.sha256},"
                raise JarError(f"Jar {jar} {state} at {file}. Fetch the {group!r} jars again: that replaces it.")
            files.append(file)
        return files

    def fetch(self, group: str, progress: Progress | None = None) -> list[Path]:
        """Get every missing jar of the group and return its classpath. Blocks; does nothing when all are there.

        `progress(name, done_bytes, total_bytes)` is called from several threads, one at a time; total 0: unknown.
        Interrupted downloads are resumed by the next call. Raises JarError with the first failure.
        """
        if not self.missing(group):
            return self.classpath(group)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with self._one_fetcher():
                self._get_all(self.missing(group), progress)
        except OSError as error:
            raise JarError(f"The jar cache {self.root} cannot be written: {error}. Set another cache folder.") from error
        return self.classpath(group)

    def _get_all(self, jars: list[Jar], progress: Progress | None) -> None:
        stop = threading.Event()
        turn = threading.Lock()

        def get(jar: Jar) -> None:
            def tell(done: int, total: int) -> None:
                if progress is not None:
                    with turn:
                        progress(jar.filename, done, total)

            try:
                self._get(jar, tell, stop)
            except BaseException:
                stop.set()
                raise

        with ThreadPoolExecutor(PARALLEL_DOWNLOADS, thread_name_prefix="jars") as pool:
            jobs = [pool.submit(get, jar) for jar in jars]
            try:
                errors = [error for job in jobs if (error := job.exception()) is not None]
            except BaseException:
                stop.set()
                raise
        for error in sorted(errors, key=lambda error: isinstance(error, Interrupted)):
            raise error

    def _get(self, jar: Jar, tell: Callable[[int, int], None], stop: threading.Event) -> None:
        target = self.root / jar.path
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        refused = ""
        for source in self._local_files(jar):
            if source.is_file():
                draft = target.with_name(target.name + ".copy")
                got = copy(source, draft)
                if got == jar.sha256:
                    draft.replace(target)
                    part.unlink(missing_ok=True)
                    tell(target.stat().st_size, target.stat().st_size)
                    return
                draft.unlink()
                refused = f" {source} was refused: expected sha256 {jar.sha256}, got {got}."
        if self._offline_dir is not None:
            raise JarError(
                f"Jar {jar} is not in the offline folder {self._offline_dir} (looked for "
                f"{jar.filename}, flat and in Maven layout).{refused} Put it there, or unset the offline folder."
            )
        url = f"{(self._mirror or _central()).rstrip('/')}/{jar.path}"
        resumed = part.exists()
        got = download(url, part, what=f"jar {jar}", tell=tell, stop=stop)
        if got != jar.sha256 and resumed:  # the old part may be the bad one: once more from the start
            part.unlink()
            got = download(url, part, what=f"jar {jar}", tell=tell, stop=stop)
        if got != jar.sha256:
            part.unlink()
            raise JarError(
                f"Jar {jar} from {urlsplit(url).hostname} was refused and deleted: expected sha256 {jar.sha256}, "
                f"got {got}. Check the mirror or proxy: it does not serve the original file."
            )
        part.replace(target)

    def _local_files(self, jar: Jar) -> Iterator[Path]:
        if self._offline_dir is not None:
            yield self._offline_dir / jar.filename
            yield self._offline_dir / jar.path
        maven = self._local_maven or Path(os.environ.get("M2_REPO") or Path.home() / ".m2" / "repository")
        yield maven / jar.path

    @contextmanager
    def _one_fetcher(self) -> Iterator[None]:
        """Only one process at a time writes to the cache; the next finds the work done."""
        with (self.root / ".lock").open("w") as file:
            lock(file)
            yield


def _central() -> str:
    from jgo.constants import MAVEN_CENTRAL_URL

    return str(MAVEN_CENTRAL_URL)


def _sha256(path: Path) -> str | None:
    """Hex digest of a file; None when there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None
