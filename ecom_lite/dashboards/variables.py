"""Reads a board's variables (`templating.list`): of a query, of a list, or any text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from .board import EVERY_VALUE, Option, Variable, require, require_datasource, require_only

TYPES: Final = ("query", "custom", "textbox")
_KEYS: Final = frozenset(
    (
        *("name", "label", "description", "type", "query", "definition", "datasource", "multi", "includeAll", "allValue"),
        *("current", "options", "hide", "refresh", "sort", "regex", "skipUrlSync"),
    )
)
_NAME: Final = re.compile(r"(?!__)[A-Za-z_]\w{0,49}")
_QUOTED: Final = re.compile(r"'((?:[^']|'')*)'")
_LISTED: Final = re.compile(r"(?:\\,|[^,])+")
_TEXT_AND_VALUE: Final = re.compile(r"\s*(.+)\s:\s(.+)")


def read_variable(raw: Mapping[str, Any]) -> Variable:
    """One entry of the list. Raises DashboardError for what the page would not do as Grafana does."""
    require_only(raw, _KEYS)
    name, kind = str(raw["name"]), raw["type"]
    require(bool(_NAME.fullmatch(name)), f"{name!r} is no name: letters, digits and _, and no __ at the beginning")
    require(kind in TYPES, f"type {kind!r} is not among {', '.join(TYPES)}")
    multi, include_all = bool(raw.get("multi")), bool(raw.get("includeAll"))
    require(kind != "textbox" or not (multi or include_all), "a textbox has one value: no multi, no includeAll")
    require(not raw.get("regex") and not raw.get("sort"), "regex and sort are not supported: the query filters and sorts")
    require(not raw.get("skipUrlSync"), "skipUrlSync must be false: the address is what a link takes along")
    query = raw["query"]
    require(isinstance(query, str), "query must be a text")
    options: tuple[Option, ...] = ()
    if kind == "query":
        require_datasource(raw["datasource"])
        require(raw.get("refresh") in (1, 2), "refresh must be 1 or 2: the options are what the warehouse has now")
        require("$" not in query and "[[" not in query, "its query has a variable or a macro: those are not supported there")
        require(bool(query.strip()), "its query is empty")
    elif kind == "custom":
        options = listed(query)
        require(bool(options), "its list is empty")
    return Variable(
        name=name,
        label=str(raw.get("label") or name),
        type=kind,
        multi=multi,
        include_all=include_all,
        all_value=_all_value(raw.get("allValue")),
        hide=int(raw.get("hide") or 0),
        current=_current(raw.get("current") or {}, kind, query, multi, include_all),
        sql=query if kind == "query" else "",
        options=options,
    )


def listed(text: str) -> tuple[Option, ...]:
    """The options of a custom variable: `A, B` or `Text : value, ...`; a comma within one is written `\\,`."""
    found = []
    for each in _LISTED.findall(text):
        part = each.replace("\\,", ",")
        named = _TEXT_AND_VALUE.fullmatch(part)
        word, value = (named[1], named[2]) if named else (part, part)
        if value.strip():
            found.append(Option(word.strip(), value.strip()))
    return tuple(found)


def variable_json(variable: Variable) -> dict[str, Any]:
    """For the browser: all but the SQL. `current` is a list where several may be chosen."""
    current = list(variable.current)
    return {
        "name": variable.name,
        "label": variable.label,
        "type": variable.type,
        "multi": variable.multi,
        "includeAll": variable.include_all,
        "hide": variable.hide,
        "current": current if variable.multi else "".join(current[:1]),
    }


def _all_value(text: object) -> str | None:
    """Grafana puts it into the SQL as it is; the page binds what stands between its quotes."""
    if text in (None, ""):
        return None
    match = _QUOTED.fullmatch(str(text))
    require(match is not None, f"allValue {text!r} must be a quoted text, such as '*'")
    assert match is not None
    return match[1].replace("''", "'")


def _current(raw: Mapping[str, Any], kind: str, query: str, multi: bool, include_all: bool) -> tuple[str, ...]:
    value = raw.get("value")
    if value in (None, "", []):
        return (query,) if kind == "textbox" else (EVERY_VALUE,) if include_all else ()
    values = tuple(map(str, value)) if isinstance(value, list) else (str(value),)
    require(multi or len(values) == 1, f"current {values}: it has one value, unless it is multi")
    require(EVERY_VALUE not in values or include_all, "current is All, without includeAll")
    return values
