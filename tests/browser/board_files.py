"""A board file as Grafana's front end reads it: its panels, variables and annotations, and the SQL that it would send for them.

Shares no code with ecom_lite.dashboards on purpose: what the built-in page makes of the same file is held against this.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
BOARDS: Final = ROOT / "grafana" / "dashboards"
ALL: Final = "$__all"
ROW_PX: Final = 38  # of Grafana's grid, with its gap
_SPAN_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_VARIABLE: Final = re.compile(r"\$\{(\w+):(\w+)\}|\$\{(\w+)\}|\$(?!_)(\w+)|\[\[(\w+)\]\]")

Json = dict[str, Any]
Chosen = Mapping[str, Sequence[str]]


def documents(folder: Path = BOARDS) -> dict[str, Json]:
    """All board files by uid."""
    found = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]
    return {document["uid"]: document for document in found}


def panels(document: Json, *, folded: bool = True) -> Iterator[Json]:
    """Its panels without the rows themselves; those of rows that are shut only where `folded`."""
    for panel in document["panels"]:
        if panel["type"] != "row":
            yield panel
        elif folded:
            yield from panel.get("panels", [])


def targets(panel: Json) -> list[Json]:
    return [] if panel["type"] == "text" else list(panel["targets"])


def variables(document: Json) -> list[Json]:
    return list(document.get("templating", {}).get("list", []))


def annotation_queries(document: Json) -> list[Json]:
    """Those that ask our data source; Grafana's own built-in one asks none."""
    listed = document.get("annotations", {}).get("list", [])
    return [each for each in listed if each.get("datasource", {}).get("uid") != "-- Grafana --" and not each.get("builtIn")]


def defaults(document: Json) -> dict[str, list[str]]:
    """What each variable is when a board is opened without one in its address."""
    found = {}
    for each in variables(document):
        value = each.get("current", {}).get("value", each.get("query", "") if each["type"] == "textbox" else ALL)
        found[each["name"]] = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    return found


def custom_options(variable: Json) -> list[str]:
    """Of a variable of type `custom`: its texts with commas between them, `text : value` for another value."""
    parts = re.split(r"(?<!\\),", variable["query"])
    return [part.replace("\\,", ",").split(" : ")[-1].strip() for part in parts]


def interpolated(sql: str, document: Json, chosen: Chosen) -> str:
    """What the front end sends: of its variables nothing is left; macros are the server's."""
    known = {each["name"]: each for each in variables(document)}

    def value(match: re.Match[str]) -> str:
        name = next(group for group in (match[1], *match.groups()[2:]) if group)
        assert name in known, f"{match[0]} is no variable of {document['uid']}"
        assert match[2] == "sqlstring", f"{match[0]}: only :sqlstring may stand in SQL"
        values, all_value = list(chosen[name]), known[name].get("allValue")
        if values == [ALL]:
            assert all_value, f"{name}: All without allValue would send the whole list"
            return str(all_value)
        return ",".join("'" + each.replace("'", "''") + "'" for each in values)

    return _VARIABLE.sub(value, sql)


def plain_sql(sql: str, bounds: tuple[int, int]) -> str:
    """What PostgreSQL is asked in the end, of a query that makes no series."""
    start, end = (f"'{datetime.fromtimestamp(bound / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}'" for bound in bounds)
    sql = re.sub(r"\$__timeFilter\(([^()]+)\)", rf"\1 BETWEEN {start} AND {end}", sql)
    sql = sql.replace("$__timeFrom()", start).replace("$__timeTo()", end)
    assert "$__" not in sql, sql
    return sql


def address(chosen: Chosen) -> list[tuple[str, str]]:
    """As in a board's address: var-category=A&var-category=B."""
    return [(f"var-{name}", value) for name, values in chosen.items() for value in values]


def duration_ms(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(ms|[smhdw])", text).groups()  # type: ignore[union-attr]
    return int(number) * (1 if unit == "ms" else int(_SPAN_MS[unit]))


def fixed_range(document: Json, now_ms: int) -> tuple[int, int]:
    """The board's own time range in epoch milliseconds, its bounds moved to whole minutes and refreshes, so that all who ask
    later on ask the same. A little more than it: Grafana's server and its front end round a step apart where a range is just so
    many points long (30 minutes of 240 points: 5 s the one, 10 s the other and the page)."""
    grain = max(60_000, duration_ms(document["refresh"]))
    relative = re.fullmatch(r"now-(\d+[smhdw])(?:/\w)?", document["time"]["from"])
    span = duration_ms(relative[1]) if relative else _SPAN_MS["d"]
    end = -(-now_ms // grain) * grain
    return (end - span) // grain * grain - grain, end


def height_px(document: Json) -> int:
    """Of the board in Grafana's grid."""
    return int(max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in document["panels"])) * ROW_PX
