"""Fills a migrated database with a plausible shop, and builds the marts with the real dbt project."""

from __future__ import annotations

from pathlib import Path

from ecom_lite.rollups import Rollups
from ecom_lite.transform import Transform
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate

ROOT = Path(__file__).resolve().parents[2]
SEED = Path(__file__).with_name("seed_warehouse.sql")
MORE = Path(__file__).with_name("seed_more.sql")


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
    """As a run does each second."""
    Rollups(address).refresh()
    with address.connect("admin", autocommit=True) as admin:
        admin.execute("VACUUM ANALYZE")


def build_marts(address: Address, work_dir: Path) -> None:
    """One dbt run over what is there."""
    run = Transform(address, ROOT / "dbt_project", work_dir, 2).run("refresh")
    assert run.status == "success", run
