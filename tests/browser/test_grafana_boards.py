"""Every board file in a real Grafana: provisioned, drawn, and each of its queries answered with the rows of the built-in page."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from ecom_lite.dashboards import Page
from ecom_lite.dashboards.queries import FRESH_MOST_S
from ecom_lite.engines.grafana import GrafanaServer, find_grafana
from ecom_lite.observe.status import RunStatus
from ecom_lite.warehouse.connect import Address
from tests.browser import board_files
from tests.browser.board_files import ALL, BOARDS, Json
from tests.browser.grafana_rows import Rows, Server, difference, from_grafana, from_page, listed, page_answer
from tests.browser.seed import build_marts, seed_more, seed_warehouse
from tests.browser.tab import ARGUMENTS, CHROMIUM, Tab
from tests.browser.test_dashboards import BUILT_GRAFANA, grafana_of
from tests.conftest import a_database

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DOCUMENTS = board_files.documents()
HOME = "realtime-operations"
FOLDER = "ecom_lite"
ROUNDS = 3  # a minute may begin between two questions: then they are asked again, once the page has not kept its answer any more
PANEL = {"title": "variable"}

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def binary() -> Path:
    found = find_grafana() or (find_grafana(BUILT_GRAFANA) if (BUILT_GRAFANA / "bin" / "grafana").is_file() else None)
    if found is None:
        pytest.skip("no Grafana on PATH, in $GRAFANA_HOME or in the default folder")
    return found


@pytest.fixture(scope="module")
def shop(binary: Path, template: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """A warehouse with sales and marts in which nothing happens any more."""
    with a_database(template) as made:
        seed_warehouse(made, lines=6_000, days=30, users=200)
        seed_more(made)
        build_marts(made, tmp_path_factory.mktemp("dbt"))
        yield made


@pytest.fixture(scope="module")
def grafana(binary: Path, shop: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrafanaServer]:
    made = grafana_of(binary, shop, tmp_path_factory.mktemp("grafana"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def pages(shop: Address) -> Iterator[tuple[Server, Server]]:
    """Two, so that what is asked again is computed again."""
    made = [Page(shop, BOARDS, "127.0.0.1", 0, lambda: RunStatus(state="running")) for _ in range(2)]
    for page in made:
        page.start()
    yield Server(made[0].url), Server(made[1].url)
    for page in made:
        page.stop()


def test_boards_are_in_a_folder_one_is_home_and_who_has_not_logged_in_may_look_and_no_more(grafana: GrafanaServer) -> None:
    anyone = Server(grafana.url)
    found = {each["uid"]: each for each in anyone.get("/api/search?type=dash-db")}
    assert {uid: (each["title"], each["folderTitle"]) for uid, each in found.items()} == {
        uid: (document["title"], FOLDER) for uid, document in DOCUMENTS.items()
    }
    assert anyone.get("/api/dashboards/home")["dashboard"]["uid"] == HOME
    shown = anyone.get(f"/api/dashboards/uid/{HOME}")["meta"]
    assert shown["provisioned"] and not any(shown[name] for name in ("canSave", "canEdit", "canDelete", "canAdmin"))
    board = {"uid": "mine", "title": "Mine", "panels": [], "schemaVersion": 38}
    for path, body, method in (
        ("/api/dashboards/db", {"dashboard": board, "overwrite": True}, "POST"),
        (f"/api/dashboards/uid/{HOME}", None, "DELETE"),
        ("/api/folders", {"title": "Mine"}, "POST"),
        ("/api/datasources/uid/ecom-lite-postgres", None, "DELETE"),
        ("/api/org/users", None, "GET"),
        ("/api/admin/settings", None, "GET"),
    ):
        assert anyone.ask(path, body, method)[0] in (401, 403), path


def test_the_administrator_has_a_password_that_was_made_for_this_one(grafana: GrafanaServer) -> None:
    assert len(grafana.admin_password) >= 20
    assert Server(grafana.url, ("admin", "admin")).ask("/api/user")[0] == 401
    assert Server(grafana.url, ("admin", grafana.admin_password)).get("/api/user")["isGrafanaAdmin"]
    (kept,) = [path for path in grafana.data_dir.rglob("*") if path.is_file() and path.stat().st_size < 1_000_000
               and grafana.admin_password.encode() in path.read_bytes()]  # fmt: skip
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600 and grafana.admin_password not in grafana.log.read_text("utf-8")


def test_what_somebody_has_made_there_is_kept_over_a_restart(grafana: GrafanaServer) -> None:
    own = {"uid": "mine", "title": "Mine", "panels": [], "schemaVersion": 38}
    admin = Server(grafana.url, ("admin", grafana.admin_password))
    assert admin.ask("/api/dashboards/db", {"dashboard": own})[0] == 200
    refused, _ = admin.ask("/api/dashboards/db", {"dashboard": {**DOCUMENTS[HOME], "title": "Changed"}, "overwrite": True})
    assert refused == 400, "a provisioned board is changed in its file"
    before = grafana.url, grafana.admin_password
    grafana.stop()
    grafana.start()
    assert (grafana.url, grafana.admin_password) == before
    assert admin.get("/api/dashboards/uid/mine")["dashboard"]["title"] == "Mine"
    assert admin.ask("/api/dashboards/uid/mine", method="DELETE")[0] == 200


@pytest.mark.parametrize("uid", DOCUMENTS)
def test_grafana_answers_each_query_with_the_page_s_rows(uid: str, grafana: GrafanaServer, pages: tuple[Server, Server]) -> None:
    document, server = DOCUMENTS[uid], Server(grafana.url)
    bounds = board_files.fixed_range(document, round(time.time() * 1000))
    chosen = board_files.defaults(document)
    wrong = _variables(document, server, pages[0], bounds, chosen)
    for choice in (chosen, _some(document, pages[0], chosen)):
        wrong += _annotations(document, server, pages[0], bounds, choice)
        for panel in board_files.panels(document):
            # What no choice changes was asked with the first one, and the page keeps its answer for a while.
            if choice == chosen or any("${" in target["rawSql"] for target in board_files.targets(panel)):
                wrong += _panel(document, panel, server, pages, bounds, choice)
        if choice == chosen == _some(document, pages[0], chosen):
            break
    assert not wrong, "\n".join(wrong)


def _panel(
    document: Json, panel: Json, server: Server, pages: tuple[Server, Server], bounds: tuple[int, int],
    chosen: board_files.Chosen,
) -> list[str]:  # fmt: skip
    wrong: list[str] = []
    for turn in range(ROUNDS):
        targets = board_files.targets(panel)
        if not targets:
            return []
        if turn:
            time.sleep(FRESH_MOST_S)
        before = page_answer(pages[0], document["uid"], panel["id"], bounds, chosen)
        found = [from_grafana(server, document, target, panel, bounds, chosen) for target in targets]
        after = page_answer(pages[1], document["uid"], panel["id"], bounds, chosen)
        wrong = []
        for at, (target, rows) in enumerate(zip(targets, found, strict=True)):
            series = target["format"] == "time_series"
            if said := difference(from_page(before, at, series), rows, from_page(after, at, series)):
                wrong.append(f"{panel['title']} with {dict(chosen)}: {said}")
        if not wrong:
            break
    return wrong


def _variables(document: Json, server: Server, page: Server, bounds: tuple[int, int], chosen: board_files.Chosen) -> list[str]:
    if not board_files.variables(document):
        return []
    offered, wrong = _offered(document, page), []
    for variable in board_files.variables(document):
        here = offered.get(variable["name"], [])
        if variable["type"] == "query":
            asked = variable["query"] if isinstance(variable["query"], str) else variable["query"]["rawSql"]
            target = {"refId": "tempvar", "datasource": variable["datasource"], "format": "table", "rawSql": asked}
            there = listed(from_grafana(server, document, target, PANEL, bounds, chosen))
            if there != here or not there:
                wrong.append(f"variable {variable['name']}: {there}, the page has {here}")
        elif variable["type"] == "custom" and [value for _, value in here] != board_files.custom_options(variable):
            wrong.append(f"variable {variable['name']}: {board_files.custom_options(variable)}, the page has {here}")
    return wrong


def _offered(document: Json, page: Server) -> dict[str, list[tuple[str, str]]]:
    found = page.get(f"/api/boards/{document['uid']}/variables")
    return {name: [(each["text"], each["value"]) for each in options] for name, options in found.items()}


def _some(document: Json, page: Server, chosen: board_files.Chosen) -> dict[str, list[str]]:
    """Values instead of All: the first two of a list that takes several, else the first."""
    offered = _offered(document, page) if board_files.variables(document) else {}
    found = {name: list(values) for name, values in chosen.items()}
    for variable in board_files.variables(document):
        values = [value for _, value in offered.get(variable["name"], []) if value != ALL]
        if values:
            found[variable["name"]] = values[: 2 if variable.get("multi") else 1]
    return found


def _annotations(document: Json, server: Server, page: Server, bounds: tuple[int, int], chosen: board_files.Chosen) -> list[str]:
    queries = board_files.annotation_queries(document)
    if not queries:
        return []
    asked = urlencode([("from", str(bounds[0])), ("to", str(bounds[1])), *board_files.address(chosen)])
    shown = [
        (each["name"], each["at"], each["end"], each["text"])
        for each in page.get(f"/api/boards/{document['uid']}/annotations?{asked}")
    ]
    wrong = []
    for query in queries:
        if not query["enable"]:
            continue  # the page shows those only that are on at first
        target = {"datasource": query["datasource"], "format": "table", **query.get("target", query)}
        rows = from_grafana(server, document, target, {"title": query["name"]}, bounds, chosen)
        there = sorted(_events(query["name"], rows), key=str)
        here = sorted((each for each in shown if each[0] == query["name"]), key=str)
        if there != here:
            wrong.append(f"annotation {query['name']}: {there[:3]} ({len(there)}), the page has {here[:3]} ({len(here)})")
    return wrong


def _events(name: str, rows: Rows) -> list[tuple[str, Any, Any, str]]:
    if not rows.rows:
        return []
    at, text = rows.columns.index("time"), rows.columns.index("text")
    end = rows.columns.index("timeend") if "timeend" in rows.columns else None
    return [(name, row[at], None if end is None or row[end] in (None, row[at]) else row[end], row[text]) for row in rows.rows]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM} (set CHROMIUM)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield made
        made.close()


@pytest.mark.parametrize("uid", DOCUMENTS)
def test_grafana_draws_each_panel(uid: str, grafana: GrafanaServer, pages: tuple[Server, Server], browser: Browser) -> None:
    document = DOCUMENTS[uid]
    bounds = board_files.fixed_range(document, round(time.time() * 1000))
    chosen = board_files.defaults(document)
    seen = list(board_files.panels(document, folded=False))
    empty = [
        panel["title"] for panel in seen
        if board_files.targets(panel) and page_answer(pages[0], uid, panel["id"], bounds, chosen)["state"] == "empty"
    ]  # fmt: skip
    tab = Tab(browser, "dark")
    tab.page.set_viewport_size({"width": 1600, "height": board_files.height_px(document) + 150})  # it draws what is in view
    tab.page.goto(f"{grafana.url}d/{uid}?from={bounds[0]}&to={bounds[1]}&kiosk")
    tab.wait(
        partial(_drawn, tab, [panel["title"] for panel in seen if panel.get("title")], len(empty)), f"{uid}: {empty} are empty"
    )
    assert tab.page.get_by_text("No data", exact=True).count() <= len(empty)
    assert tab.page.locator('[data-testid*="Panel status error"]').count() == 0
    assert tab.page.get_by_text("Panel plugin not found").count() == 0
    assert tab.foreign == []
    tab.page.close()


def _drawn(tab: Tab, titles: list[str], empty: int) -> bool:
    """A panel without data has its words only."""
    content = tab.page.locator('[data-testid="data-testid panel content"], [class*="panel-content"]')
    filled = sum(
        1 for index in range(content.count()) if content.nth(index).locator("canvas, svg, table, [role=row], span, p, h1").count()
    )
    return filled >= len(titles) - empty and all(tab.page.get_by_text(title, exact=True).count() for title in titles)
