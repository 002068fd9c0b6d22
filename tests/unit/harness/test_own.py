"""The harness plays its rounds by settings of its own, in whatever folder it is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.harness.chain_run import PAGE, ChainRun
from ecom_lite.harness.own import own_settings
from ecom_lite.live.state import RunState, write_state
from ecom_lite.observe.status import PartStatus
from ecom_lite.settings.load import load_settings
from ecom_lite.testing.events import shop_events

THEIRS = """
[shop]
enabled = false
products = 300
[kafka]
bootstrap = "kafka.example.com:9092"
[events]
fields = { order_id = "orderNo" }
[currency]
default = "EUR"
[jars]
mirror = "https://mirror.example.com/maven2"
"""


@pytest.fixture(autouse=True)
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """We are in a folder with a config.toml for somebody's own events and servers."""
    (tmp_path / "config.toml").write_text(THEIRS, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_settings(env={}).kafka.bootstrap


def test_of_a_config_file_only_the_place_of_the_jars_counts() -> None:
    settings = own_settings({"load.flush_ms": 20})
    assert (settings.kafka.bootstrap, settings.events.fields, settings.currency.default) == ("", {}, "USD")
    assert settings.shop.enabled and settings.load.flush_ms == 20
    assert settings.jars.mirror == "https://mirror.example.com/maven2"


def test_a_whole_run_is_told_so_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOM_LITE_LOAD__PROCESSES", "7")
    folder = tmp_path / "run"
    folder.mkdir()
    run = ChainRun(folder, tmp_path / "run.log", {"shop.rate": 50}, {})
    given = {name: value for name, value in run.environment.items() if name.startswith("ECOM_LITE_")}
    assert given == {"ECOM_LITE_SHOP__RATE": "50", "ECOM_LITE_JARS__MIRROR": "https://mirror.example.com/maven2"}
    assert run.place == ["--data-dir", str(folder), "--config", str(run.config)]
    told = load_settings(run.config, given, {"run.data_dir": folder})
    assert (told.shop, told.kafka, told.events, told.jars) == tuple(
        getattr(run.settings, section) for section in ("shop", "kafka", "events", "jars")
    )


def test_a_part_without_a_process_is_known_to_be_back_by_what_the_run_tells(tmp_path: Path) -> None:
    run = ChainRun(tmp_path, tmp_path / "run.log", {}, {})
    assert run.restarts(PAGE) == 0
    for restarts in (0, 2):
        write_state(tmp_path, RunState(parts={PAGE: PartStatus(state="ready", restarts=restarts)}))
        assert run.restarts(PAGE) == restarts and run.restarts("grafana") == 0


def test_a_shops_events_for_tests_are_the_same_in_each_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = shop_events(50)
    monkeypatch.chdir(tmp_path.parent)
    assert shop_events(50) == here
