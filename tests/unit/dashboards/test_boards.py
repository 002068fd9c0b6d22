"""The shipped boards are whole, the built-in page can draw all of them, and what it cannot draw is refused."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.dashboards import docs
from ecom_lite.dashboards.boards import CALCS, COLOR_MODES, DATASOURCE_UID, PANEL_TYPES, UNITS, load_boards, read_board
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
}


def test_the_shipped_boards() -> None:
    boards = load_boards(BOARDS)
    assert list(boards) == ["realtime-operations", "business-intelligence"]
    assert [board.refresh_ms for board in boards.values()] == [5_000, 60_000]
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
    assert re.findall(r"^  (\w+):", block[: block.index("};")], re.MULTILINE) == list(PANEL_TYPES)


def test_every_unit_calculation_and_colour_mode_is_known_to_the_page() -> None:
    formats, fields, theme = ((STATIC / name).read_text("utf-8") for name in ("format.js", "fields.js", "theme.js"))
    for unit in set(UNITS) - {"none", "short", "locale", "string"}:  # those four are plain numbers
        assert f'case "{unit}"' in formats or f'unit === "{unit}"' in formats, unit
    for calc in CALCS:
        assert f"  {calc}: " in fields, calc
    for mode in COLOR_MODES:
        assert not mode.startswith("continuous-") or f'"{mode}"' in theme, mode


def test_the_page_never_gets_sql() -> None:
    for path in STATIC.iterdir():
        assert not re.search(r"\b(SELECT|rawSql)\b", path.read_text("utf-8")), path


def test_the_page_loads_nothing_from_elsewhere() -> None:
    for path in STATIC.iterdir():
        foreign = set(re.findall(r"https?://[^\s\"'`)]+", path.read_text("utf-8"))) - {"http://www.w3.org/2000/svg"}
        assert not foreign, path


def test_the_docs_are_current() -> None:
    assert docs.PAGE.read_text("utf-8") == docs.render(load_boards(BOARDS).values()), "run python -m ecom_lite.dashboards.docs"


def _panel(document: dict[str, Any], index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = document["panels"][index]
    return found


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "unknown type": (lambda d: _panel(d).update(type="heatmap"), "heatmap"),
    "transformation": (lambda d: _panel(d).update(transformations=[{}]), "transformations"),
    "repeat": (lambda d: _panel(d).update(repeat="x"), "repeat"),
    "variables": (lambda d: d.update(templating={"list": [{}]}), "variables"),
    "other data source": (lambda d: _panel(d)["targets"][0].update(datasource={"uid": "other"}), "other"),
    "hidden query": (lambda d: _panel(d)["targets"][0].update(hide=True), "hidden"),
    "query builder": (lambda d: _panel(d)["targets"][0].update(rawQuery=False), "rawQuery"),
    "no query": (lambda d: _panel(d).update(targets=[]), "query"),
    "unknown unit": (lambda d: _panel(d)["fieldConfig"]["defaults"].update(unit="currencyEUR"), "currencyEUR"),
    "unknown override": (
        lambda d: _panel(d)["fieldConfig"]["overrides"].append(
            {"matcher": {"id": "byName", "options": "x"}, "properties": [{"id": "links", "value": []}]}
        ),
        "links",
    ),
    "matcher": (
        lambda d: _panel(d)["fieldConfig"]["overrides"].append({"matcher": {"id": "byRegexp", "options": "x"}, "properties": []}),
        "byRegexp",
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


@pytest.mark.parametrize(("breaking", "word"), BROKEN.values(), ids=list(BROKEN))
def test_what_cannot_be_drawn_is_refused(tmp_path: Path, breaking: Callable[[dict[str, Any]], object], word: str) -> None:
    document = copy.deepcopy(json.loads((BOARDS / "realtime_operations.json").read_text("utf-8")))
    breaking(document)
    path = tmp_path / "board.json"
    path.write_text(json.dumps(document), "utf-8")
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
