"""Reads a board's annotations (`annotations.list`): marks on the time axis, each list the rows of one query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .board import Annotation, Query, require, require_datasource, require_only

_KEYS: Final = frozenset(("name", "enable", "hide", "iconColor", "datasource", "target", "rawQuery", "type", "builtIn"))
_TARGET_KEYS: Final = frozenset(("refId", "format", "rawQuery", "rawSql", "datasource", "editorMode"))


def read_annotation(raw: Mapping[str, Any]) -> Annotation:
    """One entry of the list. Raises DashboardError."""
    require_only(raw, _KEYS)
    require(not raw.get("builtIn"), "Grafana's own annotations are nothing that the warehouse has")
    require_datasource(raw["datasource"])
    target = raw["target"]
    require_only(target, _TARGET_KEYS)
    require(target.get("rawQuery", True) is True, "rawQuery must be true: the built-in page needs the SQL")
    require(target.get("format", "table") == "table", f"format {target.get('format')!r}: annotations are a table")
    require(bool(target["rawSql"].strip()), "rawSql is empty")
    return Annotation(
        name=str(raw["name"]),
        color=str(raw.get("iconColor", "")),
        enable=bool(raw.get("enable", True)),
        query=Query(str(target.get("refId", "Anno")), target["rawSql"], "table"),
    )
