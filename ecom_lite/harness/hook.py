"""What victim processes have in common: the hook that strikes at a named point, and the lines that they are told and say."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ..errors import EcomLiteError
from ..observe.logs import setup_stderr_logs

WAIT_S: Final = 30.0


class Hook:
    """Called at each point; acts at the n-th time of the one that it was told."""

    def __init__(self, strike: Mapping[str, Any] | None, go: threading.Event) -> None:
        self._strike = strike or {"point": "", "nth": 0, "act": ""}
        self._seen: Counter[str] = Counter()
        self._go = go

    def __call__(self, point: str) -> None:
        self._seen[point] += 1
        if point != self._strike["point"] or self._seen[point] != self._strike["nth"]:
            return
        say({"at": point, "nth": self._seen[point]})
        match self._strike["act"]:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                # To this thread: one to the process may meet another first, and this one goes on to its COMMIT.
                signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
            case "wait":
                self._go.wait(WAIT_S)


Job = Mapping[str, Any]
Work = Callable[[threading.Event], object]  # until the event is set, or its end; raises EcomLiteError


def victim(make: Callable[[Job, Hook], Work]) -> int:
    """What a victim's process does: read its job, do the work, say how it ended. 0, or the exit code of the error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told = told_lines()
    job = next(told, None)
    if job is None:
        return 0  # a spare that was not needed
    setup_stderr_logs("info")
    stop, go = threading.Event(), threading.Event()
    work = make(job, Hook(job["strike"], go))
    listen(told, go.set, stop.set)
    try:
        work(stop)
    except EcomLiteError as error:
        say({"error": str(error)})
        return error.exit_code
    say({"done": True})
    return 0


def say(message: Mapping[str, object]) -> None:
    """One line on stdout, in one write: whatever happens next, it is out."""
    os.write(1, (json.dumps(message, default=str) + "\n").encode())


def told_lines() -> Iterator[Mapping[str, Any]]:
    """What comes on stdin, until it ends."""
    rest = b""
    while chunk := os.read(0, 65_536):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from map(json.loads, lines)


def listen(told: Iterator[Mapping[str, Any]], go: Callable[[], None], stop: Callable[[], None]) -> None:
    """In a thread: a further line means go on, the end means stop."""

    def run() -> None:
        for _ in told:
            go()
        go()
        stop()

    threading.Thread(target=run, name="stdin", daemon=True).start()
