"""One request to a page of a unit test, as a program or a browser sends it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any

from ecom_lite.dashboards import Page


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
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=10)
    try:
        connection.request(method, path, content, {**sent, **(headers or {})})
        answer = connection.getresponse()
        raw = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, json.loads(raw) if "json" in found.get("content-type", "") else raw.decode()
    finally:
        connection.close()
