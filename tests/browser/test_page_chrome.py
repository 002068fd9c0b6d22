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
from tests.browser.made_boards import PER_MINUTE, SOURCE, panel, row, write_board
from tests.browser.seed import seed_warehouse
from tests.browser.tab import BOARDS, SCHEMES, Tab, needs_browser, settle

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Request, Route

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
    """The board at `url`, once each of its panels was answered, and the strip above them stands, which moves them down."""
    tab.page.goto(url)
    tab.wait(lambda: bool(tab.states()) and "loading" not in tab.states().values() and has_strip(tab), url)
    return tab


def has_strip(tab: Tab) -> bool:
    return tab.page.locator("#strip .step").count() > 0


def pressed(tab: Tab, name: str) -> bool:
    return tab.page.get_by_role("button", name=name, exact=True).get_attribute("aria-pressed") == "true"


def shown_panel(tab: Tab, number: int) -> Locator:
    return tab.page.locator(f'.panel[data-panel="{number}"]')


def focused_panel(tab: Tab) -> str | None:
    found: str | None = tab.page.evaluate("document.activeElement.dataset.panel")
    return found


def asked_panels(tab: Tab) -> list[str]:
    """Addresses of panels' data and of live boards that are asked for from now on."""
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url) if re.search(r"/panels/|/live\?", request.url) else None)
    return asked


def unanswered_panels(tab: Tab) -> set[Request]:
    """Questions for panels' data that are on their way, of those from now on."""
    found: set[Request] = set()

    def over(request: Request) -> None:
        found.discard(request)

    tab.page.on("request", lambda request: found.add(request) if "/panels/" in request.url else None)
    tab.page.on("requestfinished", over)
    tab.page.on("requestfailed", over)
    return found


def held_back(tab: Tab, addresses: str) -> list[Route]:
    """Questions at these from now on, which have no answer before the test gives them one."""
    found: list[Route] = []

    def hold(route: Route) -> None:
        found.append(route)

    tab.page.route(addresses, hold)
    return found


def lines_shown(tab: Tab) -> int:
    """What the stat of all order lines says, -1 for no number."""
    text = shown_panel(tab, 1).locator(".value").inner_text().replace(",", "")
    return int(text) if text.isdigit() else -1


def fewer_lines(warehouse: Address) -> int:
    """How many order lines there are, now that ten are gone."""
    with warehouse.connect("admin") as admin:
        admin.execute("DELETE FROM warehouse.fact_sales WHERE ctid IN (SELECT ctid FROM warehouse.fact_sales LIMIT 10)")
        return int(admin.execute("SELECT count(*) FROM warehouse.fact_sales").fetchall()[0][0])


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
    tab = opened(Tab(browser, "dark"), page.url + REALTIME + "?from=now-30m&to=now")
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
    assert re.search(r"1 Mar( 2026)? 10:00 – 1 Mar( 2026)? 11:30", tab.page.locator(".own").inner_text())
    tab.page.goto(page.url + REALTIME + "?from=1740819600000&to=now-1h")
    tab.wait(lambda: "1 Mar 2025 " in tab.page.locator(".own").inner_text(), "the year, where it is not this one")
    assert (tab.complaints, tab.foreign) == ([], [])


def test_a_time_that_is_none_is_said_in_the_panels_and_a_far_one_can_be_edited(
    page: Page, warehouse: Address, browser: Browser
) -> None:
    seed_warehouse(warehouse, lines=300, days=1, users=20)
    tab = Tab(browser, "dark")
    tab.page.goto(page.url + REALTIME + "?from=1764201600000000000&to=now")  # nanoseconds
    tab.wait(lambda: "is not understood" in shown_panel(tab, 1).inner_text(), "what is wrong with it")
    for start in ("1764201600000000000", "now-999999999999w"):
        tab.page.goto(page.url + REALTIME + f"?from={start}&to=now")
        tab.page.locator(".own").click()
        tab.page.get_by_role("dialog", name="Time range").wait_for()


def test_a_browser_that_keeps_nothing_shows_the_boards(page: Page, warehouse: Address, browser: Browser) -> None:
    """As where all site data is blocked: to look at its storage is an error."""
    seed_warehouse(warehouse, lines=300, days=1, users=20)
    tab = Tab(browser, "dark")
    for storage in ("localStorage", "sessionStorage"):
        refused = "get() { throw new DOMException('refused', 'SecurityError'); }"
        tab.page.add_init_script(f"Object.defineProperty(window, '{storage}', {{ {refused} }})")
    opened(tab, page.url + REALTIME)
    assert tab.page.locator("#grid > .failed").count() == 0 and tab.states()["1"] == "drawn"
    row = tab.page.locator("section.row button").first
    before = row.get_attribute("aria-expanded")
    row.click()
    assert row.get_attribute("aria-expanded") != before
    tab.page.keyboard.press("d")
    assert tab.page.locator("html").get_attribute("data-theme") == "light"
    assert (tab.complaints, tab.foreign) == ([], [])


def test_refresh_is_picked_and_off_asks_for_nothing(page: Page, warehouse: Address, browser: Browser) -> None:
    seed_warehouse(warehouse, lines=300, days=1, users=20)
    tab = Tab(browser, "dark")
    tab.page.clock.install()
    opened(tab, page.url + REALTIME)
    asked, open_questions = asked_panels(tab), unanswered_panels(tab)
    tab.page.get_by_label("Refresh").first.select_option("off")
    assert address(tab)["refresh"] == ["off"]
    tab.wait(lambda: len(asked) >= len(tab.states()) > 12 and not open_questions, "off asks once, for each panel")

    def quiet() -> bool:
        """For five minutes. A panel for which there was no room was asked for once more before."""
        asked.clear()
        tab.page.clock.fast_forward("05:00")
        tab.page.wait_for_timeout(300)
        return asked == []

    tab.wait(quiet, "off asks no more")
    assert tab.page.locator(".panel.old").count() == 0, "nobody waits for newer figures"
    tab.page.keyboard.press("r")
    tab.wait(lambda: len(asked) >= len(tab.states()) > 12 and not open_questions, "r asks once, for each panel")
    asked.clear()
    tab.page.get_by_label("Refresh").first.select_option("1m")
    tab.wait(lambda: bool(asked), "a picked refresh asks at once")
    tab.page.wait_for_timeout(1000)
    assert [url for url in asked if "/live?" not in url or "refresh=1m" not in url] == [], "for a stream"
    assert tab.page.get_by_label("Refresh").first.locator("option").all_inner_texts() == [
        *("as the board (5 s)", "off", "every 10 s", "every 1 m", "every 5 m")
    ]
    tab.page.goto(page.url + "d/business-intelligence")
    options = tab.page.get_by_label("Refresh").first.locator("option")
    options.first.wait_for(state="attached")
    assert options.all_inner_texts() == ["as the board (1 min)", "off", "every 5 m"], "none that the board's figures cannot keep"


def test_what_is_old_is_dimmed_and_says_how_old(page: Page, warehouse: Address, browser: Browser) -> None:
    seed_warehouse(warehouse, lines=300, days=1, users=20)
    tab = Tab(browser, "dark")
    tab.page.clock.install()
    opened(tab, page.url + REALTIME)
    first = shown_panel(tab, 1)
    assert "old" not in (first.get_attribute("class") or "")
    page.stop()
    tab.page.clock.run_for(40_000)
    tab.wait(lambda: first.locator(".age").is_visible() and "No connection" in first.inner_text(), "the age is said")
    assert re.fullmatch(r"(\d\d s|\d min( \d+ s)?) old", first.locator(".age").inner_text())
    assert float(first.locator(".body").evaluate("e => getComputedStyle(e).opacity")) < 1
    assert first.locator(".value").inner_text().startswith("$")
    page.start()
    tab.page.clock.run_for(20_000)
    tab.wait(lambda: not first.locator(".age").is_visible() and tab.page.locator(".updated.live").count() == 1, "fresh again")


def test_all_that_keys_do(board_page: Callable[..., Page], browser: Browser) -> None:
    upper = [panel(number, f"Lines {number}", (x, 0, 8, 4), description="All.") for number, x in ((1, 0), (2, 8), (5, 16))]
    made = board_page([*upper, panel(6, "Sold", (0, 4, 24, 6), type="timeseries", sql=PER_MINUTE)])
    tab = opened(Tab(browser, "dark"), f"{made.url}d/made")
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
    tab.wait(lambda: address(tab).get("viewPanel") == ["5"], "it fills the window")
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
    tab.wait(lambda: "kiosk" in address(tab), "kiosk")
    assert not tab.page.locator("header.bar").is_visible() and not tab.page.locator(".strip").is_visible()
    tab.page.reload()
    tab.wait(lambda: tab.page.locator(".panel").count() == 4, "the same again")
    assert tab.page.locator("html").get_attribute("data-theme") == "light", "the theme is kept"
    assert not tab.page.locator("header.bar").is_visible()
    keys.press("Escape")
    assert tab.page.locator("header.bar").is_visible() and "kiosk" not in address(tab)
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
    # What is said is gone after a few seconds, in which a busy machine may stand still.
    kept = "window.kept = []; new MutationObserver(() => kept.push(said.textContent)).observe(said, {childList: true})"
    tab.page.evaluate(f"() => {{ const said = document.querySelector('#said[role=status]'); {kept} }}")
    tab.page.keyboard.press("m")
    tab.page.keyboard.press("c")
    tab.page.keyboard.press("Enter")
    tab.wait(lambda: any("link copied" in text for text in tab.page.evaluate("kept")), "it says so")
    copied = tab.page.evaluate("navigator.clipboard.readText()")
    assert {"from": ["now-6h"], "to": ["now"], "viewPanel": ["1"]}.items() <= parse_qs(urlsplit(copied).query).items()
    other = opened(Tab(browser, "dark"), copied)
    assert other.page.locator(".viewed").get_attribute("data-panel") == "1"
    other.page.get_by_role("button", name="Leave full screen").click()
    assert other.page.locator(".viewed").count() == 0 and other.page.locator("header.bar").is_visible()
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
    tab.wait(lambda: [tab.states().get(str(each)) for each in (1, 3, 8)] == ["drawn"] * 3 and has_strip(tab), "what is seen")
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
    tab.wait(lambda: tab.states().get("4") == tab.states().get("5") == "drawn", "what was closed is asked for")
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
                ".step b, .step small, header.bar a, header.bar button, .toolbar button, .toolbar label, .head h2, .tools > *"
            )
            assert words.evaluate_all(CUT) == []
            assert (
                tab.page.locator(".step > div > *:not(.sr), header.bar > *, .toolbar > *:not(.spacer)").evaluate_all(OVERLAPS)
                == []
            )
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
    for around in ("header.bar", ".toolbar", ".strip", ".tools"):
        assert not tab.page.locator(around).first.is_visible(), around
    assert "Last hour" in tab.page.locator(".printed").inner_text()
    assert tab.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    right = tab.page.locator(".panel").evaluate_all("all => Math.max(...all.map(e => e.getBoundingClientRect().right))")
    assert right <= 985, "the width of A4 and of letter paper, less the edges"
    assert tab.page.locator(".panel table").count() >= 1 and tab.page.locator(".cards").count() == 0, "wide enough for tables"
    wide = tab.page.locator(".panel canvas, .panel svg:not(.icon)").evaluate_all(
        "all => all.filter(e => e.getBoundingClientRect().right > e.closest('.panel').getBoundingClientRect().right + 1).length"
    )
    assert wide == 0, "charts are drawn anew for the width of the paper"
    tab.page.emulate_media(media="screen")
    tab.wait(lambda: tab.page.locator("html").get_attribute("data-theme") == "dark", "and back")
    assert tab.page.pdf(path=tmp_path / "board.pdf")[:5] == b"%PDF-"
    assert tab.complaints == []


def test_rows_that_nobody_sees_are_drawn_when_they_open(board_page: Callable[..., Page], browser: Browser) -> None:
    inner = [panel(3, "Sold", (0, 5, 24, 6), type="timeseries", sql=PER_MINUTE)]
    tab = Tab(browser, "dark")
    made = board_page([panel(1, "First", (0, 0, 24, 4)), row(2, "Closed", 4, inner, collapsed=True)])
    asked = asked_panels(tab)

    def newest() -> list[str] | None:
        return parse_qs(urlsplit([url for url in asked if "/live?" in url][-1]).query).get("panels")

    tab.page.goto(f"{made.url}d/made")
    tab.wait(lambda: tab.states().get("1") == "drawn", "what is seen")
    assert newest() == ["1"], "what nobody sees is not asked for"
    tab.page.get_by_role("button", name="Closed").click()
    tab.wait(lambda: tab.states().get("3") == "drawn", "what was not")
    tab.wait(lambda: newest() is None, "the stream has all")
    box = shown_panel(tab, 3).locator("canvas").bounding_box()
    assert box and box["width"] > 1000 and box["height"] > 80
    tab.page.get_by_role("button", name="Closed").click()
    tab.wait(lambda: newest() == ["1"], "nor when it was closed again")
    tab.wait(lambda: tab.page.locator(".updated.live").count() == 1, "it lives on")
    assert tab.complaints == []


CATEGORIES = {
    **{"name": "category", "label": "Category", "type": "query", "datasource": SOURCE, "refresh": 2, "multi": True},
    **{"includeAll": True, "allValue": "'*'", "current": {"text": ["All"], "value": ["$__all"]}, "hide": 0},
    "query": "SELECT category FROM warehouse.dim_category ORDER BY 1",
}
SEGMENT = {"name": "segment", "label": "Segment", "type": "custom", "query": "VIP, Regular", "multi": False, "includeAll": False}
PRODUCT = {"name": "product", "label": "Product", "type": "textbox", "query": ""}
BY_CATEGORY = "FROM warehouse.fact_sales JOIN warehouse.dim_category USING (category_key)"
LINES_OF = (
    f"SELECT count(*) AS lines {BY_CATEGORY} WHERE '*' IN (${{category:sqlstring}}) OR category IN (${{category:sqlstring}})"
)
CHOSEN = "SELECT ${segment:sqlstring} || ' ' || ${product:sqlstring} AS chosen, 1 AS n"


def test_variables_are_picked_searched_and_kept_in_the_address(
    board_page: Callable[..., Page], warehouse: Address, browser: Browser
) -> None:
    panels = [panel(1, "Lines", (0, 0, 12, 4), sql=LINES_OF), panel(2, "Chosen", (12, 0, 12, 4), type="table", sql=CHOSEN)]
    made = board_page(panels, templating={"list": [CATEGORIES, SEGMENT, PRODUCT]})
    with warehouse.connect("admin") as admin:
        counted: dict[str, int] = dict(admin.execute(f"SELECT category, count(*) {BY_CATEGORY} GROUP BY 1").fetchall())
    tab = opened(Tab(browser, "dark"), f"{made.url}d/made")
    lines, chosen = shown_panel(tab, 1).locator(".value"), shown_panel(tab, 2).locator("td").first

    def shows(count: int) -> Callable[[], bool]:
        return lambda: lines.inner_text().replace(",", "") == str(count)

    tab.wait(shows(sum(counted.values())), "all of them")
    tab.wait(lambda: chosen.inner_text().startswith("VIP"), "the first of a list without All")
    tab.page.get_by_role("button", name="Segment: VIP").wait_for()  # the lists have come
    picker = tab.page.get_by_role("button", name="Category: All")
    picker.click()
    sheet = tab.page.get_by_role("dialog", name="Category")
    assert sheet.get_by_label("All").is_checked()
    first, second = sorted(counted)[:2]
    if sheet.get_by_role("searchbox").count():
        sheet.get_by_role("searchbox").fill(first[:4].lower())
        assert sheet.get_by_role("checkbox").count() < len(counted) + 1
        sheet.get_by_role("searchbox").fill("")
    sheet.get_by_label(first, exact=True).check()
    assert not sheet.get_by_label("All").is_checked()
    sheet.get_by_label(second, exact=True).check()
    tab.page.keyboard.press("Escape")
    tab.wait(shows(counted[first] + counted[second]), "two of them")
    assert address(tab)["var-category"] == [first, second]
    assert tab.page.get_by_role("button", name=f"Category: {first}, {second}").evaluate("e => e === document.activeElement")
    tab.page.get_by_role("button", name="Segment: VIP").click()
    tab.page.get_by_role("dialog", name="Segment").get_by_text("Regular").click()
    box = tab.page.get_by_label("Product")
    box.fill("4711'; --")
    box.press("Enter")
    tab.wait(lambda: chosen.inner_text() == "Regular 4711'; --", "text is text")
    tab.page.reload()
    tab.wait(lambda: chosen.count() == 1 and chosen.inner_text() == "Regular 4711'; --", "the address has it all")
    tab.wait(shows(counted[first] + counted[second]), "these too")
    tab.page.go_back()
    tab.wait(lambda: chosen.count() == 1 and chosen.inner_text().strip() == "Regular", "Back undoes a choice")
    assert (tab.complaints, tab.foreign) == ([], [])
    tab.page.goto(f"{made.url}d/made?var-category=Nothing")
    tab.wait(lambda: "Nothing" in shown_panel(tab, 1).inner_text(), "a value that is in no list is named")


def test_lists_that_come_late_fill_the_picker_that_is_open(board_page: Callable[..., Page], browser: Browser) -> None:
    made = board_page([panel(1, "Lines", (0, 0, 12, 4), sql=LINES_OF)], templating={"list": [CATEGORIES]})
    tab = Tab(browser, "dark")
    held = held_back(tab, "**/variables?*")
    opened(tab, f"{made.url}d/made")
    tab.wait(lambda: bool(held), "the lists are asked for")
    tab.page.get_by_role("button", name="Category: All").click()
    sheet = tab.page.get_by_role("dialog", name="Category")
    assert sheet.get_by_role("checkbox").count() == 1, "All, as long as nobody knows the others"
    held.pop().continue_()
    sheet.get_by_label("Books", exact=True).wait_for()
    assert tab.page.evaluate("document.activeElement.value") == "$__all", "the focus stays"
    sheet.get_by_label("Books", exact=True).check()
    tab.wait(lambda: address(tab).get("var-category") == ["Books"], "a value of the list is picked")
    assert tab.complaints == []


def test_lists_are_asked_for_until_there_is_room_for_them(board_page: Callable[..., Page], browser: Browser) -> None:
    made = board_page([panel(1, "Lines", (0, 0, 12, 4))], templating={"list": [SEGMENT]})
    tab = Tab(browser, "dark")
    tab.page.route("**/variables?*", lambda route: route.fulfill(status=503, body="{}"), times=1)
    opened(tab, f"{made.url}d/made")
    tab.page.get_by_role("button", name="Segment: VIP").wait_for()


def test_lists_of_an_earlier_question_do_not_take_the_place_of_newer_ones(
    board_page: Callable[..., Page], browser: Browser
) -> None:
    made = board_page([panel(1, "Lines", (0, 0, 12, 4))], templating={"list": [SEGMENT]})
    tab = Tab(browser, "dark")
    held = held_back(tab, "**/variables?*")
    opened(tab, f"{made.url}d/made?from=now-6h&to=now&var-segment=VIP")
    tab.page.keyboard.press("]")
    tab.wait(lambda: len(held) == 2, "asked for in both ranges")
    for place, text in ((1, "Newer"), (0, "Older")):
        with tab.page.expect_response("**/variables?*"):
            held[place].fulfill(json={"segment": [{"text": text, "value": "VIP"}]})
        settle(tab.page, 100)
        assert tab.page.get_by_role("button", name="Segment: Newer").count() == 1


def test_the_time_before_is_compared(board_page: Callable[..., Page], browser: Browser) -> None:
    made = board_page([panel(1, "Sold", (0, 0, 24, 8), type="timeseries", sql=PER_MINUTE)])
    tab = Tab(browser, "dark")
    asked = asked_panels(tab)
    opened(tab, f"{made.url}d/made?from=now-6h&to=now")
    switch = tab.page.get_by_role("switch", name="Compare")
    assert switch.get_attribute("aria-checked") == "false" and "compare" not in asked[-1]
    switch.click()
    tab.wait(lambda: "compare=previous" in asked[-1], "asked with it")
    assert switch.get_attribute("aria-checked") == "true" and address(tab)["compare"] == ["previous"]
    tab.wait(lambda: tab.states()["1"] == "drawn", "drawn")
    tab.page.keyboard.press("c")
    tab.wait(lambda: "compare" not in asked[-1], "c is the same")
    assert "compare" not in address(tab) and tab.complaints == []


def test_figures_are_taken_away(board_page: Callable[..., Page], browser: Browser, tmp_path: Path) -> None:
    odd = (
        "SELECT TIMESTAMPTZ '2026-03-01 10:00:00+00' AS at, DATE '2026-03-01' AS day, '=1+1' AS \"Formula\", "
        "'a \"b\", c' AS quoted, 1234.5 AS amount"
    )
    series = panel(2, "Sold", (12, 0, 12, 6), type="timeseries", sql=PER_MINUTE)
    made = board_page([panel(1, "Odd", (0, 0, 12, 6), type="table", sql=odd), series])
    tab = opened(Tab(browser, "dark"), f"{made.url}d/made")
    tab.page.keyboard.press("j")
    with tab.page.expect_download() as download:
        tab.page.keyboard.press("x")
    assert re.fullmatch(r"made-odd-\d{12}\.csv", download.value.suggested_filename)
    text = Path(download.value.path()).read_bytes().decode()
    assert text.splitlines() == ["at,day,Formula,quoted,amount", '2026-03-01T10:00:00.000Z,2026-03-01,\'=1+1,"a ""b"", c",1234.5']
    for number in (1, 2):
        shown_panel(tab, number).focus()
        tab.page.keyboard.press("m")
        with tab.page.expect_download() as download:
            tab.page.get_by_role("menuitem", name="Download PNG").click()
        assert Path(download.value.path()).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    sold = shown_panel(tab, 2)
    tab.page.keyboard.press("t")
    assert sold.locator("th").all_inner_texts() == ["Time", "Units"] and sold.locator("tbody tr").count() > 10
    tab.page.keyboard.press("r")
    tab.page.wait_for_timeout(300)
    assert sold.locator("tbody tr").count() > 10, "new figures leave it a table"
    tab.page.keyboard.press("t")
    assert sold.locator("table").count() == 0 and sold.locator("canvas").is_visible()
    assert (tab.complaints, tab.foreign) == ([], [])


def test_a_live_board_is_told_what_changed_and_heals(
    board_page: Callable[..., Page], warehouse: Address, browser: Browser
) -> None:
    words = panel(2, "Words", (12, 0, 12, 4), type="text", targets=[], options={"mode": "markdown", "content": "Some"})
    made = board_page([panel(1, "Lines", (0, 0, 12, 4)), words], refresh="1s", status=RunStatus(state="running", facts=7))
    tab = Tab(browser, "dark")
    asked = asked_panels(tab)
    opened(tab, f"{made.url}d/made")
    count = fewer_lines(warehouse)
    tab.wait(lambda: lines_shown(tab) == count, "told of the change")
    assert len(asked) == 1 and "/live?" in asked[0], "without asking"
    assert tab.page.locator(".strip").is_visible()
    tab.page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true}); window.away = true"
    )
    tab.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    left = fewer_lines(warehouse)
    tab.page.wait_for_timeout(2500)
    assert lines_shown(tab) == count and len(asked) == 1, "a hidden page is told nothing"
    tab.page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    tab.wait(lambda: lines_shown(tab) == left, "shown again")
    assert len(asked) == 2
    made.stop()
    tab.wait(lambda: tab.page.locator(".updated.lost").count() == 1, "the loss is said")
    assert lines_shown(tab) == left and "No connection" in shown_panel(tab, 1).inner_text()
    count = fewer_lines(warehouse)
    made.start()
    tab.wait(lambda: lines_shown(tab) == count and tab.page.locator(".updated.live").count() == 1, "healed")
    assert [shown_panel(tab, number).locator(".trouble").count() for number in (1, 2)] == [0, 0]


def test_a_board_without_refreshes_finds_a_lost_connection_again(
    board_page: Callable[..., Page], warehouse: Address, browser: Browser
) -> None:
    made = board_page([panel(1, "Lines", (0, 0, 12, 4))], refresh="1s")
    tab = opened(Tab(browser, "dark"), f"{made.url}d/made?refresh=off")
    made.stop()
    tab.page.keyboard.press("r")
    tab.wait(lambda: tab.page.locator(".updated.lost").count() == 1, "the loss is said")
    count = fewer_lines(warehouse)
    made.start()
    tab.wait(lambda: lines_shown(tab) == count and tab.page.locator(".updated.lost").count() == 0, "asked anew, once it is back")
    assert shown_panel(tab, 1).locator(".trouble").count() == 0


def test_what_was_asked_before_the_stream_told_it_is_not_shown_after_it(
    board_page: Callable[..., Page], warehouse: Address, browser: Browser
) -> None:
    made = board_page([panel(1, "Lines", (0, 0, 12, 4))], refresh="1s")
    tab = opened(Tab(browser, "dark"), f"{made.url}d/made")
    held = held_back(tab, "**/panels/1?*")

    def asked() -> bool:
        tab.page.keyboard.press("r")  # one that is not answered yet is not asked again
        return bool(held)

    tab.wait(asked, "a question")
    late = held.pop()
    before = late.fetch()
    count = fewer_lines(warehouse)
    tab.wait(lambda: lines_shown(tab) == count, "told of the change")
    late.fulfill(response=before)
    tab.wait(asked, "the late answer was heard")
    settle(tab.page, 800)  # a figure runs to its value
    assert lines_shown(tab) == count


def test_a_question_that_fails_after_the_stream_has_come_back_changes_nothing(
    board_page: Callable[..., Page], warehouse: Address, browser: Browser
) -> None:
    made = board_page([panel(1, "Lines", (0, 0, 12, 4))], refresh="1s")
    tab = opened(Tab(browser, "dark"), f"{made.url}d/made?from=now-6h&to=now")
    over: list[str] = []
    tab.page.on("requestfailed", lambda request: over.append(request.url))
    held = held_back(tab, "**/api/boards/made")
    tab.page.route("**/live?*", lambda route: route.fulfill(status=503, body="{}"), times=1)
    tab.page.keyboard.press("]")
    tab.wait(lambda: bool(held), "the stream fails, and it is asked whether anybody is there")
    count = fewer_lines(warehouse)
    tab.wait(lambda: lines_shown(tab) == count, "it has come back, and tells what changes")
    held.pop().abort()
    tab.wait(lambda: any(url.endswith("/api/boards/made") for url in over), "that question has failed")
    settle(tab.page, 100)
    assert tab.states()["1"] == "drawn" and shown_panel(tab, 1).locator(".trouble").count() == 0


def test_without_a_stream_the_page_asks(board_page: Callable[..., Page], warehouse: Address, browser: Browser) -> None:
    made = board_page([panel(1, "Lines", (0, 0, 12, 4))], refresh="1s")
    tab = Tab(browser, "dark")
    tab.page.route("**/live?*", lambda route: route.fulfill(status=503, body="{}"))
    asked = asked_panels(tab)
    opened(tab, f"{made.url}d/made")
    tab.wait(lambda: len([url for url in asked if "/live" in url]) >= 3, "three tries")
    asked.clear()
    tab.wait(lambda: len([url for url in asked if "/panels/1" in url]) >= 3, "then it asks each second")
    assert tab.page.locator(".updated.live").count() == 1
    tab.page.unroute("**/live?*")
    asked.clear()
    tab.wait(lambda: any("/live" in url for url in asked), "and goes on trying the stream")
    tab.wait(lambda: tab.states()["1"] == "drawn", "which works")

    def quiet() -> bool:
        asked.clear()
        tab.page.wait_for_timeout(2500)
        return asked == []

    tab.wait(quiet, "told, it asks no more")
