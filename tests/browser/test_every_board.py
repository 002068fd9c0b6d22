"""Every board file on the built-in page, at three widths and in both themes: drawn, its figures are SQL's, and each text can be
read where it stands, which is measured."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from ecom_lite.dashboards import Page
from ecom_lite.dashboards.frames import plain
from ecom_lite.observe.status import RunStatus
from ecom_lite.warehouse.connect import Address
from tests.browser import board_files
from tests.browser.board_files import BOARDS, Json
from tests.browser.grafana_rows import Rows, Server, difference, from_page, page_answer
from tests.browser.seed import build_marts, seed_more, seed_warehouse
from tests.browser.shown import shows
from tests.browser.tab import ARGUMENTS, CHROMIUM, SCHEMES, Scheme, Tab, settle
from tests.conftest import a_database

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

DOCUMENTS = board_files.documents()
BOXES = Path(__file__).with_name("boxes.js")
WIDTHS = (390, 1440, 2560)
NARROW = 600  # from here on a wide table may scroll sideways, and a long name may end in … with the whole name as its title
LEAST_PX = 9.5  # a text that is smaller cannot be read
AXE_WIDTH = 1440
ROUNDS = 3
# (board, width, words of a finding) -> why it may stand for now. A finding that is gone must go from here, too.
KNOWN: Mapping[tuple[str, int, str], str] = {}

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM} (set CHROMIUM)"),
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def shop(template: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """A warehouse with sales of twelve categories, returns and marts, in which nothing happens any more."""
    with a_database(template) as made:
        seed_warehouse(made, lines=6_000, days=30, users=200)
        seed_more(made)
        build_marts(made, tmp_path_factory.mktemp("dbt"))
        yield made


@pytest.fixture(scope="module")
def page(shop: Address) -> Iterator[Page]:
    status = RunStatus(state="running", sent_per_s=1_012, loaded_per_s=1_012, lag=20_412, facts=3_004_000, dead=1_021)
    made = Page(shop, BOARDS, "127.0.0.1", 0, lambda: status)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield made
        made.close()


def opened(browser: Browser, page: Page, uid: str, scheme: Scheme, width: int, bounds: tuple[int, int]) -> Tab:
    """The board with all its panels drawn, or empty where SQL has nothing."""
    tab = Tab(browser, scheme)
    tab.page.emulate_media(reduced_motion="reduce")  # else a figure that has just changed is measured on its way to its value
    tab.page.add_init_script(path=BOXES)
    tab.page.set_viewport_size({"width": width, "height": 1_000 if width < NARROW else 1_900})
    tab.page.goto(f"{page.url}d/{uid}?from={bounds[0]}&to={bounds[1]}")
    shown = [str(panel["id"]) for panel in board_files.panels(DOCUMENTS[uid], folded=False)]
    tab.wait(
        lambda: {id_ for id_, state in tab.states().items() if state in ("drawn", "empty")} >= set(shown), f"{uid} at {width} px"
    )
    settle(tab.page, 900)  # panels settle to their size
    return tab


# The light theme sets the same texts in the same places: looked at by `make test-long`.
@pytest.mark.parametrize("scheme", ["dark", pytest.param("light", marks=pytest.mark.long)])
@pytest.mark.parametrize("uid", DOCUMENTS)
def test_each_text_can_be_read_where_it_stands(uid: str, scheme: Scheme, page: Page, browser: Browser) -> None:
    bounds = board_files.fixed_range(DOCUMENTS[uid], round(time.time() * 1000))
    found: set[str] = set()
    allowed: set[tuple[str, int, str]] = set()
    for width in WIDTHS:
        tab = opened(browser, page, uid, scheme, width, bounds)
        for each in tab.page.evaluate("options => measureBoxes(options)", {"leastPx": LEAST_PX, "narrow": width < NARROW}):
            said = f"{each['where']}: {each['what']}: {each['text']}"
            known = [key for key in KNOWN if key[:2] == (uid, width) and key[2] in said]
            allowed.update(known)
            if not known:
                found.add(f"{width} px: {said}")
        if tab.complaints or tab.foreign:
            found.add(f"{width} px: console {tab.complaints}, elsewhere {tab.foreign}")
        tab.page.close()
    assert not found, "\n".join(sorted(found))
    assert {key for key in KNOWN if key[0] == uid} <= allowed, "no longer found: take it out of KNOWN"


@pytest.mark.parametrize("uid", DOCUMENTS)
def test_each_panel_shows_the_figures_of_its_sql(uid: str, shop: Address, page: Page, browser: Browser) -> None:
    document, server = DOCUMENTS[uid], Server(page.url)
    bounds = board_files.fixed_range(document, round(time.time() * 1000))
    chosen = board_files.defaults(document)
    earlier = {
        panel["id"]: page_answer(server, uid, panel["id"], bounds, chosen)
        for panel in board_files.panels(document, folded=False)
        if any(_clocked(target["rawSql"]) for target in board_files.targets(panel))
    }
    tab = opened(browser, page, uid, "dark", AXE_WIDTH, bounds)
    read = tab.page.evaluate("readPanels()")
    wrong = []
    with shop.connect("ecom_reader", autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        for panel in board_files.panels(document, folded=False):
            if not board_files.targets(panel):
                continue
            answer = page_answer(server, uid, panel["id"], bounds, chosen)
            wrong += _against_sql(connection, document, panel, server, bounds, chosen)
            seen, before = read[str(panel["id"])], earlier.get(panel["id"], answer)
            # Where a minute has begun since, what is shown may be as before it.
            said = _differs(panel, answer, seen, before)
            wrong += said if _differs(panel, before, seen, answer) else []
    tab.page.close()
    assert not wrong, "\n".join(wrong)


def _differs(panel: Json, answer: Json, seen: Mapping[str, Any], other: Json) -> list[str]:
    """How the panel differs from an answer; a figure that goes on with the clock may lie between this one and the other."""
    if seen["state"] != {"ok": "drawn"}.get(answer["state"], answer["state"]):
        return [f"{panel['title']}: {seen['state']}, its answer is {answer['state']}"]
    if answer["state"] != "ok":
        return []
    said = [f"{panel['title']}: {line}" for line in _not_shown(panel, answer, seen, other)]
    return said if seen["marks"] else [*said, f"{panel['title']}: nothing is drawn"]


def _against_sql(
    connection: psycopg.Connection, document: Json, panel: Json, server: Server, bounds: tuple[int, int],
    chosen: board_files.Chosen,
) -> list[str]:  # fmt: skip
    """The page's rows and those of the file's SQL, of queries that make tables."""
    wrong: list[str] = []
    for at, target in enumerate(board_files.targets(panel)):
        if target["format"] != "table" or "$__interval" in target["rawSql"]:
            continue
        sql = board_files.plain_sql(board_files.interpolated(target["rawSql"], document, chosen), bounds)
        for _ in range(ROUNDS):  # the clock goes on between two questions
            first = _rows(connection, sql)
            shown = from_page(page_answer(server, document["uid"], panel["id"], bounds, chosen), at, False)
            said = difference(first, shown, _rows(connection, sql)) if shown.rows else ""
            if not said or _clocked(target["rawSql"]):
                break
        if said and not _clocked(target["rawSql"]):
            wrong.append(f"{panel['title']}: SQL and page: {said}")
    return wrong


def _clocked(sql: str) -> bool:
    """What the page has kept for a while may be older than both questions."""
    return bool(re.search(r"\bnow\(\)|clock_timestamp|current_", sql))


def _rows(connection: psycopg.Connection, sql: str) -> Rows:
    cursor = connection.execute(sql.encode())
    return Rows(
        [column.name for column in cursor.description or []], [[plain(value) for value in row] for row in cursor.fetchall()]
    )


def _not_shown(panel: Json, answer: Json, seen: Mapping[str, Any], earlier: Json) -> list[str]:
    """Figures that the panel does not show: of each cell of a table, of each value of a stat or a bar with its number."""
    frame = answer["frames"][0]
    before = (
        earlier["frames"][0]
        if [len(each["frames"][0]["rows"]) for each in (earlier, answer)] == [len(frame["rows"])] * 2
        else frame
    )
    if panel["type"] == "table":
        return _table(panel, frame, seen["tables"], before)
    if panel["type"] not in ("stat", "gauge", "bargauge"):
        return []
    options = panel.get("options", {}).get("reduceOptions", {})
    numbers = [at for at, column in enumerate(frame["columns"]) if column["kind"] == "number"]
    missing = []
    for at in numbers if not options.get("values") else numbers[:1]:
        name = frame["columns"][at]["name"]
        settings = _settings(panel, name)
        if options.get("fields") and not _takes(options["fields"], name):
            continue
        if settings.get("mappings") or settings.get("hidden") or settings.get("unit", "").startswith("dateTime"):
            continue
        now, then = (_values(options, [row[at] for row in each["rows"]]) for each in (frame, before))
        for value, was in zip(now, then, strict=True):
            if value is not None and not any(shows(text, value, settings.get("unit", ""), was) for text in seen["texts"]):
                missing.append(f"{name} is {value}, shown are {seen['texts']}")
    return missing


def _values(options: Json, column: list[Any]) -> list[Any]:
    if options.get("values"):
        return column[: options.get("limit", 25)]
    return [_reduced(options.get("calcs", ["lastNotNull"])[0], column)]


def _takes(fields: str, name: str) -> bool:
    return bool(re.search(fields.strip("/"), name)) if fields.startswith("/") else fields == name


def _reduced(calc: str, values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    if calc == "last":
        return values[-1] if values else None
    if not known:
        return None
    return {
        "lastNotNull": known[-1],
        "sum": sum(known),
        "max": max(known),
        "min": min(known),
        "mean": sum(known) / len(known),
    }.get(calc)


def _table(panel: Json, frame: Json, tables: list[Json], before: Json) -> list[str]:
    missing = []
    (table,) = tables
    if len(table["rows"]) != len(frame["rows"]):
        missing.append(f"{len(table['rows'])} rows, SQL has {len(frame['rows'])}")
    for at, column in enumerate(frame["columns"]):
        settings = _settings(panel, column["name"])
        if settings.get("hidden"):
            continue
        title = settings.get("displayName", column["name"])
        if title not in table["head"]:
            missing.append(f"no column {title} in {table['head']}")
            continue
        place = table["head"].index(title)
        for row, was, shown in zip(frame["rows"], before["rows"], table["rows"], strict=False):
            value, text = row[at], shown[place]
            if (
                value is None
                or column["kind"] == "time"
                or settings.get("mappings")
                or settings.get("unit", "").startswith("dateTime")
            ):
                continue
            fits = (
                shows(text, value, settings.get("unit", ""), was[at])
                if column["kind"] == "number"
                else text == " ".join(str(value).split())
            )
            if not fits:
                missing.append(f"{title} is {value}, shown is {text!r}")
    return missing


def _settings(panel: Json, name: str) -> Json:
    config = panel.get("fieldConfig", {})
    found = {**config.get("defaults", {})}
    found.update({f"custom.{key}": value for key, value in found.pop("custom", {}).items()})
    for override in config.get("overrides", []):
        matcher = override["matcher"]
        if matcher["options"] == name or (matcher["id"] == "byRegexp" and re.search(matcher["options"].strip("/"), name)):
            found.update({item["id"]: item["value"] for item in override["properties"]})
    return {key.removeprefix("custom."): value for key, value in found.items()}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("uid", DOCUMENTS)
def test_axe_finds_nothing_serious(uid: str, scheme: Scheme, page: Page, browser: Browser) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    bounds = board_files.fixed_range(DOCUMENTS[uid], round(time.time() * 1000))
    tab = opened(browser, page, uid, scheme, AXE_WIDTH, bounds)
    violations = axe.Axe().run(tab.page).response["violations"]
    tab.page.close()
    serious = [
        f"{each['id']} ({each['impact']}): {each['help']}: " + " | ".join(node["html"][:160] for node in each["nodes"][:3])
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]
    assert not serious, "\n".join(serious)
