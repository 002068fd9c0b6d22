"""What prepares this machine leaves the user's servers and data alone."""

from __future__ import annotations

import os
import subprocess
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ecom_lite.errors import EcomLiteError
from ecom_lite.machine import prepare
from ecom_lite.settings.load import NO_FILE, load_settings

CONFIG = """
[kafka]
bootstrap = "broker.example:9092"
[postgres]
url = "postgresql://me:hush@database.example/shop"
[jars]
cache_dir = "/var/jars"
[run]
ready_timeout_s = 900
[grafana]
enabled = false
"""


def test_the_trial_run_sends_nothing_to_servers_that_the_settings_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text(CONFIG)
    monkeypatch.setenv("ECOM_LITE_POSTGRES__URL", "postgresql://me:hush@other.example/shop")
    calls: list[tuple[list[str], dict[str, str]]] = []
    gateway = SimpleNamespace(archive_wanted=False, archive_ready=False, build_archive=lambda: True)
    monkeypatch.setattr(prepare, "spark_gateway", lambda *_: gateway)

    def run(command: list[str], *, env: dict[str, str], **_: Any) -> subprocess.CompletedProcess[str]:
        calls.append((command, env))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert prepare.quicken_spark(load_settings(env=os.environ))
    ((command, env),) = calls
    options = dict(pairwise(command))
    read = load_settings(Path(options["--config"]), env, {"run.data_dir": options["--data-dir"]})
    assert (read.kafka.bootstrap, read.postgres.url.get_secret_value()) == ("", "")
    assert read.shop.enabled and not read.run.light, "what it is for"
    assert read.jars.cache_dir == Path("/var/jars"), "where the archive is wanted"
    assert (read.run.ready_timeout_s, read.grafana.enabled) == (900, False), "as slow as this machine is, and no more parts"
    assert Path(options["--config"]) == NO_FILE


def test_a_trial_run_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reset: list[Path] = []
    gateway = SimpleNamespace(archive_wanted=False, archive_ready=False, build_archive=lambda: True)
    monkeypatch.setattr(prepare, "spark_gateway", lambda *_: gateway)
    monkeypatch.setattr(prepare, "reset_data", lambda settings, keep_grafana: reset.append(settings.data_dir))
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", "no room\n"))
    with pytest.raises(EcomLiteError, match="the trial run failed: no room"):
        prepare.quicken_spark(load_settings(env={}, flags={"run.data_dir": tmp_path}))
    assert len(reset) == 1 and reset[0] != tmp_path
