"""How data looks on stdout: plain tables that survive a pipe, numbers, log lines."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from typing import Any, Final

from .screen import shown, visible

COLOURS: Final = ("red", "green", "yellow", "blue", "magenta", "cyan")


def print_table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Widths from the cells, no frame."""
    table = [list(columns), *rows]
    cells = [["" if value is None else shown(str(value)) for value in row] for row in table]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for number, row in enumerate(cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def thousands(value: Any) -> str:
    """1,234 for whole numbers, anything else as it is."""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def log_printer(*, one: bool) -> Callable[[str, str], None]:
    """Prints (part, line) of a log: with the part before it, coloured on a terminal; not for `one` part alone."""
    from .console import console  # rich: a table does without

    out = console()
    if one or not out.is_terminal:
        return lambda name, line: print(line if one else f"{name:<10} | {line}", flush=True)

    from rich.text import Text

    def coloured(name: str, line: str) -> None:
        out.print(
            Text.assemble((f"{name:<10} |", COLOURS[zlib.crc32(name.encode()) % len(COLOURS)]), f" {visible(line)}"),
            soft_wrap=True,
        )

    return coloured
