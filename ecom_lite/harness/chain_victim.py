"""`python -m ecom_lite.harness.chain_victim MUTATION run ...`: the program itself, with a door for what has no process.

A line on stdin: "page" ends the page's server. MUTATION is how the run is broken first, or `none`.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading

from ..run import page_part, services
from .chain_mutations import TWICE, WORKER

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


if __name__ == "__main__":
    mutation, *arguments = sys.argv[1:]
    sys.argv = ["ecom_lite", *arguments]
    vars(services)["PageService"] = StruckPage
    if mutation == TWICE:
        vars(services)["WORKER"] = WORKER
    threading.Thread(target=listen, name="door", daemon=True).start()
    runpy.run_module("ecom_lite", run_name="__main__")
