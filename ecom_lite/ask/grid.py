"""A table for people: columns side by side, numbers to the right, no wider and no longer than the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from .formats import text

GAP: Final = "  "
CUT: Final = "…"
NARROWEST: Final = 12  # a text column is cut down to so many characters before columns are left out


@dataclass(frozen=True)
class Grid:
    """The lines, and the columns that had no room."""

    lines: list[str]
    left_out: list[str]


def grid(columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int | None, visible: Callable[[str], str] = str) -> Grid:
    """No frame. With a `width` long texts are cut, then columns at the right left out; without one nothing is. `visible` spells
    out what would act on the terminal."""
    right = [_is_number([row[i] for row in rows]) for i in range(len(columns))]
    cells = [[_cell(value, visible) for value in row] for row in [columns, *rows]]
    widths = [max(columns_of(row[i]) for row in cells) for i in range(len(columns))]
    shown = len(columns)
    if width is not None:
        least = [wide if to_the_right else min(wide, NARROWEST) for wide, to_the_right in zip(widths, right, strict=True)]
        while shown > 1 and _total(least[:shown]) > width:
            shown -= 1
        widths = _fitted(widths[:shown], right, width)
    lines = [_line(row[:shown], widths, right) for row in cells]
    lines.insert(1, GAP.join("-" * wide for wide in widths[:shown]))
    return Grid(lines, list(columns[shown:]))


def columns_of(line: str) -> int:
    """How many columns of a terminal it takes: two for East Asian wide characters, none for marks on the one before."""
    if line.isascii():
        return len(line)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def cut(line: str, width: int) -> str:
    """At most so wide; what is cut ends in an ellipsis."""
    if columns_of(line) <= width:
        return line
    kept, room = "", width - 1
    for character in line:
        room -= columns_of(character)
        if room < 0:
            break
        kept += character
    return kept + CUT


def _cell(value: Any, visible: Callable[[str], str]) -> str:
    return visible(text(value).replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t"))


def _is_number(values: Sequence[Any]) -> bool:
    kinds = {type(value) for value in values if value is not None}
    return bool(kinds) and kinds <= {int, float, Decimal}


def _fitted(widths: Sequence[int], right: Sequence[bool], width: int) -> list[int]:
    """Text columns cut, always the widest, until all fit or none may be cut further."""
    fitted = list(widths)
    while (over := _total(fitted) - width) > 0:
        texts = [i for i in range(len(fitted)) if not right[i] and fitted[i] > NARROWEST]
        if not texts:
            break
        widest = max(texts, key=lambda i: fitted[i])
        second = max((fitted[i] for i in texts if fitted[i] < fitted[widest]), default=NARROWEST)
        fitted[widest] -= min(over, max(1, fitted[widest] - second))
    return fitted


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    placed = []
    for cell, wide, to_the_right in zip(cells, widths, right, strict=False):
        shown = cut(cell, wide)
        blank = " " * (wide - columns_of(shown))
        placed.append(blank + shown if to_the_right else shown + blank)
    return GAP.join(placed).rstrip()
