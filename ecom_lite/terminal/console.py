"""Where people read: a rich console with no sequences but ours, none for style where none is wanted (NO_COLOR, TERM=dumb), and
neither style nor redrawing in plain mode."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable
from contextlib import suppress
from typing import IO, Any, Final, cast

from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from .screen import PLAIN, unprotected, visible

DUMB: Final = ("dumb", "unknown")
MIN_COLUMNS: Final = 10
NARROW_COLUMNS: Final = 76  # what the picture of a run needs


class _Talk:
    """stderr: where nobody hears it any more (its terminal is closed, its pipe has no reader, its disk is full) what is said is
    lost, and that ends nothing: a run outlives the terminal that it was begun on."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Console(Console):
    """Text is visible text on a terminal: only styles, and the live view's cursor, act on it."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control or not self.is_terminal else segment._replace(text=visible(segment.text))


def plain() -> bool:
    """True where nothing may be redrawn and words stand for colours and symbols: the user says so, for a screen reader, or the
    terminal is a dumb one."""
    return bool(os.environ.get(PLAIN)) or _dumb()


def _dumb() -> bool:
    return os.environ.get("TERM", "").lower() in DUMB


def narrow(console: Console) -> bool:
    """A terminal on which pictures of several columns have no room."""
    return console.is_terminal and console.width < NARROW_COLUMNS


def print_wrapped(console: Console, text: Text) -> None:
    """On a terminal lines are broken between words, and a word that is longer than a line (an address) is left whole, to be
    copied; elsewhere nothing is broken."""
    if not console.is_terminal:
        console.print(text, soft_wrap=True)
        return
    pieces: list[str] = []
    for line in text.plain.split("\n"):
        indent = line[: len(line) - len(line.lstrip(" "))]
        pieces += textwrap.wrap(
            line, max(console.width, MIN_COLUMNS), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        ) or [""]
    console.print(Text("\n".join(pieces), style=text.style), soft_wrap=True)


def styled() -> bool:
    """False where the user (https://no-color.org) or the terminal wants plain text: rich alone would still send bold and dim."""
    return not os.environ.get("NO_COLOR") and not plain()


def console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """A console for stdout or stderr."""
    file = cast(IO[str], _Talk(unprotected(sys.stderr))) if stderr else unprotected(sys.stdout)
    made = _Console(file=file, quiet=quiet, highlight=False, color_system="auto" if styled() else None)
    if made.is_dumb_terminal:  # which rich takes for 80 wide, whatever it is
        made.size = ConsoleDimensions(*shutil.get_terminal_size())
    return made
