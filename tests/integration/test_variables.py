"""Variables as bound parameters, annotations and the range before, on a real PostgreSQL, by the page's own routes."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from ecom_lite.dashboards import Page
from ecom_lite.dashboards.board import DATASOURCE_UID
from ecom_lite.observe.status import RunStatus
from ecom_lite.warehouse.connect import Address
from tests.browser.seed import seed_warehouse

SOURCE = {"type": "postgres", "uid": DATASOURCE_UID}
COUNT = (
    "SELECT count(*) AS lines, '5%' AS share FROM warehouse.fact_sales JOIN warehouse.dim_category USING (category_key) "
    "WHERE '*' IN (${category:sqlstring}) OR category IN (${category:sqlstring})"
)
PER_MINUTE = (
    "SELECT $__timeGroupAlias(ordered_at, $__interval), sum(revenue) AS revenue FROM warehouse.fact_sales "
    "WHERE $__timeFilter(ordered_at) GROUP BY 1 ORDER BY 1"
)


def target(sql: str, kind: str = "table") -> dict[str, Any]:
    return {"refId": "A", "datasource": SOURCE, "format": kind, "rawQuery": True, "rawSql": sql}


def panel(number: int, kind: str, sql: str, form: str = "table") -> dict[str, Any]:
    return {
        "id": number, "type": kind, "title": f"Panel {number}", "gridPos": {"x": 0, "y": number * 8, "w": 12, "h": 8},
        "datasource": SOURCE, "targets": [target(sql, form)],
    }  # fmt: skip


def annotation(name: str, sql: str, enable: bool = True) -> dict[str, Any]:
    return {"name": name, "enable": enable, "iconColor": "red", "datasource": SOURCE, "target": target(sql)}


BOARD: dict[str, Any] = {
    "id": None, "uid": "mine", "title": "Mine", "schemaVersion": 38, "refresh": "5s", "time": {"from": "now-1h", "to": "now"},
    "templating": {
        "list": [
            {
                "name": "category", "type": "query", "datasource": SOURCE, "refresh": 2, "multi": True, "includeAll": True,
                "allValue": "'*'", "query": "SELECT category FROM warehouse.dim_category ORDER BY 1",
            },
            {"name": "product", "type": "textbox", "query": ""},
            {"name": "unit", "type": "custom", "query": "minute, hour"},
            {"name": "marts", "type": "query", "datasource": SOURCE, "refresh": 1, "query": "SELECT 'x' FROM marts.nothing"},
        ]
    },
    "annotations": {
        "list": [
            annotation("deploys", "SELECT now() - interval '5 min' AS time, now() AS timeend, 'v2' AS text, 'a,b' AS tags"),
            annotation("starts", "SELECT $__timeFrom()::timestamptz AS time, ${product:sqlstring} AS text"),
            annotation("broken", "SELECT time FROM warehouse.nothing"),
            annotation("off", "SELECT now() AS time", enable=False),
        ]
    },
    "panels": [
        panel(1, "stat", COUNT),
        panel(2, "table", "SELECT ${product:sqlstring} AS given, date_trunc(${unit:sqlstring}, now()) AS at"),
        panel(3, "stat", "SELECT (${product:sqlstring})::bigint + 1 AS next"),
        panel(4, "timeseries", PER_MINUTE, "time_series"),
        panel(5, "stat", "SELECT count(*) FROM warehouse.dim_category WHERE category IN (${marts:sqlstring})"),
    ],
}  # fmt: skip


@pytest.fixture
def page(warehouse: Address, tmp_path: Path) -> Iterator[Page]:
    (tmp_path / "mine.json").write_text(json.dumps(BOARD), "utf-8")
    made = Page(warehouse, tmp_path, "127.0.0.1", 0, RunStatus)
    made.start()
    yield made
    made.stop()


def ask(page: Page, path: str, **asked: str | list[str]) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    words = {name.replace("var_", "var-").rstrip("_"): value for name, value in asked.items()}
    try:
        connection.request("GET", f"/api/boards/mine{path}?{urlencode(words, doseq=True)}")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def rows(page: Page, number: int, **asked: str | list[str]) -> list[list[Any]]:
    status, answer = ask(page, f"/panels/{number}", **asked)
    assert (status, answer["state"]) == (200, "ok"), answer
    found: list[list[Any]] = answer["frames"][0]["rows"]
    return found


def test_values_from_the_list_choose_rows(page: Page, warehouse: Address) -> None:
    seed_warehouse(warehouse, lines=600, days=2, users=20)
    with warehouse.connect("ecom_reader") as reader:
        by_category: dict[str, int] = dict(
            reader.execute(
                "SELECT category, count(*) FROM warehouse.fact_sales JOIN warehouse.dim_category USING (category_key) GROUP BY 1"
            ).fetchall()
        )
    one, two, *_ = sorted(by_category)
    total = sum(by_category.values())
    assert rows(page, 1) == rows(page, 1, var_category="$__all") == [[total, "5%"]]
    assert rows(page, 1, var_category=one) == [[by_category[one], "5%"]]
    assert rows(page, 1, var_category=[two, one], var_unknown="x") == [[by_category[one] + by_category[two], "5%"]]
    status, lists = ask(page, "/variables")
    assert status == 503, "one of them has no marts yet"
    status, answer = ask(page, "/panels/1", var_category="x' OR 'a' = 'a")
    assert status == 400 and "category = \"x' OR 'a' = 'a\": it is not among the" in answer["error"], answer
    assert lists["error"] == "Waiting for the first dbt run"


def test_a_value_that_came_after_the_list_was_read_is_taken(page: Page, warehouse: Address) -> None:
    assert rows(page, 1) == [[0, "5%"]]
    assert ask(page, "/variables")[0] == 503  # the list of categories is kept from now on
    with warehouse.connect("ecom_loader") as loader:
        loader.execute("INSERT INTO warehouse.dim_category (category) VALUES ('New things')")
    assert rows(page, 1, var_category="New things") == [[0, "5%"]]
    assert ask(page, "/panels/1", var_category="Newer things")[0] == 400


@pytest.mark.parametrize("text", ["", "it's", "'; DROP TABLE warehouse.fact_sales; --", "100%s %(x)s", "$1", "ü\\'\n"])
def test_any_text_is_bound_and_never_sql(page: Page, text: str) -> None:
    assert [row[0] for row in rows(page, 2, var_product=text, var_unit="hour")] == [text]


def test_what_the_database_does_not_take_is_said_in_one_line(page: Page) -> None:
    assert rows(page, 3, var_product="41") == [[42]]
    status, answer = ask(page, "/panels/3", var_product="forty")
    assert (status, answer["state"]) == (200, "error") and 'type bigint: "forty"' in answer["message"]
    assert ask(page, "/panels/2", var_unit="year")[0] == 400
    assert ask(page, "/panels/2", var_unit=["hour", "minute"])[0] == 400
    assert ask(page, "/panels/2", var_product="x" * 201)[0] == 400
    assert ask(page, "/panels/2", var_product="\0")[0] == 400
    status, answer = ask(page, "/panels/5")
    assert (status, answer["state"], answer["message"]) == (200, "waiting", "Waiting for the first dbt run")


def test_the_range_before_stands_above_the_one_that_is_shown(page: Page, warehouse: Address) -> None:
    seed_warehouse(warehouse, lines=2_000, days=4, users=20)
    end = ask(page, "/panels/4")[1]["to"]
    day = 86_400_000
    status, answer = ask(page, "/panels/4", from_=str(end - day), to=str(end), compare="previous")
    assert status == 200 and answer["state"] == "ok"
    (previous,) = answer["previous"]
    plain = ask(page, "/panels/4", from_=str(answer["from"] - day), to=str(answer["to"] - day))[1]
    assert [row[1] for row in previous["rows"]] == [row[1] for row in plain["frames"][0]["rows"]] != []
    assert [row[0] - day for row in previous["rows"]] == [row[0] for row in plain["frames"][0]["rows"]]
    assert "previous" not in plain
    assert ask(page, "/panels/4", from_="all", compare="previous")[1]["previous"] == []
    assert ask(page, "/panels/1", compare="previous")[1]["previous"] == []  # it knows no time range
    assert ask(page, "/panels/4", compare="tomorrow")[0] == 400


def test_annotations_are_what_is_enabled_and_can_be_read(page: Page) -> None:
    status, marks = ask(page, "/annotations", from_="now-1h", var_product="it's")
    assert status == 200 and [mark["name"] for mark in marks] == ["starts", "deploys"]
    starts, deploys = marks
    assert (starts["text"], starts["end"], deploys["tags"], deploys["color"]) == ("it's", None, ["a", "b"], "red")
    assert deploys["end"] - deploys["at"] == 300_000
    assert ask(page, "/annotations", from_="soon")[0] == 400
