"""Where people read: a rich console with no sequences but ours, and none for style where none is wanted (NO_COLOR, TERM=dumb)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from .screen import unprotected, visible

DUMB: Final = ("dumb", "unknown")


class _Console(Console):
    """Text is visible text on a terminal: only styles, and the live view's cursor, act on it."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control or not self.is_terminal else segment._replace(text=visible(segment.text))


def styled() -> bool:
    """False where the user (https://no-color.org) or the terminal wants plain text: rich alone would still send bold and dim."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "").lower() not in DUMB


def console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """A console for stdout or stderr."""
    file = unprotected(sys.stderr if stderr else sys.stdout)
    return _Console(file=file, quiet=quiet, highlight=False, color_system="auto" if styled() else None)
