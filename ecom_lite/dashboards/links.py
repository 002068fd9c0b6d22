"""Reads links of boards, panels and fields: relative, or https, with those of Grafana's variables that the page fills in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from .board import Link, require, require_only

BOARD_LINK_KEYS: Final = frozenset(
    ("type", "title", "tags", "url", "tooltip", "icon", "asDropdown", "targetBlank", "keepTime", "includeVars")
)
LINK_KEYS: Final = frozenset(("title", "url", "targetBlank"))
_FILLED_IN: Final = re.compile(
    r"\$\{(?:__data\.fields(?:\.\w+|\[\"[^\"\]]+\"\])|__value\.(?:raw|text|time)|__series\.name|\w+:queryparam|__url_time_range|__from|__to)\}"
)
_LOCAL_OR_SAFE: Final = re.compile(r"/(?![/\\$])|https://[^/$]+/")  # no value of the data chooses the host


def board_link(raw: Mapping[str, Any]) -> Link:
    """One of a board's `links`. Raises DashboardError."""
    require_only(raw, BOARD_LINK_KEYS)
    kind = raw["type"]
    require(kind in ("dashboards", "link"), f"link of type {kind!r}: dashboards and link are drawn")
    if kind == "link":
        require_url(raw["url"])
    return Link(
        title=str(raw.get("title", "")),
        url=str(raw["url"]) if kind == "link" else "",
        tags=tuple(map(str, raw.get("tags", ()))),
        tooltip=str(raw.get("tooltip", "")),
        new_tab=bool(raw.get("targetBlank")),
        keep_time=bool(raw.get("keepTime")),
        keep_variables=bool(raw.get("includeVars")),
    )


def panel_link(raw: Mapping[str, Any]) -> Link:
    """One of a panel's `links`. Raises DashboardError."""
    require_link(raw)
    return Link(str(raw["title"]), str(raw["url"]), (), "", bool(raw.get("targetBlank")), False, False)


def require_link(raw: Mapping[str, Any]) -> None:
    """Raises DashboardError for a link of a panel or a field that the page would not follow."""
    require_only(raw, LINK_KEYS)
    require(bool(raw["title"]), "a link has no title")
    require_url(raw["url"])


def require_url(url: str) -> None:
    """Raises DashboardError for an address that leads to a script, or has a variable which nobody fills in."""
    require(bool(_LOCAL_OR_SAFE.match(url)), f"link to {url!r}: it must begin with / or https://")
    left = _FILLED_IN.sub("", url)
    fields = '${__data.fields["Name"]}, ${__value.raw}, ${__value.text}, ${__value.time}, ${__series.name}'
    known = f"{fields}, ${{__url_time_range}}, ${{__from}}, ${{__to}} and ${{variable:queryparam}}"
    require("$" not in left and "[[" not in left, f"link to {url!r}: only {known} are filled in")


def link_json(link: Link) -> dict[str, Any]:
    """For the browser."""
    return {
        "title": link.title,
        "url": link.url,
        "tags": link.tags,
        "tooltip": link.tooltip,
        "targetBlank": link.new_tab,
        "keepTime": link.keep_time,
        "includeVars": link.keep_variables,
    }
