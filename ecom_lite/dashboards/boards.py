"""Reads grafana/dashboards/*.json into typed boards and refuses what the built-in page could not draw."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import DashboardError
from .annotations import read_annotation
from .board import DATASOURCE_UID, ROW_PANEL, TEXT_PANEL, Board, Grid, Panel, Query, require_datasource, require_only
from .board import require as _require
from .drawable import PANEL_TYPES, require_drawn
from .links import board_link, panel_link
from .macros import variables_in
from .timerange import ALL, DEFAULT_POINTS, duration_ms
from .variables import read_variable

__all__ = ["DATASOURCE_UID", "Board", "Panel", "load_boards", "read_board"]

COLUMNS: Final = 24  # of Grafana's grid
SCHEMA_VERSIONS: Final = range(30, 43)  # classic JSON; what both Grafana 10 and 13 read
_PANEL_KEYS: Final = frozenset(
    (
        *("id", "type", "title", "description", "gridPos", "datasource", "targets", "options", "fieldConfig"),
        *("maxDataPoints", "interval", "transparent", "links", "collapsed", "panels"),
    )
)
_BOARD_KEYS: Final = frozenset(
    (
        *("id", "uid", "title", "description", "tags", "schemaVersion", "version", "editable", "graphTooltip", "style"),
        *("timezone", "refresh", "time", "timepicker", "templating", "annotations", "links", "panels", "weekStart", "liveNow"),
        "fiscalYearStartMonth",
    )
)
BROWSER: Final = "browser"
FIRST: Final = ("realtime-operations", "business-intelligence", "pipeline-health", "explorer")  # then others, by title
T = TypeVar("T")


def load_boards(folder: Path) -> dict[str, Board]:
    """All boards of a folder by uid, ours first, in the order of FIRST.

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
    return dict(
        sorted(boards.items(), key=lambda item: (FIRST.index(item[0]) if item[0] in FIRST else len(FIRST), item[1].title))
    )


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
    require_only(document, _BOARD_KEYS)
    variables = _each("variable", document.get("templating", {}).get("list", []), read_variable)
    names = [variable.name for variable in variables]
    _require(len(names) == len(set(names)), f"variables have the same name: {names}")
    annotations = _each("annotation", document.get("annotations", {}).get("list", []), read_annotation)
    for annotation in annotations:
        _declared(annotation.query, names, f"annotation {annotation.name}")
    panels = _panels(document["panels"])
    ids = [panel.id for panel in panels]
    _require(len(ids) == len(set(ids)), f"panel ids are not unique: {ids}")
    for panel in panels:
        for query in panel.queries:
            _declared(query, names, f"panel {panel.id} ({panel.title})")
    start, end = document["time"]["from"], document["time"]["to"]
    _require(start != ALL, "`time.from` all is not known to Grafana")
    return Board(
        uid=str(document["uid"]),
        title=str(document["title"]),
        description=str(document.get("description") or ""),
        tags=tuple(map(str, document.get("tags", ()))),
        time_zone=_time_zone(document.get("timezone") or BROWSER),
        refresh_ms=duration_ms(document["refresh"]),
        start=start,
        end=end,
        panels=panels,
        variables=variables,
        links=tuple(map(board_link, document.get("links", ()))),
        annotations=annotations,
        source=path,
    )


def _each(what: str, found: Sequence[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], T]) -> tuple[T, ...]:
    made = []
    for raw in found:
        try:
            made.append(read(raw))
        except (DashboardError, KeyError, TypeError, ValueError, AttributeError) as error:
            reason = str(error) if isinstance(error, DashboardError) else f"{type(error).__name__}: {error}"
            raise DashboardError(f"{what} {raw.get('name')}: {reason}") from None
    return tuple(made)


def _declared(query: Query, names: Sequence[str], where: str) -> None:
    try:
        unknown = sorted(variables_in(query.raw_sql) - set(names))
        _require(not unknown, f"variable {', '.join(unknown)} is not declared; declared: {', '.join(names) or 'none'}")
    except DashboardError as error:
        raise DashboardError(f"{where}: {error}") from None


def _time_zone(name: str) -> str:
    if name == BROWSER:
        return name
    try:
        return ZoneInfo("UTC" if name == "utc" else name).key
    except (ZoneInfoNotFoundError, ValueError):
        raise DashboardError(f"timezone {name!r} is not browser, utc or a name such as Europe/Berlin") from None


def _panels(found: Sequence[dict[str, Any]]) -> tuple[Panel, ...]:
    """All of them in the order of reading; those of a collapsed row stand right after it."""
    shown = []
    for raw in found:
        panel = _panel(raw)
        inner = [_panel(each, panel.id) for each in raw.get("panels", ())]
        _require(panel.collapsed or not inner, f"panel {panel.id} ({panel.title}) holds panels, and is no collapsed row")
        _require(not any(each.type == ROW_PANEL for each in inner), f"row {panel.id} ({panel.title}) holds a row")
        _apart(inner)
        shown.append((panel, tuple(sorted(inner, key=_place))))
    _apart([panel for panel, _ in shown])
    ordered = sorted(shown, key=lambda each: _place(each[0]))
    return tuple(each for panel, inner in ordered for each in (panel, *inner))


def _place(panel: Panel) -> tuple[int, int]:
    return panel.grid.y, panel.grid.x


def _apart(panels: Sequence[Panel]) -> None:
    for a, b in _pairs(panels):
        apart = a.x + a.w <= b.x or b.x + b.w <= a.x or a.y + a.h <= b.y or b.y + b.h <= a.y
        _require(apart, f"panels overlap at {a} and {b}")


def _pairs(panels: Sequence[Panel]) -> Iterator[tuple[Grid, Grid]]:
    for index, panel in enumerate(panels):
        yield from ((panel.grid, other.grid) for other in panels[index + 1 :])


def _panel(raw: dict[str, Any], row: int | None = None) -> Panel:
    name = f"panel {raw.get('id')} ({raw.get('title', '')})"
    try:
        kind = raw["type"]
        known = (*PANEL_TYPES, ROW_PANEL)
        _require(kind in known, f"type {kind!r} cannot be drawn; known are {', '.join(known)}")
        require_only(raw, _PANEL_KEYS)
        _require("${" not in raw["title"] and "[[" not in raw["title"], "a variable in a title is not filled in")
        grid = Grid(**{key: int(raw["gridPos"][key]) for key in "xywh"})
        inside = grid.x >= 0 and grid.y >= 0 and grid.w > 0 and grid.h > 0 and grid.x + grid.w <= COLUMNS
        _require(inside, f"gridPos {grid} leaves the {COLUMNS} columns")
        queries = tuple(_query(target) for target in raw.get("targets", []))
        _require(bool(queries) != (kind in (TEXT_PANEL, ROW_PANEL)), "a text panel has no query, every other panel has one")
        if queries:
            require_datasource(raw["datasource"])
        field_config, options = raw.get("fieldConfig", {}), raw.get("options", {})
        require_drawn(kind, options, field_config)
        return Panel(
            id=int(raw["id"]),
            type=kind,
            title=str(raw["title"]),
            description=str(raw.get("description") or ""),
            grid=grid,
            queries=queries,
            options=options,
            field_config=field_config,
            points=max(1, int(raw.get("maxDataPoints") or DEFAULT_POINTS)),  # to Grafana, too, null and 0 are none given
            least_step_ms=duration_ms(raw["interval"]) if raw.get("interval") else 0,
            links=tuple(map(panel_link, raw.get("links", ()))),
            collapsed=kind == ROW_PANEL and bool(raw.get("collapsed")),
            row=row,
        )
    except (DashboardError, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = str(error) if isinstance(error, DashboardError) else f"{type(error).__name__}: {error}"
        raise DashboardError(f"{name}: {reason}") from None


def _query(target: dict[str, Any]) -> Query:
    require_datasource(target["datasource"])
    _require(not target.get("hide"), "a hidden query is not supported")
    _require(target.get("rawQuery") is True, "rawQuery must be true: the built-in page needs the SQL")
    _require(target["format"] in ("table", "time_series"), f"format {target['format']!r} is not table or time_series")
    _require(bool(target["rawSql"].strip()), "rawSql is empty")
    return Query(ref_id=str(target["refId"]), raw_sql=target["rawSql"], format=target["format"])
