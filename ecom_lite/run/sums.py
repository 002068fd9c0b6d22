"""What is kept of the facts for those who look all the time: sums over all, and the minutes where Spark does not make them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..warehouse.connect import Address

if TYPE_CHECKING:  # imported with the first pass
    from ..rollups import Rollups
    from ..stream.light import LightMinutes


class Sums:
    """`refresh` brings them up to the facts; `where` is asked once the warehouse is up. For any thread.

    A minute is closed when events of `watermark_s` after its end have come.
    """

    def __init__(self, where: Callable[[], Address], *, minutes: bool, watermark_s: float = 120.0) -> None:
        self._where = where
        self._minutes = minutes
        self._watermark_s = watermark_s
        self._lock = threading.Lock()
        self._rollups: Rollups | None = None
        self._light: LightMinutes | None = None

    def refresh(self) -> None:
        """One pass over what is new. Raises psycopg.Error when PostgreSQL cannot be reached."""
        from ..rollups import Rollups
        from ..stream.light import LightMinutes

        address = self._where().only("ecom_stream")
        with self._lock:
            if self._rollups is None:
                self._rollups = Rollups(address, watermark_s=self._watermark_s)
            self._rollups.refresh()
        if self._minutes:
            if self._light is None:
                self._light = LightMinutes(address)
            self._light.refresh()
