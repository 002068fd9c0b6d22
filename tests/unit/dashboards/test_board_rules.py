"""What every board must be, beyond what the page can draw: figures that are defined, with units, and days by the shop's clock."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BOARDS = Path(__file__).resolve().parents[3] / "grafana" / "dashboards"
NO_FIGURES = ("row", "text")
DRAWN = ("stat", "gauge", "bargauge", "timeseries", "barchart", "piechart", "heatmap")  # one unit for all; a table has columns
# Grafana groups days in UTC, and its macro does not know the shop's zone: so neither a day nor anything longer.
DAYS_BY_MACRO = re.compile(r"\$__(?:timeGroup|unixEpochGroup)(?:Alias)?\(\s*[^,]+,\s*'?\s*(\d*)\s*([dwMyh])\b")
GROUP_OF_INTERVAL = re.compile(r"\$__(?:timeGroup|unixEpochGroup)(?:Alias)?\([^)]*\$__interval")
WHOLE_DAYS = re.compile(r"\d+[dwMy]")
MACRO = re.compile(r"\$\{?__\w+\}?")
VARIABLE = re.compile(r"\$\{[^}]*\}?|\$[A-Za-z]\w*|\[\[\w+")
BOUND = re.compile(r"\$\{(\w+):sqlstring\}")
LEAST_WORDS = 4  # of a sentence that defines a figure
PIXELS_A_COLUMN = 1440 / 24
PIXELS_A_LETTER = 8.0  # of a title, and some room for the menu
TITLE_ROOM = 40


def panels(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in document["panels"]:
        yield panel
        yield from panel.get("panels", ())


def queries(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for panel in panels(document):
        for target in panel.get("targets", ()):
            yield f"panel {panel['id']} ({panel['title']})", target["rawSql"]
    for annotation in document["annotations"]["list"]:
        yield f"annotation {annotation['name']}", annotation["target"]["rawSql"]


def faults(document: dict[str, Any]) -> list[str]:
    """What is wrong with a board, one line each."""
    found: list[str] = []
    declared = {variable["name"] for variable in document["templating"]["list"]}
    for where, sql in queries(document):
        found += [f"{where}: {fault}" for fault in _faults_of_sql(sql, declared)]
    for panel in panels(document):
        if panel["type"] not in NO_FIGURES:
            found += [f"panel {panel['id']} ({panel['title']}): {fault}" for fault in _faults_of_panel(panel)]
    return found


def _faults_of_sql(sql: str, declared: set[str]) -> list[str]:
    found = []
    for count, unit in DAYS_BY_MACRO.findall(sql):
        if unit != "h" or int(count or 1) >= 24:
            found.append("days by a macro are days of UTC: take them from SQL, by ops.calendar")
    left = VARIABLE.search(MACRO.sub("", BOUND.sub("", sql)))
    if left:
        found.append(f"variable {left[0]}: only ${{name:sqlstring}} is bound, and not text in SQL")
    found += [f"variable {name} is not declared" for name in sorted(set(BOUND.findall(sql)) - declared)]
    return found


def _faults_of_panel(panel: dict[str, Any]) -> list[str]:
    found = []
    if panel["type"] == "state-timeline":
        defaults = panel["fieldConfig"]["defaults"]
        named = [each["options"] for each in defaults["mappings"] if each["type"] == "value"]
        states = {name: state["color"] for each in named for name, state in each.items()}
        states["any other"] = defaults["color"].get("fixedColor", "")
        found += [f"state {name}: the text's colour is a black or white block" for name, of in states.items() if of == "text"]
    text = panel.get("description", "").strip()
    if len(text.split()) < LEAST_WORDS or not text.endswith(".") or text.rstrip(".") == panel["title"]:
        found.append("no description, a sentence that defines the figure")
    if not panel["title"].strip():
        found.append("no title")
    if len(panel["title"]) * PIXELS_A_LETTER + TITLE_ROOM > panel["gridPos"]["w"] * PIXELS_A_COLUMN:
        found.append(f"its title of {len(panel['title'])} letters is cut at 1,440 pixels")
    config = panel.get("fieldConfig", {})
    defaults = config.get("defaults", {})
    if panel["type"] in DRAWN:
        found += [f"no {name}" for name in ("unit", "decimals") if defaults.get(name) is None]
    for override in config.get("overrides", ()):
        given = {item["id"]: item["value"] for item in override["properties"]}
        if _is_number(given.get("unit")) and given.get("decimals", defaults.get("decimals")) is None:
            found.append(f"no decimals for {override['matcher']['options']}")
    if "noValue" not in defaults:
        found.append("no noValue: what stands there where nothing is")
    whole_days = WHOLE_DAYS.fullmatch(panel.get("interval") or "")
    if whole_days and any(GROUP_OF_INTERVAL.search(target["rawSql"]) for target in panel["targets"]):
        found.append("days by a macro are days of UTC: its interval is whole days")
    return found


def _is_number(unit: str | None) -> bool:
    return unit is not None and unit != "string" and not unit.startswith("dateTime")


def documents() -> list[Path]:
    return sorted(BOARDS.glob("*.json"))


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.stem)
def test_every_board_keeps_the_rules(path: Path) -> None:
    assert faults(json.loads(path.read_text("utf-8"))) == []


def test_the_variables_of_boards_mean_the_same_everywhere() -> None:
    seen: dict[str, tuple[str, dict[str, Any]]] = {}
    for path in documents():
        for variable in json.loads(path.read_text("utf-8"))["templating"]["list"]:
            if variable["name"] in ("category", "country"):
                assert variable["multi"] and variable["includeAll"] and variable["allValue"] == "'*'", path
            first, same = seen.setdefault(variable["name"], (path.stem, variable))
            assert variable["query"] == same["query"], f"{variable['name']} of {path.stem} and {first}"
    assert {"category", "country"} <= seen.keys()


def _broken(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> list[str]:
    document = copy.deepcopy(json.loads((BOARDS / "realtime_operations.json").read_text("utf-8")))
    panel = next(panel for panel in document["panels"] if panel["title"] == "Revenue per minute by category")
    change(document, panel)
    return faults(document)


def _sql(panel: dict[str, Any], text: str) -> None:
    panel["targets"][0]["rawSql"] = text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda _, p: _sql(p, "SELECT $__timeGroupAlias(at, 1d), 1 FROM x"), "days of UTC"),
        (lambda _, p: _sql(p, "SELECT $__timeGroup(at, '1w'), 1 FROM x"), "days of UTC"),
        (lambda _, p: _sql(p, "SELECT $__timeGroup(at,'24h', 0), 1 FROM x"), "days of UTC"),
        (lambda _, p: _sql(p, "SELECT $__unixEpochGroupAlias(at, '1 d'), 1 FROM x"), "days of UTC"),
        (lambda _, p: p.update(interval="1d"), "days of UTC"),
        (lambda _, p: _sql(p, "SELECT 1 WHERE category = '$category'"), "variable $category"),
        (lambda _, p: _sql(p, "SELECT 1 WHERE category IN (${category})"), "variable ${category}"),
        (lambda _, p: _sql(p, "SELECT 1 WHERE category IN (${category:raw})"), "variable ${category:raw}"),
        (lambda _, p: _sql(p, "SELECT 1 WHERE category IN ([[category]])"), "variable [[category"),
        (lambda _, p: _sql(p, "SELECT 1 WHERE c IN (${colour:sqlstring})"), "colour is not declared"),
        (lambda d, _: d["annotations"]["list"][0]["target"].update(rawSql="SELECT '$x'"), "variable $x"),
        (lambda _, p: p.update(description=""), "no description"),
        (lambda _, p: p.update(description="Revenue"), "no description"),
        (lambda _, p: p.update(description="Revenue by minute and category"), "no description"),
        (lambda _, p: p["fieldConfig"]["defaults"].pop("unit"), "no unit"),
        (lambda _, p: p["fieldConfig"]["defaults"].pop("decimals"), "no decimals"),
        (lambda _, p: p["fieldConfig"]["defaults"].pop("noValue"), "no noValue"),
        (lambda _, p: p.update(title="Revenue " * 16), "is cut"),
    ],
)  # fmt: skip
def test_a_board_that_breaks_a_rule_is_refused(change: Callable[[dict[str, Any], dict[str, Any]], object], told: str) -> None:
    found = _broken(change)
    assert len(found) == 1 and told in found[0] and "Revenue" in found[0] + "Revenue" * told.startswith("variable $x"), found


@pytest.mark.parametrize(
    "sql", ["SELECT $__timeGroupAlias(at, $__interval), 1 FROM x", "SELECT $__timeGroup(at, '1h')", "SELECT $__timeGroup(at, 5m)"]
)
def test_hours_and_minutes_may_be_grouped(sql: str) -> None:
    assert _broken(lambda _, panel: _sql(panel, sql)) == []
