"""A board as server-sent events over real HTTP: what comes, that viewers share one question, and that every end is clean."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.dashboards import Page, load_boards
from ecom_lite.observe.status import RunStatus
from ecom_lite.warehouse.connect import Address
from tests.browser.seed import seed_warehouse
from tests.runs import wait_for

BOARDS = Path(__file__).resolve().parents[2] / "grafana" / "dashboards"
BOARD = load_boards(BOARDS)["realtime-operations"]
TIMEOUT_S = 60
QUESTION_S = 60  # that a question may take here: what ends far sooner did not wait for it, also on a machine that stands still
LIVE = "/api/boards/realtime-operations/live"


class Run:
    """What the page is told of the run."""

    def __init__(self) -> None:
        self.now = RunStatus(state="running", lag=2)

    def status(self) -> RunStatus:
        return self.now


@pytest.fixture(autouse=True)
def _questions_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecom_lite.dashboards.queries.STATEMENT_TIMEOUT_S", QUESTION_S)


@pytest.fixture
def run() -> Run:
    return Run()


@pytest.fixture
def page(warehouse: Address, run: Run) -> Iterator[Page]:
    made = Page(warehouse, BOARDS, "127.0.0.1", 0, run.status)
    made.start()
    yield made
    made.stop()
    wait_for(lambda: not made.alive, "its end, which may take longer than `stop` waits for it")


@contextmanager
def looking(page: Page, path: str = LIVE) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        yield answer
    finally:
        connection.close()


def events(answer: http.client.HTTPResponse) -> Iterator[tuple[str, Any]]:
    name = ""
    while line := answer.readline():
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def until(stream: Iterator[tuple[str, Any]], wanted: str) -> list[tuple[str, Any]]:
    """All events up to the next one of that name."""
    found = []
    for event in stream:
        found.append(event)
        if event[0] == wanted:
            return found
    raise AssertionError(f"the stream ended before {wanted}: {[name for name, _ in found]}")


def panels(found: list[tuple[str, Any]]) -> dict[int, Any]:
    return {data["id"]: data for name, data in found if name == "panel"}


def test_all_panels_come_and_then_only_what_has_changed(page: Page, run: Run, warehouse: Address) -> None:
    seed_warehouse(warehouse, lines=500, days=2, users=20)
    with looking(page) as answer:
        assert answer.getheader("Content-Type", "").startswith("text/event-stream")
        assert answer.getheader("Cache-Control") == "no-store"
        stream = events(answer)
        first = until(stream, "status") + until(stream, "tick")
        assert sorted(panels(first)) == sorted(panel.id for panel in BOARD.panels if panel.queries)
        assert {data["state"] for data in panels(first).values()} <= {"ok", "empty"}
        assert [data["lag"] for name, data in first if name == "status"] == [2]
        with warehouse.connect("ecom_loader") as loader:
            loader.execute("UPDATE warehouse.dim_user SET name = 'Somebody else'")
            loader.execute("INSERT INTO warehouse.dim_category (category) VALUES ('Another')")
        run.now = RunStatus(state="running", lag=3)
        later = until(stream, "status") + until(stream, "tick")  # each in its own time
        assert [data["lag"] for name, data in later if name == "status"] == [3]
        still = {panel.id for panel in BOARD.panels if panel.title in ("Total revenue", "Total orders", "Revenue by category")}
        assert len(still) == 3 and not still & panels(later).keys(), "these show what they have shown"


def test_who_shows_some_panels_is_told_these(page: Page) -> None:
    some = [panel.id for panel in BOARD.panels if panel.queries][1:3]
    path = f"{LIVE}?from=now-3h&to=now&refresh=1h&panels="
    with looking(page, f"{path}{some[0]}") as one, looking(page, f"{path}{some[0]},{some[1]}") as both:
        found = [panels(until(events(answer), "tick")) for answer in (one, both)]
    assert [sorted(each) for each in found] == [some[:1], sorted(some)]
    assert found[0][some[0]] == found[1][some[0]], "one question serves both"


def test_who_see_the_same_are_told_the_same_by_one_question(page: Page) -> None:
    path = f"{LIVE}?from=now-2h&to=now&refresh=1h"
    other = f"{LIVE}?from=now-120m&to=now&refresh=60m"
    with looking(page, path) as one, looking(page, other) as two, looking(page, path) as three:
        found = [panels(until(events(answer), "tick")) for answer in (one, two, three)]
    assert found[0] == found[1] == found[2] != {}, "the moment and the milliseconds of each answer are the same, too"


def test_all_who_come_back_at_once_are_let_in(page: Page) -> None:
    """As after a restart: a browser whose EventSource was refused does not try again."""
    codes: list[int] = []

    def come(number: int) -> None:
        with looking(page, f"{LIVE}?from=now-{1 + number % 4}h") as answer:
            until(events(answer), "tick")
            codes.append(answer.status)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert codes == [200] * 50


def test_a_wrong_view_is_refused_and_head_has_no_stream(page: Page) -> None:
    for method, path, code in (
        ("GET", f"{LIVE}?from=soon", 400),
        ("GET", f"{LIVE}?compare=x", 400),
        ("GET", f"{LIVE}?refresh=x", 400),
        ("GET", f"{LIVE}?panels=1000", 400),
        ("GET", "/api/boards/nothing/live", 404),
        ("HEAD", LIVE, 200),
    ):
        connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=TIMEOUT_S)
        connection.request(method, path)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        assert answer.status == code, path


def test_beyond_the_limit_of_an_address_a_viewer_is_told_to_come_again(page: Page) -> None:
    before = threading.active_count()
    connections = [http.client.HTTPConnection("127.0.0.1", page.port, timeout=TIMEOUT_S) for _ in range(70)]
    codes = []
    for connection in connections:
        connection.request("GET", LIVE)
        answer = connection.getresponse()
        codes.append(answer.status)
        if answer.status == 503:
            assert answer.getheader("Retry-After") == "2" and "live views open" in json.loads(answer.read())["error"]
    assert (codes.count(200), codes.count(503)) == (64, 6)
    assert threading.active_count() - before < 16, "no thread per viewer"
    for connection in connections:
        connection.close()

    wait_for(lambda: _code(page) == 200, "the places of those who have gone are free")


def _code(page: Page) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", LIVE)
        return connection.getresponse().status
    finally:
        connection.close()


def stop_at_once(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its deadline ended it, which is late here, nor that of a question."""
    monkeypatch.setattr("ecom_lite.dashboards.page.STOP_S", TIMEOUT_S)
    began = time.monotonic()
    page.stop()
    assert time.monotonic() - began < 0.8 * QUESTION_S and not page.alive


def test_a_stop_ends_streams_at_once_also_one_that_nobody_reads_or_whose_question_hangs(
    page: Page, warehouse: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[float] = []

    def read(answer: http.client.HTTPResponse) -> None:
        for _ in events(answer):
            pass
        ended.append(time.monotonic())

    with (
        warehouse.connect("admin") as admin,
        looking(page) as one,
        looking(page) as unread,
        looking(page, f"{LIVE}?from=all") as two,
    ):
        until(events(one), "tick")
        until(events(two), "tick")
        admin.execute("LOCK TABLE warehouse.fact_sales, warehouse.dim_date IN ACCESS EXCLUSIVE MODE")
        readers = [threading.Thread(target=read, args=(answer,)) for answer in (one, two)]
        for reader in readers:
            reader.start()
        hanging = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE '%dashboards%'"
        with warehouse.connect("admin", autocommit=True) as watcher:
            wait_for(lambda: (watcher.execute(hanging).fetchone() or (0,))[0] > 0, "a panel waits for the lock")
        stop_at_once(page, monkeypatch)
        for reader in readers:
            reader.join(TIMEOUT_S)
        assert len(ended) == 2 and unread.status == 200 and not page.alive
        admin.rollback()
    page.start()
    with looking(page) as again:
        assert panels(until(events(again), "tick"))


def test_a_slow_viewer_hinders_nobody(warehouse: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A board of one large panel that changes each second: who does not read is behind by what the sockets hold, no more."""
    document = json.loads(BOARD.source.read_text("utf-8"))
    panel = document["panels"][0]
    panel["targets"][0]["rawSql"] = "SELECT repeat(clock_timestamp()::text, 40) FROM generate_series(1, 1000)"
    (tmp_path / "board.json").write_text(json.dumps({**document, "refresh": "1s", "panels": [panel]}), "utf-8")
    page = Page(warehouse, tmp_path, "127.0.0.1", 0, RunStatus)
    page.start()
    try:
        with looking(page), looking(page) as reading:  # the first is never read
            stream = events(reading)
            for _ in range(6):  # not one with each tick: an answer that took long is kept for longer
                until(stream, "panel")
    finally:
        stop_at_once(page, monkeypatch)
