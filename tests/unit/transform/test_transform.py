"""What needs no database: dbt's results as figures, the environment of an invocation, a missing project."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from ecom_lite.errors import TransformError
from ecom_lite.transform import Transform
from ecom_lite.transform.dbt import environment
from ecom_lite.transform.results import MESSAGE_CHARS, brief, summarise
from ecom_lite.warehouse.connect import Address

NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {"ecom_dbt": "hidden"})


def result(kind: str, name: str, status: str, message: str = "") -> SimpleNamespace:
    node = SimpleNamespace(resource_type=kind, name=name)
    return SimpleNamespace(node=node, status=status, message=message, execution_time=0.5, adapter_response={"rows_affected": 7})


def test_results_become_figures() -> None:
    outcome = summarise(
        [
            result("model", "good", "success"),
            result("model", "bad", "error", "Database Error\n  division by zero"),
            result("model", "behind_bad", "skipped"),
            result("test", "unique_good", "pass"),
            result("test", "meh", "warn"),
            result("test", "sum_is_right", "fail"),
            result("test", "broken_test", "error", "no such column"),
            result("exposure", "board", "no-op"),
        ]
    )
    assert (outcome.models, outcome.passed, outcome.failed) == (1, 2, ["sum_is_right"])
    assert [(model.model, model.rows, model.broken) for model in outcome.by_model] == [
        ("good", 7, False), ("bad", None, True), ("behind_bad", None, True),
    ]  # fmt: skip
    assert outcome.errors == ["model bad: Database Error division by zero", "test broken_test: no such column"]


def test_messages_fit_in_a_row() -> None:
    assert brief("a\n  b") == "a b"
    assert len(brief("x" * 10_000)) == MESSAGE_CHARS


@pytest.mark.parametrize("early", [True, False])
def test_variables_are_blank_afterwards(early: bool) -> None:
    with environment({"ECOM_DBT_TEST_ONLY": "hidden"}) as forget:
        assert os.environ["ECOM_DBT_TEST_ONLY"] == "hidden"
        if early:
            forget()
            assert os.environ["ECOM_DBT_TEST_ONLY"] == ""
    assert os.environ.pop("ECOM_DBT_TEST_ONLY") == ""


def test_variables_are_blank_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), environment({"ECOM_DBT_TEST_ONLY": "hidden"}):
        raise ZeroDivisionError
    assert os.environ.pop("ECOM_DBT_TEST_ONLY") == ""


def test_a_missing_project_is_named(tmp_path: Path) -> None:
    with pytest.raises(TransformError, match=r"dbt_project\.yml"):
        Transform(NOWHERE, tmp_path, tmp_path / "dbt", threads=1).warm_up()


def test_no_server_is_named(tmp_path: Path) -> None:
    with pytest.raises(TransformError, match=r"127\.0\.0\.1:1/none"):
        Transform(NOWHERE, tmp_path, tmp_path / "dbt", threads=1).run("schedule")
