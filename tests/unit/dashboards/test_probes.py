"""What programs ask the page: /health, /ready, /metrics; and errors, which are JSON everywhere."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ecom_lite.dashboards import Page
from ecom_lite.observe.status import PartStatus, RunStatus
from ecom_lite.warehouse.connect import Address

BOARDS = Path(__file__).resolve().parents[3] / "grafana" / "dashboards"
NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {"ecom_reader": "none"})  # no query is asked here
WELL = RunStatus(state="running", facts=1, parts={"load": PartStatus(state="ready", ok=True)})


class Run:
    """Stands where a run stands: how it is now, and how it was when it was last written down."""

    def __init__(self) -> None:
        self.now = self.written = WELL


@pytest.fixture(scope="module")
def serving() -> Iterator[tuple[Page, Run]]:
    run = Run()
    page = Page(NOWHERE, BOARDS, "127.0.0.1", 0, lambda: run.now, written=lambda: run.written)
    page.start()
    yield page, run
    page.stop()


@pytest.fixture
def page(serving: tuple[Page, Run]) -> Page:
    return serving[0]


@pytest.fixture
def run(serving: tuple[Page, Run]) -> Run:
    serving[1].__init__()  # type: ignore[misc]
    return serving[1]


def ask(page: Page, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


def test_a_run_that_is_not_ready_still_has_health_and_says_why(page: Page, run: Run) -> None:
    status, _, body = ask(page, "/ready")
    assert (status, json.loads(body)) == (200, {"ready": True, "reasons": []})
    run.now = RunStatus(
        state="running",
        parts={"kafka": PartStatus(state="ready", ok=True), "load": PartStatus(state="ready", detail="silent for 7 s")},
    )
    status, headers, body = ask(page, "/ready")
    assert (status, headers["cache-control"]) == (503, "no-store")
    assert json.loads(body) == {"ready": False, "reasons": [{"part": "load", "detail": "silent for 7 s"}]}
    assert ask(page, "/health")[0] == 200
    run.now = RunStatus(state="starting")
    status, _, body = ask(page, "/ready")
    assert status == 503 and json.loads(body)["reasons"] == [{"part": "run", "detail": "starting"}]


def test_metrics_are_of_the_moment_that_status_shows(page: Page, run: Run) -> None:
    run.now, run.written = RunStatus(facts=9), RunStatus(facts=7)
    status, headers, text = ask(page, "/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    loaded = {sample.labels["outcome"]: sample.value for sample in families["ecom_lite_events_loaded"].samples}
    assert loaded["fact"] == 7


@pytest.mark.parametrize(
    ("path", "method", "host", "code", "words"),
    [
        ("/nothing", "GET", "", 404, "there is no /nothing"),
        ("/api/boards/none", "GET", "", 404, "no such board"),
        pytest.param(f"/api/boards/realtime-operations/panels/{'9' * 5000}", "GET", "", 404, "there is no /api/", id="digits"),
        # An id of a board that was made in Grafana.
        ("/api/boards/realtime-operations/panels/23763571993", "GET", "", 404, "board realtime-operations has no panel"),
        ("/api/boards/realtime-operations/panels/x", "GET", "", 404, "there is no /api/boards/realtime-operations/panels/x"),
        ("/metrics", "POST", "", 405, "/metrics takes GET and HEAD, not POST"),
        ("/api/control", "DELETE", "", 405, "/api/control takes GET and HEAD and POST, not DELETE"),
        ("/", "GET", "evil.example", 421, "this page answers only under its own address"),
    ],
)
def test_every_error_is_json_with_a_reason(page: Page, path: str, method: str, host: str, code: int, words: str) -> None:
    status, headers, body = ask(page, path, method, **({"Host": host} if host else {}))
    assert (status, headers["content-type"], headers["cache-control"]) == (code, "application/json", "no-store")
    assert json.loads(body)["error"].startswith(words)
    assert headers["x-content-type-options"] == "nosniff"
    assert (code == 405) == ("allow" in headers)
