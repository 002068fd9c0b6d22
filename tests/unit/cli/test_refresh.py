"""What `refresh` shows: the models that were named, and the table at the end."""

from __future__ import annotations

from typing import Any

import pytest

from ecom_lite.cli.refresh import ERROR_CHARS, names, show
from ecom_lite.errors import UsageError


def model(name: str, **more: Any) -> dict[str, Any]:
    return {"model": name, "seconds": 0.25, "rows": 1234, "tests_passed": 3, "tests_failed": 0, "error": "", **more}


def test_models_are_named_one_by_one_or_several_at_once() -> None:
    assert names([]) == []
    assert names(["cohorts", "daily_sales, customer_rfm", "cohorts"]) == ["cohorts", "daily_sales", "customer_rfm"]
    for nothing in ([""], [" , "]):
        with pytest.raises(UsageError, match="names no model"):
            names(nothing)


def test_the_table_has_each_model_and_its_first_error(capsys: pytest.CaptureFixture[str]) -> None:
    error = "test always_daily_sales: " + "x" * 200
    by_model = [
        model("stg_sales", rows=None, tests_passed=0),
        model("daily_sales", tests_passed=2, tests_failed=1, error=error),
        model("cohorts", rows=0),
    ]
    show({
        "status": "tests failed", "models": 3, "tests_passed": 5, "tests_failed": 1, "seconds": 1.26, "message": error,
        "by_model": by_model,
    })  # fmt: skip
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].split() == ["model", "seconds", "rows", "tests", "first", "error"]
    assert [line.split()[:4] for line in lines[2:5]] == [
        ["stg_sales", "0.25"], ["daily_sales", "0.25", "1,234", "2,"], ["cohorts", "0.25", "0", "3"],
    ]  # fmt: skip
    assert lines[3].endswith("2, 1 failed  " + error[: ERROR_CHARS - 3] + "...")
    assert lines[5] == "dbt: tests failed, 3 models, 5 tests passed, 1 failed, 1.3 s"
    assert err == f"{error}\n", "the whole of it"
