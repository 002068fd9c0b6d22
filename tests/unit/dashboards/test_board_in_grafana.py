"""Where Grafana reads a field otherwise than one would think, the boards say what is meant: each rule was seen in a picture."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.unit.dashboards.test_board_rules import BOARDS, documents, panels

Settings = dict[str, Any]
COUNTS = ("short", "locale", "none")
LEAST_COUNT_AXIS = 5  # from here on ticks are whole numbers
WIDEST_LEAST = 100


def faults(document: dict[str, Any]) -> list[str]:
    found = []
    for panel in panels(document):
        for name, settings in _fields(panel):
            found += [f"{panel['title']}, {name}: {fault}" for fault in _faults(panel["type"], name == "", settings)]
    return found


def _fields(panel: dict[str, Any]) -> Iterator[tuple[str, Settings]]:
    """The defaults under no name, then each override on top of them."""
    config = panel.get("fieldConfig", {})
    defaults = config.get("defaults", {})
    flat = {**defaults, **{f"custom.{name}": value for name, value in defaults.get("custom", {}).items()}}
    yield "", flat
    for override in config.get("overrides", ()):
        yield override["matcher"]["options"], {**flat, **{item["id"]: item["value"] for item in override["properties"]}}


def _faults(kind: str, is_default: bool, field: Settings) -> Iterator[str]:
    cell = field.get("custom.cellOptions", {}).get("type")
    if (cell == "color-background" or (kind == "state-timeline" and is_default)) and not _clear_where_null(field):
        yield "a null is coloured as the least value: map it to transparent"
    if cell == "gauge" and field.get("max") is None and not field.get("fieldMinMax"):
        yield "a bar ends at the largest number of all columns: set max or fieldMinMax"
    if kind == "timeseries" and _counts(field) and field.get("custom.axisSoftMax", 0) < LEAST_COUNT_AXIS:
        yield "the axis writes noValue at halves where counts are small: set axisSoftMax"
    if kind == "table" and is_default and field.get("custom.minWidth", 150) > WIDEST_LEAST:
        yield "columns are at least 150 pixels wide and run out of the panel: set minWidth"


def _clear_where_null(field: Settings) -> bool:
    return any(
        mapping["type"] == "special" and mapping["options"]["match"] == "null"
        and mapping["options"]["result"]["color"] == "transparent"
        for mapping in field.get("mappings", ())
    )  # fmt: skip


def _counts(field: Settings) -> bool:
    return field.get("decimals") == 0 and (field.get("unit") in COUNTS or str(field.get("unit")).startswith("suffix:"))


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.stem)
def test_every_board_means_the_same_in_grafana(path: Any) -> None:
    assert faults(json.loads(path.read_text("utf-8"))) == []


def _drop(panel: dict[str, Any], setting: str) -> None:
    panel["fieldConfig"]["defaults"].pop(setting, None)
    panel["fieldConfig"]["defaults"].get("custom", {}).pop(setting, None)
    for override in panel["fieldConfig"]["overrides"]:
        override["properties"] = [item for item in override["properties"] if item["id"] != setting]


@pytest.mark.parametrize(
    ("board", "title", "change", "told"),
    [
        ("business_intelligence", "Cohorts", lambda p: _drop(p, "mappings"), "a null is coloured"),
        ("business_intelligence", "Cohorts", lambda p: _drop(p, "minWidth"), "set minWidth"),
        ("pipeline_health", "Parts", lambda p: _drop(p, "mappings"), "a null is coloured"),
        ("pipeline_health", "dbt models", lambda p: _drop(p, "fieldMinMax"), "largest number of all columns"),
        ("pipeline_health", "Dead letters by reason", lambda p: _drop(p, "axisSoftMax"), "noValue at halves"),
    ],
)
def test_what_was_seen_in_grafana_is_refused(board: str, title: str, change: Callable[[dict[str, Any]], None], told: str) -> None:
    document = copy.deepcopy(json.loads((BOARDS / f"{board}.json").read_text("utf-8")))
    change(next(panel for panel in document["panels"] if panel["title"] == title))
    found = faults(document)
    assert found and all(told in each and title in each for each in found), found
