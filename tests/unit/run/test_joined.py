"""Loaders join the run of their data folder only with the servers that it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecom_lite.errors import UsageError
from ecom_lite.live.lock import RunLock
from ecom_lite.live.state import Database, RunState, write_state
from ecom_lite.run.joined import joined_reach
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.tree import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Of a run with a Kafka of its own and a PostgreSQL elsewhere."""
    with RunLock(tmp_path, "run"):
        used = Database(host="here", port=5432, database="shop")
        write_state(tmp_path, RunState(state="running", bootstrap="127.0.0.1:9", postgres=used))
        yield tmp_path


def settings_of(folder: Path, **flags: str) -> Settings:
    return load_settings(env={}, flags={"run.data_dir": folder, **{name.replace("__", "."): v for name, v in flags.items()}})


def test_a_postgres_that_is_not_the_run_s_is_refused(folder: Path) -> None:
    """Else the run's events would be loaded into another warehouse."""
    with pytest.raises(UsageError, match=r"postgres\.url is elsewhere:5432/shop, and the run in .* uses here:5432/shop: leave"):
        joined_reach(settings_of(folder, postgres__url="postgresql://me:x@elsewhere/shop"))


def test_a_kafka_that_is_not_the_run_s_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"kafka\.bootstrap is .*:1, and the run in .* uses .*:9: leave it out"):
        joined_reach(settings_of(folder, kafka__bootstrap="127.0.0.1:1"))


def test_what_is_named_as_the_run_has_it_is_joined(folder: Path) -> None:
    reach = joined_reach(settings_of(folder, postgres__url="postgresql://me:x@here/shop"))
    assert (reach.bootstrap, reach.address.place) == ("127.0.0.1:9", "here:5432/shop")
