"""The lake of a round: it follows the facts by the product's own loop, whatever is struck beside it."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Final

from ..lake.level import wait_level
from ..lake.service import LakeService
from ..observe.figures import LakeFigures, WorkerReport
from ..settings.data_dir import LAKE_TABLES
from ..settings.tree import Lake as LakeSettings
from ..warehouse.connect import Address
from .expect import Violation

EVERY_S: Final = 0.2
STOP_S: Final = 20.0


class Lake:
    """`folder` is what an asker is given. `begin`, then `take_in_all`, then `close`, which may be called at any time."""

    def __init__(self, address: Address, folder: Path) -> None:
        self.folder = folder
        self._address = address
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._waits_for = ""
        logging.getLogger("ecom_lite.lake").addHandler(logging.NullHandler())  # what it waits for is told by a Violation
        settings = LakeSettings(every_s=EVERY_S)
        self._service = LakeService(settings, address.only("ecom_lake"), folder / LAKE_TABLES, self._told)
        self._thread = threading.Thread(target=self._run, name="lake", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def take_in_all(self, patience_s: float) -> None:
        """Until all is in it that is loaded. Raises Violation where that takes longer, or where its loop ends by itself."""
        level = wait_level(self._address, patience_s, self._stop)
        if self._failure is not None:
            raise Violation("lake", "it carries on", f"its loop ended: {self._failure!r}")
        if not level:
            raise Violation("lake", "all facts are in it", f"not within {patience_s:g} s {self._waits_for}".strip())
        self.close()

    def close(self) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)

    def _run(self) -> None:
        try:
            self._service.run(self._stop)
        except BaseException as error:
            self._failure = error
            self._stop.set()

    def _told(self, report: WorkerReport[LakeFigures]) -> None:
        self._waits_for = report.waiting_for
