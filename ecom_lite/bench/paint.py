"""How soon a browser that has nothing of the page yet shows it: the first paint, and all panels."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from statistics import median
from typing import Final, NamedTuple

LOADS: Final = 5
DEADLINE_MS: Final = 60_000
CHROMIUM: Final = "CHROMIUM"  # the variable that names one
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
_DRAWN: Final = """() => {
    const panels = [...document.querySelectorAll('.panel')].filter(panel => panel.checkVisibility());
    return panels.length > 0 && panels.every((panel) => ['drawn', 'empty'].includes(panel.dataset.state)) && performance.now();
}"""
_PAINTED: Final = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


class Painted(NamedTuple):
    """Milliseconds since the browser was told the address; the middle one of LOADS loads, each with an empty cache."""

    first_paint_ms: float
    all_panels_ms: float


def paint(url: str, uids: Sequence[str]) -> tuple[dict[str, Painted], str]:
    """Of each board; nothing, and why, where there is no browser to ask."""
    browser = os.environ.get(CHROMIUM) or next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        return {}, f"no Chromium on PATH (set {CHROMIUM})"
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return {}, "playwright is not installed (it comes with `make install`, not with the package)"
    found = {}
    try:
        with sync_playwright() as driver:
            started = driver.chromium.launch(executable_path=browser, args=list(ARGUMENTS))
            for uid in uids:
                loads = []
                for _ in range(LOADS):
                    context = started.new_context(viewport={"width": 1440, "height": 900})
                    tab = context.new_page()
                    tab.goto(f"{url}d/{uid}", wait_until="commit")
                    drawn = tab.wait_for_function(_DRAWN, polling="raf", timeout=DEADLINE_MS).json_value()
                    loads.append((float(tab.evaluate(_PAINTED) or drawn), float(drawn)))
                    context.close()
                found[uid] = Painted(median(first for first, _ in loads), median(last for _, last in loads))
            started.close()
    except Error as error:
        return {}, f"{browser}: {str(error).splitlines()[0]}"
    return found, ""
