"""Small boards for tests of the page around the panels: whatever the shipped ones have not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SOURCE = {"type": "postgres", "uid": "ecom-lite-postgres"}
COUNT = "SELECT count(*) AS lines FROM warehouse.fact_sales"
PER_MINUTE = (
    "SELECT date_trunc('minute', ordered_at) AS time, sum(quantity) AS \"Units\" FROM warehouse.fact_sales "
    "WHERE $__timeFilter(ordered_at) GROUP BY 1 ORDER BY 1"
)


def panel(number: int, title: str, place: tuple[int, int, int, int], **more: Any) -> dict[str, Any]:
    """A stat of all order lines, or what `more` makes of it."""
    sql = more.pop("sql", COUNT)
    kind = more.pop("type", "stat")
    shape = "time_series" if kind == "timeseries" else "table"
    return {
        "id": number,
        "type": kind,
        "title": title,
        "gridPos": dict(zip("xywh", place, strict=True)),
        "datasource": SOURCE,
        "targets": [{"refId": "A", "datasource": SOURCE, "format": shape, "rawQuery": True, "rawSql": sql}],
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}} if kind == "stat" else {},
        "fieldConfig": {"defaults": {}, "overrides": []},
        **more,
    }


def row(number: int, title: str, y: int, inner: Sequence[Mapping[str, Any]] = (), collapsed: bool = False) -> dict[str, Any]:
    return {
        "id": number,
        "type": "row",
        "title": title,
        "gridPos": {"x": 0, "y": y, "w": 24, "h": 1},
        "collapsed": collapsed,
        "panels": list(inner),
    }


def write_board(folder: Path, uid: str, panels: Sequence[Mapping[str, Any]], refresh: str = "1m", **more: Any) -> Path:
    """The board's file, in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "id": None,
        "uid": uid,
        "title": uid.title(),
        "schemaVersion": 38,
        "refresh": refresh,
        "time": {"from": "now-24h", "to": "now"},
        "panels": list(panels),
        **more,
    }
    (folder / f"{uid}.json").write_text(json.dumps(document), "utf-8")
    return folder
