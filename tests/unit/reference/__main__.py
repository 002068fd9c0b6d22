"""Writes docs/settings.md, docs/verbs.md and docs/events.md: `python -m tests.unit.reference`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from . import events, settings, verbs

DOCS: Final = Path(__file__).parents[3] / "docs"
PAGES: Final[dict[str, Callable[[], str]]] = {
    "settings.md": settings.render,
    "verbs.md": verbs.render,
    "events.md": events.render,
}
MADE: Final = "<!-- Made by `python -m tests.unit.reference` from {}. Do not edit by hand. -->"


def main() -> int:
    """Write the files."""
    for name, render in PAGES.items():
        (DOCS / name).write_text(render(), "utf-8")
        sys.stderr.write(f"wrote docs/{name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
