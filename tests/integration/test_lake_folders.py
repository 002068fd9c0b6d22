"""Each warehouse that a data folder is used with has tables of its own: none cleans up what is another's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecom_lite.ask.session import Session
from ecom_lite.lake.counted import Counted
from ecom_lite.lake.reader import open_lake
from ecom_lite.lake.upkeep import Upkeep
from ecom_lite.lake.writer import Writer
from ecom_lite.run.jobs import lake_job
from ecom_lite.run.reach import Reach
from ecom_lite.settings.data_dir import LAKE, LAKE_TABLES
from ecom_lite.settings.load import load_settings
from ecom_lite.warehouse.connect import Address
from tests.conftest import a_database

from .facts import load, some_lines
from .lake_writer import open_in_turn

COUNT = "SELECT count(*) FROM lake.sales"


@pytest.fixture
def another(template: Address) -> Iterator[Address]:
    with a_database(template) as made:
        yield made


def tables_of(address: Address, data_dir: Path, **postgres: str) -> Path:
    """Where the worker of a run with these settings is told to keep the tables."""
    flags = {f"postgres.{name}": value for name, value in postgres.items()}
    settings = load_settings(env={}, flags={"run.data_dir": str(data_dir), **flags})
    job = lake_job(settings, Reach(address, "broker:9092", settings.kafka))
    return Path(job.folder) / job.tables


def url_of(address: Address) -> str:
    return f"postgresql://admin@{address.place}"


def fill(address: Address, tables: Path, lines: int) -> None:
    load(address, some_lines(lines))
    with Writer(address.only("ecom_lake"), tables) as writer:
        open_in_turn(writer)
        writer.sync()


def test_our_own_usual_warehouse_has_the_folder_that_it_always_had(warehouse: Address, data_dir: Path) -> None:
    usual = tables_of(warehouse, data_dir)
    assert usual == data_dir / LAKE / LAKE_TABLES
    others = {tables_of(warehouse, data_dir, database="again"), tables_of(warehouse, data_dir, url=url_of(warehouse))}
    assert len({usual, *others}) == 3 and {folder.parent for folder in others} == {usual.parent}


def test_the_clean_up_of_one_warehouse_leaves_the_files_of_another(warehouse: Address, another: Address, data_dir: Path) -> None:
    usual, again = tables_of(warehouse, data_dir), tables_of(another, data_dir, database="again")
    places = [(warehouse, usual, 30), (another, again, 50)]
    for address, tables, lines in places:
        fill(address, tables, lines)
    for address, tables, _ in places:
        with Writer(address.only("ecom_lake"), tables) as writer:
            open_in_turn(writer)
            assert Upkeep(writer, 1).delete_orphans(0) == 0
    for address, _, lines in places:
        with open_lake(address, data_dir / LAKE) as reader:
            assert reader.execute(COUNT).fetchall() == [(lines,)]


def test_who_asks_finds_the_tables_of_its_warehouse_also_in_a_folder_that_was_moved(
    warehouse: Address, another: Address, data_dir: Path, tmp_path: Path
) -> None:
    fill(warehouse, tables_of(warehouse, data_dir), 30)
    fill(another, tables_of(another, data_dir, url=url_of(another)), 50)
    moved = tmp_path / "moved"
    data_dir.rename(moved)
    for address, lines in ((warehouse, 30), (another, 50)):
        session = Session(address, moved / LAKE)
        try:
            assert session.ask(COUNT, lambda connection: connection.fetchall()) == [(lines,)]
        finally:
            session.close()
        with Counted(address, moved / LAKE) as counted:
            assert sum(each.lines for each in counted.sales([])) == lines and not counted.problem
