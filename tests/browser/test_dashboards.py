"""A real browser looks at both boards: on the built-in page, and in Grafana where one is found."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ecom_lite.dashboards import Page, load_boards
from ecom_lite.dashboards.board import ROW_PANEL, Board, Panel
from ecom_lite.engines.grafana import GrafanaServer, Warehouse, find_grafana
from ecom_lite.errors import EngineError
from ecom_lite.warehouse.connect import Address
from tests.browser.seed import build_marts, nothing_now, seed_more, seed_warehouse
from tests.browser.tab import BOARDS, HEIGHT, ROOT, SCHEMES, Tab, needs_browser
from tests.runs import DEADLINE_S

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

BUILT_GRAFANA = Path("~/.cache/ecom_lite/grafana").expanduser()
UIDS = ("realtime-operations", "business-intelligence")


def shown_of(board: Board) -> list[Panel]:
    """The panels that are seen at first: neither rows themselves nor what a closed one holds."""
    return [panel for panel in board.panels if panel.type != ROW_PANEL and panel.row is None]


def drawn(warehouse: Address, board: Board) -> dict[str, str]:
    """The state that each panel of it has to be in: all are drawn, but for those that have nothing at this hour."""
    empty = nothing_now(warehouse)
    return {str(panel.id): "empty" if panel.title in empty else "drawn" for panel in shown_of(board)}


pytestmark = needs_browser


def test_every_panel_of_both_boards_is_drawn(warehouse: Address, page: Page, browser: Browser, tmp_path: Path) -> None:
    seed_warehouse(warehouse, lines=6_000, days=30, users=200)
    seed_more(warehouse)
    build_marts(warehouse, tmp_path)
    boards = load_boards(BOARDS)
    for scheme in SCHEMES:
        tab = Tab(browser, scheme)
        for uid in UIDS:
            tab.page.goto(f"{page.url}d/{uid}")
            expected = partial(drawn, warehouse, boards[uid])
            tab.wait(partial(_same, tab.states, expected), f"{uid} in {scheme}")
            tab.wait(lambda at=tab: at.page.locator(".strip .step").count() == 6, "the strip")  # type: ignore[misc]
            for panel in shown_of(boards[uid]):
                body = tab.page.locator(f'.panel[data-panel="{panel.id}"] .body')
                marks = body.locator(".value, .bars .fill, td, .uplot canvas, svg .bar, svg .slice, .gauge-value")
                assert marks.count() > 0 or tab.states()[str(panel.id)] == "empty", panel.title
                box = body.bounding_box()
                assert box and box["height"] > 40 and box["width"] > 100, panel.title
        assert (
            tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
            == {
                "dark": "rgb(14, 17, 22)",
                "light": "rgb(243, 245, 248)",
            }[scheme]
        )
        assert (tab.complaints, tab.foreign) == ([], [])
        tab.page.close()


def test_long_names_do_not_push_a_tables_figures_out_of_sight(warehouse: Address, page: Page, browser: Browser) -> None:
    seed_warehouse(warehouse, lines=500, days=1, users=20)
    with warehouse.connect("admin", autocommit=True) as admin:
        admin.execute("UPDATE warehouse.dim_user SET name = 'Walentina Maximiliane Schweitzer', country = 'United States'")
    tab = Tab(browser, "light")
    tab.page.set_viewport_size({"width": 1440, "height": HEIGHT})
    tab.page.goto(f"{page.url}d/realtime-operations")
    tab.wait(lambda: tab.page.get_by_text("Walentina").count() >= 5, "the customers")
    assert tab.page.evaluate("[...document.querySelectorAll('.scroll')].filter(s => s.scrollWidth > s.clientWidth).length") == 0


def test_a_first_start_waits_for_dbt_and_heals(warehouse: Address, page: Page, browser: Browser, tmp_path: Path) -> None:
    tab = Tab(browser, "dark")
    tab.page.goto(f"{page.url}d/business-intelligence")
    tab.wait(lambda: set(tab.states().values()) == {"waiting", "empty"}, "before the first dbt run")
    assert tab.page.get_by_text("Waiting for the first dbt run").count() > 5
    seed_warehouse(warehouse, lines=500, days=2, users=20)
    seed_more(warehouse)
    build_marts(warehouse, tmp_path)
    # The page would ask again by itself after the board's minute; a viewer who picks another range need not wait.
    tab.page.get_by_role("button", name="7d").click()
    # Two days have no whole week, unless a Monday is among them.
    tab.wait(partial(_same, tab.states, partial(drawn, warehouse, load_boards(BOARDS)["business-intelligence"])), "healed")
    assert (tab.complaints, tab.foreign) == ([], [])


def test_ranges_boards_and_a_lost_server(warehouse: Address, page: Page, browser: Browser) -> None:
    seed_warehouse(warehouse, lines=2_000, days=5, users=50)
    seed_more(warehouse)
    tab = Tab(browser, "dark")
    tab.page.goto(f"{page.url}d/realtime-operations")
    all_there = partial(_same, tab.states, partial(drawn, warehouse, load_boards(BOARDS)["realtime-operations"]))
    tab.wait(all_there, "first sight")
    for name in ("5m", "24h", "All"):
        tab.page.get_by_role("button", name=name, exact=True).click()
        assert tab.page.get_by_role("button", name=name, exact=True).get_attribute("aria-pressed") == "true"
        tab.wait(lambda: "loading" not in tab.states().values(), name)
    assert "from=all" in tab.page.url
    page.stop()
    tab.wait(lambda: tab.page.locator(".updated.lost").count() == 1, "the loss is shown")
    first = tab.page.locator('.panel[data-panel="1"]')
    tab.wait(lambda: first.locator(".trouble").count() == 1, "each panel says so")
    assert first.locator(".value").inner_text().startswith("$")
    page.start()
    tab.wait(lambda: tab.page.locator(".updated.live").count() == 1 and all_there(), "healed")
    tab.page.get_by_role("link", name="Business Intelligence").click()
    others = {str(panel.id) for panel in shown_of(load_boards(BOARDS)["business-intelligence"])}
    tab.wait(lambda: "business-intelligence" in tab.page.url and tab.states().keys() == others, "the other board")
    assert tab.foreign == []


@pytest.fixture
def binary() -> Path:
    found = find_grafana() or (find_grafana(BUILT_GRAFANA) if (BUILT_GRAFANA / "bin" / "grafana").is_file() else None)
    if found is None:
        pytest.skip("no Grafana on PATH, in $GRAFANA_HOME or in the default folder")
    return found


def grafana_of(binary: Path, warehouse: Address, folder: Path) -> GrafanaServer:
    return GrafanaServer(
        binary,
        folder / "grafana",
        folder / "logs",
        warehouse=Warehouse(warehouse.host, warehouse.port, warehouse.database, warehouse.passwords["ecom_reader"]),
        provisioning=ROOT / "grafana" / "provisioning",
        boards=BOARDS,
    )


@pytest.fixture
def grafana(binary: Path, warehouse: Address, tmp_path: Path) -> Iterator[GrafanaServer]:
    made = grafana_of(binary, warehouse, tmp_path)
    made.start()
    yield made
    made.stop()
    assert not made.alive


# Ends as Grafana 10.0 does now and then, with a database that is half made; the next time it is Grafana itself.
ENDS_ONCE = """#!/bin/sh
if [ ! -e ended ]; then
    touch ended "{data}/grafana.db"
    echo "Error: failed to create default organization: UNIQUE constraint failed: org.id"
    exit 1
fi
exec "{binary}" "$@"
"""


def test_grafana_that_ends_while_it_makes_its_database_is_started_once_more(
    binary: Path, warehouse: Address, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    for part in ("conf", "public"):
        (home / part).symlink_to(binary.parent.parent / part)
    wrapper = home / "bin" / "grafana"
    wrapper.write_text(ENDS_ONCE.format(data=tmp_path / "grafana" / "data", binary=binary), "utf-8")
    wrapper.chmod(0o755)
    made = grafana_of(wrapper, warehouse, tmp_path)
    made.start()
    assert made.alive and (home / "ended").exists()
    made.stop()
    (home / "ended").unlink()
    with pytest.raises(EngineError, match="ended with exit code 1 while starting"):
        made.start()
    assert not made.alive, "a database that was whole is no reason to try again"


def asked_as(grafana: GrafanaServer, host: str, method: str, path: str, body: bytes | None = None) -> tuple[int, str, str]:
    """Status, where it leads to, and content, for a request that names `host`."""
    connection = http.client.HTTPConnection("127.0.0.1", grafana.port, timeout=DEADLINE_S)
    connection.request(method, path, body, {"Host": host, "Content-Type": "application/json"})
    answer = connection.getresponse()
    found = answer.status, answer.getheader("Location", ""), answer.read().decode()
    connection.close()
    return found


def test_grafana_answers_under_its_own_address_only(grafana: GrafanaServer) -> None:
    """A page of another site whose name is turned to 127.0.0.1 (DNS rebinding) is a name like any other to the browser."""
    target = {"refId": "A", "datasource": {"uid": "ecom-lite-postgres"}, "format": "table", "rawSql": "SELECT 4242 AS secret"}
    question = json.dumps({"queries": [target], "from": "now-1h", "to": "now"}).encode()
    for host in ("evil.example", f"evil.example:{grafana.port}"):
        for method, path, body in (("POST", "/api/ds/query", question), ("GET", "/api/search", None), ("GET", "/", None)):
            status, leads_to, text = asked_as(grafana, host, method, path, body)
            assert status == 301 and leads_to.startswith(grafana.url), (host, path, status)
            assert "4242" not in text and "dash-db" not in text
    status, _, text = asked_as(grafana, f"127.0.0.1:{grafana.port}", "POST", "/api/ds/query", question)
    assert status == 200 and "4242" in text
    _, leads_to, _ = asked_as(grafana, f"localhost:{grafana.port}", "GET", "/d/realtime-operations?kiosk")
    assert leads_to == f"{grafana.url}d/realtime-operations?kiosk", "a browser goes on from there"


def _same(states: Callable[[], dict[str, str]], expected: Callable[[], dict[str, str]]) -> bool:
    found = states()
    return set(found.values()) <= {"drawn", "empty"} and found == expected()
