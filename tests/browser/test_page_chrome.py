"""A real browser uses what stands around the panels: pickers, keys, menus, full screen, kiosk, themes, phone, paper."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ecom_lite.dashboards import Page
from ecom_lite.observe.figures import DbtFigures
from ecom_lite.observe.status import PartStatus, RunStatus
from ecom_lite.warehouse.connect import Address
from tests.browser.made_boards import panel, row, write_board
from tests.browser.seed import seed_warehouse
from tests.browser.tab import BOARDS, SCHEMES, Tab, needs_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = needs_browser

REALTIME = "d/realtime-operations"
STALLED = "restarting in 3 s: the broker at 127.0.0.1:9092 gives no answer since the last start of this run"
# Pairs of elements whose boxes lie over one another, and elements whose text is cut or that leave the window.
OVERLAPS = """elements => elements.flatMap((a, i) => elements.slice(i + 1).filter(b => {
  const [p, q] = [a.getBoundingClientRect(), b.getBoundingClientRect()];
  return p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 1 && q.top < p.bottom - 1;
}).map(b => [a.textContent, b.textContent]))"""
CUT = """elements => elements.filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline'
  || e.getBoundingClientRect().right > innerWidth + 1).map(e => e.textContent)"""


def address(tab: Tab) -> dict[str, list[str]]:
    return parse_qs(urlsplit(tab.page.url).query, keep_blank_values=True)


def opened(tab: Tab, url: str) -> Tab:
    """The board at `url`, once each of its panels was answered."""
    tab.page.goto(url)
    tab.wait(lambda: bool(tab.states()) and "loading" not in tab.states().values(), url)
    return tab


def pressed(tab: Tab, name: str) -> bool:
    return tab.page.get_by_role("button", name=name, exact=True).get_attribute("aria-pressed") == "true"


def shown_panel(tab: Tab, number: int) -> Locator:
    return tab.page.locator(f'.panel[data-panel="{number}"]')


def focused_panel(tab: Tab) -> str | None:
    found: str | None = tab.page.evaluate("document.activeElement.dataset.panel")
    return found


def asked_panels(tab: Tab) -> list[str]:
    """Addresses of all panels' data that are asked for from now on."""
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url) if "/panels/" in request.url else None)
    return asked


@pytest.fixture
def board_page(warehouse: Address, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Serves boards of one's own: `board_page(panels, refresh=..)` is the started page of the board `made`."""
    pages: list[Page] = []

    def serve(panels: list[dict[str, Any]], **more: Any) -> Page:
        seed_warehouse(warehouse, lines=300, days=1, users=20)
        status = more.pop("status", RunStatus(state="running"))
        made = Page(warehouse, write_board(tmp_path / "boards", "made", panels, **more), "127.0.0.1", 0, lambda: status)
        made.start()
        pages.append(made)
        return made

    yield serve
    for each in pages:
        each.stop()


def test_ranges_are_in_the_address_and_lead_back(page: Page, warehouse: Address, browser: Browser) -> None:
    seed_warehouse(warehouse, lines=300, days=1, users=20)
    tab = opened(Tab(browser, "dark"), page.url + REALTIME)
    assert pressed(tab, "30m")
    tab.page.keyboard.press("]")
    assert pressed(tab, "1h") and address(tab)["from"] == ["now-1h"]
    tab.page.keyboard.press("[")
    tab.page.keyboard.press("[")
    assert pressed(tab, "15m")
    tab.page.go_back()
    tab.wait(lambda: pressed(tab, "30m"), "Back undoes a range")
    # What a drag over a chart says.
    tab.page.evaluate(
        "document.dispatchEvent(new CustomEvent('zoom', {detail: {from: Date.now() - 600000.4, to: Date.now() - 60000}}))"
    )
    back = tab.page.get_by_role("button", name="Zoom back")
    back.wait_for()
    assert all(text.isdigit() for key in ("from", "to") for text in address(tab)[key])
    back.click()
    assert pressed(tab, "30m") and not back.is_visible()
    tab.page.locator(".own").click()
    sheet = tab.page.get_by_role("dialog", name="Time range")
    sheet.get_by_label("From").fill("2026-03-01T10:00:00")
    sheet.get_by_label("To").fill("2026-03-01T09:00:00")
    sheet.get_by_role("button", name="Show this range").click()
    assert "begin before it ends" in sheet.inner_text()
    sheet.get_by_label("To").fill("2026-03-01T11:30:00")
    sheet.get_by_role("button", name="Show this range").click()
    sheet.wait_for(state="detached")
    start, end = (int(address(tab)[key][0]) for key in ("from", "to"))
    assert end - start == 90 * 60_000
    assert tab.page.evaluate(f"new Date({start}).toString()").startswith("Sun Mar 01 2026 10:00:00")
    assert "1 Mar 10:00 – 1 Mar 11:30" in tab.page.locator(".own").inner_text()
    assert (tab.complaints, tab.foreign) == ([], [])


def test_refresh_is_picked_and_off_asks_for_nothing(page: Page, warehouse: Address, browser: Browser) -> None:
    seed_warehouse(warehouse, lines=300, days=1, users=20)
    tab = Tab(browser, "dark")
    tab.page.clock.install()
    opened(tab, page.url + REALTIME)
    tab.page.get_by_label("Refresh").first.select_option("off")
    assert address(tab)["refresh"] == ["off"]
    tab.page.wait_for_load_state("networkidle")
    asked = asked_panels(tab)
    tab.page.clock.fast_forward("05:00")
    tab.page.wait_for_timeout(300)
    assert asked == [] and tab.page.locator(".panel.old").count() == 0, "nobody waits for newer figures"
    tab.page.keyboard.press("r")
    tab.wait(lambda: len(asked) >= 12, "r asks once")
    tab.page.wait_for_load_state("networkidle")
    asked.clear()
    tab.page.get_by_label("Refresh").first.select_option("1m")
    tab.wait(lambda: len(asked) >= 12, "a picked refresh asks at once")
    tab.page.wait_for_load_state("networkidle")
    asked.clear()
    tab.page.clock.run_for(61_000)
    tab.wait(lambda: len(asked) >= 12, "and after a minute")


def test_what_is_old_is_dimmed_and_says_how_old(page: Page, warehouse: Address, browser: Browser) -> None:
    seed_warehouse(warehouse, lines=300, days=1, users=20)
    tab = Tab(browser, "dark")
    tab.page.clock.install()
    opened(tab, page.url + REALTIME)
    first = shown_panel(tab, 1)
    assert "old" not in (first.get_attribute("class") or "")
    page.stop()
    tab.page.clock.run_for(40_000)
    tab.wait(lambda: first.locator(".age").is_visible(), "the age is said")
    assert re.fullmatch(r"\d\d s old", first.locator(".age").inner_text())
    assert float(first.locator(".body").evaluate("e => getComputedStyle(e).opacity")) < 1
    assert first.locator(".value").inner_text().startswith("$") and "No connection" in first.inner_text()
    page.start()
    tab.page.clock.run_for(20_000)
    tab.wait(lambda: not first.locator(".age").is_visible() and tab.page.locator(".updated.live").count() == 1, "fresh again")


def test_all_that_keys_do(page: Page, warehouse: Address, browser: Browser) -> None:
    seed_warehouse(warehouse, lines=300, days=1, users=20)
    tab = opened(Tab(browser, "dark"), page.url + REALTIME)
    keys = tab.page.keyboard
    keys.press("j")
    assert focused_panel(tab) == "1"
    keys.press("ArrowRight")
    assert focused_panel(tab) == "2"
    keys.press("ArrowDown")
    assert focused_panel(tab) == "6"
    keys.press("k")
    assert focused_panel(tab) == "5"
    assert shown_panel(tab, 5).evaluate("e => getComputedStyle(e).outlineStyle") == "solid", "the focus is seen"
    keys.press("Enter")
    assert address(tab)["viewPanel"] == ["5"]
    box = shown_panel(tab, 5).bounding_box()
    assert box and (box["x"], box["y"], box["width"]) == (0, 0, 1600)
    keys.press("Tab")
    assert shown_panel(tab, 5).evaluate("e => e.contains(document.activeElement)"), "the rest cannot be reached"
    keys.press("Escape")  # of the description that the Tab has shown
    keys.press("Escape")
    tab.wait(lambda: "viewPanel" not in address(tab), "Escape leaves")
    assert focused_panel(tab) == "5"
    keys.press("?")
    sheet = tab.page.get_by_role("dialog", name="Keys")
    assert sheet.locator("tr").count() >= 15
    sheet.get_by_label("Single keys do something").uncheck()
    keys.press("Escape")
    keys.press("d")
    assert tab.page.locator("html").get_attribute("data-theme") == "dark", "single keys are off"
    keys.press("?")
    sheet.get_by_label("Single keys do something").check()
    sheet.get_by_role("button", name="Close").click()
    keys.press("d")
    assert tab.page.locator("html").get_attribute("data-theme") == "light"
    keys.press("K")
    assert "kiosk" in address(tab) and not tab.page.locator(".bar").is_visible() and not tab.page.locator(".strip").is_visible()
    tab.page.reload()
    tab.wait(lambda: tab.page.locator(".panel").count() == 12, "the same again")
    assert tab.page.locator("html").get_attribute("data-theme") == "light", "the theme is kept"
    assert not tab.page.locator(".bar").is_visible()
    keys.press("Escape")
    assert tab.page.locator(".bar").is_visible() and "kiosk" not in address(tab)
    assert (tab.complaints, tab.foreign) == ([], [])


def test_the_theme_button_goes_through_the_three(page: Page, warehouse: Address, browser: Browser) -> None:
    seed_warehouse(warehouse, lines=300, days=1, users=20)
    tab = opened(Tab(browser, "light"), page.url + REALTIME)
    seen = []
    for _ in range(3):
        tab.page.get_by_role("button", name="Theme:").click()
        seen.append(tab.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert seen == ["rgb(14, 17, 22)", "rgb(243, 245, 248)", "rgb(243, 245, 248)"]
    tab.page.emulate_media(color_scheme="dark")
    tab.wait(lambda: tab.page.locator("html").get_attribute("data-theme") == "dark", "as the system says")


def test_the_menu_of_a_panel(page: Page, warehouse: Address, browser: Browser) -> None:
    seed_warehouse(warehouse, lines=300, days=1, users=20)
    tab = opened(Tab(browser, "dark"), page.url + REALTIME + "?from=now-6h&to=now")
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = tab.page.get_by_role("button", name="Menu of Total revenue")
    menu = tab.page.get_by_role("menu")
    button.click()
    assert menu.is_visible() and button.get_attribute("aria-expanded") == "true"
    button.click()
    menu.wait_for(state="detached")
    shown_panel(tab, 1).focus()
    tab.page.keyboard.press("m")
    assert tab.page.evaluate("document.activeElement.textContent").startswith("Full screen")
    tab.page.keyboard.press("ArrowUp")
    assert "link" in tab.page.evaluate("document.activeElement.textContent"), "around to the last"
    tab.page.keyboard.press("Escape")
    menu.wait_for(state="detached")
    assert focused_panel(tab) == "1", "the focus is back"
    tab.page.keyboard.press("m")
    tab.page.keyboard.press("c")
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("status").get_by_text("link copied").wait_for()
    copied = tab.page.evaluate("navigator.clipboard.readText()")
    assert parse_qs(urlsplit(copied).query) == {"from": ["now-6h"], "to": ["now"], "viewPanel": ["1"]}
    other = opened(Tab(browser, "dark"), copied)
    assert other.page.locator(".viewed").get_attribute("data-panel") == "1"
    other.page.get_by_role("button", name="Leave full screen").click()
    assert other.page.locator(".viewed").count() == 0 and other.page.locator(".bar").is_visible()
    assert (tab.complaints, other.complaints) == ([], [])


def test_rows_open_and_close(board_page: Callable[..., Page], browser: Browser) -> None:
    inner = [panel(4, "Hidden", (0, 9, 12, 4)), panel(5, "Hidden too", (12, 9, 12, 4))]
    made = board_page(
        [
            panel(1, "First", (0, 0, 24, 4)),
            row(2, "Open", 4),
            panel(3, "Shown", (0, 5, 24, 3)),
            row(6, "Closed", 8, inner, collapsed=True),
            row(7, "Last", 9),
            panel(8, "Lowest", (0, 10, 24, 3)),
        ]
    )
    tab = Tab(browser, "dark")
    asked = asked_panels(tab)
    tab.page.goto(f"{made.url}d/made")
    tab.wait(lambda: [tab.states()[str(each)] for each in (1, 3, 8)] == ["drawn"] * 3, "those that are seen")
    assert not shown_panel(tab, 4).is_visible() and not [url for url in asked if "/panels/4?" in url]
    lowest = shown_panel(tab, 8)

    def top() -> float:
        box = lowest.bounding_box()
        assert box
        return box["y"]

    before = top()
    closed = tab.page.get_by_role("button", name="Closed")
    assert closed.get_attribute("aria-expanded") == "false" and "2 panels" in closed.inner_text()
    closed.click()
    tab.wait(lambda: tab.states()["4"] == tab.states()["5"] == "drawn", "what was closed is asked for")
    assert top() == before + 4 * 38
    tab.page.get_by_role("button", name="Open").press("Enter")
    assert not shown_panel(tab, 3).is_visible() and top() == before + (4 - 3) * 38
    tab.page.reload()
    tab.wait(lambda: shown_panel(tab, 4).is_visible(), "as it was left")
    assert not shown_panel(tab, 3).is_visible()
    assert tab.complaints == []


def test_descriptions_and_links_can_be_reached(board_page: Callable[..., Page], browser: Browser) -> None:
    links = [{"title": "The models", "url": "/dbt/?${__url_time_range}", "targetBlank": True}]
    board_links = [{"title": "Itself", "type": "link", "url": "/d/made", "keepTime": True, "icon": "external link"}]
    made = board_page(
        [panel(1, "Lines", (0, 0, 12, 4), description="Order lines in the warehouse.", links=links)], links=board_links
    )
    tab = opened(Tab(browser, "light"), f"{made.url}d/made?from=now-7d&to=now")
    info = tab.page.get_by_role("button", name="About Lines")
    info.focus()
    tip = tab.page.locator(".tip")
    assert tip.is_visible() and tip.inner_text() == "Order lines in the warehouse."
    described = tab.page.locator(f"#{info.get_attribute('aria-describedby')}")
    assert described.text_content() == "Order lines in the warehouse."
    tab.page.keyboard.press("Escape")
    assert not tip.is_visible()
    link = tab.page.get_by_role("link", name="The models")
    assert link.get_attribute("href") == "/dbt/?from=now-7d&to=now" and link.get_attribute("rel") == "noopener"
    assert tab.page.get_by_role("link", name="Itself").get_attribute("href") == "/d/made?from=now-7d&to=now"
    tab.page.keyboard.press("Shift+Tab")
    tab.page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    tab.page.keyboard.press("Tab")
    skip = tab.page.get_by_role("link", name="Skip to the panels")
    assert skip.evaluate("e => e === document.activeElement || document.activeElement.closest('.panel') !== null")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_phone_shows_all_of_the_text(warehouse: Address, browser: Browser, tmp_path: Path, scheme: Any) -> None:
    seed_warehouse(warehouse, lines=300, days=1, users=20)
    parts = {name: PartStatus(state="ready", ok=True) for name in ("produce", "kafka", "postgres")}
    parts["load"] = PartStatus(state="restarting", detail=STALLED)
    status = RunStatus(
        state="running", sent_per_s=12345, loaded_per_s=12345, lag=1234567, facts=123456789, dead=98765, parts=parts
    )
    made = Page(warehouse, BOARDS, "127.0.0.1", 0, lambda: status)
    made.start()
    try:
        for width in (390, 768, 1440, 2560):
            tab = opened(Tab(browser, scheme, width), made.url + REALTIME)
            tab.wait(lambda at=tab: at.page.locator(".step").count() == 6, "the strip")  # type: ignore[misc]
            assert STALLED in tab.page.locator(".strip").inner_text()
            assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
            words = tab.page.locator(
                ".step b, .step small, .bar a, .bar button, .toolbar button, .toolbar label, .head h2, .tools > *"
            )
            assert words.evaluate_all(CUT) == []
            assert tab.page.locator(".step > div > *:not(.sr), .bar > *, .toolbar > *:not(.spacer)").evaluate_all(OVERLAPS) == []
            tab.page.close()
    finally:
        made.stop()


def test_a_selection_of_models_is_no_status_for_people(warehouse: Address, browser: Browser) -> None:
    seed_warehouse(warehouse, lines=300, days=1, users=20)

    run = DbtFigures(run_id=1, trigger="refresh", status="selected", seconds=3.2, finished_at="2026-11-27T10:00:00+00:00")
    made = Page(warehouse, BOARDS, "127.0.0.1", 0, lambda: RunStatus(state="running", dbt=run))
    made.start()
    try:
        tab = opened(Tab(browser, "dark"), made.url + REALTIME)
        last = tab.page.locator(".step").last
        tab.wait(lambda: "some models built in 3" in last.inner_text(), "dbt's step")
        assert "selected" not in tab.page.locator(".strip").inner_text()
    finally:
        made.stop()


def test_paper_is_white_and_has_only_the_panels(page: Page, warehouse: Address, browser: Browser, tmp_path: Path) -> None:
    seed_warehouse(warehouse, lines=300, days=1, users=20)
    tab = opened(Tab(browser, "dark"), page.url + REALTIME)
    tab.page.emulate_media(media="print")
    tab.wait(lambda: tab.page.locator("html").get_attribute("data-theme") == "light", "print is light")
    for around in (".bar", ".toolbar", ".strip", ".tools"):
        assert not tab.page.locator(around).first.is_visible(), around
    assert "Last 30 minutes" in tab.page.locator(".printed").inner_text()
    assert tab.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    right = tab.page.locator(".panel").evaluate_all("all => Math.max(...all.map(e => e.getBoundingClientRect().right))")
    assert right <= 960
    wide = tab.page.locator(".panel canvas, .panel svg:not(.icon)").evaluate_all(
        "all => all.filter(e => e.getBoundingClientRect().right > e.closest('.panel').getBoundingClientRect().right + 1).length"
    )
    assert wide == 0, "charts are drawn anew for the width of the paper"
    tab.page.emulate_media(media="screen")
    tab.wait(lambda: tab.page.locator("html").get_attribute("data-theme") == "dark", "and back")
    assert tab.page.pdf(path=tmp_path / "board.pdf")[:5] == b"%PDF-"
    assert tab.complaints == []
