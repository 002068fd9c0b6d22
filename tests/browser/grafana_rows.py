"""Asks a real Grafana what its front end would ask, and makes rows of the answer as the built-in page has them."""

from __future__ import annotations

import base64
import json
import math
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.browser.board_files import Chosen, Json, address, duration_ms, interpolated
from tests.runs import wait_for

DEFAULT_POINTS = 240
UNAVAILABLE = 503
TIME = "time"


class Rows(NamedTuple):
    """Titles of the columns, and rows; times are epoch milliseconds."""

    columns: list[str]
    rows: list[list[Any]]


class Server:
    """HTTP on Grafana or on the page; `login` is a user and a password."""

    def __init__(self, url: str, login: tuple[str, str] | None = None) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"}
        if login:
            self._headers["Authorization"] = "Basic " + base64.b64encode(":".join(login).encode()).decode()

    def ask(self, path: str, body: Any = None, method: str | None = None) -> tuple[int, Any]:
        """Status and JSON; a status that says no is no exception."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, content, self._headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, _json(refused.read())

    def get(self, path: str) -> Any:
        """Asked again where there is no room now."""
        status, body = wait_for(lambda: found if (found := self.ask(path))[0] != UNAVAILABLE else None, f"room for {path}")
        assert status == 200, (path, status, body)
        return body


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def from_grafana(server: Server, document: Json, target: Json, panel: Json, bounds: tuple[int, int], chosen: Chosen) -> Rows:
    """One target's rows. The step of a series is left to Grafana: from the panel's points and its least step."""
    query = {
        "refId": target.get("refId", "A"), "datasource": target["datasource"], "format": target["format"], "rawQuery": True,
        "rawSql": interpolated(target["rawSql"], document, chosen), "maxDataPoints": panel.get("maxDataPoints", DEFAULT_POINTS),
        "intervalMs": duration_ms(panel["interval"]) if panel.get("interval") else 1,
    }  # fmt: skip
    status, answer = server.ask("/api/ds/query", {"queries": [query], "from": str(bounds[0]), "to": str(bounds[1])})
    result = answer.get("results", {}).get(query["refId"], answer)
    assert status == 200 and "error" not in result, (panel.get("title"), status, result)
    frames = [frame for frame in result["frames"] if frame["schema"]["fields"]]
    if not frames:
        return Rows([], [])
    assert len(frames) == 1, (panel.get("title"), "more than one frame")
    fields, values = frames[0]["schema"]["fields"], frames[0]["data"]["values"]
    series = target["format"] == "time_series"
    names = [TIME if series and field["type"] == "time" else _name(field) for field in fields]
    found = Rows(names, [list(row) for row in zip(*values, strict=True)] if values else [])
    return _by_name(found) if series else found


def _name(field: Json) -> str:
    labels = list(field.get("labels", {}).values())
    return str(labels[0]) if labels and field["name"] in ("", "value", "Value") else " ".join([field["name"], *labels])


def from_page(answer: Json, index: int, series: bool) -> Rows:
    """The same target's rows in a panel's answer of the page."""
    if not answer["frames"]:
        return Rows([], [])
    frame = answer["frames"][index]
    assert not frame["cut"], "the page shows only the first rows"
    found = Rows([column["name"] for column in frame["columns"]], frame["rows"])
    return _by_name(found) if series else found


def _by_name(found: Rows) -> Rows:
    """A series' columns in an order that does not depend on which came first."""
    order = [
        found.columns.index(TIME),
        *sorted((i for i, name in enumerate(found.columns) if name != TIME), key=lambda i: found.columns[i]),
    ]
    return Rows([found.columns[i] for i in order], [[row[i] for i in order] for row in found.rows])


def page_answer(server: Server, uid: str, panel_id: int, bounds: tuple[int, int], chosen: Chosen) -> Any:
    asked = urlencode([("from", str(bounds[0])), ("to", str(bounds[1])), *address(chosen)])
    said: list[Any] = []

    def answered() -> Any:
        said.append(server.get(f"/api/boards/{uid}/panels/{panel_id}?{asked}"))
        return said[-1] if said[-1]["state"] in ("ok", "empty") else None

    # A database that was kept waiting for seconds is told as an error, and asked again.
    return wait_for(answered, lambda: f"{uid}, panel {panel_id}: {said[-1]['message']}")


def difference(before: Rows, found: Rows, after: Rows) -> str:
    """How Grafana's rows differ from the page's, of which one was asked before and one after; "" for the same rows.

    A figure that goes on with the clock lies between the two.
    """
    if not found.rows and not before.rows:
        return ""
    if found.columns != before.columns:
        return f"columns {found.columns}, the page has {before.columns}"
    if not len(before.rows) == len(found.rows) == len(after.rows):
        return f"{len(found.rows)} rows, the page has {len(before.rows)} and then {len(after.rows)}"
    for at, (low, row, high) in enumerate(zip(before.rows, found.rows, after.rows, strict=True)):
        for name, first, value, last in zip(found.columns, low, row, high, strict=True):
            if not _fits(first, value, last):
                return f"row {at}, {name}: {value!r}, the page has {first!r}" + (f" and then {last!r}" if first != last else "")
    return ""


def _fits(first: Any, value: Any, last: Any) -> bool:
    if _number(first) and _number(value) and _number(last):
        low, high = min(first, last), max(first, last)
        return low <= value <= high or math.isclose(value, low, rel_tol=1e-9) or math.isclose(value, high, rel_tol=1e-9)
    if first != last:  # a text that goes on with the clock
        return isinstance(value, type(first) | type(last))
    return bool(value == first)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def listed(rows: Rows) -> list[tuple[str, str]]:
    """A variable's options (text, value) of its query's rows: columns __text and __value, or the only one for both."""
    if not rows.rows:
        return []
    names: Sequence[str] = rows.columns
    text = names.index("__text") if "__text" in names else 0
    value = names.index("__value") if "__value" in names else text
    return [(str(row[text]), str(row[value])) for row in rows.rows]
