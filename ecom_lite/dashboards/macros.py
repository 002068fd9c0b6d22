"""Expands Grafana's SQL macros as its PostgreSQL data source does, so that one query serves both renderers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ..errors import DashboardError
from .timerange import TimeRange, duration_ms, epoch_ms, step_text

_CALL: Final = re.compile(r"\$__(?!interval\b|interval_ms\b|from\b|to\b)([A-Za-z_]+)")
_VARIABLE: Final = re.compile(r"\$__(interval_ms|interval|from|to)\b|\$\{__(interval_ms|interval|from|to)\}")
_LEFTOVER: Final = re.compile(r"\$\w+|\$\{[^}]*\}?|\[\[")
# A dashboard variable, and what none may stand in: texts, quoted names, comments. It becomes a bound parameter.
_BINDABLE: Final = re.compile(r"\$\{(\w+):sqlstring\}|'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_FORM: Final = "${name:sqlstring}, outside of quotes and comments,"
_FILLS: Final = {"NULL": None, "previous": "previous"}


@dataclass(frozen=True)
class Fill:
    """What stands where a series has no value: a number, None (a gap) or "previous"; a point each `step_ms`."""

    step_ms: int
    value: float | str | None


@dataclass(frozen=True)
class Expanded:
    """SQL for psycopg with its parameters, and how the series it gives are to be filled (None: not at all).

    `parameters` is None where there is no variable: then a % in the SQL is a %.
    """

    sql: str
    fill: Fill | None = None
    parameters: tuple[str, ...] | None = None


def expand(sql: str, time_range: TimeRange, interval_ms: int, values: Mapping[str, Sequence[str]] | None = None) -> Expanded:
    """Replace every macro and built-in variable. Only timestamps and numbers made here go into the text; the `values` of
    dashboard variables become parameters, one for each value.

    Raises DashboardError for an unknown macro, wrong arguments, or a dashboard variable that is not `${name:sqlstring}`.
    """
    sql = _VARIABLE.sub(lambda match: _variable(match[1] or match[2], time_range, interval_ms), sql)
    pieces: list[str] = []
    fill: Fill | None = None
    position = 0
    while match := _CALL.search(sql, position):
        arguments, end = _arguments(sql, match.end())
        expander = _MACROS.get(match[1])
        if expander is None:
            known = ", ".join(f"$__{name}" for name in _MACROS)
            raise DashboardError(f"macro $__{match[1]} is not known; known are {known}")
        pieces += [sql[position : match.start()], expander(arguments, time_range)]
        if match[1].removesuffix("Alias") in ("timeGroup", "unixEpochGroup") and len(arguments) > 2:
            fill = Fill(duration_ms(_unquote(arguments[1])), _fill_value(arguments[2]))
        position = end
    expanded = "".join([*pieces, sql[position:]])
    if not variables_in(expanded):
        return Expanded(expanded, fill)
    return Expanded(*_bound_to(expanded, values or {}, fill))


def _bound_to(sql: str, values: Mapping[str, Sequence[str]], fill: Fill | None) -> tuple[str, Fill | None, tuple[str, ...]]:
    pieces: list[str] = []
    parameters: list[str] = []
    position = 0
    for match in _BINDABLE.finditer(sql):
        if match[1] is None:
            continue
        if not values.get(match[1]):
            raise DashboardError(f"variable {match[1]} has no value")
        pieces += [sql[position : match.start()].replace("%", "%%"), ", ".join(["%s"] * len(values[match[1]]))]
        parameters += values[match[1]]
        position = match.end()
    return "".join([*pieces, sql[position:].replace("%", "%%")]), fill, tuple(parameters)


def variables_in(sql: str) -> frozenset[str]:
    """The dashboard variables of a query. Raises DashboardError for any other way to write one, which would be text in SQL."""
    names = set()
    for match in _BINDABLE.finditer(sql):
        if match[1]:
            names.add(match[1])
        elif "${" in match[0] and not _VARIABLE.search(match[0]):
            raise DashboardError(f"{match[0][:60]!r} has a dashboard variable: only {_FORM} is a bound parameter")
    left = _LEFTOVER.search(_CALL.sub("", _VARIABLE.sub("", _BINDABLE.sub(lambda match: "" if match[1] else match[0], sql))))
    if left:
        raise DashboardError(f"{left[0]!r} stands in a query: only {_FORM} is a bound parameter")
    return frozenset(names)


def _variable(name: str, time_range: TimeRange, interval_ms: int) -> str:
    bounds = {"from": time_range.start_ms, "to": time_range.end_ms}
    return str({"interval": step_text(interval_ms), "interval_ms": interval_ms, **bounds}[name])


def _arguments(sql: str, start: int) -> tuple[list[str], int]:
    """The arguments of a call whose `(` may be at `start`, split at commas outside brackets and quotes, and its end."""
    if not sql.startswith("(", start):
        return [], start
    found, depth, quoted, begin = [], 0, False, start + 1
    for index in range(start, len(sql)):
        char = sql[index]
        if char == "'":
            quoted = not quoted
        elif not quoted and char == "(":
            depth += 1
        elif not quoted and ((char == "," and depth == 1) or char == ")"):
            depth -= char == ")"
            if depth == 0 or char == ",":
                found.append(sql[begin:index].strip())
                begin = index + 1
            if depth == 0:
                return found if found != [""] else [], index + 1
    raise DashboardError(f"a macro's bracket is not closed: {sql[start - 20 : start + 20]!r}")


def _quoted(moment: datetime) -> str:
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"'{text}{fraction}Z'"


def _unquote(text: str) -> str:
    return text.strip().strip("'\"")


def _fill_value(text: str) -> float | str | None:
    if text in _FILLS:
        return _FILLS[text]
    try:
        return float(text)
    except ValueError:
        raise DashboardError(f"fill {text!r} is not NULL, previous or a number") from None


def _need(arguments: Sequence[str], macro: str, least: int, most: int) -> None:
    if not least <= len(arguments) <= most or "" in arguments:
        many = str(least) if least == most else f"{least} to {most}"
        raise DashboardError(f"macro $__{macro} takes {many} arguments, got {len(arguments)}: {', '.join(arguments)}")


def _seconds(text: str) -> str:
    milliseconds = duration_ms(_unquote(text))
    return str(milliseconds // 1000) if milliseconds % 1000 == 0 else str(milliseconds / 1000)


def _time_group(arguments: Sequence[str], _: TimeRange) -> str:
    _need(arguments, "timeGroup", 2, 3)
    seconds = _seconds(arguments[1])
    return f"floor(extract(epoch from {arguments[0]})/{seconds})*{seconds}"


def _unix_group(arguments: Sequence[str], _: TimeRange) -> str:
    _need(arguments, "unixEpochGroup", 2, 3)
    seconds = _seconds(arguments[1])
    return f"floor(({arguments[0]})/{seconds})*{seconds}"


def _of_column(macro: str, template: Callable[[str, TimeRange], str]) -> Callable[[Sequence[str], TimeRange], str]:
    def expander(arguments: Sequence[str], time_range: TimeRange) -> str:
        _need(arguments, macro, 1, 1)
        return template(arguments[0], time_range)

    return expander


def _bound(macro: str, template: Callable[[TimeRange], str]) -> Callable[[Sequence[str], TimeRange], str]:
    def expander(arguments: Sequence[str], time_range: TimeRange) -> str:
        _need(arguments, macro, 0, 0)
        return template(time_range)

    return expander


def _s(moment: datetime) -> int:
    return epoch_ms(moment) // 1000


def _ns(moment: datetime) -> int:
    return epoch_ms(moment) * 1_000_000


_MACROS: Final[dict[str, Callable[[Sequence[str], TimeRange], str]]] = {
    "time": _of_column("time", lambda column, _: f'{column} AS "time"'),
    "timeEpoch": _of_column("timeEpoch", lambda column, _: f'extract(epoch from {column}) as "time"'),
    "timeFilter": _of_column("timeFilter", lambda column, r: f"{column} BETWEEN {_quoted(r.start)} AND {_quoted(r.end)}"),
    "timeFrom": _bound("timeFrom", lambda r: _quoted(r.start)),
    "timeTo": _bound("timeTo", lambda r: _quoted(r.end)),
    "timeGroup": _time_group,
    "timeGroupAlias": lambda arguments, r: _time_group(arguments, r) + ' AS "time"',
    "unixEpochFilter": _of_column("unixEpochFilter", lambda c, r: f"{c} >= {_s(r.start)} AND {c} <= {_s(r.end)}"),
    "unixEpochFrom": _bound("unixEpochFrom", lambda r: str(_s(r.start))),
    "unixEpochTo": _bound("unixEpochTo", lambda r: str(_s(r.end))),
    "unixEpochNanoFilter": _of_column("unixEpochNanoFilter", lambda c, r: f"{c} >= {_ns(r.start)} AND {c} <= {_ns(r.end)}"),
    "unixEpochNanoFrom": _bound("unixEpochNanoFrom", lambda r: str(_ns(r.start))),
    "unixEpochNanoTo": _bound("unixEpochNanoTo", lambda r: str(_ns(r.end))),
    "unixEpochGroup": _unix_group,
    "unixEpochGroupAlias": lambda arguments, r: _unix_group(arguments, r) + ' AS "time"',
}
