"""What a measurement costs: CPU time by part, the machine's idle time, a process's memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Final, NamedTuple

import psutil

SAMPLE_S: Final = 0.2


class Usage(NamedTuple):
    """A reading of the clocks, in seconds: `parts` are user and system CPU time; `idle_s` is that of all cores together."""

    at_s: float
    parts: Mapping[str, float]
    idle_s: float

    @classmethod
    def now(cls, pids: Mapping[str, int]) -> Usage:
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        own = time.process_time()  # without our children, which are the parts
        return cls(time.monotonic(), {**{name: _cpu_s(pid) for name, pid in pids.items()}, "bench": own}, idle)

    def since(self, before: Usage) -> Usage:
        parts = {name: used - before.parts.get(name, 0.0) for name, used in self.parts.items()}
        return Usage(self.at_s - before.at_s, parts, self.idle_s - before.idle_s)

    def cores_busy(self) -> float:
        """Of a difference: how many cores were at work, on average, whoever used them."""
        return max(0.0, (psutil.cpu_count() or 1) - self.idle_s / self.at_s) if self.at_s else 0.0

    def cores_others(self) -> float:
        """Of a difference: how many of them were at work for none of the parts."""
        return max(0.0, self.cores_busy() - sum(self.parts.values()) / self.at_s) if self.at_s else 0.0


def _cpu_s(pid: int) -> float:
    """User and system time of a process and its children, those that have ended too."""
    total = 0.0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for member in [process, *process.children(recursive=True)]:
            with suppress(psutil.Error):
                times = member.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total


class Memory:
    """Samples the resident memory of one process, five times a second. Use as a context manager."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="bench-memory", daemon=True)
        self.start_bytes = self.peak_bytes = self._process.memory_info().rss
        self._seen = [(time.monotonic(), self.start_bytes)]

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        self._thread.join(timeout=5)
        self._look()

    def growth_bytes(self) -> int:
        """From what it was after a quarter of the time to the highest of what came then."""
        begun, ended = self._seen[0][0], self._seen[-1][0]
        later = [size for at, size in self._seen if at >= begun + (ended - begun) / 4]
        return max(later) - later[0]

    def _sample(self) -> None:
        while not self._end.wait(SAMPLE_S):
            self._look()

    def _look(self) -> None:
        with suppress(psutil.Error):
            now = self._process.memory_info().rss
            if now:  # 0: it has ended
                self.peak_bytes = max(self.peak_bytes, now)
                self._seen.append((time.monotonic(), now))
