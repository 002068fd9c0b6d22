"""A real browser on the start page: figures, boxes, both themes, phone and desk, keyboard, buttons with and without the token."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ecom_lite.dashboards import Page
from ecom_lite.dashboards.home import Home
from ecom_lite.observe.figures import ControlAnswer, DbtFigures, StreamFigures
from ecom_lite.observe.status import PartStatus, RunStatus
from ecom_lite.observe.story import Chapter, Telling
from ecom_lite.settings.override import ShopOverride
from ecom_lite.warehouse.connect import Address
from tests.browser.tab import ARGUMENTS, BOARDS, CHROMIUM, SCHEMES, Scheme, Tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM} (set CHROMIUM)"),
    pytest.mark.timeout(240),
]

NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {"ecom_reader": "none"})  # no query is asked here
WELL = PartStatus(state="ready", ok=True)
PARTS = ("kafka", "postgres", "page", "spark", "stream", "schedule", "load", "produce")
FULL = RunStatus(
    state="running", uptime_s=4000, rate=20.0, sent=1_234_567, own=1_234_500, facts=1_190_000, other=40_000, duplicates=2_500,
    dead=2_000, sent_per_s=12_345, loaded_per_s=11_900, lag=123_456, delay_ms=2_345,
    stream=StreamFigures(batch=9, rows_per_s=11_800, batch_ms=1_450, watermark_lag_s=130),
    dbt=DbtFigures(run_id=2, trigger="t", status="success", seconds=12.5, finished_at="2026-01-01T00:00:00+00:00",
                   succeeded_at="2026-01-01T00:00:00+00:00"),
    parts={**dict.fromkeys(PARTS, WELL), "load": PartStatus(state="restarting", restarts=2)},
)  # fmt: skip


@dataclass
class Built:
    """The figures of a dbt run, as far as the page reads them."""

    status: str = "success"
    seconds: float = 1.5


@dataclass
class Run:
    """Stands where a run stands; what its buttons have asked for."""

    status: RunStatus = FULL
    wishes: list[Any] = field(default_factory=list)
    story: Telling = field(default_factory=lambda: Telling(parts=["load", "postgres"]))

    def control(self, override: ShopOverride) -> ControlAnswer:
        if override != ShopOverride():
            self.wishes.append(msgspec.to_builtins(override))
        return ControlAnswer(rate=20.0)

    def begin(self, part: str) -> None:
        self.wishes.append({"kill": part})
        chapters = [
            Chapter(title="All is calm", text="7 order lines.", state="done", seconds=4),
            Chapter(title="A part is killed", state="now"),
        ]
        self.story = Telling(state="telling", part=part, parts=["load", "postgres"], chapters=chapters)

    def end(self) -> None:
        self.story = Telling(state="ended", parts=["load", "postgres"], told="Ended early.")

    def telling(self) -> Telling:
        return self.story

    def refresh(self, trigger: str, *, full_refresh: bool, select: Sequence[str], said: Callable[[str], None]) -> Built:
        self.wishes.append({"full": full_refresh})
        return Built()

    def require_known(self, select: Sequence[str]) -> None: ...

    def docs(self) -> Path:
        raise AssertionError("not asked for here")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield made
        made.close()


@pytest.fixture
def run() -> Run:
    return Run()


@pytest.fixture
def page(run: Run, tmp_path: Path) -> Iterator[Page]:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "kafka.log").write_text("the broker is up <script>alert(1)</script>\n")
    home = Home(tmp_path, story=run)
    made = Page(NOWHERE, BOARDS, "127.0.0.1", 0, lambda: run.status, run.control, run, home=home)
    made.start()
    yield made
    made.stop()


def opened(browser: Browser, page: Page, scheme: Scheme = "dark", width: int = 1440, token: bool = False) -> Tab:
    tab = Tab(browser, scheme)
    tab.page.set_viewport_size({"width": width, "height": 1000})
    tab.page.goto(f"{page.url}#token={page.token}" if token else page.url)
    tab.wait(lambda: tab.page.locator(".node").count() > 0, "the chain")
    return tab


# Text that is wider than its box, boxes of the chain that lie over one another, labels that lie over a box or another label.
CUT = """() => {
  const wrong = [], texts = [...document.querySelectorAll('.edges text')], nodes = [...document.querySelectorAll('.node')];
  const least = (a, b, from, to) => Math.min(a[to], b[to]) - Math.max(a[from], b[from]);
  const over = (a, b) => least(a, b, 'left', 'right') > 1 && least(a, b, 'top', 'bottom') > 1;
  const read = '.node, .node span, .card h2, .card td, .card th, .card button, .card p, header a';
  for (const one of document.querySelectorAll(read)) {
    const inline = getComputedStyle(one).display === 'inline' || one.closest('.unseen');
    if (one.scrollWidth > one.clientWidth + 1 && !inline) wrong.push(`cut: ${one.textContent}`);
  }
  const boxes = [...nodes, ...texts].map(one => [one.textContent, one.getBoundingClientRect()]);
  boxes.forEach(([a, one], i) => boxes.slice(i + 1).forEach(([b, other]) => over(one, other) && wrong.push(`over: ${a} / ${b}`)));
  for (const [text, box] of boxes) if (box.left < 0 || box.right > innerWidth) wrong.push(`out: ${text}`);
  if (document.documentElement.scrollWidth > innerWidth) wrong.push(`wide: ${document.documentElement.scrollWidth}`);
  return wrong;
}"""


@pytest.mark.parametrize("width", [390, 768, 1440, 2560])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_chain_is_drawn_with_the_figures_of_the_run_and_nothing_is_cut(
    browser: Browser, page: Page, scheme: Scheme, width: int
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    tab = opened(browser, page, scheme, width)
    node = {each.get_attribute("data-node"): each.inner_text() for each in tab.page.locator(".node").all()}
    assert list(node) == ["shop", "kafka", "spark", "load", "warehouse", "dead", "marts", "boards"]
    assert "1,190,000" in node["warehouse"] and "restarted 2×" in node["load"] and "restarting" in node["load"]
    labels = tab.page.locator(".edges text").all_text_contents()
    assert {"12,345/s", "11,900/s", "lag 123,456", "2,345 ms", "mark −2 min"} <= set(labels), labels
    rows = {row.locator("th").inner_text(): row.locator("td").inner_text() for row in tab.page.locator("#count tr").all()}
    assert rows["Sent by the shop"] == rows["Together"] == "1,234,567" and rows["On the way"] == "67"
    assert tab.page.locator("#verdict").inner_text() == "123,456 on the way"
    assert tab.page.evaluate(CUT) == []
    found = axe.Axe().run(tab.page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []
    assert (tab.complaints, tab.foreign) == ([], [])
    tab.page.close()


def test_without_the_token_the_buttons_are_shown_disabled_with_where_to_get_it(browser: Browser, page: Page, run: Run) -> None:
    tab = opened(browser, page)
    for name in ("Pause the shop", "Build the marts now", "Tell it", "Show"):
        assert tab.page.get_by_role("button", name=name, exact=True).is_disabled(), name
    assert "ecom_lite status" in tab.page.locator("#locked").inner_text()
    tab.page.evaluate(f"location.hash = 'token={page.token}'")
    tab.wait(lambda: tab.page.get_by_role("button", name="Pause the shop").is_enabled(), "the token is taken")
    assert page.token not in tab.page.url and not tab.page.locator("#locked").is_visible()
    tab.page.reload()
    tab.wait(lambda: tab.page.get_by_role("button", name="Pause the shop").is_enabled(), "it is kept for the tab")
    assert page.token not in tab.page.content()
    tab.page.evaluate("sessionStorage.setItem('ecom_lite_token', 'x'.repeat(43))")
    tab.page.get_by_role("button", name="Pause the shop").click()
    tab.wait(lambda: tab.page.get_by_role("button", name="Pause the shop").is_disabled(), "another run's token is no use")
    assert "not authorized" in tab.page.locator("#done").inner_text() and run.wishes == []
    other = opened(browser, page)
    assert other.page.get_by_role("button", name="Pause the shop").is_disabled(), "another tab has no token"
    tab.page.close()
    other.page.close()


def test_buttons_steer_the_run_and_ask_twice_where_it_matters(browser: Browser, page: Page, run: Run) -> None:
    tab = opened(browser, page, token=True)
    assert page.token not in tab.page.url
    sure = tab.page.locator("#sure")

    def done(words: str) -> None:
        tab.wait(lambda: words in tab.page.locator("#done").inner_text(), words)

    tab.page.get_by_role("button", name="Pause the shop").click()
    done("The shop is paused")
    tab.page.get_by_label("Orders a second").select_option("200")
    done("200 orders a second")
    assert run.wishes == [{"paused": True}, {"rate": 200.0}]
    run.wishes.clear()
    tab.page.get_by_label("Orders a second").select_option("max")
    sure.wait_for(state="visible")
    tab.page.keyboard.press("Escape")
    sure.wait_for(state="hidden")
    tab.wait(lambda: tab.page.get_by_label("Orders a second").input_value() == "20", "the rate in force is shown again")
    assert run.wishes == []
    tab.page.get_by_text("Faults, on purpose").click()
    slider = tab.page.locator("#fault-late")
    slider.focus()
    for _ in range(5):
        tab.page.keyboard.press("ArrowRight")
    tab.page.get_by_role("button", name="Switch them so").click()
    assert "late 5 %" in sure.inner_text()
    tab.page.get_by_role("button", name="Switch them on").click()
    done("late 5 %")
    assert run.wishes[0]["faults"]["late"] == 0.05 and len(run.wishes[0]["faults"]) == 6
    tab.page.get_by_role("button", name="Build the marts now").click()
    done("success, 1.5 s")
    tab.page.get_by_role("button", name="From all facts anew").click()
    tab.page.get_by_role("button", name="Leave it").click()
    assert run.wishes[1:] == [{"full": False}]
    assert tab.complaints == []
    tab.page.close()


def test_a_fault_that_its_slider_has_no_place_for_stays_as_it_is(browser: Browser, page: Page, run: Run) -> None:
    run.status = msgspec.structs.replace(FULL, faults={"late": 0.004, "duplicate": 0.25})
    tab = opened(browser, page, token=True)
    tab.page.get_by_text("Faults, on purpose").click()
    tab.page.locator("#fault-malformed").focus()
    tab.page.keyboard.press("ArrowRight")
    tab.page.get_by_role("button", name="Switch them so").click()
    assert "late 0.4 %, duplicate 25 %, malformed 1 %" in tab.page.locator("#sure").inner_text()
    tab.page.get_by_role("button", name="Switch them on").click()
    tab.wait(lambda: bool(run.wishes), "the wish")
    found = {name: share for name, share in run.wishes[0]["faults"].items() if share}
    assert found == {"late": 0.004, "duplicate": 0.25, "malformed": 0.01}
    tab.page.close()


def test_the_story_is_told_and_ended_and_a_click_on_a_part_shows_its_log(browser: Browser, page: Page, run: Run) -> None:
    tab = opened(browser, page, width=390, token=True)
    tab.wait(lambda: tab.page.locator("#victim option").count() == 2, "the parts to choose")
    tab.page.locator("#victim").select_option("postgres")
    tab.page.get_by_role("button", name="Tell it").click()
    assert "Kill PostgreSQL?" in tab.page.locator("#sure").inner_text()
    tab.page.get_by_role("button", name="Kill it").click()
    tab.wait(lambda: tab.page.locator(".chapters li").count() == 2, "its chapters")
    assert tab.page.locator(".chapters li[aria-current=step]").inner_text().startswith("A part is killed")
    tab.wait(lambda: tab.page.locator("#step").inner_text().startswith("Step 2 of 2: A part is killed."), "on top of it, too")
    step = Chapter(title="A promotion", text="30% off.", look="the board", link="/d/realtime-operations", state="now")
    run.story = Telling(kind="demo", state="telling", parts=["load", "postgres"], chapters=[step])
    tab.wait(lambda: "Look at: the board." in tab.page.locator("#step").inner_text(), "the demo's step, and where to look")
    assert tab.page.locator("#step a").get_attribute("href") == "/d/realtime-operations"
    assert tab.page.locator("#story-title").inner_text() == "The demo"
    assert tab.page.evaluate(CUT) == []
    assert run.wishes == [{"kill": "postgres"}]
    tab.page.get_by_role("button", name="End it now").click()
    tab.wait(lambda: tab.page.locator("#moral").inner_text() == "Ended early.", "its end")
    tab.page.locator("button[data-node=kafka]").focus()
    tab.page.keyboard.press("Enter")
    tab.wait(lambda: "the broker is up <script>" in tab.page.locator("#log").inner_text(), "the log, as text")
    assert tab.page.evaluate(CUT) == [] and tab.complaints == []
    tab.page.get_by_role("button", name="Hide").click()
    assert not tab.page.locator("#log").is_visible()
    tab.page.close()


def test_what_was_asked_before_the_story_began_does_not_take_its_chapters_away(browser: Browser, page: Page, run: Run) -> None:
    tab = opened(browser, page, token=True)
    tab.wait(lambda: tab.page.locator("#victim option").count() == 2, "the parts to choose")
    before = msgspec.to_builtins(run.story)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST":
            route.continue_()
        else:
            held.append(route)

    tab.page.route("**/api/story", hold)
    tab.wait(lambda: bool(held), "a question, whose answer takes long")
    tab.page.get_by_role("button", name="Tell it").click()
    tab.page.get_by_role("button", name="Kill it").click()
    tab.wait(lambda: tab.page.locator(".chapters li").count() == 2, "its chapters")
    held.pop(0).fulfill(json=before)
    tab.wait(lambda: bool(held), "the next question, which comes when that answer was heard")
    assert tab.page.locator(".chapters li").count() == 2 and tab.page.locator("#tell-end").is_visible()
    tab.page.close()


def test_it_heals_when_the_server_is_back_and_follows_the_theme_that_is_picked(browser: Browser, page: Page, run: Run) -> None:
    tab = opened(browser, page)
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = tab.page.evaluate(ground)
    tab.page.get_by_role("button", name="Light or dark").click()
    assert tab.page.evaluate(ground) != dark
    page.stop()
    tab.wait(lambda: "connection lost" in tab.page.locator("#updated").inner_text(), "it says so")
    run.status = msgspec.structs.replace(FULL, facts=1_190_001)
    page.start()
    tab.wait(lambda: "1,190,001" in tab.page.locator("[data-node=warehouse]").inner_text(), "it is live again")
    tab.page.close()


def test_who_must_log_in_gets_in_and_out_and_keeps_the_token_of_the_link(browser: Browser, run: Run) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    made = Page(
        NOWHERE, BOARDS, "127.0.0.1", 0, lambda: run.status, run.control, run, home=Home(story=run), password="correct horse"
    )
    made.start()
    try:
        tab = Tab(browser, "light")
        tab.page.set_viewport_size({"width": 390, "height": 800})
        tab.page.goto(f"{made.url}#token={made.token}")
        assert tab.page.url == f"{made.url}login?next=/", "the token is out of the address bar"
        found = axe.Axe().run(tab.page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []
        tab.page.get_by_label("Password").fill("wrong horse")
        tab.page.keyboard.press("Enter")
        tab.page.get_by_text("That is not the password.").wait_for()
        tab.complaints.clear()  # the browser says that the answer was 401
        tab.page.get_by_label("Password").fill("correct horse")
        tab.page.keyboard.press("Enter")
        tab.wait(lambda: tab.page.locator(".node").count() > 0, "the start page")
        assert tab.page.url == made.url
        assert tab.page.get_by_role("button", name="Pause the shop").is_enabled(), "by the token of the link"
        assert tab.page.evaluate("document.cookie") == ""
        assert (tab.complaints, tab.foreign) == ([], [])
        tab.page.get_by_role("button", name="Log out").click()
        tab.page.get_by_label("Password").wait_for()
        tab.page.goto(f"{made.url}d/realtime-operations")
        assert "/login?next=" in tab.page.url and tab.page.evaluate("sessionStorage.length") == 0
        tab.page.close()
    finally:
        made.stop()


@pytest.mark.parametrize("path", ["", "d/pipeline-health?from=now-15m&to=now"])
def test_a_session_that_ends_elsewhere_leads_to_the_log_in_and_back(browser: Browser, run: Run, path: str) -> None:
    made = Page(NOWHERE, BOARDS, "127.0.0.1", 0, lambda: run.status, home=Home(), password="correct horse")
    made.start()
    try:
        tab = Tab(browser, "dark")
        tab.page.goto(made.url + path)
        tab.page.get_by_label("Password").fill("correct horse")
        tab.page.keyboard.press("Enter")
        tab.wait(lambda: tab.page.locator(".updated.live").count() == 1, "the page is live")
        assert tab.page.url == made.url + path
        tab.page.evaluate(
            "new MutationObserver(() => { if (document.querySelector('.lost')) console.error('lost'); })"
            ".observe(document.body, {subtree: true, attributes: true})"
        )
        assert tab.page.request.post(f"{made.url}logout").ok, "as in another tab"
        tab.page.get_by_label("Password").fill("correct horse")
        tab.page.keyboard.press("Enter")
        tab.wait(lambda: tab.page.locator(".updated.live").count() == 1, "live again")
        assert tab.page.url == made.url + path, "where it was"
        assert "lost" not in tab.complaints
        tab.page.close()
    finally:
        made.stop()
