"""The lake of a round: it follows the facts in the product's own worker, whatever is struck beside it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import msgspec

from ..lake.level import wait_level
from ..run.jobs import WORKER, LakeJob
from ..settings.data_dir import LAKE_TABLES
from ..settings.show import dump_sections
from ..warehouse.connect import Address
from .expect import Violation
from .own import own_settings

EVERY_S: Final = 0.2
STOP_S: Final = 45.0
LOOK_S: Final = 0.05


class Lake:
    """`folder` is what an asker is given. `begin`, then `take_in_all`, then `close`, which may be called at any time.

    A worker that a signal ends is started again, as in a run: DuckDB ends its process where PostgreSQL dies under a ROLLBACK.
    """

    def __init__(self, address: Address, folder: Path) -> None:
        self.folder = folder
        self._address = address
        self._log = folder / "lake.log"
        settings = own_settings({"lake.every_s": EVERY_S, "lake.raw_days": 0})
        self._job = LakeJob(
            settings=dump_sections(settings, ("kafka", "events", "lake")), address=address.only("ecom_lake").by_value(),
            bootstrap="", log_level=settings.run.log_level, folder=str(folder), tables=LAKE_TABLES,
        )  # fmt: skip
        self._stop = threading.Event()
        self._failure = ""
        self._thread = threading.Thread(target=self._run, name="lake", daemon=True)

    def begin(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def take_in_all(self, patience_s: float) -> None:
        """Until all is in it that is loaded. Raises Violation where that takes longer, or where its loop ends by itself."""
        level = wait_level(self._address, patience_s, self._stop)
        if self._failure:
            raise Violation("lake", "it carries on", f"its worker ended: {self._failure}")
        if not level:
            raise Violation("lake", "all facts are in it", f"not within {patience_s:g} s: {self._said()}")
        self.close()

    def close(self) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            with self._log.open("ab") as log, subprocess.Popen(
                [sys.executable, "-m", WORKER, "lake"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log,
                start_new_session=True,
            ) as worker:  # fmt: skip
                assert worker.stdin is not None
                worker.stdin.write(msgspec.json.encode(self._job) + b"\n")
                worker.stdin.flush()
                while worker.poll() is None and not self._stop.wait(LOOK_S):
                    pass
                worker.stdin.close()  # which means stop
                try:
                    worker.wait(STOP_S)
                except subprocess.TimeoutExpired:
                    worker.kill()
            if worker.returncode > 0:
                self._failure = f"exit code {worker.returncode}: {self._said()}"
                self._stop.set()

    def _said(self) -> str:
        lines = self._log.read_text("utf-8", "replace").splitlines() if self._log.exists() else []
        return " / ".join(lines[-3:])
