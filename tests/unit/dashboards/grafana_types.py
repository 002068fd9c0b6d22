"""Holds a board file against Grafana's own kinds, as its Foundation SDK has them generated as Python types.

The kinds are CUE files in Grafana's repository; the SDK (Apache 2.0, a development dependency) is made from them and says for
each object which properties it has, of which type, and which words an enumeration knows.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from importlib import import_module
from typing import Any, Final

from grafana_foundation_sdk.models import dashboard

# Written and read by Grafana, and in no kind of it.
UNDECLARED: Final = {
    "Dashboard": {"__inputs", "__requires"},
    "VariableModel": {"definition", "queryValue", "useTags", "static"},
    "AnnotationQuery": {"rawQuery", "showIn"},
    "Panel": {"targets"},
}
_JSON_NAME: Final = re.compile(r'"([^"]+)"\]?\s*[:=]\s*self\.(\w+)')


@cache
def _properties(kind: type) -> Mapping[str, Any]:
    """Name in JSON -> type."""
    hints = typing.get_type_hints(kind)
    found = _JSON_NAME.findall(inspect.getsource(kind.to_json))  # type: ignore[attr-defined]
    assert found, f"{kind.__name__} of the SDK is not read as it was"
    return {name: hints[attribute] for name, attribute in found}


def misfits(document: Mapping[str, Any]) -> list[str]:
    """What a dashboard has that Grafana's kinds do not: one line each, with the path."""
    return sorted({*_misfits(document, dashboard.Dashboard, "board"), *_panels(document.get("panels", []), "board")})


def _panels(panels: list[dict[str, Any]], path: str) -> Iterator[str]:
    for panel in panels:
        at = f"{path}.{panel.get('title') or panel.get('id')}"
        if panel["type"] == "row":
            yield from _misfits({**panel, "panels": []}, dashboard.RowPanel, at)
            yield from _panels(panel.get("panels", []), at)
            continue
        yield from _misfits(panel, dashboard.Panel, at)
        try:
            own = import_module(f"grafana_foundation_sdk.models.{panel['type'].replace('-', '')}")
        except ModuleNotFoundError:
            yield f"{at}: Grafana has no panel of type {panel['type']}"
            continue
        yield from _misfits(panel.get("options", {}), own.Options, f"{at}.options")
        custom = panel.get("fieldConfig", {}).get("defaults", {}).get("custom", {})
        if kind := getattr(own, "FieldConfig", None):
            yield from _misfits(custom, kind, f"{at}.custom")
            for override in panel.get("fieldConfig", {}).get("overrides", []):
                for item in override["properties"]:
                    yield from _override(item, kind, f"{at}.override")
        elif custom:
            yield f"{at}.custom: {panel['type']} has none"


def _override(item: Mapping[str, Any], kind: type, path: str) -> Iterator[str]:
    """`custom.x` is a property of the panel's own configuration, any other one of every field's."""
    name, own = str(item["id"]).removeprefix("custom."), str(item["id"]).startswith("custom.")
    if name in ("hidden", "hideFrom", "filterable"):  # known to the panels' code only
        return
    yield from _misfits({name: item["value"]}, kind if own else dashboard.FieldConfig, f"{path} {item['id']}")


def _misfits(value: Any, hint: Any, path: str) -> list[str]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in (Any, object) or isinstance(hint, typing.TypeVar):
        return []
    if origin in (typing.Union, types.UnionType):
        return min((_misfits(value, each, path) for each in arguments), key=len)
    if origin is list:
        if not isinstance(value, list):
            return [f"{path}: {value!r} is no list"]
        return [line for at, each in enumerate(value) for line in _misfits(each, arguments[0], f"{path}[{at}]")]
    if origin is dict:
        if not isinstance(value, dict):
            return [f"{path}: {value!r} is no object"]
        return [line for key, each in value.items() for line in _misfits(each, arguments[1], f"{path}.{key}")]
    if origin is typing.Literal:
        return [] if value in arguments else [f"{path}: {value!r} is not {arguments}"]
    return _plain(value, hint, path)


def _plain(value: Any, hint: Any, path: str) -> list[str]:
    if hint is type(None):
        return [] if value is None else [f"{path}: {value!r} is not null"]
    if issubclass(hint, Enum):
        known = [each.value for each in hint]
        return [] if value in known else [f"{path}: {value!r} is not one of {', '.join(map(str, known))}"]
    if hint in (str, bool, int, float):
        fits = isinstance(value, int | float) if hint is float else isinstance(value, hint)
        return [] if fits and (hint is bool or not isinstance(value, bool)) else [f"{path}: {value!r} is no {hint.__name__}"]
    if not hasattr(hint, "from_json"):
        return []  # a query: each data source has its own
    if not isinstance(value, dict):
        return [f"{path}: {value!r} is no {hint.__name__}"]
    known_names = _properties(hint)
    lines = [
        f"{path}: {hint.__name__} has no {name}"
        for name in value
        if name not in known_names and name not in UNDECLARED.get(hint.__name__, ())
    ]
    if hint is dashboard.Dashboard:
        known_names = {name: each for name, each in known_names.items() if name != "panels"}  # by the type of each
    for name in known_names.keys() & value.keys():
        lines += _misfits(value[name], known_names[name], f"{path}.{name}")
    return lines
