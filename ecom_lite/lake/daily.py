"""The marts' days in the lake: after a run of dbt the days whose figures are others than before, each as a new row."""

from __future__ import annotations

import psycopg

from ..warehouse.sqlfiles import read_sql
from .writer import Writer


class Daily:
    """Call it between two passes of the writer. Most calls ask for the newest run of dbt and no more.

    It keeps nothing that counts: what is in the lake is compared with the mart, so a day that was taken in is not taken in again.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._seen: tuple[psycopg.Connection, int] | None = None  # by a writer that was opened anew, nothing

    def __call__(self) -> int:
        """How many days were taken in. Raises LakeBroken."""
        ((run,),) = self._writer.read(read_sql(__package__, "daily_run"))
        if run is None or self._seen == (self._writer.warehouse, run):
            return 0
        values = {"query_": read_sql(__package__, "read_daily").decode()}
        ((days,),) = self._writer.carry_out(read_sql(__package__, "add_daily").decode(), **values)
        self._seen = self._writer.warehouse, run
        return int(days)
