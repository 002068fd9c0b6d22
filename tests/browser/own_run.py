"""A run for pictures: its own data folder and free ports, ended and deleted after."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ecom_lite.engines.grafana import HOME_VARIABLE, find_grafana
from ecom_lite.engines.ports import free_port
from tests.runs import wait_for

BUILT_GRAFANA = Path("~/.cache/ecom_lite/grafana").expanduser()
PROGRAM = (sys.executable, "-m", "ecom_lite")
DEADLINE_S = 600.0
POLL_S = 1.0  # a question is a process of its own

Status = dict[str, Any]


class OwnRun:
    """A run that this process has started."""

    def __init__(self, data_dir: Path, log: Path, env: dict[str, str]) -> None:
        self._data_dir, self._log, self._env = data_dir, log, env

    def status(self) -> Status:
        asked = [*PROGRAM, "status", "--json", "--data-dir", str(self._data_dir)]
        said = subprocess.run(asked, env=self._env, capture_output=True, text=True, check=False).stdout
        found: Status = json.loads(said) if said.strip() else {}
        return found

    def wait(self, ready: Callable[[Status], object], what: str) -> Status:
        found: Status = wait_for(
            lambda: status if ready(status := self.status()) else None,
            lambda: f"{what}; the run says: {self._log.read_text('utf-8')[-400:]}",
            DEADLINE_S,
            pause=lambda _: time.sleep(POLL_S),
        )
        return found


@contextmanager
def own_run(*options: str) -> Iterator[OwnRun]:
    with tempfile.TemporaryDirectory(prefix="ecom_lite-pictures-") as folder:
        env = dict(os.environ)
        if find_grafana() is None and (BUILT_GRAFANA / "bin" / "grafana").is_file():
            env[HOME_VARIABLE] = str(BUILT_GRAFANA)
        data_dir = Path(folder) / "data"
        said = Path(folder) / "run.log"
        with said.open("wb") as log:
            child = subprocess.Popen(
                [*PROGRAM, "run", "--data-dir", str(data_dir), "--port", str(free_port()), *options],
                env=env, cwd=folder, stdout=log, stderr=log,
            )  # fmt: skip
            try:
                yield OwnRun(data_dir, said, env)
            finally:
                child.terminate()
                child.wait(timeout=90)
