"""After every refresh of a disturbed history each model is, row for row, what a full refresh makes of it."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from ecom_lite.transform import Transform
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate

from .histories import History

PROJECT = Path(__file__).parents[2] / "dbt_project"
pytestmark = pytest.mark.timeout(900)  # some fifteen runs, most of them dbt's own: each of seconds, or of half a minute
REFRESHES = 6
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe")  # half hours, and changes of the clock
NOT_COMPARED = (
    "int_profile_log",  # never built anew: it remembers what the warehouse has replaced since
    "int_place_days",  # keeps rows of nothing for places that a change of address has emptied: sales_by_place leaves them out
)
DEATHS = ("RAISE EXCEPTION 'refused by a test'", "PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(1)")
SEEN = ("refused by a test", "server closed the connection", "terminating connection")


@pytest.fixture
def transform(warehouse: Address, tmp_path: Path) -> Transform:
    return Transform(warehouse, PROJECT, tmp_path / "dbt", threads=2)


def models(warehouse: Address) -> dict[str, Counter[tuple[Any, ...]]]:
    """Each relation of dbt, with its rows."""
    with warehouse.connect("ecom_dbt") as connection:
        names = connection.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname IN ('marts', 'intermediate') AND c.relkind IN ('r', 'v') ORDER BY 1, 2"
        ).fetchall()
        return {
            name: Counter(connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, name))).fetchall())
            for schema, name in names
            if name not in NOT_COMPARED
        }


def break_one(warehouse: Address, rng: random.Random) -> str:
    """A table of dbt's whose next writer fails, or dies in the midst of its transaction."""
    with warehouse.connect("ecom_dbt") as connection:
        tables = connection.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname IN ('marts', 'intermediate') AND c.relkind = 'r' ORDER BY 1, 2"
        ).fetchall()
        table = sql.Identifier(*rng.choice(tables))
        body = sql.Literal(f"BEGIN {rng.choice(DEATHS)}; RETURN NULL; END")
        refuse = "CREATE OR REPLACE FUNCTION intermediate.refuse() RETURNS trigger LANGUAGE plpgsql AS {}"
        connection.execute(sql.SQL(refuse).format(body))
        trigger = "CREATE TRIGGER refuse AFTER INSERT OR UPDATE ON {} FOR EACH STATEMENT EXECUTE FUNCTION intermediate.refuse()"
        connection.execute(sql.SQL(trigger).format(table))
        return table.as_string(connection)


def mend(warehouse: Address, table: str) -> None:
    with warehouse.connect("ecom_dbt") as connection:
        connection.execute(f"DROP TRIGGER refuse ON {table}".encode())


def refresh_some(transform: Transform, rng: random.Random) -> None:
    """Some models run ahead of those that are made from them, or are made anew under them."""
    chosen = rng.sample(sorted(path.stem for path in (PROJECT / "models" / "marts").glob("*.sql")), rng.randint(1, 2))
    run = transform.run("refresh", select=chosen, full_refresh=rng.random() < 0.4)
    assert (run.status, run.message) == ("selected", ""), chosen


def check_history(warehouse: Address, transform: Transform, seed: int) -> None:
    migrate(warehouse, attributes={"channel": "text"}, time_zone=ZONES[seed % len(ZONES)])
    history, rng, choice = History(seed), random.Random(seed), random.Random(f"selected {seed}")
    for n in range(REFRESHES):
        history.load(warehouse)
        if n and choice.random() < 0.5:
            refresh_some(transform, choice)
            if choice.random() < 0.5:
                history.load(warehouse)
        if n and rng.random() < 0.5:
            table = break_one(warehouse, rng)
            run = transform.run("schedule")
            assert run.status == "error" and any(death in run.message for death in SEEN), (table, run)
            mend(warehouse, table)
            if rng.random() < 0.5:
                history.load(warehouse)
        run = transform.run("schedule")
        assert (run.status, run.message) == ("success", ""), (seed, n)
        bit_by_bit = models(warehouse)
        if rng.random() < 0.5 or n == REFRESHES - 1:
            run = transform.run("refresh", full_refresh=True)
            assert (run.status, run.message) == ("success", "")
            at_once = models(warehouse)
            assert bit_by_bit.keys() == at_once.keys()
            for model, expected in at_once.items():
                missing, surplus = expected - bit_by_bit[model], bit_by_bit[model] - expected
                told = f"has not {sorted(map(str, missing))[:5]}, but {sorted(map(str, surplus))[:5]}"
                assert not missing and not surplus, f"seed {seed}, refresh {n}: {model} {told}"
    assert all(bit_by_bit.values()), [model for model, found in bit_by_bit.items() if not found]


@pytest.mark.parametrize("seed", [1, 2])
def test_bit_by_bit_is_a_full_refresh(warehouse: Address, transform: Transform, seed: int) -> None:
    check_history(warehouse, transform, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3, 21))
def test_bit_by_bit_is_a_full_refresh_of_many_histories(warehouse: Address, transform: Transform, seed: int) -> None:
    check_history(warehouse, transform, seed)
