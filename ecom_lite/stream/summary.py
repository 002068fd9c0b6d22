"""The small text table in the log: the newest minute that has ended, by category."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from ..contract.rejected import printable

Line = tuple[datetime, str, Decimal | None, int, int, int]  # window start, category, revenue, orders, lines, units
HEADS: Final = ("category", "revenue", "orders", "lines", "units")
NAME_WIDTH: Final = 24
MOST: Final = 20  # categories with a line of their own
NO_RATE: Final = "no rate"  # of a category that was sold in such currencies only


def render(lines: Sequence[Line]) -> str:
    """The table with a title and, for several categories, a total. Orders are not added up: one may be in two categories."""
    cells = [
        (_clip(name), _money(revenue), f"{orders:,}", f"{count:,}", f"{units:,}")
        for _, name, revenue, orders, count, units in lines[:MOST]
    ]
    if others := lines[MOST:]:
        cells.append(_together(f"{len(others):,} more", others))
    if len(lines) > 1:
        cells.append(_together("all", lines))
    widths = [max(len(row[column]) for row in [HEADS, *cells]) for column in range(len(HEADS))]
    table = [
        "  ".join(
            text.ljust(width) if column == 0 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [HEADS, *cells]
    ]
    return "\n".join([f"sales in the minute from {lines[0][0]:%Y-%m-%d %H:%M} UTC", *table])


def _together(name: str, lines: Sequence[Line]) -> tuple[str, str, str, str, str]:
    known = [line[2] for line in lines if line[2] is not None]
    total = _money(sum(known, Decimal(0)) if known else None)
    return name, total, "", f"{sum(line[4] for line in lines):,}", f"{sum(line[5] for line in lines):,}"


def _money(revenue: Decimal | None) -> str:
    return NO_RATE if revenue is None else f"{revenue:,.2f}"


def _clip(name: str) -> str:
    """What an event says may neither break the line nor speak to the terminal that shows the log."""
    name = printable(name)
    return name if len(name) <= NAME_WIDTH else name[: NAME_WIDTH - 1] + "…"
