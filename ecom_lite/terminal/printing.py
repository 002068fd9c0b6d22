"""How data looks on stdout: plain tables that survive a pipe, numbers, log lines."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import zlib
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from .screen import PLAIN, shown, visible

COLOURS: Final = ("red", "green", "yellow", "blue", "magenta", "cyan")


def print_table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Widths from the cells, no frame. Where the terminal has no room for a row side by side, or in plain mode, each row stands
    for itself, its cells named."""
    table = [list(columns), *rows]
    cells = [["" if value is None else shown(str(value)) for value in row] for row in table]
    screen = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    if os.environ.get(PLAIN):
        for row in cells[1:]:
            print(named_row(cells[0], row))
        return
    if screen is not None and max(len("  ".join(row)) for row in _padded(cells)) > screen:
        for number, row in enumerate(cells[1:]):
            if number:
                print()
            for line in _named(cells[0], row):
                wrapped = textwrap.wrap(
                    line, max(screen, 10), subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
                )
                print("\n".join(wrapped) or line)
        return
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for number, row in enumerate(cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def named_row(names: Sequence[str], row: Sequence[str]) -> str:
    """A row of a table as one line, for plain mode."""
    return "; ".join(_named(names, row))


def _padded(cells: Sequence[Sequence[str]]) -> list[list[str]]:
    """The last cell of a row needs no room behind it."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    return [[cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)] + [row[-1]] for row in cells]


def _named(names: Sequence[str], row: Sequence[str]) -> list[str]:
    """`name: cell` of those that are not empty."""
    return [f"{name}: {cell}" if name else cell for name, cell in zip(names, row, strict=True) if cell.strip()]


def thousands(value: Any) -> str:
    """1,234 for whole numbers, 1,234.50 for amounts of any scale, anything else as it is."""
    if isinstance(value, Decimal) and value.is_finite():
        whole, point, cents = f"{value:,f}".partition(".")
        return f"{whole}.{cents.rstrip('0'):0<2}" if point else whole
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
