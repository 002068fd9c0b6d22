"""dbt's documentation of the project, made beside the runs: complete, without secrets, and anew when it is out of date."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from ecom_lite.errors import TransformError
from ecom_lite.transform import Transform
from ecom_lite.warehouse.connect import Address

from .facts import load, some_lines

PROJECT = Path(__file__).parents[2] / "dbt_project"


def test_the_docs_are_one_file_with_nothing_secret_and_leave_the_runs_as_they_were(warehouse: Address, tmp_path: Path) -> None:
    transform = Transform(warehouse, PROJECT, tmp_path / "dbt", threads=2)
    reader = warehouse.only("ecom_reader")
    for seed in (1, 2):  # the second by a plan, whose texts are in dbt's memory
        load(warehouse, some_lines(20, seed=seed))
        assert transform.run("schedule").status == "success"
    page = transform.docs(reader)
    text = page.read_text("utf-8")
    assert "One row per month of first order, and month in which customers of it ordered" in text, "what a model is"
    assert '"cohort_month": {"type": "date"' in text, "the catalogue's columns"
    for secret in (*warehouse.passwords.values(), str(tmp_path), str(PROJECT), "9000000000000000001"):
        assert secret not in text
    outside = re.findall(r"""<(?:script|link|img)[^>]*(?:src|href)=["']?(?:https?:)?//[^"'> ]+""", text)
    assert outside == []
    load(warehouse, some_lines(20, seed=3))
    run = transform.run("schedule")
    assert run.status == "success" and run.quick, "the plan is still good"
    made = page.stat().st_mtime_ns
    assert transform.docs(reader) == page and page.stat().st_mtime_ns == made, "made once"
    with warehouse.connect("ecom_dbt") as connection:
        connection.execute("ALTER TABLE marts.daily_sales ADD COLUMN a_new_column integer")
    newer = transform.docs(reader)
    assert newer != page and not page.exists() and "a_new_column" in newer.read_text("utf-8")
    assert list(newer.parent.iterdir()) == [newer], "no old page, no leftovers"


def test_docs_that_cannot_be_made_say_why(warehouse: Address, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT, project)
    (project / "models" / "marts" / "extra.sql").write_text("select 1 as one from {{ ref('no_such_model') }}")
    transform = Transform(warehouse, project, tmp_path / "dbt", threads=2)
    with pytest.raises(TransformError, match="no_such_model"):
        transform.docs(warehouse.only("ecom_reader"))
    with pytest.raises(TransformError, match=r"documentation needs the database: .*no_such_database"):
        transform.docs(warehouse.with_database("no_such_database").only("ecom_reader"))
