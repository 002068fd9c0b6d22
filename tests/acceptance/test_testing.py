"""The fixture that users import: their own events in, facts out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ecom_lite.testing import LightWarehouse, ecom_lite_warehouse
from tests.acceptance.test_light_run import plain_event
from tests.unit.run import pages

__all__ = ["ecom_lite_warehouse"]
ROOT = Path(__file__).resolve().parents[2]


def test_what_is_sent_is_loaded(ecom_lite_warehouse: LightWarehouse) -> None:
    assert ecom_lite_warehouse.send(plain_event(number) for number in range(200)) == 200
    ecom_lite_warehouse.send([plain_event(0), {"nonsense": 1}])
    ecom_lite_warehouse.wait_loaded()
    assert ecom_lite_warehouse.query("SELECT count(*) FROM warehouse.fact_sales") == [(200,)]
    assert ecom_lite_warehouse.query("SELECT count(*) FROM ops.dead_letters WHERE topic = %s", [ecom_lite_warehouse.topic]) == [
        (1,)
    ]
    assert "ecom_reader" in ecom_lite_warehouse.conninfo


def test_the_marts_and_the_count_are_there_too(ecom_lite_warehouse: LightWarehouse) -> None:
    assert ecom_lite_warehouse.refresh().status == "success"
    report = ecom_lite_warehouse.check()
    assert report.closes, report.lines
    assert report.figures["facts"] == 200 and report.figures["foreign"] == 202


def test_waiting_ends(ecom_lite_warehouse: LightWarehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecom_lite.run.reach.Reach.end_offsets", lambda reach: {("ecommerce_events", 0): 10**9})
    with pytest.raises(TimeoutError, match=r"not loaded after 0.1 s: the topic ends at .*1000000000"):
        ecom_lite_warehouse.wait_loaded(0.1)


def test_the_example_of_the_page_holds_in_a_project_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(pages.CONFTEST, "utf-8")
    (tmp_path / "test_mine.py").write_text(pages.EXAMPLE, "utf-8")
    (tmp_path / "test_settings.py").write_text(
        f"{pages.SETTINGS}\n\ndef test_it_is_up(small_batches):\n    small_batches.wait_loaded()\n", "utf-8"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout + done.stderr
