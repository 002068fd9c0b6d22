"""What a run of dbt did to each model, and what its data tests said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

MESSAGE_CHARS: Final = 2_000
SKIPPED: Final = "not built, because a model before it failed"


@dataclass(frozen=True)
class ModelRun:
    """One model in one run. `rows` is how many the run has written, None for a view; `error` the first one, or a failed test."""

    model: str
    seconds: float
    rows: int | None = None
    error: str = ""
    broken: bool = False  # not built; else an error is a test's
    tests_passed: int = 0
    tests_failed: int = 0


@dataclass(frozen=True)
class TestResult:
    """One data test: `message` says why it could not be asked, or how many rows it has found."""

    __test__ = False  # not one of pytest's

    name: str
    model: str  # whose test it is
    passed: bool
    message: str = ""
    broken: bool = False  # it could not be asked


@dataclass(frozen=True)
class Outcome:
    """What one run did: `failed` names the data tests that found rows, `errors` says what could not run, and why."""

    models: int
    passed: int
    failed: Sequence[str]
    errors: Sequence[str]
    by_model: Sequence[ModelRun] = field(default_factory=tuple)


def summarise(results: Iterable[Any]) -> Outcome:
    """dbt's node results as figures: a test that found rows is a failed test, anything that broke is an error."""
    passed = 0
    failed: list[str] = []
    errors: list[str] = []
    models: list[ModelRun] = []
    for result in results:
        kind, status, name = str(result.node.resource_type), str(result.status), str(result.node.name)
        if status in {"error", "runtime error", "partial success"}:
            errors.append(f"{kind} {name}: {brief(result.message)}")
        elif status == "fail":
            failed.append(name)
        elif status in {"pass", "warn"}:
            passed += 1
        if kind == "model":
            models.append(_model(result, name, status))
    return Outcome(sum(not model.broken for model in models), passed, failed, errors, models)


def _model(result: Any, name: str, status: str) -> ModelRun:
    if status == "success":
        rows = (result.adapter_response or {}).get("rows_affected")
        return ModelRun(name, float(result.execution_time), rows if isinstance(rows, int) and rows >= 0 else None)
    why = SKIPPED if status == "skipped" else brief(result.message)
    return ModelRun(name, float(result.execution_time), error=why, broken=True)


def with_tests(built: Outcome, tests: Sequence[TestResult]) -> Outcome:
    """The models' outcome with that of their tests."""
    failed = [test.name for test in tests if not test.passed and not test.broken]
    errors = [f"test {test.name}: {test.message}" for test in tests if test.broken]
    by_model = []
    for model in built.by_model:
        mine = [test for test in tests if test.model == model.model]
        bad = [test for test in mine if not test.passed]
        error = model.error or (f"test {bad[0].name}: {bad[0].message}" if bad else "")
        by_model.append(
            replace(model, error=brief(error), tests_passed=len(mine) - len(bad), tests_failed=len(bad))
        )  # fmt: skip
    passed = sum(test.passed for test in tests)
    return Outcome(built.models, built.passed + passed, [*built.failed, *failed], [*built.errors, *errors], by_model)


def brief(message: object) -> str:
    """A message of dbt on one line, at most MESSAGE_CHARS long."""
    return " ".join(str(message).split())[:MESSAGE_CHARS]
