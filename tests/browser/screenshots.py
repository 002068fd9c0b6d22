"""Takes docs/screenshots of a live run: `make screenshots URL=http://127.0.0.1:8100/ [GRAFANA=http://127.0.0.1:3000/]`.

Each board on the page and in Grafana, the two side by side, the start page, and the page's first minute as a moving picture.
"""

from __future__ import annotations

import argparse
import io
import os
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser import board_files

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
WIDTH = 1600
SETTLE_MS = 2_500
GRAFANA_SETTLE_MS = 12_000
DRAWN = """() => {
    const panels = [...document.querySelectorAll('.panel')].filter((panel) => panel.checkVisibility());
    return panels.length > 0 && panels.every((panel) => ['drawn', 'empty', 'waiting', 'error'].includes(panel.dataset.state));
}"""
COLOURS = 255  # of a picture; boards have few
MINUTE_FRAMES, FRAME_S, FRAME_MS = 20, 3.0, 350
MINUTE_SIZE = (960, 600)
MINUTE_COLOURS = 48
SIDE_WIDTH, GAP = 900, 12


def take(url: str, grafana_url: str | None) -> None:
    """One picture per board and renderer, and of the start page."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="dark")
        for uid, document in board_files.documents().items():
            _board(tab, f"{url.rstrip('/')}/d/{uid}")
            here = _save(tab, uid, SETTLE_MS, full_page=True)
            if grafana_url:
                tab.set_viewport_size(
                    {"width": WIDTH, "height": board_files.height_px(document) + 60}
                )  # it draws what is in view
                tab.goto(f"{grafana_url.rstrip('/')}/d/{uid}?kiosk")
                there = _save(tab, f"grafana-{uid}", GRAFANA_SETTLE_MS, full_page=False)
                _keep(side_by_side(here, there), f"both-{uid}")
                tab.set_viewport_size({"width": WIDTH, "height": 900})
        tab.goto(url)
        _save(tab, "start", 2 * SETTLE_MS, full_page=True)
        browser.close()


def take_minute(url: str) -> None:
    """The real-time board in its first minute, as it is in the browser, twenty times faster than it was."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="dark")
        tab.goto(f"{url.rstrip('/')}/d/realtime-operations")
        frames = []
        for _ in range(MINUTE_FRAMES):
            began = time.monotonic()
            frames.append(Image.open(io.BytesIO(tab.screenshot())).convert("RGB").resize(MINUTE_SIZE, Image.Resampling.LANCZOS))
            tab.wait_for_timeout(max(0.0, FRAME_S - (time.monotonic() - began)) * 1000)
        browser.close()
    palette = frames[-1].quantize(MINUTE_COLOURS)
    small = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    durations = [FRAME_MS] * (len(small) - 1) + [4 * FRAME_MS]
    small[0].save(FOLDER / "first-minute.gif", save_all=True, append_images=small[1:], duration=durations, loop=0, optimize=True)


def side_by_side(here: Image.Image, there: Image.Image) -> Image.Image:
    """The page on the left, Grafana on the right, as wide as each other."""
    both = [
        image.resize((SIDE_WIDTH, round(image.height * SIDE_WIDTH / image.width)), Image.Resampling.LANCZOS)
        for image in (here, there)
    ]
    whole = Image.new("RGB", (2 * SIDE_WIDTH + GAP, max(image.height for image in both)), "#808080")
    for at, image in enumerate(both):
        whole.paste(image, (at * (SIDE_WIDTH + GAP), 0))
    return whole


def _board(tab: Page, address: str) -> None:
    tab.goto(address)
    tab.wait_for_function(DRAWN)


def _save(tab: Page, name: str, settle_ms: int, full_page: bool) -> Image.Image:
    tab.wait_for_timeout(settle_ms)
    image = Image.open(io.BytesIO(tab.screenshot(full_page=full_page))).convert("RGB")
    _keep(image, name)
    return image


def _keep(image: Image.Image, name: str) -> None:
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="of the built-in page of a run")
    parser.add_argument("grafana", nargs="?", help="of the run's Grafana")
    parser.add_argument("--minute", action="store_true", help="only the moving picture, of a run that has just begun")
    asked = parser.parse_args()
    if asked.minute:
        take_minute(asked.url)
    else:
        take(asked.url, asked.grafana)
