"""Each command of docs/http.md, asked as it stands there, gets the status that stands under it."""

from __future__ import annotations

import http.client
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ecom_lite.dashboards import Page, http_docs
from ecom_lite.dashboards.home import Home
from ecom_lite.observe.figures import ControlAnswer
from ecom_lite.observe.status import PartStatus, RunStatus
from ecom_lite.observe.story import Telling
from ecom_lite.settings.override import ShopOverride
from ecom_lite.transform import Transform, model_names, require_known
from ecom_lite.warehouse.connect import Address
from tests.runs import wait_for

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "dbt_project"
COMMAND = re.compile(r"```sh\n(curl .+)\n```\n\nanswers (\d+)\n")
WELL = RunStatus(state="running", parts={"load": PartStatus(state="ready", ok=True)})
TIMEOUT_S = 120  # dbt is among them


@dataclass
class Request:
    """What curl would send."""

    url: str = ""
    method: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None


def parse(line: str, token: str) -> Request:
    """A documented command line, with the token in the place of $TOKEN."""
    words = iter(shlex.split(line.replace("$TOKEN", token))[1:])
    request = Request()
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            request.headers[name] = value
        elif word == "-d":
            request.body = next(words)
        elif word == "-X":
            request.method = next(words)
        elif word != "-s":
            assert not request.url and not word.startswith("-"), line
            request.url = word
    request.method = request.method or ("GET" if request.body is None else "POST")
    return request


def status_of(page: Page, request: Request) -> tuple[int, str]:
    parts = urlsplit(request.url)
    assert parts.netloc == "127.0.0.1:8100"
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=TIMEOUT_S)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(request.method, path, request.body, request.headers)
        answer = connection.getresponse()
        # A stream has no end: its first line will do.
        body = answer.readline() if answer.getheader("Content-Type", "").startswith("text/event-stream") else answer.read()
        return answer.status, body.decode()
    finally:
        connection.close()


class OfTheTest:
    """dbt on the test's warehouse."""

    def __init__(self, warehouse: Address, folder: Path) -> None:
        self._reader = warehouse.only("ecom_reader")
        self._transform = Transform(warehouse, PROJECT, folder, 2)

    def docs(self) -> Path:
        return self._transform.docs(self._reader)

    def require_known(self, select: Sequence[str]) -> None:
        require_known(select, model_names(PROJECT))

    def refresh(self, trigger: str, *, full_refresh: bool, select: Sequence[str], said: Callable[[str], None]) -> Any:
        return self._transform.run(trigger, full_refresh=full_refresh, select=select, said=said)


class Teller:
    """Stands where the run's fault story stands; tests/acceptance/test_story.py has a real one."""

    def __init__(self) -> None:
        self.killed: list[str] = []

    def begin(self, part: str) -> None:
        self.killed.append(part)

    def end(self) -> None: ...

    def telling(self) -> Telling:
        return Telling(state="telling" if self.killed else "none", parts=["load"])


@pytest.mark.timeout(3 * TIMEOUT_S)
def test_every_documented_command_is_answered_as_documented(warehouse: Address, tmp_path: Path) -> None:
    wishes: list[ShopOverride] = []

    def control(override: ShopOverride) -> ControlAnswer:
        wishes.append(override)
        return ControlAnswer(rate=50.0)

    commands = COMMAND.findall((ROOT / "docs" / "http.md").read_text("utf-8"))
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "load.log").write_text("2026-01-01T00:00:00.000 INFO    loading\n")
    teller = Teller()
    page = Page(
        warehouse, ROOT / "grafana" / "dashboards", "127.0.0.1", 0, lambda: WELL, control, OfTheTest(warehouse, tmp_path),
        home=Home(tmp_path, story=teller),
    )  # fmt: skip
    page.start()
    try:
        docs = Request(f"{http_docs.URL}/dbt/", "GET")
        wait_for(lambda: status_of(page, docs)[0] == 200, "dbt's docs, which are made when first asked for", TIMEOUT_S)
        for line, status in commands:
            request = parse(line, page.token)
            got, body = status_of(page, request)
            assert got == int(status), f"{line}\n{body}"
            if "Authorization" in request.headers:
                assert status_of(page, parse(line, "wrong"))[0] == 401, line
            if request.url.endswith("/api/refresh"):
                assert '"run"' in body.splitlines()[-1] and ('"selected"' if request.body else '"success"') in body, body
    finally:
        page.stop()
    assert wishes == [ShopOverride(), ShopOverride(rate=50.0, faults={"late": 0.05})]
    assert len(commands) >= 19 and teller.killed == ["load"]
