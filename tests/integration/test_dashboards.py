"""Every panel's SQL on a migrated database: empty, sold from, and with marts; and the page over real HTTP."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.contract.events import utc_now
from ecom_lite.dashboards import Page, load_boards
from ecom_lite.dashboards.board import Board
from ecom_lite.dashboards.queries import Queries
from ecom_lite.dashboards.timerange import parse_range, step_ms
from ecom_lite.errors import PortTaken
from ecom_lite.observe.status import RunStatus
from ecom_lite.warehouse.connect import Address
from tests.browser.seed import build_marts, nothing_now, seed_more, seed_warehouse
from tests.runs import DEADLINE_S, wait_for

from .facts import settle

BOARDS = Path(__file__).resolve().parents[2] / "grafana" / "dashboards"
EMPTY = {"explorer": {"The customer", "Returns by reason"}}  # nobody is picked, and the seeded shop has no returns
STATUS = RunStatus(state="running", facts=3, lag=2)


@pytest.fixture
def queries(warehouse: Address) -> Iterator[Queries]:
    made = Queries(warehouse, wait_s=DEADLINE_S)
    made.open()
    yield made
    made.close()
    made.close()


def _states(queries: Queries, board: Board, start: str | None = None) -> dict[str, str]:
    answers = {
        panel.title: queries.panel(board, panel, start or board.start, board.end) for panel in board.panels if panel.queries
    }
    return {title: f"{answer.state} {answer.message}".strip() for title, answer in answers.items()}


def test_an_empty_warehouse_is_no_error(queries: Queries) -> None:
    boards = load_boards(BOARDS)
    live = _states(queries, boards["realtime-operations"])
    assert {live[title] for title in ("Total revenue", "Total orders", "Average order value")} == {"ok"}
    assert {state.split()[0] for state in live.values()} == {"ok", "empty"}
    marts = _states(queries, boards["business-intelligence"])
    assert {state for title, state in marts.items() if title != "Age of these figures"} == {
        "waiting Waiting for the first dbt run"
    }


def test_every_panel_has_data(warehouse: Address, queries: Queries, tmp_path: Path) -> None:
    seed_warehouse(warehouse, lines=4_000, days=20, users=150)
    seed_more(warehouse)
    build_marts(warehouse, tmp_path)
    with warehouse.connect("admin") as admin:  # dbt may have taken so long that the restart is no longer in a board's half hour
        admin.execute("UPDATE ops.service_events SET at = at + interval '15 minutes'")
    for board in load_boards(BOARDS).values():
        for start in (board.start, "now-7d", "now-90d", "all"):
            nothing = nothing_now(warehouse)
            states = _states(queries, board, start)
            allowed = EMPTY.get(board.uid, set()) | nothing | nothing_now(warehouse)
            assert set(states) >= EMPTY.get(board.uid, set())
            assert {title: state for title, state in states.items() if state != "ok" and title not in allowed} == {}, start


def test_the_figures_are_the_warehouse_s(warehouse: Address, queries: Queries, tmp_path: Path) -> None:
    seed_warehouse(warehouse, lines=3_000, days=10, users=100)
    with warehouse.connect("ecom_loader") as loader:  # a line that came back: revenue stays, what a customer is worth does not
        found = loader.execute(
            "INSERT INTO warehouse.fact_returns (order_id, product_id, kind, quantity, reason, returned_at, source_partition, "
            "source_offset, load_xid) SELECT order_id, product_id, 'order_returned', quantity, '', ordered_at, 0, 0, "
            "ops.load_order() FROM warehouse.fact_sales JOIN warehouse.dim_product USING (product_key) "
            "WHERE revenue > 0 ORDER BY source_offset LIMIT 1 RETURNING order_id, product_id"
        )
        order = found.fetchone()
        (returned,) = loader.execute(
            "SELECT revenue FROM warehouse.fact_sales JOIN warehouse.dim_product USING (product_key) "
            "WHERE (order_id, product_id) = (%s, %s)", order
        ).fetchone() or (0,)  # fmt: skip
    settle(warehouse)
    build_marts(warehouse, tmp_path)
    boards = load_boards(BOARDS)

    def rows(uid: str, title: str) -> list[list[Any]]:
        board = boards[uid]
        panel = next(panel for panel in board.panels if panel.title == title)
        return queries.panel(board, panel, "all", "now").frames[0].rows

    with warehouse.connect("ecom_reader") as reader:
        found = reader.execute(
            "SELECT sum(revenue), count(DISTINCT order_id), count(DISTINCT user_key) FROM warehouse.fact_sales"
        )
        revenue, orders, customers = found.fetchone() or (0, 0, 0)
    assert rows("realtime-operations", "Total revenue") == [[float(revenue)]]
    assert rows("realtime-operations", "Total orders") == [[orders]]
    assert rows("realtime-operations", "Average order value") == [[pytest.approx(float(revenue) / orders, abs=0.01)]]
    assert sum(row[1] for row in rows("realtime-operations", "Revenue by category")) == pytest.approx(float(revenue))
    products = rows("realtime-operations", "Top 10 products by revenue")
    assert len(products) == 10 and [row[1] for row in products] == sorted((row[1] for row in products), reverse=True)
    assert len(rows("realtime-operations", "Top 5 customers")) == 5
    assert rows("business-intelligence", "Customers") == [[customers]]
    channels = rows("business-intelligence", "Sales by attribute")
    assert sorted(row[1] for row in channels) == ["(none)", "app", "store", "web"]
    assert (sum(row[4] for row in channels), sum(row[5] for row in channels)) == (pytest.approx(float(revenue)), pytest.approx(1))
    assert sum(row[1] for row in rows("business-intelligence", "Daily trend")) == pytest.approx(float(revenue))
    assert sum(row[1] for row in rows("business-intelligence", "Revenue by segment")) == pytest.approx(float(revenue))
    assert rows("business-intelligence", "Average lifetime value") == [
        [pytest.approx(float(revenue - returned) / customers, abs=0.01)]
    ]
    shares = rows("business-intelligence", "Category comparison")
    assert [sum(row[index] for row in shares) for index in (1, 2, 3)] == [pytest.approx(1)] * 3


def test_minutes_keep_their_sum_at_any_step(warehouse: Address, queries: Queries) -> None:
    seed_warehouse(warehouse, lines=2_000, days=3, users=50)
    board = load_boards(BOARDS)["realtime-operations"]
    panel = next(panel for panel in board.panels if panel.title == "Revenue per minute by category")
    with warehouse.connect("ecom_reader") as reader:
        total = float((reader.execute("SELECT sum(revenue) FROM realtime.sales_per_minute").fetchone() or [0])[0])
    for start in ("now-7d", "now-90d"):
        rows = queries.panel(board, panel, start, "now").frames[0].rows
        # Not the smallest gap between the rows: a step of half a day may find nothing sold in any night.
        minutes = step_ms(parse_range(start, "now", utc_now()), panel.points, panel.least_step_ms) / 60_000
        assert all((b[0] - a[0]) % (minutes * 60_000) == 0 for a, b in itertools.pairwise(rows))
        assert sum(value or 0 for row in rows for value in row[1:]) * minutes == pytest.approx(total)


def test_a_series_of_many_points_has_the_newest(queries: Queries) -> None:
    """As one point a run of dbt over five weeks, or a line for each of 64 partitions."""
    board = load_boards(BOARDS)["realtime-operations"]
    panel = next(panel for panel in board.panels if panel.type == "timeseries")
    sql = "SELECT to_timestamp(n) AS time, n AS value FROM generate_series(1, {points}) AS n ORDER BY 1"
    for points in (12_000, 30_000):
        many = replace(panel, queries=(replace(panel.queries[0], raw_sql=sql.format(points=points)),))
        frame = queries.panel(board, many, board.start, board.end).frames[0]
        assert (len(frame.rows), frame.cut) == ((12_000, False) if points == 12_000 else (20_000, True))


def test_a_panel_cannot_write(queries: Queries) -> None:
    board = load_boards(BOARDS)["realtime-operations"]
    panel = board.panels[0]
    writing = replace(panel, queries=(replace(panel.queries[0], raw_sql="CREATE TABLE warehouse.mine ()"),))
    answer = queries.panel(board, writing, board.start, board.end)
    assert answer.state == "error" and "read-only" in answer.message


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is fresh for longer than a busy machine stands still between two who ask."""
    for name, value in (("FRESH_SHARE", 100.0), ("FRESH_MOST_S", DEADLINE_S), ("RETRY_S", DEADLINE_S)):
        monkeypatch.setattr(f"ecom_lite.dashboards.queries.{name}", value)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the page that is made next: a panel waits a minute for a connection, and its query as long for a lock."""
    monkeypatch.setattr("ecom_lite.dashboards.page.Queries", partial(Queries, wait_s=DEADLINE_S))
    monkeypatch.setattr("ecom_lite.dashboards.queries.STATEMENT_TIMEOUT_S", round(DEADLINE_S))


@pytest.fixture
def page(warehouse: Address) -> Iterator[Page]:
    made = Page(warehouse, BOARDS, "127.0.0.1", 0, lambda: STATUS)
    made.stop()
    made.start()
    yield made
    made.stop()
    made.stop()
    wait_for(lambda: not made.alive, "its end, which may take longer than `stop` waits for it")


def _get(page: Page, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def _code_soon(page: Page, path: str) -> int:
    """Within less than a panel waits for a connection (`waiting`)."""
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=DEADLINE_S / 2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_routes(page: Page) -> None:
    assert page.alive and page.url == f"http://127.0.0.1:{page.port}/"
    status, headers, _ = _get(page, "/")
    assert status == 200 and headers["content-type"].startswith("text/html")
    assert _get(page, "/d/business-intelligence")[0] == 200
    assert _get(page, "/d/nothing")[1]["location"] == "/"
    boards = load_boards(BOARDS)
    assert [board["uid"] for board in json.loads(_get(page, "/api/boards")[2])] == list(boards)
    for uid, board in boards.items():
        shown = _get(page, f"/api/boards/{uid}")[2]
        at_the_top = [panel.id for panel in board.panels if panel.row is None]
        assert b"SELECT" not in shown and [panel["id"] for panel in json.loads(shown)["panels"]] == at_the_top
    panel = json.loads(_get(page, "/api/boards/realtime-operations/panels/1?from=now-5m&to=now")[2])
    assert panel["state"] == "ok" and panel["frames"][0]["rows"] == [[0]]
    assert json.loads(_get(page, "/api/status")[2])["lag"] == STATUS.lag
    for path, code in {
        "/api/boards/nothing": 404,
        "/api/boards/nothing/panels/1": 404,
        "/api/boards/realtime-operations/panels/99": 404,
        "/api/boards/realtime-operations/panels/1?from=soon": 400,
        "/static/x/nothing.js": 404,
        "/static/x/..%2Fpage.py": 404,
    }.items():
        assert _get(page, path)[0] == code, path


def test_headers_and_compression(page: Page) -> None:
    status, headers, body = _get(page, "/d/realtime-operations")
    assert status == 200 and "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    script = next(part for part in body.decode().split('"') if part.endswith("app.js"))
    _, headers, packed = _get(page, script, **{"Accept-Encoding": "gzip"})
    assert headers["content-encoding"] == "gzip" and "immutable" in headers["cache-control"]
    _, headers, plain = _get(page, script)
    assert "content-encoding" not in headers and len(plain) > 2 * len(packed)


def test_another_host_name_is_refused(page: Page) -> None:
    assert _get(page, "/api/boards", Host="evil.example")[0] == 421
    assert _get(page, "/api/boards", Host=f"localhost:{page.port}")[0] == 200


def test_a_taken_port_and_a_restart(page: Page, warehouse: Address) -> None:
    with pytest.raises(PortTaken, match=str(page.port)):
        Page(warehouse, BOARDS, "127.0.0.1", page.port, RunStatus).start()
    port = page.port
    page.stop()
    page.start()
    assert page.port == port and _get(page, "/health")[0] == 200


def test_many_browsers_cost_one_query(page: Page, kept: None) -> None:
    path = "/api/boards/realtime-operations/panels/2?from=now-1h&to=now"
    bodies: list[bytes] = []
    threads = [threading.Thread(target=lambda: bodies.append(_get(page, path)[2])) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert len(bodies) == 10 and len({json.loads(body)["at"] for body in bodies}) == 1


PANEL = "/api/boards/realtime-operations/panels/{}?from={}&to=now"
OWN = "http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "same-site"},  # another port of this machine
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Referer": "https://evil.example/page"},
        {"Referer": "http://127.0.0.1:{port}.evil.example/"},
    ],
)
def test_another_site_gets_nothing_under_api_and_costs_the_database_nothing(
    page: Page, warehouse: Address, headers: dict[str, str]
) -> None:
    sent = {name: value.format(port=page.port) for name, value in headers.items()}
    with warehouse.connect("admin", autocommit=True) as admin, admin.transaction():
        admin.execute("LOCK TABLE warehouse.fact_sales IN ACCESS EXCLUSIVE MODE")  # a query would wait
        for path in ("/api/boards", "/api/boards/realtime-operations", PANEL.format(1, 1), "/api/status"):
            status, _, body = _get(page, path, **sent)
            assert status == 403 and "not for other sites" in json.loads(body)["error"], path
        found = admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' "
            "AND query LIKE '%fact_sales%' AND pid <> pg_backend_pid()"
        )
        assert found.fetchone() == (0,)


def test_the_page_itself_and_programs_are_answered(page: Page) -> None:
    own = OWN.format(port=page.port)
    for headers in (
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": own, "Referer": f"{own}/d/realtime-operations"},
        {"Sec-Fetch-Site": "none"},
    ):
        assert _get(page, PANEL.format(1, "now-1h"), **headers)[0] == 200, headers
    assert _get(page, "/d/realtime-operations", **{"Sec-Fetch-Site": "cross-site"})[0] == 200, "a link leads here"


def test_while_panels_wait_for_the_database_all_else_is_answered_and_more_panels_are_told_busy(
    waiting: None, page: Page, warehouse: Address
) -> None:
    asked: list[tuple[int, dict[str, str], bytes]] = []

    def ask(number: int) -> None:
        asked.append(_get(page, PANEL.format(1 + number % 12, f"now-{100 + number}m")))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(60)]
    with warehouse.connect("admin") as admin:
        admin.execute("LOCK TABLE warehouse.fact_sales, warehouse.dim_date IN ACCESS EXCLUSIVE MODE")
        for thread in threads:
            thread.start()
        wait_for(lambda: len(asked) >= 60 - 16, "those beyond what one address may have are told at once")
        for path in ("/ready", "/health", "/metrics", "/api/status", "/static/x/app.js", "/d/realtime-operations", "/api/boards"):
            assert _code_soon(page, path) == 200, path
        unlocked = [code for code, _, _ in asked].count(200)  # a panel that needs neither table gives its place to another
    for thread in threads:
        thread.join(DEADLINE_S)
    codes = Counter(code for code, _, _ in asked)
    assert codes[503] >= 60 - 16 - unlocked and codes[200] + codes[503] == 60 and codes[200] >= 3, codes
    for code, headers, body in asked:
        if code == 503:
            assert headers["retry-after"] == "2" and json.loads(body)["error"].startswith("busy: "), body
    assert _get(page, PANEL.format(1, "now-1h"))[0] == 200


def test_bounds_within_one_refresh_are_one_query(page: Page, kept: None) -> None:
    first = 1_700_000_000_000
    bodies = [
        _get(page, f"/api/boards/realtime-operations/panels/2?from={first + n}&to={first + 60_000 - n}")[2] for n in (0, 1, 4_999)
    ]
    seconds = [_get(page, PANEL.format(2, start))[2] for start in ("now-2h", "now-120m", "now-7200s")]
    assert len({json.loads(body)["at"] for body in bodies}) == 1
    assert [(found["from"], found["to"]) for found in map(json.loads, bodies)] == [(first, first + 60_000)] * 3
    assert len({json.loads(body)["at"] for body in seconds}) == 1


def test_who_comes_anew_to_a_board_of_a_minute_sees_panels_of_one_moment(warehouse: Address) -> None:
    seconds = [0.0]
    board = replace(load_boards(BOARDS)["realtime-operations"], refresh_ms=60_000)
    queries = Queries(warehouse, clock=lambda: seconds[0], wait_s=DEADLINE_S)
    queries.open()
    try:
        panel = board.panel(2)
        first = queries.panel(board, panel, "now-24h", "now")
        seconds[0] = 3.0
        assert queries.panel(board, panel, "now-24h", "now").at == first.at, "once for all who ask at about the same time"
        seconds[0] = 20.0
        assert queries.panel(board, panel, "now-24h", "now").at > first.at, "not 20 seconds older than its neighbour"
    finally:
        queries.close()


def test_a_lost_database_is_said_in_one_line(warehouse: Address) -> None:
    board = load_boards(BOARDS)["realtime-operations"]
    broken = Queries(Address("127.0.0.1", 1, "none", "postgres", "", warehouse.passwords), wait_s=0.5)
    broken.open()
    try:
        answer = broken.panel(board, board.panel(1), "now-5m", "now")
    finally:
        broken.close()
    assert (answer.state, answer.message) == ("error", "The database cannot be reached")
