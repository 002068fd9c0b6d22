"""The small text table in the log: the newest minute that has ended, by category."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

Line = tuple[datetime, str, Decimal, int, int, int]  # window start, category, revenue, orders, lines, units
HEADS: Final = ("category", "revenue", "orders", "lines", "units")
NAME_WIDTH: Final = 24


def render(lines: Sequence[Line]) -> str:
    """The table with a title and, for several categories, a total. Orders are not added up: one may be in two categories."""
    cells = [
        (_clip(name), f"{revenue:,.2f}", f"{orders:,}", f"{count:,}", f"{units:,}")
        for _, name, revenue, orders, count, units in lines
    ]
    if len(lines) > 1:
        revenue = sum((line[2] for line in lines), Decimal(0))
        cells.append(("all", f"{revenue:,.2f}", "", f"{sum(line[4] for line in lines):,}", f"{sum(line[5] for line in lines):,}"))
    widths = [max(len(row[column]) for row in [HEADS, *cells]) for column in range(len(HEADS))]
    table = [
        "  ".join(
            text.ljust(width) if column == 0 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [HEADS, *cells]
    ]
    return "\n".join([f"sales in the minute from {lines[0][0]:%Y-%m-%d %H:%M} UTC", *table])


def _clip(name: str) -> str:
    return name if len(name) <= NAME_WIDTH else name[: NAME_WIDTH - 1] + "…"
