"""`ecom_lite demo` as a child of a test, or of whoever records it: its words as they come, its processes, its page."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import psutil

from tests.runs import COMMAND, DEADLINE_S, GONE_S, wait_for, wait_until_gone

END_S = 500.0


class RunningDemo:
    """In the folder `cwd`, which its own folder is made in. `said` are its lines, each with the seconds since it began."""

    def __init__(self, cwd: Path, *options: str, hear: Callable[[float, str], None] = lambda seconds, line: None) -> None:
        self.said: list[tuple[float, str]] = []
        self.known: dict[int, psutil.Process] = {}
        self._began, self._hear = time.monotonic(), hear
        env = {**os.environ, "ECOM_LITE_GRAFANA__ENABLED": "false"}
        self.process = subprocess.Popen(
            [*COMMAND, "demo", *options], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=env, start_new_session=True,
        )  # fmt: skip
        self._reading = Thread(target=self._read, name="demo's words", daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            seconds = time.monotonic() - self._began
            self.said.append((seconds, line.rstrip("\n")))
            self._hear(seconds, line.rstrip("\n"))

    @property
    def text(self) -> str:
        return "\n".join(line for _, line in self.said)

    def note(self) -> None:
        """Remember its processes of now."""
        with suppress(psutil.Error):
            parent = psutil.Process(self.process.pid)
            self.known |= {process.pid: process for process in [parent, *parent.children(recursive=True)]}

    def until(self, words: str) -> None:
        def there() -> bool:
            self.note()
            assert self.process.poll() is None, self.text
            return words in self.text

        wait_for(there, lambda: f"{words!r} in: {self.text}", END_S)

    def story(self) -> Any:
        """What the page shows of it; {} before it is up."""
        url = next((line.split()[-1] for _, line in list(self.said) if line.startswith("  dashboards  ")), "")
        if not url:
            return {}
        try:
            with urllib.request.urlopen(f"{url}api/story", timeout=30) as answer:
                return json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):  # not up any more, or gone in the middle of its answer
            return {}

    def end(self, look: Callable[[], object] = lambda: None) -> tuple[int, str]:
        """Its exit code, and what it printed on stdout."""

        def ended() -> bool:
            self.note()
            look()
            return self.process.poll() is not None

        wait_for(ended, lambda: f"the demo ends; it said: {self.text}", END_S)
        self._reading.join(DEADLINE_S)
        assert self.process.stdout is not None
        return self.process.returncode, self.process.stdout.read()

    def close(self) -> None:
        """However the test went: nothing of it is left."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(60)
            self.process.kill()
        wait_until_gone(self.known.values(), GONE_S)
