"""How data looks on stdout: plain tables that survive a pipe, numbers, log lines."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from .console import styled


def print_table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Widths from the cells, no frame."""
    cells = [[str(column) for column in columns], *[["" if value is None else str(value) for value in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for number, row in enumerate(cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def thousands(value: Any) -> str:
    """1,234 for whole numbers, anything else as it is."""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def log_line(*, one: bool) -> Callable[[str, str], str]:
    """How (part, line) of a log looks: with the part before it, coloured on a terminal; not for `one` part alone."""
    if one:
        return lambda name, line: line
    if not (sys.stdout.isatty() and styled()):
        return lambda name, line: f"{name:<10} | {line}"
    return lambda name, line: f"\x1b[{31 + zlib.crc32(name.encode()) % 6}m{name:<10} |\x1b[0m {line}"
