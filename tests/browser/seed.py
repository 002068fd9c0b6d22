"""Fills a migrated database with a plausible shop, and builds the marts with the real dbt project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ecom_lite.rollups import Rollups
from ecom_lite.transform import Transform
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate
from tests.integration.facts import rows, settle

ROOT = Path(__file__).resolve().parents[2]
SEED = Path(__file__).with_name("seed_warehouse.sql")
MORE = Path(__file__).with_name("seed_more.sql")
# Panels that may have nothing in a shop of an order every few minutes: right after midnight, right after a full hour, and where
# its few days have no Monday after them. Of each whether it has something.
AT_TIMES: Mapping[str, str] = {
    "Today by country": "SELECT EXISTS (SELECT FROM realtime.so_far(now()))",
    "This hour and the one before": "SELECT EXISTS (SELECT FROM realtime.movers)",
    "Categories week over week": "SELECT EXISTS (SELECT FROM marts.category_trend WHERE period = 'week' AND is_complete)",
}


def seed_warehouse(address: Address, *, lines: int = 20_000, days: int = 45, users: int = 600) -> None:
    """About `lines` order lines over `days` days up to now, the per-minute figures and the loader's record."""
    migrate(address, attributes={"channel": "text"})
    with address.connect("admin") as admin:
        for name, value in (("lines", lines), ("days", days), ("users", users)):
            admin.execute("SELECT set_config(%s, %s, false)", [f"seed.{name}", str(value)])
        admin.execute(SEED.read_bytes())
        admin.execute("UPDATE warehouse.fact_sales SET channel = (ARRAY['web', 'app', 'store', NULL])[1 + user_key % 4]")
    _sum_up(address)


def seed_more(address: Address) -> None:
    """Twelve categories instead of six, and returns."""
    with address.connect("admin") as admin:
        admin.execute(MORE.read_bytes())
        admin.execute("UPDATE ops.reporting_currency SET currency = 'XXX'")  # the sums are of other categories: they become void
        admin.execute("UPDATE ops.reporting_currency SET currency = 'USD'")
    _sum_up(address)


def _sum_up(address: Address) -> None:
    """As a run does each second, once no other transaction of the server keeps new facts above the cut."""
    settle(address)
    Rollups(address).refresh()
    with address.connect("admin", autocommit=True) as admin:
        admin.execute("VACUUM ANALYZE")


def build_marts(address: Address, work_dir: Path) -> None:
    """One dbt run over what is there."""
    run = Transform(address, ROOT / "dbt_project", work_dir, 2).run("refresh")
    assert run.status == "success", run


def nothing_now(address: Address) -> set[str]:
    """Titles of the panels AT_TIMES that have nothing at this moment, whatever they are asked for."""
    made = rows(address, "SELECT to_regclass('marts.category_trend') IS NOT NULL") == [(True,)]
    return {title for title, query in AT_TIMES.items() if ("marts." not in query or made) and rows(address, query) == [(False,)]}
