"""A real browser reads dbt's docs under /dbt/, with no network but the page's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ecom_lite.dashboards import Page
from ecom_lite.observe.status import RunStatus
from ecom_lite.transform import Transform
from ecom_lite.warehouse.connect import Address
from tests.browser.seed import ROOT, build_marts, seed_warehouse
from tests.browser.tab import ARGUMENTS, BOARDS, CHROMIUM, Tab, needs_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

PROJECT = ROOT / "dbt_project"
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"  # whatever is asked of another host fails

pytestmark = needs_browser


class Docs:
    """dbt on the test's warehouse, of which only the documentation is asked."""

    def __init__(self, warehouse: Address, folder: Path) -> None:
        self._transform = Transform(warehouse, PROJECT, folder, 2)
        self._reader = warehouse.only("ecom_reader")

    def docs(self) -> Path:
        return self._transform.docs(self._reader)

    def refresh(self, trigger: str, *, full_refresh: bool, select: Sequence[str], said: Callable[[str], None]) -> Any:
        raise AssertionError("not asked for here")

    def require_known(self, select: Sequence[str]) -> None: ...


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=str(CHROMIUM), args=[*ARGUMENTS, OFFLINE])
        yield made
        made.close()


@pytest.fixture
def page(warehouse: Address, tmp_path: Path) -> Iterator[Page]:
    seed_warehouse(warehouse, lines=500, days=3, users=20)
    build_marts(warehouse, tmp_path / "runs")
    made = Page(warehouse, BOARDS, "127.0.0.1", 0, RunStatus, marts=Docs(warehouse, tmp_path / "docs"))
    made.start()
    yield made
    made.stop()


def test_a_model_and_its_columns_are_explained_without_the_network(page: Page, browser: Browser) -> None:
    models = {each["name"]: each for each in yaml.safe_load((PROJECT / "models/marts/marts.yml").read_text("utf-8"))["models"]}
    tab = Tab(browser, "light")
    tab.page.goto(f"{page.url}d/realtime-operations")
    tab.page.get_by_role("link", name="Models").click()
    tab.wait(lambda: tab.page.title() == "dbt Docs", "the docs, which are made when they are first asked for", 120)
    tab.complaints.clear()  # the status 503, while they were made
    for name in ("daily_sales", "cohorts"):
        model = models[name]
        tab.page.goto(f"{page.url}dbt/#!/model/model.ecom_lite.{name}")
        tab.page.get_by_text(model["description"]).first.wait_for()
        tab.page.get_by_text(model["columns"][0]["description"]).first.wait_for()
    # Before dbt's page fills in its pictures it names them {{...}}, which its policy stops: they stand in the page itself.
    assert ([each for each in tab.complaints if "%7B%7B" not in each], tab.foreign) == ([], [])
    assert tab.page.evaluate("fetch('/api/boards').then(() => 'fetched', () => 'refused')") == "refused", "the policy holds"
    tab.page.close()
