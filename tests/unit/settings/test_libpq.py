"""Variables of libpq, which are for servers of the user's, steer no connection to our own."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
from psycopg.pq import Conninfo

from ecom_lite.engines.from_settings import postgres_server
from ecom_lite.engines.registry import ChildRegistry
from ecom_lite.settings.libpq import forget_variables, restored_variables
from ecom_lite.settings.load import load_settings

GIVEN = {"PGSSLMODE": "require", "PGOPTIONS": "-c statement_timeout=1", "PGHOSTADDR": "192.0.2.1", "PAGER": "less"}


def test_none_of_them_is_left() -> None:
    env = dict(GIVEN)
    forget_variables(env)
    assert env == {"PAGER": "less"}


@pytest.mark.parametrize("url", ["", "postgresql://me@there/shop"], ids=["our own", "elsewhere"])
def test_they_count_for_a_server_elsewhere_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    postgres_server(load_settings(env={}, flags={"run.data_dir": tmp_path, "postgres.url": url}), ChildRegistry(tmp_path / "c"))
    known = {option.keyword.decode(): option.val for option in Conninfo.get_defaults()}
    assert (known["sslmode"] == b"require") == bool(url), psycopg.pq.version()
    assert (os.environ.get("PGOPTIONS") is not None) == bool(url)


def test_in_a_process_of_somebody_else_they_are_there_again_at_the_end() -> None:
    env = dict(GIVEN)
    with restored_variables(env):
        forget_variables(env)
        assert env == {"PAGER": "less"}
    assert env == GIVEN
