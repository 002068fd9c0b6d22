"""The loaders' names in the group, and their figures taken together."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ecom_lite.observe.figures import LoaderFigures
from ecom_lite.run.loaders import all_lives, instance, loaded, names


def test_each_loader_of_each_folder_on_each_host_has_a_name_of_its_own_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for host in ("one", "two"):
        monkeypatch.setattr("platform.node", lambda host=host: host)
        for folder in (Path("/data/.ecom_lite"), Path("/data/.ecom_lite/loaders"), Path("/other")):
            members = [instance(folder, name) for name in names(16)]
            assert members == [instance(folder, name) for name in names(16)]
            found += members
    assert len(set(found)) == len(found) == 2 * 3 * 16
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,249}", member) for member in found), "what Kafka takes"


def test_names_are_those_of_the_parts_and_logs() -> None:
    assert names(1) == ["load"] and names(3) == ["load", "load-2", "load-3"]


def worker(earlier: list[LoaderFigures], now: LoaderFigures) -> Any:
    return SimpleNamespace(lives=(earlier, now))


def test_what_was_loaded_before_a_restart_counts_too_and_its_lag_does_not() -> None:
    dead = LoaderFigures(facts=10, batches=1, lags={"0": 99}, delay_ms=9000, waiting_for="PostgreSQL")
    services = [
        worker([dead, LoaderFigures()], LoaderFigures(facts=5, dead=1, lags={"0": 3})),
        worker([], LoaderFigures(facts=100)),
    ]
    total = loaded(services)
    assert (total["facts"], total["dead"], total["batches"], total["records"]) == (115, 1, 1, 0)
    both = all_lives(services)
    assert (both.facts, both.lag, both.delay_ms, both.waiting_for) == (115, 3, None, "")
