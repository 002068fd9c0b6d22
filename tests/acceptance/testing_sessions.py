"""Sessions of pytest as users have them, for the tests of the plugin: each in a project and a temporary folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from tests.runs import is_alive, wait_for

ROOT: Final = Path(__file__).resolve().parents[2]
SESSION_S: Final = 240
GONE_S: Final = 240.0  # before it goes, the first keeper of all makes an archive of Kafka's classes, at the lowest priority
# Whether the entry point is loaded or not: the environment of our tests may have been made before there was one.
PLUGIN: Final = ("-p", "ecom_lite.testing", "-p", "no:cacheprovider")


class Project:
    """A folder with tests, and what its sessions leave: processes and folders."""

    def __init__(self, folder: Path, tests: str, options: str = "") -> None:
        self.folder, self.temporary = folder / "project", folder / "tmp"
        self.folder.mkdir()
        self.temporary.mkdir()
        (self.folder / "pyproject.toml").write_text(f"[tool.pytest.ini_options]\n{options}\n", "utf-8")
        (self.folder / "test_mine.py").write_text(tests, "utf-8")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "ECOM_LITE_"))}
        self.env = {**inherited, "PYTHONPATH": str(ROOT), "TMPDIR": str(self.temporary), "OUT": str(folder)}

    def command(self, *options: str) -> list[str]:
        return [sys.executable, "-m", "pytest", *PLUGIN, *options]

    def run(self, *options: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*options), cwd=self.folder, env={**self.env, **(env or {})}, capture_output=True, text=True,
            timeout=SESSION_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @contextmanager
    def started(self, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        """A session that goes on; it is killed at the end of the block."""
        with (self.folder / "output").open("wb") as out:
            session = subprocess.Popen(
                self.command(*options), cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
        try:
            yield session
        finally:
            session.kill()
            session.wait()

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text("utf-8", "replace")

    def keepers(self) -> list[psutil.Process]:
        """The processes that hold engines for a session in here."""
        return keepers(self.temporary)

    def wait_gone(self) -> None:
        """No keeper, no folder of a session."""
        wait_for(lambda: not self.keepers() and not self.left(), lambda: f"gone: {self.keepers()}, {self.left()}", GONE_S)

    def left(self) -> list[Path]:
        return list(self.temporary.glob("ecom_lite_*"))


def keepers(temporary: Path, of: int | None = None) -> list[psutil.Process]:
    """Those of sessions whose temporary folder this is, or of the one session with this pid; not what a keeper has forked, and is
    not yet the program that it is to be."""
    found = {}
    for process in psutil.process_iter():
        try:
            command, parent = process.cmdline(), process.ppid()
        except psutil.Error:
            continue
        if "ecom_lite.testing.keeper" in command and str(temporary) in command[-1] and is_alive(process):
            found[process] = parent
    pids = {process.pid for process in found}
    return [process for process, parent in found.items() if parent not in pids and of in (None, parent)]


def family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def named(processes: Iterable[psutil.Process]) -> dict[str, psutil.Process]:
    """By name, one of each. A session of PostgreSQL may end between two looks: it has none any more."""
    found = {}
    for process in processes:
        try:
            found[process.name()] = process
        except psutil.Error:
            continue
    return found
