"""The docs as a site: built as `make site` does, with no network and without a warning, and looked at."""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.browser.tab import ROOT, Tab, needs_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NOWHERE = "http://127.0.0.1:9"  # nobody listens on the port of discard
LOOKED_AT = ("index", "tour", "tables", "SETUP", "decisions/index")
WIDTHS = (1280, 390)
DEADLINE_MS = 120_000


def alone() -> list[str]:
    """What makes a command one without a network, where this machine lets us: a network namespace of its own."""
    unshare = [shutil.which("unshare") or "", "-rn"]
    return unshare if unshare[0] and not subprocess.run([*unshare, "true"], capture_output=True).returncode else []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site. A link or an anchor that leads nowhere, or a page that is not in the navigation, is a warning."""
    folder = tmp_path_factory.mktemp("site")
    proxies = {name: NOWHERE for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")}
    said = subprocess.run(
        [*alone(), sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, env={**os.environ, **proxies, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert said.returncode == 0 and not re.search("WARNING|ERROR", said.stderr), said.stdout + said.stderr
    return folder


class Loads(HTMLParser):
    """What a page loads by itself; a link that a reader may follow is none of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "a":
            self.found += [value for name, value in attrs if name in ("src", "href", "srcset", "data") and value]


def test_it_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 70
    for page in pages:
        assert not [url for url in Loads(page.read_text("utf-8")).found if re.match(r"(\w+:)?//", url)], page
    for style in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(\w+:)?//", style.read_text("utf-8")), style


def test_every_page_of_the_repository_is_on_it_and_every_decision_is_listed(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        place = page.relative_to(ROOT / "docs").with_suffix(".html")
        assert (site / place).exists() or (site / place.with_name("index.html")).exists(), page
    listed = (site / "decisions" / "index.html").read_text("utf-8")
    for record in (ROOT / "docs" / "decisions").glob("[0-9]*.md"):
        assert f'href="{record.stem}.html"' in listed, record
    assert not list(site.rglob("*.py"))


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(site)))
    Thread(target=server.serve_forever, name="site", daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


class TestLookedAt:
    pytestmark = needs_browser

    @pytest.mark.parametrize("width", WIDTHS)
    def test_no_page_is_wider_than_its_window_or_asks_another_machine(
        self, browser: Browser, address: str, width: int, tmp_path: Path
    ) -> None:
        pictures = Path(os.environ.get("ECOM_LITE_SITE_PICTURES", tmp_path))
        tab = Tab(browser, "light", width, 900)
        tab.page.set_default_timeout(DEADLINE_MS)
        for name in LOOKED_AT:
            tab.page.goto(f"{address}{name}.html", wait_until="networkidle")
            assert tab.page.evaluate("document.documentElement.scrollWidth") <= width, name
            broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
            assert tab.page.evaluate(broken) == [], name
            tab.page.screenshot(path=pictures / f"{name.replace('/', '-')}-{width}.png")
        assert tab.foreign == [] and tab.complaints == []
        tab.page.close()

    def test_its_search_finds_a_page(self, browser: Browser, address: str) -> None:
        tab = Tab(browser, "dark", WIDTHS[0], 900)
        tab.page.set_default_timeout(DEADLINE_MS)
        tab.page.goto(f"{address}index.html?q=dead+letters")
        tab.page.wait_for_selector(".md-search-result__item a[href*='dead_letters.html']", state="attached")
        assert tab.foreign == [] and tab.complaints == []
        tab.page.close()
