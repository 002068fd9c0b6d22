"""Owns a test process's share in the engines of its session: the lock file that is the lease, the keeper's birth, the line to it.

All workers of one pytest-xdist session name the same folder. Each holds its lock file shared for as long as it lives, however it
ends: the system lets go of the lock then. The keeper waits to have it alone, and ends with the engines. Imports little.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import EngineError
from ..system import is_ours, is_root, lock, memory_folder, socket_address
from .line import hear, say

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

PREFIX: Final = "ecom_lite_testing_"
LEASE: Final = "lease.lock"
STARTING: Final = "starting.lock"
SOCKET: Final = "keeper.sock"
LOG: Final = "keeper.log"
POLL_S: Final = 0.01
GONE_S: Final = 20.0  # so long the last one waits for the end of the engines
SHOWN_BYTES: Final = 2_000
ROOM_BYTES: Final = 2 << 30  # a session of small tests has some 50 MB of files


class Lease:
    """A share in the engines of session `run_id`, which start with the first one and end with the last. `flags` are settings, by
    dotted name; those of who comes first count. For any thread.
    """

    def __init__(self, run_id: str, flags: Mapping[str, str]) -> None:
        self.folder = _folder(run_id)
        self._flags = dict(flags)
        self._lock = threading.Lock()
        self._file = -1
        self._line: Connection | None = None
        self._over = ""  # why there is no share any more
        self._id = uuid.uuid4().hex

    def take(self) -> None:
        """Have the engines begin to start, or join those that are there. Returns at once; twice is fine. Raises EngineError."""
        with self._lock:
            self._join()

    def ask(self, what: str, *arguments: Any) -> Any:
        """What the keeper answers. Blocks, while the engines start too. Raises what it raises, and EngineError where it has
        died: the next one then starts anew. Who is interrupted (Ctrl-C) may ask again: the answer is not waited for."""
        with self._lock:
            line = self._join()
            answered = False
            try:
                say(line, (what, *arguments))
                kind, answer = hear(line)
                answered = True
            except (OSError, EOFError) as error:
                raise EngineError(f"the keeper of the engines has died ({error!r}).{_end_of(self.folder / LOG)}") from error
            finally:
                if not answered:  # what comes on this line is no answer to the next question
                    self._line = None
                    with suppress(OSError, EOFError):
                        self._line = self._connect(known=True)  # before the other one goes: we are still there
                    line.close()
        if kind:
            raise _raised(kind, answer)
        return answer

    def close(self, topic: str) -> None:
        """A topic is not needed any more. Where the line was lost the keeper knows, or is not there."""
        if self._line is not None:
            self.ask("close", topic)

    def give_back(self) -> None:
        """Give up the share, for good. The last one waits until the engines are gone. Twice is fine, and before `take`."""
        with self._lock:
            line, self._line = self._line, None
            file, self._file = self._file, -1
            self._over = "the engines of this session were given back already"
            last = False
            if line is not None:
                with suppress(OSError, EOFError):
                    say(line, ("bye",))
                    last = hear(line)[1]
                line.close()
            if file >= 0:
                os.close(file)
        give_up = time.monotonic() + GONE_S
        while last and (self.folder / SOCKET).exists() and time.monotonic() < give_up:
            time.sleep(POLL_S)

    def _join(self) -> Connection:
        if self._over:
            raise EngineError(self._over)
        try:
            if self._file < 0:
                self._file = _shared(self.folder)
                os.register_at_fork(after_in_child=self._forget)
            if self._line is None:
                with _alone(self.folder / STARTING):
                    self._line = self._connect() or self._start()
        except OSError as error:
            raise EngineError(f"no folder for the engines of this session: {error}; set TMPDIR to another") from error
        return self._line

    def _start(self) -> Connection:
        """The keeper has a session of its own: neither Ctrl-C nor the death of who started it ends it. It finds its socket
        open."""
        path = self.folder / SOCKET
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            with socket_address(self.folder, SOCKET) as address:
                listener.bind(address)
            path.chmod(0o600)
            listener.listen(64)
            listener.setblocking(True)  # whatever the tests' socket.setdefaulttimeout says: the keeper gets it as it is
            job = json.dumps({"folder": str(self.folder), "socket": listener.fileno(), "flags": self._flags})
            root = str(Path(__file__).parents[2])
            environment = {
                **{name: value for name, value in os.environ.items() if not name.startswith("PG")},  # see settings/libpq.py
                "PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), root])),
                "PYTHONWARNINGS": "",  # where they are errors kafka-python could not be imported
            }  # fmt: skip
            with (self.folder / LOG).open("ab") as log:
                keeper = subprocess.Popen(
                    [sys.executable, "-P", "-m", "ecom_lite.testing.keeper", job], stdin=subprocess.DEVNULL, stdout=log,
                    stderr=log, env=environment, pass_fds=[listener.fileno()], start_new_session=True,
                )  # fmt: skip
                keeper.returncode = 0  # nobody waits for it: a warning of that is an error in many a project
        line = self._connect()  # now that the keeper alone has the socket: with it ends our line
        if line is None:
            raise EngineError(f"the keeper of the engines did not start.{_end_of(self.folder / LOG)}")
        return line

    def _connect(self, *, known: bool = False) -> Connection | None:
        """A line to the keeper; None where none listens. With `known` it has heard of us when this returns. Raises OSError and
        EOFError."""
        from multiprocessing.connection import Connection

        link = socket.socket(socket.AF_UNIX)
        link.setblocking(True)  # whatever the tests' socket.setdefaulttimeout says
        try:
            with socket_address(self.folder, SOCKET) as address:
                link.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            link.close()
            return None
        line = Connection(link.detach())
        say(line, ("hello", self._id, known))
        if known:
            hear(line)
        return line

    def _forget(self) -> None:
        """In a forked child: the lease is its parent's, and ends with it."""
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file, self._line, self._lock = -1, None, threading.Lock()
            self._over = "the engines are those of the process that this one was forked from: ask for them there"


def _folder(run_id: str) -> Path:
    """That of the session: in memory where there is room, or where one of its processes has found some. Raises EngineError."""
    # A run id may be the user's own (--testrunuid): of any length, with any characters.
    name = PREFIX + hashlib.sha256(run_id.encode("utf-8", "replace")).hexdigest()[:16]
    # In memory: a database has 300 files, and after some have gone ext4 takes up to 2 ms to make one (decision 60).
    memory = memory_folder()
    if memory is not None and ((memory / name).is_dir() or memory_folder(ROOM_BYTES)):
        return memory / name
    try:
        return Path(tempfile.gettempdir()) / name
    except OSError as error:
        raise EngineError(f"no folder for the engines of this session: {error}; set TMPDIR to another") from error


def _shared(folder: Path) -> int:
    """The lock file, held shared. While a keeper goes it is held by that, and the folder with it is about to go: then once
    more."""
    while True:
        folder.mkdir(mode=0o711 if is_root() else 0o700, exist_ok=True)  # PostgreSQL runs as nobody where we are root
        if not is_ours(folder.stat()):
            raise PermissionError(f"{folder} is another user's")
        with suppress(FileNotFoundError):
            file = os.open(folder / LEASE, os.O_RDWR | os.O_CREAT, 0o600)
            lock(file, shared=True)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file), (folder / LEASE).stat()):
                    return file
            os.close(file)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        lock(file)
        yield


def _raised(kind: str, message: str) -> Exception:
    from .. import errors

    known = getattr(errors, kind, errors.EcomLiteError)
    return TimeoutError(message) if kind == "TimeoutError" else known(message)


def _end_of(log: Path) -> str:
    try:
        text = log.read_text("utf-8", "replace")[-SHOWN_BYTES:].strip()
    except OSError:
        return ""
    return f" Its log {log} ends:\n{text}" if text else ""
