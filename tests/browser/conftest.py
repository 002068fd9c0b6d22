"""One browser per test file, and the built-in page on the test's warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from ecom_lite.dashboards import Page
from ecom_lite.observe.status import RunStatus
from ecom_lite.warehouse.connect import Address
from tests.browser.drawing import Drawing
from tests.browser.tab import ARGUMENTS, BOARDS, CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield made
        made.close()


@pytest.fixture(autouse=True)
def no_tab_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    """One that is left open would ask a page that is gone, again and again, beside all later tests of the file."""
    opened: Browser | None = request.getfixturevalue("browser") if "browser" in request.fixturenames else None
    yield
    for context in opened.contexts if opened else ():
        context.close()


@pytest.fixture
def drawing(browser: Browser) -> Iterator[Drawing]:
    made = Drawing(browser)
    yield made
    assert made.complaints == []
    made.page.close()


@pytest.fixture
def page(warehouse: Address) -> Iterator[Page]:
    status = RunStatus(state="running", sent_per_s=12, loaded_per_s=12, lag=2, facts=4000, dead=1)
    made = Page(warehouse, BOARDS, "127.0.0.1", 0, lambda: status)
    made.start()
    yield made
    made.stop()
