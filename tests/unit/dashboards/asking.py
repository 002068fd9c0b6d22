"""One request to a page of a unit test, as a program or a browser sends it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ecom_lite.dashboards import Page

STREAM_S = 60  # without a byte


def ask(
    page: Page, path: str, method: str = "GET", body: Any = None, *, token: bool = False, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and answer (JSON where it is); a dict is sent as JSON, a text as a form; redirects are not followed."""
    sent = {"authorization": f"Bearer {page.token}"} if token else {}
    content = body
    if isinstance(body, dict):
        content, sent["content-type"] = json.dumps(body).encode(), "application/json"
    elif isinstance(body, str):
        sent["content-type"] = "application/x-www-form-urlencoded"
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    try:
        connection.request(method, path, content, {**sent, **(headers or {})})
        answer = connection.getresponse()
        raw = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, json.loads(raw) if "json" in found.get("content-type", "") else raw.decode()
    finally:
        connection.close()


class Stream:
    """A board's live stream, as it is read."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self._answer = answer

    def read_until(self, word: bytes) -> bytes:
        """All up to the line that has it."""
        found = b""
        while line := self._answer.readline():
            found += line
            if word in line:
                return found
        raise AssertionError(f"the stream ended before {word!r}: {found[-200:]!r}")

    def read_to_the_end(self) -> None:
        while self._answer.readline():
            pass


@contextmanager
def looking(page: Page, headers: Mapping[str, str] | None = None) -> Iterator[Stream]:
    """Opens the first board's stream."""
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=STREAM_S)
    try:
        connection.request("GET", "/api/boards/realtime-operations/live", headers=dict(headers or {}))
        answer = connection.getresponse()
        assert answer.status == http.client.OK, answer.read()
        yield Stream(answer)
    finally:
        connection.close()
