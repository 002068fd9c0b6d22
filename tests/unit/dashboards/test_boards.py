"""The shipped boards are whole, the built-in page can draw all of them, and what it cannot draw is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.dashboards import docs
from ecom_lite.dashboards.board_api import board_json
from ecom_lite.dashboards.boards import DATASOURCE_UID, FIRST, load_boards, read_board
from ecom_lite.dashboards.drawable import (
    CALCS,
    COLOR_MODES,
    CUSTOM,
    GRAFANA_ONLY,
    HEAT_SCHEMES,
    MATCHERS,
    OPTIONS,
    PANEL_TYPES,
    SETTINGS,
    UNITS,
)
from ecom_lite.dashboards.marks import MAX_MARKS
from ecom_lite.dashboards.timerange import DEFAULT_POINTS
from ecom_lite.dashboards.variables import listed
from ecom_lite.errors import DashboardError

ROOT = Path(__file__).resolve().parents[3]
BOARDS = ROOT / "grafana" / "dashboards"
STATIC = ROOT / "ecom_lite" / "dashboards" / "static"

REQUIRED = {
    "realtime-operations": [
        *("Total revenue", "Total orders", "Average order value", "Revenue by category", "Top 10 products by revenue"),
        *("Revenue per minute by category", "Orders by category", "Top 5 customers"),
    ],
    "business-intelligence": [
        *(
            "Customer segmentation",
            "Top 10 customers by lifetime value",
            "Product rankings",
            "Daily trend",
            "VIP share of revenue",
        ),
        *("Category comparison", "Average lifetime value", "Average orders per customer", "Average tenure"),
    ],
    "pipeline-health": [
        *(
            "Count that closes",
            "Lag by partition",
            "Events in and out",
            "Delay",
            "Dead letters by reason",
            "Spark batch time",
        ),
        *("Distance of the watermark", "dbt models", "Restarts", "Gaps", "Memory by part", "Disk by store", "Parts"),
    ],
    "explorer": [
        *("Revenue and orders over time", "Days", "Top products", "Top customers", "Returns by reason", "The customer"),
        "The order lines",
    ],
}


def test_the_shipped_boards() -> None:
    boards = load_boards(BOARDS)
    assert list(boards) == [uid for uid in FIRST if uid in boards] and set(REQUIRED) <= set(boards)
    assert [boards[uid].refresh_ms for uid in REQUIRED] == [5_000, 60_000, 5_000, 60_000]
    for uid, titles in REQUIRED.items():
        assert set(titles) <= {panel.title for panel in boards[uid].panels}


@pytest.mark.parametrize("path", sorted(BOARDS.glob("*.json")), ids=lambda path: path.stem)
def test_files_are_classic_json_for_file_provisioning(path: Path) -> None:
    document = json.loads(path.read_text("utf-8"))
    assert document["id"] is None
    assert document["schemaVersion"] == 38
    assert "apiVersion" not in document and "spec" not in document


def test_the_provisioned_data_source_is_the_one_the_boards_name() -> None:
    text = (ROOT / "grafana/provisioning/datasources/ecom_lite.yaml").read_text("utf-8")
    assert f"uid: {DATASOURCE_UID}\n" in text


def test_every_panel_type_has_a_drawing() -> None:
    source = (STATIC / "panels.js").read_text("utf-8")
    block = source[source.index("const DRAWINGS = {") :]
    assert re.findall(r'^  "?([\w-]+)"?:', block[: block.index("};")], re.MULTILINE) == list(PANEL_TYPES)


def test_every_unit_calculation_and_colour_mode_is_known_to_the_page() -> None:
    formats, fields, theme = ((STATIC / name).read_text("utf-8") for name in ("format.js", "fields.js", "theme.js"))
    for unit in set(UNITS) - {"none", "short", "locale", "string"}:  # those four are plain numbers
        assert f'case "{unit}"' in formats or f'unit === "{unit}"' in formats, unit
    for calc in CALCS:
        assert f"  {calc}: " in fields, calc
    for matcher in MATCHERS:
        assert f"  {matcher}: " in fields, matcher
    heat = (STATIC / "heatmap.js").read_text("utf-8")
    for scheme in HEAT_SCHEMES:
        assert f"{scheme}: " in heat, scheme
    for mode in COLOR_MODES:
        assert not mode.startswith("continuous-") or f'"{mode}"' in theme, mode


def test_every_setting_that_is_let_through_is_read_by_a_script_or_only_grafana_s() -> None:
    scripts = "".join(path.read_text("utf-8") for path in STATIC.glob("*.js") if not path.name.startswith("uplot"))
    read = set(re.findall(r"\w+", scripts))
    names = {name for checks in (*OPTIONS.values(), *CUSTOM.values(), SETTINGS) for name in checks}
    unread = names - read - GRAFANA_ONLY - {"description"}
    assert not unread, unread
    assert not GRAFANA_ONLY & set(re.findall(r"[.](\w+)", scripts)), "read after all"


def test_the_page_never_gets_sql() -> None:
    for path in STATIC.iterdir():
        assert not re.search(r"\b(SELECT|rawSql)\b", path.read_text("utf-8")), path


# Names of XML's languages and of who made uPlot: nothing is fetched by them.
NAMES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml", "https://github.com/leeoniya/uPlot"}


def test_the_page_loads_nothing_from_elsewhere() -> None:
    for path in STATIC.iterdir():
        foreign = set(re.findall(r"https?://[^\s\"'`)]+", path.read_text("utf-8"))) - NAMES
        assert not foreign, path


def test_an_annotation_asks_for_the_newest_of_what_grows() -> None:
    for board in load_boards(BOARDS).values():
        for annotation in board.annotations:
            limit = re.search(r"ORDER BY \S+ DESC\nLIMIT (\d+)$", annotation.query.raw_sql)
            assert annotation.name == "Promotions" or (limit and int(limit[1]) <= MAX_MARKS), (board.uid, annotation.name)


def test_the_docs_are_current() -> None:
    assert docs.PAGE.read_text("utf-8") == docs.render(load_boards(BOARDS).values()), "run python -m ecom_lite.dashboards.docs"


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """Its first twelve panels, by number, without variables and annotations."""
    document["panels"] = sorted((panel for panel in document["panels"] if panel["id"] <= 12), key=lambda panel: panel["id"])
    for panel in document["panels"]:
        panel["targets"][0]["rawSql"] = "SELECT 1"
    document["templating"]["list"], document["annotations"]["list"] = [], []
    return document


def _panel(document: dict[str, Any], index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = document["panels"][index]
    return found


ROW: dict[str, Any] = {
    "id": 90,
    "type": "row",
    "title": "More",
    "collapsed": True,
    "gridPos": {"x": 0, "y": 500, "w": 24, "h": 1},
    "panels": [],
}
SOURCE = {"type": "postgres", "uid": DATASOURCE_UID}
MARKS: dict[str, Any] = {
    "name": "restarts",
    "enable": True,
    "iconColor": "red",
    "datasource": SOURCE,
    "target": {"refId": "Anno", "format": "table", "rawQuery": True, "rawSql": "SELECT now() AS time, 'x' AS text"},
}
CATEGORY: dict[str, Any] = {
    "name": "category",
    "label": "Category",
    "type": "query",
    "datasource": SOURCE,
    "query": "SELECT name FROM warehouse.dim_category ORDER BY 1",
    "refresh": 2,
    "sort": 0,
    "multi": True,
    "includeAll": True,
    "allValue": "'*'",
    "current": {"text": ["All"], "value": ["$__all"]},
    "hide": 0,
    "skipUrlSync": False,
}


def _text(panel_id: int) -> dict[str, Any]:
    return {"id": panel_id, "type": "text", "title": "Words", "gridPos": {"x": 0, "y": 501, "w": 8, "h": 4}, "options": {}}


def _written(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    document = _plain(json.loads((BOARDS / "realtime_operations.json").read_text("utf-8")))
    change(document)
    path = folder / "board.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def test_rows_links_annotations_and_variables_are_read(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["timezone"] = "Europe/Berlin"
        document["panels"].append({**ROW, "panels": [_text(92) | {"title": "Hidden"}]})
        document["panels"].append({**ROW, "id": 93, "collapsed": False, "gridPos": {"x": 0, "y": 510, "w": 24, "h": 1}})
        document["templating"]["list"] = [CATEGORY, {"name": "who", "type": "textbox", "query": ""}]
        document["annotations"]["list"] = [MARKS]
        document["links"].append(
            {"type": "link", "title": "Explorer", "url": "/d/explorer?${__url_time_range}", "keepTime": True}
        )
        panel = _panel(document)
        panel["links"] = [{"title": "Orders", "url": "/d/explorer", "targetBlank": False}]
        panel["fieldConfig"]["defaults"]["links"] = [
            {"title": "Product", "url": '/d/explorer?var-product=${__data.fields["Product id"]}&${__url_time_range}'}
        ]
        panel["targets"][0]["rawSql"] = "SELECT 1 WHERE '*' IN (${category:sqlstring})"

    board = read_board(_written(tmp_path, change))
    assert board.time_zone == "Europe/Berlin" and board.tags == ("ecom_lite",)
    assert [(panel.id, panel.row) for panel in board.panels][-3:] == [(90, None), (92, 90), (93, None)]
    category, who = board.variables
    assert (category.all_value, category.current, category.multi, category.type) == ("*", ("$__all",), True, "query")
    assert (who.type, who.label, who.current) == ("textbox", "who", ("",))
    shown = board_json(board)
    row = shown["panels"][-2]
    assert (row["type"], row["collapsed"], [panel["title"] for panel in row["panels"]]) == ("row", True, ["Hidden"])
    assert shown["annotations"] == [{"name": "restarts", "color": "red", "enable": True}]
    assert shown["variables"][0]["current"] == ["$__all"] and shown["variables"][1]["current"] == ""
    assert [link["url"] for link in shown["links"]] == ["", "/d/explorer?${__url_time_range}"]
    assert shown["panels"][0]["links"][0]["url"] == "/d/explorer"
    assert "SELECT" not in json.dumps(shown)


@pytest.mark.parametrize("points", [None, 0])
def test_what_grafana_has_written_as_nothing_is_nothing(tmp_path: Path, points: int | None) -> None:
    def change(document: dict[str, Any]) -> None:
        for part in (document, _panel(document)):
            part["description"] = None
        _panel(document)["maxDataPoints"] = points

    board = read_board(_written(tmp_path, change))
    assert (board.description, board.panels[0].description, board.panels[0].points) == ("", "", DEFAULT_POINTS)


def test_a_list_of_options_is_split_as_grafana_does() -> None:
    found = listed("A, Home \\, Garden,Big : 100, x:y, ")
    assert [(option.text, option.value) for option in found] == [
        ("A", "A"),
        ("Home , Garden", "Home , Garden"),
        ("Big", "100"),
        ("x:y", "x:y"),
    ]


WRONG_VARIABLES: dict[str, tuple[dict[str, Any], str]] = {
    "interval": ({"type": "interval"}, "interval"),
    "name": ({"name": "a b"}, "no name"),
    "of Grafana's own": ({"name": "__from"}, "no name"),
    "chained": ({"query": "SELECT 1 WHERE ${who:sqlstring} = ''"}, "not supported there"),
    "other source": ({"datasource": {"uid": "x"}}, "uid"),
    "never asked again": ({"refresh": 0}, "refresh"),
    "regex": ({"regex": "/a/"}, "regex"),
    "all without quotes": ({"allValue": "*"}, "quoted"),
    "all that breaks out": ({"allValue": "'a' OR 'b'"}, "quoted"),
    "two of one": ({"multi": False, "current": {"value": ["a", "b"]}}, "one value"),
    "all without all": ({"includeAll": False}, "includeAll"),
    "textbox of many": ({"type": "textbox"}, "textbox"),
    "empty list": ({"type": "custom", "query": " "}, "empty"),
    "not in the address": ({"skipUrlSync": True}, "skipUrlSync"),
    "query builder": ({"query": {"rawSql": "SELECT 1"}}, "text"),
    "unknown key": ({"enumeration": 1}, "enumeration"),
}


@pytest.mark.parametrize(("change", "word"), WRONG_VARIABLES.values(), ids=list(WRONG_VARIABLES))
def test_a_variable_that_would_be_another_one_in_grafana_is_refused(tmp_path: Path, change: dict[str, Any], word: str) -> None:
    path = _written(tmp_path, lambda d: d.update(templating={"list": [{**CATEGORY, **change}]}))
    with pytest.raises(DashboardError, match=f"board.json: variable .*{word}"):
        read_board(path)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ${category}",
        "SELECT $category",
        "SELECT [[category]]",
        "SELECT ${category:raw}",
        "SELECT ${category:csv}",
        "SELECT ${other:sqlstring}",
        "SELECT '${category:sqlstring}'",
        "SELECT 1 -- ${category:sqlstring}",
        'SELECT "${category:sqlstring}"',
        "SELECT /* ${category:sqlstring} */ 1",
    ],
)
def test_a_variable_in_sql_is_a_declared_parameter_or_refused(tmp_path: Path, sql: str) -> None:
    def change(document: dict[str, Any]) -> None:
        document["templating"]["list"] = [CATEGORY]
        _panel(document)["targets"][0]["rawSql"] = sql

    with pytest.raises(DashboardError, match=r"panel 1 .*(bound parameter|not declared)"):
        read_board(_written(tmp_path, change))


def test_two_variables_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DashboardError, match="same name"):
        read_board(_written(tmp_path, lambda d: d.update(templating={"list": [CATEGORY, CATEGORY]})))


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "unknown type": (lambda d: _panel(d).update(type="geomap"), "geomap"),
    "transformation": (lambda d: _panel(d).update(transformations=[{}]), "transformations"),
    "repeat": (lambda d: _panel(d).update(repeat="x"), "repeat"),
    "unknown key of the board": (lambda d: d.update(panelz=[]), "panelz"),
    "time zone": (lambda d: d.update(timezone="Mars/Olympus"), "Mars/Olympus"),
    "script as a link": (lambda d: d["links"].append({"type": "link", "title": "x", "url": "javascript:alert(1)"}), "https://"),
    "another host as a link": (lambda d: _panel(d).update(links=[{"title": "x", "url": "//evil.example/"}]), "evil"),
    "host from the data": (lambda d: _panel(d).update(links=[{"title": "x", "url": "/${__value.raw}"}]), "must begin"),
    "link with a variable": (lambda d: _panel(d).update(links=[{"title": "x", "url": "/d/x?a=${b}"}]), "filled in"),
    "data link": (
        lambda d: _panel(d)["fieldConfig"]["defaults"].update(links=[{"title": "x", "url": "/d/x?a=${__series.labels}"}]),
        "__series.labels",
    ),
    "variable in a title": (lambda d: _panel(d).update(title="Sales of ${category}"), "title"),
    "open row with panels": (lambda d: d["panels"].append({**ROW, "collapsed": False, "panels": [_text(91)]}), "collapsed row"),
    "row in a row": (lambda d: d["panels"].append({**ROW, "panels": [{**ROW, "id": 91, "panels": []}]}), "holds a row"),
    "overlap in a row": (
        lambda d: d["panels"].append({**ROW, "panels": [_text(91), _text(92)]}),
        "overlap",
    ),
    "same id in a row": (lambda d: d["panels"].append({**ROW, "panels": [_text(1)]}), "unique"),
    "repeated row": (lambda d: d["panels"].append({**ROW, "repeat": "category"}), "repeat"),
    "annotation without SQL": (
        lambda d: d["annotations"]["list"].append({**MARKS, "target": {"rawSql": " "}}),
        "restarts.*empty",
    ),
    "annotation of Grafana": (lambda d: d["annotations"]["list"].append({**MARKS, "builtIn": 1}), "restarts"),
    "other data source": (lambda d: _panel(d)["targets"][0].update(datasource={"uid": "other"}), "other"),
    "hidden query": (lambda d: _panel(d)["targets"][0].update(hide=True), "hidden"),
    "query builder": (lambda d: _panel(d)["targets"][0].update(rawQuery=False), "rawQuery"),
    "no query": (lambda d: _panel(d).update(targets=[]), "query"),
    "unknown unit": (lambda d: _panel(d)["fieldConfig"]["defaults"].update(unit="currencyEUR"), "currencyEUR"),
    "unknown override": (
        lambda d: _panel(d)["fieldConfig"]["overrides"].append(
            {"matcher": {"id": "byName", "options": "x"}, "properties": [{"id": "custom.lineStyle", "value": {}}]}
        ),
        "custom.lineStyle",
    ),
    "matcher": (
        lambda d: _panel(d)["fieldConfig"]["overrides"].append(
            {"matcher": {"id": "byFrameRefID", "options": "x"}, "properties": []}
        ),
        "byFrameRefID",
    ),
    "overlap": (lambda d: _panel(d)["gridPos"].update(x=1), "overlap"),
    "outside": (lambda d: _panel(d)["gridPos"].update(w=30), "columns"),
    "same id": (lambda d: _panel(d).update(id=2), "unique"),
    "exported id": (lambda d: d.update(id=17), "null"),
    "v2 format": (lambda d: d.update(schemaVersion="v2"), "schemaVersion"),
    "no title": (lambda d: d.pop("title"), "title"),
    "refresh": (lambda d: d.update(refresh="often"), "often"),
    "panels": (lambda d: d.update(panels=None), "dashboard"),
}


def _defaults(kind: str, **settings: Any) -> Callable[[dict[str, Any]], object]:
    return lambda d: next(p for p in d["panels"] if p["type"] == kind)["fieldConfig"]["defaults"].update(settings)


def _option(kind: str, **options: Any) -> Callable[[dict[str, Any]], object]:
    return lambda d: next(p for p in d["panels"] if p["type"] == kind)["options"].update(options)


# What Grafana knows and the page would pass over.
BROKEN |= {
    "calculation": (_option("stat", reduceOptions={"calcs": ["variance"]}), "variance"),
    "percent change": (_option("stat", showPercentChange=True), "showPercentChange"),
    "legend's width": (_option("timeseries", legend={"width": 200}), "width"),
    "lcd": (_option("bargauge", displayMode="lcd"), "lcd"),
    "paged table": (_option("table", footer={"enablePagination": True}), "enablePagination"),
    "slices' order": (_option("piechart", sort="desc"), "sort"),
    "colour of a shade": (_defaults("stat", color={"mode": "shades", "fixedColor": "red"}), "shades"),
    "filter": (_defaults("stat", filterable=True), "filterable"),
    "hue": (_defaults("timeseries", custom={"gradientMode": "hue"}), "hue"),
    "symlog": (_defaults("timeseries", custom={"scaleDistribution": {"type": "symlog"}}), "symlog"),
    "stack of its own": (_defaults("timeseries", custom={"stacking": {"mode": "normal", "group": "B"}}), "B"),
    "another type's setting": (_defaults("stat", custom={"drawStyle": "line"}), "drawStyle"),
    "cell": (_defaults("table", custom={"cellOptions": {"type": "sparkline"}}), "sparkline"),
    "mapping": (_defaults("stat", mappings=[{"type": "special", "options": {"match": "nan", "result": {}}}]), "nan"),
    "pattern": (_defaults("stat", mappings=[{"type": "regex", "options": {"pattern": "(", "result": {}}}]), "pattern"),
    "named by a label": (_defaults("stat", displayName="${__field.labels.x}"), "displayName"),
}


@pytest.mark.parametrize(("breaking", "word"), BROKEN.values(), ids=list(BROKEN))
def test_what_cannot_be_drawn_is_refused(tmp_path: Path, breaking: Callable[[dict[str, Any]], object], word: str) -> None:
    path = _written(tmp_path, breaking)
    with pytest.raises(DashboardError, match=word) as error:
        read_board(path)
    assert "board.json" in str(error.value)


def test_files_that_are_no_boards(tmp_path: Path) -> None:
    with pytest.raises(DashboardError, match="no dashboards"):
        load_boards(tmp_path)
    (tmp_path / "a.json").write_text("{", "utf-8")
    with pytest.raises(DashboardError, match="not valid JSON"):
        load_boards(tmp_path)
    shipped = (BOARDS / "realtime_operations.json").read_text("utf-8")
    (tmp_path / "a.json").write_text(shipped, "utf-8")
    (tmp_path / "b.json").write_text(shipped, "utf-8")
    with pytest.raises(DashboardError, match="taken"):
        load_boards(tmp_path)
