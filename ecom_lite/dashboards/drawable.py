"""What static/*.js draws, and refuses in a board what it would ignore: panel types, options, field settings and their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from .board import TEXT_PANEL, require
from .links import require_link

# What static/panels.js has a drawing for. A test compares the two.
PANEL_TYPES: Final = (
    *("stat", "gauge", "timeseries", "barchart", "piechart", "table", "heatmap", "bargauge", "state-timeline"),
    TEXT_PANEL,
)
UNITS: Final = (
    *("none", "short", "locale", "string", "bool", "bool_yes_no", "currencyUSD", "percent", "percentunit"),
    *("ms", "s", "m", "h", "d", "dateTimeAsIso", "dateTimeFromNow", "bytes", "decbytes", "Bps", "binBps"),
    *("cps", "ops", "reqps", "rps", "wps", "rowsps"),
)
CELL_TYPES: Final = ("auto", "gauge", "color-text", "color-background")
CALCS: Final = ("lastNotNull", "last", "firstNotNull", "first", "sum", "max", "min", "mean", "count", "range", "diff")
COLOR_MODES: Final = (
    *("fixed", "thresholds", "palette-classic", "palette-classic-by-name", "continuous-BlPu", "continuous-GrYlRd"),
    *("continuous-RdYlGr", "continuous-BlYlRd", "continuous-YlRd", "continuous-YlBl", "continuous-blues"),
    *("continuous-greens", "continuous-reds", "continuous-purples"),
)
HEAT_SCHEMES: Final = ("Blues", "Greens", "Oranges", "Reds", "Purples", "Greys")
MATCHERS: Final = ("byName", "byRegexp")

Check = Callable[[Any], bool]
Checks = Mapping[str, Check]


def _any(_: Any) -> bool:
    return True


def _one_of(*allowed: object) -> Check:
    return lambda value: value in allowed


def _all_of(*allowed: object) -> Check:
    return lambda value: isinstance(value, list) and all(each in allowed for each in value)


def _within(checks: Checks) -> Check:
    def check(value: Any) -> bool:
        _only("", value, checks)
        return True

    return check


# `custom` of a field, by panel type. Where a value is not looked at, the page follows it or Grafana alone needs it.
_HIDE: Final[Checks] = {"hideFrom": _within({"legend": _one_of(False), "tooltip": _any, "viz": _any})}
_AXIS: Final[Checks] = {
    "axisPlacement": _one_of("auto", "left", "right", "hidden"),
    "axisColorMode": _one_of("text"),
    "axisCenteredZero": _one_of(False),
    "axisBorderShow": _one_of(False),
    "scaleDistribution": _within({"type": _one_of("linear", "log"), "log": _one_of(2, 10)}),
    "gradientMode": _one_of("none", "opacity"),
    "fillOpacity": _any,
    "lineWidth": _any,
    **_HIDE,
}
CUSTOM: Final[Mapping[str, Checks]] = {
    "timeseries": {
        **_AXIS,
        "drawStyle": _one_of("line", "bars", "points"),
        "lineInterpolation": _one_of("linear", "smooth", "stepBefore", "stepAfter"),
        "lineStyle": _within({"fill": _one_of("solid", "dash"), "dash": _any}),
        "showPoints": _one_of("auto", "never", "always"),
        "pointSize": _any,
        "spanNulls": _any,
        "insertNulls": _any,
        "stacking": _within({"mode": _one_of("none", "normal", "percent"), "group": _one_of("A")}),
        "axisLabel": _any,
        "axisSoftMin": _any,
        "axisSoftMax": _any,
        "barAlignment": _one_of(-1, 0, 1),
        "barWidthFactor": _any,
        "thresholdsStyle": _within({"mode": _one_of("off", "line", "dashed", "area", "line+area", "dashed+area")}),
        "fillBelowTo": _any,
    },
    "barchart": {**_AXIS, "axisLabel": _one_of(""), "scaleDistribution": _within({"type": _one_of("linear")})},
    "table": {
        "align": _one_of("auto", "left", "center", "right"),
        "width": _any,
        "minWidth": _any,
        "hidden": _any,
        "filterable": _one_of(False),
        "inspect": _one_of(False),
        "cellOptions": _within(
            {"type": _one_of(*CELL_TYPES), "mode": _any, "valueDisplayMode": _one_of("text", "color"), "wrapText": _any}
        ),
    },
    "heatmap": {**_HIDE, "scaleDistribution": _within({"type": _one_of("linear")})},
    "state-timeline": {"fillOpacity": _any, "lineWidth": _any, **_HIDE},
    "piechart": _HIDE,
}

_LEGEND: Final = _within(
    {
        "showLegend": _any,
        "displayMode": _one_of("list", "table", "hidden"),
        "placement": _one_of("bottom", "right"),
        "calcs": _all_of(*CALCS),
        "values": _all_of("value", "percent"),
    }
)
_TOOLTIP: Final = _within({"mode": _one_of("single", "multi", "none"), "sort": _one_of("none", "asc", "desc")})
_REDUCE: Final = _within({"calcs": _all_of(*CALCS), "values": _any, "fields": _any, "limit": _any})
_TEXT: Final = _within({"valueSize": _any, "titleSize": _any})  # the page finds the size that fits
_ORIENTATION: Final = _one_of("auto", "horizontal", "vertical")
OPTIONS: Final[Mapping[str, Checks]] = {
    "stat": {
        "reduceOptions": _REDUCE,
        "graphMode": _one_of("none", "area"),
        "colorMode": _one_of("none", "value", "background", "background_solid"),
        "textMode": _one_of("auto", "value", "name", "value_and_name", "none"),
        "justifyMode": _one_of("auto"),
        "wideLayout": _any,
        "orientation": _ORIENTATION,
        "text": _TEXT,
    },
    "gauge": {
        "reduceOptions": _REDUCE,
        "showThresholdLabels": _any,
        "showThresholdMarkers": _any,
        "orientation": _ORIENTATION,
        "minVizWidth": _any,
        "minVizHeight": _any,
        "sizing": _one_of("auto"),
        "text": _TEXT,
    },
    "timeseries": {"legend": _LEGEND, "tooltip": _TOOLTIP},
    "barchart": {
        "legend": _LEGEND,
        "tooltip": _TOOLTIP,
        "orientation": _ORIENTATION,
        "xField": _any,
        "colorByField": _any,
        "showValue": _one_of("auto", "always", "never"),
        "stacking": _one_of("none", "normal", "percent"),
        "groupWidth": _any,
        "barWidth": _any,
        "barRadius": _any,
        "fullHighlight": _any,
        "xTickLabelRotation": _any,  # the page turns the bars instead of the labels
        "xTickLabelSpacing": _any,
        "xTickLabelMaxLength": _any,
        "text": _TEXT,
    },
    "piechart": {
        "legend": _LEGEND,
        "tooltip": _TOOLTIP,
        "reduceOptions": _REDUCE,
        "pieType": _one_of("pie", "donut"),
        "displayLabels": _all_of("percent", "name", "value"),
    },
    "table": {
        "showHeader": _any,
        "cellHeight": _one_of("sm", "md", "lg"),
        "frameIndex": _one_of(0),
        "sortBy": _any,
        "footer": _within(
            {
                "show": _any,
                "reducer": _all_of(*CALCS),
                "fields": _any,
                "countRows": _one_of(False),
                "enablePagination": _one_of(False),
            }
        ),
    },
    "heatmap": {
        "calculate": _one_of(False),
        "calculation": _any,
        "cellGap": _any,
        "cellRadius": _any,
        "cellValues": _any,
        "color": _within(
            {
                "mode": _one_of("scheme", "opacity"),
                "scheme": _one_of(*HEAT_SCHEMES),
                "fill": _any,
                "steps": _any,
                "reverse": _any,
                "min": _any,
                "max": _any,
                "exponent": _one_of(0.5),  # Grafana's default, of a scale that the scheme does not use
                "scale": _one_of("linear", "exponential"),
            }
        ),
        "exemplars": _any,
        "filterValues": _any,
        "legend": _within({"show": _any}),
        "rowsFrame": _any,
        "showValue": _one_of("auto", "always", "never"),
        "tooltip": _any,
        "yAxis": _within(
            {"axisPlacement": _one_of("left"), "reverse": _any, "unit": _any, "decimals": _any, "axisLabel": _one_of("")}
        ),
    },
    "bargauge": {
        "reduceOptions": _REDUCE,
        "orientation": _ORIENTATION,
        "displayMode": _one_of("basic", "gradient"),
        "valueMode": _one_of("color", "text", "hidden"),
        "showUnfilled": _any,
        "namePlacement": _one_of("auto"),
        "sizing": _one_of("auto"),
        "legend": _any,
        "minVizWidth": _any,
        "minVizHeight": _any,
        "maxVizHeight": _any,
        "text": _TEXT,
    },
    "state-timeline": {
        "legend": _LEGEND,
        "tooltip": _TOOLTIP,
        "mergeValues": _any,
        "showValue": _one_of("auto", "always", "never"),
        "alignValue": _one_of("left"),
        "rowHeight": _any,
    },
    TEXT_PANEL: {"mode": _one_of("markdown", "code"), "content": _any, "code": _any},
}

_MAPPING_RESULT: Final = _within({"text": _any, "color": _any, "index": _any})
_SPECIAL: Final = ("null", "null+nan", "empty", "true", "false")
SETTINGS: Final[Checks] = {
    "unit": lambda unit: unit in UNITS or unit.startswith(("suffix:", "currency:")),
    "decimals": _any,
    "min": _any,
    "max": _any,
    "displayName": lambda text: "${" not in text,
    "noValue": _any,
    "fieldMinMax": _one_of(True),  # a bar's ends are those of its own column: so is the page's, and Grafana 10.2 and later
    "description": _any,
    "color": _within({"mode": _one_of(*COLOR_MODES), "fixedColor": _any, "seriesBy": _one_of("last")}),
    "thresholds": _within({"mode": _one_of("absolute", "percentage"), "steps": _any}),
    "mappings": lambda mappings: all(map(_mapping, mappings)),
    "links": lambda links: _each(require_link, links),
}
# Settings that say how Grafana looks, where the page has its own way: sizes, corners, hover styles, slanted labels. A test holds
# every other name above against the scripts.
GRAFANA_ONLY: Final = frozenset(
    (
        *("axisBorderShow", "axisCenteredZero", "axisColorMode", "barRadius", "fullHighlight", "justifyMode", "wideLayout"),
        *("xTickLabelRotation", "xTickLabelSpacing", "xTickLabelMaxLength", "valueSize", "titleSize", "cellHeight", "cellRadius"),
        *("minVizWidth", "minVizHeight", "maxVizHeight", "sizing", "namePlacement", "calculate", "calculation", "exemplars"),
        *("filterValues", "rowsFrame", "code", "frameIndex", "alignValue", "filterable", "inspect", "fieldMinMax"),
    )
)


def require_drawn(kind: str, options: Mapping[str, Any], field_config: Mapping[str, Any]) -> None:
    """Raises DashboardError, with the setting and its value, for what the page would ignore in a panel of type `kind`."""
    _only("options", options, OPTIONS.get(kind, {}))
    _settings(kind, "fieldConfig.defaults", field_config.get("defaults", {}))
    for override in field_config.get("overrides", []):
        matcher, wanted = override["matcher"]["id"], override["matcher"]["options"]
        require(matcher in MATCHERS, f"override matcher {matcher!r} is not among {', '.join(MATCHERS)}")
        if matcher == "byRegexp":
            _pattern(wanted)
        for item in override["properties"]:
            name, where = item["id"], f"override of {wanted!r}"
            if name.startswith("custom."):
                _only(where, {name: item["value"]}, _custom(kind, "custom."))
            else:
                require(name in SETTINGS, f"{where}: {name} is not drawn")
                _settings(kind, where, {name: item["value"]})


def _settings(kind: str, where: str, found: Mapping[str, Any]) -> None:
    _only(where, {name: value for name, value in found.items() if name != "custom"}, SETTINGS)
    _only(f"{where}.custom", found.get("custom", {}), _custom(kind))


def _custom(kind: str, prefix: str = "") -> Checks:
    # A column that only feeds a link or a colour is hidden in any panel.
    own = {"hidden": _any, **CUSTOM.get(kind, {})}
    return {f"{prefix}{name}": check for name, check in own.items()}


def _only(where: str, found: Mapping[str, Any], checks: Checks) -> None:
    for name, value in found.items():
        path = f"{where}.{name}".lstrip(".")
        require(name in checks, f"{path} is not drawn; known are {_listed(checks)}")
        require(checks[name](value), f"{path} {value!r} is not drawn")


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _mapping(mapping: Mapping[str, Any]) -> bool:
    options = mapping["options"]
    match mapping["type"]:
        case "value":
            return all(map(_MAPPING_RESULT, options.values()))
        case "range":
            return set(options) <= {"from", "to", "result"} and _MAPPING_RESULT(options["result"])
        case "regex":
            _pattern(options["pattern"])
            return _MAPPING_RESULT(options["result"])
        case "special":
            return options["match"] in _SPECIAL and _MAPPING_RESULT(options["result"])
    return False


def _each(check: Callable[[Any], None], found: Sequence[Any]) -> bool:
    for each in found:
        check(each)
    return True


def _pattern(text: str) -> None:
    try:
        re.compile(re.sub(r"^/(.*)/[a-z]*$", r"\1", text, flags=re.DOTALL))
    except re.error as error:
        require(False, f"pattern {text!r}: {error}")
