"""Where people read: a rich console that sends no escape sequence for style where none is wanted (NO_COLOR, TERM=dumb)."""

from __future__ import annotations

import os
from typing import Final

from rich.console import Console

DUMB: Final = ("dumb", "unknown")


def styled() -> bool:
    """False where the user (https://no-color.org) or the terminal wants plain text: rich alone would still send bold and dim."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "").lower() not in DUMB


def console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """A console for stdout or stderr."""
    return Console(stderr=stderr, quiet=quiet, highlight=False, color_system="auto" if styled() else None)
