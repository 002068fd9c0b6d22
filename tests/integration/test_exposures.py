"""The exposures name exactly what the boards' panels read, and every panel reads only what a model or a migration declares."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.dashboards import load_boards
from ecom_lite.transform import Transform
from ecom_lite.warehouse.connect import Address

from .exposed import differences, exposures, panels

ROOT = Path(__file__).parents[2]
PROJECT, BOARDS = ROOT / "dbt_project", ROOT / "grafana" / "dashboards"


@pytest.fixture
def marts(warehouse: Address, tmp_path: Path) -> Address:
    """Migrated and refreshed, and empty."""
    assert Transform(warehouse, PROJECT, tmp_path / "dbt", threads=2).run("refresh").status == "success"
    return warehouse


def edited(folder: Path, title: str, **change: str) -> Path:
    """The boards with one panel's SQL changed, word for word."""
    shutil.copytree(BOARDS, folder)
    for path in folder.glob("*.json"):
        document = json.loads(path.read_text("utf-8"))
        for panel in document["panels"]:
            if panel["title"] == title:
                _change(panel, change)
        path.write_text(json.dumps(document), "utf-8")
    return folder


def _change(panel: dict[str, Any], change: Mapping[str, str]) -> None:
    for target in panel["targets"]:
        for old, new in change.items():
            assert old in target["rawSql"], target["rawSql"]
            target["rawSql"] = target["rawSql"].replace(old, new)


def wrong_with(marts: Address, folder: Path) -> list[str]:
    boards = load_boards(folder)
    read, wrong = panels(marts, boards)
    return wrong + differences(boards, read, PROJECT)


def test_exposures_and_panels_say_the_same_and_a_broken_panel_is_found(marts: Address, tmp_path: Path) -> None:
    assert wrong_with(marts, BOARDS) == []
    gone = wrong_with(marts, edited(tmp_path / "column", "Average tenure", tenure_days="tenure_weeks"))
    assert any("Average tenure: column " in line and "tenure_weeks" in line for line in gone), gone
    no_table = wrong_with(marts, edited(tmp_path / "table", "Daily trend", daily_sales="weekly_sales"))
    assert any('Daily trend: relation "marts.weekly_sales" does not exist' in line for line in no_table), no_table
    assert "business-intelligence: its exposure names marts.daily_sales, no panel reads it" in no_table
    secret = wrong_with(
        marts, edited(tmp_path / "rights", "Customers", **{"marts.customer_ltv": "intermediate.int_customer_days"})
    )
    assert any("Customers: permission denied for schema intermediate" in line for line in secret), secret
    other = wrong_with(marts, edited(tmp_path / "other", "Customers", **{"marts.customer_ltv": "marts.dim_customer_history"}))
    assert other == ["business-intelligence: panels read marts.dim_customer_history, its exposure does not name it"]
    with marts.connect("ecom_dbt") as connection:  # there, and declared by nobody
        connection.execute("ALTER TABLE marts.daily_sales ADD COLUMN stray integer")
    stray = wrong_with(marts, edited(tmp_path / "stray", "Daily trend", **{"revenue AS": "revenue + d.stray AS"}))
    assert any("Daily trend: marts.daily_sales.stray is declared by no model" in line for line in stray), stray


def test_each_board_has_one_exposure() -> None:
    uids = [each["meta"]["uid"] for each in exposures(PROJECT)]
    assert sorted(uids) == sorted(load_boards(BOARDS))
