"""A page of a real browser, and what is needed to open one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import pytest

from tests.runs import DEADLINE_S, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

ROOT = Path(__file__).resolve().parents[2]
BOARDS = ROOT / "grafana" / "dashboards"
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = [
    *(
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ),
    *("--no-first-run", "--disable-quic"),
]
# The browser's own line on an answer that there is no room now: what was asked is asked again.
NO_ROOM = "the server responded with a status of 503"
Scheme = Literal["dark", "light"]
SCHEMES: tuple[Scheme, ...] = ("dark", "light")
WIDTH, HEIGHT = 1600, 1900  # high enough for Grafana to draw every panel of a board

needs_browser = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM} (set CHROMIUM)"),
    pytest.mark.timeout(240),
]


def settle(page: Page, milliseconds: float) -> None:
    """Let what runs to its value or its size get there: so long, and two frames more, which a busy machine draws late."""
    page.wait_for_timeout(milliseconds)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))")


class Tab:
    """One page of the browser, and everything that went wrong or went elsewhere in it."""

    def __init__(self, browser: Browser, scheme: Scheme, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.page.set_default_timeout(1000 * DEADLINE_S)
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and NO_ROOM not in message.text:
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme in ("http", "https", "ws", "wss") and url.hostname != "127.0.0.1":
            self.foreign.append(url.geturl())

    def states(self) -> dict[str, str]:
        """Of each panel that is shown: those of a row that is closed are not."""
        found: dict[str, str] = self.page.evaluate(
            "Object.fromEntries([...document.querySelectorAll('.panel')].filter(p => p.checkVisibility())"
            ".map(p => [p.dataset.panel, p.dataset.state]))"
        )
        return found

    def wait(self, holds: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
        def pause(seconds: float) -> None:
            self.page.wait_for_timeout(1000 * seconds)  # its events arrive meanwhile

        wait_for(holds, lambda: f"{what}: {self.states()} {self.complaints}", deadline_s, pause)
