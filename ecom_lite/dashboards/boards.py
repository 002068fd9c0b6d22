"""Reads grafana/dashboards/*.json into typed boards and refuses what the built-in page could not draw."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from ..errors import DashboardError
from .timerange import ALL, DEFAULT_POINTS, duration_ms

DATASOURCE_UID: Final = "ecom-lite-postgres"
COLUMNS: Final = 24  # of Grafana's grid
SCHEMA_VERSIONS: Final = range(30, 43)  # classic JSON; what both Grafana 10 and 13 read
TEXT_PANEL: Final = "text"
# What static/panels.js has a drawing for. A test compares the two.
PANEL_TYPES: Final = ("stat", "timeseries", "barchart", "piechart", "table", "bargauge", TEXT_PANEL)
UNITS: Final = ("none", "short", "locale", "string", "currencyUSD", "percent", "percentunit", "ms", "s", "d", "dateTimeAsIso")
CELL_TYPES: Final = ("auto", "gauge", "color-text", "color-background")
CALCS: Final = ("lastNotNull", "last", "sum", "max", "min", "mean")
COLOR_MODES: Final = ("fixed", "thresholds", "palette-classic", "continuous-BlPu", "continuous-GrYlRd")
OVERRIDE_PROPERTIES: Final = (
    *("unit", "decimals", "color", "displayName", "min", "max", "thresholds", "mappings", "custom.cellOptions"),
    *(
        "custom.width",
        "custom.align",
        "custom.axisPlacement",
        "custom.axisLabel",
        "custom.drawStyle",
        "custom.lineWidth",
    ),
    *("custom.fillOpacity", "custom.showPoints", "custom.hidden", "custom.stacking", "custom.pointSize"),
)
_PANEL_KEYS: Final = frozenset(
    (
        *("id", "type", "title", "description", "gridPos", "datasource", "targets", "options", "fieldConfig"),
        *("maxDataPoints", "interval", "transparent"),
    )
)

Format = Literal["table", "time_series"]


@dataclass(frozen=True)
class Query:
    """One target of a panel: its SQL with macros, and how its rows are to be read."""

    ref_id: str
    raw_sql: str = field(repr=False)
    format: Format


@dataclass(frozen=True)
class Grid:
    """Where a panel stands: in columns of 24 and rows of 30 pixels."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True)
class Panel:
    """One panel; `options` and `field_config` are Grafana's own, passed on to the drawing code."""

    id: int
    type: str
    title: str
    description: str
    grid: Grid
    queries: tuple[Query, ...]
    options: Mapping[str, Any] = field(repr=False)
    field_config: Mapping[str, Any] = field(repr=False)
    points: int
    least_step_ms: int


@dataclass(frozen=True)
class Board:
    """One dashboard file."""

    uid: str
    title: str
    description: str
    refresh_ms: int
    start: str
    end: str
    panels: tuple[Panel, ...]
    source: Path

    def panel(self, panel_id: int) -> Panel:
        """The panel with this id. Raises DashboardError."""
        for panel in self.panels:
            if panel.id == panel_id:
                return panel
        raise DashboardError(f"board {self.uid} has no panel {panel_id}")


def load_boards(folder: Path) -> dict[str, Board]:
    """All boards of a folder by uid, the one that refreshes most often first.

    Raises DashboardError when there is none, when a file cannot be read, or when two share a uid.
    """
    boards: dict[str, Board] = {}
    for path in sorted(folder.glob("*.json")):
        board = read_board(path)
        if board.uid in boards:
            raise DashboardError(f"{path}: uid {board.uid!r} is taken by {boards[board.uid].source}")
        boards[board.uid] = board
    if not boards:
        raise DashboardError(f"{folder}: no dashboards (*.json) there")
    return dict(sorted(boards.items(), key=lambda item: (item[1].refresh_ms, item[1].title)))


def read_board(path: Path) -> Board:
    """One dashboard file. Raises DashboardError with the file, the panel and what is wrong."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DashboardError(f"{path}: cannot be read: {error}") from None
    except json.JSONDecodeError as error:
        raise DashboardError(f"{path}: not valid JSON: {error}") from None
    try:
        return _board(document, path)
    except DashboardError as error:
        raise DashboardError(f"{path.name}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DashboardError(f"{path.name}: not a classic Grafana dashboard: {type(error).__name__}: {error}") from None


def _board(document: dict[str, Any], path: Path) -> Board:
    _require(document.get("id") is None, "`id` must be null: the database of each Grafana gives its own")
    version = document["schemaVersion"]
    _require(version in SCHEMA_VERSIONS, f"schemaVersion {version} is not classic JSON of Grafana 10 to 13")
    _require(not document.get("templating", {}).get("list"), "dashboard variables cannot be drawn")
    panels = tuple(_panel(raw) for raw in document["panels"])
    ids = [panel.id for panel in panels]
    _require(len(ids) == len(set(ids)), f"panel ids are not unique: {ids}")
    for a, b in _pairs(panels):
        apart = a.x + a.w <= b.x or b.x + b.w <= a.x or a.y + a.h <= b.y or b.y + b.h <= a.y
        _require(apart, f"panels overlap at {a} and {b}")
    start, end = document["time"]["from"], document["time"]["to"]
    _require(start != ALL, "`time.from` all is not known to Grafana")
    return Board(
        uid=str(document["uid"]),
        title=str(document["title"]),
        description=str(document.get("description", "")),
        refresh_ms=duration_ms(document["refresh"]),
        start=start,
        end=end,
        panels=tuple(sorted(panels, key=lambda panel: (panel.grid.y, panel.grid.x))),
        source=path,
    )


def _pairs(panels: tuple[Panel, ...]) -> Iterator[tuple[Grid, Grid]]:
    for index, panel in enumerate(panels):
        yield from ((panel.grid, other.grid) for other in panels[index + 1 :])


def _panel(raw: dict[str, Any]) -> Panel:
    name = f"panel {raw.get('id')} ({raw.get('title', '')})"
    try:
        kind = raw["type"]
        _require(kind in PANEL_TYPES, f"type {kind!r} cannot be drawn; known are {', '.join(PANEL_TYPES)}")
        extra = sorted(set(raw) - _PANEL_KEYS)
        _require(not extra, f"{', '.join(extra)} not supported by the built-in page")
        grid = Grid(**{key: int(raw["gridPos"][key]) for key in "xywh"})
        inside = grid.x >= 0 and grid.y >= 0 and grid.w > 0 and grid.h > 0 and grid.x + grid.w <= COLUMNS
        _require(inside, f"gridPos {grid} leaves the {COLUMNS} columns")
        queries = tuple(_query(target) for target in raw.get("targets", []))
        _require(bool(queries) != (kind == TEXT_PANEL), "a text panel has no query, every other panel has one")
        if queries:
            _datasource(raw["datasource"])
        field_config = raw.get("fieldConfig", {})
        _field_config(field_config)
        options = raw.get("options", {})
        calcs = options.get("reduceOptions", {}).get("calcs", [])
        _require(set(calcs) <= set(CALCS), f"calculation {calcs} is not among {', '.join(CALCS)}")
        return Panel(
            id=int(raw["id"]),
            type=kind,
            title=str(raw["title"]),
            description=str(raw.get("description", "")),
            grid=grid,
            queries=queries,
            options=options,
            field_config=field_config,
            points=int(raw.get("maxDataPoints", DEFAULT_POINTS)),
            least_step_ms=duration_ms(raw["interval"]) if raw.get("interval") else 0,
        )
    except (DashboardError, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = str(error) if isinstance(error, DashboardError) else f"{type(error).__name__}: {error}"
        raise DashboardError(f"{name}: {reason}") from None


def _query(target: dict[str, Any]) -> Query:
    _datasource(target["datasource"])
    _require(not target.get("hide"), "a hidden query is not supported")
    _require(target.get("rawQuery") is True, "rawQuery must be true: the built-in page needs the SQL")
    _require(target["format"] in ("table", "time_series"), f"format {target['format']!r} is not table or time_series")
    _require(bool(target["rawSql"].strip()), "rawSql is empty")
    return Query(ref_id=str(target["refId"]), raw_sql=target["rawSql"], format=target["format"])


def _datasource(datasource: dict[str, Any]) -> None:
    _require(datasource.get("uid") == DATASOURCE_UID, f"datasource {datasource} has not the uid {DATASOURCE_UID}")


def _field_config(config: dict[str, Any]) -> None:
    _properties(config.get("defaults", {}))
    for override in config.get("overrides", []):
        matcher = override["matcher"]["id"]
        _require(matcher == "byName", f"override matcher {matcher!r}: only byName is drawn")
        for item in override["properties"]:
            _require(item["id"] in OVERRIDE_PROPERTIES, f"override of {item['id']} is not drawn")
            _properties({item["id"]: item["value"]})


def _properties(found: dict[str, Any]) -> None:
    unit = found.get("unit", "none")
    _require(unit in UNITS or unit.startswith(("suffix:", "currency:")), f"unit {unit!r} is not among {', '.join(UNITS)}")
    mode = found.get("color", {}).get("mode", COLOR_MODES[0])
    _require(mode in COLOR_MODES, f"colour mode {mode!r} is not among {', '.join(COLOR_MODES)}")
    for mapping in found.get("mappings", []):
        _require(mapping["type"] == "value", f"value mapping of type {mapping['type']!r}: only `value` is drawn")
        _require(
            all(set(to) <= {"color", "index"} for to in mapping["options"].values()),
            "a value mapping may set a color only",
        )
    cell = found.get("custom.cellOptions", {}).get("type", "auto")
    _require(cell in CELL_TYPES, f"cell type {cell!r} is not among {', '.join(CELL_TYPES)}")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise DashboardError(message)
