"""The loaders' names in the group, and their figures taken together."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ecom_lite.run.loaders import instance, loaded, names, together


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


def test_figures_are_summed_and_the_slowest_delay_is_shown() -> None:
    each: list[dict[str, Any]] = [{"lag": 5, "delay_ms": 200, "partitions": 2}, {"lag": 7, "delay_ms": 90, "partitions": 2}, {}]
    assert together(each) == {"lag": 12, "delay_ms": 200, "partitions": 4}
    assert together([]) == {"lag": 0, "delay_ms": 0, "partitions": 0}


def test_what_was_loaded_before_a_restart_counts_too() -> None:
    services: Any = [
        SimpleNamespace(earlier_figures=[{"facts": 10, "batches": 1}, {}], last_figures={"facts": 5, "dead": 1}),
        SimpleNamespace(earlier_figures=[], last_figures={"facts": 100}),
    ]
    total = loaded(services)
    assert (total["facts"], total["dead"], total["batches"], total["records"]) == (115, 1, 1, 0)
