"""How `bench dashboards` looks at the page: real boards, a real page, a small warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecom_lite.bench.looks import Site, look_at, page_bytes, panels_of
from ecom_lite.bench.paint import paint
from ecom_lite.bench.viewers import Viewers
from ecom_lite.dashboards import Page
from ecom_lite.errors import EcomLiteError
from ecom_lite.observe.status import RunStatus
from ecom_lite.warehouse.connect import Address
from tests.browser.seed import build_marts, seed_warehouse
from tests.runs import wait_for

BOARDS = Path(__file__).resolve().parents[2] / "grafana" / "dashboards"


@pytest.fixture
def page(warehouse: Address) -> Iterator[Page]:
    made = Page(warehouse, BOARDS, "127.0.0.1", 0, lambda: RunStatus(state="running"))
    made.start()
    yield made
    made.stop()


def test_each_panel_of_each_board_is_computed_at_each_look(warehouse: Address, page: Page, tmp_path: Path) -> None:
    site = Site(page.url)
    business = next(board for board in site.boards() if board["uid"] == "business-intelligence")
    with pytest.raises(EcomLiteError, match="Waiting for the first dbt run"):
        look_at(site, business, 1)
    seed_warehouse(warehouse, lines=1_000, days=3, users=50)
    build_marts(warehouse, tmp_path)
    with warehouse.connect("admin", autocommit=True) as admin:
        for board in site.boards():
            asked = admin.execute("SELECT sum(xact_commit) FROM pg_stat_database WHERE datname = current_database()").fetchone()
            found = look_at(site, board, 3)
            assert len(found.panels) == len(panels_of(board)) > 4 and found.data_bytes > 500 and asked
            assert 0 < found.board_ms <= found.worst_ms
            assert sum(found.panels.values()) <= 3 * found.worst_ms
    whole = page_bytes(site, f"/d/{business['uid']}")
    assert whole > len(site.get(f"/d/{business['uid']}")[0]) + 10_000, "what the scripts import counts, too"
    site.close()


def test_viewers_are_shown_the_boards_and_go_when_they_are_told(warehouse: Address, page: Page, tmp_path: Path) -> None:
    seed_warehouse(warehouse, lines=500, days=2, users=20)
    build_marts(warehouse, tmp_path)
    with Viewers(page.url, 4) as viewers:
        wait_for(lambda: viewers.seen > 20, lambda: f"four viewers see the boards: {viewers.seen}")
        viewers.check()
    assert viewers.by in ("live", "polling")
    seen = viewers.seen
    with pytest.raises(EcomLiteError, match="a viewer of the boards"):
        with Viewers(page.url, 2) as left:
            page.stop()
            wait_for(lambda: left.failure, "one of them is told")
    assert viewers.seen == seen, "those who have gone see no more"


def test_without_a_browser_there_is_no_first_paint_and_it_says_so(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CHROMIUM", raising=False)
    assert paint(page.url, ["realtime-operations"]) == ({}, "no Chromium on PATH (set CHROMIUM)")
