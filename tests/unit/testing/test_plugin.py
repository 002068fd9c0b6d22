"""The plugin in a session of pytest, without engines: its options, when it wants engines, and where there can be none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ecom_lite.errors import EngineError
from ecom_lite.testing import plugin
from ecom_lite.testing.lease import Lease
from ecom_lite.testing.options import FIXED, OPTIONS, as_set, flags_of, number


class Config:
    """As much of pytest's as the plugin needs."""

    def __init__(self, *lines: str, testrunuid: str = "", **values: str) -> None:
        self._values = {name: default for name, (_, default, _) in OPTIONS.items()}
        self._values |= {"ecom_lite_settings": list(lines), **values}
        self.stash = pytest.Stash()
        self.option = SimpleNamespace(collectonly=False, continue_on_collection_errors=False)
        if testrunuid:
            self.workerinput = {"testrunuid": testrunuid}

    def getini(self, name: str) -> Any:
        return self._values[name]

    def addinivalue_line(self, name: str, line: str) -> None:
        pass

    def add_cleanup(self, clean: Callable[[], None]) -> None:
        pass


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders of the leases that were taken."""
    found: list[Path] = []
    monkeypatch.setattr(Lease, "take", lambda self: found.append(self.folder))
    return found


def collected(config: Config, *, fixture: str = "ecom_lite_topic", testsfailed: int = 0) -> None:
    item = SimpleNamespace(fixturenames=[fixture])
    plugin.pytest_collection_finish(SimpleNamespace(config=config, items=[item], testsfailed=testsfailed))  # type: ignore[arg-type]


def test_engines_begin_to_start_where_a_test_wants_them_and_tests_will_run(taken: list[Path]) -> None:
    collected(Config(), fixture="tmp_path")
    for shown in ("collectonly", "showfixtures", "show_fixtures_per_test", "setupplan"):
        config = Config()
        setattr(config.option, shown, True)
        collected(config)
    collected(Config(), testsfailed=1)  # a file could not be collected: no test will run
    assert taken == []
    config = Config()
    config.option.continue_on_collection_errors = True
    collected(config, testsfailed=1)
    collected(Config())
    assert len(taken) == 2


def test_no_folder_for_the_engines_is_no_internal_error_of_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Lease) -> None:
        raise EngineError("no folder for the engines of this session: No space left on device")

    monkeypatch.setattr(Lease, "take", full)
    collected(Config())  # the tests that want engines ask for them again, and say it


def test_workers_of_one_run_share_a_folder_and_runs_with_long_names_alike_in_the_beginning_do_not(taken: list[Path]) -> None:
    for run in ("nightly-2026-11-28/unit", "nightly-2026-11-28/unit", "nightly-2026-11-28/all", "one"):
        collected(Config(testrunuid=run))
    first, second, other, short = taken
    assert first == second and len({first, other, short}) == 3
    assert first.parent == other.parent == short.parent


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"ecom_lite_timeout": "soon"}, "ecom_lite_timeout = 'soon': a number from 0 on, such as 30"),
        ({"ecom_lite_timeout": "nan"}, "ecom_lite_timeout = 'nan'"),
        ({"ecom_lite_timeout": "-1"}, "ecom_lite_timeout = '-1'"),
        ({"ecom_lite_seed": "7.5"}, "ecom_lite_seed = '7.5': a number from 0 on, such as 7"),
    ],
)
def test_an_option_that_is_no_number_is_wrong_usage_at_the_start(values: dict[str, str], said: str) -> None:
    with pytest.raises(pytest.UsageError, match=said):
        plugin.pytest_configure(Config(**values))  # type: ignore[arg-type]


def test_a_setting_that_is_none_is_wrong_usage_at_the_start() -> None:
    with pytest.raises(pytest.UsageError, match="'flush_ms = 3' is not section"):
        plugin.pytest_configure(Config("flush_ms = 3"))  # type: ignore[arg-type]
    plugin.pytest_configure(Config("load.flush_ms = 3", ecom_lite_timeout="0.5"))  # type: ignore[arg-type]
    assert number(Config(ecom_lite_timeout="0.5"), "ecom_lite_timeout", float) == 0.5  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FIXED)
def test_what_would_be_passed_over_is_refused(name: str) -> None:
    with pytest.raises(pytest.UsageError, match="topic and servers are the fixtures' own"):
        flags_of(Config(f"{name} = x"))  # type: ignore[arg-type]


def test_a_wrong_setting_is_said_to_be_where_it_was_set() -> None:
    message = (
        "option --flush-ms: load.flush_ms = '0': too small\noption --attributes: events.attributes.a = 1: x\n"
        "config.toml:3: shop.rate = 'x': no\noption --flash-ms: load.flash_ms: no such setting"
    )
    assert as_set(message, ["events.attributes"]).splitlines() == [
        "ecom_lite_settings: load.flush_ms = '0': too small",
        "@pytest.mark.ecom_lite: events.attributes.a = 1: x",
        "config.toml:3: shop.rate = 'x': no",
        "ecom_lite_settings: load.flash_ms: no such setting",
    ]
