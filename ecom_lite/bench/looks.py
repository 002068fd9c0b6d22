"""What a look at each board costs, as a browser asks for it: milliseconds of each panel, and the bytes that are loaded."""

from __future__ import annotations

import http.client
import json
import re
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin, urlsplit

from ..dashboards.timerange import parse_range
from ..errors import EcomLiteError

TIMEOUT_S: Final = 60.0
KILOBYTE: Final = 1_000
_NAMED: Final = {
    ".html": re.compile(r'(?:src|href)="(/static/[^"]+)"'),
    ".js": re.compile(r"""(?:from|import)\s*\(?\s*["'](\./[\w./-]+)["']"""),
    ".css": re.compile(r"""url\(["']?([\w./-]+\.\w+)["']?\)"""),
}


class Looked(NamedTuple):
    """Of one board: milliseconds of the middle look and of the slowest, of each panel the middle one, and the data's bytes."""

    board_ms: float
    worst_ms: float
    panels: Mapping[str, float]
    data_bytes: int


class Site:
    """The built-in page, over one connection. Raises EcomLiteError where it does not answer as it must."""

    def __init__(self, url: str) -> None:
        self.url = url
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_S)

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str) -> tuple[bytes, int]:
        """The content, and how many bytes came for it: gzipped where the page does that."""
        answer, sent = fetch(self._connection, path)
        if answer.status != http.client.OK:
            raise EcomLiteError(f"the page answered {path} with {answer.status} {answer.reason}: {sent[:200]!r}")
        return (_unzipped(sent) if answer.headers["Content-Encoding"] == "gzip" else sent), len(sent)

    def boards(self) -> list[dict[str, Any]]:
        return [json.loads(self.get(f"/api/boards/{each['uid']}")[0]) for each in json.loads(self.get("/api/boards")[0])]


def fetch(connection: http.client.HTTPConnection, path: str) -> tuple[http.client.HTTPResponse, bytes]:
    """An answer and its content. The page closes a connection that says nothing for some seconds: then on another one."""
    try:
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
    except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
        connection.close()
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
    return answer, answer.read()


def _unzipped(content: bytes) -> bytes:
    import gzip

    return gzip.decompress(content)


def panels_of(board: Mapping[str, Any], shut: bool = True) -> list[dict[str, Any]]:
    """Those that ask something; with `shut` also in rows that are, which a browser asks for when they are opened."""
    listed = [
        inner
        for panel in board["panels"]
        for inner in [panel, *(() if panel.get("collapsed") and not shut else panel.get("panels", ()))]
    ]
    return [panel for panel in listed if panel["hasData"]]


def look_at(site: Site, board: Mapping[str, Any], looks: int) -> Looked:
    """`looks` times at the board's own range, a refresh earlier each time, so that each panel is computed each time; one panel
    after the other. Raises EcomLiteError where one shows no data of this warehouse."""
    grain = board["refresh_ms"]
    now = parse_range(board["from"], board["to"], datetime.now(UTC))
    span = now.end_ms - now.start_ms
    found, sizes = [], []
    for turn in range(looks):
        end = now.end_ms // grain * grain - turn * grain
        one, size = {}, 0
        for panel in panels_of(board):
            asked = f"/api/boards/{board['uid']}/panels/{panel['id']}?from={end - span}&to={end}"
            content, came = site.get(asked)
            answer = json.loads(content)
            if answer["state"] not in ("ok", "empty"):
                raise EcomLiteError(f"{board['title']}, {panel['title']}: {answer['message']}")
            one[f"{panel['id']} {panel['title']}"] = float(answer["took_ms"])
            size += came
        found.append(one)
        sizes.append(size)
    totals = [sum(one.values()) for one in found]
    return Looked(median(totals), max(totals), {name: median(one[name] for one in found) for name in found[0]}, max(sizes))


def page_bytes(site: Site, path: str) -> int:
    """Of the page at `path` and all that it names: scripts, what these import, styles, pictures; no data."""
    waiting, sizes = deque([path]), dict[str, int]()
    while waiting:
        if (at := waiting.popleft()) in sizes:
            continue
        content, sizes[at] = site.get(at)
        pattern = _NAMED.get(at[at.rfind(".") :] if at.startswith("/static/") else ".html")
        for named in pattern.findall(content.decode("utf-8", "replace")) if pattern else ():
            waiting.append(urljoin(at, named))
    return sum(sizes.values())
