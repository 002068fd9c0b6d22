"""A data folder of an earlier version opens in this one, with all that was in it; one of a later version is refused."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecom_lite.check.fingerprint import fingerprint
from ecom_lite.check.reconcile import reconcile
from ecom_lite.engines.pgfiles import remove_cluster
from ecom_lite.lake.counted import Counted
from ecom_lite.run.opened import opened
from ecom_lite.settings.data_dir import LAKE, POSTGRES
from ecom_lite.settings.load import load_settings
from ecom_lite.warehouse.migrate import bundled, require_schema
from tests.runs import COMMAND, LightRun

from .folders import DATABASE, KEPT, database, unpack

MORE = 200
EARLIER = sorted(KEPT.glob("*.tar.xz"))


@dataclass
class Folder:
    path: Path
    story: dict[str, Any]


def named(packed: Path) -> str:
    return packed.name.partition(".")[0]


@pytest.fixture(
    scope="module",
    params=[*(pytest.param(packed, marks=pytest.mark.long, id=named(packed)) for packed in EARLIER[:-1]), EARLIER[-1]],
    ids=named,
)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    path = tmp_path_factory.mktemp("earlier") / "data"
    try:
        yield Folder(path, unpack(request.param, path))
    finally:
        remove_cluster(path / POSTGRES)


def test_a_folder_of_an_earlier_version_has_the_same_facts_and_marts_in_this_one(folder: Folder) -> None:
    """The first command of this version migrates it, whichever it is."""
    settings = load_settings(None, {}, {"run.data_dir": str(folder.path)})
    with database(folder.path) as server, psycopg.connect(server.dsn_superuser, dbname=DATABASE) as connection:
        applied = connection.execute("SELECT count(*) FROM public.ecom_lite_migrations").fetchone()
        assert applied is not None and 30 < applied[0] <= len(bundled())
    with opened(settings, None, "check", kafka=True) as now:
        require_schema(now.address)
        found = fingerprint(now.address)
        assert (found.fingerprint, found.rows["fact_sales"]) == (folder.story["fingerprint"], folder.story["facts"])
        report = reconcile(
            now.address, settings.topics, now.reach.end_offsets, producing=False, catch_up_s=0,
            lake=partial(Counted, now.address, folder.path / LAKE),
        )  # fmt: skip
        report.raise_if_open()


def test_its_shop_goes_on_in_this_version_and_the_count_closes(folder: Folder) -> None:
    run = LightRun(folder.path, "--seed", str(folder.story["seed"]), "--events", str(MORE), "--rate", "max", "--json")
    try:
        assert run.wait(180) == 0, run.stderr
        told = run.summary()
        assert told["closes"] and told["sent"] == folder.story["events"] + MORE and told["dead"] == told["duplicates"] == 0
        assert told["facts"] == told["marts"] == told["lake"] > folder.story["facts"]
    finally:
        run.end()


def test_one_of_a_later_version_is_refused_with_the_way_out(folder: Folder) -> None:
    """Last: from then on it is one."""
    with database(folder.path) as server, psycopg.connect(server.dsn_superuser, dbname=DATABASE) as connection:
        connection.execute("INSERT INTO public.ecom_lite_migrations VALUES (9999, '9999_of_tomorrow.sql', 'x')")
    for verb in (["run", "--light", "--events", "1"], ["check", "--only", "faults"], ["sql", "SELECT 1"]):
        done = subprocess.run([*COMMAND, *verb, "--data-dir", str(folder.path)], capture_output=True, text=True, timeout=180)
        assert done.returncode == 1, (verb, done.stderr)
        assert "9999_of_tomorrow.sql" in done.stderr and "update ecom_lite" in done.stderr, (verb, done.stderr)
        assert "Traceback" not in done.stderr, (verb, done.stderr)


def test_the_kept_folders_are_small() -> None:
    assert len(EARLIER) == 2 and all(packed.stat().st_size < 450_000 for packed in EARLIER)
