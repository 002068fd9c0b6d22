"""Takes docs/screenshots: of a run of its own, or of one that is up: `make screenshots URL=http://127.0.0.1:8100/ [GRAFANA=...]`.

Each board on the page and in Grafana, the two side by side, the start page; `make first-minute`: a run's first minute as a moving
picture.
"""

from __future__ import annotations

import argparse
import io
import os
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.browser import board_files
from tests.browser.own_run import Status, own_run

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
WIDTH = 1600
SETTLE_MS = 2_500
GRAFANA_SETTLE_MS = 8_000
DRAWN = """() => {
    const panels = [...document.querySelectorAll('.panel')].filter((panel) => panel.checkVisibility());
    return panels.length > 0 && panels.every((panel) => ['drawn', 'empty', 'waiting', 'error'].includes(panel.dataset.state));
}"""
COLOURS = 255  # of a picture; boards have few
CHAIN_SETTLE_MS = 1_000
MINUTE_S, FRAME_S, FRAME_MS, LAST_FRAME_MS = 64.0, 2.0, 400, 2_500
MINUTE_STOPS = ((0.0, ""), (16.0, "d/realtime-operations"), (50.0, "d/business-intelligence"))  # second, page
MINUTE_VIEW: ViewportSize = {"width": 1440, "height": 960}
MINUTE_SIZE = (960, 640)
MINUTE_COLOURS = 128
STAMP_SIZE = 18
MINUTE_RUN = ("--light", "--history", "60d")  # loaded and in the marts within the minute
LATE_MINUTES_S = 3_600
PICTURE_RUN = ("--history", "60d")
SIDE_WIDTH, GAP = 900, 12


def take(url: str, grafana_url: str | None) -> None:
    """One picture per board and renderer, and of the start page."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="dark")
        for uid, document in board_files.documents().items():
            _open(tab, f"{url.rstrip('/')}/d/{uid}")
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
    """The first minute as it is in the browser, some times faster than it was: the chain, then two boards."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport=MINUTE_VIEW, color_scheme="dark")
        frames, first, stops = [], time.monotonic(), list(MINUTE_STOPS)
        while (at := time.monotonic() - first) <= MINUTE_S:
            if stops and at >= stops[0][0]:
                _open(tab, f"{url.rstrip('/')}/{stops.pop(0)[1]}")
                at = time.monotonic() - first
            image = Image.open(io.BytesIO(tab.screenshot())).convert("RGB").resize(MINUTE_SIZE, Image.Resampling.LANCZOS)
            frames.append(_stamped(image, at))
            tab.wait_for_timeout(max(0.0, first + at + FRAME_S - time.monotonic()) * 1000)
        browser.close()
    palette = _beside_each_other(frames[0], frames[len(frames) // 2], frames[-1]).quantize(MINUTE_COLOURS)
    small = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    durations = [FRAME_MS] * (len(small) - 1) + [LAST_FRAME_MS]
    small[0].save(FOLDER / "first-minute.gif", save_all=True, append_images=small[1:], duration=durations, loop=0, optimize=True)


def _stamped(image: Image.Image, seconds: float) -> Image.Image:
    """With the time since the first frame in the corner."""
    text, font = f"{seconds:.0f} s", ImageFont.load_default(STAMP_SIZE)
    draw = ImageDraw.Draw(image)
    x, y = image.width - 14, image.height - 10
    left, top, right, bottom = draw.textbbox((x, y), text, font=font, anchor="rs")
    draw.rounded_rectangle((left - 8, top - 6, right + 8, bottom + 6), 6, fill="#0b0d10")
    draw.text((x, y), text, font=font, anchor="rs", fill="#e8eaed")
    return image


def _beside_each_other(*images: Image.Image) -> Image.Image:
    whole = Image.new("RGB", (sum(image.width for image in images), max(image.height for image in images)))
    for at, image in enumerate(images):
        whole.paste(image, (at * image.width, 0))
    return whole


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


def _open(tab: Page, address: str) -> None:
    tab.goto(address)
    if "/d/" in address:
        tab.wait_for_function(DRAWN)
    else:
        tab.wait_for_timeout(CHAIN_SETTLE_MS)


def _save(tab: Page, name: str, settle_ms: int, full_page: bool) -> Image.Image:
    tab.wait_for_timeout(settle_ms)
    image = Image.open(io.BytesIO(tab.screenshot(full_page=full_page))).convert("RGB")
    _keep(image, name)
    return image


def _keep(image: Image.Image, name: str) -> None:
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


def _page_of(status: Status) -> str | None:
    found: str | None = status.get("addresses", {}).get("dashboards")
    return found


def _is_full(status: Status) -> bool:
    """All of the past is in the marts, for whose runs dbt waits, and in the minutes by Spark."""
    stream = status.get("stream") or {}
    minutes = stream.get("watermark_lag_s") or 0
    return status.get("history") == "sent" and (status.get("dbt") or {}).get("status") == "success" and minutes < LATE_MINUTES_S


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?", help="of the built-in page of a run that is up; without it one is started")
    parser.add_argument("grafana", nargs="?", help="of that run's Grafana")
    parser.add_argument("--minute", action="store_true", help="only the moving picture, of a run that has just begun")
    asked = parser.parse_args()
    if asked.url:
        take_minute(asked.url) if asked.minute else take(asked.url, asked.grafana)
    elif asked.minute:
        with own_run(*MINUTE_RUN) as run:
            take_minute(_page_of(run.wait(_page_of, "page")) or "")
    else:
        with own_run(*PICTURE_RUN) as run:
            found = run.wait(_is_full, "marts of all days")
            take(_page_of(found) or "", found["addresses"].get("grafana"))


if __name__ == "__main__":
    main()
