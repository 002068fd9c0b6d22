"""What panels of the boards show, held against plain SQL over the facts: with and without a choice, and by the shop's clock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ecom_lite.dashboards import load_boards
from ecom_lite.dashboards.board import Board, Panel
from ecom_lite.dashboards.frames import Frame
from ecom_lite.dashboards.queries import Queries
from ecom_lite.dashboards.values import Chosen
from ecom_lite.warehouse.connect import Address
from tests.browser.seed import build_marts, seed_more, seed_warehouse
from tests.runs import DEADLINE_S, wait_for

from .facts import rows

BOARDS = Path(__file__).resolve().parents[2] / "grafana" / "dashboards"
LIVE, MARTS = "realtime-operations", "business-intelligence"
SALES = (
    "FROM warehouse.fact_sales JOIN warehouse.dim_category c USING (category_key) JOIN warehouse.dim_user u USING (user_key) "
    "JOIN warehouse.dim_product p USING (product_key)"
)


@pytest.fixture
def shop(warehouse: Address, tmp_path: Path) -> Address:
    seed_warehouse(warehouse, lines=4_000, days=60, users=150)
    seed_more(warehouse)
    build_marts(warehouse, tmp_path)
    return warehouse


@pytest.fixture
def queries(shop: Address) -> Iterator[Queries]:
    made = Queries(shop, wait_s=DEADLINE_S)
    made.open()
    yield made
    made.close()


def figures(panels: Sequence[Panel]) -> list[Panel]:
    return [panel for panel in panels if panel.queries]


def frame(queries: Queries, board: Board, title: str, chosen: Chosen | None = None, start: str = "now-90d") -> Frame:
    panel = next(panel for panel in board.panels if panel.title == title)
    answer = queries.panel(board, panel, start, "now", chosen or {})
    assert answer.state in ("ok", "empty"), (title, answer.message)
    return answer.frames[0]


def test_every_number_has_a_unit_and_decimals(queries: Queries) -> None:
    bare = []
    for board in load_boards(BOARDS).values():
        for panel in figures(board.panels):
            for each in queries.panel(board, panel, "now-90d", "now").frames:
                for column in each.columns:
                    settings = _settings(panel, column.name)
                    if column.kind != "number" or column.name == "time" or settings.get("custom.hidden"):
                        continue
                    if settings.get("unit") in (None, "string") or settings.get("decimals") is None:
                        bare.append(f"{board.uid}, {panel.title}: {column.name}")
    assert not bare


def _settings(panel: Panel, name: str) -> dict[str, Any]:
    found = dict(panel.field_config.get("defaults", {}))
    for override in panel.field_config.get("overrides", ()):
        kind, pattern = override["matcher"]["id"], override["matcher"]["options"]
        if (kind == "byName" and pattern == name) or (kind == "byRegexp" and re.search(pattern.strip("/"), name)):
            found |= {item["id"]: item["value"] for item in override["properties"]}
    return found


def test_every_override_names_a_column_that_is_there(queries: Queries) -> None:
    stray = []
    for board in load_boards(BOARDS).values():
        for panel in figures(board.panels):
            names = {column.name for each in queries.panel(board, panel, "now-90d", "now").frames for column in each.columns}
            for override in panel.field_config.get("overrides", ()):
                if override["matcher"]["id"] == "byName" and override["matcher"]["options"] not in names and _wide(panel):
                    stray.append(f"{board.uid}, {panel.title}: {override['matcher']['options']} is none of {sorted(names)}")
    assert not stray


def _wide(panel: Panel) -> bool:
    """Whether its columns are those of the query, and not values of one."""
    return panel.type in ("table", "stat", "gauge")


@pytest.mark.parametrize("chosen", [{"category": ("Electronics",)}, {"country": ("Norway", "Italy")}])
def test_no_choice_breaks_a_panel(queries: Queries, chosen: Chosen) -> None:
    for board in load_boards(BOARDS).values():
        if not {"category", "country"} <= {variable.name for variable in board.variables}:
            continue
        for panel in figures(board.panels):
            answer = queries.panel(board, panel, board.start, board.end, chosen)
            assert answer.state in ("ok", "empty"), (board.uid, panel.title, answer.message)


def test_orders_and_returns_by_minute_are_the_facts_and_movers_add_up(shop: Address, queries: Queries) -> None:
    board = load_boards(BOARDS)[LIVE]

    def total(title: str) -> float:
        answer = queries.panel(board, next(panel for panel in board.panels if panel.title == title), "now-90d", "now")
        values = (value for row in answer.frames[0].rows for value in row[1:] if value is not None)
        return float(sum(values) * answer.step_ms / 60_000)

    ((orders, returned),) = rows(
        shop, "SELECT (SELECT count(DISTINCT order_id) FROM warehouse.fact_sales), (SELECT count(*) FROM warehouse.fact_returns)"
    )
    assert orders > 100 and total("Orders by minute") == pytest.approx(orders)
    assert returned > 10 and total("Returns by minute") == pytest.approx(returned)
    movers = "SELECT kind, sum(revenue), sum(before) FROM realtime.movers GROUP BY kind ORDER BY kind"
    moved = rows(shop, movers)
    closed = (
        "SELECT date_trunc('minute', watermark) AS until, "
        "date_trunc('hour', date_trunc('minute', watermark) - interval '1 minute') AS begins FROM realtime.rolled"
    )
    sold = (
        f"SELECT EXISTS (SELECT FROM warehouse.fact_sales, ({closed}) AS c WHERE ordered_at >= c.begins AND ordered_at < c.until "
        "OR ordered_at + interval '1 hour' >= c.begins AND ordered_at + interval '1 hour' < c.until)"
    )
    # In the first minutes of an hour nothing may have been sold yet, nor in those of the hour before: then nothing has moved.
    kinds = ["category", "country"] if rows(shop, sold, "admin") == [(True,)] else []
    assert [kind for kind, _, _ in moved] == kinds and len({(revenue, before) for _, revenue, before in moved}) <= 1
    shown = frame(queries, board, "This hour and the one before", {"category": ("Books",), "country": ("Spain",)})
    assert {row[0] for row in shown.rows} <= {"Books", "Spain"}


@pytest.mark.parametrize(
    "chosen",
    [{}, {"category": ("Electronics",)}, {"country": ("Norway", "Italy")}, {"category": ("Books",), "country": ("Spain",)}],
)
def test_the_day_so_far_is_the_facts_of_today(shop: Address, queries: Queries, chosen: Chosen) -> None:
    board = load_boards(BOARDS)[LIVE]
    last_minute = "SELECT now() > date_trunc('day', now(), 'UTC') + interval '23 hours 59 minutes'"
    wait_for(lambda: rows(shop, last_minute) == [(False,)], "a day that does not end between two questions", 2 * DEADLINE_S)
    where = " AND ".join(
        f"{column} IN ({', '.join(repr(value) for value in chosen[name])})"
        for name, column in (("category", "c.category"), ("country", "u.country")) if name in chosen
    ) or "true"  # fmt: skip
    today = "ordered_at >= date_trunc('day', now(), 'UTC')"
    ((revenue, orders),) = rows(
        shop, f"SELECT coalesce(sum(revenue), 0), count(DISTINCT order_id) {SALES} WHERE {today} AND {where}"
    )
    assert frame(queries, board, "Revenue today", chosen).rows[0][0] == pytest.approx(float(revenue))
    assert frame(queries, board, "Orders today", chosen).rows[0][0] == orders
    by_country = rows(
        shop, f"SELECT u.country, sum(revenue) {SALES} WHERE {today} AND {where} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 8"
    )
    shown = [row[:2] for row in frame(queries, board, "Today by country", chosen).rows if row[1]]
    assert shown == [[country, pytest.approx(float(amount))] for country, amount in by_country]


def test_the_curve_of_chosen_countries_is_the_facts_and_a_still_shop_is_zero(shop: Address, queries: Queries) -> None:
    board = load_boards(BOARDS)[LIVE]
    title = "Revenue per minute by category"
    begin = (datetime.now(UTC) - timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    start, end = int(begin.timestamp() * 1000), int((begin + timedelta(days=1)).timestamp() * 1000)
    panel = next(panel for panel in board.panels if panel.title == title)
    ((revenue,),) = rows(
        shop,
        f"SELECT sum(revenue) {SALES} WHERE u.country = 'Norway' "
        f"AND ordered_at >= '{begin}' AND ordered_at < '{begin + timedelta(days=1)}'",
    )
    answer = queries.panel(board, panel, str(start), str(end - 60_000), {"country": ("Norway",)})
    total = sum(value or 0 for row in answer.frames[0].rows for value in row[1:])
    assert total * answer.step_ms / 60_000 == pytest.approx(float(revenue), rel=0.02)
    with shop.connect("admin") as admin:
        admin.execute("DELETE FROM realtime.minutes_by_currency WHERE window_start > now() - interval '4 hours'")
    still = queries.panel(board, panel, "now-3h", "now", {})
    assert still.frames[0].columns[1].name.startswith("Nothing sold in this time range; the newest order line is of 20")
    assert still.state == "ok" and {value for row in still.frames[0].rows for value in row[1:]} <= {0, None}


def test_a_stop_of_the_loader_is_seen(shop: Address, queries: Queries) -> None:
    with shop.connect("admin") as admin:
        admin.execute(
            "DELETE FROM ops.load_batches WHERE loaded_at BETWEEN now() - interval '40 minutes' AND now() - interval '20 minutes'"
        )
    board = load_boards(BOARDS)[LIVE]
    found = frame(queries, board, "Events loaded per second", start="now-1h").rows
    now_ms = datetime.now(UTC).timestamp() * 1000
    stopped = [row[1] for row in found if now_ms - 38 * 60_000 < row[0] < now_ms - 22 * 60_000]
    assert len(stopped) > 60 and set(stopped) == {0} and all(row[1] for row in found if row[0] < now_ms - 42 * 60_000)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_days_stand_where_the_shops_day_begins(warehouse: Address, tmp_path: Path, zone: str) -> None:
    with warehouse.connect("ecom_owner") as owner:
        owner.execute("UPDATE ops.calendar SET time_zone = %s", [zone])
    seed_warehouse(warehouse, lines=1_500, days=20, users=60)
    seed_more(warehouse)
    build_marts(warehouse, tmp_path)
    queries = Queries(warehouse, wait_s=DEADLINE_S)
    queries.open()
    try:
        board = load_boards(BOARDS)[MARTS]
        by_day = {
            datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp() * 1000: float(revenue)
            for day, revenue in rows(
                warehouse, f"SELECT (ordered_at AT TIME ZONE '{zone}')::date, sum(revenue) FROM warehouse.fact_sales GROUP BY 1"
            )
        }
        trend = {row[0]: row[1] for row in frame(queries, board, "Daily trend").rows if row[1]}
        assert trend == {day: pytest.approx(revenue) for day, revenue in by_day.items()}
        against = frame(queries, board, "Net against gross")
        names = [column.name for column in against.columns]
        for row in against.rows:
            said = dict(zip(names, row, strict=True))
            assert said["Net"] == pytest.approx(said["Gross"] - said["Discounts"] - said["Returns"])
        assert sum(row[names.index("Gross")] for row in against.rows) == pytest.approx(sum(by_day.values()))
        new = frame(queries, board, "New and returning").rows
        ((customers,),) = rows(warehouse, "SELECT count(DISTINCT user_key) FROM warehouse.fact_sales")
        assert {row[0] for row in new if row[1] or row[2]} == set(by_day) and sum(row[1] for row in new) >= customers
    finally:
        queries.close()


def test_the_marts_by_country_and_category(shop: Address, queries: Queries) -> None:
    board = load_boards(BOARDS)[MARTS]
    norway = {"country": ("Norway",)}
    ((customers,),) = rows(shop, f"SELECT count(DISTINCT user_key) {SALES} WHERE u.country = 'Norway'")
    assert frame(queries, board, "Customers", norway).rows == [[customers]]
    segments = frame(queries, board, "RFM segments", norway)
    assert sum(row[1] for row in segments.rows) == customers and sum(row[3] for row in segments.rows) == pytest.approx(1)
    ((gross,),) = rows(shop, f"SELECT sum(revenue) {SALES} WHERE u.country = 'Norway'")
    assert sum(row[1] for row in frame(queries, board, "Net against gross", norway).rows) == pytest.approx(float(gross))
    books = {"category": ("Books",)}
    titles = {title for (title,) in rows(shop, f"SELECT DISTINCT product_title {SALES} WHERE c.category = 'Books'")}
    for title in ("Product rankings", "Returns by product and reason", "Bought together"):
        found = frame(queries, board, title, books)
        at = [column.name for column in found.columns].index("Product")
        assert {row[at] for row in found.rows} <= titles, title
        assert len(found.rows) > 0 or title == "Bought together"
    assert [row[0] for row in frame(queries, board, "Categories week over week", books).rows] == ["Books"]
    ((back, sold),) = rows(
        shop,
        "SELECT sum(r.quantity * f.unit_price), (SELECT sum(revenue) FROM warehouse.fact_sales) FROM warehouse.fact_returns r "
        "JOIN warehouse.dim_product p USING (product_id) JOIN warehouse.fact_sales f USING (order_id, product_key) "
        "WHERE r.returned_at >= f.ordered_at",
    )
    assert frame(queries, board, "Returned share").rows[0][0] == pytest.approx(float(back / sold), rel=1e-3)
    assert frame(queries, board, "Net share of gross").rows[0][0] == pytest.approx(1 - float(back / sold), rel=1e-3)
