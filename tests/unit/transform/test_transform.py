"""What needs no database: dbt's results as figures, the environment of an invocation, a missing project."""

from __future__ import annotations

import importlib
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ecom_lite.errors import TransformError, UsageError
from ecom_lite.transform import Transform, model_names, require_known
from ecom_lite.transform.dbt import MODEL_DONE, MODEL_SKIPPED, Dbt, Listener, environment, no_options_of_environment
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


def event(name: str, model: str, index: int, status: str = "success") -> SimpleNamespace:
    """As dbt sends them: `index` counts the models in the order of their starts."""
    node = SimpleNamespace(node_name=model)
    data = SimpleNamespace(node_info=node, index=index, total=3, status=status, execution_time=0.25)
    return SimpleNamespace(info=SimpleNamespace(name=name), data=data)


def test_progress_counts_models_in_the_order_of_their_ends() -> None:
    said: list[str] = []
    hear = Listener(lambda: None, said.append)
    hear(event(MODEL_DONE, "second", 2))
    hear(event("LogStartLine", "third", 3))
    hear(event(MODEL_DONE, "first", 1, "error"))
    hear(event(MODEL_SKIPPED, "third", 3))
    assert said == [
        "1 of 3: second, 0.25 s", "2 of 3: first, 0.25 s, failed", "3 of 3: third, not built, because a model before it failed",
    ]  # fmt: skip


def test_progress_of_several_threads_is_told_in_order() -> None:
    said: list[str] = []
    inside = threading.Event()

    def slow(text: str) -> None:
        if not inside.is_set():
            inside.set()
            other.join(0.2)  # time for the other thread to overtake this one, if it could
        said.append(text)

    hear = Listener(lambda: None, slow)

    def overtake() -> None:
        assert inside.wait(30)
        hear(event(MODEL_DONE, "b", 1))

    other = threading.Thread(target=overtake)
    other.start()
    hear(event(MODEL_DONE, "a", 2))
    other.join(30)
    assert said == ["1 of 3: a, 0.25 s", "2 of 3: b, 0.25 s"]


def test_models_are_known_by_their_files_as_dbt_knows_them(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "marts"
    folder.mkdir(parents=True)
    (folder / "cohorts.sql").touch()
    (folder / "marts.yml").touch()
    assert model_names(tmp_path) == {"cohorts"}
    require_known(["cohorts"], model_names(tmp_path))
    with pytest.raises(UsageError, match=r"no model 'cohort': did you mean cohorts\?"):
        require_known(["cohorts", "cohort"], model_names(tmp_path))
    with pytest.raises(UsageError, match="no model 'x': there are: cohorts"):
        require_known(["x"], model_names(tmp_path))


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


def test_variables_of_the_environment_are_no_options_of_dbt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cli = importlib.import_module("dbt.cli.main").cli
    given = {"DBT_EMPTY": "1", "DBT_ENGINE_FULL_REFRESH": "1", "DBT_TARGET": "other", "DBT_FAIL_FAST": "1"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    folders = ["--project-dir", str(tmp_path), "--profiles-dir", str(tmp_path)]
    commands = [(cli, ["run"]), (cli.commands["run"], folders), (cli.commands["docs"].commands["generate"], folders)]

    def options() -> list[dict[str, Any]]:
        return [command.make_context("dbt", list(words)).params for command, words in commands]

    before = options()
    assert all(found["fail_fast"] for found in before[:2]) and before[2]["target"] == "other"
    assert before[1]["empty"] and before[1]["full_refresh"]
    with no_options_of_environment(cli):
        for found in options():
            assert not any(found.get(name) for name in ("empty", "full_refresh", "target", "fail_fast"))
        assert {name: os.environ[name] for name in given} == given  # a project may ask for them
    assert options() == before


def test_a_missing_project_is_named(tmp_path: Path) -> None:
    with pytest.raises(TransformError, match=r"dbt_project\.yml"):
        Dbt(NOWHERE, tmp_path, tmp_path / "dbt", threads=1).parse()


def test_no_server_is_named(tmp_path: Path) -> None:
    with pytest.raises(TransformError, match=r"127\.0\.0\.1:1/none"):
        Transform(NOWHERE, tmp_path, tmp_path / "dbt", threads=1).run("schedule")
