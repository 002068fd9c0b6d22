"""`python -m ecom_lite.harness.chain_victim MUTATION run ...`: the program itself, with a door for what has no process.

A line on stdin: "page" ends the page's server. MUTATION names how the run is broken first, or is `none`.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from ..__main__ import main
from ..run import marts, page_part, services
from .chain_mutations import FORGETFUL, TWICE, WORKER, forgetful_project

_pages: list[page_part.PageService] = []


class StruckPage(page_part.PageService):
    """One that the door can end: its server is gone then, as after an accident."""

    def start(self) -> None:
        super().start()
        _pages[:] = [self]


def listen() -> None:
    """Until stdin ends."""
    rest = b""
    while chunk := os.read(0, 1024):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line == b"page" and _pages:
                _pages[0].stop()


def break_it(mutation: str, data_dir: Path) -> None:
    """Before anything is started."""
    if mutation == TWICE:
        vars(services)["WORKER"] = WORKER
    elif mutation == FORGETFUL:
        project = forgetful_project(data_dir)
        vars(marts)["bundled"] = lambda name: project


if __name__ == "__main__":
    mutation, *arguments = sys.argv[1:]
    sys.argv = ["ecom_lite", *arguments]
    vars(services)["PageService"] = StruckPage
    break_it(mutation, Path(arguments[arguments.index("--data-dir") + 1]))
    threading.Thread(target=listen, name="door", daemon=True).start()
    main()
