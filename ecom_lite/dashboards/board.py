"""What a board is, once its file has been read: panels in Grafana's grid, variables, links, annotations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from ..errors import DashboardError

DATASOURCE_UID: Final = "ecom-lite-postgres"
TEXT_PANEL: Final = "text"
ROW_PANEL: Final = "row"
EVERY_VALUE: Final = "$__all"  # Grafana's value of "All"

Format = Literal["table", "time_series"]
VariableType = Literal["query", "custom", "textbox"]


@dataclass(frozen=True)
class Query:
    """One target of a panel: its SQL with macros and variables, and how its rows are to be read."""

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
class Link:
    """A link of a board or a panel: to a `url`, or (no `url`) to all boards that have one of `tags`."""

    title: str
    url: str
    tags: tuple[str, ...]
    tooltip: str
    new_tab: bool
    keep_time: bool
    keep_variables: bool


@dataclass(frozen=True)
class Panel:
    """One panel; `options` and `field_config` are Grafana's own, passed on to the drawing code.

    `row` is the id of the collapsed row that hides the panel, where there is one. A row itself is a panel without queries.
    """

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
    links: tuple[Link, ...] = ()
    collapsed: bool = False
    row: int | None = None


@dataclass(frozen=True)
class Option:
    """What a variable may be: `text` for people, `value` for the query."""

    text: str
    value: str


@dataclass(frozen=True)
class Variable:
    """One of a board's variables. Its options are those of `sql` (a query) or `options` (custom); a textbox may be any text.

    `all_value` is what a query gets for EVERY_VALUE; None: all options. `current` is empty where the first option is meant.
    """

    name: str
    label: str
    type: VariableType
    multi: bool
    include_all: bool
    all_value: str | None
    hide: int
    current: tuple[str, ...]
    sql: str = field(default="", repr=False)
    options: tuple[Option, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Annotation:
    """Marks on the time axis of all panels: rows of `query` with `time`, `timeend` (or none), `text` and `tags`."""

    name: str
    color: str
    enable: bool
    query: Query


@dataclass(frozen=True)
class Board:
    """One dashboard file. `panels` are all of them, those of a collapsed row after it."""

    uid: str
    title: str
    description: str
    tags: tuple[str, ...]
    time_zone: str  # a name of the IANA, or "browser": the viewer's
    refresh_ms: int
    start: str
    end: str
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...]
    links: tuple[Link, ...]
    annotations: tuple[Annotation, ...]
    source: Path

    def panel(self, panel_id: int) -> Panel:
        """The panel with this id. Raises DashboardError."""
        for panel in self.panels:
            if panel.id == panel_id:
                return panel
        raise DashboardError(f"board {self.uid} has no panel {panel_id}")


def require(holds: bool, message: str) -> None:
    """Raises DashboardError(message) where it does not hold."""
    if not holds:
        raise DashboardError(message)


def require_datasource(datasource: Mapping[str, Any]) -> None:
    """Raises DashboardError for another data source than the warehouse."""
    require(datasource.get("uid") == DATASOURCE_UID, f"datasource {datasource} has not the uid {DATASOURCE_UID}")


def require_only(found: Mapping[str, Any], known: frozenset[str]) -> None:
    """Raises DashboardError that names the keys which the page would ignore."""
    extra = sorted(set(found) - known)
    require(not extra, f"{', '.join(extra)} not supported by the built-in page")
