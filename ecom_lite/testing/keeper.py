"""`python -m ecom_lite.testing.keeper JOB`: a process that holds the engines of a test session while a lease is held.

It is a process of its own because any worker of pytest-xdist may be killed, and the others go on. It waits for the lock file of
the leases alone: it has it when the last test process is gone, however that ended. Then the engines and the folder go. When the
keeper itself is killed the system ends the engines (engines/launch.py), and the next session clears the folder.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from ..system import lock
from .lease import LEASE, SOCKET
from .line import hear, say

START_S: Final = 90.0


@dataclass
class _Client:
    """A test process: its lines (one, or one more for each question that it was interrupted in), and the topics made for it."""

    lines: set[Connection] = field(default_factory=set)
    topics: set[str] = field(default_factory=set)


class Keeper:
    """Answers the test processes: each line of one has a thread here."""

    def __init__(self, folder: Path, listener: socket.socket, flags: dict[str, str]) -> None:
        self._folder = folder
        self._listener = listener
        self._flags = flags
        self._lock = threading.Lock()
        self._clients: dict[str, _Client] = {}
        self._polite = False  # the last one has said good-bye
        self._shared: Future[Any] = Future()

    def run(self) -> None:
        """Until the last lease ends."""
        threading.Thread(target=self._open, name="open", daemon=True).start()
        threading.Thread(target=self._accept, name="accept", daemon=True).start()
        with (self._folder / LEASE).open("r+") as lease:
            try:
                lock(lease)
            finally:
                self._end()

    def _open(self) -> None:
        try:
            from .shared import Shared

            shared = Shared(self._folder, self._flags)
        except BaseException as error:  # told to whoever asks
            self._shared.set_exception(error)
            return
        self._shared.set_result(shared)
        shared.settle()

    def _end(self) -> None:
        """Nobody is left. A start that is going on comes to its end first: it leaves folders where nobody would look."""
        polite, shared = self._polite, None
        with suppress(Exception):
            shared = self._shared.result(START_S)
            shared.stop(polite)
        (self._folder / SOCKET).unlink(missing_ok=True)  # whoever waits for the end of the engines waits for this
        if shared is None:
            from .shared import clear

            clear(self._folder)
        else:
            if polite:
                shared.quicken()
            shared.remove()

    def _accept(self) -> None:
        while True:
            link, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(Connection(link.detach()),), name="line", daemon=True).start()

    def _serve(self, line: Connection) -> None:
        client = ""
        with suppress(OSError, EOFError):
            while True:
                what, *arguments = hear(line)
                if what == "hello":
                    client = str(arguments[0])
                    with self._lock:
                        self._clients.setdefault(client, _Client()).lines.add(line)
                    if arguments[1]:
                        say(line, ("", None))
                elif what == "bye":
                    self._polite = self._gone(client)
                    say(line, ("", self._polite))
                    break
                else:
                    say(line, self._answer(what, arguments, client))
        with self._lock:
            lines = self._clients[client].lines if client in self._clients else set()
            lines.discard(line)
        if not lines:  # else it was interrupted in a question, and has another one
            self._gone(client)

    def _gone(self, client: str) -> bool:
        """What it had goes. True when nobody else is there."""
        with self._lock:
            found = self._clients.pop(client, None)
            alone = not self._clients
        if found is not None and found.topics:
            self._shared.result().drop(found.topics)
        return alone

    def _answer(self, what: str, arguments: list[Any], client: str) -> tuple[str, Any]:
        try:
            answer = self._shared.result().answer(what, *arguments)
        except Exception as error:
            return type(error).__name__, str(error)
        if what == "open":
            with self._lock:
                self._clients[client].topics.add(answer["topic"])
        return "", answer


def _leave(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def main() -> None:
    job = json.loads(sys.argv[1])
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Keeper(Path(job["folder"]), socket.socket(fileno=job["socket"]), job["flags"]).run()
    os._exit(0)  # daemon threads of clients would be waited for


if __name__ == "__main__":
    main()
