"""A real browser on alerts: on the start page those that fire come first and say what to do; each board's bar counts them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from ecom_lite.dashboards import Page
from ecom_lite.observe.figures import AlertFigures
from ecom_lite.observe.status import RunStatus
from ecom_lite.warehouse.connect import Address
from tests.browser.made_boards import write_board
from tests.browser.tab import BOARDS, CHROMIUM, SCHEMES, Scheme, Tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM} (set CHROMIUM)")

NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {"ecom_reader": "none"})  # no query is asked here
AT = "2026-11-27T12:00:00+00:00"
ALERTS = {
    "disk": AlertFigures(title="The disk is nearly full", severity="critical", state="ok", since=AT, at=AT, told="70 GB free"),
    "lag": AlertFigures(
        title="The loader is <b>behind</b>", severity="critical", state="firing", since=AT, at=AT, told="75 s (fires above 60)",
        what_to_do="Look at `ecom_lite status`.", board="pipeline-health",
    ),
    "returns": AlertFigures(
        title="More comes back than usual", severity="warning", state="unknown", since=AT, at=AT,
        problem="nothing to compare with", board="javascript:alert(1)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [390, 1440])
def test_the_card_shows_how_the_alerts_stand(browser: Browser, tmp_path: Path, scheme: Scheme, width: int) -> None:
    now = [RunStatus(state="running", alerts=ALERTS)]
    page = Page(NOWHERE, BOARDS, "127.0.0.1", 0, lambda: now[0])
    page.start()
    tab = Tab(browser, scheme)
    try:
        tab.page.set_viewport_size({"width": width, "height": 900})
        tab.page.goto(page.url)
        rows = tab.page.locator("#alerts li")
        tab.wait(lambda: rows.count() == 3, "the alerts")
        assert [rows.nth(place).get_attribute("data-rule") for place in range(3)] == ["lag", "returns", "disk"]
        assert tab.page.locator("#alerts .sum").inner_text() == "1 of 3 alerts fires; 1 is not judged: why is beside it."
        assert (
            "The loader is <b>behind</b>" in rows.nth(0).inner_text() and "Look at ecom_lite status." in rows.nth(0).inner_text()
        )
        assert "nothing to compare with" in rows.nth(1).inner_text()
        links = tab.page.locator("#alerts a")
        assert links.count() == 1 and links.first.get_attribute("href") == "/d/pipeline-health"
        cut = "filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1).length"
        wide = f"[...document.querySelectorAll('#alerts, #alerts *')].{cut}"
        assert tab.page.evaluate(wide) == 0, "nothing is cut"
        tab.page.locator("#alerts").screenshot(path=str(tmp_path / "card.png"))
        now[0] = replace(now[0], alerts={**ALERTS, "lag": replace(ALERTS["lag"], state="ok")})
        tab.wait(lambda: tab.page.locator("#alerts .sum").inner_text().startswith("None of 3"), "it to be over")
        assert (tab.complaints, tab.foreign) == ([], [])
    finally:
        tab.page.close()
        page.stop()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [390, 1440])
def test_the_bar_of_a_board_counts_those_that_fire_and_leads_to_them(
    browser: Browser, tmp_path: Path, scheme: Scheme, width: int
) -> None:
    now = [RunStatus(state="running")]
    words = {
        "id": 1,
        "type": "text",
        "title": "Words",
        "gridPos": {"x": 0, "y": 0, "w": 24, "h": 4},
        "options": {"content": "Hello."},
    }
    page = Page(NOWHERE, write_board(tmp_path / "boards", "made", [words], refresh="1s"), "127.0.0.1", 0, lambda: now[0])
    page.start()
    tab = Tab(browser, scheme)
    try:
        tab.page.set_viewport_size({"width": width, "height": 700})
        tab.page.goto(f"{page.url}d/made")
        mark = tab.page.locator("#firing")
        tab.wait(lambda: tab.page.locator(".step").count() > 0, "the strip")
        assert not mark.is_visible(), "nothing fires"
        now[0] = replace(now[0], alerts=ALERTS)
        tab.wait(mark.is_visible, "the alert")
        assert (mark.inner_text(), mark.get_attribute("title")) == ("1 alert", "The loader is <b>behind</b>")
        assert "critical" in (mark.get_attribute("class") or "")
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width, "it fits into the bar"
        tab.page.screenshot(path=str(tmp_path / f"bar-{width}-{scheme}.png"))
        warning = replace(ALERTS["returns"], state="firing", title="Second")
        now[0] = replace(now[0], alerts={**ALERTS, "lag": replace(ALERTS["lag"], severity="warning"), "returns": warning})
        tab.wait(lambda: mark.inner_text() == "2 alerts" and "critical" not in (mark.get_attribute("class") or ""), "the second")
        mark.click()
        tab.wait(lambda: tab.page.locator("#alerts li").count() == 3, "the start page's alerts")
        assert tab.page.locator("#alerts-title").is_visible() and (tab.complaints, tab.foreign) == ([], [])
    finally:
        tab.page.close()
        page.stop()
