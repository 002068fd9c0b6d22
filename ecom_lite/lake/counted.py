"""What the lake holds, in figures: for checks, which compare it with the facts, or ask it instead of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import duckdb

from ..errors import QueryError, first_line
from ..warehouse.connect import Address
from ..warehouse.duck import close, literal
from ..warehouse.sqlfiles import read_sql
from .reader import open_lake

RATE: Final = "DECIMAL(20, 12)"  # as in warehouse.rates; with a revenue of 18 digits it makes the 38 that there are


@dataclass(frozen=True)
class Lines:
    """Order lines of one currency and UTC day, loaded after so many of the cuts. `revenue` is in that currency."""

    segment: int
    currency: str
    day: date
    lines: int
    revenue: Decimal


class Counted:
    """One snapshot of the lake, taken as it is made: whatever was loaded below `below` is in it. Asked while it is open.

    Where it cannot be read, `problem` says why, and it holds nothing.
    """

    def __init__(self, address: Address, lake_dir: Path | None = None) -> None:
        self.problem = ""
        self.below = self.returns = self.changes = 0
        self._lake: duckdb.DuckDBPyConnection | None = None
        try:
            self._lake = open_lake(address, lake_dir)
            self._lake.begin()
            ((self.returns, self.changes, newest),) = self._ask("counted_others")
            self.below = (newest or -1) + 1
        except QueryError as error:
            self.problem = str(error)
        except duckdb.Error as error:
            self._give_up(error)

    def __enter__(self) -> Counted:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._lake is not None:
            close(self._lake)

    def sales(self, cuts: Sequence[int]) -> list[Lines]:
        """All of its order lines; `below` is that of the whole lake from then on."""
        try:
            found = self._ask("counted", segment=_segment(cuts))
        except duckdb.Error as error:
            self._give_up(error)
            return []
        self.below = max([self.below, *(newest + 1 for *_, newest in found)])
        return [Lines(*row) for *row, _ in found]

    def converted(
        self, cuts: Sequence[int], rates: Iterable[tuple[str, date, Decimal]], decimals: int
    ) -> list[tuple[int, int, Decimal]]:
        """Of the order lines of these currencies and days: segment, lines, and what they are worth by these rates."""
        named = ", ".join(f"({literal(currency)}, {literal(day)}::DATE, {rate}::{RATE})" for currency, day, rate in rates)
        try:
            return self._ask("converted", segment=_segment(cuts), rates=named, decimals=decimals) if named else []
        except duckdb.Error as error:
            self._give_up(error)
            return []

    def _ask(self, name: str, **values: object) -> list[Any]:
        if self._lake is None:
            return []
        return self._lake.execute(read_sql(__package__, name).decode().format(**values)).fetchall()

    def _give_up(self, error: duckdb.Error) -> None:
        self.problem = f"the lake cannot be read: {first_line(error)}"


def _segment(cuts: Sequence[int]) -> str:
    return " + ".join(f"(load_xid >= {cut})::INTEGER" for cut in cuts) or "0"
