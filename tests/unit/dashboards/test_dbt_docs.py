"""The page of dbt's docs: made once when it is asked for, looked at again later, with a policy that lets nothing else run."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.dashboards import Page
from ecom_lite.dashboards.dbt_docs import LOOK_S, RETRY_S, DbtDocs, rendered
from ecom_lite.errors import TransformError
from ecom_lite.observe.status import RunStatus
from ecom_lite.warehouse.connect import Address
from tests.runs import DEADLINE_S, wait_for

BOARDS = Path(__file__).resolve().parents[3] / "grafana" / "dashboards"
NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {"ecom_reader": "none"})  # no query is asked here
ICON = """<link rel="shortcut icon" href="${require('./x.ico')}"/>"""
HTML = f'<!doctype html>{ICON}<script defer="defer">\nlet a = 1;</script><p>NAME</p>'


class Making:
    """Stands where dbt stands: makes a file when it is let."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = "first"
        self.times = 0
        self.failure = ""
        self.let = threading.Event()

    def docs(self) -> Path:
        assert self.let.wait(DEADLINE_S)
        self.times += 1
        if self.failure:
            raise TransformError(self.failure)
        path = self.folder / f"{self.name}.html"
        path.write_text(HTML.replace("NAME", self.name))
        return path

    def refresh(self, trigger: str, *, full_refresh: bool, select: Sequence[str], said: Callable[[str], None]) -> Any:
        raise AssertionError("not asked for here")

    def require_known(self, select: Sequence[str]) -> None: ...


@pytest.fixture
def making(tmp_path: Path) -> Making:
    return Making(tmp_path)


@pytest.fixture
def page(making: Making) -> Iterator[Page]:
    made = Page(NOWHERE, BOARDS, "127.0.0.1", 0, RunStatus, marts=making)
    made.start()
    yield made
    making.let.set()
    made.stop()


def get(page: Page, path: str = "/dbt/", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=DEADLINE_S)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_it_waits_on_a_page_that_asks_again_and_then_shows_the_docs(page: Page, making: Making) -> None:
    for _ in range(3):
        answer, body = get(page)
        assert answer.status == 503 and answer.headers["Retry-After"] == "1"
        assert b'http-equiv="refresh"' in body and b"is being made" in body and b"{{" not in body
    making.let.set()
    wait_for(lambda: get(page)[0].status == 200, "the docs")
    answer, body = get(page)
    assert making.times == 1 and b"<p>first</p>" in body and b"require(" not in body
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    script = base64.b64encode(hashlib.sha256(b"\nlet a = 1;").digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert f"script-src 'sha256-{script}';" in policy and "default-src 'none'" in policy and "connect-src" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY" and answer.headers["Referrer-Policy"] == "no-referrer"
    zipped, packed = get(page, Accept_Encoding="gzip")
    assert zipped.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed) == body
    same, nothing = get(page, If_None_Match=answer.headers["ETag"])
    assert (same.status, nothing) == (304, b"")
    assert get(page, "/dbt")[0].headers["Location"].endswith("/dbt/")


def test_what_keeps_it_from_being_made_is_on_the_page(page: Page, making: Making) -> None:
    making.failure = "dbt <cannot> read the project"
    making.let.set()
    wait_for(lambda: b"dbt &lt;cannot&gt; read the project" in get(page)[1], "why")
    assert get(page)[0].status == 503


def test_a_page_of_no_run_has_no_models() -> None:
    alone = Page(NOWHERE, BOARDS, "127.0.0.1", 0, RunStatus)
    alone.start()
    try:
        answer, body = get(alone)
    finally:
        alone.stop()
    assert answer.status == 404 and b"belongs to no run" in body


def test_it_is_looked_at_again_later_and_the_old_one_shown_meanwhile(making: Making) -> None:
    now = [100.0]
    docs = DbtDocs(making.docs, lambda: now[0])

    def shown() -> tuple[str, str]:
        found, failure = docs.page()
        return (gzip.decompress(found.gzipped).decode()[-12:] if found else ""), failure

    making.let.set()
    wait_for(lambda: "first" in shown()[0], "the first")
    making.name = "second"
    now[0] += LOOK_S - 1
    assert "first" in shown()[0] and making.times == 1
    now[0] += 1
    wait_for(lambda: "second" in shown()[0], "the second")
    making.failure = "no database"
    now[0] += LOOK_S
    wait_for(lambda: shown()[1] == "no database", "the failure")
    assert "second" in shown()[0] and making.times == 3, "the old one stays"
    making.failure, making.name = "", "third"
    now[0] += RETRY_S
    wait_for(lambda: "third" in shown()[0] and shown()[1] == "", "the third")


def test_a_page_without_scripts_may_run_none() -> None:
    assert "script-src 'none';" in rendered("<p>no script</p>", "x").policy
