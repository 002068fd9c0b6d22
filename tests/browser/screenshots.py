"""Takes docs/screenshots of a live page: `python -m tests.browser.screenshots http://127.0.0.1:8100/ [GRAFANA_URL]`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
UIDS = ("realtime-operations", "business-intelligence")
WIDTH = 1600
GRAFANA_HEIGHTS = dict(zip(UIDS, (1230, 1610), strict=True))  # Grafana draws only what is in view
SETTLE_MS = 1_500
GRAFANA_SETTLE_MS = 8_000


def take(url: str, grafana_url: str | None) -> None:
    """One picture per board and renderer."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="dark")
        for uid in UIDS:
            tab.goto(f"{url.rstrip('/')}/d/{uid}")
            tab.wait_for_selector('.panel[data-state="drawn"]')
            tab.wait_for_selector('.panel[data-state="loading"]', state="detached")
            _save(tab, uid, SETTLE_MS, full_page=True)
        for uid in UIDS if grafana_url else ():
            tab.set_viewport_size({"width": WIDTH, "height": GRAFANA_HEIGHTS[uid]})
            tab.goto(f"{str(grafana_url).rstrip('/')}/d/{uid}?kiosk")
            _save(tab, f"grafana-{uid}", GRAFANA_SETTLE_MS, full_page=False)
        browser.close()


def _save(tab: Page, name: str, settle_ms: int, full_page: bool) -> None:
    tab.wait_for_timeout(settle_ms)
    tab.screenshot(path=FOLDER / f"{name}.png", full_page=full_page)


if __name__ == "__main__":
    take(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
