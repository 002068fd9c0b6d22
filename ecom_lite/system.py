"""What not every system has, each with the way that is left without it: docs/platforms.md tells them.

Ending with the parent, an account without rights, a lower priority, long names of sockets, names that go with a process, files in
memory, pages that are shared. Locks and sessions are here, or used as they are: Linux and macOS have both. ECOM_LITE_BARE=1 goes
without what only some have, for tests.
"""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import pwd
import re
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from .errors import EngineError

BARE: Final = "ECOM_LITE_BARE"
NOBODY: Final = "nobody"
WITHOUT_RIGHTS: Final = (NOBODY, "daemon", "bin")  # a system has one of them
LONGEST_SOCKET: Final = 99  # bytes; the system's limit is 107, or 103 on macOS
IN_MEMORY: Final = Path("/dev/shm")
LOWEST: Final = (("nice", "-n", "19"), ("ionice", "-c", "3"))


def is_bare() -> bool:
    """Whether to do without what only some systems have."""
    return os.environ.get(BARE) == "1"


def is_linux() -> bool:
    """Whether what only Linux has is to be used."""
    return sys.platform == "linux" and not is_bare()


# --- locks ---


def lock(file: IO[str] | int, *, shared: bool = False, wait: bool = True) -> bool:
    """Lock an open file until it is closed or its process ends. False where another has it, with `wait=False`."""
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


# --- accounts ---


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs a server instead of root."""

    name: str
    uid: int
    gid: int


def is_root() -> bool:
    return os.geteuid() == 0


def is_ours(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid()


def account_for(user: str) -> Account | None:
    """The account to run a server as, another one without rights where there is no `nobody`; None when we are not root and it
    runs as we do. Raises EngineError."""
    if not is_root():
        return None
    names = [user] if user != NOBODY else WITHOUT_RIGHTS[1:] if is_bare() else WITHOUT_RIGHTS
    for name in names:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            if entry.pw_uid == 0:
                raise EngineError(
                    f"PostgreSQL refuses to run as root (user {name!r}). Set an unprivileged account, such as nobody."
                )
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise EngineError(f"this machine has no such account: {' or '.join(names)}, which a server shall run as instead of root")


# --- the end of the parent ---


class LifeLine:
    """Where the system sends no signal at a parent's death: a pipe whose writing end only this process has. It closes with it,
    however it ends, and the watcher that engines/launch.py leaves behind then ends the child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends: tuple[int, int] | None = None
        os.register_at_fork(after_in_child=self._let_go)

    def reading_end(self) -> int | None:
        """To be passed to a child; None where the system tells it by itself."""
        if is_linux():
            return None
        with self._lock:
            if self._ends is None:
                self._ends = os.pipe()
            return self._ends[0]

    def _let_go(self) -> None:
        """In a forked child: it must not keep alive what is its parent's."""
        for end in self._ends or ():
            os.close(end)
        self._lock, self._ends = threading.Lock(), None


life_line: Final = LifeLine()


# --- priorities ---


def step_back(nice: int) -> None:
    """This thread, and those it starts, leave the cores to others. Where a priority is the whole process's: nothing."""
    if is_linux():
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)


def at_lowest_priority() -> list[str]:
    """What to put before a command: as far as this machine has it."""
    return [word for command in LOWEST if is_linux() and shutil.which(command[0]) for word in command]


# --- sockets ---


@contextmanager
def socket_address(folder: Path, name: str) -> Iterator[str]:
    """The path of a Unix socket, short enough for the system. Of a folder with a long name it is one that leads there meanwhile:
    Linux has one for each open file; elsewhere it is a link in /tmp."""
    path = str(folder / name)
    if len(os.fsencode(path)) <= LONGEST_SOCKET:
        yield path
    elif is_linux():
        handle = os.open(folder, os.O_RDONLY)
        try:
            yield f"/proc/self/fd/{handle}/{name}"
        finally:
            os.close(handle)
    else:
        with tempfile.TemporaryDirectory(prefix="ecom_lite_", dir="/tmp") as short:
            link = Path(short) / "f"
            link.symlink_to(folder, target_is_directory=True)
            yield str(link / name)


def hold_name(name: str) -> socket.socket | None:
    """Have a name, among all processes of this network, until what is returned is closed, or the process ends. None where the
    system has no names that go with their process. Raises FileExistsError where another process has it."""
    if not is_linux():
        return None
    held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        held.bind(f"\0ecom_lite {name}")
    except OSError as error:
        held.close()
        if error.errno == errno.EADDRINUSE:
            raise FileExistsError(name) from None
        return None
    return held


# --- files in memory ---


def memory_folder(room: int = 0) -> Path | None:
    """Where files are kept in memory, with more than `room` bytes free. None where the system has no such folder, programs may
    not be loaded from it, or TMPDIR says where what is temporary shall be."""
    with suppress(OSError):
        if is_linux() and not os.environ.get("TMPDIR") and os.access(IN_MEMORY, os.W_OK | os.X_OK):
            found = os.statvfs(IN_MEMORY)
            if found.f_bavail * found.f_frsize > room and not found.f_flag & os.ST_NOEXEC:
                return IN_MEMORY
    return None


# --- the machine ---


def proportional_bytes(pid: int) -> int | None:
    """Memory of a process, where a page that several share counts in part; None where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() if is_linux() else ():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return None


def processor() -> str:
    """Its name, as far as the system tells."""
    text = ""
    with suppress(OSError):
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace") if is_linux() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()
